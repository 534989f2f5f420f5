"""Bytes to strict UTF-8: which encoding a file is in, and where a block does not decode."""

from __future__ import annotations

import codecs
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import pyarrow as pa

from yunhe.engine.connectors.csv.records import CR, LF, Positions
from yunhe.engine.errors import UnknownEncoding

Encoding = Literal["utf-8", "gb18030"]
BLOCK_BYTES: Final = 8 << 20

_NAMES: Final[dict[str, Encoding]] = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "utf-8-sig": "utf-8",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
}
# GB18030-2022 is a superset of GBK and GB/T 2312. The GB18030 mark is U+FEFF in that encoding.
_MARKS: Final[tuple[tuple[bytes, Encoding], ...]] = ((b"\xef\xbb\xbf", "utf-8"), (b"\x84\x31\x95\x33", "gb18030"))
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_NOTHING: Final = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Decoded:
    """One block as UTF-8; `bad` are positions in `data` on lines that hold undecodable bytes."""

    raw: bytes
    data: bytes
    bad: Positions

    def raw_starts(self, starts: Positions) -> Positions:
        """Return where in the raw bytes the records at these starts (or the block's end) begin."""
        if self.raw is self.data:
            return starts
        ends = np.concatenate(([-1], _line_ends(self.raw)))
        found: Positions = ends[np.searchsorted(_line_ends(self.data), starts)] + 1
        return np.where(starts >= len(self.data), len(self.raw), found)

    def raw_ends(self, ends: Positions) -> Positions:
        """Return where in the raw bytes the records at these ends stop (line end excluded)."""
        if self.raw is self.data:
            return ends
        raw = np.concatenate((_line_ends(self.raw), [len(self.raw)]))
        found: Positions = raw[np.searchsorted(_line_ends(self.data), ends)]
        return found


class NotUtf8Throughout(Exception):
    """A file taken for UTF-8 by its first block is not: compare the encodings and start again."""


def detect_encoding(path: Path, wanted: str) -> tuple[Encoding, int, bool]:
    """Return the encoding, how many bytes of byte order mark to skip, and whether it is assumed.

    `wanted` other than "auto" is taken at its word. Otherwise: a mark; else UTF-8, assumed, if the
    first block is; else what `compare_encodings` says.
    Raises: UnknownEncoding for UTF-16 and names not known here.
    """
    with path.open("rb") as file:
        head = file.read(BLOCK_BYTES if wanted == "auto" else 4)
    if head.startswith(_UTF16):
        raise UnknownEncoding(location=str(path), encoding="UTF-16")
    mark = next(((name, len(mark)) for mark, name in _MARKS if head.startswith(mark)), None)
    if wanted != "auto":
        name = _NAMES.get(wanted.lower())
        if name is None:
            raise UnknownEncoding(location=str(path), encoding=wanted)
        return name, mark[1] if mark is not None and mark[0] == name else 0, False
    if mark is not None:
        return *mark, False
    whole = max(head.rfind(b"\n"), head.rfind(b"\r")) + 1 if len(head) == BLOCK_BYTES else len(head)
    if is_utf8(head[:whole]):
        return "utf-8", 0, True
    return compare_encodings(path), 0, False


def decode_block(raw: bytes, encoding: Encoding) -> Decoded:
    """Return the block as UTF-8 with the places that do not decode; line ends stay line ends."""
    if encoding == "utf-8":
        return Decoded(raw, raw, _NOTHING if is_utf8(raw) else _bad_positions(raw, "utf-8")[1])
    try:
        return Decoded(raw, raw.decode("gb18030").encode(), _NOTHING)
    except UnicodeDecodeError:
        text, bad = _bad_positions(raw, "gb18030")
    data = text.encode()
    # The line of a bad byte is known in both forms; that is enough to find its record.
    lines = np.unique(np.searchsorted(_line_ends(raw), bad))
    starts = np.concatenate(([0], _line_ends(data) + 1))
    return Decoded(raw, data, starts[lines])


def is_utf8(data: bytes) -> bool:
    """Tell whether these bytes are well-formed UTF-8 (Arrow's checker: fast, strict)."""
    offsets = pa.py_buffer(np.array([0, len(data)], np.int64))
    whole = pa.Array.from_buffers(pa.large_string(), 1, [None, offsets, pa.py_buffer(data)])
    try:
        whole.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def compare_encodings(path: Path) -> Encoding:
    """Return UTF-8 or GB18030, whichever leaves fewer lines undecodable (a tie: UTF-8).

    Cost: one reading of the file, line by line where a block does not decode.
    """
    with path.open("rb") as file:
        bad_utf8 = bad_gb18030 = 0
        for block in _whole_lines(file.read):
            bad_utf8 += _count_bad_lines(block, "utf-8")
            bad_gb18030 += _count_bad_lines(block, "gb18030")
    return "gb18030" if bad_gb18030 < bad_utf8 else "utf-8"


def _whole_lines(read: Callable[[int], bytes]) -> Iterator[bytes]:
    carry = b""
    while chunk := read(BLOCK_BYTES):
        cut = max(chunk.rfind(b"\n"), chunk.rfind(b"\r")) + 1
        yield carry + chunk[:cut]
        carry = chunk[cut:]
    yield carry


def _count_bad_lines(block: bytes, encoding: Encoding) -> int:
    try:
        block.decode(encoding)
    except UnicodeDecodeError:
        return sum(not _decodes(line, encoding) for line in block.split(b"\n"))
    return 0


def _decodes(line: bytes, encoding: Encoding) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _line_ends(data: bytes) -> Positions:
    found = np.frombuffer(data, np.uint8)
    return np.flatnonzero((found == LF) | (found == CR))


_found = threading.local()


def _note(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    _found.positions.append(error.start)
    # Go on behind the first wrong byte, so that a line end after it is never swallowed.
    return "\ufffd", error.start + 1


codecs.register_error("yunhe.note", _note)


def _bad_positions(raw: bytes, encoding: Encoding) -> tuple[str, Positions]:
    _found.positions = []
    text = raw.decode(encoding, errors="yunhe.note")
    return text, np.array(_found.positions, np.int64)
