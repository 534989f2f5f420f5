"""What time does by itself: obligations that lapse, obligations that come again."""

from __future__ import annotations

import copy
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Cast
from tests.core.cases.kinds import SIMPLE
from yunhe.core.cases import api
from yunhe.core.cases.errors import ActionNotOffered, TimeIsOver
from yunhe.core.cases.models import ObligationRecord
from yunhe.core.cases.rules.periods import next_period
from yunhe.core.cases.types import Case, KindSpec
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import SHANGHAI, FrozenClock, local

pytestmark = pytest.mark.django_db
PERIODS = ("day", "week", "month", "quarter", "half_year", "year")


def body(**obligation: Any) -> dict[str, Any]:
    told = copy.deepcopy(SIMPLE)
    told["fields"].append({"name": "until", "title": "至", "type": "date"})
    told["start"] = [{"open_obligation": "answer"}]
    told["obligations"]["answer"]["limits"] = [{"amount": 5, "unit": "workdays", "basis": "一般"}]
    told["obligations"]["answer"].update(obligation)
    del told["obligations"]["opinion"]
    return told


def publish(founder: Actor, **obligation: Any) -> None:
    api.publish_kind(spec=KindSpec.model_validate(body(**obligation)), source="tests", actor=founder)


LAPSE = {"outcome": "lapsed", "title": "视为同意", "effects": [{"go_to_phase": "done"}, {"close_case": "agreed"}]}


def rows(case: Case) -> list[tuple[str, str, str]]:
    found = ObligationRecord.objects.filter(case_id=case.case_id).order_by("opened_seq", "id")
    return [(row.name, row.state, row.outcome) for row in found]


def test_what_is_not_answered_by_the_last_second_lapses(note: Any, clock: FrozenClock, cast: Cast, founder: Actor) -> None:
    publish(founder, on_due=LAPSE)
    case = note()
    last_second_of_the_fifth_workday = datetime(2026, 3, 9, 15, 59, 59, tzinfo=UTC)
    clock.move_to(last_second_of_the_fifth_workday)
    assert api.lapse_due(actor=founder) == 0
    clock.advance(timedelta(seconds=1))
    assert api.lapse_due(actor=founder) == 1
    assert api.lapse_due(actor=founder) == 0
    assert rows(case) == [("answer", "done", "lapsed")]
    view = api.access_case(case_id=case.case_id, actor=cast.clerk.actor)
    assert (view.case.state, view.case.outcome, view.events[-1].title["zh"]) == ("closed", "agreed", "期满")
    assert view.obligations[0].outcome_title["zh"] == "视为同意"
    assert api.replay_case(case_id=case.case_id, actor=cast.clerk.actor).equal


def test_what_lapses_at_once_ends_name_by_name_so_that_rules_see_each(note: Any, clock: FrozenClock, cast: Cast, founder: Actor) -> None:
    """One refusal by lapse ends the case: two at once are no third thing that no rule names."""
    told = body(group="g", on_due={"outcome": "lapsed", "title": "期满"})
    told["obligations"]["other"] = copy.deepcopy(told["obligations"]["answer"])
    told["start"] = [{"open_obligation": "answer"}, {"open_obligation": "other"}]
    told["groups"] = {"g": {"rules": [{"when": "count_lapsed = 1", "effects": [{"go_to_phase": "done"}, {"close_case": "agreed"}]}]}}
    api.publish_kind(spec=KindSpec.model_validate(told), source="tests", actor=founder)
    case, failed = note(), list[str]()
    clock.advance(timedelta(days=30))
    assert (api.lapse_due(actor=founder, failed=failed), failed) == (1, [])
    assert api.get_case(case_id=case.case_id).outcome == "agreed"
    assert sorted(state for _, state, _ in rows(case)) == ["cancelled", "done"]
    assert api.replay_case(case_id=case.case_id, actor=cast.clerk.actor).equal


