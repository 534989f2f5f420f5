"""Calendar periods of recurring obligations (周期待办): when the next one begins, on the clock in China."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from yunhe.kernel.clock import SHANGHAI, local

MONTHS = {"month": 1, "quarter": 3, "half_year": 6, "year": 12}


def next_period(at: datetime, every: str) -> datetime:
    """Return the first instant of the period after the one that `at` lies in; aware UTC.

    Units: `every` is day, week (from Monday), month, quarter, half_year or year.
    """
    today = local(at).date()
    if every == "day":
        first = today + timedelta(days=1)
    elif every == "week":
        first = today + timedelta(days=7 - today.weekday())
    else:
        months = MONTHS[every]
        number = (today.month - 1) // months * months + months
        first = date(today.year + number // 12, number % 12 + 1, 1)
    return datetime.combine(first, time.min, tzinfo=SHANGHAI).astimezone(UTC)
