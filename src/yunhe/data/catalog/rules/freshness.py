"""Whether a resource was updated within its cycle, by Shanghai days."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import date, timedelta

from yunhe.data.catalog.types import Freshness

DAYS: Mapping[str, int] = {"realtime": 1, "daily": 1, "weekly": 7}
MONTHS: Mapping[str, int] = {"monthly": 1, "quarterly": 3, "half_yearly": 6, "yearly": 12}


def next_due(cycle: str, last_on: date) -> date | None:
    """Return the last day on which the next release is in time; None if no cycle binds.

    A daily resource released on day D is due on D+1 (to the end of that day); a monthly one on the
    same day of the next month, or on that month's last day. A real-time one is expected every day.
    """
    if cycle in DAYS:
        return last_on + timedelta(days=DAYS[cycle])
    if cycle in MONTHS:
        return add_months(last_on, MONTHS[cycle])
    return None


def freshness_on(*, cycle: str, last_on: date | None, on: date) -> Freshness:
    """Return how fresh a resource is on the day `on`; late counts the days after the due day."""
    if last_on is None:
        return Freshness("never")
    due = next_due(cycle, last_on)
    if due is None:
        return Freshness("unbound", last_on)
    if on <= due:
        return Freshness("fresh", last_on, due)
    return Freshness("late", last_on, due, (on - due).days)


def add_months(day: date, months: int) -> date:
    """Return the same day `months` later, or that month's last day where it has no such day."""
    count = day.year * 12 + day.month - 1 + months
    year, month = divmod(count, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
