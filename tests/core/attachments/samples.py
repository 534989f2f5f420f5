"""Files of every kind that is taken, made by hand, and their disguises."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import Any


def status(answer: Any) -> int:
    """Return the status of a served file; the answer is read to its end, as by a browser, which closes the file."""
    if answer.streaming:
        b"".join(answer.streaming_content)
    return int(answer.status_code)


def pdf(body: bytes = b"1 0 obj\n<< >>\nendobj\n") -> bytes:
    return b"%PDF-1.7\n" + body + b"trailer << >>\nstartxref\n9\n%%EOF\n"


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(*more: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(b"\x00\x80"))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + b"".join(more) + pixels + chunk(b"IEND", b"")


def segment(marker: int, data: bytes) -> bytes:
    return bytes((0xFF, marker)) + struct.pack(">H", len(data) + 2) + data


def jpeg(comment: bytes = b"") -> bytes:
    frame = segment(0xC0, struct.pack(">BHHB", 8, 1, 1, 1) + b"\x01\x11\x00")
    scan = segment(0xDA, b"\x01\x01\x00\x00\x3f\x00") + b"\x12\x34"
    said = segment(0xFE, comment) if comment else b""
    return b"\xff\xd8" + segment(0xE0, b"JFIF\x00\x01\x01") + said + frame + scan + b"\xff\xd9"


def tiff(order: str = "<") -> bytes:
    head = b"II*\x00" if order == "<" else b"MM\x00*"
    entry = struct.pack(f"{order}HHII", 256, 3, 1, 1)
    return head + struct.pack(f"{order}I", 8) + struct.pack(f"{order}H", 1) + entry + bytes(4)


def archive(parts: Mapping[str, bytes], *, comment: bytes = b"", packing: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packing) as made:
        for name, content in parts.items():
            made.writestr(name, content)
        made.comment = comment
    return out.getvalue()


TYPES = b'<?xml version="1.0"?><Types><Override PartName="/word/document.xml"/></Types>'
MAIN = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml", "pptx": "ppt/presentation.xml"}


def office(kind: str, more: Mapping[str, bytes] | None = None, types: bytes = TYPES) -> bytes:
    return archive({"[Content_Types].xml": types, MAIN[kind]: b"<x/>", **(more or {})})


def ofd() -> bytes:
    return archive({"OFD.xml": b"<ofd:OFD/>", "Doc_0/Document.xml": b"<ofd:Document/>"})


TAKEN: dict[str, tuple[bytes, str]] = {
    "申请.pdf": (pdf(), "application/pdf"),
    "公文.ofd": (ofd(), "application/ofd"),
    "a.docx": (office("docx"), "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    "a.xlsx": (office("xlsx"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    "a.pptx": (office("pptx"), "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    "a.png": (png(), "image/png"),
    "a.jpg": (jpeg(), "image/jpeg"),
    "a.JPEG": (jpeg(), "image/jpeg"),
    "a.tif": (tiff("<"), "image/tiff"),
    "a.tiff": (tiff(">"), "image/tiff"),
    "a.txt": ("第一行\n第二行 𠮷\n".encode(), "text/plain"),
    "bom.txt": ("\ufeff文字\n".encode(), "text/plain"),
    "gb.txt": ("第一行\n镕 𠮷\n".encode("gb18030"), "text/plain"),
    "BM 开头.txt": ("BM 是文字\n".encode(), "text/plain"),
    "a.csv": ("编号,名称\r\n1,甲\r\n".encode("gb18030"), "text/csv"),
}
