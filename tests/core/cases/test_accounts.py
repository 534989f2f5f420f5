"""Accounts and roles asked for by cases: who decides what, what it does, and that no password is ever in a case."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from tests.conftest import Cast, Member
from tests.core.cases.kinds import load_national_limits, national_kind
from tests.core.cases.test_pages import signed_in
from yunhe.cli.case_lines import case_lines
from yunhe.core.cases import api
from yunhe.core.cases.errors import ActionNotOffered, CaseNotFound, FieldsInvalid, GuardRefused, RequestRefused
from yunhe.core.cases.models import CaseRecord, EventRecord
from yunhe.core.cases.types import Case
from yunhe.core.notices import api as notices
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.errors import AlreadyExists, NoPasswordYet, SelfGrant, UserNotFound
from yunhe.core.organizations.models import Membership, User
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import FrozenClock
from yunhe.kernel.errors import Refused
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
ASKED = {"display_name": "新人甲", "username": "xinren", "role": "officer", "reason": "新进人员"}


@pytest.fixture
def ask(clock: FrozenClock, cast: Cast, calendar: None, founder: Actor) -> Callable[..., Case]:
    load_national_limits()
    for name in ("account_request", "role_request", "account_closing"):
        api.publish_kind(spec=national_kind(name), source="national", actor=founder)

    def open_one(kind: str, actor: Actor = cast.leader.actor, **data: Any) -> Case:
        return api.open_case(kind=kind, title="", data=data, actor=actor)

    return open_one


def do(case: Case, action: str, member: Member, **data: Any) -> Case:
    return api.act(case_id=case.case_id, action=action, data=data, actor=member.actor)


def roles_of(username: str) -> set[tuple[str, str]]:
    return {(m.organization, m.role) for m in organizations.list_memberships(username=username)}


def waiting(member: Member) -> list[str]:
    return [item.case_id for item in api.list_waiting(request=PageRequest(), actor=member.actor).items]


def test_an_account_needs_both_administrators_and_its_password_is_in_no_case(ask: Any, cast: Cast) -> None:
    case = ask("account_request", **ASKED)
    assert (case.title, case.number[:2]) == ("开通账号：新人甲（xinren）", "ZH")
    assert (waiting(cast.system_admin), waiting(cast.security_admin)) == ([case.case_id], [])
    case = do(case, "create", cast.system_admin)
    assert (case.phase, roles_of("xinren")) == ("granting", set())
    case = do(case, "grant", cast.security_admin)
    assert roles_of("xinren") == {(cast.owner.code, "officer")}
    shown = signed_in(cast.system_admin).post("/organizations/users/xinren/password/")
    password = shown.context["made"].password
    assert password in shown.content.decode()
    case = do(case, "hand_over", cast.system_admin, way="in_person")
    assert (case.outcome, User.objects.get(username="xinren").check_password(password)) == ("ready", True)
    assert User.objects.get(username="xinren").must_change_password
    kept = json.dumps([*CaseRecord.objects.values("data", "search"), *EventRecord.objects.values("values", "diff")])
    assert password not in kept and "password" not in kept
    told = notices.list_notices(request=PageRequest(), actor=cast.leader.actor).items
    assert [notice.kind for notice in told] == ["cases.closed"]


def test_an_account_without_a_password_is_not_handed_over_and_its_pages_lead_back_to_the_case(ask: Any, cast: Cast) -> None:
    case = do(do(ask("account_request", **ASKED), "create", cast.system_admin), "grant", cast.security_admin)
    with pytest.raises(NoPasswordYet, match="xinren"):
        do(case, "hand_over", cast.system_admin, way="in_person")
    admin, here = signed_in(cast.system_admin), f"/inbox/cases/{case.case_id}/"
    account = admin.get("/organizations/users/xinren/").content.decode()
    assert "尚无密码" in account and "设置初始密码" in account and f'href="{here}"' in account
    assert "现在的密码立即失效" not in admin.get("/organizations/users/xinren/password/").content.decode()
    shown = admin.post("/organizations/users/xinren/password/").content.decode()
    assert f'href="{here}"' in shown and "已交给本人" not in shown
    assert do(case, "hand_over", cast.system_admin, way="in_person").outcome == "ready"
    assert here not in admin.get("/organizations/users/xinren/").content.decode()
    assert here not in signed_in(cast.security_admin).get("/organizations/users/xinren/").content.decode()


def test_without_the_role_the_account_that_was_opened_for_it_is_closed_again(ask: Any, cast: Cast) -> None:
    case = do(ask("account_request", **ASKED), "create", cast.system_admin)
    case = do(case, "refuse", cast.security_admin, reason="编制外人员")
    assert (case.outcome, organizations.get_person(username="xinren").is_active) == ("refused", False)


def test_what_cannot_become_an_account_is_told_when_it_is_asked_for(ask: Any, cast: Cast) -> None:
    with pytest.raises(AlreadyExists):
        ask("account_request", **{**ASKED, "username": cast.clerk.username})
    with pytest.raises(RequestRefused):
        ask("account_request", **{**ASKED, "role": "security_admin"})
    with pytest.raises(FieldsInvalid):
        ask("account_request", **{**ASKED, "username": "新人"})
    with pytest.raises(Refused):
        ask("account_request", actor=cast.steward.actor, **ASKED)
    assert not CaseRecord.objects.exists()


def test_two_requests_for_one_name_the_second_one_is_told(ask: Any, cast: Cast) -> None:
    first, second = ask("account_request", **ASKED), ask("account_request", **ASKED)
    do(first, "create", cast.system_admin)
    with pytest.raises(AlreadyExists):
        do(second, "create", cast.system_admin)
    assert do(second, "refuse", cast.system_admin, reason="已开通").outcome == "refused"


def test_neither_administrator_does_the_others_part_also_as_a_substitute(ask: Any, cast: Cast, clock: FrozenClock) -> None:
    """Whoever stands in for an administrator takes the seat, and still has no right that is not their own."""
    case = ask("account_request", **ASKED)
    with pytest.raises(ActionNotOffered):
        do(case, "create", cast.security_admin)
    today = date(2026, 3, 2)
    for principal, delegate in ((cast.system_admin, cast.security_admin), (cast.security_admin, cast.system_admin)):
        api.delegate(to_username=delegate.username, since=today, until=today, reason="休假", actor=principal.actor)
    with pytest.raises(Refused):
        do(case, "create", cast.security_admin)
    with pytest.raises(UserNotFound):
        organizations.get_person(username="xinren")
    case = do(case, "create", cast.system_admin)
    with pytest.raises(GuardRefused):
        do(case, "grant", cast.system_admin)
    assert roles_of("xinren") == set()


def test_a_role_is_given_for_a_time_and_ended(ask: Any, cast: Cast) -> None:
    asked = {"person": cast.officer.username, "role": "data_steward", "reason": "借调"}
    case = ask("role_request", change="grant", until="2026-12-31", **asked)
    assert case.title == "增加岗位：经办人戊 data_steward"
    with pytest.raises(CaseNotFound):
        do(case, "approve", cast.system_admin)
    do(case, "approve", cast.security_admin)
    made = Membership.objects.get(user__username=cast.officer.username, role_id="data_steward")
    assert (made.organization_id, made.valid_until) == (cast.owner.code, date(2027, 1, 1))
    with pytest.raises(RequestRefused):
        ask("role_request", change="grant", **asked)
    do(ask("role_request", change="end", **asked), "approve", cast.security_admin)
    assert roles_of(cast.officer.username) == {(cast.owner.code, "officer")}


@pytest.mark.parametrize(
    ("person", "role"),
    [("clerk", "officer"), ("security_admin", "officer"), ("officer", "security_admin"), ("officer", "officer")],
)
def test_a_role_request_is_about_ones_own_people_and_no_administrators(ask: Any, cast: Cast, person: str, role: str) -> None:
    actor = cast.data_admin.actor if person == "security_admin" else cast.leader.actor
    with pytest.raises(RequestRefused):
        ask("role_request", actor=actor, change="grant", person=person, role=role, reason="测试")


def test_nobody_decides_on_their_own_role(ask: Any, cast: Cast, founder: Actor) -> None:
    """A second security administrator would be held back by the guard; the room below refuses as well."""
    case = ask("role_request", change="grant", person=cast.officer.username, role="data_steward", reason="借调")
    CaseRecord.objects.filter(pk=case.case_id).update(data={**case.data, "person_id": cast.security_admin.actor.id})
    with pytest.raises(GuardRefused):
        do(case, "approve", cast.security_admin)
    with pytest.raises(SelfGrant):
        organizations.add_membership(
            username=cast.security_admin.username, organization=cast.owner.code, role="officer", actor=cast.security_admin.actor
        )


def test_who_leaves_loses_the_account(ask: Any, cast: Cast) -> None:
    case = ask("account_closing", person=cast.officer.username, reason="调离")
    with pytest.raises(ActionNotOffered):
        do(case, "close", cast.security_admin, checked="已移交丙")
    do(case, "close", cast.system_admin, checked="已移交丙")
    assert not organizations.get_person(username=cast.officer.username).is_active
    assert roles_of(cast.officer.username) == set()


def test_who_also_belongs_elsewhere_keeps_the_account(ask: Any, cast: Cast, founder: Actor) -> None:
    told = {"username": cast.officer.username, "organization": cast.other.code, "role": "officer"}
    organizations.add_membership(**told, actor=founder)
    with pytest.raises(RequestRefused, match="also belongs elsewhere"):
        ask("account_closing", person=cast.officer.username, reason="调离")


def test_the_forms_choose_people_and_roles_by_name(ask: Any, cast: Cast) -> None:
    leader = signed_in(cast.leader)
    listed = leader.get("/inbox/new/").content.decode()
    assert all(title in listed for title in ("账号申请", "岗位权限申请", "离岗停用账号"))
    form = leader.get("/inbox/new/role_request/").content.decode()
    assert f'<option value="{cast.officer.username}">经办人戊</option>' in form
    assert '<option value="data_steward">' in form and "security_admin" not in form
    assert "do-title" not in form and "do-owner" not in form and "数据专员己" not in form
    data = {"do-change": "grant", "do-person": "officer", "do-role": "data_steward", "do-reason": "借调", "key": "k"}
    done = leader.post("/inbox/new/role_request/", data)
    assert done.status_code == 302
    page = signed_in(cast.security_admin).get(done["Location"]).content.decode()
    assert "经办人戊" in page and f"/organizations/users/{cast.officer.username}/" in page
    refused = leader.post("/inbox/new/role_request/", {**data, "do-role": "officer", "key": "l"})
    assert refused.status_code == 422 and "已有这个岗位" in refused.content.decode()


def test_an_administrator_sees_no_other_cases(ask: Any, note: Any, cast: Cast) -> None:
    note()
    case = ask("account_request", **ASKED)
    for member in (cast.system_admin, cast.security_admin):
        seen = api.list_cases(request=PageRequest(), actor=member.actor)
        assert [one.case_id for one in seen.items] == [case.case_id]
    with pytest.raises(Refused):
        api.open_case(kind="leave_note", title="越权", data={"amount": 1}, actor=cast.system_admin.actor, owner=cast.owner.code)


def test_the_events_give_the_rows(ask: Any, cast: Cast) -> None:
    case = do(do(ask("account_request", **ASKED), "create", cast.system_admin), "grant", cast.security_admin)
    found = api.replay_case(case_id=case.case_id, actor=job_actor("tests"))
    assert found.equal, found.differences


def test_it_is_not_offered_to_hand_over_what_has_no_password(ask: Any, cast: Cast) -> None:
    """The button is held back with the reason until one is set, at every door."""
    case = do(do(ask("account_request", **ASKED), "create", cast.system_admin), "grant", cast.security_admin)
    admin = signed_in(cast.system_admin)

    def offered() -> Any:
        (found,) = [one for one in api.access_case(case_id=case.case_id, actor=cast.system_admin.actor).actions if one.name == "hand_over"]
        return found.refusal

    assert "xinren" in offered()["zh"] and "no password yet" in offered()["en"]
    page = admin.get(f"/inbox/cases/{case.case_id}/").content.decode()
    assert "还没有密码" in page and "?act=hand_over" not in page.replace("&amp;", "&")
    shown = list(case_lines(api.access_case(case_id=case.case_id, actor=cast.system_admin.actor), language="zh", titles={}))
    assert any("hand_over：" in line and "还没有密码" in line for line in shown) and not any(line.endswith("hand_over") for line in shown)
    admin.post("/organizations/users/xinren/password/")
    assert offered() is None
    assert do(case, "hand_over", cast.system_admin, way="in_person").outcome == "ready"
