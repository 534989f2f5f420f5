"""What a change of the procedure makes of time: what was promised stays or is counted anew, the rest is as the new version says."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from tests.conftest import Cast
from tests.core.cases.kinds import SIMPLE
from yunhe.core.cases import api
from yunhe.core.cases.errors import MigrationRefused
from yunhe.core.cases.models import CaseRecord, ClockRecord, EventRecord, ObligationRecord
from yunhe.core.cases.types import Case, KindSpec, LimitInForce, Migration
from yunhe.core.evidence import api as evidence
from yunhe.kernel.actor import Actor, Right, job_actor
from yunhe.kernel.clock import FrozenClock, now
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
HEAD = job_actor("tests")
LAPSE = {"outcome": "lapsed", "title": "视为同意", "effects": [{"go_to_phase": "done"}, {"close_case": "agreed"}]}
FIVE = [{"amount": 5, "unit": "workdays", "basis": "一般"}]
TEN = [{"amount": 10, "unit": "workdays", "basis": "新规"}]
TWENTY = [{"amount": 20, "unit": "workdays", "basis": "全程"}]
Publish = Callable[..., None]
FIFTH_WORKDAY = datetime(2026, 3, 9, 15, 59, 59, 999999, tzinfo=UTC)
TENTH_WORKDAY = datetime(2026, 3, 16, 15, 59, 59, 999999, tzinfo=UTC)
TWENTIETH_WORKDAY = datetime(2026, 3, 30, 15, 59, 59, 999999, tzinfo=UTC)
"""The last instants of the workdays after the cases were opened."""
FIRST_OF_APRIL = datetime(2026, 3, 31, 16, tzinfo=UTC)


@pytest.fixture
def publish(clock: FrozenClock, cast: Cast, calendar: None, founder: Actor) -> Publish:
    """Return a function that publishes a version of a small kind: its limit of the whole, its ladder, what stands beside its obligation, and that."""

    def publish_version(*, whole: Any = (), ladder: Any = None, beside: Any = None, start: Any = None, **obligation: Any) -> None:
        told = copy.deepcopy(SIMPLE)
        told["fields"].append({"name": "until", "title": "至", "type": "date"})
        told |= {"limits": list(whole), "start": start or [{"open_obligation": "answer"}], **({"ladder": ladder} if ladder is not None else {})}
        told["obligations"]["answer"] |= {"limits": FIVE, **obligation}
        del told["obligations"]["opinion"]
        told["obligations"] |= beside or {}
        api.publish_kind(spec=KindSpec.model_validate(told), source="tests", actor=founder)

    return publish_version


def note(cast: Cast, **data: Any) -> Case:
    told = {"amount": 1, "items": [], **data}
    return api.open_case(kind="leave_note", title="请示", data=told, actor=cast.clerk.actor, owner=cast.owner.code)


def moved(cast: Cast, limits: str = "keep", plan: Migration | None = None, **told: Any) -> Migration:
    """Move all by a change, and hold each case against its events."""
    plan = plan or api.plan_migration(kind="leave_note", actor=cast.data_admin.actor)
    if not plan.undoes:
        plan = replace(plan, moves=tuple(replace(move, limits=limits, **told) for move in plan.moves))
    draft = api.draft_migration(plan=plan, reason="新时限", actor=cast.data_admin.actor)
    api.approve_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)
    done = api.apply_migration(migration_id=draft.migration_id, actor=cast.data_admin.actor)
    for row in CaseRecord.objects.all():
        found = api.replay_case(case_id=row.pk, actor=HEAD)
        assert found.equal, found.differences
        timed = [*row.obligations.filter(state="open"), *row.clocks.filter(stopped_at=None)]
        assert row.state != "open" or row.due_at == min((one.due_at for one in timed if one.due_at), default=None)
        running = [one.due_at for one in row.clocks.filter(stopped_at=None) if one.due_at]
        for one in row.obligations.filter(state="open"):
            assert one.first_due_at == min((at for at in (one.due_at, *running) if at), default=None)
    return done


def undone(cast: Cast, done: Migration) -> Migration:
    return moved(cast, plan=api.undo_plan(migration_id=done.migration_id, actor=cast.data_admin.actor))


def owed(case: Case) -> ObligationRecord:
    return ObligationRecord.objects.get(case_id=case.case_id, state="open")


def test_what_was_promised_stays(publish: Publish, cast: Cast, clock: FrozenClock) -> None:
    publish()
    case = note(cast)
    publish(limits=TEN)
    clock.advance(timedelta(days=2))
    assert {move.limits for move in api.plan_migration(kind="leave_note", actor=cast.data_admin.actor).moves} == {"keep"}
    moved(cast)
    item = owed(case)
    assert (item.due_at, item.limit_amount, item.limit_basis) == (FIFTH_WORKDAY, 5, "一般")
    done = api.list_migrations(actor=cast.data_admin.actor).items[0]
    assert EventRecord.objects.get(action="migrate").values == {"reason": "新时限", "change": done.migration_id}


def test_it_is_counted_anew_from_its_own_start_where_that_is_chosen_and_the_way_back_puts_it_back(
    publish: Publish, cast: Cast, clock: FrozenClock
) -> None:
    publish()
    case = note(cast)
    publish(limits=TEN)
    clock.advance(timedelta(days=2))
    done = moved(cast, "recount")
    item = owed(case)
    assert (item.due_at, item.limit_amount, item.limit_basis) == (TENTH_WORKDAY, 10, "新规")
    assert EventRecord.objects.get(action="migrate").values == {"reason": "新时限", "limits": "recount", "change": done.migration_id}
    timeline = api.access_case(case_id=case.case_id, actor=HEAD).events[-1].facts
    assert [fact.label["zh"] for fact in timeline if fact.name == "limits" and fact.label] == ["按新时限重新计算"]
    (record,) = evidence.find(request=PageRequest(filters={"kind": "case.migrated"}), actor=HEAD).items
    assert record.facts["limits"] == {"recount": 1}
    undone(cast, done)
    item = owed(case)
    assert (item.due_at, item.limit_amount, item.limit_basis) == (FIFTH_WORKDAY, 5, "一般")


def test_pauses_count_and_what_stands_goes_on_under_the_new_limit(publish: Publish, cast: Cast, clock: FrozenClock) -> None:
    publish()
    over, stands = note(cast), note(cast)
    for case in (over, stands):
        api.suspend(case_id=case.case_id, basis="依据", reason="等", actor=cast.leader.actor)
    clock.advance(timedelta(days=3))  # three nights, of which the first is that of the day of the event
    api.resume(case_id=over.case_id, reason="续", actor=cast.leader.actor)
    publish(limits=TEN)
    moved(cast, "recount")
    assert owed(over).due_at == TENTH_WORKDAY + timedelta(days=2)
    assert (owed(stands).due_at, owed(stands).limit_amount) == (None, 10)
    api.resume(case_id=stands.case_id, reason="续", actor=cast.leader.actor)
    assert owed(stands).due_at == TENTH_WORKDAY + timedelta(days=2)


def test_an_extension_stays_and_one_in_another_unit_keeps_its_time(publish: Publish, cast: Cast) -> None:
    publish()
    case = note(cast)
    api.extend(case_id=case.case_id, amount=2, basis="依据", reason="难", obligation_id=owed(case).pk, actor=supervisor(cast))
    publish(limits=TEN)
    moved(cast, "recount")
    assert owed(case).due_at == TENTH_WORKDAY + timedelta(days=2)
    publish(limits=[{"amount": 30, "unit": "days", "basis": "按日"}])
    moved(cast, "recount")
    assert (owed(case).due_at, owed(case).limit_unit) == (TENTH_WORKDAY + timedelta(days=2), "workdays")


def test_what_gained_a_lapse_lapses_when_it_is_due(publish: Publish, cast: Cast, clock: FrozenClock, founder: Actor) -> None:
    publish()
    case = note(cast)
    publish(on_due=LAPSE)
    moved(cast)
    assert owed(case).lapse_at == FIFTH_WORKDAY
    clock.move_to(FIFTH_WORKDAY + timedelta(seconds=1))
    assert api.lapse_due(actor=founder) == 1
    assert api.get_case(case_id=case.case_id).outcome == "agreed"


def test_what_lost_its_lapse_does_not_lapse(publish: Publish, cast: Cast, clock: FrozenClock, founder: Actor) -> None:
    publish(on_due=LAPSE)
    case = note(cast)
    publish()
    moved(cast)
    clock.advance(timedelta(days=30))
    failed: list[str] = []
    assert (owed(case).lapse_at, api.lapse_due(actor=founder, failed=failed), failed) == (None, 0, [])
    assert ObligationRecord.objects.filter(lapse_at__isnull=False).count() == 0


def test_what_had_no_limit_gets_one_from_the_change_on_and_back_it_has_none(publish: Publish, cast: Cast, clock: FrozenClock) -> None:
    publish(limits=[])
    case, waits = note(cast), note(cast)
    api.suspend(case_id=waits.case_id, basis="依据", reason="等", actor=cast.leader.actor)
    clock.advance(timedelta(days=7))
    publish(on_due=LAPSE)
    done = moved(cast)
    assert owed(case).due_at == owed(case).lapse_at == FIFTH_WORKDAY + timedelta(days=7)
    assert (owed(waits).due_at, owed(waits).paused_at, owed(waits).limit_amount) == (None, now(), 5)
    undone(cast, done)
    for one in (case, waits):
        assert (owed(one).limit_amount, owed(one).due_at, owed(one).lapse_at, owed(one).warn_at) == (None, None, None, None)


def test_what_a_pause_stopped_before_stands_still_under_its_new_limit(publish: Publish, cast: Cast, clock: FrozenClock) -> None:
    """The clock of the whole stands; what was open then without a limit stands with it once it has one."""
    publish(whole=TWENTY, limits=[])
    case = note(cast)
    clock.advance(timedelta(days=1))
    api.suspend(case_id=case.case_id, basis="听证", reason="等", actor=cast.leader.actor)
    clock.advance(timedelta(days=1))
    publish(whole=TWENTY)
    moved(cast, "recount")
    item = owed(case)
    assert (item.limit_amount, item.due_at, item.pause_basis) == (5, None, "听证")
    api.resume(case_id=case.case_id, reason="续", actor=cast.leader.actor)
    assert owed(case).due_at == FIFTH_WORKDAY + timedelta(days=1)


@pytest.mark.usefixtures("unproved")
def test_what_gained_its_periods_comes_again(publish: Publish, cast: Cast, clock: FrozenClock, founder: Actor) -> None:
    publish()
    case, ends = note(cast), note(cast, until="2026-03-20")
    publish(recurs={"every": "month", "until": "until"})
    moved(cast)
    assert (owed(case).next_at, owed(ends).next_at) == (FIRST_OF_APRIL, None)
    clock.move_to(FIRST_OF_APRIL)
    assert api.recur_due(actor=founder) == 1
    assert ObligationRecord.objects.filter(case_id=case.case_id, state="open").count() == 2
    publish(recurs={"every": "week"})
    moved(cast)
    nexts = ObligationRecord.objects.filter(case_id=case.case_id).exclude(next_at=None).values_list("next_at", flat=True)
    assert list(nexts) == [datetime(2026, 4, 5, 16, tzinfo=UTC)]  # one of the two, from Monday on


@pytest.mark.usefixtures("unproved")
def test_what_lost_its_periods_does_not_come_again(publish: Publish, cast: Cast, clock: FrozenClock, founder: Actor) -> None:
    publish(recurs={"every": "month"})
    case = note(cast)
    publish()
    moved(cast)
    clock.move_to(FIRST_OF_APRIL)
    assert (api.recur_due(actor=founder), owed(case).next_at) == (0, None)


REPORTING: dict[str, Any] = {**SIMPLE["obligations"]["answer"]["actions"], "report": {"title": "报送", "outcome": "reported"}}


def between_periods(publish: Publish, cast: Cast) -> Case:
    """Return a case of which nothing is open: its answer comes again each month."""
    publish(recurs={"every": "month"}, actions=REPORTING)
    case = note(cast)
    api.act(case_id=case.case_id, action="report", data={}, actor=cast.leader.actor)
    assert not ObligationRecord.objects.filter(case_id=case.case_id, state="open").exists()
    return case


def to_come(case: Case) -> list[tuple[str, datetime]]:
    rows = ObligationRecord.objects.filter(case_id=case.case_id, next_at__isnull=False)
    return [(name, at) for name, at in rows.values_list("name", "next_at") if at is not None]


@pytest.mark.parametrize("limits", ["keep", "recount"])
def test_what_stands_between_two_periods_moves_and_comes_again_as_the_new_version_says(
    publish: Publish, cast: Cast, clock: FrozenClock, founder: Actor, limits: str
) -> None:
    case = between_periods(publish, cast)
    bureau = {"organization": "bureau", "roles": ["data_admin"]}
    publish(recurs={"every": "week"}, actions=REPORTING, limits=TEN, who=bureau)
    plan = api.plan_migration(kind="leave_note", actor=cast.data_admin.actor)
    assert [(move.obligations, dict(move.renames)) for move in plan.moves] == [((), {"answer": "answer"})]
    assert api.try_plan(plan=plan, actor=cast.data_admin.actor).is_sound
    moved(cast, limits)
    monday = datetime(2026, 3, 8, 16, tzinfo=UTC)
    assert to_come(case) == [("answer", monday)]
    clock.move_to(monday)
    assert api.recur_due(actor=founder) == 1
    item = owed(case)
    assert (item.organization, item.limit_amount, item.limit_basis) == ("*", 10, "新规")
    api.act(case_id=case.case_id, action="agree", data={"text": "好"}, actor=cast.data_admin.actor)
    assert CaseRecord.objects.get(pk=case.case_id).state == "closed"
    assert api.replay_case(case_id=case.case_id, actor=HEAD).equal


def test_where_no_period_follows_by_the_new_version_the_case_needs_a_place_to_end_in(
    publish: Publish, cast: Cast, clock: FrozenClock, founder: Actor
) -> None:
    case = between_periods(publish, cast)
    publish()
    with pytest.raises(MigrationRefused) as refused:
        moved(cast)
    assert "“答复”的下一期" in refused.value.say("zh") and "next period" in refused.value.say("en")
    done = moved(cast, add=(("answer", ""),))
    assert (to_come(case), owed(case).name) == ([], "answer")
    with pytest.raises(MigrationRefused):  # nothing would come again there
        undone(cast, done)
    api.act(case_id=case.case_id, action="agree", data={"text": "好"}, actor=cast.leader.actor)
    assert CaseRecord.objects.get(pk=case.case_id).state == "closed"


def test_what_comes_again_under_another_name_comes_under_that(publish: Publish, cast: Cast, clock: FrozenClock, founder: Actor) -> None:
    case = between_periods(publish, cast)
    send = {"title": "月报", "who": {"person": "opener"}, "recurs": {"every": "month"}, "actions": REPORTING}
    publish(beside={"send": send}, start=[{"open_obligation": "send"}, {"open_obligation": "answer", "when": "amount >= 1"}])
    with pytest.raises(MigrationRefused):
        moved(cast)
    done = moved(cast, renames={"answer": "send"})
    assert to_come(case) == [("send", FIRST_OF_APRIL)]
    undone(cast, done)
    assert to_come(case) == [("answer", FIRST_OF_APRIL)]
    moved(cast, renames={"answer": "send"})
    clock.move_to(FIRST_OF_APRIL)
    assert api.recur_due(actor=founder) == 1
    assert (owed(case).name, owed(case).person) == ("send", cast.clerk.actor.id)


def test_a_last_day_that_may_be_over_is_asked_before_a_case_between_periods_moves(publish: Publish, cast: Cast) -> None:
    case = between_periods(publish, cast)
    until = {"every": "week", "until": "until"}
    close = {"title": "收尾", "who": {"person": "opener"}, "actions": {"end": {"title": "办结", "outcome": "ended", "effects": [{"close_case": "agreed"}]}}}
    actions = {**REPORTING, "report": {**REPORTING["report"], "effects": [{"open_obligation": "close"}]}}
    publish(recurs=until, actions=actions, beside={"close": close})
    with pytest.raises(MigrationRefused, match="last day"):
        moved(cast)
    moved(cast, add=(("close", ""),))
    assert [item.name for item in ObligationRecord.objects.filter(case_id=case.case_id, state="open")] == ["close"]


def test_a_new_ladder_counts_at_once_and_tells_no_rung_twice(publish: Publish, cast: Cast, clock: FrozenClock, founder: Actor) -> None:
    publish(whole=TWENTY, ladder=[{"percent": 30}])
    case = note(cast)
    clock.move_to(FIFTH_WORKDAY - timedelta(days=2))
    assert api.warn_due(actor=founder) == 1  # of the obligation; the clock of the whole has not come so far
    publish(whole=TWENTY, ladder=[{"percent": 10}, {"percent": 30}, {"percent": 60}, {"percent": 100}])
    moved(cast)
    item, whole = owed(case), ClockRecord.objects.get(case_id=case.case_id)
    assert (item.warned, whole.warned) == (2, 0)
    assert item.warn_at and item.started_at < item.warn_at < now()  # the rung of 60 lies behind: it is told at once
    assert api.warn_due(actor=founder) == 2
    assert (owed(case).warned, owed(case).warn_at) == (3, item.due_at)
    publish(whole=TWENTY, ladder=[])
    moved(cast)
    assert (owed(case).warn_at, ClockRecord.objects.get(case_id=case.case_id).warn_at) == (None, None)


@pytest.mark.parametrize(("limits", "start"), [("keep", 7), ("recount", 0)])
def test_a_kind_that_gained_a_limit_of_the_whole_starts_its_clock(
    publish: Publish, cast: Cast, clock: FrozenClock, limits: str, start: int
) -> None:
    publish()
    case = note(cast)
    opened = now()
    clock.advance(timedelta(days=7))
    publish(whole=TWENTY)
    done = moved(cast, limits)
    whole = ClockRecord.objects.get(case_id=case.case_id)
    assert (whole.started_at, whole.limit_amount, whole.stopped_at) == (opened + timedelta(days=start), 20, None)
    assert whole.warn_at and whole.due_at == TWENTIETH_WORKDAY + timedelta(days=start + (start > 0))  # the sixth of April is a holiday
    undone(cast, done)
    assert ClockRecord.objects.get(case_id=case.case_id).stopped_at == now()


def test_a_limit_that_starts_with_an_action_counts_from_when_it_was_taken(publish: Publish, cast: Cast, clock: FrozenClock) -> None:
    publish()
    taken, untaken, undid = note(cast), note(cast), note(cast)
    clock.advance(timedelta(days=1))
    at = now()
    for case in (taken, undid):
        api.act(case_id=case.case_id, action="back", data={}, actor=cast.leader.actor)
    api.retract(case_id=undid.case_id, reason="错了", actor=cast.leader.actor)
    clock.advance(timedelta(days=1))
    publish(whole=[{**TWENTY[0], "starts_with": "back"}])
    moved(cast, "recount")
    assert [(one.case_id, one.started_at) for one in ClockRecord.objects.all()] == [(taken.case_id, at)]
    api.act(case_id=untaken.case_id, action="back", data={}, actor=cast.leader.actor)
    assert ClockRecord.objects.get(case_id=untaken.case_id).started_at == now()


def test_a_kind_that_lost_its_limit_of_the_whole_lets_the_clock_run_on_or_stops_it(publish: Publish, cast: Cast, clock: FrozenClock) -> None:
    publish(whole=TWENTY)
    case = note(cast)
    publish()
    moved(cast)
    whole = ClockRecord.objects.get(case_id=case.case_id)
    assert (whole.stopped_at, whole.due_at) == (None, TWENTIETH_WORKDAY)
    api.suspend(case_id=case.case_id, basis="依据", reason="等", actor=cast.leader.actor)
    assert ClockRecord.objects.get(case_id=case.case_id).paused_at == now()  # it is the case's own still
    api.resume(case_id=case.case_id, reason="续", actor=cast.leader.actor)
    api.act(case_id=case.case_id, action="agree", data={"text": "好"}, actor=cast.leader.actor)
    assert ClockRecord.objects.get(case_id=case.case_id).stopped_at == now()
    assert api.replay_case(case_id=case.case_id, actor=HEAD).equal


def test_counted_anew_the_clock_of_the_whole_stops_with_its_limit_and_back_it_runs(publish: Publish, cast: Cast, clock: FrozenClock) -> None:
    publish(whole=TWENTY)
    case = note(cast)
    publish()
    clock.advance(timedelta(days=1))
    done = moved(cast, "recount")
    assert (ClockRecord.objects.get(case_id=case.case_id).stopped_at, CaseRecord.objects.get().due_at) == (now(), FIFTH_WORKDAY)
    undone(cast, done)
    whole = ClockRecord.objects.get(case_id=case.case_id)
    assert (whole.stopped_at, whole.due_at) == (None, TWENTIETH_WORKDAY)


def test_a_dated_limit_is_that_of_its_start_or_of_today_where_none_was_in_force(publish: Publish, cast: Cast, clock: FrozenClock) -> None:
    def limit(amount: int, since: date, until: date | None) -> LimitInForce:
        return LimitInForce(code="note.answer", amount=amount, unit="workdays", basis="办法", valid_from=since, valid_until=until)

    publish()
    case = note(cast)
    clock.advance(timedelta(days=2))
    api.replace_limits(limits=[limit(10, date(2026, 3, 3), None)], source="tests")
    publish(limits=[{"use": "note.answer"}])
    moved(cast, "recount")
    assert owed(case).due_at == TENTH_WORKDAY
    api.replace_limits(limits=[limit(5, date(2026, 1, 1), date(2026, 3, 3)), limit(10, date(2026, 3, 3), None)], source="tests")
    publish(limits=[{"use": "note.answer"}], title="答复（新）")
    moved(cast, "recount")
    assert owed(case).due_at == FIFTH_WORKDAY


def test_only_the_way_back_puts_limits_back_and_no_other_word_is_taken(publish: Publish, cast: Cast) -> None:
    publish()
    note(cast)
    publish(limits=TEN)
    with pytest.raises(MigrationRefused):
        moved(cast, "restore")
    plan = api.plan_migration(kind="leave_note", actor=cast.data_admin.actor)
    told = {"kind": plan.kind, "from": 1, "to": 2, "moves": [{**asdict(move), "limits": "forget"} for move in plan.moves]}
    with pytest.raises(MigrationRefused):
        api.read_plan(told=told, actor=cast.data_admin.actor)
    older = [{name: value for name, value in asdict(move).items() if name != "limits"} for move in plan.moves]
    assert api.read_plan(told={**told, "moves": older}, actor=cast.data_admin.actor).moves == plan.moves


def supervisor(cast: Cast) -> Actor:
    return replace(cast.leader.actor, rights=(*cast.leader.actor.rights, Right("cases.supervise")))
