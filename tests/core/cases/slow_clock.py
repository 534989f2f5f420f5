"""The slow reference of the clock: an event log and a walk, day by day, and for hours from one stop to the next.

It shares nothing with the engine but the idea of a day in China: eight hours ahead of UTC, no summer time.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

CHINA = timedelta(hours=8)
QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)


@dataclass
class SlowCalendar:
    """Which days differ from the weekend rule; a year of which nothing is known is guessed."""

    holidays: set[date] = field(default_factory=set)
    makeups: set[date] = field(default_factory=set)

    def knows(self, on: date) -> bool:
        return on.year in {day.year for day in self.holidays | self.makeups}

    def works(self, on: date) -> bool:
        if on in self.makeups:
            return True
        return on not in self.holidays and on.isoweekday() not in (6, 7)

    def replace_year(self, year: int, holidays: set[date], makeups: set[date]) -> None:
        """Do forget what was known of the year."""
        for known, told in ((self.holidays, holidays), (self.makeups, makeups)):
            known.difference_update([day for day in known if day.year == year])
            known.update(told)


@dataclass
class SlowClock:
    """A limit that runs: when it was started and every moment at which it was stopped or let go."""

    start: datetime
    amount: int
    unit: str
    log: list[tuple[datetime, bool]] = field(default_factory=list)
    over: bool = False
    warned: int = 0
    why: str = ""

    def runs_at(self, at: datetime) -> bool:
        """Tell whether it runs at that instant; of several changes at one instant the last counts."""
        runs = True
        for moment, on in self.log:
            if moment <= at:
                runs = on
        return runs

    def is_stopped(self) -> bool:
        return bool(self.log) and not self.log[-1][1]

    def stop(self, at: datetime, why: str) -> None:
        if not self.is_stopped():
            self.log.append((at, False))
            self.why = why

    def go(self, at: datetime) -> None:
        if self.is_stopped():
            self.log.append((at, True))
            self.why = ""

    def due(self, calendar: SlowCalendar) -> datetime | None:
        """Return when the time is over; None while it stands."""
        if self.is_stopped():
            return None
        return self._due_by_hours() if self.unit == "hours" else end_of(self.days(calendar)[-1][0])

    def days(self, calendar: SlowCalendar, until: date | None = None) -> list[tuple[date, bool]]:
        """Return the day of the start and every day up to the last one, with whether it counted."""
        on, left = day_of(self.start), self.amount
        told = [(on, False)]
        while left and (until is None or on < until):
            on += DAY
            counts = self.runs_at(end_of(on)) and (self.unit == "days" or calendar.works(on))
            left -= counts
            told.append((on, counts))
        return told

    def _due_by_hours(self) -> datetime:
        left, edges = timedelta(hours=self.amount), sorted({self.start, *(moment for moment, _ in self.log if moment > self.start)})
        for a, b in pairwise(edges):
            if self.runs_at(a) and left < b - a:
                return a + left
            left -= (b - a) * self.runs_at(a)
        return edges[-1] + left

    def guessed(self, calendar: SlowCalendar) -> bool:
        """Tell whether a day that nobody has announced was walked over."""
        return self.unit == "workdays" and not self.is_stopped() and any(not calendar.knows(on) for on, _ in self.days(calendar)[1:])

    def running(self, since: datetime, until: datetime) -> timedelta:
        """Return for how long it ran between two instants."""
        edges = sorted({since, until, *(moment for moment, _ in self.log if since < moment < until)})
        return sum((b - a for a, b in pairwise(edges) if self.runs_at(a)), timedelta())

    def passed(self, percents: tuple[int, ...], calendar: SlowCalendar, at: datetime) -> int:
        """Return how many rungs lie behind at that instant, of a clock that runs."""
        rungs = [self.rung(percent, calendar) for percent in percents]
        return sum(rung is not None and rung <= at for rung in rungs)

    def rung(self, percent: int, calendar: SlowCalendar) -> datetime | None:
        """Return when a share of the running time has passed; None while it stands."""
        due = self.due(calendar)
        if due is None:
            return None
        left = self.running(self.start, due) * percent // 100
        for a, b in pairwise(sorted({self.start, due, *(moment for moment, _ in self.log if self.start < moment < due)})):
            if self.runs_at(a) and left <= b - a:
                return a + left
            left -= (b - a) * self.runs_at(a)
        return due


def day_of(at: datetime) -> date:
    return (at.astimezone(UTC) + CHINA).date()


def end_of(on: date) -> datetime:
    midnight = datetime(on.year, on.month, on.day, tzinfo=UTC) + DAY - CHINA
    return midnight - timedelta(microseconds=1)
