"""Whether a zip is an office document or an OFD, small enough when unpacked, and without macros."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from yunhe.core.attachments.errors import ContentBroken, ContentHidden, MacrosRefused, PackedTooTight
from yunhe.core.attachments.rules.media import not_taken

END_BYTES = 22
MOST_ENTRIES = 5_000
MOST_DIRECTORY_BYTES = 2 << 20
MOST_UNPACKED_BYTES = 300 << 20
MOST_RATIO = 200
FREE_UNPACKED_BYTES = 20 << 20
"""Below this the ratio does not count: an empty worksheet packs very well and harms nobody."""

CONTENT_TYPES = "[Content_Types].xml"
MAIN_PARTS = {"word/document.xml": "docx", "xl/workbook.xml": "xlsx", "ppt/presentation.xml": "pptx"}
OFD_PART = "OFD.xml"  # GB/T 33190-2016, 7.1
MACROS = re.compile(r"(?i)(^|/)(vbaproject[^/]*\.bin|vbadata\.xml)$|(^|/)macrosheets/|(^|/)activex/")
MACRO_TYPES = re.compile(rb"(?i)macroenabled|vbaproject|intlmacrosheet|macrosheet\+xml")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the archive's directory, as it says of itself. Units: bytes."""

    name: str
    packed: int
    unpacked: int
    offset: int
    encrypted: bool


def check_end(*, name: str, end: bytes, size: int) -> None:
    """Do nothing if the archive ends with a small directory and nothing behind it.

    Source: APPNOTE 6.3.10, 4.3.16. Raises: ContentBroken, ContentHidden, PackedTooTight.
    """
    if len(end) < END_BYTES or not end.startswith(b"PK\x05\x06"):
        raise ContentHidden(name=name, media="zip", where="PK 5 6")
    count = int.from_bytes(end[10:12], "little")
    directory, start = int.from_bytes(end[12:16], "little"), int.from_bytes(end[16:20], "little")
    if count > MOST_ENTRIES or directory > MOST_DIRECTORY_BYTES:
        raise PackedTooTight(name=name, where="entries", found=count, limit=MOST_ENTRIES)
    if start + directory + END_BYTES != size:
        raise ContentBroken(name=name, media="zip", where="directory")


def check_entries(*, name: str, entries: Sequence[Entry], size: int) -> None:
    """Do nothing if the entries are plain, apart from one another and small when unpacked.

    Raises: PackedTooTight, ContentBroken on odd names and encrypted entries, ContentHidden on bytes before the first.
    """
    packed, unpacked = sum(e.packed for e in entries), sum(e.unpacked for e in entries)
    if len(entries) > MOST_ENTRIES:
        raise PackedTooTight(name=name, where="entries", found=len(entries), limit=MOST_ENTRIES)
    if unpacked > MOST_UNPACKED_BYTES:
        raise PackedTooTight(name=name, where="bytes", found=unpacked, limit=MOST_UNPACKED_BYTES)
    if unpacked > FREE_UNPACKED_BYTES and unpacked > MOST_RATIO * max(packed, 1):
        raise PackedTooTight(name=name, where="ratio", found=unpacked // max(packed, 1), limit=MOST_RATIO)
    if packed > size:  # entries that share bytes: a bomb that no ratio shows
        raise PackedTooTight(name=name, where="packed bytes", found=packed, limit=size)
    if not entries or min(e.offset for e in entries) > 0:
        raise ContentHidden(name=name, media="zip", where="byte 0")
    odd = [e.name for e in entries if e.encrypted or _is_odd(e.name)]
    odd += [one for one, count in Counter(e.name for e in entries).items() if count > 1]
    if odd:
        raise ContentBroken(name=name, media="zip", where=_shown(odd[0]))


def kind_of_archive(*, name: str, entries: Sequence[Entry]) -> str:
    """Return docx, xlsx, pptx or ofd. Raises: MacrosRefused; TypeNotAllowed for any other zip."""
    names = {entry.name for entry in entries}
    macros = sorted(one for one in names if MACROS.search(one))
    if macros:
        raise MacrosRefused(name=name, where=_shown(macros[0]))
    found = [code for part, code in MAIN_PARTS.items() if part in names and CONTENT_TYPES in names]
    found += ["ofd"] if OFD_PART in names else []
    if len(found) != 1:
        raise not_taken(name=name, found="zip")
    return found[0]


def check_content_types(*, name: str, content: bytes) -> None:
    """Do nothing unless the parts' list names macros. Raises: MacrosRefused."""
    found = MACRO_TYPES.search(content)
    if found:
        raise MacrosRefused(name=name, where=f"{CONTENT_TYPES}: {found[0].decode('ascii')}")


def _is_odd(name: str) -> bool:
    steps = name.replace("\\", "/").split("/")
    return "\\" in name or "\x00" in name or ":" in name or name.startswith("/") or ".." in steps


def _shown(name: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in name)[:80]
