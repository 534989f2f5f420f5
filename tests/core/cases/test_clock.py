"""Due dates against a slow count by hand, over the calendar of the national pack."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Cast
from tests.core.cases.kinds import NATIONAL
from yunhe.core.cases import api
from yunhe.core.cases.models import EventRecord
from yunhe.core.cases.rules.clock import Pause, count_due, light_of, list_counted_days, soon_until
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import SHANGHAI
from yunhe.kernel.workdays import CalendarDay, WorkdayCalendar, read_calendar

CALENDAR = read_calendar(NATIONAL / "calendars" / "workdays.csv")
NAMED = {day.on: day.kind for day in CALENDAR.days}


def shanghai(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SHANGHAI)  # type: ignore[misc,arg-type]


def slow_due(start: date, workdays: int) -> date:
    """The oracle: walk the days one by one."""
    on = start
    while workdays:
        on += timedelta(days=1)
        works = NAMED.get(on) == "makeup" if on in NAMED else on.weekday() < 5
        workdays -= works
    return on


@given(st.integers(0, 7800), st.integers(0, 86399), st.integers(0, 60))
def test_workdays_agree_with_a_walk_day_by_day(day: int, second: int, amount: int) -> None:
    started = datetime(2004, 1, 1, tzinfo=UTC) + timedelta(days=day, seconds=second)
    due = count_due(started_at=started, amount=amount, unit="workdays", calendar=CALENDAR)
    expected = slow_due(started.astimezone(SHANGHAI).date(), amount)
    assert due.at == datetime.combine(expected, time.max, tzinfo=SHANGHAI) and not due.estimated
    days = list_counted_days(started_at=started, amount=amount, unit="workdays", calendar=CALENDAR)
    assert days[0].reason == "start" and days[-1].on == expected
    assert [day.number for day in days if day.number] == list(range(1, amount + 1))
    assert all((day.number is not None) == (day.reason in ("workday", "makeup")) for day in days)


def test_first_day_after_spring_festival() -> None:
    due = count_due(started_at=shanghai(2026, 2, 14, 9), amount=1, unit="workdays", calendar=CALENDAR)
    days = list_counted_days(started_at=shanghai(2026, 2, 14, 9), amount=1, unit="workdays", calendar=CALENDAR)
    assert due.at.astimezone(SHANGHAI).date() == slow_due(date(2026, 2, 14), 1) == date(2026, 2, 24)
    assert {day.name for day in days if day.reason == "holiday"} == {"春节"}


def test_last_second_of_the_fifth_workday() -> None:
    due = count_due(started_at=shanghai(2026, 3, 2, 23, 59), amount=5, unit="workdays", calendar=CALENDAR).at
    assert due.astimezone(SHANGHAI).date() == date(2026, 3, 9)
    assert light(due, due) == "today"
    assert light(due, due + timedelta(microseconds=1)) == "overdue"
    assert light(due, shanghai(2026, 3, 7, 23)) == "week"  # a Saturday: Monday is the next workday
    assert light(due, shanghai(2026, 3, 5)) == "normal"  # a Thursday
    assert light(due, shanghai(2026, 3, 9, 0)) == "today"
    assert light(shanghai(2026, 3, 6, 12), shanghai(2026, 3, 4)) == "week"
    assert light(None, due) == "none"
    assert light_of(due_at=due, at=due + timedelta(days=9), soon=due, paused=True) == "paused"


def light(due: datetime | None, at: datetime) -> str:
    return light_of(due_at=due, at=at, soon=soon_until(at, CALENDAR))


@pytest.mark.parametrize(
    ("at", "last"),
    [
        (shanghai(2026, 3, 4, 9), date(2026, 3, 8)),  # Wednesday: until Sunday
        (shanghai(2026, 3, 6, 9), date(2026, 3, 9)),  # Friday: Monday too
        (shanghai(2026, 2, 14, 9), date(2026, 2, 24)),  # the day before Spring Festival: the first workday after it
    ],
)
def test_soon_is_this_week_or_the_next_workday(at: datetime, last: date) -> None:
    assert soon_until(at, CALENDAR) == datetime.combine(last, time.max, tzinfo=SHANGHAI)


@given(
    hours=st.integers(1, 200),
    spans=st.lists(st.tuples(st.integers(1, 3000), st.integers(1, 3000)), max_size=6),
)
def test_the_stretches_of_an_hour_limit_add_up_to_it_and_end_when_it_is_due(hours: int, spans: list[tuple[int, int]]) -> None:
    started = at = shanghai(2026, 3, 6, 15)
    pauses = []
    for runs, stands in spans:
        since = at + timedelta(minutes=runs)
        at = since + timedelta(minutes=stands)
        pauses.append(Pause(since, at, "依据"))
    told = {"started_at": started, "amount": hours, "unit": "hours", "calendar": CALENDAR, "pauses": tuple(pauses)}
    days = list_counted_days(**told)
    counted = [day.until - day.since for day in days if day.reason == "hours" and day.since and day.until]
    assert sum(counted, timedelta()) == timedelta(hours=hours)
    assert days[0].since == started and days[-1].until == count_due(**told).at
    assert all(before.until == after.since for before, after in itertools.pairwise(days))


def test_hours_and_natural_days() -> None:
    started = shanghai(2026, 2, 14, 9)
    assert count_due(started_at=started, amount=48, unit="hours", calendar=CALENDAR).at == started + timedelta(hours=48)
    due = count_due(started_at=started, amount=3, unit="days", calendar=CALENDAR).at
    assert due == datetime.combine(date(2026, 2, 17), time.max, tzinfo=SHANGHAI)
    days = list_counted_days(started_at=started, amount=3, unit="days", calendar=CALENDAR)
    assert [day.number for day in days] == [None, 1, 2, 3]


def test_a_year_not_announced_yet_is_estimated_and_said_so() -> None:
    due = count_due(started_at=shanghai(2026, 12, 30, 9), amount=3, unit="workdays", calendar=CALENDAR)
    assert due.estimated and due.at.astimezone(SHANGHAI).date() == date(2027, 1, 4)
    days = list_counted_days(started_at=shanghai(2026, 12, 30, 9), amount=3, unit="workdays", calendar=CALENDAR)
    assert [day.reason for day in days[1:]] == ["workday", "unknown", "unknown", "unknown", "unknown"]


@pytest.mark.django_db
def test_a_new_calendar_recounts_what_runs_and_says_so(
    note: Any, cast: Cast, clock: Any, founder: Actor
) -> None:
    clock.move_to(shanghai(2026, 12, 30, 9))
    case = note()
    before = api.access_case(case_id=case.case_id, actor=cast.leader.actor).obligations[0].due
    assert before is not None and before.estimated
    new_year = [CalendarDay(date(2027, 1, day), "holiday", "元旦", "测试") for day in (1, 4)]
    api.replace_calendar(days=new_year, source="tests")
    assert api.recount_due(actor=founder) == 1
    assert api.recount_due(actor=founder) == 0
    view = api.access_case(case_id=case.case_id, actor=cast.leader.actor)
    after = view.obligations[0].due
    assert after is not None and not after.estimated and after.at == before.at + timedelta(days=2)
    assert view.events[-1].action == "recount" and view.case.version == 2
    assert api.replay_case(case_id=case.case_id, actor=cast.leader.actor).equal


@pytest.mark.django_db
def test_a_withdrawn_notice_leaves_nothing_behind(calendar: None) -> None:
    assert api.calendar().is_workday(date(2026, 2, 14)) is True
    api.replace_calendar(days=[CalendarDay(date(2026, 1, 1), "holiday", "元旦", "")], source="tests")
    assert api.calendar().is_workday(date(2026, 2, 14)) is False
    assert api.calendar().covers(date(2025, 1, 1))


@pytest.mark.django_db
def test_the_first_limit_that_applies_counts(note: Any, cast: Cast) -> None:
    urgent = note(data={"amount": 1000})
    due = api.access_case(case_id=urgent.case_id, actor=cast.leader.actor).obligations[0].due
    assert due is not None and (due.amount, due.unit, due.basis) == (48, "hours", "急件")
    assert due.days == (due.days[0],)


@pytest.mark.django_db
def test_the_whole_case_has_its_own_clock_and_it_stops(note: Any, cast: Cast) -> None:
    case = note()
    view = api.access_case(case_id=case.case_id, actor=cast.leader.actor)
    first = view.obligations[0].due
    assert view.due is not None and view.due.amount == 20
    assert first is not None and case.due_at == first.at < view.due.at  # the earliest counts
    waiting = api.act(case_id=case.case_id, action="back", data={}, actor=cast.leader.actor)
    assert waiting.due_at == view.due.at  # mending has no limit of its own
    api.act(case_id=case.case_id, action="resend", data={}, actor=cast.clerk.actor)
    api.act(case_id=case.case_id, action="agree", data={"text": "好"}, actor=cast.leader.actor)
    assert list(EventRecord.objects.get(case_id=case.case_id, seq=4).diff["clocks"].values()) == [
        {"stopped_at": case.opened_at.isoformat()}
    ]
    assert api.replay_case(case_id=case.case_id, actor=cast.leader.actor).equal


def test_an_empty_calendar_estimates_everything() -> None:
    due = count_due(started_at=shanghai(2026, 3, 2, 9), amount=1, unit="workdays", calendar=WorkdayCalendar(()))
    assert due.estimated
