"""Leave and hand-over: who approves, when the delegate acts, how it ends; the guards of both hold."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from tests.conftest import Cast, Member
from tests.core.cases.kinds import load_national_limits, national_kind
from tests.core.cases.test_pages import signed_in
from yunhe.core.cases import api
from yunhe.core.cases.errors import ActionNotOffered, BadDelegation, GuardRefused
from yunhe.core.cases.models import KindRecord
from yunhe.core.cases.types import Case, Delegation
from yunhe.core.notices import api as notices
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import FrozenClock, now
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
MONDAY = date(2026, 3, 2)
WEEK = {"since": MONDAY, "until": MONDAY + timedelta(days=6), "reason": "年休假"}


@pytest.fixture(autouse=True)
def _leave(clock: FrozenClock, cast: Cast, calendar: None, founder: Actor) -> None:
    load_national_limits()
    api.publish_kind(spec=national_kind("leave_handover"), source="national", actor=founder)


def leave(member: Member, to: Member, **changes: Any) -> Case:
    done = api.take_leave(to_username=to.username, actor=member.actor, **{**WEEK, **changes})
    assert isinstance(done, Case)
    return done


def stands_in(member: Member) -> list[str]:
    running = (d for d in api.list_delegations(actor=member.actor) if d.delegate == member.actor.id and d.ended_at is None)
    return [d.principal_name for d in running]


def test_a_stewards_leave_waits_for_the_leader(note: Any, cast: Cast) -> None:
    case = leave(cast.steward, cast.officer, kinds=("leave_note",))
    assert case.title == "数据专员丙请假：经办人戊 代办，2026-03-02 至 2026-03-08"
    assert (case.phase, stands_in(cast.officer)) == ("approval", [])
    with pytest.raises(ActionNotOffered):
        api.act(case_id=case.case_id, action="approve", data={}, actor=cast.steward.actor)
    done = api.act(case_id=case.case_id, action="approve", data={}, actor=cast.leader.actor)
    assert (done.outcome, stands_in(cast.officer)) == ("handed_over", ["数据专员丙"])
    asked = note()
    waiting = api.list_waiting(request=PageRequest(), actor=cast.officer.actor).items
    assert [item.case_id for item in waiting] == [asked.case_id]
    told = notices.list_notices(request=PageRequest(), actor=cast.officer.actor).items
    assert "cases.delegated" in {notice.kind for notice in told}
    assert api.replay_case(case_id=case.case_id, actor=job_actor("tests")).equal


def test_a_leave_that_is_not_approved_hands_nothing_over(cast: Cast) -> None:
    case = leave(cast.steward, cast.officer)
    api.act(case_id=case.case_id, action="refuse", data={"reason": "年末盘点"}, actor=cast.leader.actor)
    assert stands_in(cast.officer) == []


def test_a_leaders_own_leave_takes_effect_at_once_and_the_guards_of_both_hold(note: Any, cast: Cast) -> None:
    case = leave(cast.leader, cast.officer)
    assert (case.state, stands_in(cast.officer)) == ("closed", ["数据负责人丁"])
    own = note(actor=cast.leader.actor, owner=cast.owner.code)
    with pytest.raises(GuardRefused):  # the principal opened it
        api.act(case_id=own.case_id, action="agree", data={"text": "可以"}, actor=cast.officer.actor)
    mine = note(actor=cast.officer.actor)
    with pytest.raises(GuardRefused):  # the delegate did
        api.act(case_id=mine.case_id, action="agree", data={"text": "可以"}, actor=cast.officer.actor)
    done = api.act(case_id=note().case_id, action="agree", data={"text": "可以"}, actor=cast.officer.actor)
    assert done.outcome == "agreed"


def test_a_leader_who_is_the_deputy_refuses_or_passes_it_to_the_security_administrator(note: Any, cast: Cast) -> None:
    case = leave(cast.steward, cast.leader)
    with pytest.raises(GuardRefused, match="stand in"):
        api.act(case_id=case.case_id, action="approve", data={}, actor=cast.leader.actor)
    passed = api.act(case_id=case.case_id, action="pass_on", data={}, actor=cast.leader.actor)
    assert (passed.is_open, stands_in(cast.leader)) == (True, [])
    (item,) = api.list_waiting(request=PageRequest(), actor=cast.security_admin.actor).items
    assert item.case_id == case.case_id
    done = api.act(case_id=case.case_id, action="approve", data={}, actor=cast.security_admin.actor)
    assert (done.outcome, stands_in(cast.leader)) == ("handed_over", ["数据专员丙"])
    assert api.replay_case(case_id=case.case_id, actor=job_actor("tests")).equal
    refused = leave(cast.officer, cast.leader)
    done = api.act(case_id=refused.case_id, action="refuse", data={"reason": "年末盘点"}, actor=cast.leader.actor)
    assert (done.phase, stands_in(cast.leader)) == ("refused", ["数据专员丙"])


def test_another_leader_approves_that_a_leader_stands_in(cast: Cast) -> None:
    case = leave(cast.steward, cast.leader)
    organizations.add_membership(username="officer", organization=cast.owner.code, role="data_leader", actor=job_actor("tests"))
    second = replace(cast.officer.actor, role="data_leader", rights=cast.leader.actor.rights)
    api.act(case_id=case.case_id, action="approve", data={}, actor=second)
    assert stands_in(cast.leader) == ["数据专员丙"]


def test_a_deputy_cannot_approve_it_in_the_seat_of_an_absent_leader(cast: Cast) -> None:
    leave(cast.leader, cast.officer)
    case = leave(cast.steward, cast.officer)
    with pytest.raises(GuardRefused, match="stand in"):
        api.act(case_id=case.case_id, action="approve", data={}, actor=cast.officer.actor)
    api.act(case_id=case.case_id, action="pass_on", data={}, actor=cast.officer.actor)
    assert api.list_waiting(request=PageRequest(), actor=cast.security_admin.actor).total == 1


def test_an_early_return_ends_it(note: Any, cast: Cast) -> None:
    leave(cast.leader, cast.officer)
    case = note()
    (running,) = api.list_delegations(actor=cast.leader.actor)
    assert api.list_waiting(request=PageRequest(), actor=cast.officer.actor).total == 1
    api.end_delegation(delegation_id=running.delegation_id, actor=cast.leader.actor)
    told = notices.list_notices(request=PageRequest(), actor=cast.officer.actor).items
    assert {"请您代办：数据负责人丁", "代办已结束：数据负责人丁"} <= {notice.title["zh"] for notice in told}
    with pytest.raises(ActionNotOffered):
        api.act(case_id=case.case_id, action="agree", data={"text": "可以"}, actor=cast.officer.actor)


@pytest.mark.parametrize(
    ("to", "changes"),
    [
        ("clerk", {}),
        ("steward", {}),
        ("officer", {"until": MONDAY - timedelta(days=1)}),
        ("officer", {"since": MONDAY - timedelta(days=9), "until": MONDAY - timedelta(days=1)}),
        ("officer", {"until": MONDAY + timedelta(days=400)}),
    ],
)
def test_the_rules_are_those_of_every_delegation(cast: Cast, to: str, changes: dict[str, date]) -> None:
    told = {"to_username": getattr(cast, to).username, "actor": cast.steward.actor, **WEEK, **changes}
    for hand_over in (api.take_leave, api.delegate):
        with pytest.raises(BadDelegation):
            hand_over(**told)
    assert api.list_leaves(actor=cast.steward.actor) == ()


def test_a_leave_approved_too_late_is_told_so(cast: Cast, clock: FrozenClock) -> None:
    case = leave(cast.steward, cast.officer)
    clock.move_to(now() + timedelta(days=30))
    with pytest.raises(BadDelegation):
        api.act(case_id=case.case_id, action="approve", data={}, actor=cast.leader.actor)


def test_where_a_pack_says_so_every_leave_takes_effect_at_once(cast: Cast, founder: Actor) -> None:
    spec = national_kind("leave_handover")
    start = [effect.model_dump(exclude_defaults=True) for effect in spec.start]
    start[1]["when"] = "actor_role <> ''"
    changed = type(spec).model_validate({**spec.model_dump(mode="json"), "start": start})
    api.publish_kind(spec=changed, source="tests", actor=founder)
    assert leave(cast.steward, cast.officer).state == "closed"


def test_without_the_kind_one_delegates_at_once(cast: Cast) -> None:
    KindRecord.objects.filter(code="leave_handover").delete()
    done = api.take_leave(to_username="audit_admin", actor=cast.bureau_clerk.actor, **WEEK)
    assert isinstance(done, Delegation)


def test_the_absences_page_says_what_waits_and_what_runs(cast: Cast) -> None:
    steward, leader = signed_in(cast.steward), signed_in(cast.leader)
    data = {"to_username": "officer", "since": "2026-03-02", "until": "2026-03-08", "reason": "年休假"}
    assert steward.post("/inbox/absences/", data).status_code == 302
    page = steward.get("/inbox/absences/").content.decode()
    assert "待批准" in page and "请假代办" in page
    (case,) = api.list_leaves(actor=cast.steward.actor)
    inbox = leader.get("/inbox/").content.decode()
    assert "批准请假代办" in inbox and "经办人戊" in inbox
    api.act(case_id=case.case_id, action="approve", data={}, actor=cast.leader.actor)
    page = steward.get("/inbox/absences/").content.decode()
    assert "生效中" in page and "待批准" not in page
    refused = steward.post("/inbox/absences/", {**data, "until": "2026-03-01"})
    assert refused.status_code == 422
