"""Turns of threads that want one thing: who asks first gets it first."""

from __future__ import annotations

from collections import deque
from threading import Lock


class Turns:
    """A lock that is handed on in the order in which it was asked for.

    SQLite lets writers try again after a pause, and whoever tries at the right moment wins: among many threads one can lose
    until its patience ends ("database is locked"). A turn is nobody's after `give`, unless somebody waits: then it is theirs.
    """

    def __init__(self) -> None:
        self._guard, self._taken, self._waiting = Lock(), False, deque[Lock]()

    def take(self, seconds: float) -> bool:
        """Wait for the turn, at most so long; tell whether it is had."""
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            mine = Lock()
            mine.acquire()
            self._waiting.append(mine)
        if mine.acquire(timeout=seconds):
            return True
        with self._guard:
            if mine in self._waiting:
                self._waiting.remove(mine)
                return False
        return True  # it was handed over between the end of the wait and now

    def give(self) -> None:
        """Hand the turn on; only who has it may."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._taken = False
