"""The three fates of a record, counted again by a plain reader; what stops a load, and that it leaves nothing."""

from __future__ import annotations

import csv
import datetime as dt
import io
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yunhe.crypto import sm3
from yunhe.engine import load as load_module
from yunhe.engine.connectors import connector_kinds, find_connector
from yunhe.engine.errors import (
    ColumnMissing,
    ColumnsInvalid,
    DuplicateHeaders,
    EmptySource,
    HeaderUnreadable,
    LoadDoesNotReconcile,
    OptionInvalid,
    SourceMissing,
    SourceUnreadable,
    TooManyColumns,
    UnknownConnector,
    UnknownEncoding,
)
from yunhe.engine.load import load_source
from yunhe.engine.load.fates import repeated_marks
from yunhe.engine.receipt import sum_rows
from yunhe.engine.types import Column, Limits, LoadResult, SourceSpec
from yunhe.kernel.errors import YunheError

SMALL = Limits(memory_mb=256, threads=2)
PERSON = (Column("id"), Column("born", "date"), Column("height", "integer", null_marks=("N/A", "不详")))


def run(
    path: Path, columns: Sequence[Column] = PERSON, keys: Sequence[str] = ("id",), *, kind: str = "csv", **more
) -> LoadResult:  # type: ignore[no-untyped-def]
    options = more.pop("options", {})
    return load_source(
        spec=SourceSpec(kind, str(path), options),
        columns=columns,
        keys=keys,
        work=path.parent / "work",
        limits=SMALL,
        **more,
    )


def kept_rows(result: LoadResult) -> dict[int, dict[str, object]]:
    rows = [row for file in result.kept_files for row in pq.read_table(file).to_pylist()]
    return {row.pop("_record"): row for row in rows}


def quarantined_rows(result: LoadResult) -> dict[int, dict[str, object]]:
    rows = pq.read_table(result.quarantine_file).to_pylist() if result.quarantine_file else []
    return {row.pop("_record"): row for row in rows}


def rejected_rows(result: LoadResult) -> list[dict[str, object]]:
    return pq.read_table(result.rejected_file).to_pylist() if result.rejected_file else []


def write(tmp_path: Path, data: bytes | str) -> Path:
    path = tmp_path / "source.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return path


def test_every_fate_in_one_file(tmp_path: Path) -> None:
    lines = [
        b"id,born,height,extra",
        b"1,2000-01-02,170,x",  # 1 kept
        b"2,2000-02-30,170,x",  # 2 cast
        b",2000-01-02,170,x",  # 3 no key
        b"4,2000-01-02,1.5,x",  # 4 cast
        b"5,,N/A,x",  # 5 duplicate
        b"5,20000102,180,x",  # 6 duplicate
        b"7,2000-01-02,170",  # 7 width
        b"8,2000-01-02,\xff,x",  # 8 encoding
        b"9,2000-01-02,\0,x",  # 9 nul
        b'10,"2000-01-02"z,170,x',  # 10 stray quote
        b"",
        b'11,2000/1/2,\xe4\xb8\x8d\xe8\xaf\xa6,"two\nlines"',  # 11 kept
        b"12,2000-01-02,300,x",  # 12 block
        b"13,2000-01-02,,x",  # 13 kept
    ]
    path = write(tmp_path, b"\r\n".join(lines))
    result = run(path, blocks=(("tall", "height > 250"),), options={"encoding": "utf-8"})
    assert (result.rows_in, result.kept, result.quarantined, result.rejected) == (13, 3, 6, 4)
    assert sorted(kept_rows(result)) == [1, 11, 13]
    assert kept_rows(result)[11]["height"] is None
    assert {record: row["_reasons"] for record, row in quarantined_rows(result).items()} == {
        2: ["cast:born"],
        3: ["key_missing"],
        4: ["cast:height"],
        5: ["key_duplicate"],
        6: ["key_duplicate"],
        12: ["tall"],
    }
    assert quarantined_rows(result)[5] == {"_reasons": ["key_duplicate"], "id": "5", "born": "", "height": "N/A"}
    assert result.quarantine_reasons == {
        "cast:born": 1,
        "cast:height": 1,
        "key_duplicate": 2,
        "key_missing": 1,
        "tall": 1,
    }
    assert result.rejected_reasons == {"width": 1, "encoding": 1, "nul": 1, "stray_quote": 1}
    data = path.read_bytes()
    for row in rejected_rows(result):
        assert data[row["offset"] :].startswith(row["raw"])
        assert row["raw"] == lines[row["record"]]
    assert result.ignored_columns == ("extra",)
    assert result.receipt.rows == 9
    assert result.receipt.file_digest == sm3.hexdigest(data)
    assert sorted(file.name for file in (tmp_path / "work" / "load").iterdir()) == [
        "kept",
        "quarantine.parquet",
        "rejected.parquet",
    ]


