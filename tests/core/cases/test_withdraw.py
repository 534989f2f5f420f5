"""Taking back what one asked for: who may, until when, what the rooms are told, and what publishing a kind asks of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.utils import translation
from pydantic import ValidationError

from tests.api_caller import Caller
from tests.conftest import Cast, Member
from tests.core.cases.kinds import load_national_limits, national_kind, simple_kind
from tests.core.cases.test_pages import signed_in
from yunhe.core.cases import api
from yunhe.core.cases.errors import (
    ActionNotOffered,
    BadKind,
    CannotOperate,
    CaseChanged,
    CaseNotFound,
    OperatorNotAllowed,
)
from yunhe.core.cases.forms.operators import LABELS
from yunhe.core.cases.types import Case, KindSpec
from yunhe.core.evidence.models import EvidenceRow
from yunhe.core.notices import api as notices
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.errors import UserNotFound
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import FrozenClock
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
WHY = "填错了"
ACCOUNT = {"display_name": "新人甲", "username": "xinren", "role": "officer", "reason": "新进人员"}


@pytest.fixture
def ask(clock: FrozenClock, cast: Cast, calendar: None, founder: Actor) -> Callable[..., Case]:
    load_national_limits()
    for name in ("account_request", "role_request", "account_closing", "leave_handover", "data_request"):
        api.publish_kind(spec=national_kind(name), source="national", actor=founder)

    def open_one(kind: str, by: Member, title: str = "", **data: Any) -> Case:
        return api.open_case(kind=kind, title=title, data=data, owner=cast.owner.code, actor=by.actor)

    return open_one


def withdraw(case: Case, member: Member, **more: Any) -> Case:
    return api.withdraw(case_id=case.case_id, reason=WHY, actor=member.actor, **more)


def offered(case: Case, member: Member) -> list[str]:
    return [one.name for one in api.access_case(case_id=case.case_id, actor=member.actor).operators]


def asked_for(ask: Any, cast: Cast, kind: str) -> tuple[Case, Member]:
    """Return a request of each kind, and who made it."""
    day = date(2026, 3, 4)
    data: dict[str, tuple[Member, dict[str, Any]]] = {
        "account_request": (cast.leader, ACCOUNT),
        "role_request": (cast.leader, {"change": "grant", "person": "officer", "role": "data_steward", "reason": WHY}),
        "account_closing": (cast.leader, {"person": "officer", "reason": WHY}),
        "leave_handover": (cast.steward, {"delegate": "officer", "since": day, "until": day, "reason": WHY}),
        "data_request": (cast.clerk, {
            "title": "要数据", "resource": "r", "resource_title": "资源", "sharing": "conditional", "automatic": False,
            "fields": ["a"], "purpose": WHY, "legal_basis": WHY, "until": day,
        }),
    }  # fmt: skip
    by, told = data[kind]
    return ask(kind, by, **told), by


@pytest.mark.parametrize("kind", ["account_request", "role_request", "account_closing", "leave_handover", "data_request"])
def test_whoever_asked_takes_an_undecided_request_back(ask: Any, cast: Cast, kind: str) -> None:
    case, by = asked_for(ask, cast, kind)
    assert "withdraw" in offered(case, by)
    done = withdraw(case, by, expected_version=case.version)
    assert (done.state, done.phase, done.outcome) == ("closed", "withdrawn", "withdrawn")
    view = api.access_case(case_id=case.case_id, actor=by.actor)
    assert {item.state for item in view.obligations} == {"cancelled"} and offered(case, by) == []
    last = view.events[-1]
    kept = EvidenceRow.objects.get(pk=last.evidence_id)
    assert (last.action, kept.kind, json.loads(kept.facts_text)["action"]) == ("withdraw", "case.event", "withdraw")
    assert api.replay_case(case_id=case.case_id, actor=job_actor("tests")).equal
    assert notices.list_notices(request=PageRequest(), actor=by.actor).total == 0  # they know


def test_what_was_asked_for_does_not_happen(ask: Any, cast: Cast) -> None:
    case, by = asked_for(ask, cast, "account_request")
    withdraw(case, by)
    with pytest.raises(UserNotFound):
        organizations.get_person(username="xinren")
    assert api.list_waiting(request=PageRequest(), actor=cast.system_admin.actor).total == 0
    ask("account_request", by, **ACCOUNT)  # and it can be asked for again


def test_nobody_else_takes_it_back_and_not_once_it_was_dealt_with(ask: Any, cast: Cast) -> None:
    case, by = asked_for(ask, cast, "account_request")
    assert "withdraw" not in offered(case, cast.system_admin)
    with pytest.raises(CannotOperate) as refused:
        withdraw(case, cast.system_admin)
    assert "不能“撤回申请”" in refused.value.say("zh") and '"Withdraw the request"' in refused.value.say("en")
    assert refused.value.facts["operator"] == "withdraw"
    with pytest.raises(CaseNotFound):
        withdraw(case, cast.clerk)
    with pytest.raises(CaseChanged):
        withdraw(case, by, expected_version=7)
    api.act(case_id=case.case_id, action="create", data={}, actor=cast.system_admin.actor)
    assert "withdraw" not in offered(case, by)
    with pytest.raises(CannotOperate):
        withdraw(case, by)


def test_refusals_call_an_operator_as_the_page_does() -> None:
    for name, label in LABELS.items():
        for language in ("zh", "en"):
            with translation.override({"zh": "zh-hans", "en": "en"}[language]):
                assert f"{label}" in CannotOperate(number="1", operator=name, problem="x", problem_en="x").say(language)
                assert f"{label}" in ActionNotOffered(number="1", action=name).say(language)
    assert set(LABELS) == set(api.OPERATOR_FORMS)
    assert "“finish”" in ActionNotOffered(number="1", action="finish").say("zh")


def test_an_opinion_decides_nothing_and_a_question_back_neither(ask: Any, cast: Cast) -> None:
    leave, by = asked_for(ask, cast, "leave_handover")
    seat = api.access_case(case_id=leave.case_id, actor=cast.leader.actor).actions[0].obligation_id
    api.add_reviewer(case_id=leave.case_id, obligation_id=seat, to=["officer"], reason=WHY, actor=cast.leader.actor)
    opinion = {"agrees": "yes", "opinion": WHY}
    api.act(case_id=leave.case_id, action="give_opinion", data=opinion, actor=cast.officer.actor)
    assert withdraw(leave, by).outcome == "withdrawn"
    asked, by = asked_for(ask, cast, "data_request")
    api.act(case_id=asked.case_id, action="send_back", data={"reason": WHY}, actor=cast.leader.actor)
    assert withdraw(asked, by).outcome == "withdrawn"


def test_on_the_page_and_by_http(ask: Any, cast: Cast) -> None:
    case, by = asked_for(ask, cast, "role_request")
    browser = signed_in(by)
    page = f"/inbox/cases/{case.case_id}/"
    assert "撤回申请" in browser.get(page).content.decode()
    form = browser.get(page, {"op": "withdraw"})
    assert "理由" in form.content.decode()
    caller = Caller(by)
    assert "withdraw" in {one["name"] for one in caller.get(f"/cases/{case.case_id}").body["operators"]}
    path = f"/cases/{case.case_id}/withdraw"
    assert Caller(cast.security_admin).post(path, {"reason": WHY}).refusal == (422, "cannot_operate")
    assert caller.post(path, {"reason": ""}).refusal == (422, "fields_invalid")
    assert caller.post(path, {"reason": WHY, "version": 9}).refusal == (409, "case_changed")
    done = caller.post(path, {"reason": WHY, "version": 1})
    assert (done.status, done.body["outcome"]) == (200, "withdrawn")
    again = caller.post(path, {"reason": WHY})
    assert again.refusal == (422, "cannot_operate")


def test_a_kind_that_says_nothing_is_taken_back_where_no_room_was_told(clock: FrozenClock, cast: Cast, calendar: None, founder: Actor) -> None:
    def opened(**changes: Any) -> Case:
        api.publish_kind(spec=simple_kind(**changes), source="tests", actor=founder)
        data = {"amount": 1, "items": ["a"]}
        return api.open_case(kind="leave_note", title="请示", data=data, actor=cast.clerk.actor, owner=cast.owner.code)

    assert withdraw(opened(by_form=True), cast.clerk).outcome == "withdrawn"
    for changes in ({"by_form": False}, {"by_form": True, "operators": ["remind"]}):
        case = opened(**changes)
        assert "withdraw" not in offered(case, cast.clerk)
        with pytest.raises(OperatorNotAllowed) as refused:
            withdraw(case, cast.clerk)
        assert "不允许“撤回申请”" in refused.value.say("zh")
    still = opened(by_form=True, operators=["retract", "suspend"])
    api.suspend(case_id=still.case_id, basis="测试", reason=WHY, actor=cast.leader.actor)
    assert offered(still, cast.clerk) == ["withdraw"]
    assert withdraw(still, cast.clerk).outcome == "withdrawn"
    assert api.replay_case(case_id=still.case_id, actor=cast.clerk.actor).equal


@pytest.mark.parametrize("name", ["permit/cases/permit", "ticket/cases/ticket", "award/cases/award_application"])
def test_the_examples_let_whoever_asked_take_it_back(name: str) -> None:
    kind = KindSpec.model_validate(yaml.safe_load((EXAMPLES / f"{name}.yml").read_text("utf-8")))
    assert kind.withdrawal is not None


def test_publishing_asks_that_it_ends_the_case_in_phases_that_there_are(calendar: None) -> None:
    with pytest.raises(ValidationError, match="close_case"):
        simple_kind(withdraw={"effects": [{"go_to_phase": "done"}]})
    with pytest.raises(ValidationError, match="close_case"):
        simple_kind(withdraw={"effects": [{"close_case": "withdrawn", "when": "amount > 1"}]})
    for told in ({"phases": ["nowhere"]}, {"effects": [{"go_to_phase": "nowhere"}, {"close_case": "withdrawn"}]}):
        with pytest.raises(BadKind, match="nowhere"):
            api.require_sound(simple_kind(withdraw={"effects": [{"close_case": "withdrawn"}], **told}))


def test_to_be_taken_back_is_no_way_to_an_end(calendar: None) -> None:
    """A case that only its requester could end is stranded all the same; a phase that only they enter is entered."""
    body = simple_kind().model_dump(mode="json")
    phases = [*body["phases"], {"code": "gone", "title": {"zh": "撤回"}}]
    told = {"effects": [{"go_to_phase": "gone"}, {"close_case": "withdrawn"}]}
    api.require_sound(simple_kind(phases=phases, withdraw=told))
    endless = {"answer": {"title": "答复", "who": {"person": "opener"}, "actions": {
        "again": {"title": "再来", "outcome": "again", "effects": [{"open_obligation": "answer"}]}}}}  # fmt: skip
    with pytest.raises(BadKind, match="can never close"):
        api.require_sound(simple_kind(
            phases=[body["phases"][0], phases[-1]], obligations=endless, start=[{"open_obligation": "answer"}], withdraw=told,
        ))  # fmt: skip
