"""Iceberg tables: one commit is one snapshot, older ones stay readable, sweeps take what nothing needs."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.databases import fresh_database
from yunhe.engine.duck import session
from yunhe.engine.errors import CommitConflict, DiskFull, SnapshotMissing, TableMissing
from yunhe.engine.load import load_source
from yunhe.engine.rows import read_snapshot
from yunhe.engine.tables import Lake, Snapshot, open_lake, table_name
from yunhe.engine.types import Column, Limits, SourceSpec

SMALL = Limits(memory_mb=256, threads=1)
COLUMNS = (
    Column("id"),
    Column("n", "integer"),
    Column("amount", "decimal", scale=2),
    Column("on_day", "date"),
    Column("at", "timestamp"),
    Column("yes", "boolean"),
    Column("名称"),
)


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    with open_lake(tmp_path / "lake") as opened:
        yield opened


def kept(tmp_path: Path, *ids: str, columns: tuple[Column, ...] = COLUMNS) -> tuple[Path, ...]:
    path = tmp_path / "source.csv"
    row = ",7,12.50,2020-02-29,2020-02-29 08:00:00,是,盐城"
    header = ",".join(column.name for column in columns)
    rows = [",".join((one + row).split(",")[: len(columns)]) for one in ids]
    path.write_text("\n".join([header, *rows]), encoding="utf-8")
    work = tmp_path / "work" / "-".join(ids)
    return load_source(
        spec=SourceSpec("csv", str(path)), columns=columns, keys=("id",), work=work, limits=SMALL
    ).kept_files


def ids(lake: Lake, snapshot: int, name: str = "t/1") -> list[object]:
    page = read_snapshot(lake.files(name, snapshot), [Column("id")], limits=SMALL)
    return sorted(row[0] for row in page.rows)


def test_replace_is_one_step_and_older_snapshots_stay(lake: Lake, tmp_path: Path) -> None:
    lake.ensure_table("t/1", COLUMNS)
    first = lake.commit("t/1", kept(tmp_path, "a", "b"), summary={"yunhe.load": "1"})
    second = lake.commit("t/1", kept(tmp_path, "c"))
    third = lake.commit("t/1", kept(tmp_path, "d"), replace=False)
    assert [ids(lake, snapshot) for snapshot in (first, second, third)] == [["a", "b"], ["c"], ["c", "d"]]
    by_id = {snapshot.id: snapshot for snapshot in lake.snapshots("t/1")}
    assert by_id[first].summary["yunhe.load"] == "1"
    assert by_id[first].committed_at <= by_id[third].committed_at


def test_the_table_is_iceberg_for_others(lake: Lake, tmp_path: Path) -> None:
    lake.ensure_table("t/1", COLUMNS)
    lake.commit("t/1", kept(tmp_path, "a"))
    rows = lake._load("t/1").scan().to_arrow().to_pylist()
    row = rows[0]
    assert (row["id"], row["n"], str(row["amount"]), str(row["on_day"]), row["yes"], row["名称"], row["_record"]) == (
        "a",
        7,
        "12.50",
        "2020-02-29",
        True,
        "盐城",
        1,
    )
    assert row["at"].isoformat() == "2020-02-29T00:00:00+00:00"


def test_an_empty_replacement_empties_the_table(lake: Lake, tmp_path: Path) -> None:
    lake.ensure_table("t/1", COLUMNS)
    nothing = lake.commit("t/1", ())
    first = lake.commit("t/1", kept(tmp_path, "a"))
    emptied = lake.commit("t/1", ())
    assert [lake.files("t/1", nothing), lake.files("t/1", emptied)] == [(), ()]
    assert ids(lake, first) == ["a"]


def test_missing_things_are_named(lake: Lake) -> None:
    with pytest.raises(TableMissing, match="nowhere"):
        lake.snapshots("nowhere")
    lake.ensure_table("t/1", COLUMNS)
    with pytest.raises(SnapshotMissing):
        lake.files("t/1", 42)


def test_a_schema_that_changes_leaves_old_snapshots_as_they_were(lake: Lake, tmp_path: Path) -> None:
    lake.ensure_table("t/1", COLUMNS[:2])
    first = lake.commit("t/1", kept(tmp_path, "a", columns=COLUMNS[:2]))
    changed = (Column("id"), Column("n"), Column("amount", "decimal", scale=2))
    lake.ensure_table("t/1", changed)
    second = lake.commit("t/1", kept(tmp_path, "b", columns=changed))
    lake.ensure_table("t/1", changed)
    assert lake._load("t/1").scan().to_arrow().to_pylist() == [
        {"_record": 1, "id": "b", "n": "7", "amount": pytest.approx(12.5)}
    ]
    old = read_snapshot(lake.files("t/1", first), [Column("id"), Column("n", "integer")], limits=SMALL)
    assert old.rows == (("a", 7),)
    assert ids(lake, second) == ["b"]


def test_sweep_keeps_what_is_named_and_nothing_else(lake: Lake, tmp_path: Path) -> None:
    lake.ensure_table("t/1", COLUMNS)
    snapshots = [lake.commit("t/1", kept(tmp_path, one)) for one in "abcd"]
    stray = tmp_path / "lake" / "tables" / table_name("t/1") / "data" / "left-by-a-killed-commit.parquet"
    stray.write_bytes(b"x" * 10)
    swept = lake.sweep("t/1", {snapshots[1], snapshots[2]})
    assert swept.files >= 3
    assert not stray.exists()
    assert [ids(lake, snapshots[1]), ids(lake, snapshots[2])] == [["b"], ["c"]]
    assert {snapshot.id for snapshot in lake.snapshots("t/1")} == {snapshots[1], snapshots[2]}
    for gone in (snapshots[0], snapshots[3]):
        with pytest.raises(SnapshotMissing):
            lake.files("t/1", gone)
    assert lake.sweep("t/1", {snapshots[1], snapshots[2]}) == type(swept)(0, 0, 0)
    later = lake.commit("t/1", kept(tmp_path, "e"))
    assert ids(lake, later) == ["e"]
    lake.sweep("t/1", set())
    assert list((tmp_path / "lake" / "tables").rglob("data/*.parquet")) == []


def test_what_to_keep_is_asked_while_no_commit_can_come_between(lake: Lake, tmp_path: Path) -> None:
    lake.ensure_table("t/1", COLUMNS)
    old = lake.commit("t/1", kept(tmp_path, "a"), summary={"load": "A"})
    late: list[int] = []
    committing = threading.Thread(target=lambda: late.append(lake.commit("t/1", kept(tmp_path, "b"))))

    def keep(snapshots: tuple[Snapshot, ...]) -> set[int]:
        assert [one.id for one in snapshots if one.summary.get("load") == "A"] == [old]
        committing.start()
        committing.join(0.2)
        assert late == []
        return {old}

    assert lake.sweep("t/1", keep).snapshots == 0
    committing.join()
    assert [ids(lake, old), ids(lake, late[0])] == [["a"], ["b"]]


def test_a_held_table_does_not_change(lake: Lake, tmp_path: Path) -> None:
    lake.ensure_table("t/1", COLUMNS)
    first = lake.commit("t/1", kept(tmp_path, "a"))
    sweeping = threading.Thread(target=lambda: lake.sweep("t/1", set()))
    with lake.holding("t/1") as snapshots:
        sweeping.start()
        sweeping.join(0.2)
        assert [one.id for one in snapshots] == [first]
        assert ids(lake, first) == ["a"]
    sweeping.join()
    with pytest.raises(SnapshotMissing):
        lake.files("t/1", first)


def test_an_empty_table_is_swept_once(lake: Lake, tmp_path: Path) -> None:
    lake.ensure_table("t/1", COLUMNS)
    lake.commit("t/1", kept(tmp_path, "a"))
    assert lake.sweep("t/1", set()).snapshots >= 1
    assert len(lake.snapshots("t/1")) == 1
    again = lake.sweep("t/1", set())
    assert (again.snapshots, again.files) == (0, 0)


def test_two_commits_at_once_are_both_whole(lake: Lake, tmp_path: Path) -> None:
    lake.ensure_table("t/1", COLUMNS)
    batches = [kept(tmp_path, f"x{number}") for number in range(6)]

    def commit(files: tuple[Path, ...]) -> int:
        with open_lake(tmp_path / "lake") as own:
            return own.commit("t/1", files)

    with ThreadPoolExecutor(3) as pool:
        snapshots = list(pool.map(commit, batches))
    assert [ids(lake, snapshot) for snapshot in snapshots] == [[f"x{number}"] for number in range(6)]


def test_a_commit_that_lost_the_race_leaves_no_file(
    lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another host does not see our lock: the catalogue itself must refuse."""
    lake.ensure_table("t/1", COLUMNS)
    first = lake.commit("t/1", kept(tmp_path, "a"))
    stale = lake._load("t/1")
    second = lake.commit("t/1", kept(tmp_path, "b"))
    monkeypatch.setattr(lake, "_load", lambda _: stale)
    with pytest.raises(CommitConflict):
        lake.commit("t/1", kept(tmp_path, "c"))
    monkeypatch.undo()
    assert [ids(lake, first), ids(lake, second)] == [["a"], ["b"]]
    assert len(list((tmp_path / "lake" / "tables").rglob("data/*.parquet"))) == 2


