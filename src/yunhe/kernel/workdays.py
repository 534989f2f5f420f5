"""Workdays (工作日) of the Chinese administration: dated data, never a rule guessed ahead.

A day is a workday if it is Monday to Friday and no holiday row names it, or if a make-up row
(调休上班) names it. Years without any row are outside the calendar: the State Council has not
said yet which days they have.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import accumulate
from itertools import count as count_from
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Literal

from yunhe.kernel.clock import SHANGHAI, local
from yunhe.kernel.errors import Invalid, Kind, Terminal

DayKind = Literal["holiday", "makeup"]
COLUMNS = ("on", "kind", "name", "basis")
SATURDAY = 5
ONE_DAY = timedelta(days=1)


class OutsideCalendar(Terminal):
    """A day of a year that the workday calendar does not hold."""

    code = "outside_calendar"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "工作日历只到{covered}，没有 {on}。请先导入该年度的放假安排（calendars/workdays.csv）。",
        "en": "The workday calendar holds {covered}, not {on}. Load that year's notice (calendars/workdays.csv).",
    }


class BrokenCalendar(Terminal):
    """A row of the calendar file that cannot be read."""

    code = "broken_calendar"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "工作日历 {where}：需要{expected}，实际是“{found}”。",
        "en": 'Workday calendar {where}: expected {expected}, found "{found}".',
    }


@dataclass(frozen=True, slots=True)
class CalendarDay:
    """One day that differs from the plain weekend rule, with the notice that says so."""

    on: date
    kind: DayKind
    name: str
    basis: str = ""


class _Run:
    """Covered years without a gap: the ordinals of their workdays, and how many lie before each day."""

    def __init__(self, year: int, until: int, is_workday: Callable[[date], bool]) -> None:
        self.first, self.last = date(year, 1, 1).toordinal(), date(until, 12, 31).toordinal()
        works = [is_workday(date.fromordinal(day)) for day in range(self.first, self.last + 1)]
        self.workdays = [self.first + place for place, one in enumerate(works) if one]
        self._counted = [0, *accumulate(works)]

    def before(self, day: int) -> int:
        """Return how many workdays of the run lie before the day."""
        return self._counted[day - self.first]


class WorkdayCalendar:
    """Counts workdays. Immutable; holds only the years that its rows name."""

    def __init__(self, days: Iterable[CalendarDay]) -> None:
        self._days: Mapping[date, CalendarDay] = MappingProxyType(_by_date(days))
        self._years = frozenset(on.year for on in self._days)

    @classmethod
    def from_rows(cls, rows: Iterable[tuple[date, DayKind, str]]) -> WorkdayCalendar:
        """Return the calendar of rows (date, "holiday" or "makeup", name).

        Raises: BrokenCalendar if a day is named twice or its kind is unknown.
        """
        return cls(CalendarDay(*row) for row in rows)

    @property
    def days(self) -> tuple[CalendarDay, ...]:
        """Return the days that differ from the plain weekend rule, by date."""
        return tuple(self._days[on] for on in sorted(self._days))

    def covers(self, on: date) -> bool:
        """Tell whether the calendar holds the year of `on`."""
        return on.year in self._years

    def is_workday(self, on: date) -> bool:
        """Tell whether `on` is a workday. Raises: OutsideCalendar."""
        self._require(on)
        day = self._days.get(on)
        return on.weekday() < SATURDAY if day is None else day.kind == "makeup"

    def add_workdays(self, start: date, count: int) -> date:
        """Return the day on which the `count`-th workday after `start` falls.

        The day after `start` is the first that can count; 0 gives `start` itself.
        Raises: OutsideCalendar; Invalid on a negative count.
        Source: Civil Code article 201 (the day of the event is not counted).
        """
        if count < 0:
            raise Invalid(where="workdays", expected="0 or more", found=str(count))
        if not count:
            return start
        first = _next_day(start)
        self._require(first)
        run = self._run_of[first.year]
        place = run.before(first.toordinal()) + count - 1
        if place < len(run.workdays):
            return date.fromordinal(run.workdays[place])
        outside = _next_day(date.fromordinal(run.last))
        raise OutsideCalendar(on=outside.isoformat(), covered=self._covered())

    def count_workdays(self, start: date, until: date) -> int:
        """Return how many workdays lie after `start` up to and including `until`.

        Negative when `until` is the earlier day, so that it answers "how many are left".
        Raises: OutsideCalendar.
        """
        if until < start:
            return -self.count_workdays(until, start)
        if until == start:
            return 0
        run = self._run_of.get(until.year)
        if run and run.first <= start.toordinal() + 1:
            return run.before(until.toordinal() + 1) - run.before(start.toordinal() + 1)
        return sum(self.is_workday(start + timedelta(days=step + 1)) for step in range((until - start).days))

    def due_at(self, started_at: datetime, workdays: int) -> datetime:
        """Return the last microsecond, in China, of the `workdays`-th workday after `started_at`; aware UTC.

        Raises: OutsideCalendar; Invalid on a time without a zone.
        """
        last_day = self.add_workdays(local(started_at).date(), workdays)
        return datetime.combine(last_day, time.max, tzinfo=SHANGHAI).astimezone(UTC)

    @cached_property
    def _run_of(self) -> Mapping[int, _Run]:
        """Return by year the unbroken run of covered years that it lies in, counted once."""
        found: dict[int, _Run] = {}
        for year in sorted(self._years):
            if year not in found:
                until = next(later for later in count_from(year) if later + 1 not in self._years)
                found |= dict.fromkeys(range(year, until + 1), _Run(year, until, self.is_workday))
        return found

    def _require(self, on: date) -> None:
        if not self.covers(on):
            raise OutsideCalendar(on=on.isoformat(), covered=self._covered())

    def _covered(self) -> str:
        years = sorted(self._years)
        return f"{years[0]}-{years[-1]}" if years else "-"


def read_calendar(path: Path) -> WorkdayCalendar:
    """Return the calendar of a CSV file with the columns on, kind, name, basis.

    Raises: BrokenCalendar with file and line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            header = tuple(next(reader, ()))
            if header != COLUMNS:
                raise BrokenCalendar(where=f"{path}:1", expected=",".join(COLUMNS), found=",".join(header))
            days = [_parse_row(row, f"{path}:{reader.line_num}") for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BrokenCalendar(where=str(path), expected="UTF-8 CSV", found=str(error)) from error
    return WorkdayCalendar(days)


def _parse_row(row: list[str], where: str) -> CalendarDay:
    if len(row) != len(COLUMNS):
        raise BrokenCalendar(where=where, expected=f"{len(COLUMNS)} columns", found=str(len(row)))
    try:
        on = date.fromisoformat(row[0])
    except ValueError as error:
        raise BrokenCalendar(where=where, expected="a date YYYY-MM-DD", found=row[0]) from error
    return CalendarDay(on=on, kind=_kind(row[1], where), name=row[2], basis=row[3])


def _kind(text: str, where: str) -> DayKind:
    if text == "holiday":
        return "holiday"
    if text == "makeup":
        return "makeup"
    raise BrokenCalendar(where=where, expected="holiday or makeup", found=text)


def _by_date(days: Iterable[CalendarDay]) -> dict[date, CalendarDay]:
    found: dict[date, CalendarDay] = {}
    for day in days:
        _kind(day.kind, day.on.isoformat())
        if day.on in found:
            twice = f"{found[day.on].name}, {day.name}"
            raise BrokenCalendar(where=day.on.isoformat(), expected="each day once", found=twice)
        found[day.on] = day
    return found


def _next_day(on: date) -> date:
    if on == date.max:
        raise OutsideCalendar(on=on.isoformat(), covered="-")
    return on + ONE_DAY
