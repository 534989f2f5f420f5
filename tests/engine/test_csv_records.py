"""The record scanner against a plain character-by-character reader, and the parser against both."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from yunhe.engine.connectors.csv import blocks, encoding, records
from yunhe.engine.connectors.csv.header import choose_delimiter, split_record

COMMA = ord(",")

Found = list[tuple[bytes, int, str]]


def plain_records(data: bytes, width: int | None) -> Found:
    """Read records one byte at a time: (raw bytes, start, reason). The rules are those of records.py."""
    found: Found = []
    place = 0
    while place < len(data):
        end, fields, reason = plain_record(data, place)
        raw = data[place:end]
        if raw:
            if b"\0" in raw:
                reason = "nul"
            elif not reason and width is not None and fields != width:
                reason = "width"
            found.append((raw, place, reason))
        place = end + 1
    return found


def plain_record(data: bytes, start: int) -> tuple[int, int, str]:
    line_end = start
    while line_end < len(data) and data[line_end] not in b"\r\n":
        line_end += 1
    state, fields, place = "field", 1, start
    while place < len(data):
        byte = data[place : place + 1]
        if state == "quoted":
            if byte == b'"':
                state = "closed"
        elif state == "closed" and byte == b'"':
            state = "quoted"
        elif byte in (b"\r", b"\n"):
            return place, fields, ""
        elif byte == b",":
            state, fields = "field", fields + 1
        elif state == "closed":
            return line_end, fields, "stray_quote"
        elif state == "field" and byte == b'"':
            state = "quoted"
        else:
            state = "plain"
        place += 1
    return (line_end, fields, "unclosed_quote") if state == "quoted" else (len(data), fields, "")


def scanned(data: bytes, width: int | None) -> Found:
    scan = records.scan_block(data, delimiter=COMMA, width=width, final=True)
    return [
        (data[start:end], int(start), records.REASONS[reason])
        for start, end, reason in zip(scan.starts, scan.ends, scan.reasons, strict=True)
    ]


pieces = st.sampled_from(
    [b"a", b"1", b",", b",", b'"', b'""', b"\n", b"\r\n", b"\r", b"\0", b" ", "县".encode(), b'",', b'\n"']
)
messy = st.lists(pieces, max_size=40).map(b"".join)


@settings(max_examples=600)
@given(data=messy, width=st.sampled_from([None, 1, 2, 3]))
def test_scanner_finds_the_records_a_plain_reader_finds(data: bytes, width: int | None) -> None:
    assert scanned(data, width) == plain_records(data, width)


@settings(max_examples=200)
@given(data=messy, span=st.integers(1, 9))
def test_scanner_agrees_with_itself_wherever_it_leaves_the_slow_way(data: bytes, span: int) -> None:
    usual = records._SLOW_SPAN
    records._SLOW_SPAN = span  # type: ignore[misc]
    try:
        assert scanned(data, 2) == plain_records(data, 2)
    finally:
        records._SLOW_SPAN = usual  # type: ignore[misc]


@settings(max_examples=200)
@given(data=messy)
def test_no_byte_but_line_ends_stands_outside_the_records(data: bytes) -> None:
    kept = bytearray(data)
    for raw, start, _ in scanned(data, None):
        kept[start : start + len(raw)] = b"\n" * len(raw)
    assert set(kept) <= {10, 13}


def in_blocks(
    path: Path, data: bytes, size: int, monkeypatch: pytest.MonkeyPatch, name: str = "utf-8"
) -> list[tuple[bytes, int, str]]:
    path.write_bytes(b"a,b\n" + data)
    monkeypatch.setattr(blocks, "BLOCK_BYTES", size)
    source = blocks.CsvSource(path, name, ",", ("a", "b"), 3, len(data) + 4, (0, 0), False)  # type: ignore[arg-type]
    found: list[tuple[bytes, int, str]] = []
    for block in blocks.read_blocks(source):
        starts = block.decoded.raw_starts(block.scan.starts)
        ends = block.decoded.raw_ends(block.scan.ends)
        assert block.first == len(found) + 1
        for start, end, reason in zip(starts, ends, block.scan.reasons, strict=True):
            found.append((block.decoded.raw[start:end], block.offset + int(start) - 4, records.REASONS[reason]))
    return found


@settings(max_examples=150)
@given(data=messy, size=st.integers(1, 30))
def test_block_borders_change_nothing(data: bytes, size: int) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        assert in_blocks(Path(folder) / "a.csv", data, size, patch) == plain_records(data, 2)


@settings(max_examples=150)
@given(
    lines=st.lists(
        st.sampled_from(
            ["东,\u9547".encode("gb18030"), b"\x81,x", b"ok,\xff", b'"a\n\x81",2', "㐀,𠀀".encode("gb18030"), b"1,2,3"]
        ),
        max_size=12,
    ),
    size=st.integers(1, 40),
)
def test_gb18030_bad_bytes_cost_their_own_record_only(lines: list[bytes], size: int) -> None:
    import tempfile

    data = b"".join(line + b"\n" for line in lines)
    expected: list[tuple[bytes, int, str]] = []
    place = 0
    for line in lines:
        try:
            line.decode("gb18030")
            reason = "width" if line.count(b",") != 1 else ""
        except UnicodeDecodeError:
            reason = "encoding"
        expected.append((line, place, reason))
        place += len(line) + 1
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        assert in_blocks(Path(folder) / "a.csv", data, size, patch, "gb18030") == expected


texts = st.text(st.sampled_from('ab,"\n\r 县\t'), max_size=8)


@settings(max_examples=200)
@given(
    rows=st.lists(st.tuples(texts, texts, texts), min_size=1, max_size=12),
    ending=st.sampled_from(["\n", "\r\n"]),
    always=st.booleans(),
)
def test_what_python_writes_is_read_back_field_by_field(
    rows: list[tuple[str, str, str]], ending: str, always: bool
) -> None:
    import tempfile

    buffer = io.StringIO()
    # Python leaves a lone CR unquoted unless it is part of the line terminator.
    always = always or any("\r" in text for row in rows for text in row)
    writer = csv.writer(buffer, lineterminator=ending, quoting=csv.QUOTE_ALL if always else csv.QUOTE_MINIMAL)
    writer.writerows([("a", "b", "c"), *rows])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(buffer.getvalue().encode())
        source = blocks.open_source(path, encoding="auto", delimiter=",")
        found: list[tuple[str, ...]] = []
        for block in blocks.read_blocks(source):
            table = blocks.parse_records(block, source, source.names)
            found.extend(tuple(row.values()) for row in table.to_pylist())
    assert found == rows


@settings(max_examples=300)
@given(data=messy, width=st.integers(1, 3))
def test_the_parser_reads_every_record_the_scanner_calls_good(data: bytes, width: int) -> None:
    """Arrow must see the same records and fields as the one-record splitter, or loads do not reconcile."""
    scan = records.scan_block(data, delimiter=COMMA, width=width, final=True)
    block = blocks.Block(0, encoding.decode_block(data, "utf-8"), scan, 1)
    names = tuple("abc"[:width])
    source = blocks.CsvSource(Path("x"), "utf-8", ",", names, 0, 0, (0, 0), False)
    table = blocks.parse_records(block, source, names)
    good = np.flatnonzero(scan.reasons == records.GOOD)
    expected = [split_record(data[scan.starts[i] : scan.ends[i]].decode(), ",") for i in good]
    assert [list(row.values()) for row in table.to_pylist()] == expected


def test_an_unclosed_quote_costs_one_line() -> None:
    data = b'1,"abc\n2,def\n3,"x"\n4,y\n'
    assert [(raw, reason) for raw, _, reason in scanned(data, 2)] == [
        (b'1,"abc', "stray_quote"),
        (b"2,def", ""),
        (b'3,"x"', ""),
        (b"4,y", ""),
    ]


def test_an_unclosed_quote_at_the_end_costs_one_line() -> None:
    assert [(raw, reason) for raw, _, reason in scanned(b'1,"abc\n2,def\n', 2)] == [
        (b'1,"abc', "unclosed_quote"),
        (b"2,def", ""),
    ]


def test_a_record_above_the_limit_is_rejected_and_reading_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_RECORD_BYTES", 10)
    data = b'1,2\n"' + b"x\n" * 20 + b'",2\n3,4\n'
    found = scanned(data, 2)
    assert found[0] == (b"1,2", 0, "")
    assert found[1] == (b'"x', 4, "too_long")
    assert found[-1][0] == b"3,4"
    assert found[-1][2] == ""


@pytest.mark.parametrize(
    ("head", "chosen"),
    [(b"a,b\n1,2\n", ","), (b"a;b\n1,1;2\n", ";"), (b"a\tb\n1\t2\n", "\t"), (b"a|b|c\n1|2|3\n", "|"), (b"a\n1\n", ",")],
)
def test_delimiter_is_the_one_that_divides_evenly(head: bytes, chosen: str) -> None:
    assert choose_delimiter("auto", head, final=True) == chosen
