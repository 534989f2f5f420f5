"""Identifiers of rows and records: ULIDs, 26 characters, sorted by the time of their making."""

from __future__ import annotations

import os
import threading
import time

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford base 32; source: the ULID specification
LENGTH = 26
RANDOM_BITS = 80
STEP_BYTES = 4
POOL_BYTES = 400
_PAIRS = tuple(first + second for first in ALPHABET for second in ALPHABET)


class _Maker:
    """Makes rising ids within one process; a forked child starts from fresh randomness."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0
        self._pool = b""

    def make(self) -> int:
        fresh = (time.time_ns() // 1_000_000) << RANDOM_BITS
        with self._lock:
            if fresh >> RANDOM_BITS > self._last >> RANDOM_BITS:
                self._last = fresh | self._random(RANDOM_BITS // 8)
            else:
                self._last += 1 + self._random(STEP_BYTES)
            return self._last

    def _random(self, count: int) -> int:
        if len(self._pool) < count:
            self._pool = os.urandom(POOL_BYTES)  # a call to the system per id would cost more than the id
        taken, self._pool = self._pool[:count], self._pool[count:]
        return int.from_bytes(taken, "big")

    def start_anew(self) -> None:
        """Do forget the parent's state: two processes must never count on from the same number."""
        self._lock = threading.Lock()
        self._last = 0
        self._pool = b""


_maker = _Maker()
os.register_at_fork(after_in_child=_maker.start_anew)


def new_id() -> str:
    """Return a new ULID; within a process each one sorts after the one before it."""
    number = _maker.make()
    pairs = [_PAIRS[(number >> shift) & 1023] for shift in range(120, -1, -10)]
    return "".join(pairs)


def is_id(text: object) -> bool:
    """Tell whether `text` is written as `new_id` writes: upper case, no more than 128 bits."""
    if not isinstance(text, str) or len(text) != LENGTH or text[0] > "7":
        return False
    return all(letter in ALPHABET for letter in text)
