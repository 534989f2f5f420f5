r"""The language of a table's cells: read once into a Cell, written back in one canonical (FEEL) form.

    cell    = "" | "-" | "not(" tests ")" | tests          anything; none of; any of
    tests   = test {"," test}
    test    = "null" | literal | ("<" | "<=" | ">" | ">=") literal | range
    range   = ("[" | "(" | "]") literal ".." literal ("]" | ")" | "[")

Literals: integers and decimals of at most 18 digits, dates 2026-01-01 or date("2026-01-01"), true false 是 否, text
plain or quoted ("…", inside it \" and \\). Text is quoted when it holds a comma or a quote or begins like an
operator. Signs of full width that stand where an operator could are refused, not guessed at: in a text they may
be meant. Text and booleans have no order.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from typing import Any, Final

from yunhe.engine.decisions.errors import CellRefused
from yunhe.engine.decisions.types import ANYTHING, ORDERED, Cell, CellType, Span, Value
from yunhe.engine.expressions.literals import to_date

MAX_CHARACTERS: Final = 4000
EXAMPLES: Final = {"string": '甲, "甲,乙"', "integer": "5, [1..5], >= 5", "decimal": "1.5, [0..1.5), >= 5",
                   "date": "2026-01-01, >= 2026-01-01", "boolean": "true, false"}  # fmt: skip
_BOOLEANS: Final = {"true": True, "false": False, "是": True, "否": False}
# Also what XML cannot hold.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_FULL_WIDTH = re.compile(r"[，、（）［］【】＜＞＝－．～“”０-９]")
_PIECE = re.compile(r'((?:[^",]|"(?:[^"\\]|\\.)*+")*+)(,|\Z)', re.DOTALL)
_NOT = re.compile(r"not\s*\((.*)\)", re.DOTALL)
_ORDER = re.compile(r"(<=|>=|<|>)\s*(.*)", re.DOTALL)
_RANGE = re.compile(r"([\[(\]])(?>(.*?)\.\.)(.*)([\])\[])", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\["\\])*+)"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?")
_DATE_CALL = re.compile(r'date\s*\(\s*"([^"]*)"\s*\)')
_THOUSANDS = re.compile(r"[0-9],[0-9]{3}(?![0-9])")
_NOT_PLAIN = re.compile(r'.*["，、“”]|[<>=≤≥!\[\](){}＜＞＝！［］（）【】－—]|not\s*[(（]', re.DOTALL)


def parse_cell(text: str, kind: CellType, *, plain: bool = True) -> Cell:
    """Return the condition that a cell states; without `plain`, text must be quoted (as DMN has it).

    Cost: linear in the text, which has at most 4000 characters.
    Raises: CellRefused.
    """
    text = check_text(text).strip()
    if text in ("", "-"):
        return ANYTHING
    if kind != "string" and _FULL_WIDTH.search(text):
        raise CellRefused("full_width", found=text)
    if kind in ("integer", "decimal") and _THOUSANDS.search(text):
        raise CellRefused("thousands", found=text)
    negation = _NOT.fullmatch(text)
    tests = [_test(piece.strip(), kind, plain) for piece in _pieces(negation[1] if negation else text)]
    spans = tuple(dict.fromkeys(test for test in tests if test is not None))
    return Cell(spans, null=None in tests and not negation, negated=negation is not None)


def parse_value(text: str, kind: CellType, *, plain: bool = True) -> Value:
    """Return the one value of a result cell; empty and null are None. Plain text is taken whole.

    Raises: CellRefused.
    """
    text = check_text(text).strip()
    if text in ("", "null"):
        return None
    if kind == "string" and plain and not text.startswith('"') and text != "-":
        return text
    value = _literal(text, kind, plain=False)
    if value is None:
        raise CellRefused("value", expected=kind, example=EXAMPLES[kind].split(", ", maxsplit=1)[0], found=text)
    return value


def check_text(text: str) -> str:
    """Return the text if it is short and free of control characters. Raises: CellRefused."""
    if len(text) > MAX_CHARACTERS:
        raise CellRefused("too_long", expected=MAX_CHARACTERS, found=f"{len(text)}")
    if found := _CONTROL.search(text):
        raise CellRefused("control_character", found=f"U+{ord(found[0]):04X}")
    return text


def cell_text(cell: Cell, write: Callable[[Value], str] | None = None) -> str:
    """Return the canonical text of a condition; `parse_cell` gives the same cell back. `write` writes its values."""
    if cell == ANYTHING:
        return "-"
    tests = [_span_text(span, write or value_text) for span in cell.spans]
    if cell.negated:
        return f"not({', '.join(tests) or 'null'})"
    return ", ".join(["null", *tests] if cell.null else tests)


def value_text(value: Value) -> str:
    """Return the canonical text of a value: FEEL, numbers without trailing zeros."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, date):
        return f'date("{value.isoformat()}")'
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    return (text.rstrip("0").rstrip(".") if "." in text else text) if value else "0"


