"""How a change of procedure shares the database with those who work: short transactions, and a rest in which others get their turn.

SQLite has one writer: while a transaction of a change is open, everybody else's writes wait. They ask again every tenth of a
second at most (its busy handler), so a rest a little longer than that lets each of them in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from django.db import connection

MOST = 2000
"""Most cases of one transaction: what it holds in memory, and what is done again after a kill."""
LONGEST_SECONDS = 0.5
"""When a transaction ends that has done a part of its cases: at the end of the piece in which this passes."""
PIECES = 3
FIRST, GROWTH = 25, 8
REST_SECONDS, REST_AFTER_SECONDS = 0.12, 2.0
"""So long a rest, at the latest when the database was held for so long; measured: 1.65 s for 10,000 cases, with no rest within."""
SHORT_REST_SECONDS = 0.002


class Pace:
    """How many cases the next transaction of a change takes, by how long the last ones took."""

    def __init__(self) -> None:
        self.most, self._held, self._free_since = min(FIRST, MOST), 0.0, time.monotonic()

    def take(self, ids: Sequence[str], move: Callable[[Sequence[str]], int]) -> tuple[int, int]:
        """Move the first of the cases, piece by piece until the time is over; return how many were looked at, and moved."""
        begun, looked, moved = time.monotonic(), 0, 0
        if begun - self._free_since >= REST_SECONDS:
            self._held = 0.0  # what was worked out before was rest enough for the others
        piece = -(-self.most // PIECES)
        while looked < len(ids) and (not looked or time.monotonic() - begun < LONGEST_SECONDS):
            some = ids[looked : looked + piece]
            moved += move(some)
            looked += len(some)
        seconds = time.monotonic() - begun
        self._held += seconds
        fits = int(looked * LONGEST_SECONDS / seconds) if seconds > 0 else MOST
        self.most = min(MOST, max(FIRST, min(fits, self.most * GROWTH)))  # never fewer: a transaction costs something by itself
        return looked, moved

    def rest(self) -> None:
        """Let others write, after a transaction: for a moment, or as long as all who wait need to ask again."""
        over = self._held >= REST_AFTER_SECONDS
        self._free_since = time.monotonic()
        let_others_in(REST_SECONDS if over else SHORT_REST_SECONDS)
        self._held = 0.0 if over else self._held


def let_others_in(seconds: float) -> None:
    """Rest between two transactions where the database has one writer, who has to stand back for the others."""
    if not connection.features.has_select_for_update:
        time.sleep(seconds)
