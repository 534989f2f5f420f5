"""The shipped scanner: clamd's INSTREAM over a unix socket or TCP. Source: clamd(8), "Commands"."""

from __future__ import annotations

import socket
from typing import BinaryIO

from yunhe.core.attachments.errors import ScannerAway, ScannerConfused
from yunhe.core.attachments.types import Scan

PIECE_BYTES = 1 << 16
CONNECT_SECONDS = 10
ANSWER_SECONDS = 120
MOST_ANSWER_BYTES = 4096


def scanner_at(address: str) -> Scan:
    """Return a scanner that asks the clamd at `/path/of/socket` or `host:port`."""

    def scan(file: BinaryIO) -> str:
        """Return the signature's name, "" for a clean file. Raises: ScannerAway, ScannerConfused."""
        try:
            with _connect(address) as line:
                return _verdict(_ask(line, file), address)
        except OSError as error:
            raise ScannerAway(where=address, found=error.strerror or type(error).__name__) from error

    return scan


def _connect(address: str) -> socket.socket:
    if not address.startswith("/"):
        host, _, port = address.rpartition(":")
        line = socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS)
    else:
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        line.settimeout(CONNECT_SECONDS)
        try:
            line.connect(address)
        except OSError:
            line.close()
            raise
    line.settimeout(ANSWER_SECONDS)
    return line


def _ask(line: socket.socket, file: BinaryIO) -> str:
    try:
        line.sendall(b"zINSTREAM\0")
        while piece := file.read(PIECE_BYTES):
            line.sendall(len(piece).to_bytes(4, "big") + piece)
        line.sendall(bytes(4))
    except (BrokenPipeError, ConnectionResetError):
        pass  # a stream above clamd's limit is cut off; the answer says so
    answer = b""
    while not answer.endswith(b"\0") and len(answer) < MOST_ANSWER_BYTES:
        piece = line.recv(1024)
        if not piece:
            break
        answer += piece
    return answer.rstrip(b"\0\n").decode("utf-8", "replace")


def _verdict(answer: str, address: str) -> str:
    if not answer:
        raise ScannerAway(where=address, found="no answer")
    said = answer.removeprefix("stream: ")
    if said == "OK":
        return ""
    if said.endswith(" FOUND"):
        return said.removesuffix(" FOUND")[:200] or "?"
    raise ScannerConfused(found=answer[:200])
