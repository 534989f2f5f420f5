"""How times are said, at the instants where the words change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.utils import translation

from yunhe.kernel.clock import SHANGHAI
from yunhe.ui.times import say_date, say_left, say_span, say_time

SUNDAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("on", "zh", "en"),
    [
        (date(2026, 11, 22), "今天", "Today"),
        (date(2026, 11, 21), "昨天", "Yesterday"),
        (date(2026, 11, 23), "明天", "Tomorrow"),  # Monday of the next week is tomorrow before it is a weekday
        (date(2026, 11, 18), "周三", "Wed"),
        (date(2026, 11, 16), "周一", "Mon"),  # first day of this week
        (date(2026, 11, 15), "11-15", "11-15"),  # last day of the week before
        (date(2026, 11, 25), "11-25", "11-25"),
        (date(2026, 1, 1), "01-01", "01-01"),
        (date(2025, 12, 31), "2025-12-31", "2025-12-31"),
        (date(2027, 1, 1), "2027-01-01", "2027-01-01"),
    ],
)
def test_days(on: date, zh: str, en: str) -> None:
    with translation.override("zh-hans"):
        assert say_date(on, today=SUNDAY) == zh
    with translation.override("en"):
        assert say_date(on, today=SUNDAY) == en


def test_the_day_is_counted_in_shanghai() -> None:
    just_after_midnight = datetime(2026, 11, 21, 16, 0, tzinfo=UTC)
    with translation.override("zh-hans"):
        assert say_time(just_after_midnight, now=NOW) == "今天 00:00"
        assert say_time(just_after_midnight - timedelta(seconds=1), now=NOW) == "昨天 23:59"


def test_moments_of_this_year_carry_the_minute_and_others_do_not() -> None:
    assert say_time(datetime(2026, 3, 4, 9, 12, tzinfo=SHANGHAI), now=NOW) == "03-04 09:12"
    assert say_time(datetime(2024, 3, 4, 9, 12, tzinfo=SHANGHAI), now=NOW) == "2024-03-04"


def test_time_left_turns_at_the_last_second() -> None:
    with translation.override("zh-hans"):
        assert say_left(NOW + timedelta(hours=3, minutes=12), now=NOW) == "剩 3 小时 12 分"
        assert say_left(NOW, now=NOW) == "剩 0 秒"
        assert say_left(NOW - timedelta(days=6), now=NOW) == "超期 6 天 0 小时"


def test_spans() -> None:
    with translation.override("en"):
        assert [say_span(n) for n in (59, 60, 3600, 86400 * 2 + 3600)] == ["59 s", "1 min 0 s", "1 h 0 min", "2 d 1 h"]
