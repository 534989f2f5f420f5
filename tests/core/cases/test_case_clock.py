"""The clock of the whole case counts wherever time counts: in lists, in numbers, in warnings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import yaml

from tests.conftest import Cast
from tests.core.cases.test_operators import FROM_OPENING, PERMIT, accepted, do, permit, permit_kind  # noqa: F401
from yunhe.core.cases import api
from yunhe.core.cases.errors import BadKind, CannotOperate
from yunhe.core.cases.models import ClockRecord, ObligationRecord
from yunhe.core.cases.types import Case
from yunhe.core.notices import api as notices
from yunhe.kernel.actor import job_actor
from yunhe.kernel.clock import FrozenClock
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
HEAD = job_actor("tests")


@pytest.fixture
def decided_late(permit: Any, cast: Cast, clock: FrozenClock) -> Case:  # noqa: F811
    """A permit whose departments agreed: the decision has no limit of its own, the permit's twenty days are over."""
    case = accepted(permit(), cast)
    for member in (cast.leader, cast.data_admin):
        case = do(case, "agree", member)
    clock.advance(timedelta(days=60))
    return case


def letters(member: Any) -> list[str]:
    return [letter.title["en"] for letter in notices.list_notices(request=PageRequest(), actor=member.actor).items]


def warned() -> int:
    return sum(iter(lambda: api.warn_due(actor=HEAD), 0))


def test_the_line_of_a_case_past_its_limit_is_late(decided_late: Case, cast: Cast) -> None:
    due = ClockRecord.objects.get(case_id=decided_late.case_id).due_at
    overdue = api.list_waiting(request=PageRequest(filters={"due": "overdue"}), actor=cast.leader.actor)
    assert [(item.case_id, item.due_at, item.light) for item in overdue.items] == [(decided_late.case_id, due, "overdue")]
    assert {facet.value: facet.count for facet in overdue.facets if facet.name == "due"} == {"overdue": 1, "today": 0, "week": 0, "later": 0, "paused": 0}
    assert api.get_team(organization=cast.owner.code, actor=cast.leader.actor).total.counts["overdue"] == 1
    asked = PageRequest(filters={"measure": "overdue"})
    (line,) = api.list_team_work(organization=cast.owner.code, request=asked, actor=cast.leader.actor).items
    assert (line.due_at, line.light) == (due, "overdue")


def test_whose_turn_it_is_is_warned_of_the_clock_of_the_case(decided_late: Case, cast: Cast) -> None:
    assert warned() == 2
    assert [title.split(":")[0] for title in letters(cast.leader)] == ["Overdue", "Overdue"]  # both rungs while nobody looked
    assert api.replay_case(case_id=decided_late.case_id, actor=HEAD).equal


def test_a_clock_that_stands_or_is_stopped_makes_nothing_due(decided_late: Case, cast: Cast) -> None:
    api.suspend(case_id=decided_late.case_id, basis="依据", reason="等", actor=cast.leader.actor)
    (owed,) = ObligationRecord.objects.filter(case_id=decided_late.case_id, state="open")
    assert (owed.first_due_at, warned()) == (None, 0)
    api.resume(case_id=decided_late.case_id, reason="续", actor=cast.leader.actor)
    owed.refresh_from_db()
    assert owed.first_due_at == ClockRecord.objects.get(case_id=decided_late.case_id).due_at
    do(decided_late, "grant", cast.leader)
    assert warned() == 0


def test_what_ends_first_counts(permit: Any, cast: Cast) -> None:  # noqa: F811
    case = permit(limits=FROM_OPENING)
    (owed,) = ObligationRecord.objects.filter(case_id=case.case_id)
    assert owed.first_due_at == owed.due_at
    api.extend(case_id=case.case_id, amount=40, basis="依据", reason="延", obligation_id=owed.pk, actor=cast.leader.actor)
    owed.refresh_from_db()
    assert owed.first_due_at == ClockRecord.objects.get(case_id=case.case_id).due_at
    assert owed.first_due_at < owed.due_at


def test_a_longer_limit_is_warned_of_anew(permit: Any, cast: Cast, clock: FrozenClock) -> None:  # noqa: F811
    case = permit(limits=FROM_OPENING)
    (owed,) = ObligationRecord.objects.filter(case_id=case.case_id)
    clock.advance(timedelta(days=40))
    assert warned() == 4  # two rungs of the obligation, two of the case
    for obligation_id in (owed.pk, ""):
        api.extend(case_id=case.case_id, amount=60, basis="依据", reason="延", obligation_id=obligation_id, actor=cast.leader.actor)
    assert warned() == 0
    clock.advance(timedelta(days=140))
    assert warned() == 4
    assert api.replay_case(case_id=case.case_id, actor=HEAD).equal


def test_a_warning_says_overdue_only_of_what_is(permit: Any, cast: Cast, clock: FrozenClock) -> None:  # noqa: F811
    case = permit(ladder=[{"percent": 50}, {"percent": 80}, {"percent": 100}], limits=[])
    told = []
    for _rung in range(3):
        at = ObligationRecord.objects.get(case_id=case.case_id, state="open").warn_at
        assert at is not None
        clock.move_to(at)
        assert warned() == 1
        told.append(letters(cast.steward)[0].split(":")[0])
    assert told == ["Due soon", "Due soon", "Overdue"]


