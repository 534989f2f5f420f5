"""Each form of a cell, what it refuses and how, and arbitrary text."""

from __future__ import annotations

import time
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunhe.engine.decisions import CellRefused
from yunhe.engine.decisions.cells import cell_text, holds, parse_cell, parse_value, value_text
from yunhe.engine.decisions.types import CELL_TYPES, CellType

DAY = date(2026, 1, 1)
# type, text, values that meet it, values that do not
FORMS: list[tuple[CellType, str, list[Any], list[Any]]] = [
    ("integer", "", [None, 0, 7], []),
    ("integer", " - ", [None, 0, 7], []),
    ("integer", "5", [5], [4, 6, None]),
    ("integer", "-5, 7", [-5, 7], [5, None]),
    ("integer", "null", [None], [0]),
    ("integer", "null, 5", [None, 5], [0]),
    ("integer", "not(null)", [0, 5], [None]),
    ("integer", "not(5, > 8)", [4, 8], [5, 9, None]),
    ("integer", "not ( null , 5 )", [4], [5, None]),
    ("integer", "< 5", [4], [5, None]),
    ("integer", "<=5", [5], [6]),
    ("integer", "> 5", [6], [5, None]),
    ("integer", ">= 5", [5], [4]),
    ("integer", "[1..5]", [1, 5], [0, 6, None]),
    ("integer", "(1..5]", [2, 5], [1, 6]),
    ("integer", "[1 .. 5)", [1, 4], [5]),
    ("integer", "( 1..5 )", [2, 4], [1, 5]),
    ("integer", "]1..5[", [2, 4], [1, 5]),
    ("integer", "[1..1], > 9", [1, 10], [2, 9]),
    ("integer", "1, 234", [1, 234], [1234]),
    ("decimal", "1.50", [Decimal("1.5")], [Decimal("1.51"), None]),
    ("decimal", "(0..0.5)", [Decimal("0.25")], [Decimal(0), Decimal("0.5")]),
    ("decimal", "(-1.5..-1]", [-1, Decimal("-1.2")], [Decimal("-1.5")]),
    ("date", "2026-01-01", [DAY], [date(2026, 1, 2), None]),
    ("date", 'date("2026-01-01")', [DAY], [date(2026, 1, 2)]),
    ("date", "[2026-01-01..2026-02-01)", [DAY, date(2026, 1, 31)], [date(2026, 2, 1)]),
    ("date", "> 2025-12-31", [DAY], [date(2025, 12, 31)]),
    ("boolean", "true", [True], [False, None]),
    ("boolean", "否", [False], [True, None]),
    ("boolean", "FALSE, true", [True, False], [None]),
    ("string", "甲", ["甲"], ["乙", "", None]),
    ("string", "甲, 乙", ["甲", "乙"], ["甲, 乙"]),
    ("string", '"甲, 乙"', ["甲, 乙"], ["甲"]),
    ("string", '"null", "-"', ["null", "-"], [None]),
    ("string", '""', [""], [None, '"']),
    ("string", r'"a\"b\\"', ['a"b\\'], ["a"]),
    ("string", "not(甲, 乙)", ["丙", ""], ["甲", None]),
    ("string", "住宅（普通）, -5", ["住宅（普通）", "-5"], ["住宅(普通)"]),
    ("string", "note(1), x = 1", ["note(1)", "x = 1"], ["1"]),
    ("string", '"（"', ["（"], []),
]


@pytest.mark.parametrize(("kind", "text", "met", "missed"), FORMS)
def test_a_cell_is_met_by_what_it_says(kind: CellType, text: str, met: list[Any], missed: list[Any]) -> None:
    cell = parse_cell(text, kind)
    assert [value for value in met if not holds(cell, value)] == []
    assert [value for value in missed if holds(cell, value)] == []
    assert parse_cell(cell_text(cell), kind, plain=False) == cell


