"""The example of a table, dated limits, scores, a batch and a monthly report, loaded as a pack and walked to its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cast, Member
from yunhe.core.cases import api
from yunhe.core.cases.errors import GuardRefused
from yunhe.core.cases.models import CaseRecord
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.errors import UserNotFound
from yunhe.core.packs import api as packs
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import FrozenClock

pytestmark = pytest.mark.django_db
AWARD = Path(__file__).resolve().parents[3] / "examples" / "award"


@pytest.fixture
def loaded(clock: FrozenClock, cast: Cast, calendar: None, founder: Actor) -> None:
    from yunhe.core.packs.models import LoadedPack

    LoadedPack.objects.create(name="national", version="1", digest="x", sections=[], title={}, grants=[], loaded_at=clock.at, loaded_by="tests")
    report = packs.load_pack(name_or_path=AWARD, actor=founder)
    assert [(change.what, change.action) for change in report.changes if change.what != "case kind"] == [
        ("limit", "create"), ("limit", "create"), ("decision table", "create"),
    ]  # fmt: skip


def applied(cast: Cast, *scores: int, turnover: int = 2000) -> Any:
    third(cast)  # nobody scores twice: three must be there
    case = api.open_case(
        kind="award_application", title="申报", data={"turnover": turnover, "first_time": True}, actor=cast.clerk.actor,
        owner=cast.owner.code,
    )  # fmt: skip
    if not scores:
        return case
    api.act(case_id=case.case_id, action="accept", data={}, actor=cast.steward.actor)
    return scored(case, cast, *scores)


def scored(case: Any, cast: Cast, *scores: int) -> Any:
    for score, member in zip(scores, (cast.leader, cast.steward, third(cast)), strict=True):
        case = score_it(case, score, member)
    return case


def score_it(case: Any, score: int, member: Member) -> Any:
    waiting = [one for one in api.access_case(case_id=case.case_id, actor=member.actor).actions if one.name == "score"]
    told = {"case_id": case.case_id, "action": "score", "data": {"score": score}, "obligation_id": waiting[0].obligation_id}
    return api.act(**told, actor=member.actor)


def third(cast: Cast) -> Member:
    """A second steward of the owner's, who scores too."""
    actor = job_actor("tests")
    try:
        person = organizations.get_person(username="pingshen")
    except UserNotFound:
        person = organizations.create_user(username="pingshen", display_name="评审员", actor=actor).person
        organizations.add_membership(username="pingshen", organization=cast.owner.code, role="data_steward", actor=actor)
    membership = organizations.list_memberships(user_id=person.id)[0]
    return Member("pingshen", "", person.id, membership.id, organizations.actor_for(user_id=person.id, membership_id=membership.id))


def test_applications_are_valued_scored_ranked_and_report_each_month(loaded: None, clock: FrozenClock, cast: Cast) -> None:
    best, second, low = applied(cast, 90, 91, 91), applied(cast, 80, 80, 80, turnover=999), applied(cast, 60, 50, 40)
    assert [best.data["amount"], second.data["amount"]] == [20, 10]
    ranking = api.open_case(
        kind="award_ranking", title="排序", data={"quota": 2, "pass_mark": 60}, actor=cast.clerk.actor, owner=cast.owner.code
    )
    api.add_members(case_id=ranking.case_id, numbers=[c.number for c in (low, second, best)], actor=cast.leader.actor)
    assert [m.value for m in api.list_members(case_id=ranking.case_id, actor=cast.leader.actor)] == ["90.6667", "80.0000", "50.0000"]
    api.act(case_id=ranking.case_id, action="settle", data={}, actor=cast.leader.actor)
    stand = [api.get_case(case_id=case.case_id) for case in (best, second, low)]
    assert [(c.phase, c.outcome, c.data["place"]) for c in stand] == [("reporting", "", 1), ("reporting", "", 2), ("ended", "passed_over", 3)]
    api.act(case_id=best.case_id, action="report", data={"progress": "好"}, actor=cast.clerk.actor)
    clock.move_to(datetime(2026, 3, 31, 16, tzinfo=UTC))
    assert api.recur_due(actor=cast.system_admin.actor) == 2
    view = api.access_case(case_id=best.case_id, actor=cast.clerk.actor)
    report = next(o for o in view.obligations if o.name == "report" and o.state == "open")
    assert report.due is not None
    assert report.due.at == datetime(2026, 4, 11, 15, 59, 59, 999999, tzinfo=UTC)
    api.act(case_id=best.case_id, action="finish", data={}, actor=cast.leader.actor)
    clock.advance(timedelta(days=40))
    assert api.recur_due(actor=cast.system_admin.actor) == 1  # only of what still runs
    assert all(api.replay_case(case_id=c.case_id, actor=cast.clerk.actor).equal for c in (best, second, low, ranking))


