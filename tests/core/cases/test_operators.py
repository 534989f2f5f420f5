"""The generic operators on a permit: who may, what happens, and that the events still give the rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Cast, Member
from yunhe.core.cases import api
from yunhe.core.cases.api import store
from yunhe.core.cases.errors import (
    ActionNotOffered,
    BadDelegation,
    CannotOperate,
    CaseChanged,
    CaseNotFound,
    CaseSuspended,
    GuardRefused,
    NotRetractable,
    OperatorNotAllowed,
    OpinionsOpen,
)
from yunhe.core.cases.models import CaseRecord, ObligationRecord
from yunhe.core.cases.rules.kinds import check_kind
from yunhe.core.cases.types import Case, KindSpec
from yunhe.core.notices import api as notices
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import FrozenClock, local, now
from yunhe.kernel.errors import Refused
from yunhe.kernel.pages import PageRequest
from yunhe.kernel.workdays import CalendarDay

PERMIT = Path(__file__).resolve().parents[3] / "examples" / "permit" / "cases" / "permit.yml"
WHY = "测试"
FROM_OPENING = [{"amount": 20, "unit": "workdays", "basis": "自提出之日起"}]


def permit_kind(**changes: Any) -> KindSpec:
    told = {**yaml.safe_load(PERMIT.read_text("utf-8")), **changes}
    told["fields"] = [field for field in told["fields"] if "element" not in field]  # no standards are loaded here
    return KindSpec.model_validate(told)


@pytest.fixture
def permit(clock: FrozenClock, cast: Cast, calendar: None, founder: Actor) -> Callable[..., Case]:
    """Return a function that opens a permit: the clerk of `other` applies to `owner`."""

    def open_permit(**changes: Any) -> Case:
        api.publish_kind(spec=permit_kind(**changes), source="tests", actor=founder)
        data = {"place": "解放路 1 号", "area": 20}
        return api.open_case(kind="permit", title="一件许可", data=data, actor=cast.clerk.actor, owner=cast.owner.code)

    return open_permit


@pytest.fixture
def replays(clock: FrozenClock, cast: Cast) -> Any:
    """Check at the end that the events of every case give its rows."""
    yield
    for case_id in CaseRecord.objects.values_list("pk", flat=True):
        found = api.replay_case(case_id=case_id, actor=job_actor("tests"))
        assert found.equal, found.differences


pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("replays")]


def do(case: Case, action: str, member: Member | Actor, obligation_id: str = "", **data: Any) -> Case:
    actor = member if isinstance(member, Actor) else member.actor
    return api.act(case_id=case.case_id, action=action, data=data, actor=actor, obligation_id=obligation_id)


def accepted(case: Case, cast: Cast) -> Case:
    return do(case, "accept", cast.steward, departments=[cast.owner.code, cast.bureau.code])


def view(case: Case, member: Member) -> Any:
    return api.access_case(case_id=case.case_id, actor=member.actor)


def open_ids(case: Case, cast: Cast, name: str) -> list[str]:
    found = api.access_case(case_id=case.case_id, actor=job_actor("tests")).obligations
    return [item.obligation_id for item in found if item.name == name and item.state == "open"]


def waiting(member: Member) -> list[str]:
    return [item.obligation_id for item in api.list_waiting(request=PageRequest(), actor=member.actor).items]


def test_departments_review_side_by_side_and_the_last_one_opens_the_decision(permit: Any, cast: Cast) -> None:
    case = accepted(permit(), cast)
    assert len(open_ids(case, cast, "opinion")) == 2
    case = do(case, "agree", cast.leader)
    assert (case.phase, open_ids(case, cast, "decide")) == ("review", [])
    with pytest.raises(ActionNotOffered):
        do(case, "agree", cast.leader)
    case = do(case, "object", cast.data_admin, reason="不符规划")
    assert case.phase == "decision" and len(open_ids(case, cast, "decide")) == 1
    assert do(case, "grant", cast.leader).outcome == "granted"


@pytest.mark.parametrize(
    ("when", "acts", "phase"),
    [
        ("count_objected > 0", ["object"], "decision"),  # veto
        ("count_agreed >= 1", ["agree"], "decision"),  # any one signs
        ("count_agreed >= 2", ["agree"], "review"),  # k of n
        ("count_agreed * 2 > total_count", ["agree"], "review"),  # majority of two is two
        ("count_agreed * 2 > total_count", ["agree", "agree"], "decision"),
        ("done_count = 1 AND open_count = 1", ["agree"], "decision"),
    ],
)
def test_joins_are_predicates_over_the_group(permit: Any, cast: Cast, when: str, acts: list[str], phase: str) -> None:
    effects = [{"close_group": "opinions"}, {"go_to_phase": "decision"}, {"open_obligation": "decide"}]
    rules = [{"when": when, "effects": effects}, {"when": "open_count = 0", "effects": effects}]  # else nobody might be left
    case = accepted(permit(groups={"opinions": {"rules": rules}}), cast)
    for action, member in zip(acts, (cast.leader, cast.data_admin), strict=False):
        case = do(case, action, member, **({"reason": WHY} if action == "object" else {}))
    assert case.phase == phase
    assert bool(open_ids(case, cast, "opinion")) == (phase == "review")


def test_the_mean_of_scores_joins_a_panel(permit: Any, cast: Cast) -> None:
    base = yaml.safe_load(PERMIT.read_text("utf-8"))["obligations"]
    score = {"name": "score", "title": "分数", "type": "decimal", "required": True}
    base["opinion"]["actions"] = {"rate": {"title": "评分", "outcome": "rated", "fields": [score]}}
    passed = [{"go_to_phase": "decision"}, {"open_obligation": "decide"}]
    failed = [{"go_to_phase": "refused"}, {"close_case": "refused"}]
    rules = [
        {"when": "open_count = 0 AND score_mean >= 80", "effects": passed},
        {"when": "open_count = 0", "effects": failed},
    ]
    changes = {"obligations": base, "groups": {"opinions": {"score": "score", "rules": rules}}}
    for scores, phase in ((("70", "90.5"), "decision"), (("70", "89.9"), "refused")):
        case = accepted(permit(**changes), cast)
        do(case, "rate", cast.leader, score=scores[0])
        assert do(case, "rate", cast.data_admin, score=scores[1]).phase == phase


def test_what_is_sealed_is_seen_by_nobody_else_until_all_have_answered(permit: Any, cast: Cast) -> None:
    base = yaml.safe_load(PERMIT.read_text("utf-8"))["obligations"]
    form = [{"name": "score", "title": "分数", "type": "decimal", "required": True}, {"name": "why", "title": "理由", "required": True}]
    base["opinion"]["actions"] = {"rate": {"title": "评分", "outcome": "rated", "fields": form}}
    rules = [{"when": "open_count = 0", "effects": [{"go_to_phase": "decision"}, {"open_obligation": "decide"}]}]
    changes = {"obligations": base, "groups": {"opinions": {"score": "score", "sealed": True, "rules": rules}}}
    case = do(accepted(permit(**changes), cast), "rate", cast.leader, score="83.625", why="材料齐全得当")

    def seen(member: Member) -> str:
        told = view(case, member)
        return repr((told.facts, told.events, [(item.outcome, item.outcome_title) for item in told.obligations]))

    assert "材料齐全得当" in seen(cast.leader) and "rated" in seen(cast.leader)
    for member in (cast.clerk, cast.steward, cast.data_admin):
        assert not any(text in seen(member) for text in ("材料齐全得当", "83.625", "rated", "评分")) and "密封" in seen(member)
        assert api.list_cases(request=PageRequest(search="齐全得当"), actor=member.actor).total == 0
    do(case, "rate", cast.data_admin, score="70", why="尚可")
    assert "材料齐全得当" in seen(cast.clerk)
    base["opinion"]["actions"]["rate"]["effects"] = [{"set_field": {"field": "conditions", "source": "form.why"}}]
    assert [where for where, *_ in check_kind(permit_kind(**changes))] == ["obligations.opinion.actions.rate"]


def test_a_pause_stops_every_clock_and_is_explained(permit: Any, cast: Cast, clock: FrozenClock) -> None:
    case = permit(limits=FROM_OPENING)
    before = view(case, cast.steward).due
    clock.move_to(now() + timedelta(days=1))  # the day of the event is not counted anyway
    case = do(case, "ask", cast.steward, missing="图纸")
    stopped = view(case, cast.steward).due
    assert (stopped.at, stopped.light, stopped.pause_basis[:5]) == (None, "paused", "行政许可法")
    assert case.due_at == ObligationRecord.objects.get(case_id=case.case_id, name="complete").due_at  # the applicant's own limit runs
    clock.move_to(now() + timedelta(days=7))  # Tuesday to Tuesday: seven nights, five workdays
    case = do(case, "complete", cast.clerk, place="建军路 2 号")
    after = view(case, cast.steward).due
    assert api.calendar().count_workdays(local(before.at).date(), local(after.at).date()) == 5
    assert [day.reason for day in after.days].count("paused") == 7
    assert [day.number for day in after.days if day.number] == list(range(1, 21))
    assert {day.name[:5] for day in after.days if day.reason == "paused"} == {"行政许可法"}


def test_an_extension_needs_a_supervisor_and_a_basis(permit: Any, cast: Cast) -> None:
    case = permit(limits=FROM_OPENING)
    before = view(case, cast.leader).due
    told = {"case_id": case.case_id, "amount": 10, "basis": "行政许可法第四十二条", "reason": WHY}
    with pytest.raises(Refused):
        api.extend(**told, actor=cast.steward.actor)
    api.extend(**told, actor=cast.leader.actor)
    after = view(case, cast.leader).due
    assert (after.amount, after.extensions[0]["reason"], after.at > before.at) == (30, WHY, True)
    assert len([day for day in after.days if day.number]) == 30


def test_hand_on_to_a_colleague_and_back(permit: Any, cast: Cast, colleague: Member) -> None:
    case = permit()
    (item,) = open_ids(case, cast, "accept")
    api.hand_on(case_id=case.case_id, obligation_id=item, to=colleague.username, reason=WHY, actor=cast.steward.actor)
    assert (waiting(cast.steward), waiting(colleague)) == ([], [item])
    with pytest.raises(ActionNotOffered):
        do(case, "accept", cast.steward, departments=[cast.bureau.code])
    api.take_back(case_id=case.case_id, obligation_id=item, actor=colleague.actor)
    assert waiting(cast.steward) == waiting(colleague) == [item]


def test_hand_on_only_to_who_holds_the_role_and_elsewhere_only_if_the_kind_says_so(permit: Any, cast: Cast) -> None:
    case = permit()
    told = {"case_id": case.case_id, "obligation_id": open_ids(case, cast, "accept")[0], "reason": WHY, "actor": cast.steward.actor}
    with pytest.raises(CannotOperate):
        api.hand_on(**told, to=cast.leader.username)
    with pytest.raises(CannotOperate):
        api.hand_on(**told, to=f"@{cast.bureau.code}")
    base = yaml.safe_load(PERMIT.read_text("utf-8"))["obligations"]
    base["accept"] |= {"transferable": True, "who": {"organization": "owner", "roles": ["data_admin", "data_steward"]}}
    case = permit(obligations=base)
    item = open_ids(case, cast, "accept")[0]
    api.hand_on(**{**told, "case_id": case.case_id, "obligation_id": item}, to=f"@{cast.bureau.code}")
    assert item in waiting(cast.data_admin)
    assert item not in waiting(cast.steward)


def test_an_added_reviewer_is_waited_for(permit: Any, cast: Cast) -> None:
    case = permit()
    (item,) = open_ids(case, cast, "accept")
    to = [cast.leader.username, cast.officer.username]
    api.add_reviewer(case_id=case.case_id, obligation_id=item, to=to, reason=WHY, actor=cast.steward.actor)
    with pytest.raises(OpinionsOpen):
        accepted(case, cast)
    do(case, "give_opinion", cast.leader, agrees="yes", opinion="可以")
    with pytest.raises(OpinionsOpen):
        accepted(case, cast)
    assert len(waiting(cast.officer)) == 1
    api.drop_reviewer(case_id=case.case_id, obligation_id=item, actor=cast.steward.actor)
    assert waiting(cast.officer) == []
    assert accepted(case, cast).phase == "review"
    facts = [event.facts for event in view(case, cast.steward).events if event.action == "give_opinion"]
    assert [fact.value for fact in facts[0]] == ["yes", "可以"]


def test_send_back_opens_what_the_phase_began_with(permit: Any, cast: Cast) -> None:
    case = accepted(permit(), cast)
    do(case, "agree", cast.leader)
    case = do(case, "agree", cast.data_admin)
    (item,) = open_ids(case, cast, "decide")
    told = {"case_id": case.case_id, "obligation_id": item, "reason": WHY, "actor": cast.leader.actor}
    with pytest.raises(CannotOperate):
        api.send_back(**told, phase="granted")
    case = api.send_back(**told, phase="review")
    assert case.phase == "review" and len(open_ids(case, cast, "opinion")) == 2
    do(case, "agree", cast.leader)
    case = do(case, "agree", cast.data_admin)
    assert case.phase == "decision"  # the join counts anew: nobody is stuck
    (item,) = open_ids(case, cast, "decide")
    case = api.send_back(**{**told, "obligation_id": item}, phase="intake")
    assert open_ids(case, cast, "accept") and not open_ids(case, cast, "decide")


JOINED = [{"close_group": "opinions"}, {"go_to_phase": "decision"}, {"open_obligation": "decide"}]


def sent_back(case: Case, cast: Cast, phase: str, name: str = "decide", member: str = "leader") -> Case:
    (item,) = open_ids(case, cast, name)
    return api.send_back(case_id=case.case_id, obligation_id=item, phase=phase, reason=WHY, actor=getattr(cast, member).actor)


@pytest.mark.parametrize(
    ("when", "before", "after"),
    [
        ("count_agreed >= 2", ["agree", "agree"], ["agree"]),  # k of n
        ("count_objected > 0", ["object"], ["agree"]),  # veto
        ("count_agreed * 2 > total_count", ["agree", "agree"], ["agree"]),  # majority
        ("done_count >= 2", ["agree", "object"], ["object"]),
    ],
)
def test_no_vote_from_before_a_send_back_counts(permit: Any, cast: Cast, when: str, before: list[str], after: list[str]) -> None:
    rules = [{"when": one, "effects": JOINED} for one in (when, "open_count = 0")]
    case = accepted(permit(groups={"opinions": {"rules": rules}}), cast)
    for phase in ("review", "intake"):
        for action, member in zip(before, (cast.leader, cast.data_admin), strict=False):
            case = do(case, action, member, **({"reason": WHY} if action == "object" else {}))
        assert case.phase == "decision"
        case = sent_back(case, cast, phase)
        case = accepted(case, cast) if phase == "intake" else case
        for action in after:
            case = do(case, action, cast.leader, **({"reason": WHY} if action == "object" else {}))
        assert (case.phase, len(open_ids(case, cast, "opinion"))) == ("review", 1)
        case = do(case, "object", cast.data_admin, reason=WHY)  # the last one: the decision comes
        case = sent_back(case, cast, "review")


def test_fresh_scores_alone_make_the_mean(permit: Any, cast: Cast) -> None:
    base = yaml.safe_load(PERMIT.read_text("utf-8"))["obligations"]
    score = {"name": "score", "title": "分数", "type": "decimal", "required": True}
    base["opinion"]["actions"] = {"rate": {"title": "评分", "outcome": "rated", "fields": [score]}}
    refused = [{"go_to_phase": "refused"}, {"close_case": "refused"}]
    rules = [{"when": "open_count = 0 AND score_mean >= 60", "effects": JOINED}, {"when": "open_count = 0", "effects": refused}]
    case = accepted(permit(obligations=base, groups={"opinions": {"score": "score", "rules": rules}}), cast)
    for member in (cast.leader, cast.data_admin):
        case = do(case, "rate", member, score="90")
    case = sent_back(case, cast, "review")
    for member in (cast.leader, cast.data_admin):
        case = do(case, "rate", member, score="50")  # with the 90 of before it would be 70
    assert (case.phase, case.outcome) == ("refused", "refused")


def test_who_takes_a_send_back_back_finds_the_votes_as_they_were(permit: Any, cast: Cast) -> None:
    case = accepted(permit(), cast)
    do(case, "agree", cast.leader)
    case = do(case, "agree", cast.data_admin)
    before = open_ids(case, cast, "decide")
    sent_back(case, cast, "review")
    case = api.retract(case_id=case.case_id, reason=WHY, actor=cast.leader.actor)
    assert (case.phase, open_ids(case, cast, "decide"), open_ids(case, cast, "opinion")) == ("decision", before, [])
    assert set(ObligationRecord.objects.exclude(superseded_seq=None).values_list("name", "state")) == {("opinion", "cancelled")}
    assert store.count_group(case.case_id, "opinions").outcomes == {"agreed": 2}


def test_who_sends_back_out_of_a_pause_ends_it_and_into_one_begins_it(permit: Any, cast: Cast, clock: FrozenClock) -> None:
    base = yaml.safe_load(PERMIT.read_text("utf-8"))["obligations"]
    base["complete"]["limits"] = [{"amount": 10, "unit": "workdays", "basis": "示例约定"}]
    case = do(permit(obligations=base, limits=FROM_OPENING), "ask", cast.steward, missing="图纸")
    clock.advance(timedelta(days=2))
    case = sent_back(case, cast, "intake", "complete", "clerk")
    due = view(case, cast.steward).due
    assert (due.light == "paused", len(due.pauses), due.pauses[0]["basis"][:5]) == (False, 1, "行政许可法")
    case = accepted(case, cast)
    do(case, "agree", cast.leader)
    assert do(case, "agree", cast.data_admin).due_at == due.at
    case = sent_back(do(sent_back(case, cast, "intake"), "ask", cast.steward, missing="图纸"), cast, "intake", "complete", "clerk")
    assert view(case, cast.steward).due.paused_at is None


def test_who_sends_back_into_a_pause_lets_every_clock_stand_as_then(permit: Any, cast: Cast, clock: FrozenClock) -> None:
    base = yaml.safe_load(PERMIT.read_text("utf-8"))["obligations"]
    base["complete"]["limits"] = [{"amount": 10, "unit": "workdays", "basis": "示例约定"}]
    case = do(permit(obligations=base, limits=FROM_OPENING), "ask", cast.steward, missing="图纸")
    clock.advance(timedelta(days=2))
    case = accepted(do(case, "complete", cast.clerk, place="建军路 2 号"), cast)
    do(case, "agree", cast.leader)
    case = sent_back(do(case, "agree", cast.data_admin), cast, "supplement")
    (stands,) = ObligationRecord.objects.filter(case_id=case.case_id, state="open")
    due = view(case, cast.steward).due
    assert (stands.name, stands.paused_at) == ("complete", None)  # opened after the pause, then as now
    assert (due.light, due.pause_basis[:5], due.paused_at) == ("paused", "行政许可法", now())
    clock.advance(timedelta(days=2))
    do(case, "complete", cast.clerk, place="建军路 3 号")
    assert (view(case, cast.steward).due.light, len(view(case, cast.steward).due.pauses)) == ("normal", 2)


def test_a_clock_that_started_later_stands_where_the_phase_begins_with_a_pause(permit: Any, cast: Cast, clock: FrozenClock) -> None:
    case = do(permit(), "ask", cast.steward, missing="图纸")  # it runs from acceptance on: nothing stands yet
    case = accepted(do(case, "complete", cast.clerk, place="建军路 2 号"), cast)
    do(case, "agree", cast.leader)
    case = sent_back(do(case, "agree", cast.data_admin), cast, "supplement")
    due = view(case, cast.steward).due
    assert (due.light, due.paused_at, due.pause_basis[:5]) == ("paused", now(), "行政许可法")
    clock.advance(timedelta(days=2))
    do(case, "complete", cast.clerk, place="建军路 3 号")
    assert (view(case, cast.steward).due.light, len(view(case, cast.steward).due.pauses)) == ("normal", 1)


def test_what_a_case_was_sent_back_from_is_no_way_back(permit: Any, cast: Cast) -> None:
    """Else whoever accepts it could put it to the decision again, past the review."""
    case = accepted(permit(), cast)
    do(case, "agree", cast.leader)
    case = sent_back(do(case, "agree", cast.data_admin), cast, "intake")
    assert [one for one in view(case, cast.steward).operators if one.name == "send_back"] == []
    with pytest.raises(CannotOperate):
        sent_back(case, cast, "decision", "accept", "steward")
    case = do(case, "accept", cast.steward, departments=[cast.bureau.code])  # only one is asked now
    case = sent_back(do(case, "agree", cast.data_admin), cast, "review")
    assert len(open_ids(case, cast, "opinion")) == 1


def test_the_last_step_can_be_taken_back_until_somebody_goes_on(permit: Any, cast: Cast) -> None:
    case = accepted(permit(), cast)
    with pytest.raises(NotRetractable):
        api.retract(case_id=case.case_id, reason=WHY, actor=cast.leader.actor)
    case = api.retract(case_id=case.case_id, reason=WHY, actor=cast.steward.actor)
    assert (case.phase, open_ids(case, cast, "opinion"), len(open_ids(case, cast, "accept"))) == ("intake", [], 1)
    assert case.data["departments"] is None
    assert [one for one in view(case, cast.steward).operators if one.name == "send_back"] == []  # the review never was
    with pytest.raises(CannotOperate):
        sent_back(case, cast, "review", "accept", "steward")
    case = accepted(case, cast)
    do(case, "agree", cast.leader)
    with pytest.raises(NotRetractable):
        api.retract(case_id=case.case_id, reason=WHY, actor=cast.steward.actor)


def test_a_calendar_that_counts_times_anew_holds_nobodys_step_fast(permit: Any, cast: Cast, clock: FrozenClock) -> None:
    """What comes back is counted by the calendar as it stands now, not by the one of the day of the step."""
    case = permit()
    before = view(case, cast.steward).obligations[0].due
    case = accepted(case, cast)
    free = [CalendarDay(clock.at.date() + timedelta(days=day), "holiday", "停工", "测试") for day in range(1, 9)]
    api.replace_calendar(days=[*api.calendar().days, *free], source="tests")
    assert api.recount_due(actor=job_actor("tests")) == 1
    assert "retract" in [one.name for one in view(case, cast.steward).operators]
    case = api.retract(case_id=case.case_id, reason=WHY, actor=cast.steward.actor)
    (again,) = [one for one in view(case, cast.steward).obligations if one.state == "open"]
    assert before and again.due and again.due.at > before.at and again.name == "accept"
    assert CaseRecord.objects.get(pk=case.case_id).due_at == again.due.at
    assert api.recount_due(actor=job_actor("tests")) == 0
    assert api.replay_case(case_id=case.case_id, actor=cast.steward.actor).equal


def test_who_is_reminded_or_warned_can_still_take_their_last_step_back(permit: Any, cast: Cast, clock: FrozenClock) -> None:
    case = accepted(permit(), cast)
    api.remind(case_id=case.case_id, reason="请尽快", actor=cast.clerk.actor)
    clock.advance(timedelta(days=60))
    assert api.warn_due(actor=job_actor("tests"))
    assert "retract" in [one.name for one in view(case, cast.steward).operators]
    case = api.retract(case_id=case.case_id, reason=WHY, actor=cast.steward.actor)
    assert (case.phase, open_ids(case, cast, "opinion"), len(open_ids(case, cast, "accept"))) == ("intake", [], 1)
    assert api.replay_case(case_id=case.case_id, actor=job_actor("tests")).equal


LONGER = "延长的时限：全程；延长：3 个工作日；延长后的时限：20 + 3 个工作日；到期：由 2026-03-30 改为 2026-04-02；延期依据：第四十二条；延期理由：情况复杂；"


def test_who_opened_a_case_is_told_of_its_suspension_and_of_its_result(permit: Any, cast: Cast) -> None:
    case = permit()
    api.suspend(case_id=case.case_id, basis="行政许可法第四十五条", reason="需要鉴定", actor=cast.steward.actor)
    api.resume(case_id=case.case_id, reason="鉴定完成", actor=cast.steward.actor)
    case = accepted(case, cast)
    api.extend(case_id=case.case_id, amount=3, basis="第四十二条", reason="情况复杂", actor=cast.leader.actor)
    for member in (cast.leader, cast.data_admin):
        case = do(case, "agree", member)
    case = do(case, "grant", cast.leader)
    told = [(one.kind, one.text["zh"].partition("原时限依据")[0]) for one in notices_of(cast.clerk)]
    granted = next(phase.title.zh for phase in permit_kind().phases if phase.code == case.phase)
    assert told == [
        ("cases.closed", f"“{case.title}”：{granted}"),
        ("cases.paused", LONGER),
        ("cases.paused", "鉴定完成"),
        ("cases.paused", "行政许可法第四十五条；需要鉴定"),
    ]


def test_once_who_opened_a_case_left_their_office_is_told_of_its_end(permit: Any, cast: Cast, founder: Actor) -> None:
    case = accepted(permit(), cast)
    organizations.create_user(username="jieban", display_name="接班人", actor=founder)
    other = organizations.add_membership(username="jieban", organization=cast.other.code, role="data_steward", actor=founder)
    organizations.end_membership(membership_id=cast.clerk.membership_id, actor=founder)
    for member in (cast.leader, cast.data_admin):
        case = do(case, "agree", member)
    do(case, "grant", cast.leader)
    who = organizations.actor_for(user_id=other.user_id, membership_id=other.id)
    assert [one.kind for one in notices.list_notices(request=PageRequest(), actor=who).items if one.kind == "cases.closed"] == ["cases.closed"]


def test_papers_that_are_not_completed_in_time_end_the_case(permit: Any, cast: Cast, clock: FrozenClock) -> None:
    case = do(permit(), "ask", cast.steward, missing="图纸")
    clock.advance(timedelta(days=60))
    assert api.warn_due(actor=job_actor("tests")) == 1
    assert api.lapse_due(actor=job_actor("tests")) == 1
    case = view(case, cast.clerk).case
    assert (case.state, case.phase, case.outcome) == ("closed", "withdrawn", "abandoned")


def test_who_opened_a_case_that_is_split_is_told_where_it_goes_on(permit: Any, cast: Cast) -> None:
    parts = api.split(case_id=accepted(permit(), cast).case_id, titles=["一", "二"], reason=WHY, actor=cast.leader.actor)
    (told,) = notices_of(cast.clerk)
    assert told.title["zh"].startswith("办件已拆分") and all(part.number in told.text["zh"] for part in parts)


def test_remind_once_an_hour_and_escalate(permit: Any, cast: Cast, clock: FrozenClock) -> None:
    case = permit()
    assert api.remind(case_id=case.case_id, reason=WHY, actor=cast.clerk.actor).reminders == 1
    with pytest.raises(CannotOperate):
        api.remind(case_id=case.case_id, reason=WHY, actor=cast.clerk.actor)
    clock.move_to(now() + timedelta(hours=2))
    assert api.remind(case_id=case.case_id, reason=WHY, actor=cast.clerk.actor).reminders == 2
    with pytest.raises(Refused):
        api.escalate(case_id=case.case_id, reason=WHY, actor=cast.clerk.actor)
    assert api.escalate(case_id=case.case_id, reason=WHY, actor=cast.leader.actor).supervised_at == now()
    with pytest.raises(CannotOperate):
        api.escalate(case_id=case.case_id, reason=WHY, actor=cast.leader.actor)


def test_the_ladder_warns_once_at_each_rung_and_people_are_told(permit: Any, cast: Cast, clock: FrozenClock) -> None:
    ladder = [{"percent": 50}, {"percent": 100, "escalate": True}]
    case = permit(ladder=ladder)
    founder = job_actor("tests")
    assert api.warn_due(actor=founder) == 0
    clock.move_to(now() + timedelta(days=4))  # of five workdays from a Monday, which end after seven days
    assert (api.warn_due(actor=founder), api.warn_due(actor=founder)) == (1, 0)
    assert [told.kind for told in notices_of(cast.steward)] == ["cases.warned"]
    assert api.get_case(case_id=case.case_id).supervised_at is None
    clock.move_to(now() + timedelta(days=10))
    assert (api.warn_due(actor=founder), api.warn_due(actor=founder)) == (1, 0)
    assert api.get_case(case_id=case.case_id).supervised_at == now()
    assert len(notices_of(cast.steward)) == 2


def test_a_paused_clock_warns_nobody(permit: Any, cast: Cast, clock: FrozenClock) -> None:
    case = permit()
    api.suspend(case_id=case.case_id, basis="x", reason=WHY, actor=cast.steward.actor)
    clock.move_to(now() + timedelta(days=40))
    assert api.warn_due(actor=job_actor("tests")) == 0
    api.resume(case_id=case.case_id, reason=WHY, actor=cast.steward.actor)
    assert api.warn_due(actor=job_actor("tests")) == 0
    clock.move_to(now() + timedelta(days=40))
    assert api.warn_due(actor=job_actor("tests")) == 1


def test_who_has_to_act_and_who_waits_for_the_end_is_told(permit: Any, cast: Cast) -> None:
    case = permit()
    do(case, "ask", cast.steward, missing="图纸")
    assert api.tell_turns(actor=job_actor("tests")) == 1
    assert [told.kind for told in notices_of(cast.clerk)] == ["cases.turn"]
    do(case, "give_up", cast.clerk)
    assert len(notices_of(cast.clerk)) == 1  # they know that they gave up
    other = permit()
    api.remind(case_id=other.case_id, reason="请尽快", actor=cast.clerk.actor)
    assert [told.kind for told in notices_of(cast.steward)] == ["cases.reminded"]


def notices_of(member: Member) -> Any:
    return notices.list_notices(request=PageRequest(), actor=member.actor).items


def test_a_suspended_case_waits_and_goes_on_where_it_was(permit: Any, cast: Cast, clock: FrozenClock) -> None:
    case = permit(limits=FROM_OPENING)
    before = view(case, cast.steward).due.at
    clock.move_to(now() + timedelta(days=1))
    api.suspend(case_id=case.case_id, basis="行政许可法第四十五条", reason="需要鉴定", actor=cast.steward.actor)
    with pytest.raises(CaseSuspended):
        accepted(case, cast)
    seen = view(case, cast.steward)
    assert (seen.actions, [one.name for one in seen.operators]) == ((), ["resume"])
    clock.move_to(now() + timedelta(days=1))
    api.resume(case_id=case.case_id, reason="鉴定完成", actor=cast.steward.actor)
    with pytest.raises(CannotOperate):
        api.resume(case_id=case.case_id, reason=WHY, actor=cast.steward.actor)
    assert (view(case, cast.steward).due.at - before).days == 1
    assert accepted(case, cast).phase == "review"


def test_a_duplicate_goes_into_another_case(permit: Any, cast: Cast) -> None:
    master, double = permit(), permit()
    gone = api.merge(case_id=double.case_id, into=master.case_id, reason=WHY, actor=cast.steward.actor)
    assert (gone.state, gone.outcome, gone.merged_into) == ("closed", "merged", master.case_id)
    assert [(one.relation, one.number) for one in view(master, cast.steward).related] == [("merged", double.number)]
    with pytest.raises(CannotOperate):
        api.merge(case_id=master.case_id, into=master.case_id, reason=WHY, actor=cast.steward.actor)


def test_a_case_is_split_into_parts_that_start_anew(permit: Any, cast: Cast) -> None:
    case = permit()
    with pytest.raises(CannotOperate):
        api.split(case_id=case.case_id, titles=["一"], reason=WHY, actor=cast.steward.actor)
    parts = api.split(case_id=case.case_id, titles=["甲", "乙"], reason=WHY, actor=cast.steward.actor)
    assert [(part.title, part.phase, part.data["area"]) for part in parts] == [("甲", "intake", 20), ("乙", "intake", 20)]
    assert api.get_case(case_id=case.case_id).outcome == "split"
    assert len({part.number for part in (*parts, case)}) == 3


def test_who_is_away_is_stood_in_for_under_both_names(permit: Any, cast: Cast, colleague: Member) -> None:
    """The colleague is a steward; the leader is away and delegates the leader's seats."""
    case = accepted(permit(), cast)
    today = date(2026, 3, 2)
    told = {"to_username": colleague.username, "since": today, "until": today + timedelta(days=3), "reason": "休假"}
    assert waiting(colleague) == []
    given = api.delegate(**told, actor=cast.leader.actor)
    assert len(waiting(colleague)) == 1
    seen = view(case, colleague)
    assert {one.on_behalf_name for one in seen.actions} == {cast.leader.actor.name}
    do(case, "agree", colleague)
    last = view(case, cast.leader).events[-1]
    assert last.actor_name == colleague.actor.name and cast.leader.actor.name in last.on_behalf
    api.end_delegation(delegation_id=given.delegation_id, actor=cast.leader.actor)
    assert waiting(colleague) == []


