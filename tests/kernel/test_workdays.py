"""The workday calendar: against an independent package, day by day, and against plain counting."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import chinese_calendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import yunhe_packs
from tests.soaking import amount
from yunhe.kernel.clock import SHANGHAI, local
from yunhe.kernel.errors import Invalid
from yunhe.kernel.workdays import BrokenCalendar, OutsideCalendar, WorkdayCalendar, read_calendar

FILE = Path(yunhe_packs.__path__[0]) / "national" / "calendars" / "workdays.csv"
CALENDAR = read_calendar(FILE)
FIRST, LAST = date(2004, 1, 1), date(2026, 12, 31)


def _days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=step) for step in range((last - first).days + 1)]


def test_every_day_of_2004_to_2026_agrees_with_the_independent_package() -> None:
    differing = [day for day in _days(FIRST, LAST) if CALENDAR.is_workday(day) != chinese_calendar.is_workday(day)]

    assert differing == []


def test_the_file_lists_only_days_that_differ_from_the_weekend_rule_each_with_its_basis() -> None:
    for day in CALENDAR.days:
        assert (day.kind == "holiday") == (day.on.weekday() < 5), day
        assert day.name, day
        assert day.basis.startswith("国务院"), day
    assert {day.on.year for day in CALENDAR.days} == set(range(2004, 2027))


def test_years_without_notice_are_outside() -> None:
    assert not CALENDAR.covers(date(2003, 12, 31))
    assert not CALENDAR.covers(date(2027, 1, 1))
    for day in (date(2003, 12, 31), date(2027, 1, 4)):
        with pytest.raises(OutsideCalendar) as caught:
            CALENDAR.is_workday(day)
        assert "2004-2026" in caught.value.say("zh")
        assert day.isoformat() in caught.value.say("en")


def test_first_day_after_spring_festival_counts_as_the_first_workday() -> None:
    # 2024: the last workday before the festival was Friday 9 February, then Sunday 18 February was worked.
    assert CALENDAR.add_workdays(date(2024, 2, 9), 1) == date(2024, 2, 18)
    assert CALENDAR.add_workdays(date(2024, 2, 9), 2) == date(2024, 2, 19)


def test_the_day_of_the_event_is_never_counted() -> None:
    monday = date(2024, 3, 4)
    assert CALENDAR.add_workdays(monday, 1) == date(2024, 3, 5)
    assert CALENDAR.add_workdays(monday, 0) == monday
    assert CALENDAR.count_workdays(monday, monday) == 0


def test_last_second_of_the_fifth_workday() -> None:
    started = datetime(2024, 3, 4, 23, 59, 59, tzinfo=SHANGHAI)

    due = CALENDAR.due_at(started, 5)

    assert due.utcoffset() == timedelta(0)
    assert local(due) == datetime(2024, 3, 11, 23, 59, 59, 999999, tzinfo=SHANGHAI)


def test_the_day_is_the_day_in_china_not_in_utc() -> None:
    half_past_midnight = datetime(2024, 3, 4, 16, 30, tzinfo=UTC)  # 5 March in China

    assert local(CALENDAR.due_at(half_past_midnight, 1)).date() == date(2024, 3, 6)


def test_a_period_that_leaves_the_calendar_is_refused_not_guessed() -> None:
    with pytest.raises(OutsideCalendar):
        CALENDAR.add_workdays(date(2026, 12, 30), 5)
    with pytest.raises(OutsideCalendar):
        CALENDAR.count_workdays(date(2026, 12, 30), date(2027, 1, 5))
    with pytest.raises(OutsideCalendar):
        WorkdayCalendar.from_rows([(date(9999, 12, 31), "holiday", "last day")]).add_workdays(date(9999, 12, 30), 1)


def test_a_negative_count_and_a_naive_time_are_refused() -> None:
    with pytest.raises(Invalid):
        CALENDAR.add_workdays(FIRST, -1)
    with pytest.raises(Invalid):
        CALENDAR.due_at(datetime(2024, 3, 4), 1)  # noqa: DTZ001


@settings(max_examples=amount(small=60, full=2000), deadline=None)
@given(start=st.dates(FIRST, date(2026, 6, 1)), count=st.integers(0, 60))
def test_adding_and_counting_agree_with_a_plain_walk(start: date, count: int) -> None:
    walked = [
        day
        for day in _days(start + timedelta(days=1), min(LAST, start + timedelta(days=150)))
        if chinese_calendar.is_workday(day)
    ]

    reached = CALENDAR.add_workdays(start, count)

    assert reached == (walked[count - 1] if count else start)
    assert CALENDAR.count_workdays(start, reached) == count
    assert CALENDAR.count_workdays(reached, start) == -count


@pytest.mark.parametrize(
    ("content", "where", "expected"),
    [
        ("on,kind,name\n2024-01-01,holiday,元旦\n", ":1", "on,kind,name,basis"),
        ("on,kind,name,basis\n2024-02-30,holiday,元旦,x\n", ":2", "a date"),
        ("on,kind,name,basis\n2024-01-01,feast,元旦,x\n", ":2", "holiday or makeup"),
        ("on,kind,name,basis\n2024-01-01,holiday,元旦\n", ":2", "4 columns"),
        ("", ":1", "on,kind,name,basis"),
    ],
)
def test_a_broken_file_says_where(tmp_path: Path, content: str, where: str, expected: str) -> None:
    path = tmp_path / "workdays.csv"
    path.write_text(content, encoding="utf-8")

    with pytest.raises(BrokenCalendar) as caught:
        read_calendar(path)

    assert f"{path}{where}" in caught.value.say("en")
    assert expected in caught.value.say("en")


def test_a_file_of_other_bytes_or_no_file_is_a_broken_calendar(tmp_path: Path) -> None:
    path = tmp_path / "workdays.csv"
    path.write_bytes(b"on,kind,name,basis\n2024-01-01,holiday,\xd4\xaa\xb5\xa9,x\n")
    for broken in (path, tmp_path / "absent.csv"):
        with pytest.raises(BrokenCalendar):
            read_calendar(broken)


def test_a_day_named_twice_is_refused() -> None:
    rows = [(date(2024, 5, 1), "holiday", "劳动节"), (date(2024, 5, 1), "makeup", "劳动节")]
    with pytest.raises(BrokenCalendar):
        WorkdayCalendar.from_rows(rows)  # type: ignore[arg-type]