cells = st.sampled_from(
    ["", "1", "2", "3", "x", "2020-01-01", "2020-13-01", "N/A", 'q"q', "a,b", "l\nl", "东", " 1", "1.5"]
)
rows_of_cells = st.lists(st.lists(cells, min_size=2, max_size=4), max_size=25)


@settings(max_examples=60)
@given(
    rows=rows_of_cells, codec=st.sampled_from(["utf-8", "utf-8-sig", "gb18030"]), ending=st.sampled_from(["\n", "\r\n"])
)
def test_fates_and_receipt_equal_those_of_a_plain_reader(rows: list[list[str]], codec: str, ending: str) -> None:
    import tempfile

    buffer = io.StringIO()
    csv.writer(buffer, lineterminator=ending).writerows([["id", "born", "height"], *rows])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "source.csv"
        path.write_bytes(buffer.getvalue().encode(codec))
        result = run(path)
        fates = plain_fates(rows)
        assert Counter(fates) == {
            name: count
            for name, count in (
                ("kept", result.kept),
                ("quarantined", result.quarantined),
                ("rejected", result.rejected),
            )
            if count
        }
        assert sorted(kept_rows(result)) == [number for number, fate in enumerate(fates, 1) if fate == "kept"]
        assert sorted(quarantined_rows(result)) == [
            number for number, fate in enumerate(fates, 1) if fate == "quarantined"
        ]
        readable = sum_rows(row for row in rows if len(row) == 3)
        assert (result.receipt.rows, result.receipt.digest) == (readable.rows, readable.digest())


def plain_fates(rows: list[list[str]]) -> list[str]:
    good_dates, good_heights = {"", "2020-01-01"}, {"", "N/A", "1", "2", "3"}
    keys = Counter(row[0] for row in rows if len(row) == 3)
    fates = []
    for row in rows:
        if len(row) != 3:
            fates.append("rejected")
        elif row[0] and keys[row[0]] == 1 and row[1] in good_dates and row[2] in good_heights:
            fates.append("kept")
        else:
            fates.append("quarantined")
    return fates


def test_typed_keys_that_are_equal_are_duplicates(tmp_path: Path) -> None:
    path = write(tmp_path, "a,b\n7,x\n007,x\n7,y\n8,x\n")
    result = run(path, (Column("a", "integer"), Column("b")), ("a", "b"))
    assert sorted(kept_rows(result)) == [3, 4]
    assert result.quarantine_reasons == {"key_duplicate": 2}


def test_further_unique_columns_quarantine_all_that_share_a_value(tmp_path: Path) -> None:
    path = write(tmp_path, "id,a,b\n1,x,1\n2,x,01\n3,x,2\n4,,1\n5,,1\n5,y,1\n")
    columns = (Column("id"), Column("a"), Column("b", "integer"))
    result = run(path, columns, uniques=(("pair", ("a", "b")), ("b_once", ("b",)), ("never", ("id", "a"))))
    assert sorted(kept_rows(result)) == [3]
    assert {record: row["_reasons"] for record, row in quarantined_rows(result).items()} == {
        1: ["pair", "b_once"],
        2: ["pair", "b_once"],
        4: ["b_once"],
        5: ["key_duplicate", "b_once"],
        6: ["key_duplicate", "b_once"],
    }


