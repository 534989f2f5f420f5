"""The closure, the generated SQL and an independent evaluator agree on random expressions and rows."""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.soaking import amount
from yunhe.engine.duck import session
from yunhe.engine.expressions import ExpressionRefused, parse_expression
from yunhe.engine.types import Limits

FIELDS = {
    "n": "integer",
    "m": "integer",
    "s": "string",
    "t": "string",
    "x": "decimal",
    "d": "date",
    "e": "date",
    "f": "boolean",
}
ARROW = {"n": pa.int64(), "m": pa.int64(), "s": pa.string(), "t": pa.string(), "x": pa.decimal128(38, 6),
         "d": pa.date32(), "e": pa.date32(), "f": pa.bool_()}  # fmt: skip
FAULT = "fault!"

SMALL = ["", "a", "ab", "A%b", "a_b", "7", "-3", "007", " 7", "1.5", "2.250", "1e3", "0x1F", "true", "0", "2024-02-29",
         "2023-02-29", "20240229", "0000-01-01", "9999-12-31", "é", "一二", "👩‍👩", "'", "9" * 18, "9" * 19]  # fmt: skip
TEXT = st.one_of(st.sampled_from(SMALL), st.text(st.sampled_from("aAbB%_!é一👩0123 '-"), max_size=6))
WHOLE = st.one_of(st.integers(-9, 9), st.sampled_from([2**63 - 1, -(2**63), 10**18]))
MONEY = st.one_of(
    st.integers(-4000, 4000).map(lambda v: Decimal(v) / 1000),
    st.sampled_from([Decimal("1e12"), Decimal("9999999999999.999999"), Decimal("1e13")]),
)
DAYS = st.one_of(
    st.dates(date(1990, 1, 1), date(2030, 12, 31)),
    st.sampled_from([date(2024, 2, 29), date(1, 1, 1), date(9999, 12, 31)]),
)
ROWS = st.lists(st.fixed_dictionaries({
    "n": st.none() | WHOLE, "m": st.none() | WHOLE, "s": st.none() | TEXT, "t": st.none() | TEXT,
    "x": st.none() | MONEY, "d": st.none() | DAYS, "e": st.none() | DAYS, "f": st.none() | st.booleans(),
}), min_size=1, max_size=8)  # fmt: skip


def _trees() -> st.SearchStrategy[Any]:
    """Return random trees as nested tuples: (operator, parts…); the test's own form, not the code's."""
    text = st.sampled_from([("field", "s"), ("field", "t")]) | TEXT.map(lambda v: ("text", v))
    whole = st.sampled_from([("field", "n"), ("field", "m")]) | st.integers(0, 9).map(lambda v: ("number", Decimal(v)))
    money = st.just(("field", "x")) | st.sampled_from(["0.5", "1.25", "3.0"]).map(lambda v: ("number", Decimal(v)))
    days = st.sampled_from([("field", "d"), ("field", "e"), ("day", date(2024, 2, 29)), ("day", date(2000, 1, 1))])
    text2 = st.one_of(text, st.tuples(st.sampled_from(["upper", "lower", "trim"]), text), st.tuples(st.just("||"), text, text),
                      st.tuples(st.just("substr"), text), st.tuples(st.just("right"), text), st.tuples(st.just("coalesce"), text, text))  # fmt: skip
    whole2 = st.one_of(whole, st.tuples(st.sampled_from(["+", "-", "*", "//", "%"]), whole, whole), st.tuples(st.just("length"), text2),
                       st.tuples(st.sampled_from(["year", "month", "day of"]), days), st.tuples(st.just("full_years"), days, days),
                       st.tuples(st.just("days"), days, days), st.tuples(st.just("cast integer"), text2), st.tuples(st.just("coalesce"), whole, whole),
                       st.tuples(st.sampled_from(["abs", "minus"]), whole), st.tuples(st.sampled_from(["greatest", "least"]), whole, whole))  # fmt: skip
    money2 = st.one_of(
        money, st.tuples(st.sampled_from(["+", "-"]), money, money), st.tuples(st.just("cast decimal"), text2)
    )
    days2 = st.one_of(days, st.tuples(st.just("cast date"), text2))
    sign = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
    atoms = st.one_of(
        st.just(("field", "f")), st.tuples(sign, text2, text2), st.tuples(sign, whole2, whole2), st.tuples(sign, money2, whole2),
        st.tuples(sign, money2, money2), st.tuples(sign, days2, days2), st.tuples(st.just("is null"), st.one_of(text2, whole2, days2, money2)),
        st.tuples(st.sampled_from(["like", "like!"]), text2, st.text(st.sampled_from("aAb%_é一"), max_size=4)),
        st.tuples(st.sampled_from(["starts_with", "ends_with", "contains"]), text2, text), st.tuples(st.just("in"), text, TEXT, TEXT),
        st.tuples(st.just("same"), text2, text2), st.tuples(st.just("between"), whole2, whole, whole),
    )  # fmt: skip
    return st.recursive(atoms, lambda inner: st.one_of(
        st.tuples(st.sampled_from(["and", "or"]), inner, inner), st.tuples(st.just("not"), inner),
        st.tuples(st.just("case"), inner, inner, inner), st.tuples(st.just("is true"), inner)), max_leaves=6)  # fmt: skip


