"""The counted runs of the workday calendar against walking day by day, in calendars with gaps, at their edges."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from yunhe.kernel.workdays import OutsideCalendar, WorkdayCalendar

YEARS = (2019, 2020, 2022, 2023, 2024, 2026)
CALENDAR = WorkdayCalendar.from_rows((date(year, 5, 1), "holiday", "劳动节") for year in YEARS)
DAYS = st.dates(date(2018, 12, 20), date(2027, 1, 10))


def walked(start: date, count: int) -> date | str:
    """Return the day by the plain rule, or the day at which the walk left the calendar."""
    on = start
    while count:
        on += timedelta(days=1)
        if not CALENDAR.covers(on):
            return on.isoformat()
        count -= CALENDAR.is_workday(on)
    return on


def asked(question: Callable[[], date | int]) -> date | int | str:
    """Return the calendar's answer, or the day that it does not hold."""
    try:
        return question()
    except OutsideCalendar as refused:
        return next(word.strip(".,") for word in refused.say("en").split() if word.count("-") == 2)


@given(start=DAYS, count=st.integers(0, 400))
def test_adding_is_walking(start: date, count: int) -> None:
    assert asked(lambda: CALENDAR.add_workdays(start, count)) == walked(start, count)


@given(start=DAYS, until=DAYS)
def test_counting_is_walking(start: date, until: date) -> None:
    sign, (first, last) = (1, (start, until)) if start <= until else (-1, (until, start))
    days = [first + timedelta(days=step + 1) for step in range((last - first).days)]
    outside = next((on.isoformat() for on in days if not CALENDAR.covers(on)), None)
    assert asked(lambda: CALENDAR.count_workdays(start, until)) == (outside or sign * sum(map(CALENDAR.is_workday, days)))