def test_without_keys_nothing_is_a_duplicate(tmp_path: Path) -> None:
    assert run(write(tmp_path, "a\n1\n1\n"), (Column("a"),), ()).kept == 2


def test_two_columns_may_read_one_source_column(tmp_path: Path) -> None:
    result = run(
        write(tmp_path, "n\n5\nx\n"), (Column("text", source="n"), Column("number", "integer", source="n")), ()
    )
    assert kept_rows(result) == {1: {"text": "5", "number": 5}}


def test_a_header_without_records_is_a_load_of_nothing(tmp_path: Path) -> None:
    result = run(write(tmp_path, "id,born,height\n"))
    assert (result.rows_in, result.kept_files, result.quarantine_file, result.rejected_file) == (0, (), None, None)


def test_all_records_rejected_and_all_quarantined(tmp_path: Path) -> None:
    assert run(write(tmp_path, "id,born,height\n1\n2\n")).rejected == 2
    result = run(write(tmp_path, "id,born,height\n1,x,1\n1,x,1\n"))
    assert (result.quarantined, result.kept_files) == (2, ())


def test_gb18030_with_one_bad_record_is_still_gb18030(tmp_path: Path) -> None:
    lines = ["id,born,height".encode("gb18030"), "县,,".encode("gb18030"), b"\x81,,", "镇,,".encode("gb18030")]
    result = run(write(tmp_path, b"\n".join(lines)))
    assert (result.encoding, result.kept, result.rejected_reasons) == ("gb18030", 2, {"encoding": 1})
    assert rejected_rows(result)[0]["raw"] == b"\x81,,"


def test_utf8_with_one_bad_record_stays_utf8(tmp_path: Path) -> None:
    data = "id,born,height\n县镇,,\n乡镇村,,\n".encode() + b"\xff\xfe,,\n" + "县,,\n".encode()
    result = run(write(tmp_path, data))
    assert (result.encoding, result.kept, result.rejected) == ("utf-8", 3, 1)


def test_bad_bytes_behind_the_first_block_start_the_reading_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from yunhe.engine.connectors.csv import blocks, encoding

    monkeypatch.setattr(blocks, "BLOCK_BYTES", 64)
    monkeypatch.setattr(encoding, "BLOCK_BYTES", 64)
    ascii_part = "id,born,height\n" + "".join(f"{number},,\n" for number in range(50))
    result = run(write(tmp_path, ascii_part.encode() + b"1\n" + "县镇,,\n乡镇,,\n".encode("gb18030")))
    assert (result.encoding, result.kept, result.rejected) == ("gb18030", 52, 1)


BROKEN: list[tuple[bytes, type[YunheError], str]] = [
    (b"", EmptySource, "empty"),
    (b"\xef\xbb\xbf", EmptySource, "empty"),
    (b"\n\r\n", EmptySource, "empty"),
    (b"id,born,height,id\n1,,,\n", DuplicateHeaders, "id"),
    (b"id,born\n1,\n", ColumnMissing, "height"),
    (b'id,"born,height\n1,,\n', HeaderUnreadable, "header"),
    (b"id,b\0rn,height\n1,,\n", HeaderUnreadable, "nul"),
    (b"id,born,\xff\n1,,\n", HeaderUnreadable, "encoding"),
    (",".join(f"c{n}" for n in range(10_000)).encode() + b"\n", TooManyColumns, "4096"),
    ("id,born,height\n".encode("utf-16"), UnknownEncoding, "UTF-16"),
]