def test_a_pause_holds_the_lapse_and_an_answer_ends_it(note: Any, clock: FrozenClock, cast: Cast, founder: Actor) -> None:
    publish(founder, on_due=LAPSE)
    waits, answered = note(), note()
    api.act(case_id=answered.case_id, action="agree", data={"text": "好"}, actor=cast.leader.actor)
    api.suspend(case_id=waits.case_id, basis="依据", reason="等", actor=cast.leader.actor)
    clock.advance(timedelta(days=30))
    assert api.lapse_due(actor=founder) == 0
    api.resume(case_id=waits.case_id, reason="续", actor=cast.leader.actor)
    assert api.lapse_due(actor=founder) == 0
    clock.advance(timedelta(days=10))
    assert api.lapse_due(actor=founder) == 1


@pytest.mark.usefixtures("unproved")
def test_one_case_that_fails_stands_in_nobodys_way(note: Any, clock: FrozenClock, cast: Cast, founder: Actor) -> None:
    publish(founder, on_due={"outcome": "lapsed", "title": "过期"})  # leaves nobody to act: refused each time
    stuck = note()
    publish(founder, on_due=LAPSE)
    note()
    clock.advance(timedelta(days=10))
    failed: list[str] = []
    assert api.lapse_due(actor=founder, failed=failed) == 1
    assert failed == [stuck.case_id]
    assert rows(stuck) == [("answer", "open", "")]


@pytest.mark.usefixtures("unproved")
def test_a_recurring_obligation_comes_again_each_month_until_its_day(note: Any, clock: FrozenClock, cast: Cast, founder: Actor) -> None:
    told = {"recurs": {"every": "month", "until": "until"}}
    told["actions"] = {**SIMPLE["obligations"]["answer"]["actions"], "report": {"title": "报送", "outcome": "reported"}}
    publish(founder, **told)
    case = note(data={"until": "2026-05-15"})
    api.act(case_id=case.case_id, action="report", data={}, actor=cast.leader.actor)  # nobody owes anything, and that is right
    assert api.recur_due(actor=founder) == 0
    first_instant_of_april = datetime(2026, 3, 31, 16, 0, tzinfo=UTC)
    clock.move_to(first_instant_of_april - timedelta(seconds=1))
    assert api.recur_due(actor=founder) == 0
    clock.move_to(first_instant_of_april)
    assert (api.recur_due(actor=founder), api.recur_due(actor=founder)) == (1, 0)
    clock.move_to(datetime(2026, 5, 2, tzinfo=UTC))  # April's was not reported: both are owed
    assert api.recur_due(actor=founder) == 1
    assert rows(case) == [("answer", "done", "reported"), ("answer", "open", ""), ("answer", "open", "")]
    clock.move_to(datetime(2026, 7, 2, tzinfo=UTC))
    assert api.recur_due(actor=founder) == 0
    assert api.replay_case(case_id=case.case_id, actor=cast.clerk.actor).equal


def monthly() -> dict[str, Any]:
    return {"recurs": {"every": "month"}, "limits": [{"amount": 10, "unit": "days", "basis": "按月报送"}]}


def spans(case: Case) -> list[tuple[date, date]]:
    """Return of each obligation the days on which its clock starts and ends."""
    found = ObligationRecord.objects.filter(case_id=case.case_id).order_by("started_at")
    return [(local(row.started_at).date(), local(row.due_at).date()) for row in found if row.due_at]


def test_every_period_that_began_is_owed_from_its_first_day_also_if_nobody_was_there(
    note: Any, clock: FrozenClock, cast: Cast, founder: Actor
) -> None:
    publish(founder, **monthly())
    case = note()
    clock.move_to(datetime(2026, 6, 5, 2, tzinfo=UTC))
    assert (api.recur_due(actor=founder), api.recur_due(actor=founder)) == (3, 0)
    starts = [date(2026, 3, 2), date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1)]
    assert spans(case) == [(on, on + timedelta(days=10)) for on in starts]
    (coming,) = ObligationRecord.objects.filter(case_id=case.case_id, next_at__isnull=False).values_list("next_at", flat=True)
    assert local(coming).date() == date(2026, 7, 1)
    assert api.replay_case(case_id=case.case_id, actor=cast.clerk.actor).equal


