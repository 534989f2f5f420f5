"""What an expression may say: refusals with place and next step, types, and values at the edges."""

# ruff: noqa: DTZ001 - the lake stores UTC without a zone
from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from yunhe.engine.expressions import ExpressionRefused, list_functions, parse_expression

FIELDS = {"n": "integer", "m": "integer", "s": "string", "amount": "decimal", "born": "date", "at": "timestamp",
          "flag": "boolean", "姓名": "string"}  # fmt: skip

REFUSED = {
    "": "empty", " \n": "empty", "n = 1;": "several", "n = 1; n = 2": "several", "n = 1 -- x": "comment",
    "/* x */ n = 1": "comment", "n = 1 /* x": "syntax", "s = 'x": "syntax", "n = ": "syntax", "((n = 1)": "syntax",
    "n = 1)": "syntax", "n == == 1": "syntax", "nope = 1": "unknown_field", "a.n = 1": "unknown_field",
    "N = 1": "unknown_field", "s = 1": "type", "n = '1'": "type", "n AND flag": "type", "born = '2026-01-01'": "type",
    "length(n) = 1": "type", "s + 1 = 2": "type", "amount // 2 = 1": "type", "n = NULL": "null_compare",
    "n IN (1, NULL)": "null_compare", "n / 2 = 1": "division", "n + 1": "not_boolean", "s": "not_boolean",
    "length(s, s) = 1": "arguments", "substr(s, n, 2) = 'a'": "constant", "substr(s, 0, 2) = 'a'": "constant",
    "replace(s, 'a', 'aa') = 'b'": "constant", "s LIKE s": "constant", "s LIKE 'a!' ESCAPE '!'": "literal",
    "n = 1e5": "literal", "n = 12345678901234567890": "literal", "born = DATE '2026-02-30'": "literal",
    "at = TIMESTAMP '2026-01-01'": "literal", "n * n * n = 1": "too_large", "amount * amount * 2 = 1": "too_large",
    "getenv('HOME') = 's'": "not_allowed", "read_csv('x') IS NULL": "not_allowed", "read_text('x') = ''": "not_allowed",
    "(SELECT 1) = 1": "not_allowed", "n IN (SELECT 1)": "not_allowed", "EXISTS (SELECT 1)": "not_allowed",
    "SELECT 1": "not_allowed", "DROP TABLE t": "not_allowed", "s ~ '(a+)+'": "not_allowed", "s ILIKE 'a'": "not_allowed",
    "TRY_CAST(s AS INTEGER) = 1": "not_allowed", "CAST(s AS BLOB) = 'x'": "not_allowed", "random() > 0": "not_allowed",
    "current_date = born": "not_allowed", "n = $1": "not_allowed", "n = ?": "not_allowed", "n = ANY([1])": "not_allowed",
    "count(*) = 1": "not_allowed", "sum(n) OVER () = 1": "not_allowed", "COLUMNS('n') = 1": "not_allowed",
    "[1, 2] = [1]": "not_allowed", "n[1] = 1": "not_allowed", "{'a': 1} IS NULL": "not_allowed", "n & 1 = 1": "not_allowed",
    "n ** 2 = 4": "not_allowed", "s COLLATE nocase = 'a'": "not_allowed", "* = 1": "not_allowed",
    "n = 1 AND s = '\x00'": "control_character",
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_refused_with_place_and_next_step(text: str) -> None:
    with pytest.raises(ExpressionRefused) as refused:
        parse_expression(text, FIELDS)
    assert refused.value.problem == REFUSED[text]
    assert refused.value.facts["line"] >= 1 and refused.value.facts["column"] >= 1
    assert (
        "。" in refused.value.say("zh")
        and "line" in refused.value.say("en")
        and "{" not in refused.value.say("zh")[:20]
    )


def test_the_place_is_that_of_the_mistake() -> None:
    for text, place in {
        "n > 1 AND\n  nope = 2": (2, 3),
        "flag\nOR\n\n length(n) = 1": (4, 9),
        "n = 1 AND s = 5": (1, 15),
    }.items():
        with pytest.raises(ExpressionRefused) as refused:
            parse_expression(text, FIELDS)
        assert (refused.value.facts["line"], refused.value.facts["column"]) == place


HOSTILE = [
    "(" * 3000 + "1" + ")" * 3000, "NOT " * 3000 + "flag", "-" * 3001 + "1 = 1", "n = " + "9" * 3900, "n" * 5000,
    "n = 1" + " AND n = 1" * 900, "n = 1" + " + 1" * 500, "CASE WHEN flag THEN " * 60 + "1" + " END" * 60 + " = 1",
    "length(" * 100 + "s" + ")" * 100 + " = 1", "s = '" + "x" * 5000 + "'", "n IN (" + "1," * 2000 + "1)",
    "((n" * 50, "'" * 999, "\"" * 999, "\\" * 100, "n = 1 OR" * 200, "\ud800 = 1", "\x1b[0m", "n = 1\u2028;", "𝓃 = 1",
    "CASE WHEN CAST(s AS INTEGER) = 1 THEN s END = s AND " * 60 + "flag", "`n` = 1", "n = $$x$$", "E'\\x00' = s",
    "CASE WHEN (" * 18 + "CAST(s AS INTEGER) = 1" + ") THEN CAST(s AS INTEGER) END = 1" * 18,
]  # fmt: skip


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_hostile_text_is_refused_cleanly(number: int) -> None:
    with pytest.raises(ExpressionRefused) as refused:
        parse_expression(HOSTILE[number], FIELDS)
    assert len(refused.value.say("zh")) < 2000


def test_a_long_flat_chain_is_fine() -> None:
    expression = parse_expression(" OR ".join(f"n = {number}" for number in range(190)), FIELDS)
    assert expression.closure()({"n": 189}) is True and expression.closure()({"n": 190}) is False


def test_fields_are_listed_once_in_order() -> None:
    assert parse_expression("姓名 = s AND n > 1 AND 姓名 <> 'x'", FIELDS).fields == ("姓名", "s", "n")
    assert "full_years(date, date)" in list_functions()


CASES = [
    ("CAST(s AS INTEGER) > 5", {"s": "7"}, True, ""), ("CAST(s AS INTEGER) > 5", {"s": "7.0"}, False, "cast"),
    ("NOT CAST(s AS INTEGER) > 5", {"s": "x"}, False, "cast"), ("CAST(s AS INTEGER) > 5", {"s": None}, None, ""),
    ("flag OR CAST(s AS INTEGER) > 5", {"s": "x", "flag": True}, True, ""),
    ("flag AND CAST(s AS INTEGER) > 5", {"s": "x", "flag": False}, False, ""),
    ("flag AND CAST(s AS INTEGER) > 5", {"s": "x", "flag": None}, False, "cast"),
    ("CAST(s AS INTEGER) IS NULL", {"s": "x"}, False, "cast"), ("CAST(s AS DATE) = born", {"s": "20260131", "born": date(2026, 1, 31)}, True, ""),
    ("CAST(s AS DATE) = born", {"s": "2026-02-29", "born": date(2026, 1, 31)}, False, "cast"),
    ("n // m = 1", {"n": 5, "m": 0}, False, "zero_division"), ("n // m = -2", {"n": -7, "m": 3}, True, ""),
    ("n // m = 1", {"n": None, "m": 0}, None, ""), ("n % m = 1", {"n": None, "m": 0}, None, ""),
    ("n % m = -1", {"n": -7, "m": 3}, True, ""), ("n + m > 0", {"n": 2**63 - 1, "m": 2**63 - 1}, True, ""),
    ("amount * 0.1 = 0.3", {"amount": Decimal("3.000000")}, True, ""), ("amount > 1", {"amount": Decimal("1e20")}, False, "out_of_range"),
    ("full_years(born, DATE '2026-02-28') >= 18", {"born": date(2008, 2, 29)}, False, ""),
    ("full_years(born, DATE '2026-03-01') >= 18", {"born": date(2008, 2, 29)}, True, ""),
    ("at >= TIMESTAMP '2026-01-01 00:00:00'", {"at": datetime(2025, 12, 31, 16, 0)}, True, ""),
    ("at >= TIMESTAMP '2026-01-01 00:00:00'", {"at": datetime(2026, 1, 1, tzinfo=timezone(timedelta(hours=8)))}, True, ""),
    ("CAST(at AS DATE) = born", {"at": datetime(2025, 12, 31, 16, 0), "born": date(2026, 1, 1)}, True, ""),
    ("n = 1", {"n": "1"}, False, "wrong_type"), ("n = 1", {"n": True}, False, "wrong_type"), ("n = 1", {}, None, ""),
    ("s LIKE '%a_!%%' ESCAPE '!'", {"s": "xxab%yy"}, True, ""), ("upper(s) = 'éA'", {"s": "éa"}, True, ""),
    ("right(s, 2) = '三四'", {"s": "一二三四"}, True, ""), ("s IS NOT DISTINCT FROM 姓名", {}, True, ""),
    ("coalesce(s, 'x') = 'x'", {}, True, ""), ("n BETWEEN 1 AND 3", {"n": 3}, True, ""), ("s IN ('a', 'b')", {"s": "c"}, False, ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "record", "value", "reason"), CASES)
def test_values_and_reasons(text: str, record: dict[str, object], value: object, reason: str) -> None:
    outcome = parse_expression(text, FIELDS).explain_value(record)
    assert (outcome.value, outcome.reason) == (value, reason)