@pytest.mark.parametrize(
    ("data", "error", "words"), BROKEN, ids=[f"{e.__name__}-{n}" for n, (_, e, _) in enumerate(BROKEN)]
)
def test_a_broken_source_says_what_and_leaves_nothing(
    tmp_path: Path, data: bytes, error: type[YunheError], words: str
) -> None:
    path = write(tmp_path, data)
    with pytest.raises(error) as caught:
        run(path)
    assert words in caught.value.say("en")
    assert str(path) in caught.value.say("zh")
    assert not (tmp_path / "work" / "load").exists()


def test_more_ways_to_be_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "id,born,height\n")
    with pytest.raises(SourceMissing):
        run(tmp_path / "absent.csv")
    with pytest.raises(SourceMissing):
        run(Path("a\0b"))
    with pytest.raises(UnknownConnector):
        run(path, kind="fax")
    with pytest.raises(UnknownEncoding):
        run(path, options={"encoding": "big5"})
    with pytest.raises(OptionInvalid):
        run(path, options={"delimiter": '"'})
    with pytest.raises(OptionInvalid):
        run(path, options={"colour": "red"})
    for columns, keys in (
        ((), ()),
        ((Column("_record"),), ()),
        ((Column("a"), Column("A")), ()),
        ((Column("id"),), ("x",)),
        ((Column("id", "decimal", scale=38),), ()),
        ((Column("id", "blob"),), ()),
    ):  # type: ignore[arg-type]
        with pytest.raises(ColumnsInvalid):
            run(path, columns, keys)


def test_a_parser_that_loses_a_record_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from yunhe.engine.connectors.csv import blocks

    honest = blocks.arrow_csv.read_csv
    monkeypatch.setattr(blocks.arrow_csv, "read_csv", lambda *given: honest(*given).slice(1))
    with pytest.raises(LoadDoesNotReconcile):
        run(write(tmp_path, "id,born,height\n1,,\n2,,\n"))
    assert not (tmp_path / "work" / "load").exists()


def test_a_kept_file_that_loses_a_row_is_found_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = load_module._rows
    monkeypatch.setattr(load_module, "_rows", lambda file: max(0, honest(file) - 1))
    with pytest.raises(LoadDoesNotReconcile):
        run(write(tmp_path, "id,born,height\n1,,\n2,,\n"))


class Stopped(Exception):
    pass


@pytest.mark.parametrize("after", [1, 2, 3])
def test_a_cancelled_load_leaves_nothing(tmp_path: Path, after: int) -> None:
    calls = iter(range(100))

    def check() -> None:
        if next(calls) >= after - 1:
            raise Stopped

    with pytest.raises(Stopped):
        run(write(tmp_path, "id,born,height\n1,,\n1,,\n"), check=check)
    assert not (tmp_path / "work" / "load").exists()


def test_repeated_marks_in_one_pass_and_in_many(tmp_path: Path) -> None:
    import random

    import numpy as np

    source = random.Random(5)
    marks = [source.getrandbits(64) for _ in range(2000)]
    marks += source.sample(marks, 150) + source.sample(marks, 20)
    files = [tmp_path / "a", tmp_path / "b", tmp_path / "empty"]
    np.array(marks[:700], np.uint64).tofile(files[0])
    np.array(marks[700:], np.uint64).tofile(files[1])
    files[2].touch()
    expected = sorted(mark for mark, count in Counter(marks).items() if count > 1)
    assert sorted(repeated_marks(files).tolist()) == expected
    assert sorted(repeated_marks(files, at_once=128).tolist()) == expected


def test_connectors_are_the_folders() -> None:
    assert {"csv", "parquet"} <= set(connector_kinds())
    assert find_connector("csv").kind == "csv"


def test_probe_counts_what_a_sample_holds_and_shows_no_value(tmp_path: Path) -> None:
    path = write(tmp_path, "编号;日期;数\n0012;2020-01-01;1\n0013;20200102;x\n;;2\n")
    shape = find_connector("csv").probe(SourceSpec("csv", str(path)), limits=SMALL)
    assert (shape.columns, shape.delimiter, shape.encoding) == (("编号", "日期", "数"), ";", "utf-8")
    number, day, count = shape.profiles
    assert (number.filled, number.distinct, number.forms["leading_zero"], number.fits["integer"]) == (2, 2, 2, 2)
    assert (day.fits["date"], day.sampled) == (2, 3)
    assert (count.fits["integer"], count.filled) == (2, 3)
    assert "0012" not in repr(shape)


