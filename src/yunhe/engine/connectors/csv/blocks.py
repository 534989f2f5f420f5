"""A CSV file as blocks of whole records, and the parser of a block's good records."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.csv as arrow_csv

from yunhe.engine.connectors.csv.encoding import (
    BLOCK_BYTES,
    Decoded,
    Encoding,
    NotUtf8Throughout,
    decode_block,
    detect_encoding,
)
from yunhe.engine.connectors.csv.header import choose_delimiter, read_names
from yunhe.engine.connectors.csv.records import ENCODING, GOOD, Positions, Scan, mark_records, scan_block
from yunhe.engine.errors import LoadDoesNotReconcile, SourceUnreadable

_LONGEST_LINE: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class CsvSource:
    """An opened CSV file: what its head says. `changed` is (size, time of change) when opened.

    `assumed`: UTF-8 is what the first block says; a later block may prove it wrong.
    """

    path: Path
    encoding: Encoding
    delimiter: str
    names: tuple[str, ...]
    skip: int
    size: int
    changed: tuple[int, int]
    assumed: bool


@dataclass(frozen=True, slots=True)
class Block:
    """A stretch of the file with its records judged; `first` is the number of its first record."""

    offset: int
    decoded: Decoded
    scan: Scan
    first: int


def open_source(path: Path, *, encoding: str, delimiter: str) -> CsvSource:
    """Read a CSV file's head.

    Raises: UnknownEncoding, OptionInvalid, EmptySource, HeaderUnreadable, DuplicateHeaders,
    TooManyColumns.
    """
    status = path.stat()
    found, skip, assumed = detect_encoding(path, encoding)
    with path.open("rb") as file:
        file.seek(skip)
        head = file.read(BLOCK_BYTES)
    final = skip + len(head) >= status.st_size
    decoded = decode_block(head if final else head[: _last_line_end(head) or len(head)], found)
    chosen = choose_delimiter(delimiter, decoded.data, final=final)
    names, end = read_names(path, decoded.data, chosen, final=final)
    raw_end = int(decoded.raw_ends(np.array([end]))[0])
    changed = (status.st_size, status.st_mtime_ns)
    return CsvSource(path, found, chosen, names, skip + raw_end, status.st_size, changed, assumed)


def read_blocks(source: CsvSource, on_bytes: Callable[[bytes], None] = lambda _: None) -> Iterator[Block]:
    """Yield the file behind its header as blocks of whole records; `on_bytes` sees every byte read.

    Shape: the bytes before the first record (mark, header) go to `on_bytes` too.
    Raises: SourceUnreadable for a line above 64 MiB; NotUtf8Throughout.
    """
    number, carry = 1, b""
    with source.path.open("rb") as file:
        on_bytes(file.read(source.skip))
        offset = source.skip
        while True:
            chunk = file.read(BLOCK_BYTES)
            on_bytes(chunk)
            buffer, final = carry + chunk, len(chunk) < BLOCK_BYTES
            cut = len(buffer) if final else _last_line_end(buffer)
            if cut:
                decoded = decode_block(buffer[:cut], source.encoding)
                if source.assumed and len(decoded.bad):
                    raise NotUtf8Throughout
                scan = _scan(decoded, source, final)
                yield Block(offset, decoded, scan, number)
                number += len(scan.starts)
                done = int(decoded.raw_starts(np.array([scan.consumed]))[0])
                offset, carry = offset + done, buffer[done:]
            else:
                carry = buffer
                _refuse_long_line(source, carry)
            if final:
                return


def _scan(decoded: Decoded, source: CsvSource, final: bool) -> Scan:
    scan = scan_block(decoded.data, delimiter=ord(source.delimiter), width=len(source.names), final=final)
    mark_records(scan, decoded.bad, ENCODING)
    return scan


def _refuse_long_line(source: CsvSource, carry: bytes) -> None:
    if len(carry) > _LONGEST_LINE:
        problem = f"a line is longer than {_LONGEST_LINE >> 20} MiB"
        raise SourceUnreadable(location=str(source.path), connector="csv", problem=problem)


def _last_line_end(buffer: bytes) -> int:
    return max(buffer.rfind(b"\n"), buffer.rfind(b"\r")) + 1


def parse_records(block: Block, source: CsvSource, wanted: Sequence[str]) -> pa.Table:
    """Return the good records' wanted columns as text (Arrow's CSV parser).

    Raises: LoadDoesNotReconcile if the parser sees another number of records than the scanner.
    """
    good = block.scan.reasons == GOOD
    names = [str(index) for index in range(len(source.names))]
    picked = [names[source.names.index(name)] for name in wanted]
    count = int(good.sum())
    if not count:
        return pa.table({name: pa.array([], pa.string()) for name in wanted})
    payload = _good_bytes(block, good)
    place = f"{source.path}, records {block.first}-{block.first + len(good) - 1}"
    try:
        table = arrow_csv.read_csv(
            pa.py_buffer(payload),
            arrow_csv.ReadOptions(use_threads=False, column_names=names, block_size=len(payload) + 1),
            arrow_csv.ParseOptions(delimiter=source.delimiter, newlines_in_values=True, ignore_empty_lines=True),
            arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                include_columns=list(dict.fromkeys(picked)),
                strings_can_be_null=False,
                check_utf8=True,
            ),
        )
    except pa.ArrowInvalid as error:
        raise LoadDoesNotReconcile(place=place, rows_in=count, kept=0, quarantined=0, rejected=0) from error
    if table.num_rows != count:
        raise LoadDoesNotReconcile(place=place, rows_in=count, kept=table.num_rows, quarantined=0, rejected=0)
    return pa.table([table.column(name) for name in picked], names=list(wanted))


def _good_bytes(block: Block, good: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> bytes | memoryview:
    scan, data = block.scan, memoryview(block.decoded.data)
    if good.all():
        return data[int(scan.starts[0]) : int(scan.ends[-1]) + 1]
    edges = np.flatnonzero(np.diff(np.concatenate(([0], good.astype(np.int8), [0]))))
    return b"\n".join(
        data[int(scan.starts[first]) : int(scan.ends[last - 1])]
        for first, last in zip(edges[0::2], edges[1::2], strict=True)
    )


def rejected_rows(block: Block, reasons: Sequence[str]) -> list[tuple[int, int, str, bytes]]:
    """Return the block's rejected records: number, byte offset in the file, reason, raw bytes."""
    bad: Positions = np.flatnonzero(block.scan.reasons != GOOD)
    if not len(bad):
        return []
    starts = block.decoded.raw_starts(block.scan.starts[bad])
    ends = block.decoded.raw_ends(block.scan.ends[bad])
    found = zip(bad.tolist(), starts.tolist(), ends.tolist(), block.scan.reasons[bad].tolist(), strict=True)
    return [
        (block.first + index, block.offset + start, reasons[reason], block.decoded.raw[start:end])
        for index, start, end, reason in found
    ]