REFUSED: list[tuple[CellType, str, str]] = [
    ("integer", "x", "literal"), ("integer", "1.5", "literal"), ("integer", "007", "literal"),
    ("integer", "1e3", "literal"), ("integer", "+1", "literal"), ("integer", "1" * 19, "literal"),
    ("integer", "=5", "literal"), ("integer", "!= 5", "literal"), ("integer", "5 6", "literal"),
    ("integer", "1,", "literal"), ("integer", "not()", "literal"), ("integer", "[1,5]", "literal"),
    ("integer", "1..5", "literal"), ("integer", "[1...5]", "literal"), ("integer", "[1..]", "literal"),
    ("integer", "> null", "literal"), ("integer", "<", "literal"), ("integer", "true", "literal"),
    ("integer", '"5"', "literal"), ("integer", "5, -", "any"), ("integer", "not(-)", "any"),
    ("integer", "not(1), 2", "not"), ("integer", "not(not(1))", "not"), ("integer", "[5..1]", "empty_range"),
    ("integer", "(1..2)", "empty_range"), ("integer", "(1..1]", "empty_range"), ("integer", "1,234", "thousands"),
    ("integer", "<= 1,000,000", "thousands"), ("integer", "１", "full_width"), ("integer", "1，2", "full_width"),
    ("integer", "（1..5）", "full_width"), ("integer", "＞5", "full_width"), ("integer", "\x00", "control_character"),
    ("integer", "1" * 5000, "too_long"), ("integer", '"', "quote"), ("decimal", ".5", "literal"),
    ("decimal", "1.", "literal"), ("decimal", "NaN", "literal"), ("decimal", "(1..1)", "empty_range"),
    ("date", "2026-02-30", "literal"), ("date", "2026/1/1", "literal"), ("date", "today()", "literal"),
    ("date", "(2026-01-01..2026-01-02)", "empty_range"), ("boolean", "yes", "literal"), ("boolean", "> true", "order"),
    ("string", "甲，乙", "quote"), ("string", "甲、乙", "quote"), ("string", '甲"', "quote"), ("string", '"甲', "quote"),
    ("string", "“甲”", "quote"), ("string", "<b>", "order"), ("string", "≥5", "quote"), ("string", "[a..b]", "order"),
    ("string", "(a)", "quote"), ("string", "（a）", "quote"), ("string", "not（a）", "quote"), ("string", r'"\n"', "quote"),
    ("string", "甲, not(乙)", "not"), ("string", "甲, ", "literal"), ("string", "\ud800", "control_character"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "problem"), REFUSED)
def test_a_bad_cell_says_what_is_expected_and_how_to_mend_it(kind: CellType, text: str, problem: str) -> None:
    with pytest.raises(CellRefused) as refused:
        parse_cell(text, kind)
    assert refused.value.problem == problem
    for language, stop in (("zh", "。"), ("en", ".")):
        said = refused.value.say(language)
        assert stop in said and "{" not in said and "?expected" not in said


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [("string", "不予受理, 告知", "不予受理, 告知"), ("string", '"a, b"', "a, b"), ("string", "", None),
     ("string", "null", None), ("string", '"null"', "null"), ("integer", "-3", -3), ("decimal", "1.50", Decimal("1.5")),
     ("date", "2026-01-01", DAY), ("boolean", "是", True)],
)  # fmt: skip
def test_a_result_is_one_value(kind: CellType, text: str, value: Any) -> None:
    assert parse_value(text, kind) == value
    assert parse_value(value_text(value), kind, plain=False) == value


@pytest.mark.parametrize(("kind", "text"), [("integer", "1, 2"), ("integer", "> 1"), ("string", "-"), ("date", "soon")])
def test_a_result_of_another_type_is_refused(kind: CellType, text: str) -> None:
    with pytest.raises(CellRefused):
        parse_value(text, kind)


def test_dmn_text_must_be_quoted() -> None:
    with pytest.raises(CellRefused):
        parse_cell("foo", "string", plain=False)
    with pytest.raises(CellRefused):
        parse_value("foo", "string", plain=False)


PARTS = ["not(", "null", "-", "..", "[", "]", "(", ")", "<", "<=", ">", ",", '"', "\\", " ", "1", "0.5", "2026-01-01",
         "date(", "true", "甲", "，", "（", "1,000", "\n", "\t"]  # fmt: skip
TEXT = st.text(max_size=30) | st.lists(st.sampled_from(PARTS), max_size=25).map("".join)


@given(text=TEXT, kind=st.sampled_from(CELL_TYPES), plain=st.booleans())
def test_any_text_is_a_cell_or_the_typed_refusal(text: str, kind: CellType, plain: bool) -> None:
    for parse, write in ((parse_cell, cell_text), (parse_value, value_text)):
        read = _read(parse, text, kind, plain)
        if not isinstance(read, CellRefused):
            assert parse(write(read), kind, plain=False) == read
        else:
            assert "?" not in read.say().replace(str(read.facts["found"]), "")


def _read(parse: Any, text: str, kind: CellType, plain: bool) -> Any:
    try:
        return parse(text, kind, plain=plain)
    except CellRefused as refused:
        return refused


@pytest.mark.parametrize(
    "text",
    [part * (4000 // len(part)) for part in [*PARTS, "[ ..", '"a', '"\\"', "[1..", "not( ", "[" + " " * 99 + "..."]],
)
@pytest.mark.parametrize("kind", CELL_TYPES)
def test_hostile_text_is_read_in_bounded_time(text: str, kind: CellType) -> None:
    started = time.process_time()
    _read(parse_cell, text, kind, True)
    assert time.process_time() - started < 0.5