def test_seats_of_the_bureau_are_warned_and_reminded(permit: Any, cast: Cast, clock: FrozenClock) -> None:  # noqa: F811
    obligations = yaml.safe_load(PERMIT.read_text("utf-8"))["obligations"]
    obligations["accept"]["who"] = {"organization": "bureau", "roles": ["data_admin"]}
    case = permit(obligations=obligations, limits=[])
    clock.advance(timedelta(days=30))
    assert warned() == 2
    api.remind(case_id=case.case_id, reason="请办", actor=cast.clerk.actor)
    assert [title.split(":")[0] for title in letters(cast.data_admin)] == ["Reminder", "Overdue", "Overdue"]


def test_a_rung_that_escalates_tells_who_supervises(permit: Any, cast: Cast, clock: FrozenClock) -> None:  # noqa: F811
    permit(ladder=[{"percent": 100, "escalate": True}], limits=[])
    clock.advance(timedelta(days=30))
    assert warned() == 1
    assert [title.split(":")[0] for title in letters(cast.steward)] == ["Overdue"]
    assert [title.split(":")[0] for title in letters(cast.leader)] == ["Supervision"]


def started(case: Case) -> list[tuple[Any, Any]]:
    return list(ClockRecord.objects.filter(case_id=case.case_id).values_list("started_at", "stopped_at"))


def test_the_limit_runs_from_the_lawful_day(permit: Any, cast: Cast, clock: FrozenClock) -> None:  # noqa: F811
    case = permit()
    clock.advance(timedelta(days=3))
    case = do(case, "ask", cast.steward, missing="平面图")
    clock.advance(timedelta(days=20))  # what the applicant takes before acceptance is not counted
    case = do(case, "complete", cast.clerk, place="解放路 2 号")
    assert started(case) == []
    case = accepted(case, cast)
    ((at, _stopped),) = started(case)
    assert at == clock.at
    assert case.due_at == ObligationRecord.objects.filter(case_id=case.case_id, state="open").earliest("due_at").due_at
    assert api.replay_case(case_id=case.case_id, actor=HEAD).equal


def test_sent_back_behind_its_start_the_clock_goes_on(permit: Any, cast: Cast, clock: FrozenClock) -> None:  # noqa: F811
    case = accepted(permit(), cast)
    first = started(case)
    for member in (cast.leader, cast.data_admin):
        case = do(case, "agree", member)
    clock.advance(timedelta(days=2))
    (owed,) = ObligationRecord.objects.filter(case_id=case.case_id, state="open")
    api.send_back(case_id=case.case_id, obligation_id=owed.pk, phase="intake", reason="再核", actor=cast.leader.actor)
    accepted(case, cast)
    assert started(case) == first


def test_a_start_that_is_taken_back_stops_the_clock(permit: Any, cast: Cast, clock: FrozenClock) -> None:  # noqa: F811
    case = accepted(permit(), cast)
    api.retract(case_id=case.case_id, reason="看错", actor=cast.steward.actor)
    assert api.access_case(case_id=case.case_id, actor=cast.steward.actor).due is None
    assert started(case) == [(clock.at, clock.at)]
    clock.advance(timedelta(days=1))
    accepted(case, cast)
    assert started(case) == [(clock.at, None)]
    assert api.replay_case(case_id=case.case_id, actor=HEAD).equal


def test_a_clock_starts_with_an_action_that_is_there(permit: Any, cast: Cast) -> None:  # noqa: F811
    told = {"amount": 20, "basis": "依据"}
    for name, said in (("nowhere", 'no action "nowhere"'), ("ask", '"ask" pauses the clocks')):
        with pytest.raises(BadKind) as refused:
            permit(limits=[{**told, "starts_with": name}])
        assert said in refused.value.say("en")
    obligations = yaml.safe_load(PERMIT.read_text("utf-8"))["obligations"]
    obligations["accept"]["limits"] = [{**told, "starts_with": "accept"}]
    with pytest.raises(BadKind) as refused:
        permit(obligations=obligations)
    assert "limit of the whole case" in refused.value.say("en")


def test_a_limit_is_made_longer_as_far_as_it_says(permit: Any, cast: Cast) -> None:  # noqa: F811
    case = accepted(permit(), cast)
    told = {"case_id": case.case_id, "basis": "行政许可法第四十二条", "reason": "复杂", "actor": cast.leader.actor}
    api.extend(amount=6, **told)
    with pytest.raises(CannotOperate) as refused:
        api.extend(amount=5, **told)
    assert "longer by 4 workdays at most" in refused.value.say("en")
    api.extend(amount=4, **told)
    assert ClockRecord.objects.get(case_id=case.case_id).extensions[-1]["amount"] == 4
    assert api.replay_case(case_id=case.case_id, actor=HEAD).equal
