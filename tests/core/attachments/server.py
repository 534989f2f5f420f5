"""Starting, striking dead and calling the server of server_process.py."""

from __future__ import annotations

import http.client
import http.cookiejar
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from base64 import b64encode
from pathlib import Path

from tests.journeys.browser_free import Session
from tests.journeys.node import free_port

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = Path(__file__).with_name("server_process.py")
PATIENCE_SECONDS = 60


class Server:
    """A home of its own with a control database, and the web server on it."""

    def __init__(self, home: Path, database: str = "", **more: str) -> None:
        self.home = home
        self.log = home.parent / "server.log"
        self.port = free_port()
        self.web = f"http://127.0.0.1:{self.port}"
        self.process: subprocess.Popen[bytes] | None = None
        kept = {name: value for name, value in os.environ.items() if not name.startswith("YUNHE_")}
        self.environment = kept | {
            "YUNHE_HOME": str(home),
            "YUNHE_LOG": "text",
            "DJANGO_SETTINGS_MODULE": "yunhe.settings.django",
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
            **more,
        }
        if database:
            self.environment |= {"YUNHE_PROFILE": "server", "YUNHE_DATABASE": database}
        (home / "static").mkdir(parents=True)
        done = self._run("setup")
        assert done.returncode == 0, done.stderr
        self.account: dict[str, str] = json.loads(done.stdout)

    def _run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(SCRIPT), *words], env=self.environment, capture_output=True, text=True, check=False,
            timeout=PATIENCE_SECONDS,
        )  # fmt: skip

    def start(self) -> None:
        """Start the server and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(SCRIPT), "serve", str(self.port)], env=self.environment, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                urllib.request.urlopen(f"{self.web}/healthz", timeout=2).close()
                return
            except (urllib.error.URLError, OSError):
                assert time.monotonic() < ends_at, self.log.read_text("utf-8", "replace")[-3000:]
                time.sleep(0.05)

    def work(self) -> None:
        """Run the jobs that are due, in a process of their own."""
        done = self._run("jobs")
        assert done.returncode == 0, done.stderr

    def strike(self) -> None:
        """kill -9 the server and its worker process."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            self.process = None


class Caller:
    """The person of the server, signed in, speaking the upload protocol."""

    def __init__(self, server: Server) -> None:
        self.server = server
        session = Session(server, self.server.account["username"], self.server.account["password"])  # type: ignore[arg-type]
        (jar,) = [one.cookiejar for one in session.opener.handlers if isinstance(one, urllib.request.HTTPCookieProcessor)]
        cookies = {cookie.name: str(cookie.value) for cookie in jar}
        self.headers = {
            "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
            "X-CSRFToken": cookies["csrftoken"],
            "Tus-Resumable": "1.0.0",
        }

    def begin(self, name: str, size: int) -> str:
        """Open an upload and return its address."""
        metadata = f"filename {b64encode(name.encode()).decode()}"
        answer = self.call("POST", "/attachments/uploads/", {"Upload-Length": str(size), "Upload-Metadata": metadata})
        assert answer.status == 201, answer.read()
        return str(answer.headers["Location"])

    def offset(self, place: str) -> int:
        """Ask how much the server vouches for."""
        return int(self.call("HEAD", place).headers["Upload-Offset"])

    def call(self, method: str, place: str, more: dict[str, str] | None = None, body: bytes = b"") -> http.client.HTTPResponse:
        """Send one request and return the answer with its body read."""
        line = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE_SECONDS)
        try:
            line.request(method, place, body, self.headers | (more or {}))
            answer = line.getresponse()
            answer.read()
            return answer
        finally:
            line.close()

    def patch(self, place: str, offset: int, length: int) -> http.client.HTTPConnection:
        """Begin a PATCH and return its line: the body is still to be sent."""
        line = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE_SECONDS)
        line.putrequest("PATCH", place)
        sent = {"Content-Type": "application/offset+octet-stream", "Content-Length": str(length), "Upload-Offset": str(offset)}
        for name, value in (self.headers | sent).items():
            line.putheader(name, value)
        line.endheaders()
        return line
