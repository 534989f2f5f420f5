"""A file is what its content says: each kind that is taken, and the disguises that are not."""

from __future__ import annotations

import io
import struct
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.attachments import samples
from yunhe.core.attachments import errors
from yunhe.core.attachments.api.inspecting import media_type_of
from yunhe.core.attachments.rules import archives
from yunhe.core.attachments.rules.media import TAKEN
from yunhe.core.attachments.rules.texts import TextJudge

SCRIPT = b"<script>alert(1)</script>"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)


def judged(name: str, content: bytes) -> str:
    return media_type_of(io.BytesIO(content), name=name, size=len(content))


@pytest.mark.parametrize("name", samples.TAKEN)
def test_each_kind_is_taken(name: str) -> None:
    content, media_type = samples.TAKEN[name]
    assert judged(name, content) == media_type


def overlapping() -> bytes:
    """Two entries of the directory that lie at the same bytes."""
    made = bytearray(samples.archive({"OFD.xml": b"x" * 50_000, "b.xml": b"y"}, packing=zipfile.ZIP_STORED))
    second = made.rfind(b"PK\x01\x02")
    first = made.find(b"PK\x01\x02")
    made[second + 16 : second + 28] = made[first + 16 : first + 28]
    struct.pack_into("<I", made, second + 42, 0)
    return bytes(made)


def lying() -> bytes:
    """A directory that tells a smaller size than what unpacks."""
    made = bytearray(samples.archive({"OFD.xml": b"x" * 50_000}))
    for signature, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        struct.pack_into("<I", made, made.find(signature) + at, 10)
    return bytes(made)


def encrypted() -> bytes:
    made = bytearray(samples.ofd())
    at = -1
    while (at := made.find(b"PK\x01\x02", at + 1)) >= 0:
        made[at + 8] |= 1
    return bytes(made)


