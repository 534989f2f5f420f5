"""A real node for journeys: its own home and ports, the real command line, the real processes."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
START_S, STOP_S = 60, 30


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Answer:
    """What one command line answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return the one JSON line."""
        lines = [line for line in self.out.splitlines() if line.strip()]
        assert len(lines) == 1, (self.code, self.out, self.err)
        return json.loads(lines[0])


@dataclass
class Node:
    """One node under a folder. `more` are further settings (environment)."""

    home: Path
    more: Mapping[str, str] = field(default_factory=dict)
    web_port: int = field(default_factory=free_port)
    gateway_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    accounts: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("YUNHE_")}
        return kept | {
            "YUNHE_HOME": str(self.home),
            "YUNHE_WEB_PORT": str(self.web_port),
            "YUNHE_GATEWAY_PORT": str(self.gateway_port),
            "YUNHE_LOG": "text",
            "PYTHONPATH": str(ROOT / "src"),
            "LANG": "C.UTF-8",
            **self.more,
        }

    def run(self, *words: str, stdin: str = "", seconds: float = 300) -> Answer:
        """Run one command line and return what it answered, whatever the exit code."""
        done = subprocess.run(
            [sys.executable, "-m", "yunhe.cli.main", *words],
            env=self.environment,
            cwd=ROOT,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def do(self, *words: str, stdin: str = "") -> Any:
        """Run one command line with --json that must succeed; return its JSON."""
        answer = self.run(*words, "--json", stdin=stdin)
        assert answer.code == 0, (words, answer.code, answer.out, answer.err)
        return answer.json

    def as_person(self, who: str) -> tuple[str, ...]:
        """Return the words with which an account of `accounts` acts and proves it; both profiles take them."""
        file = self.home.parent / "passwords" / who
        if not file.exists():
            file.parent.mkdir(mode=0o700, exist_ok=True)
            file.touch(0o600)
            file.write_text(self.accounts[who] + "\n", "utf-8")
        return ("--as", who, "--password-file", str(file))

    def start(self) -> None:
        """Start `yunhe up` and wait until pages and gateway answer."""
        log = (self.home.parent / f"{self.home.name}.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "yunhe.cli.main", "up"],
            env=self.environment,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        self.wait_ready()

    def wait_ready(self, seconds: float = START_S) -> None:
        """Wait until pages and gateway are ready."""
        deadline = time.monotonic() + seconds
        waiting = [f"{self.web}/readyz", f"{self.gateway}/readyz"]
        while waiting:
            waiting = [url for url in waiting if not _answers(url)]
            if waiting and time.monotonic() > deadline:
                raise AssertionError(f"not ready: {waiting}\n{self.log_tail()}")
            time.sleep(0.1)

    def log_tail(self, count: int = 40) -> str:
        """Return the last lines of the processes' log."""
        log = self.home.parent / f"{self.home.name}.log"
        return "\n".join(log.read_text("utf-8", "replace").splitlines()[-count:]) if log.exists() else ""

    def stop(self) -> None:
        """Stop everything that `start` started."""
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process = None

    def pids(self, word: str = "") -> list[int]:
        """Return the pids of this node's processes, or of one kind: web, worker, gateway."""
        found = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                environ = (entry / "environ").read_bytes()
            except OSError:
                continue
            if (not word or word.encode() in words) and f"YUNHE_HOME={self.home}".encode() in environ.split(b"\0"):
                found.append(int(entry.name))
        return found

    @property
    def web(self) -> str:
        return f"http://127.0.0.1:{self.web_port}"

    @property
    def gateway(self) -> str:
        return f"http://127.0.0.1:{self.gateway_port}"


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