def test_a_stand_in_is_bound_by_the_guards_of_both(permit: Any, cast: Cast, colleague: Member, clock: FrozenClock) -> None:
    api.delegate(
        to_username=colleague.username, since=date(2026, 3, 2), until=date(2026, 3, 9), reason="休假", actor=cast.leader.actor
    )
    case = permit()
    CaseRecord.objects.filter(pk=case.case_id).update(opened_by=cast.leader.actor.id)
    case = accepted(case, cast)
    do(case, "agree", colleague)
    do(case, "agree", cast.data_admin)
    with pytest.raises(GuardRefused):
        do(case, "grant", colleague)
    CaseRecord.objects.filter(pk=case.case_id).update(opened_by=cast.clerk.actor.id)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"since": date(2026, 3, 5)}, "日期"),
        ({"until": date(2028, 3, 5)}, "日期"),
        ({"since": date(2026, 2, 1), "until": date(2026, 2, 2)}, "日期"),
        ({"reason": " "}, "原因"),
        ({"to_username": "leader"}, "自己"),
        ({"to_username": "other"}, "本单位"),
    ],
)
def test_a_delegation_that_makes_no_sense_is_refused(
    clock: FrozenClock, cast: Cast, colleague: Member, changes: dict[str, Any], said: str
) -> None:
    names = {"leader": cast.leader.username, "other": cast.clerk.username}
    told = {"to_username": colleague.username, "since": date(2026, 3, 2), "until": date(2026, 3, 4), "reason": "休假", **changes}
    told["to_username"] = names.get(told["to_username"], told["to_username"])
    with pytest.raises(BadDelegation) as caught:
        api.delegate(**told, actor=cast.leader.actor)
    assert said in caught.value.say("zh")


