"""The checked tree of an expression, and the values that flow through it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal

ValueType = Literal["string", "integer", "decimal", "date", "timestamp", "boolean", "null"]
Value = str | int | Decimal | date | datetime | bool | None

VALUE_TYPES: Final = ("string", "integer", "decimal", "date", "timestamp", "boolean")
# DuckDB's BIGINT has up to 19 digits; its HUGEINT and widest DECIMAL hold every number of 38 digits.
INTEGER_DIGITS: Final = 19
MAX_DIGITS: Final = 38
# A decimal field whose width is not declared counts as DECIMAL(19, 6): a field times a field has 38 digits.
DECIMAL_WIDTH: Final = 19
DECIMAL_SCALE: Final = 6


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a value could not be computed; it makes the whole condition false unless logic decides without it.

    Reasons: `cast` (text is not of that type), `out_of_range`, `zero_division`, `wrong_type` (a closure was
    given a value of another type than the field declares).
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Node:
    """One node of the checked tree.

    `op` names the operator (a key of the closure's and the SQL's tables); `value` is a field's name, a
    literal's value, a function's name or a LIKE pattern. `width` and `scale` bound a number's digits, so that
    arithmetic can be proved not to overflow before it runs.
    """

    op: str
    type: ValueType
    args: tuple[Node, ...] = ()
    value: Value | tuple[str, str] = None
    width: int = 0
    scale: int = 0

    @property
    def pattern(self) -> tuple[str, str]:
        """Return a LIKE's pattern and its escape character ("" for none)."""
        assert isinstance(self.value, tuple)
        return self.value

    def depth(self) -> int:
        """Return the height of the tree; a leaf has 1."""
        return 1 + max((child.depth() for child in self.args), default=0)


TYPE_NAMES: Final[dict[str, tuple[str, str]]] = {
    "string": ("文本 string", "string"),
    "integer": ("整数 integer", "integer"),
    "decimal": ("小数 decimal", "decimal"),
    "date": ("日期 date", "date"),
    "timestamp": ("时间 timestamp", "timestamp"),
    "boolean": ("真假 boolean", "boolean"),
    "null": ("空值 NULL", "NULL"),
}
