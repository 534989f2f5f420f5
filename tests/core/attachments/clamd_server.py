"""A small clamd: INSTREAM as clamd(8) writes it, over TCP or a unix socket; it knows one signature."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# The test file of eicar.org, put together here so that no scanner of the developer's machine takes this file away.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}" + b"$EICAR-STANDARD-" + b"ANTIVIRUS-TEST-FILE!$H+H*"
LIMIT = 1 << 20


class Handler(socketserver.StreamRequestHandler):
    """One connection: `zINSTREAM NUL`, pieces behind their length, a length of 0; then one answer."""

    def handle(self) -> None:
        command = b""
        while not command.endswith(b"\0"):
            letter = self.rfile.read(1)
            if not letter:
                return
            command += letter
        server: Any = self.server
        server.asked += 1
        if command != b"zINSTREAM\0":
            self.wfile.write(b"UNKNOWN COMMAND\0")
            return
        content = b""
        while length := int.from_bytes(self.rfile.read(4), "big"):
            content += self.rfile.read(length)
            if len(content) > LIMIT:
                self.wfile.write(b"INSTREAM size limit exceeded. ERROR\0")
                return
        if server.silent:
            return
        server.seen.append(content)
        self.wfile.write(b"stream: Eicar-Test-Signature FOUND\0" if EICAR in content else b"stream: OK\0")


class Tcp(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


class Unix(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


@contextmanager
def running_clamd(path: Path | None = None, *, silent: bool = False) -> Iterator[Any]:
    """Serve until the block ends; the server's `address` is what the setting CLAMD takes."""
    server: Any = Unix(str(path), Handler) if path else Tcp(("127.0.0.1", 0), Handler)
    server.address = str(path) if path else f"127.0.0.1:{server.server_address[1]}"
    server.seen, server.asked, server.silent = [], 0, silent
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
