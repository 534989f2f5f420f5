"""The receipt: order-free, aware of duplicates, the same in SQL, in Python and by the documented formula."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yunhe.crypto import sm3
from yunhe.engine.duck import Session, session
from yunhe.engine.receipt import ReceiptSum, canonical_row, sum_rows, sums_sql
from yunhe.engine.types import Limits

HIGH = 24006937042647818165
LOW = 6482957657398131684
DIGEST = "ec670e7376294a005cb3f8cefebcde445fa0b9b82dc2a7901c1510bc4b6f8b88"

texts = st.text(st.sampled_from("a0,:\x1e\x1f\n东 "), max_size=5)
tables = st.lists(st.tuples(texts, texts, texts), max_size=12)


@pytest.fixture(scope="module")
def duck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with session(limits=Limits(threads=1), temp=tmp_path_factory.mktemp("spill")) as opened:
        yield opened


def in_sql(duck: Session, rows: list[tuple[str, str, str]], *, plain: bool) -> ReceiptSum:
    columns = zip(*rows, strict=True) if rows else ((), (), ())
    table = pa.table([pa.array(column, pa.string()) for column in columns], names=["x", "y", "z"])
    duck.register("given", table)
    count, high, low = duck.run("receipt", sums_sql(["x", "y", "z"], "given", plain=plain))[0]
    duck.unregister("given")
    return ReceiptSum(count, int(high or 0), int(low or 0))


@settings(max_examples=80)
@given(rows=tables)
def test_sql_and_python_agree(duck: Session, rows: list[tuple[str, str, str]]) -> None:
    assert in_sql(duck, rows, plain=False) == sum_rows(rows)


@settings(max_examples=80)
@given(rows=tables)
def test_the_short_form_is_the_same_where_nothing_needs_escaping(
    duck: Session, rows: list[tuple[str, str, str]]
) -> None:
    clean = [tuple(text.replace("\x1e", "").replace("\x1f", "") for text in row) for row in rows]
    assert in_sql(duck, clean, plain=True) == in_sql(duck, clean, plain=False)  # type: ignore[arg-type]


@given(rows=tables, data=st.data())
def test_order_does_not_matter_and_parts_add_up(rows: list[tuple[str, str, str]], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(rows))
    cut = data.draw(st.integers(0, len(rows)))
    parts = sum_rows(shuffled[:cut])
    parts.add(sum_rows(shuffled[cut:]))
    assert parts == sum_rows(rows)


@given(rows=st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=6))
def test_a_record_more_or_twice_changes_the_digest(rows: list[tuple[str, str, str]]) -> None:
    assert sum_rows(rows).digest() != sum_rows([*rows, rows[0]]).digest()
    assert sum_rows([*rows, rows[0]]).digest() != sum_rows([*rows, rows[0], rows[0]]).digest()


@settings(max_examples=300)
@given(first=st.lists(texts, min_size=1, max_size=4), second=st.lists(texts, min_size=1, max_size=4))
def test_different_records_have_different_forms(first: list[str], second: list[str]) -> None:
    assert (canonical_row(first) == canonical_row(second)) == (first == second)


def test_null_is_the_empty_text() -> None:
    assert canonical_row(["a", None, ""]) == canonical_row(["a", "", None]) == b"a\x1f\x1f"


def test_the_worked_example_of_the_documentation() -> None:
    """docs/receipt.md shows these numbers; computed here without the engine's own functions."""
    rows = [b"1\x1f\xe7\x9b\x90\xe5\x9f\x8e\x1f", b"2\x1f\x1f2020-01-01"]
    marks = [hashlib.md5(row, usedforsecurity=False).digest() for row in rows]
    low = sum(int.from_bytes(mark[:8], "little") for mark in marks)
    high = sum(int.from_bytes(mark[8:], "little") for mark in marks)
    sums = sum_rows([("1", "盐城", None), ("2", "", "2020-01-01")])
    assert (sums.rows, sums.high, sums.low) == (2, high, low)
    assert (high, low) == (HIGH, LOW)
    assert sums.digest() == sm3.hexdigest(f"yunhe-rows-1\n2\n{high}\n{low}\n".encode()) == DIGEST


def test_the_formula_given_to_postgresql_reads_the_same_numbers(duck: Session) -> None:
    """The hexadecimal pairs are turned around as docs/receipt.md says; the text form of MD5 is everywhere the same."""
    turned = " || ".join(f"substr(m, {place}, 2)" for place in range(15, 0, -2))
    both = f"CAST(('0x' || {turned}) AS UBIGINT), md5_number(t) & 18446744073709551615"
    sql = f"SELECT {both} FROM (SELECT md5('a') m, 'a' t)"
    assert len(set(duck.run("turned", sql)[0])) == 1