# --- Parquet


def parquet(tmp_path: Path, **columns: pa.Array) -> Path:
    path = tmp_path / "source.parquet"
    pq.write_table(pa.table(columns), path, row_group_size=3)
    return path


def test_parquet_and_csv_of_the_same_rows_have_one_receipt(tmp_path: Path) -> None:
    path = parquet(
        tmp_path,
        id=pa.array(["1", "2", "3", "3"]),
        born=pa.array([dt.date(2000, 1, 2), None, dt.date(1, 1, 1), None]),
        height=pa.array([170.0, None, 180.0, 1.5]),
    )
    csv_path = write(tmp_path, "id,born,height\n1,2000-01-02,170\n2,,\n3,0001-01-01,180\n3,,1.5\n")
    columns = (*PERSON[:2], Column("height", "decimal", scale=1))
    first, second = run(path, columns, kind="parquet"), run(csv_path, columns)
    assert first.receipt.digest == second.receipt.digest
    assert (
        (first.rows_in, first.kept, first.quarantined) == (second.rows_in, second.kept, second.quarantined) == (4, 2, 2)
    )


def test_parquet_rows_keep_their_numbers(tmp_path: Path) -> None:
    path = parquet(
        tmp_path,
        id=pa.array([str(n) for n in range(1000)]),
        born=pa.nulls(1000, pa.string()),
        height=pa.array(range(1000)),
    )
    result = run(path, kind="parquet")
    assert all(row["id"] == str(record - 1) for record, row in kept_rows(result).items())


def test_parquet_that_cannot_be_read(tmp_path: Path) -> None:
    path = write(tmp_path, b"PAR1 no")
    with pytest.raises(SourceUnreadable):
        run(path, kind="parquet")
    nested = parquet(tmp_path, id=pa.array([[1]]), born=pa.array([""]), height=pa.array([1]))
    with pytest.raises(SourceUnreadable, match="id"):
        run(nested, kind="parquet")
    broken = pa.Array.from_buffers(pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\x01\0\0\0"), pa.py_buffer(b"\xff")])
    with pytest.raises(SourceUnreadable):
        run(parquet(tmp_path, id=broken, born=pa.array([""]), height=pa.array([1])), kind="parquet")
    assert not (tmp_path / "work" / "load").exists()


# --- Real files of the data folder, where it is

DATA = Path(os.environ.get("YUNHE_TEST_DATA") or Path(__file__).parents[3] / "shared" / "data")


@pytest.mark.skipif(not DATA.is_dir(), reason="the folder of real files is not here (YUNHE_TEST_DATA)")
@pytest.mark.parametrize(
    "name",
    [
        "enterprise/yancheng_enterprises_sample.csv",
        "institutions/hospitals_fever_clinics_2020.csv",
        "institutions/universities_moe.csv",
    ],
)
def test_real_csv_files_are_counted_as_python_counts_them(tmp_path: Path, name: str) -> None:
    text = (DATA / name).read_bytes().decode("utf-8-sig")
    header, *rows = list(csv.reader(io.StringIO(text, newline="")))
    columns = tuple(Column(f"c{index}", source=source.strip()) for index, source in enumerate(header) if source.strip())
    result = load_source(
        spec=SourceSpec("csv", str(DATA / name)), columns=columns, keys=(), work=tmp_path, limits=SMALL
    )
    even = [row for row in rows if len(row) == len(header)]
    assert (result.rows_in, result.kept) == (sum(bool(row) for row in rows), len(even))
    picked = [index for index, source in enumerate(header) if source.strip()]
    assert result.receipt.digest == sum_rows([row[index] for index in picked] for row in even).digest()
