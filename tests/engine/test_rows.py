"""The row readers: pages in a stable order, originals of quarantine, raw bytes of rejects."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from yunhe.engine.checks import collect_keys, compile_rules, count_failures
from yunhe.engine.load import load_source
from yunhe.engine.rows import Rows, read_failing_keys, read_quarantine, read_rejected, read_snapshot
from yunhe.engine.types import Column, Limits, LoadResult, Rule, SourceSpec

SMALL = Limits(memory_mb=256, threads=2)
COLUMNS = (Column("id"), Column("n", "integer"), Column("at", "timestamp"))


@pytest.fixture
def loaded(tmp_path: Path) -> LoadResult:
    rows = [f"k{number},{number % 3 or ''},2024-01-0{1 + number % 9} 08:00:00.5" for number in range(20)]
    rows += ["d,1,", "d,2,", "bad,x,", "short", 'odd"s,\xff,,']
    path = tmp_path / "source.csv"
    path.write_bytes("\n".join(["id,n,at", *rows]).encode("latin-1"))
    spec = SourceSpec("csv", str(path), {"encoding": "utf-8"})
    return load_source(spec=spec, columns=COLUMNS, keys=("id",), work=tmp_path / "work", limits=SMALL)


def test_pages_follow_each_other(loaded: LoadResult) -> None:
    whole = read_snapshot(loaded.kept_files, COLUMNS, limits=SMALL)
    assert whole.total == len(whole.rows) == 20
    assert whole.columns == ("id", "n", "at")
    assert whole.rows[1] == ("k1", 1, "2024-01-02T00:00:00.500000Z")
    assert whole.rows[0][1] is None
    pages = [read_snapshot(loaded.kept_files, COLUMNS, offset=start, limit=7, limits=SMALL) for start in (0, 7, 14, 21)]
    assert sum((page.rows for page in pages), ()) == whole.rows


def test_order_filter_and_masked_expressions(loaded: LoadResult) -> None:
    page = read_snapshot(
        loaded.kept_files,
        [("id", "concat('*', right(id, 1))"), Column("n", "integer")],
        where_sql="n = 2",
        order=("-id",),
        limit=2,
        limits=SMALL,
    )
    assert page == Rows(("id", "n"), (("*8", 2), ("*5", 2)), 6)


def test_no_files_are_no_rows() -> None:
    assert read_snapshot((), COLUMNS, limits=SMALL) == Rows(("id", "n", "at"), (), 0)


def test_quarantine_shows_reasons_and_originals(loaded: LoadResult) -> None:
    assert loaded.quarantine_file is not None
    found = read_quarantine(loaded.quarantine_file)
    assert [(row.record, row.reasons, row.values["n"]) for row in found] == [
        (21, ("key_duplicate",), "1"),
        (22, ("key_duplicate",), "2"),
        (23, ("cast:n",), "x"),
    ]
    assert [row.record for row in read_quarantine(loaded.quarantine_file, reason="cast:n")] == [23]
    assert [row.record for row in read_quarantine(loaded.quarantine_file, offset=1, limit=1)] == [22]


def test_rejects_show_place_and_bytes(loaded: LoadResult, tmp_path: Path) -> None:
    assert loaded.rejected_file is not None
    found = read_rejected(loaded.rejected_file)
    assert [(row.record, row.reason, row.raw) for row in found] == [
        (24, "width", b"short"),
        (25, "encoding", b'odd"s,\xff,,'),
    ]
    data = (tmp_path / "source.csv").read_bytes()
    assert all(data[row.offset :].startswith(row.raw) for row in found)


def test_failing_keys_of_one_rule(tmp_path: Path) -> None:
    path = tmp_path / "keys.parquet"
    table = {"rule": ["a", "b", "a"], "reason": ["length", "", "old_form"], "record": [9, 1, 2], "id": ["x", "y", None]}
    pq.write_table(pa.table(table), path)
    found = read_failing_keys(path, "a")
    assert [(key.record, key.reason, key.keys) for key in found] == [
        (2, "old_form", {"id": None}),
        (9, "length", {"id": "x"}),
    ]
    assert read_failing_keys(path, "a' OR true --") == ()
    assert [key.record for key in read_failing_keys(path, "a", offset=1, limit=5)] == [9]


def test_failing_keys_of_every_rule(tmp_path: Path) -> None:
    path = tmp_path / "keys.parquet"
    table = {"rule": ["a", "b", "a"], "reason": ["length", "", "old_form"], "record": [9, 2, 2], "id": ["x", "y", None]}
    pq.write_table(pa.table(table), path)
    assert [(key.record, key.rule) for key in read_failing_keys(path, "")] == [(2, "a"), (2, "b"), (9, "a")]
    assert [(key.record, key.rule) for key in read_failing_keys(path, offset=1, limit=1)] == [(2, "b")]


def test_failing_keys_named_as_the_columns_of_the_file(tmp_path: Path) -> None:
    """What engine.checks writes for keys called rule, reason, record is read under their own names."""
    source, made = tmp_path / "rows.parquet", tmp_path / "keys.parquet"
    keys = ("rule", "reason", "record", "key_id")
    columns = tuple(Column(name) for name in (*keys, "must"))
    rows = {name: [f"{name}1", f"{name}2"] for name in keys} | {"must": [None, "x"], "_record": [1, 2]}
    pq.write_table(
        pa.table(rows, schema=pa.schema([*((c.name, pa.string()) for c in columns), ("_record", pa.int64())])), source
    )
    plan = compile_rules(
        rules=(Rule("must.required", "required", "completeness", "warn", ("must",), {}),), columns=columns, code_sets={}
    )
    counts = count_failures(files=[source], plan=plan, limits=SMALL)
    assert collect_keys(files=[source], plan=plan, counts=counts, keys=keys, destination=made, limits=SMALL) == 1
    for rule in ("", "must.required"):
        (found,) = read_failing_keys(made, rule)
        assert (found.rule, found.record) == ("must.required", 1)
        assert found.keys == {name: f"{name}1" for name in keys}
