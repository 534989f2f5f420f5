"""The serving file answers by key what the snapshot holds, whole or not at all."""

# ruff: noqa: DTZ001  (times without a zone are the subject)

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yunhe.engine.errors import DiskFull, ServingInvalid
from yunhe.engine.serving import ServingFile, build_serving
from yunhe.engine.types import Column, Limits

SMALL = Limits(memory_mb=256, threads=2)
COLUMNS = (
    Column("id"),
    Column("n", "integer"),
    Column("amount", "decimal", scale=2),
    Column("on_day", "date"),
    Column("at", "timestamp"),
    Column("yes", "boolean"),
)
SCHEMA = pa.schema(
    [
        ("_record", pa.int64()),
        ("id", pa.string()),
        ("n", pa.int64()),
        ("amount", pa.decimal128(38, 2)),
        ("on_day", pa.date32()),
        ("at", pa.timestamp("us", "UTC")),
        ("yes", pa.bool_()),
    ]
)
Row = dict[str, object]


def parquet(folder: Path, rows: list[Row]) -> Path:
    path = folder / "kept.parquet"
    pq.write_table(pa.Table.from_pylist([{"_record": n, **row} for n, row in enumerate(rows, 1)], SCHEMA), path)
    return path


def answered(row: Row) -> Row:
    at = row["at"]
    micros = "microseconds" if isinstance(at, dt.datetime) and at.microsecond else "seconds"
    return {
        **row,
        "amount": None if row["amount"] is None else str(row["amount"]),
        "on_day": None if row["on_day"] is None else str(row["on_day"]),
        "at": at.isoformat(timespec=micros).replace("+00:00", "Z") if isinstance(at, dt.datetime) else None,
    }


rows_of = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1, max_size=6),
            "n": st.none() | st.integers(-(2**63), 2**63 - 1),
            "amount": st.none() | st.decimals(-(10**9), 10**9, places=2),
            "on_day": st.none() | st.dates(dt.date(1000, 1, 1)),
            "at": st.none() | st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(9999, 1, 1), timezones=st.just(dt.UTC)),
            "yes": st.none() | st.booleans(),
        }
    ),
    max_size=20,
    unique_by=lambda row: row["id"],
)


@settings(max_examples=40)
@given(rows=rows_of)
def test_every_row_is_found_as_it_was_kept(rows: list[Row]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        built = build_serving(
            files=[parquet(folder, rows)], columns=COLUMNS, keys=("id",), destination=folder / "s.sqlite3", limits=SMALL
        )
        serving = ServingFile(folder / "s.sqlite3")
        assert built == serving.count() == len(rows)
        assert [serving.find({"id": row["id"]}) for row in rows] == [answered(row) for row in rows]
        assert serving.find({"id": "seven!!"}) is None
        serving.close()
        assert sorted(path.name for path in folder.iterdir()) == ["kept.parquet", "s.sqlite3"]


def small(folder: Path, keys: tuple[str, ...] = ("id",), *, name: str = "s.sqlite3") -> Path:
    rows: list[Row] = [
        {"id": one, "n": n, "amount": Decimal("1.50"), "on_day": None, "at": None, "yes": True}
        for one, n in (("a", 1), ("b", 2), ("a2", 1))
    ]
    build_serving(files=[parquet(folder, rows)], columns=COLUMNS, keys=keys, destination=folder / name, limits=SMALL)
    return folder / name


def test_a_key_of_two_columns(tmp_path: Path) -> None:
    serving = ServingFile(small(tmp_path, ("id", "n")))
    assert serving.keys == ("id", "n")
    found = serving.find({"n": "1", "id": "a2"})
    assert found is not None
    assert (found["id"], found["yes"], found["amount"]) == ("a2", True, "1.50")
    assert serving.find({"id": "a2", "n": 2}) is None
    for odd in ("x", 10**30, None, 1.5, "1; DROP TABLE record"):
        assert serving.find({"id": "a2", "n": odd}) is None
    for odd in ("\ud800", 5, None, b"a"):
        assert serving.find({"id": odd, "n": 1}) is None
    serving.close()


@pytest.mark.parametrize("keys", [{}, {"id": "a", "n": 1}, {"name": "a"}])
def test_other_keys_are_refused(tmp_path: Path, keys: dict[str, object]) -> None:
    serving = ServingFile(small(tmp_path))
    with pytest.raises(ServingInvalid):
        serving.find(keys)
    serving.close()


def test_a_repeated_key_is_refused_and_the_old_file_stays(tmp_path: Path) -> None:
    path = small(tmp_path)
    before = path.read_bytes()
    with pytest.raises(ServingInvalid, match="repeated key"):
        small(tmp_path, ("n",))
    assert path.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["kept.parquet", "s.sqlite3"]


def test_no_key_and_no_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ServingInvalid):
        build_serving(files=[], columns=COLUMNS, keys=(), destination=tmp_path / "x", limits=SMALL)
    for path in (tmp_path / "absent", tmp_path / "torn"):
        if path.name == "torn":
            path.write_bytes(b"SQLite format 3\0 and nothing more")
        with pytest.raises(ServingInvalid):
            ServingFile(path)


def test_an_empty_snapshot_serves_nothing(tmp_path: Path) -> None:
    build_serving(files=[], columns=COLUMNS, keys=("id",), destination=tmp_path / "x", limits=SMALL)
    serving = ServingFile(tmp_path / "x")
    assert (serving.count(), serving.find({"id": "a"})) == (0, None)
    serving.close()


def test_many_threads_read_one_file(tmp_path: Path) -> None:
    serving = ServingFile(small(tmp_path))

    def read(number: int) -> object:
        row = serving.find({"id": "ab"[number % 2]})
        return row and row["id"]

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, range(400))) == ["ab"[number % 2] for number in range(400)]
    serving.close()


def test_a_swap_is_seen_by_who_opens_next_and_not_by_who_has_it_open(tmp_path: Path) -> None:
    path = small(tmp_path)
    held = ServingFile(path)
    build_serving(files=[], columns=COLUMNS, keys=("id",), destination=path, limits=SMALL)
    fresh = ServingFile(path)
    assert held.find({"id": "a"}) is not None
    assert fresh.find({"id": "a"}) is None
    held.close()
    fresh.close()


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = small(tmp_path)
    before = path.read_bytes()

    def no_room(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_room)
    with pytest.raises(DiskFull):
        small(tmp_path, ("id", "n"))
    assert path.read_bytes() == before