def test_a_full_disk_at_commit_changes_nothing(lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.ensure_table("t/1", COLUMNS)
    first = lake.commit("t/1", kept(tmp_path, "a"))
    files = kept(tmp_path, "b")

    def no_room(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_room)
    with pytest.raises(DiskFull):
        lake.commit("t/1", files)
    monkeypatch.undo()
    assert [snapshot.id for snapshot in lake.snapshots("t/1")] == [first]
    assert len(list((tmp_path / "lake" / "tables").rglob("data/*.parquet"))) == 1


@given(codes=st.lists(st.text(max_size=12), unique=True, max_size=6))
def test_table_names_are_safe_and_never_shared(codes: list[str]) -> None:
    names = [table_name(code.encode("utf-8", "replace").decode()) for code in codes]
    assert all(name.isascii() and name.replace("_", "").isalnum() and name.islower() for name in names)
    assert len(set(names)) == len({code.encode("utf-8", "replace") for code in codes})


def test_kept_files_are_zstd(tmp_path: Path) -> None:
    metadata = pq.read_metadata(kept(tmp_path, "a")[0])
    assert {metadata.row_group(0).column(index).compression for index in range(metadata.num_columns)} == {"ZSTD"}


@pytest.fixture
def empty_database() -> Iterator[str]:
    """The address of a database of the test's own in PostgreSQL."""
    with fresh_database("lake") as address:
        yield address.replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.mark.service
def test_the_catalogue_in_postgresql(tmp_path: Path, empty_database: str) -> None:
    with open_lake(tmp_path / "lake", empty_database) as opened:
        opened.ensure_table("t/1", COLUMNS)
        first = opened.commit("t/1", kept(tmp_path, "a"))
        second = opened.commit("t/1", kept(tmp_path, "b"))
        assert [ids(opened, snapshot) for snapshot in (first, second)] == [["a"], ["b"]]


def test_a_failing_step_carries_no_row(tmp_path: Path) -> None:
    from yunhe.engine.errors import QueryFailed

    with session(limits=SMALL, temp=tmp_path / "s", snapshot="9") as duck, pytest.raises(QueryFailed) as caught:
        duck.run("broken", "SELECT CAST('secret-320102199001011234' AS INTEGER) FROM (SELECT 1)")
    assert "secret" not in caught.value.say("zh")
    assert caught.value.facts["step"] == "broken"
    assert caught.value.facts["snapshot"] == "9"


def test_a_step_beyond_its_time_is_interrupted(tmp_path: Path) -> None:
    from yunhe.engine.errors import QueryInterrupted

    limits = Limits(memory_mb=256, threads=1, seconds=0.2)
    with session(limits=limits, temp=tmp_path / "s") as duck, pytest.raises(QueryInterrupted):
        duck.run("endless", "SELECT count(*) FROM range(10000000) a, range(100000) b WHERE (a.range * b.range) % 7 = 3")
