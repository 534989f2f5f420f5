"""Whether a PDF or a picture holds together from its first byte to its last."""

from __future__ import annotations

from yunhe.core.attachments.errors import ContentBroken, ContentHidden
from yunhe.core.attachments.rules.media import ReadAt

PDF_TAIL_BYTES = 4096
MOST_PNG_CHUNKS = 100_000
MOST_JPEG_SEGMENTS = 2_000
WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD8)})
FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""JPEG markers that begin a frame. Source: ITU-T T.81 table B.1."""

START_OF_SCAN, END_OF_IMAGE = 0xDA, 0xD9


def check_pdf(name: str, read: ReadAt, size: int) -> None:
    """Do nothing if version and end mark are there. Source: ISO 32000-1, 7.5. Raises: ContentBroken."""
    if not (read(5, 1) in (b"1", b"2") and read(6, 1) == b"." and read(7, 1).isdigit()):
        raise ContentBroken(name=name, media="pdf", where="%PDF-")
    start = max(0, size - PDF_TAIL_BYTES)
    if b"%%EOF" not in read(start, size - start):
        raise ContentBroken(name=name, media="pdf", where="%%EOF")


def check_png(name: str, read: ReadAt, size: int) -> None:
    """Do nothing if the chunks run from IHDR to an IEND that ends the file.

    Source: PNG (W3C, third edition) 5.3. Raises: ContentBroken, ContentHidden on bytes behind IEND.
    """
    at = 8
    for number in range(MOST_PNG_CHUNKS):
        header = read(at, 8)
        length, kind = int.from_bytes(header[:4], "big"), header[4:]
        if len(header) < 8 or not kind.isalpha() or (number == 0) != (kind == b"IHDR"):
            break
        at += 12 + length
        if at > size:
            break
        if kind == b"IEND":
            if at < size:
                raise ContentHidden(name=name, media="png", where=f"IEND + {size - at}")
            return
    raise ContentBroken(name=name, media="png", where=f"byte {at}")


def check_jpeg(name: str, read: ReadAt, size: int) -> None:
    """Do nothing if the segments lead over a frame to a scan, and an end mark follows.

    What cameras write behind the end mark is left alone. Source: ITU-T T.81 annex B. Raises: ContentBroken.
    """
    at, framed = 2, False
    for _ in range(MOST_JPEG_SEGMENTS):
        header = read(at, 4)
        if len(header) < 4 or header[0] != 0xFF:
            break
        if header[1] == 0xFF or header[1] in WITHOUT_LENGTH:
            at += 1 if header[1] == 0xFF else 2
            continue
        framed = framed or header[1] in FRAMES
        if header[1] == START_OF_SCAN:
            if framed and _has_end_mark(read, at, size):
                return
            break
        at += 2 + int.from_bytes(header[2:], "big")
    raise ContentBroken(name=name, media="jpeg", where=f"byte {min(at, size)}")


def _has_end_mark(read: ReadAt, at: int, size: int) -> bool:
    step = 1 << 20
    mark = bytes((0xFF, END_OF_IMAGE))
    return any(mark in read(start, step + 1) for start in range(at, size, step))


def check_tiff(name: str, read: ReadAt, size: int) -> None:
    """Do nothing if the first directory lies inside the file and has entries. Source: TIFF 6.0, 2. Raises: ContentBroken."""
    order = "little" if read(0, 2) == b"II" else "big"
    at = int.from_bytes(read(4, 4), order)  # type: ignore[arg-type]
    entries = int.from_bytes(read(at, 2), order)  # type: ignore[arg-type]
    if at < 8 or not entries or at + 2 + entries * 12 + 4 > size:
        raise ContentBroken(name=name, media="tiff", where=f"IFD {at}")


CHECKS = {"pdf": check_pdf, "png": check_png, "jpeg": check_jpeg, "tiff": check_tiff}
PICTURES = frozenset({"png", "jpeg", "tiff"})