def plain_text(cell: Cell, kind: CellType) -> str:
    """Return a condition as people write it: text without quotes and dates bare, where it reads back the same."""
    return cell_text(cell, lambda value: _bare(value, lambda text: parse_cell(text, kind) == Cell((Span(value, value),))))


def plain_value(value: Value, kind: CellType) -> str:
    """Return a value as people write it, "" for none."""
    return "" if value is None else _bare(value, lambda text: parse_value(text, kind) == value)


def holds(cell: Cell, value: Any) -> bool:
    """Tell whether one value meets the condition."""
    if value is None:
        return cell.null
    return any(_inside(span, value) for span in cell.spans) != cell.negated


def _bare(value: Value, reads_back: Callable[[str], bool]) -> str:
    """Return the value without the signs of FEEL if it reads back so, else its canonical text."""
    bare = value.isoformat() if isinstance(value, date) else value
    try:
        return bare if isinstance(bare, str) and reads_back(bare) else value_text(value)
    except CellRefused:
        return value_text(value)


def _span_text(span: Span, write: Callable[[Value], str]) -> str:
    if span.low is None:
        return f"{'<=' if span.high_in else '<'} {write(span.high)}"
    if span.high is None:
        return f"{'>=' if span.low_in else '>'} {write(span.low)}"
    if span.low == span.high:
        return write(span.low)
    ends = "[" if span.low_in else "(", "]" if span.high_in else ")"
    return f"{ends[0]}{write(span.low)}..{write(span.high)}{ends[1]}"


def _inside(span: Span, value: Any) -> bool:
    above = span.low is None or span.low < value or (span.low_in and span.low == value)
    return above and (span.high is None or value < span.high or (span.high_in and span.high == value))


def _pieces(text: str) -> Iterable[str]:
    at, comma = 0, ","
    while comma:
        found = _PIECE.match(text, at)
        if not found:
            raise CellRefused("quote", found=text)
        yield found[1]
        at, comma = found.end(), found[2]


def _test(text: str, kind: CellType, plain: bool) -> Span | None:
    """Return one test as a span; None stands for `null`."""
    if text == "null":
        return None
    if text == "-":
        raise CellRefused("any", found=text)
    if text.startswith("not") and _NOT.match(text):
        raise CellRefused("not", found=text)
    order, between = _ORDER.fullmatch(text), _RANGE.fullmatch(text)
    if kind not in ORDERED:
        if order or between:
            raise CellRefused("order", found=text)
        value = _required(text, kind, plain)
        return Span(value, value)
    if order:
        end = _required(order[2], kind, plain)
        inclusive = order[1].endswith("=")
        return Span(None, end, True, inclusive) if order[1][0] == "<" else Span(end, None, inclusive, True)
    if between:
        low, high = _required(between[2].strip(), kind, plain), _required(between[3].strip(), kind, plain)
        return _held(Span(low, high, between[1] == "[", between[4] == "]"), kind, text)
    value = _required(text, kind, plain)
    return Span(value, value)


def _held(span: Span, kind: CellType, text: str) -> Span:
    """Return the range if it holds a value: (1..2) holds no integer."""
    if kind == "decimal":
        held = span.low < span.high or (span.low == span.high and span.low_in and span.high_in)
    else:
        steps = span.high - span.low
        held = (steps if isinstance(steps, int) else steps.days) > (not span.low_in) + (not span.high_in) - 1
    if not held:
        raise CellRefused("empty_range", found=text)
    return span


def _required(text: str, kind: CellType, plain: bool) -> Any:
    value = _literal(text, kind, plain)
    if value is None:
        raise CellRefused("literal", expected=kind, example=EXAMPLES[kind], found=text)
    return value


def _literal(text: str, kind: CellType, plain: bool) -> Value:
    """Return the value that is written, None if it is not of that type."""
    if kind == "string":
        return _text(text, plain)
    if kind == "boolean":
        return _BOOLEANS.get(text.lower())
    if kind == "date":
        called = _DATE_CALL.fullmatch(text)
        return to_date(called[1] if called else text)
    number = _NUMBER.fullmatch(text)
    if not number or len(text.lstrip("-").replace(".", "")) > 18 or (kind == "integer" and number[1]):
        return None
    return int(text) if kind == "integer" else Decimal(text)


def _text(text: str, plain: bool) -> str | None:
    if quoted := _QUOTED.fullmatch(text):
        return re.sub(r"\\(.)", r"\1", quoted[1])
    if _NOT_PLAIN.match(text):
        raise CellRefused("quote", found=text)
    return text if plain and text else None