def test_a_kind_says_which_operators_it_allows(permit: Any, cast: Cast) -> None:
    case = permit(operators=["remind"])
    assert [one.name for one in view(case, cast.steward).operators] == []
    assert [one.name for one in view(case, cast.clerk).operators] == ["withdraw", "remind"]  # the kind says how it is taken back
    with pytest.raises(OperatorNotAllowed):
        api.suspend(case_id=case.case_id, basis="x", reason=WHY, actor=cast.steward.actor)


def test_strangers_see_nothing_and_stale_views_lose(permit: Any, cast: Cast) -> None:
    case = permit()
    with pytest.raises(CaseNotFound):
        api.remind(case_id=case.case_id, reason=WHY, actor=cast.system_admin.actor)
    accepted(case, cast)
    with pytest.raises(CaseChanged):
        api.escalate(case_id=case.case_id, reason=WHY, actor=cast.leader.actor, expected_version=1)


def test_a_sub_case_ends_its_obligation_and_ends_with_its_parent(permit: Any, cast: Cast) -> None:
    base = yaml.safe_load(PERMIT.read_text("utf-8"))
    inner = permit_kind(code="inner", prefix="ZB", groups={}, obligations={
        "answer": {"title": "答复", "who": {"organization": "owner", "roles": ["data_leader", "data_admin"]}, "actions": {
            "ok": {"title": "好", "outcome": "fine", "effects": [{"close_case": "fine"}]},
        }},
    }, start=[{"open_obligation": "answer"}], fields=base["fields"][:2], phases=base["phases"][:1], withdraw=None, limits=[])  # fmt: skip
    api.publish_kind(spec=inner, source="tests", actor=job_actor("tests"))
    base["obligations"]["opinion"] = {
        "title": "会签", "who": {"organization": "each", "each": "departments", "roles": ["data_leader", "data_admin"]},
        "group": "opinions",
        "child": {"kind": "inner", "outcomes": ["fine"], "data": {"place": "data.place", "area": "data.area"}},
    }  # fmt: skip
    changes = {"obligations": base["obligations"], "groups": {"opinions": {"rules": [
        {"when": "open_count = 0 AND count_fine = 2", "effects": [{"go_to_phase": "decision"}, {"open_obligation": "decide"}]},
        {"when": "open_count = 0", "effects": [{"go_to_phase": "refused"}, {"close_case": "refused"}]},
    ]}}}  # fmt: skip
    case = accepted(permit(**changes), cast)
    children = list(CaseRecord.objects.filter(parent_id=case.case_id).order_by("id"))
    assert [(child.kind_code, child.owner, child.data["area"]) for child in children] == [
        ("inner", cast.owner.code, 20),
        ("inner", cast.bureau.code, 20),
    ]
    for child, member in zip(children, (cast.leader, cast.data_admin), strict=True):
        api.act(case_id=child.pk, action="ok", data={}, actor=member.actor)
    assert api.get_case(case_id=case.case_id).phase == "decision"
    other = accepted(permit(**changes), cast)
    children = list(CaseRecord.objects.filter(parent_id=other.case_id))
    assert {child.pk for child in children} == {one.child_id for one in view(other, cast.leader).obligations if one.child_id}
    assert {one.relation for one in view(other, cast.leader).related} == {"child"}
    (waits, _) = [one for one in view(other, cast.leader).obligations if one.state == "open"]
    with pytest.raises(ActionNotOffered):  # a sub-case stands for it: nobody else can end it
        do(other, "agree", cast.leader, waits.obligation_id)


@pytest.fixture
def colleague(cast: Cast) -> Member:
    """A second steward of the owner's."""
    actor = job_actor("tests")
    made = organizations.create_user(username="tongshi", display_name="同事", actor=actor)
    membership = organizations.add_membership(username="tongshi", organization=cast.owner.code, role="data_steward", actor=actor)
    found = organizations.actor_for(user_id=made.person.id, membership_id=membership.id)
    return Member("tongshi", made.password, made.person.id, membership.id, found)