REFUSED: dict[str, tuple[str, bytes, type[errors.ContentRefused]]] = {
    "exe as pdf": ("a.pdf", b"MZ" + bytes(200), errors.TypeNotAllowed),
    "html as pdf": ("a.pdf", b"<!doctype html><p>x", errors.TypeNotAllowed),
    "html as txt": ("a.txt", b"\xef\xbb\xbf <html><script>", errors.TypeNotAllowed),
    "svg as png": ("a.png", b"<svg xmlns='x' onload='y'/>", errors.TypeNotAllowed),
    "gif as png": ("a.png", b"GIF89a" + bytes(40), errors.TypeNotAllowed),
    "doc as docx": ("a.docx", OLE, errors.TypeNotAllowed),
    "zip as docx": ("a.docx", samples.archive({"a.txt": b"x"}), errors.TypeNotAllowed),
    "zip as zip": ("a.zip", samples.archive({"a.txt": b"x"}), errors.TypeNotAllowed),
    "empty zip": ("a.ofd", samples.archive({}), errors.TypeNotAllowed),
    "utf-16 as txt": ("a.txt", "文字".encode("utf-16"), errors.TypeNotAllowed),
    "png as pdf": ("a.pdf", samples.png(), errors.NameDisagrees),
    "pdf as jpg": ("a.jpg", samples.pdf(), errors.NameDisagrees),
    "docx as xlsx": ("a.xlsx", samples.office("docx"), errors.NameDisagrees),
    "text as pdf": ("a.pdf", "只是文字".encode(), errors.NameDisagrees),
    "no extension": ("a", samples.pdf(), errors.NameDisagrees),
    "pdf without end": ("a.pdf", b"%PDF-1.7\n" + bytes(100), errors.ContentBroken),
    "pdf of no version": ("a.pdf", b"%PDF-<script>%%EOF", errors.ContentBroken),
    "pdf with an archive behind": ("a.pdf", samples.pdf() + samples.archive({"a.class": b"x"}), errors.ContentHidden),
    "png with html behind": ("a.png", samples.png() + b"<html>" + SCRIPT, errors.ContentHidden),
    "png with html in a chunk": ("a.png", samples.png(samples.chunk(b"tEXt", b"Comment\x00" + SCRIPT)), errors.ContentHidden),
    "png that is cut": ("a.png", samples.png()[:-8], errors.ContentBroken),
    "png signature and html": ("a.png", b"\x89PNG\r\n\x1a\n" + SCRIPT, errors.ContentBroken),
    "jpeg with html in a comment": ("a.jpg", samples.jpeg(b"<iframe src=x>"), errors.ContentHidden),
    "jpeg with an archive behind": ("a.jpg", samples.jpeg() + samples.archive({"a": b"x"}), errors.ContentHidden),
    "jpeg of nothing": ("a.jpg", b"\xff\xd8\xff\xd9" + bytes(50), errors.ContentBroken),
    "jpeg that is cut": ("a.jpg", samples.jpeg()[:-2], errors.ContentBroken),
    "tiff of nothing": ("a.tif", b"II*\x00\xff\xff\xff\x7f", errors.ContentBroken),
    "macros": ("a.docx", samples.office("docx", {"word/vbaProject.bin": b"x"}), errors.MacrosRefused),
    "macros elsewhere": ("a.xlsx", samples.office("xlsx", {"x/VBAPROJECT.BIN": b"x"}), errors.MacrosRefused),
    "old macros": ("a.xlsx", samples.office("xlsx", {"xl/macrosheets/sheet1.xml": b"x"}), errors.MacrosRefused),
    "macros by type": (
        "a.docx", samples.office("docx", types=b"<Types application/vnd.ms-word.document.macroEnabled.main+xml>"), errors.MacrosRefused,
    ),
    "two documents at once": ("a.docx", samples.office("docx", {"xl/workbook.xml": b"x"}), errors.TypeNotAllowed),
    "path in the archive": ("a.ofd", samples.archive({"OFD.xml": b"x", "../../x": b"x"}), errors.ContentBroken),
    "encrypted": ("a.ofd", encrypted(), errors.ContentBroken),
    "something behind the archive": ("a.ofd", samples.ofd() + b"x", errors.ContentHidden),
    "a comment behind the archive": ("a.ofd", samples.archive({"OFD.xml": b"x"}, comment=b"%PDF-1.7"), errors.ContentHidden),
    "entries that overlap": ("a.ofd", overlapping(), errors.PackedTooTight),
    "a directory that lies": ("a.ofd", lying(), errors.ContentBroken),
    "a bomb": ("a.ofd", samples.archive({"OFD.xml": bytes(archives.FREE_UNPACKED_BYTES + 1)}), errors.PackedTooTight),
    "binary as txt": ("a.txt", bytes(range(256)), errors.TextNotReadable),
    "control in a text": ("a.csv", b"a,b\n1,\x1b[2J\n", errors.TextNotReadable),
    "neither encoding": ("a.txt", b"ok\n\xff\xff\n", errors.TextNotReadable),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_a_disguise_is_refused(what: str) -> None:
    name, content, error = REFUSED[what]
    with pytest.raises(error) as caught:
        judged(name, content)
    assert caught.value.kind == "invalid"
    for language in ("zh", "en"):
        said = caught.value.say(language)
        assert name in said and "?" not in said.replace("—?", ""), said


def test_too_many_entries_are_seen_before_the_directory_is_read() -> None:
    end = struct.pack("<4s4H2IH", b"PK\x05\x06", 0, 0, 60_000, 60_000, 100, 0, 0)
    with pytest.raises(errors.PackedTooTight, match="entries is 60000"):
        archives.check_end(name="a.ofd", end=end, size=122)


@given(st.binary(max_size=400), st.sampled_from(("a.pdf", "a.docx", "a.png", "a.jpg", "a.tif", "a.txt")))
def test_anything_at_all_is_taken_or_refused_with_words(content: bytes, name: str) -> None:
    for start in (b"", b"%PDF-1.", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\x00", b"MM\x00*", b"PK\x03\x04"):
        whole = start + content
        with suppress(errors.ContentRefused):
            assert judged(name, whole or b"x") in {media.media_type for media in TAKEN}


@given(st.text(st.characters(exclude_categories=("Cs", "Cc"))), st.sampled_from(("utf-8", "gb18030")), st.integers(1, 7))
def test_a_text_is_known_however_it_is_cut(text: str, encoding: str, width: int) -> None:
    content = text.encode(encoding)
    judge = TextJudge("a.txt")
    for at in range(0, len(content), width):
        judge.add(content[at : at + width])
    judge.add(b"", final=True)
