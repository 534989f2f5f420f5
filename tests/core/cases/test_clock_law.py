"""The clock is a law: whatever happens to a case, its due dates are those of a slow reference that walks every day.

Random people stop and start, suspend and resume, extend, go on, send back and take back; notices of the State Council
come late or are withdrawn; all through the api, under a clock that stands still until it is moved.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.conftest import Cast
from tests.core.cases.kinds import NATIONAL
from tests.core.cases.slow_clock import QUARTER, SlowCalendar, SlowClock, day_of, end_of
from tests.soaking import amount
from yunhe.core.cases import api
from yunhe.core.cases.api import operating
from yunhe.core.cases.models import ClockRecord, ObligationRecord
from yunhe.core.cases.rules import timing
from yunhe.core.cases.rules.course import Course
from yunhe.core.cases.types import Due, KindSpec
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import FrozenClock, now
from yunhe.kernel.errors import YunheError
from yunhe.kernel.workdays import CalendarDay, read_calendar

pytestmark = [pytest.mark.django_db, pytest.mark.soak]
HEAD = job_actor("tests")
LADDER = (50, 80, 100)
UNITS = st.tuples(st.sampled_from(("workdays", "workdays", "days", "hours")), st.integers(1, 12))
AUTUMN = datetime(2026, 9, 20, 16, 0, tzinfo=UTC)
DECEMBER = datetime(2026, 12, 20, 16, 0, tzinfo=UTC)
"""The calendar of the year after is not announced until a walk does so: what is due there is estimated."""
NAMED = read_calendar(NATIONAL / "calendars" / "workdays.csv").days
EVENTS = ("stop", "go", "suspend", "resume", "extend", "extend_case", "next", "send_back", "retract", "amend", "wait")
OFTEN = (*EVENTS, "next", "next", "send_back", "send_back", "retract", "retract", "go", "resume")
# When it happens after the one before: quarters of an hour, or at midnight, or a microsecond before it.
GAPS = st.one_of(st.integers(0, 40), st.integers(40, 900), st.sampled_from(("midnight", "before midnight")))
STEPS = st.lists(st.tuples(GAPS, st.sampled_from(OFTEN), st.integers(0, 10**6)), min_size=3, max_size=14)

# Half of the walks begin in December, and come into the year that is not announced.
STARTS = st.builds(lambda begin, quarters: begin + quarters * QUARTER, st.sampled_from((AUTUMN, DECEMBER)), st.integers(0, 1500))
LIMITS = (("workdays", 5), ("days", 6), ("hours", 7))
# Walks that each go wrong where one idea is forgotten; `size` says which days an amended calendar holds.
TOLD: dict[str, list[tuple[int | str, str, int]]] = {
    "pause": [(4, "stop", 0), (500, "go", 0), ("before midnight", "stop", 0), ("midnight", "go", 0)],
    "taken back under another calendar": [(4, "stop", 0), (4, "amend", 8), (4, "retract", 0)],
    "suspended while it stands": [(4, "stop", 0), (90, "suspend", 0), (900, "resume", 0), (90, "go", 0)],
    "there and back": [(90, "next", 0), (90, "extend", 3), (4, "send_back", 0), (40, "next", 0), (1, "retract", 0), (4, "extend_case", 2)],
    "extended after the last rung": [(2000, "wait", 0), (4, "extend", 8), (4, "extend_case", 8), (4000, "wait", 0)],
    "sent back while it stands": [(4, "next", 0), (90, "stop", 0), (400, "send_back", 0), (40, "wait", 0)],
    "told before it is taken back": [(380, "next", 0), (150, "retract", 0)],
    "waited before it is taken back": [(90, "next", 0), (4, "wait", 0), (40, "retract", 0)],
    "late": [(2000, "wait", 0), (4, "stop", 0), (200, "go", 0), (4, "amend", 8), (4, "next", 0)],
}
# The same, begun in December: what each does is to come upon days that nobody has announced, or that are announced then.
OVER_NEW_YEAR: dict[str, list[tuple[int | str, str, int]]] = {
    "extended into it": [(90, "extend_case", 8), (4, "wait", 0), (400, "extend_case", 1)],
    "announced while it runs": [(90, "extend_case", 8), (90, "amend", 9), (90, "next", 0)],
    "stands over it": [(90, "stop", 0), (1400, "go", 0), (90, "amend", 9), (90, "suspend", 0)],
    "taken back": [(90, "extend_case", 8), (4, "next", 0), (4, "retract", 0)],
}


def timed_kind(limits: tuple[tuple[str, int], ...]) -> KindSpec:
    """A case with a clock of its own, an obligation in each of two phases, and a switch that stops the clocks."""
    told = [{"amount": n, "unit": unit, "basis": "演练"} for unit, n in limits]
    who = {"organization": "owner", "roles": ["data_steward", "data_leader"]}

    def action(outcome: str, *effects: dict[str, Any]) -> dict[str, Any]:
        return {"title": outcome, "outcome": outcome, "effects": list(effects)}

    return KindSpec.model_validate({
        "code": "timed", "title": "计时", "prefix": "JS", "opens": {"permission": "cases.act"},
        "phases": [{"code": "one", "title": "一"}, {"code": "two", "title": "二"}], "limits": told[:1],
        "ladder": [{"percent": percent} for percent in LADDER],
        "start": [{"open_obligation": "work"}, {"open_obligation": "switch"}],
        "obligations": {
            "work": {"title": "办", "who": who, "limits": told[1:2], "actions": {
                "next": action("done", {"go_to_phase": "two"}, {"open_obligation": "check"}),
            }},
            "check": {"title": "核", "who": who, "limits": told[2:3], "actions": {
                "end": action("ended", {"close_case": "ended"}),
            }},
            "switch": {"title": "停", "who": who, "actions": {
                "stop": action("stopped", {"pause_clocks": "补正"}, {"open_obligation": "switch"}),
                "go": action("gone_on", {"resume_clocks": True}, {"open_obligation": "switch"}),
                "drop": action("dropped", {"close_case": "dropped"}),
            }},
        },
    })  # fmt: skip


class Model:
    """The case as the reference sees it: clocks by name, and what retracting goes back to."""

    def __init__(self, limits: tuple[tuple[str, int], ...], at: datetime, calendar: SlowCalendar) -> None:
        self.limits = dict(zip(("case", "work", "check"), limits, strict=True))
        self.calendar = calendar
        self.clocks = {name: self.fresh(name, at) for name in ("case", "work")}
        self.before: dict[str, SlowClock] = {}
        self.guessed = 0

    def fresh(self, name: str, at: datetime) -> SlowClock:
        unit, count = self.limits[name]
        return SlowClock(at, count, unit)

    def live(self) -> dict[str, SlowClock]:
        return {name: clock for name, clock in self.clocks.items() if not clock.over}

    def happen(self, event: str, at: datetime, size: int) -> None:
        """Do what the event does to the clocks; waiting is no step, so what can be taken back stays that before it."""
        kept, live = copy.deepcopy(self.clocks), self.live().values()
        if event in ("stop", "suspend"):
            for clock in live:
                clock.stop(at, event)
        elif event in ("go", "resume"):
            for clock in live:
                if event == "go" or clock.why == "suspend":
                    clock.go(at)
        elif event in ("extend", "extend_case"):
            self.clocks["case" if event == "extend_case" else self.name()].amount += size
        elif event == "next":
            self.clocks["work"].over = True
            self.clocks["check"] = self.fresh("check", at)
        elif event == "send_back":
            self.clocks["check"].over = True
            self.clocks["work"] = self.fresh("work", at)
            self.clocks["case"].go(at)  # phase "one" was entered with running clocks
        elif event == "retract":
            told, kept, self.clocks = self.live(), self.before, copy.deepcopy(self.before)
            for name, clock in self.live().items():  # of a clock that the step did not touch, what was told since stays told
                if name in told and replace(told[name], warned=clock.warned) == clock:
                    clock.warned = told[name].warned
        self.before = self.before if event == "wait" else kept

    def name(self) -> str:
        return next(name for name in ("check", "work") if name in self.live())


def run_event(event: str, size: int, case_id: str, cast: Cast, model: Model) -> None:
    """Do in the product what the event says. Raises: what the product refuses."""
    steward, leader = cast.steward.actor, cast.leader.actor
    opened = {row.name: row.pk for row in ObligationRecord.objects.filter(case_id=case_id, state="open")}
    told: dict[str, Any] = {"case_id": case_id, "reason": "演练"}
    runs: dict[str, Callable[[], object]] = {
        "stop": lambda: api.act(case_id=case_id, action="stop", data={}, actor=steward),
        "go": lambda: api.act(case_id=case_id, action="go", data={}, actor=steward),
        "next": lambda: api.act(case_id=case_id, action="next", data={}, actor=steward),
        "suspend": lambda: api.suspend(**told, basis="中止", actor=leader),
        "resume": lambda: api.resume(**told, actor=leader),
        "extend": lambda: api.extend(**told, amount=size, basis="延", obligation_id=opened[model.name()], actor=leader),
        "extend_case": lambda: api.extend(**told, amount=size, basis="延", actor=leader),
        "send_back": lambda: api.send_back(**told, obligation_id=opened["check"], phase="one", actor=steward),
        "retract": lambda: api.retract(**told, actor=steward),
        "wait": lambda: None,
    }  # fmt: skip
    runs[event]()


def amend(size: int, model: Model) -> None:
    """A notice replaces what was known of a year: some days off, some made up."""
    year = (2026, 2027)[size % 2]
    first = date(year, 1 if year == 2027 else 9, 1)
    days = {first + timedelta(days=size // (7 + step) % 120): ("holiday", "makeup")[size // (3 + step) % 2] for step in range(8)}
    kinds = {kind: {on for on, told in days.items() if told == kind} for kind in ("holiday", "makeup")}
    api.replace_calendar(days=[CalendarDay(on, told, "演练") for on, told in days.items()], source="tests")  # type: ignore[arg-type]
    api.recount_due(actor=HEAD)
    model.calendar.replace_year(year, kinds["holiday"], kinds["makeup"])


def warn(model: Model, at: datetime) -> None:
    """The worker looks: what passed a rung is told, once at each."""
    while api.warn_due(actor=HEAD):
        pass
    for clock in model.live().values():
        while clock.warned < len(LADDER) and (rung := clock.rung(LADDER[clock.warned], model.calendar)) and rung <= at:
            clock.warned += 1


def check(case_id: str, model: Model, cast: Cast) -> None:
    """Compare rows and what people are shown with the reference."""
    view = api.access_case(case_id=case_id, actor=cast.leader.actor)
    opened = {row.name: row for row in ObligationRecord.objects.filter(case_id=case_id, state="open")}
    rows: dict[str, Any] = {"case": ClockRecord.objects.get(case_id=case_id), **opened}
    dues = {one.name: one.due for one in view.obligations if one.state == "open"} | {"case": view.due}
    earliest = []
    for name, clock in model.live().items():
        row, due = rows[name], clock.due(model.calendar)
        assert near(row.due_at, due), (name, row.due_at, due, clock)
        assert row.estimated == clock.guessed(model.calendar), (name, clock)
        model.guessed += row.estimated
        assert (row.paused_at is not None) == clock.is_stopped()
        explained(dues[name], clock, model.calendar)
        rung(row, clock, model.calendar)
        firsts = [due for due in (row.due_at, rows["case"].due_at) if due]
        assert name == "case" or row.first_due_at == min(firsts, default=None)
        earliest += [row.due_at] if row.due_at else []
    if view.case.state == "open":
        assert view.case.due_at == min(earliest, default=None)
    assert api.replay_case(case_id=case_id, actor=HEAD).equal


def near(one: datetime | None, other: datetime | None) -> bool:
    return one == other if one is None or other is None else abs(one - other) < timedelta(seconds=1)


def rung(row: ObligationRecord | ClockRecord, clock: SlowClock, calendar: SlowCalendar) -> None:
    """The next warning is where the reference has it, or both are due at once."""
    due = clock.due(calendar)
    assert (row.warned or 0) == clock.warned, clock
    if due is None or clock.warned == len(LADDER):
        assert row.warn_at is None
        return
    expected = clock.rung(LADDER[clock.warned], calendar)
    assert expected is not None and row.warn_at is not None
    assert near(row.warn_at, expected) or (row.warn_at <= now() and expected <= now()), (row.warn_at, expected, clock)


def explained(due: Due | None, clock: SlowClock, calendar: SlowCalendar) -> None:
    """What people are shown lists every day once, in order, and its numbers add up."""
    assert due is not None and due.amount == clock.amount
    if clock.unit == "hours":
        return
    until = day_of(now()) if clock.is_stopped() else None
    expected = clock.days(calendar, until)
    assert [(day.on, day.number is not None) for day in due.days] == expected, (due, clock)
    numbers = [day.number for day in due.days if day.number is not None]
    assert numbers == list(range(1, len(numbers) + 1)) and (clock.is_stopped() or len(numbers) == due.amount)
    for day in due.days[1:]:
        assert (day.reason == "paused") == (not clock.runs_at(end_of(day.on))), (day, clock)


def later(at: datetime, gap: int | str) -> datetime:
    if isinstance(gap, int):
        return at + timedelta(microseconds=at.microsecond > 0) + gap * QUARTER
    midnight = at.replace(hour=16, minute=0, second=0, microsecond=0)
    midnight += timedelta(days=midnight <= at)
    return midnight - timedelta(microseconds=gap == "before midnight")


def test_due_dates_are_those_of_a_walk_day_by_day(clock: FrozenClock, cast: Cast, calendar: None, founder: Actor) -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=amount(small=8, full=3000), phases=(Phase.generate,))
    @given(st.tuples(UNITS, UNITS, UNITS), STARTS, STEPS)
    def walks(limits: tuple[tuple[str, int], ...], start: datetime, steps: list[tuple[int | str, str, int]]) -> None:
        with transaction.atomic():
            seen["guessed"] += walk(limits, start, steps, clock, cast, seen)
            transaction.set_rollback(True)

    walks()
    assert len(set(EVENTS) & set(seen)) > 7 and seen["guessed"], seen  # the walks got somewhere


@pytest.mark.parametrize(("start", "told"), [*((AUTUMN, told) for told in TOLD.values()), *((DECEMBER, told) for told in OVER_NEW_YEAR.values())],
                         ids=[*TOLD, *OVER_NEW_YEAR])  # fmt: skip
def test_walks_that_once_went_wrong(
    clock: FrozenClock, cast: Cast, calendar: None, start: datetime, told: list[tuple[int | str, str, int]]
) -> None:
    seen: Counter[str] = Counter()
    guessed = walk(LIMITS, start, told, clock, cast, seen)
    assert sum(seen.values()) == sum(seen[event] for event in EVENTS), seen  # nothing was refused
    assert bool(guessed) == (start == DECEMBER)


def walk(
    limits: tuple[tuple[str, int], ...], at: datetime, steps: list[tuple[int | str, str, int]], clock: FrozenClock, cast: Cast,
    seen: Counter[str],
) -> int:  # fmt: skip
    """Walk a case and the reference side by side; return how often a due date was an estimated one."""
    clock.move_to(at)
    api.publish_kind(spec=timed_kind(limits), source="tests", actor=HEAD)
    case = api.open_case(kind="timed", title="一件", data={}, actor=cast.clerk.actor, owner=cast.owner.code)
    known = SlowCalendar({d.on for d in NAMED if d.kind == "holiday"}, {d.on for d in NAMED if d.kind == "makeup"})
    model = Model(limits, at, known)
    check(case.case_id, model, cast)
    for gap, event, size in steps:
        at = later(at, gap)
        clock.move_to(at)
        warn(model, at)
        before = {name: clock_.due(known) for name, clock_ in model.live().items()}
        if event == "amend":
            amend(size, model)
            seen[event] += 1
        else:
            try:
                with transaction.atomic():
                    run_event(event, size % 9 + 1, case.case_id, cast, model)
            except (YunheError, KeyError) as error:
                seen[type(error).__name__] += 1
            else:
                seen[event] += 1
                model.happen(event, at, size % 9 + 1)
        for clock_ in model.live().values():
            if not clock_.is_stopped():
                clock_.warned = min(clock_.warned, clock_.passed(LADDER, known, at))
        check(case.case_id, model, cast)
        if event in ("go", "resume", "extend", "extend_case"):
            monotone(before, model)
    return model.guessed


def monotone(before: dict[str, datetime | None], model: Model) -> None:
    """No pause and no extension makes anything due earlier."""
    after = {name: clock.due(model.calendar) for name, clock in model.live().items()}
    assert all(due is None or (later_due := after[name]) is None or later_due >= due for name, due in before.items() if name in after)


def never_estimated(whole: Any) -> Any:
    return lambda *given, **more: {**done, "estimated": False} if "estimated" in (done := whole(*given, **more)) else done


@pytest.mark.parametrize(
    ("place", "name", "plant", "start", "steps"),
    [
        (timing, "resume", lambda whole: lambda row, **more: a_day_early(whole(row, **more)), AUTUMN, TOLD["pause"]),
        (Course, "restore", lambda whole: lambda course, part, key, row: course.change(part, {key: row}), AUTUMN,
         TOLD["taken back under another calendar"]),
        (operating, "_go_on", lambda whole: lambda item, at, course: timing.resume(item, at=course.moment.at, calendar=course.moment.calendar),
         AUTUMN, TOLD["suspended while it stands"]),
        (timing, "stand_as", lambda whole: lambda row, earlier, **more: {}, AUTUMN, TOLD["sent back while it stands"]),
        (api.replaying, "_new_mark", lambda whole: lambda item, course: {}, AUTUMN, TOLD["late"]),
        (timing, "recount", never_estimated, DECEMBER, OVER_NEW_YEAR["extended into it"]),
        (timing, "resume", never_estimated, DECEMBER, OVER_NEW_YEAR["stands over it"]),
    ],
)  # fmt: skip
def test_the_reference_finds_what_is_planted(
    clock: FrozenClock, cast: Cast, calendar: None, monkeypatch: pytest.MonkeyPatch, place: Any, name: str, plant: Any, start: datetime,
    steps: list[tuple[int | str, str, int]],
) -> None:  # fmt: skip
    monkeypatch.setattr(place, name, plant(getattr(place, name)))
    with pytest.raises(AssertionError):
        walk(LIMITS, start, steps, clock, cast, Counter())


def a_day_early(done: dict[str, Any]) -> dict[str, Any]:
    due = done.get("due_at")
    return {**done, "due_at": (datetime.fromisoformat(due) - timedelta(days=1)).isoformat()} if due else done