def test_periods_that_begin_while_the_case_stands_still_are_not_owed(
    note: Any, clock: FrozenClock, cast: Cast, founder: Actor
) -> None:
    publish(founder, **monthly())
    case = note()
    api.suspend(case_id=case.case_id, basis="依据", reason="等", actor=cast.leader.actor)
    clock.move_to(datetime(2026, 6, 20, 2, tzinfo=UTC))
    assert api.recur_due(actor=founder) == 0
    api.resume(case_id=case.case_id, reason="续", actor=cast.leader.actor)
    assert (api.recur_due(actor=founder), api.recur_due(actor=founder)) == (1, 0)
    assert spans(case)[1:] == [(date(2026, 6, 20), date(2026, 6, 30))]
    (coming,) = ObligationRecord.objects.filter(case_id=case.case_id, next_at__isnull=False).values_list("next_at", flat=True)
    assert local(coming).date() == date(2026, 7, 1)
    assert api.replay_case(case_id=case.case_id, actor=cast.clerk.actor).equal


def test_what_follows_a_lapse_counts_from_the_end_of_that_time_and_no_later_answer_counts(
    note: Any, clock: FrozenClock, cast: Cast, founder: Actor
) -> None:
    told = body(on_due={"outcome": "lapsed", "title": "视为同意", "effects": [{"open_obligation": "follow"}]})
    told["obligations"]["follow"] = {
        "title": "后续", "who": {"organization": "owner", "roles": ["data_leader"]}, "limits": [{"amount": 5, "unit": "days", "basis": "一般"}],
        "actions": {"end": {"title": "办结", "outcome": "ended", "effects": [{"go_to_phase": "done"}, {"close_case": "ended"}]}},
    }  # fmt: skip
    api.publish_kind(spec=KindSpec.model_validate(told), source="tests", actor=founder)
    case = note()
    due = datetime(2026, 3, 9, 15, 59, 59, 999999, tzinfo=UTC)
    clock.move_to(due + timedelta(days=40))
    late = {"case_id": case.case_id, "actor": cast.leader.actor}
    with pytest.raises(TimeIsOver) as caught:
        api.act(**late, action="agree", data={"text": "迟了"})
    assert "2026-03-09 23:59" in caught.value.say("zh") and "视为同意" in caught.value.say("zh")
    (item,) = ObligationRecord.objects.filter(case_id=case.case_id, state="open")
    with pytest.raises(TimeIsOver):
        api.add_reviewer(**late, obligation_id=item.pk, to=[cast.officer.username], reason="迟了")
    assert api.lapse_due(actor=founder) == 1
    first, second = ObligationRecord.objects.filter(case_id=case.case_id).order_by("opened_seq")
    assert (first.closed_at, second.started_at, local(second.due_at).date()) == (due, due, date(2026, 3, 14))
    assert api.access_case(case_id=case.case_id, actor=cast.leader.actor).events[-1].at == due + timedelta(days=40)
    assert api.act(**late, action="end", data={}).state == "closed"
    assert api.replay_case(case_id=case.case_id, actor=cast.clerk.actor).equal


def test_nothing_comes_again_once_the_case_is_over_or_the_obligation_cancelled(
    note: Any, clock: FrozenClock, cast: Cast, founder: Actor
) -> None:
    publish(founder, recurs={"every": "week"})
    over, cancelled, merged, goes_on = (note() for _ in range(4))
    api.act(case_id=over.case_id, action="agree", data={"text": "好"}, actor=cast.leader.actor)
    api.act(case_id=cancelled.case_id, action="back", data={}, actor=cast.leader.actor)  # closes all obligations
    api.merge(case_id=merged.case_id, into=goes_on.case_id, reason="重复", actor=cast.leader.actor)
    clock.advance(timedelta(days=30))
    assert api.recur_due(actor=founder) == 4
    assert rows(goes_on) == [("answer", "open", "")] * 5
    assert not ObligationRecord.objects.filter(case__state="closed", next_at__isnull=False).exists()
    with pytest.raises(ActionNotOffered):
        api.act(case_id=over.case_id, action="agree", data={"text": "好"}, actor=cast.leader.actor)


