"""What a finished file is, by its content."""

from __future__ import annotations

import zipfile
import zlib
from typing import BinaryIO

from yunhe.core.attachments.errors import ContentBroken, PackedTooTight
from yunhe.core.attachments.rules import archives, documents, media
from yunhe.core.attachments.rules.names import extension_of
from yunhe.core.attachments.rules.texts import TextJudge
from yunhe.crypto import sm3

PIECE_BYTES = 1 << 20
TAIL_BYTES = (1 << 16) + archives.END_BYTES
OVERLAP_BYTES = 32
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError, KeyError)
"""What zipfile raises on archives that do not hold what their directory says."""


def digest_of(file: BinaryIO) -> str:
    """Return the SM3 digest of a whole file. Units: 64 hexadecimal digits."""
    state = sm3.new()
    file.seek(0)
    while piece := file.read(PIECE_BYTES):
        state.update(piece)
    return state.hexdigest()


def media_type_of(file: BinaryIO, *, name: str, size: int) -> str:
    """Return the media type of a file whose content is of a kind that is taken and fits its name.

    Raises: ContentRefused, one of its kinds. Cost: one reading of the file; of an archive, one unpacking.
    """

    def read(offset: int, count: int) -> bytes:
        file.seek(offset)
        return file.read(count)

    head = read(0, media.HEAD_BYTES)
    code = media.kind_of_head(head)
    if code == "zip":
        code = _check_archive(file, read, name, size)
    elif code:
        documents.CHECKS[code](name, read, size)
        media.check_no_archive_behind(name=name, code=code, tail=read(max(0, size - TAIL_BYTES), TAIL_BYTES))
        if code in documents.PICTURES:
            _check_no_markup(file, name, code)
    else:
        code = _check_text(file, head, name)
    return media.agree(name=name, code=code).media_type


def _check_no_markup(file: BinaryIO, name: str, code: str) -> None:
    file.seek(0)
    before = b""
    while piece := file.read(PIECE_BYTES):
        media.check_no_markup(name=name, code=code, piece=before + piece)
        before = piece[-OVERLAP_BYTES:]


def _check_text(file: BinaryIO, head: bytes, name: str) -> str:
    other = media.name_of_other(head)
    if other:
        raise media.not_taken(name=name, found=other)
    judge = TextJudge(name)
    file.seek(0)
    while piece := file.read(PIECE_BYTES):
        judge.add(piece)
    judge.add(b"", final=True)
    extension = extension_of(name)
    return extension if extension in ("txt", "csv") else "txt"


def _check_archive(file: BinaryIO, read: media.ReadAt, name: str, size: int) -> str:
    archives.check_end(name=name, end=read(max(0, size - archives.END_BYTES), archives.END_BYTES), size=size)
    try:
        with zipfile.ZipFile(file) as archive:
            entries = tuple(_entry(one) for one in archive.infolist())
            archives.check_entries(name=name, entries=entries, size=size)
            code = archives.kind_of_archive(name=name, entries=entries)
            if code != "ofd":
                content = _unpack(archive, archives.CONTENT_TYPES, name)
                archives.check_content_types(name=name, content=content)
            for one in archive.infolist():
                _unpack(archive, one, name, keep=False)
    except UNREADABLE as error:
        raise ContentBroken(name=name, media="zip", where=type(error).__name__) from error
    return code


def _entry(one: zipfile.ZipInfo) -> archives.Entry:
    return archives.Entry(one.filename, one.compress_size, one.file_size, one.header_offset, bool(one.flag_bits & 1))


def _unpack(archive: zipfile.ZipFile, one: str | zipfile.ZipInfo, name: str, *, keep: bool = True) -> bytes:
    """Read an entry to its end, which proves its length and its sum; return it with `keep`."""
    kept, total = [], 0
    with archive.open(one) as part:
        while piece := part.read(PIECE_BYTES):
            total += len(piece)
            if keep and total > archives.MOST_DIRECTORY_BYTES:
                raise PackedTooTight(
                    name=name, where=archives.CONTENT_TYPES, found=total, limit=archives.MOST_DIRECTORY_BYTES
                )
            kept += [piece] if keep else []
    return b"".join(kept)


