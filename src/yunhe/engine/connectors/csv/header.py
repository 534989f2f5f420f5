"""The first record of a CSV file: delimiter, column names, and what is wrong with them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from yunhe.engine.connectors.csv.records import GOOD, REASONS, scan_block
from yunhe.engine.connectors.names import check_count, check_names
from yunhe.engine.errors import EmptySource, HeaderUnreadable, OptionInvalid

_CANDIDATES: Final = ",\t;|"
_SAMPLE_BYTES: Final = 1 << 18
_SAMPLE_RECORDS: Final = 200


def choose_delimiter(wanted: str, head: bytes, *, final: bool) -> str:
    """Return the delimiter: the wanted one, or that which gives most equally wide records.

    Raises: OptionInvalid for anything but one ASCII character that cannot be part of a value's form.
    """
    chosen = {"auto": "", "tab": "\t", "\\t": "\t", "comma": ","}.get(wanted, wanted)
    if chosen:
        if len(chosen) != 1 or not chosen.isascii() or chosen.isalnum() or chosen in '"\r\n\0 ':
            raise OptionInvalid(option="delimiter", expected='"auto" or one of , ; | tab', found=wanted)
        return chosen
    cut = head.rfind(b"\n", 0, _SAMPLE_BYTES) + 1 if len(head) > _SAMPLE_BYTES or not final else len(head)
    sample = head[: cut or len(head)]
    scores = {candidate: _evenness(sample, candidate, final and len(sample) == len(head)) for candidate in _CANDIDATES}
    best = max(_CANDIDATES, key=lambda candidate: scores[candidate])
    return best if scores[best] > (0, 0) else ","


def _evenness(sample: bytes, delimiter: str, final: bool) -> tuple[int, int]:
    scan = scan_block(sample, delimiter=ord(delimiter), width=None, final=final)
    widths = scan.widths[scan.reasons == GOOD][: _SAMPLE_RECORDS + 1]
    if len(widths) == 0 or widths[0] < 2:
        return 0, 0
    return int((widths == widths[0]).sum()), int(widths[0])


def read_names(location: Path, data: bytes, delimiter: str, *, final: bool) -> tuple[tuple[str, ...], int]:
    """Return the column names and the byte behind the header record.

    Raises: EmptySource, HeaderUnreadable, TooManyColumns, DuplicateHeaders.
    """
    scan = scan_block(data, delimiter=ord(delimiter), width=None, final=final)
    if not len(scan.starts):
        if final:
            raise EmptySource(location=str(location))
        raise HeaderUnreadable(location=str(location), reason="too_long")
    start, end, reason = int(scan.starts[0]), int(scan.ends[0]), int(scan.reasons[0])
    record = data[start:end]
    if reason != GOOD:
        raise HeaderUnreadable(location=str(location), reason=REASONS[reason])
    check_count(location, int(scan.widths[0]), delimiter=delimiter)
    try:
        names = tuple(name.strip() for name in split_record(record.decode(), delimiter))
    except UnicodeDecodeError as error:
        raise HeaderUnreadable(location=str(location), reason="encoding") from error
    return check_names(location, names, delimiter=delimiter), end


def split_record(record: str, delimiter: str) -> list[str]:
    """Return the fields of one regular record (records.py tells what regular is)."""
    pattern = re.compile(rf'"((?:[^"]|"")*)"|([^{re.escape(delimiter)}]*)')
    fields: list[str] = []
    place = 0
    while True:
        match = pattern.match(record, place)
        if match is None:
            raise ValueError("not a regular record")
        quoted, plain = match.groups()
        fields.append(plain if quoted is None else quoted.replace('""', '"'))
        if match.end() == len(record):
            return fields
        place = match.end() + 1