def _write(tree: Any) -> str:
    """Return the tree as the text an official would write."""
    op, *parts = tree
    if op == "field":
        return str(parts[0])
    if op == "text":
        return "'" + parts[0].replace("'", "''") + "'"
    if op == "number":
        return str(parts[0])
    if op == "day":
        return f"DATE '{parts[0]}'"
    if op in ("like", "like!"):
        pattern = parts[1] + ("!%" if op == "like!" else "")
        return f"({_write(parts[0])} LIKE '{pattern}'{' ESCAPE ' + repr('!') if op == 'like!' else ''})"
    if op == "in":
        return f"({_write(parts[0])} IN ({_write(('text', parts[1]))}, {_write(('text', parts[2]))}))"
    args = [_write(part) for part in parts]
    shapes = {
        "not": "(NOT {0})", "is null": "({0} IS NULL)", "is true": "({0} IS TRUE)", "case": "(CASE WHEN {0} THEN {1} ELSE {2} END)",
        "same": "({0} IS NOT DISTINCT FROM {1})", "between": "({0} BETWEEN {1} AND {2})", "minus": "(- {0})", "day of": "day({0})",
        "cast integer": "CAST({0} AS INTEGER)", "cast decimal": "CAST({0} AS DECIMAL(9, 3))", "cast date": "CAST({0} AS DATE)",
        "days": "date_diff('day', {0}, {1})", "substr": "substr({0}, 2, 3)", "right": "right({0}, 2)",
    }  # fmt: skip
    if op in shapes:
        return shapes[op].format(*args)
    return f"({args[0]} {op} {args[1]})" if op in _INFIX else f"{op}({', '.join(args)})"


