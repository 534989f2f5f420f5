"""The one clock of the house: aware UTC inside, Asia/Shanghai for people."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from yunhe.kernel.errors import Invalid

SHANGHAI = ZoneInfo("Asia/Shanghai")


class FrozenClock:
    """A clock that stands still until it is moved; what `frozen` hands out."""

    def __init__(self, at: datetime) -> None:
        self.at = _aware(at)

    def advance(self, by: timedelta) -> None:
        """Do move the clock by `by`."""
        self.at += by

    def move_to(self, at: datetime) -> None:
        """Do set the clock to `at` (aware)."""
        self.at = _aware(at)


_stack: list[FrozenClock] = []
_stack_lock = threading.Lock()


def now() -> datetime:
    """Return the present instant, aware, in UTC."""
    return _stack[-1].at if _stack else datetime.now(UTC)


def local(at: datetime) -> datetime:
    """Return the same instant as the clock on a wall in China shows it.

    Raises: Invalid on a time without a zone, which is no instant.
    """
    return _aware(at).astimezone(SHANGHAI)


@contextmanager
def frozen(at: datetime) -> Iterator[FrozenClock]:
    """Do hold `now()` at `at` in every thread of this process; for tests only."""
    clock = FrozenClock(at)
    with _stack_lock:
        _stack.append(clock)
    try:
        yield clock
    finally:
        with _stack_lock:
            _stack.remove(clock)


def _aware(at: datetime) -> datetime:
    if at.tzinfo is None or at.utcoffset() is None:
        raise Invalid(where="time", expected="a time with its zone", found=at.isoformat())
    return at.astimezone(UTC)
