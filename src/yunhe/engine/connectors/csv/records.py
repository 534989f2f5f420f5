"""Finding logical records in CSV bytes, without parsing their fields.

This count is independent of the parser that reads the fields; a load whose two counts differ
is not published.

What a logical record is
- A record ends at LF, CR or CRLF outside quotes, or at the end of the file. Blank lines (no byte
  between two line ends) are not records; a last line without a line end is one.
- A field is quoted if its first byte is `"`; inside, `""` is a quote and line ends are text. The
  closing quote must be followed by the delimiter, a line end or the end of the file. A quote
  inside an unquoted field is an ordinary character.
- Broken quoting (a closing quote followed by text; a quote not closed before the end of the file;
  a record above 8 MiB) costs the record's first physical line only: that line is rejected and
  reading goes on behind its line end. Lines that belonged to a broken record of several lines are
  then judged as records of their own; they rarely have the right width, and are rejected if not.
  So one lost quote never swallows the records behind it, and no byte is lost.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

MAX_RECORD_BYTES: Final = 8 << 20
REASONS: Final = ("", "encoding", "nul", "stray_quote", "unclosed_quote", "too_long", "width")
GOOD, ENCODING, NUL, STRAY_QUOTE, UNCLOSED_QUOTE, TOO_LONG, WIDTH = range(7)
QUOTE, LF, CR = 34, 10, 13
_SLOW_SPAN: Final = 1 << 16

Positions = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Scan:
    """The records of one block: start, end (line end excluded), reason (0 good), field count.

    `consumed` is the byte up to which the block was understood; what follows is the beginning of
    a record that ends in a later block.
    """

    starts: Positions
    ends: Positions
    reasons: Positions
    widths: Positions
    consumed: int


def scan_block(data: bytes, *, delimiter: int, width: int | None, final: bool) -> Scan:
    """Return the records of a block that starts at a record's start.

    A block that is not `final` ends behind a line end. `width` None: any field count is good.
    """
    scanner = _Scanner(data, delimiter, final)
    parts: list[Scan] = []
    offset = 0
    while offset < len(data):
        part, stopped = scanner.scan_even(offset)
        parts.append(part)
        offset = part.consumed
        if not stopped:
            break
        part, stopped = scanner.scan_slowly(offset)
        parts.append(part)
        offset = part.consumed
        if stopped:
            break
    return _judge(_join(parts, offset), data, width)


class _Scanner:
    """One pass of whole-array steps; where quoting is irregular, a stretch byte by byte."""

    def __init__(self, data: bytes, delimiter: int, final: bool) -> None:
        self.data = data
        self.final = final
        self.delimiter = delimiter
        self.bytes = np.frombuffer(data, np.uint8)
        marks = self.bytes == LF
        marks |= self.bytes == delimiter
        for mark in (CR, QUOTE):
            if data.find(mark) >= 0:
                marks |= self.bytes == mark
        self.positions = np.flatnonzero(marks)
        self.kinds = self.bytes[self.positions]
        self.field_end = re.compile(b"[" + re.escape(bytes([delimiter])) + b"\r\n]")

    def scan_even(self, offset: int) -> tuple[Scan, bool]:
        """Scan from `offset` while quoting is regular; tell whether an irregular record follows."""
        first = int(np.searchsorted(self.positions, offset))
        positions, kinds = self.positions[first:], self.kinds[first:]
        stop = len(self.data)
        quotes = kinds == QUOTE
        if quotes.any():
            stop = self._first_irregular(positions[quotes], offset)
            inside = np.cumsum(quotes) & 1
            keep = (inside == 0) & ~quotes & (positions < stop)
            positions, kinds = positions[keep], kinds[keep]
        at_break = np.flatnonzero(kinds != self.delimiter)
        ends = positions[at_break]
        widths = np.diff(at_break, prepend=-1)
        starts = np.concatenate(([offset], ends + 1))[: len(ends)]
        if len(ends) and int((ends - starts).max()) > MAX_RECORD_BYTES:
            cut = int(np.argmax(ends - starts > MAX_RECORD_BYTES))
            return _scan(starts[:cut], ends[:cut], widths[:cut], int(starts[cut])), True
        done = int(ends[-1]) + 1 if len(ends) else offset
        if stop < len(self.data) or (done < len(self.data) and self._must_judge(done)):
            return _scan(starts, ends, widths, done), True
        return _scan(starts, ends, widths, done), False

    def _must_judge(self, start: int) -> bool:
        return self.final or len(self.data) - start > MAX_RECORD_BYTES

    def _first_irregular(self, quotes: Positions, offset: int) -> int:
        """Return the position of the first quote that regular quoting does not allow, or the length."""
        opening, closing = quotes[0::2], quotes[1::2]
        length = len(self.data)
        before = self.bytes[np.maximum(opening - 1, 0)]
        wrong_open = ~((opening == offset) | self._ends_field(before) | (before == QUOTE))
        after = self.bytes[np.minimum(closing + 1, length - 1)]
        wrong_close = ~((closing == length - 1) | self._ends_field(after) | (after == QUOTE))
        sides = ((opening, wrong_open), (closing, wrong_close))
        return min((int(side[np.argmax(wrong)]) for side, wrong in sides if wrong.any()), default=length)

    def _ends_field(self, found: NDArray[np.uint8]) -> NDArray[np.bool_]:
        ends: NDArray[np.bool_] = (found == self.delimiter) | (found == LF) | (found == CR)
        return ends

    def scan_slowly(self, offset: int) -> tuple[Scan, bool]:
        """Scan some records one by one; tell whether the block's rest is incomplete."""
        until = min(len(self.data), offset + _SLOW_SPAN)
        found: list[tuple[int, int, int, int]] = []
        while offset < until:
            record = self._read_record(offset)
            if record is None:
                return _listed(found, offset), True
            end, reason, width = record
            found.append((offset, end, reason, width))
            offset = end + 1
        return _listed(found, min(offset, len(self.data))), False

    def _read_record(self, start: int) -> tuple[int, int, int] | None:
        """Return (end, reason, width) of the record at `start`; None if it ends in a later block."""
        place, width = start, 1
        while True:
            if self.data[place : place + 1] == b'"':
                closing = self._closing_quote(place + 1)
                if closing < 0:
                    return self._unclosed(start, width)
                place = closing + 1
            else:
                match = self.field_end.search(self.data, place)
                place = match.start() if match else len(self.data)
            if place >= len(self.data):
                return self._finished(start, len(self.data), width) if self._must_judge(start) else None
            if self.data[place] == self.delimiter:
                place, width = place + 1, width + 1
            elif self.data[place] in (LF, CR):
                return self._finished(start, place, width)
            else:
                return self._first_line_end(start), STRAY_QUOTE, width

    def _closing_quote(self, place: int) -> int:
        while True:
            place = self.data.find(b'"', place)
            if place < 0 or self.data[place + 1 : place + 2] != b'"':
                return place
            place += 2

    def _unclosed(self, start: int, width: int) -> tuple[int, int, int] | None:
        if not self._must_judge(start):
            return None
        long = len(self.data) - start > MAX_RECORD_BYTES
        return self._first_line_end(start), TOO_LONG if long else UNCLOSED_QUOTE, width

    def _finished(self, start: int, end: int, width: int) -> tuple[int, int, int]:
        if end - start > MAX_RECORD_BYTES:
            return self._first_line_end(start), TOO_LONG, width
        return end, GOOD, width

    def _first_line_end(self, start: int) -> int:
        match = _LINE_END.search(self.data, start)
        return match.start() if match else len(self.data)


