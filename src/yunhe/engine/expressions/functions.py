"""The allow-list of functions: signature, Python meaning and SQL, one row each.

Every function is total and strict (a missing argument gives a missing result). Where DuckDB's own function
depends on locale, Unicode version or counts from the end, the SQL is written so that both sides agree.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from yunhe.engine.expressions.types import Node, ValueType

_UP = str.maketrans(string.ascii_lowercase, string.ascii_uppercase)
_DOWN = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


@dataclass(frozen=True, slots=True)
class Function:
    """One allowed function.

    `takes` are the argument types; a name in `constants` (argument index) must be a literal. `sql` has one
    slot per argument. `width` bounds an integer result's digits.
    """

    name: str
    takes: tuple[ValueType, ...]
    gives: ValueType
    sql: str
    run: Callable[..., Any]
    constants: tuple[int, ...] = ()
    width: int = 10
    check: Callable[[Sequence[Node]], str] | None = None

    @property
    def signature(self) -> str:
        """Return how to write it, for people."""
        return f"{self.name}({', '.join(self.takes)})"


def _full_years(start: date, end: date) -> int:
    return end.year - start.year - ((end.month, end.day) < (start.month, start.day))


def _positive_start(args: Sequence[Node]) -> str:
    start, length = args[1].value, args[2].value
    ok = isinstance(start, int) and start >= 1 and isinstance(length, int) and length >= 0
    return "" if ok else "start >= 1, length >= 0"


def _not_negative(args: Sequence[Node]) -> str:
    count = args[1].value
    return "" if isinstance(count, int) and count >= 0 else "count >= 0"


def _not_growing(args: Sequence[Node]) -> str:
    old, new = str(args[1].value), str(args[2].value)
    return "" if old and len(new) <= len(old) else "replacement not longer than what it replaces"


_S: Final[ValueType] = "string"
_I: Final[ValueType] = "integer"
_D: Final[ValueType] = "date"
_B: Final[ValueType] = "boolean"
_YEARS = (
    "(year({1}) - year({0}) - CASE WHEN month({1}) * 100 + day({1}) < month({0}) * 100 + day({0}) THEN 1 ELSE 0 END)"
)

_ROWS: Final = (
    Function("length", (_S,), _I, "length({0})", len),
    # ASCII letters only: what é becomes depends on the Unicode version.
    Function("upper", (_S,), _S, f"translate({{0}}, '{string.ascii_lowercase}', '{string.ascii_uppercase}')",
             lambda text: text.translate(_UP)),
    Function("lower", (_S,), _S, f"translate({{0}}, '{string.ascii_uppercase}', '{string.ascii_lowercase}')",
             lambda text: text.translate(_DOWN)),
    Function("trim", (_S,), _S, "trim({0}, ' ')", lambda text: text.strip(" ")),
    Function("substr", (_S, _I, _I), _S, "substr({0}, {1}, {2})",
             lambda text, start, length: text[start - 1 : start - 1 + length], (1, 2), check=_positive_start),
    Function("left", (_S, _I), _S, "substr({0}, 1, {1})", lambda text, count: text[:count], (1,),
             check=_not_negative),
    Function("right", (_S, _I), _S, "CASE WHEN {1} = 0 THEN left({0}, 0) ELSE right({0}, {1}) END",
             lambda text, count: text[len(text) - count :] if count < len(text) else text, (1,),
             check=_not_negative),
    Function("replace", (_S, _S, _S), _S, "replace({0}, {1}, {2})", lambda text, old, new: text.replace(old, new),
             (1, 2), check=_not_growing),
    Function("starts_with", (_S, _S), _B, "starts_with({0}, {1})", lambda text, part: text.startswith(part)),
    Function("ends_with", (_S, _S), _B, "ends_with({0}, {1})", lambda text, part: text.endswith(part)),
    Function("contains", (_S, _S), _B, "contains({0}, {1})", lambda text, part: part in text),
    Function("year", (_D,), _I, "year({0})", lambda on: on.year, width=4),
    Function("month", (_D,), _I, "month({0})", lambda on: on.month, width=2),
    Function("day", (_D,), _I, "day({0})", lambda on: on.day, width=2),
    Function("days_between", (_D, _D), _I, "date_diff('day', {0}, {1})", lambda start, end: (end - start).days),
    # Completed years (周岁): 29 February counts as past on 1 March of a common year.
    Function("full_years", (_D, _D), _I, _YEARS, _full_years, width=5),
)  # fmt: skip

FUNCTIONS: Final[dict[str, Function]] = {row.name: row for row in _ROWS}
# Written with special syntax or any number of arguments; typed in parse.py.
SPECIAL: Final = ("coalesce", "nullif", "abs", "greatest", "least", "cast", "case")


def list_functions() -> tuple[str, ...]:
    """Return the signatures of every allowed function, for help pages and messages."""
    return tuple(row.signature for row in _ROWS) + SPECIAL