def stages() -> KindSpec:
    """Three phases; with the work of each something begins that comes again each month."""

    def work(*effects: dict[str, Any]) -> dict[str, Any]:
        return {"title": "办", "who": {"person": "opener"}, "actions": {"next": {"title": "下一步", "outcome": "done", "effects": list(effects)}}}

    report = {"title": "报", "who": {"person": "opener"}, "recurs": {"every": "month"}, "actions": {"report": {"title": "报送", "outcome": "reported"}}}
    opened = {code: [{"open_obligation": f"work_{code}"}, {"open_obligation": f"report_{code}"}] for code in "abc"}
    return KindSpec.model_validate({
        "code": "staged", "title": "分段", "prefix": "FD", "opens": {"permission": "cases.act"}, "by_form": True, "start": opened["a"],
        "phases": [{"code": code, "title": code} for code in "abc"],
        "obligations": {
            "work_a": work({"go_to_phase": "b"}, *opened["b"]), "work_b": work({"go_to_phase": "c"}, *opened["c"]),
            "work_c": work({"close_case": "done"}), "report_a": report, "report_b": report, "report_c": report,
        },
    })  # fmt: skip


@pytest.mark.parametrize("reported", [False, True])
def test_after_a_send_back_only_what_began_before_that_phase_comes_again(
    note: Any, clock: FrozenClock, cast: Cast, founder: Actor, reported: bool
) -> None:
    api.publish_kind(spec=stages(), source="tests", actor=founder)
    case = api.open_case(kind="staged", title="一件", data={}, actor=cast.clerk.actor)
    told = {"case_id": case.case_id, "actor": cast.clerk.actor}
    ids: dict[str, str] = {}
    for _ in range(2):
        ids |= dict(ObligationRecord.objects.filter(case_id=case.case_id, state="open").values_list("name", "pk"))
        api.act(**told, action="next", data={}, obligation_id=max((name, pk) for name, pk in ids.items() if "work" in name)[1])
    ids |= dict(ObligationRecord.objects.filter(case_id=case.case_id, state="open").values_list("name", "pk"))
    for code in "abc" if reported else "":
        api.act(**told, action="report", data={}, obligation_id=ids[f"report_{code}"])
    api.send_back(**told, obligation_id=ids["work_c"], phase="b", reason="重来")
    coming = ObligationRecord.objects.filter(case_id=case.case_id, next_at__isnull=False).values_list("name", "superseded_seq")
    assert sorted(coming) == [("report_a", None), ("report_b", None)]
    clock.move_to(datetime(2026, 3, 31, 16, 0, tzinfo=UTC))
    assert (api.recur_due(actor=founder), api.recur_due(actor=founder)) == (2, 0)
    assert api.replay_case(case_id=case.case_id, actor=cast.clerk.actor).equal


def plain_next(at: datetime, every: str) -> date:
    """Return the first day of the next period by walking day by day."""
    months = {"month": range(1, 13), "quarter": (1, 4, 7, 10), "half_year": (1, 7), "year": (1,)}
    on = local(at).date()
    while True:
        on += timedelta(days=1)
        begins = {"day": True, "week": on.weekday() == 0}.get(every, on.day == 1 and on.month in months.get(every, ()))
        if begins:
            return on


@given(at=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)), every=st.sampled_from(PERIODS))  # noqa: DTZ001
def test_periods_begin_where_a_calendar_on_the_wall_says(at: datetime, every: str) -> None:
    assert next_period(at, every) == datetime.combine(plain_next(at, every), time.min, tzinfo=SHANGHAI)
