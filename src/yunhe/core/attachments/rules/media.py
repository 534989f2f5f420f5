"""Which kinds of files are taken, and what the first bytes of a file say it is."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from yunhe.core.attachments.errors import ContentHidden, NameDisagrees, TypeNotAllowed
from yunhe.core.attachments.rules.names import extension_of

HEAD_BYTES = 1024
ReadAt = Callable[[int, int], bytes]
"""`read(offset, count)` of the file that is looked at; short at its end."""


@dataclass(frozen=True, slots=True)
class Media:
    """One kind of file that is taken; the first extension is the one to advise."""

    code: str
    media_type: str
    extensions: tuple[str, ...]


OFFICE = "application/vnd.openxmlformats-officedocument"
TAKEN: tuple[Media, ...] = (
    Media("pdf", "application/pdf", ("pdf",)),
    Media("ofd", "application/ofd", ("ofd",)),  # GB/T 33190-2016
    Media("docx", f"{OFFICE}.wordprocessingml.document", ("docx",)),
    Media("xlsx", f"{OFFICE}.spreadsheetml.sheet", ("xlsx",)),
    Media("pptx", f"{OFFICE}.presentationml.presentation", ("pptx",)),
    Media("png", "image/png", ("png",)),
    Media("jpeg", "image/jpeg", ("jpg", "jpeg")),
    Media("tiff", "image/tiff", ("tif", "tiff")),
    Media("txt", "text/plain", ("txt",)),
    Media("csv", "text/csv", ("csv",)),
)
BY_CODE = {media.code: media for media in TAKEN}
EXTENSIONS = tuple(extension for media in TAKEN for extension in media.extensions)

SIGNATURES: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "pdf"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"\xff\xd8\xff", "jpeg"),
    (b"II*\x00", "tiff"),
    (b"MM\x00*", "tiff"),
    (b"PK\x03\x04", "zip"),
)
KNOWN_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "doc/xls/ppt (OLE)"),
    (b"GIF8", "gif"),
    (b"BM", "bmp"),
    (b"RIFF", "webp/avi (RIFF)"),
    (b"PK", "zip"),
    (b"Rar!", "rar"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"\x1f\x8b", "gzip"),
    (b"MZ", "exe (MZ)"),
    (b"\x7fELF", "ELF"),
    (b"\xff\xfe", "UTF-16"),
    (b"\xfe\xff", "UTF-16"),
    (b"{\\rtf", "rtf"),
)
TEXT_LIKE = frozenset({"bmp", "exe (MZ)", "zip", "webp/avi (RIFF)", "gif"})
"""Names of KNOWN_OTHERS whose signature a plain text may begin with by chance."""

MARKUP_FIRST = re.compile(rb"(?is)\A(\xef\xbb\xbf)?\s*(<!--.*?-->\s*)*<(!doctype|html|head|body|script|svg|iframe|\?xml|\?php)")
MARKUP = re.compile(rb"(?i)<script[\s>/]|<iframe[\s>]|<!doctype html|<html[\s>]|<svg[\s>]|<\?php\s")
"""What a browser or a server would run. Six bytes and more, so that packed pixels do not match by chance."""


def kind_of_head(head: bytes) -> str:
    """Return the code that the first bytes say: of TAKEN, "zip" for its family, "" for none (maybe a text)."""
    return next((code for signature, code in SIGNATURES if head.startswith(signature)), "")


def name_of_other(head: bytes) -> str:
    """Return what people call a kind of file that is not taken; "" when the first bytes are of none known."""
    if MARKUP_FIRST.match(head):
        return "html/xml"
    name = next((name for signature, name in KNOWN_OTHERS if head.startswith(signature)), "")
    return "" if name in TEXT_LIKE and b"\x00" not in head else name


def agree(*, name: str, code: str) -> Media:
    """Return the kind if the name's extension is one of its own. Raises: NameDisagrees."""
    media, extension = BY_CODE[code], extension_of(name)
    if extension not in media.extensions:
        expected = " / ".join(f".{one}" for one in media.extensions)
        raise NameDisagrees(name=name, found=code, extension=f".{extension}" if extension else "—", expected=expected)
    return media


def not_taken(*, name: str, found: str) -> TypeNotAllowed:
    """Return the error that says what was found and what is taken."""
    return TypeNotAllowed(name=name, found=found, expected=", ".join(EXTENSIONS))


def check_no_archive_behind(*, name: str, code: str, tail: bytes) -> None:
    """Do nothing unless the last bytes are the end of a zip. Raises: ContentHidden.

    Source: APPNOTE 6.3.10, 4.3.16: the end record's comment ends with the file.
    """
    at = tail.rfind(b"PK\x05\x06")
    while at >= 0:
        if len(tail) >= at + 22 and at + 22 + int.from_bytes(tail[at + 20 : at + 22], "little") == len(tail):
            raise ContentHidden(name=name, media=code, where="zip")
        at = tail.rfind(b"PK\x05\x06", 0, at)


def check_no_markup(*, name: str, code: str, piece: bytes) -> None:
    """Do nothing unless the bytes hold a script or a page. Raises: ContentHidden."""
    found = MARKUP.search(piece)
    if found:
        raise ContentHidden(name=name, media=code, where=found[0].decode("ascii", "replace").strip())