_INFIX = {"and", "or", "=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "//", "%", "||"}


def _judge(tree: Any, row: dict[str, Any]) -> Any:  # noqa: C901 - an oracle is read from top to bottom
    """The oracle: a value, None for unknown, or FAULT; numbers are Decimals throughout."""
    op, *parts = tree
    if op == "field":
        value = row[parts[0]]
        if parts[0] == "x" and value is not None and abs(value) >= 10**13:
            return FAULT
        return Decimal(value) if isinstance(value, int) and not isinstance(value, bool) else value
    if op in ("text", "number", "day"):
        return parts[0]
    if op in ("like", "like!"):
        return _strict([_judge(parts[0], row)], lambda text: _like(text, parts[1], op == "like!"))
    if op == "in":
        return _strict([_judge(parts[0], row)], lambda text: text in parts[1:])
    if op == "case":
        test = _judge(parts[0], row)
        return FAULT if test is FAULT else _judge(parts[1] if test is True else parts[2], row)
    values = [_judge(part, row) for part in parts]
    if op in ("and", "or"):
        decisive = op == "or"
        return (
            decisive
            if any(v is decisive for v in values)
            else FAULT
            if FAULT in values
            else None
            if None in values
            else not decisive
        )
    if op == "between":
        low, high = (
            _strict([values[0], side], test)
            for side, test in ((values[1], lambda a, b: a >= b), (values[2], lambda a, b: a <= b))
        )
        return (
            False if False in (low, high) else FAULT if FAULT in (low, high) else None if None in (low, high) else True
        )
    if op == "coalesce":
        return values[1] if values[0] is None else values[0]
    if FAULT in values:
        return FAULT
    if op in ("is null", "is true", "same"):
        return (
            values[0] is None if op == "is null" else values[0] is True if op == "is true" else values[0] == values[1]
        )
    if op in ("greatest", "least"):
        known = [value for value in values if value is not None]
        return (max if op == "greatest" else min)(known) if known else None
    return _strict(values, _WORK[op])


def _strict(values: list[Any], work: Any) -> Any:
    return FAULT if FAULT in values else None if None in values else work(*values)


def _like(text: str, pattern: str, percent_at_end: bool) -> bool:
    if percent_at_end:
        return text.endswith("%") and _like(text[:-1], pattern, False)
    if not pattern:
        return not text
    if pattern[0] == "%":
        return any(_like(text[at:], pattern[1:], False) for at in range(len(text) + 1))
    return bool(text) and pattern[0] in ("_", text[0]) and _like(text[1:], pattern[1:], False)


def _ascii(text: str, low: str, high: str, shift: int) -> str:
    return "".join(chr(ord(c) + shift) if low <= c <= high else c for c in text)


def _whole(text: str) -> Any:
    digits = text.removeprefix("-")
    return Decimal(text) if 1 <= len(digits) <= 18 and all(c in "0123456789" for c in digits) else FAULT


def _decimal(text: str) -> Any:
    whole, dot, part = text.removeprefix("-").partition(".")
    good = (
        1 <= len(whole) <= 6
        and len(part) <= 3
        and all(c in "0123456789" for c in whole + part)
        and bool(part) == bool(dot)
    )
    return Decimal(text).quantize(Decimal("0.001"), ROUND_HALF_UP) if good else FAULT


def _date(text: str) -> Any:
    plain = text if len(text) == 8 else text.replace("-", "") if len(text) == 10 and text[4] == text[7] == "-" else ""
    if len(plain) != 8 or any(c not in "0123456789" for c in plain):
        return FAULT
    try:
        return date(int(plain[:4]), int(plain[4:6]), int(plain[6:]))
    except ValueError:
        return FAULT


def _divided(a: Decimal, b: Decimal) -> Any:
    return FAULT if b == 0 else Decimal((abs(int(a)) // abs(int(b))) * (1 if (a < 0) == (b < 0) else -1))


_WORK: dict[str, Any] = {
    "=": lambda a, b: a == b, "<>": lambda a, b: a != b, "<": lambda a, b: a < b, "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b, ">=": lambda a, b: a >= b, "not": lambda a: not a, "+": lambda a, b: Decimal(a) + b,
    "-": lambda a, b: a - b, "*": lambda a, b: Decimal(int(a) * int(b)), "//": _divided,
    "%": lambda a, b: FAULT if b == 0 else Decimal(int(a) - int(_divided(a, b)) * int(b)), "abs": abs, "minus": lambda a: -a,
    "||": lambda a, b: a + b, "upper": lambda a: _ascii(a, "a", "z", -32), "lower": lambda a: _ascii(a, "A", "Z", 32),
    "trim": lambda a: a.strip(" "), "substr": lambda a: a[1:4], "right": lambda a: a[-2:], "length": lambda a: Decimal(len(a)),
    "year": lambda a: Decimal(a.year), "month": lambda a: Decimal(a.month), "day of": lambda a: Decimal(a.day),
    "days": lambda a, b: Decimal(b.toordinal() - a.toordinal()), "cast integer": _whole, "cast decimal": _decimal, "cast date": _date,
    "full_years": lambda a, b: Decimal(b.year - a.year - (1 if b.timetuple()[1:3] < a.timetuple()[1:3] else 0)),
    "starts_with": lambda a, b: a[: len(b)] == b, "ends_with": lambda a, b: not b or a[-len(b) :] == b,
    "contains": lambda a, b: any(a[i : i + len(b)] == b for i in range(len(a) + 1)),
}  # fmt: skip


@settings(max_examples=amount(small=120, full=20_000), deadline=None, derandomize=True)
@given(trees=st.lists(_trees(), min_size=1, max_size=6), rows=ROWS)
@example(trees=[("=", ("field", "x"), ("//", ("field", "n"), ("number", Decimal(0))))], rows=[dict.fromkeys(ARROW)])
def test_closure_sql_and_oracle_agree(trees: list[Any], rows: list[dict[str, Any]]) -> None:
    parsed = []
    for tree in trees:
        try:
            parsed.append((tree, parse_expression(_write(tree), FIELDS)))
        except ExpressionRefused as refused:
            if refused.problem not in ("too_large", "literal"):
                raise
    if not parsed:
        return
    table = pa.table({name: pa.array([row[name] for row in rows], kind) for name, kind in ARROW.items()})
    wanted = ", ".join(f"{sql}" for _, e in parsed for sql in (e.to_sql(), e.to_fault_sql()))
    with session(limits=Limits(memory_mb=128, threads=1), temp=Path("/tmp")) as duck:
        duck.register("t", table)
        found = duck.run("agree", f"SELECT {wanted} FROM t")
    for row, answers in zip(rows, found, strict=True):
        for at, (tree, expression) in enumerate(parsed):
            judged = _judge(tree, row)
            expected = False if judged is FAULT else judged
            outcome = expression.explain_value(row)
            told = (_write(tree), row)
            assert outcome.value is expected and bool(outcome.reason) is (judged is FAULT), told
            assert answers[2 * at] is expected and answers[2 * at + 1] is (judged is FAULT), told
