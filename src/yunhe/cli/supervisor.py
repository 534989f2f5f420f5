"""`yunhe up`: web, worker and gateway as children; each restarts alone, none outlives the parent."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import FrameType

PR_SET_PDEATHSIG = 1
SHORTEST_PAUSE_S, LONGEST_PAUSE_S, STEADY_S, STOP_S = 0.2, 10.0, 30.0, 20.0


@dataclass(slots=True)
class Child:
    """One supervised process and how long to pause before it is started again."""

    name: str
    arguments: Sequence[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    pause_s: float = SHORTEST_PAUSE_S
    restarts: int = 0


@dataclass(slots=True)
class Supervisor:
    """Keeps the children alive until told to stop; `say` tells people what happens."""

    say: Callable[[str], None]
    children: list[Child] = field(default_factory=list)
    stopping: bool = False

    def run(self) -> None:
        """Start every child and watch until SIGTERM or SIGINT; then stop them and return."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while not self.stopping:
            for child in self.children:
                self._tend(child)
            time.sleep(0.1)
        self._end_all()

    def _tend(self, child: Child) -> None:
        moment = time.monotonic()
        if child.process is None:
            if moment >= child.start_at:
                self._start(child, moment)
            return
        code = child.process.poll()
        if code is None:
            if moment - child.started_at > STEADY_S:
                child.pause_s = SHORTEST_PAUSE_S
            return
        self.say(f"{child.name} ended (exit {code}); starting it again in {child.pause_s:.1f} s")
        child.process, child.start_at = None, moment + child.pause_s
        child.pause_s, child.restarts = min(child.pause_s * 2, LONGEST_PAUSE_S), child.restarts + 1

    def _start(self, child: Child, moment: float) -> None:
        command = [sys.executable, "-m", "yunhe.cli.main", *child.arguments]
        child.process = subprocess.Popen(  # noqa: S603 - our own commands
            command,
            preexec_fn=_die_with_parent,  # noqa: PLW1509 - the supervisor has no other thread
            stdin=subprocess.DEVNULL,
        )
        child.started_at = moment

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self.stopping = True

    def _end_all(self) -> None:
        running = [child.process for child in self.children if child.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + STOP_S
        for process in running:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()


def _die_with_parent() -> None:
    """Ask Linux to end this child when its parent dies, however that happens."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    os.setsid()