def ranked(cast: Cast, *cases: Any) -> Any:
    """Open a ranking of two places with the cases on its list."""
    told = {"quota": 2, "pass_mark": 60}
    ranking = api.open_case(kind="award_ranking", title="排序", data=told, actor=cast.clerk.actor, owner=cast.owner.code)
    return api.add_members(case_id=ranking.case_id, numbers=[case.number for case in cases], actor=cast.leader.actor)


def test_a_selected_one_that_is_scored_anew_is_ranked_anew(loaded: None, clock: FrozenClock, cast: Cast) -> None:
    case = applied(cast, 90, 91, 92)
    first = ranked(cast, case)
    api.act(case_id=first.case_id, action="settle", data={}, actor=cast.leader.actor)
    api.act(case_id=case.case_id, action="report", data={"progress": "好"}, actor=cast.clerk.actor)
    (finish,) = [one for one in api.access_case(case_id=case.case_id, actor=cast.leader.actor).actions if one.name == "finish"]
    api.send_back(case_id=case.case_id, obligation_id=finish.obligation_id, phase="scoring", reason="复评", actor=cast.leader.actor)
    clock.move_to(datetime(2026, 3, 31, 16, tzinfo=UTC))
    assert api.recur_due(actor=cast.system_admin.actor) == 0  # it is not selected: there is nothing to report
    case = scored(case, cast, 30, 30, 30)
    assert case.data["score"] == "30.0000"
    second = ranked(cast, case)
    assert api.list_members(case_id=first.case_id, actor=cast.leader.actor) == ()
    api.act(case_id=second.case_id, action="settle", data={}, actor=cast.leader.actor)
    assert api.get_case(case_id=case.case_id).outcome == "passed_over"
    assert all(api.replay_case(case_id=c.case_id, actor=cast.clerk.actor).equal for c in (case, first, second))


def test_a_list_that_is_settled_holds_nobody_back(loaded: None, clock: FrozenClock, cast: Cast) -> None:
    case = applied(cast, 90, 91, 92)
    settled = ranked(cast, case)
    api.act(case_id=settled.case_id, action="settle", data={}, actor=cast.leader.actor)
    other = applied(cast, 80, 80, 80)
    CaseRecord.objects.filter(pk=other.case_id).update(batch=settled.case_id)  # as a send-back left it once
    ranking = ranked(cast, applied(cast, 70, 70, 70))
    assert [one.number for one in api.list_candidates(case_id=ranking.case_id, actor=cast.leader.actor)] == [other.number]
    api.add_members(case_id=ranking.case_id, numbers=[other.number], actor=cast.leader.actor)


def test_nobody_scores_an_application_twice(loaded: None, cast: Cast) -> None:
    case = applied(cast)
    api.act(case_id=case.case_id, action="accept", data={}, actor=cast.steward.actor)
    case = score_it(case, 100, cast.leader)
    with pytest.raises(GuardRefused, match="another person"):
        score_it(case, 100, cast.leader)
    offered = api.access_case(case_id=case.case_id, actor=cast.leader.actor).actions
    assert {one.refusal["en"] for one in offered if one.name == "score" and one.refusal} == {"Each of the group takes another person."}
    case = score_it(score_it(case, 70, cast.steward), 70, third(cast))
    assert (case.phase, case.data["score"]) == ("ranking", "80.0000")


def test_an_application_nobody_checks_goes_on_when_its_time_is_over(loaded: None, clock: FrozenClock, cast: Cast) -> None:
    case = applied(cast)
    due = api.access_case(case_id=case.case_id, actor=cast.steward.actor).obligations[0].due
    assert due is not None
    assert (due.amount, due.basis) == (3, "示例约定（第二版）：初审 3 个工作日")
    clock.advance(timedelta(days=4))
    assert api.lapse_due(actor=cast.system_admin.actor) == 1
    assert api.get_case(case_id=case.case_id).phase == "scoring"
