"""When something is due, and how that was counted: a pure function of start, limit, pauses and calendar.

A year whose holidays the State Council has not announced yet has no calendar. Work must not stop
for that: its days are then counted by the plain weekend rule and the result is marked estimated;
it is counted anew when the calendar arrives.

A pause (暂停) stops the clock: a day counts if the clock runs at its end, so a pause over one night
costs one day and one within a day costs none; hours stand still for as long as the pause lasts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import takewhile
from typing import Any

from yunhe.core.cases.types import CountedDay, LimitSpec
from yunhe.core.cases.types.views import Light
from yunhe.kernel.clock import SHANGHAI, local
from yunhe.kernel.workdays import CalendarDay, OutsideCalendar, WorkdayCalendar

SATURDAY = 5
PAUSED, HOURS = "paused", "hours"
FAR = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DueMark:
    """The result of counting. `estimated`: some counted day lies in a year without a calendar."""

    at: datetime
    estimated: bool


@dataclass(frozen=True, slots=True)
class Pause:
    """One closed pause of a clock, with the rule that allows it."""

    since: datetime
    until: datetime
    basis: str = ""


def read_pauses(rows: Iterable[Mapping[str, Any]]) -> tuple[Pause, ...]:
    """Return the closed pauses of a clock's row; shape of each: since, until (ISO times), basis."""
    return tuple(Pause(datetime.fromisoformat(row["since"]), datetime.fromisoformat(row["until"]), row["basis"]) for row in rows)


def count_due(
    *, started_at: datetime, amount: int, unit: str, calendar: WorkdayCalendar, pauses: tuple[Pause, ...] = ()
) -> DueMark:
    """Return when `amount` of `unit` after `started_at` ends.

    Units: workdays and days end at the last instant of the day in China; hours run through.
    Source: Civil Code articles 200-204 (the day of the event is not counted; the last day ends at 24:00).
    """
    if unit == "hours":
        return DueMark(_run_hours(started_at, timedelta(hours=amount), pauses), estimated=False)
    start = local(started_at).date()
    if not pauses and unit == "days":
        return DueMark(_end_of(start + timedelta(days=amount)), estimated=False)
    if not pauses:
        try:
            return DueMark(calendar.due_at(started_at, amount), estimated=False)
        except OutsideCalendar:
            pass
    days = list(_walk(start, amount, unit, calendar, pauses))
    estimated = unit == "workdays" and any(not calendar.covers(on) for on, _ in days)
    return DueMark(_end_of(days[-1][0] if days else start), estimated=estimated)


def list_counted_days(
    *, started_at: datetime, amount: int, unit: str, calendar: WorkdayCalendar, pauses: tuple[Pause, ...] = (),
    stands: tuple[Pause, ...] = (),
) -> tuple[CountedDay, ...]:  # fmt: skip
    """Return the day of the event and every day after it up to the due day, each with its reason.

    A clock that `stands` has no due day: the list ends with the last day of that pause so far. Hours are listed by stretches of
    time: those that count, which add up to `amount` at the due time, and the pauses between them.
    """
    if unit == "hours":
        return tuple(_stretches(started_at, timedelta(hours=amount), (*pauses, *stands), stands=bool(stands)))
    start = local(started_at).date()
    days = [CountedDay(start, None, "start")]
    names = {day.on: day for day in calendar.days}
    last = max((local(pause.until).date() for pause in stands), default=date.max)
    pauses += tuple(replace(pause, until=FAR) for pause in stands)
    for on, number in takewhile(lambda day: day[0] <= last, _walk(start, amount, unit, calendar, pauses)):
        stopped = _pause_over(on, pauses)
        if stopped is not None:
            days.append(CountedDay(on, None, PAUSED, stopped.basis))
        elif unit == "days":
            days.append(CountedDay(on, number, "day"))
        else:
            days.append(_counted(on, number, names, calendar))
    return tuple(days)


def soon_until(at: datetime, calendar: WorkdayCalendar) -> datetime:
    """Return up to when, seen at `at`, something is due soon: this week's end, or that of the next workday if that is later."""
    today = local(at).date()
    sunday, following = today + timedelta(days=6 - today.weekday()), today + timedelta(days=1)
    while not _works(following, calendar):
        following += timedelta(days=1)
    return _end_of(max(sunday, following))


def light_of(*, due_at: datetime | None, at: datetime, soon: datetime, paused: bool = False) -> Light:
    """Return the colour word of something due at `due_at`, seen at `at` (红黄绿灯); `soon` is what `soon_until` says."""
    if paused:
        return "paused"
    if due_at is None:
        return "none"
    if due_at < at:
        return "overdue"
    if local(due_at).date() == local(at).date():
        return "today"
    return "week" if due_at <= soon else "normal"


def first_limit(limits: tuple[LimitSpec, ...], applies: list[bool]) -> LimitSpec | None:
    """Return the first limit whose condition held."""
    return next((limit for limit, holds in zip(limits, applies, strict=True) if holds), None)


def _run_hours(started_at: datetime, amount: timedelta, pauses: tuple[Pause, ...]) -> datetime:
    due = started_at + amount
    for pause in sorted(pauses, key=lambda one: one.since):
        if pause.since <= due:
            due += pause.until - pause.since
    return due


def _stretches(started_at: datetime, left: timedelta, pauses: tuple[Pause, ...], *, stands: bool) -> Iterator[CountedDay]:
    at = started_at
    for pause in sorted(pauses, key=lambda one: one.since):
        if pause.since > at + left:
            break
        if pause.since > at:
            yield CountedDay(local(at).date(), None, HOURS, since=at, until=pause.since)
            left -= pause.since - at
        yield CountedDay(local(pause.since).date(), None, PAUSED, pause.basis, since=pause.since, until=pause.until)
        at = pause.until
    if not stands:
        yield CountedDay(local(at).date(), None, HOURS, since=at, until=at + left)


def _walk(
    start: date, amount: int, unit: str, calendar: WorkdayCalendar, pauses: tuple[Pause, ...]
) -> Iterator[tuple[date, int | None]]:
    on, number = start, 0
    while number < amount:
        on += timedelta(days=1)
        counts = _pause_over(on, pauses) is None and (unit == "days" or _works(on, calendar))
        number += counts
        yield on, number if counts else None


def _works(on: date, calendar: WorkdayCalendar) -> bool:
    return calendar.is_workday(on) if calendar.covers(on) else on.weekday() < SATURDAY


def _pause_over(on: date, pauses: tuple[Pause, ...]) -> Pause | None:
    """Return the pause in which the day ends."""
    if not pauses:
        return None
    end = _end_of(on)
    return next((pause for pause in pauses if pause.since <= end < pause.until), None)


def _counted(on: date, number: int | None, names: dict[date, CalendarDay], calendar: WorkdayCalendar) -> CountedDay:
    if not calendar.covers(on):
        return CountedDay(on, number, "unknown")
    named = names.get(on)
    if named is not None:
        return CountedDay(on, number, named.kind, named.name)
    return CountedDay(on, number, "workday" if number is not None else "weekend")


def _end_of(on: date) -> datetime:
    return datetime.combine(on, time.max, tzinfo=SHANGHAI).astimezone(UTC)
