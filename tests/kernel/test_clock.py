"""The clock: aware, and still when frozen."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from yunhe.kernel import clock
from yunhe.kernel.errors import Invalid

NEW_YEAR = datetime(2026, 1, 1, 0, 0, tzinfo=clock.SHANGHAI)


def test_now_is_aware_utc_and_goes_on() -> None:
    first = clock.now()

    assert first.utcoffset() == timedelta(0)
    assert clock.now() >= first


def test_local_shows_the_wall_clock_of_china() -> None:
    shown = clock.local(datetime(2025, 12, 31, 16, 0, tzinfo=UTC))

    assert (shown.year, shown.month, shown.day, shown.hour) == (2026, 1, 1, 0)


def test_a_time_without_zone_is_refused() -> None:
    with pytest.raises(Invalid):
        clock.local(datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(Invalid), clock.frozen(datetime(2026, 1, 1)):  # noqa: DTZ001
        pass


def test_frozen_holds_in_every_thread_and_moves_when_told() -> None:
    seen: list[datetime] = []
    with clock.frozen(NEW_YEAR) as still:
        still.advance(timedelta(hours=1))
        thread = threading.Thread(target=lambda: seen.append(clock.now()))
        thread.start()
        thread.join()
        with clock.frozen(NEW_YEAR + timedelta(days=9)):
            assert clock.now() == NEW_YEAR + timedelta(days=9)
        assert clock.now() == NEW_YEAR + timedelta(hours=1)
        still.move_to(NEW_YEAR)
        assert clock.now() == NEW_YEAR

    assert seen == [NEW_YEAR + timedelta(hours=1)]
    assert abs((clock.now() - datetime.now(UTC)).total_seconds()) < 60