_LINE_END = re.compile(rb"[\r\n]")


def _scan(starts: Positions, ends: Positions, widths: Positions, consumed: int) -> Scan:
    return Scan(starts, ends, np.zeros(len(starts), np.int64), widths, consumed)


def _listed(found: list[tuple[int, int, int, int]], consumed: int) -> Scan:
    rows = np.array(found, np.int64).reshape(-1, 4)
    return Scan(rows[:, 0], rows[:, 1], rows[:, 2], rows[:, 3], consumed)


def _join(parts: list[Scan], consumed: int) -> Scan:
    if len(parts) == 1:
        return parts[0]
    if not parts:
        return _listed([], consumed)
    return Scan(
        np.concatenate([part.starts for part in parts]),
        np.concatenate([part.ends for part in parts]),
        np.concatenate([part.reasons for part in parts]),
        np.concatenate([part.widths for part in parts]),
        consumed,
    )


def _judge(scan: Scan, data: bytes, width: int | None) -> Scan:
    """Drop blank lines, then mark records of another width and records that hold a NUL."""
    filled = scan.ends > scan.starts
    if not filled.all():
        scan = Scan(scan.starts[filled], scan.ends[filled], scan.reasons[filled], scan.widths[filled], scan.consumed)
    if width is not None:
        wrong = (scan.widths != width) & (scan.reasons == GOOD)
        scan.reasons[wrong] = WIDTH
    if data.find(0) >= 0:
        mark_records(scan, np.flatnonzero(np.frombuffer(data, np.uint8) == 0), NUL)
    return scan


def mark_records(scan: Scan, positions: Positions, reason: int) -> None:
    """Give `reason` to every record that holds one of these byte positions."""
    if not len(positions) or not len(scan.starts):
        return
    index = np.searchsorted(scan.starts, positions, side="right") - 1
    inside = (index >= 0) & (positions <= scan.ends[np.maximum(index, 0)])
    scan.reasons[index[inside]] = reason
