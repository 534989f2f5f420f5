"""The data request kind of the national pack, with a grant effect that these tests register."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import Cast
from tests.core.cases.kinds import load_national_limits, national_kind
from yunhe.core.cases import api
from yunhe.core.cases.api import slots
from yunhe.core.cases.errors import ActionNotOffered, FieldsInvalid, GuardRefused
from yunhe.core.cases.types import Case, EffectContext
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import FrozenClock, now
from yunhe.kernel.errors import Refused
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
ASKED: dict[str, Any] = {
    "resource": "300001/0001",
    "resource_title": "企业登记信息",
    "sharing": "conditional",
    "automatic": True,
    "fields": ["name", "uscc", "state"],
    "purpose": "核验参保单位",
    "legal_basis": "社会保险费征缴暂行条例",
    "row_filter": "state = '1'",
    "until": "2027-03-01",
}


@pytest.fixture
def grants(monkeypatch: pytest.MonkeyPatch) -> list[EffectContext]:
    """What the grant effect was called with."""
    seen: list[EffectContext] = []
    effect = slots.Effect("exchange.grant", frozenset(), lambda context: seen.append(context))
    monkeypatch.setitem(slots._effects, "exchange.grant", effect)
    return seen


@pytest.fixture
def ask(clock: Any, cast: Cast, calendar: None, founder: Actor, grants: list[EffectContext]) -> Any:
    load_national_limits()
    api.publish_kind(spec=national_kind("data_request"), source="national", actor=founder)

    def open_request(**changes: Any) -> Case:
        return api.open_case(
            kind="data_request", title="企业登记信息", data={**ASKED, **changes}, actor=cast.clerk.actor, owner=cast.owner.code
        )

    return open_request


def test_conditional_waits_ten_workdays_for_the_owner(ask: Any, cast: Cast, grants: list[EffectContext]) -> None:
    case = ask()
    assert (case.number[:2], case.phase, grants) == ("XQ", "answer", [])
    (item,) = api.list_waiting(request=PageRequest(), actor=cast.leader.actor).items
    assert item.case_id == case.case_id
    assert api.list_waiting(request=PageRequest(), actor=cast.steward.actor).total == 0
    due = api.access_case(case_id=case.case_id, actor=cast.leader.actor).obligations[0].due
    assert due is not None and (due.amount, due.unit) == (10, "workdays")


def grant_at_once(case: Case) -> Case:
    """Report what the room of exchange reports in the transaction that opens an unconditional request."""
    told = {"basis": "unconditional", "fields": ASKED["fields"], "until": ASKED["until"]}
    return api.report_event(case_id=case.case_id, action="grant_at_once", data=told, actor=job_actor("exchange"))


def test_unconditional_is_granted_by_the_room_in_a_line_of_its_own(ask: Any, cast: Cast, grants: list[EffectContext]) -> None:
    case = ask(sharing="unconditional")
    assert api.list_waiting(request=PageRequest(), actor=cast.leader.actor).total == 0
    assert api.list_waiting(request=PageRequest(), actor=cast.clerk.actor).total == 0
    done = grant_at_once(case)
    assert (done.state, done.outcome, done.phase) == ("closed", "granted", "granted")
    assert [(context.case.case_id, context.data["fields"]) for context in grants] == [(case.case_id, ASKED["fields"])]
    last = api.access_case(case_id=case.case_id, actor=cast.clerk.actor).events[-1]
    assert (last.title["zh"], last.actor_id) == ("自动授权", "job:exchange")
    told = {fact.name: (fact.label or {}).get("zh", fact.value) for fact in last.facts}
    assert told == {"basis": "资源和所申请的信息项均为无条件共享", "fields": ASKED["fields"], "until": ASKED["until"]}
    assert api.replay_case(case_id=case.case_id, actor=job_actor("tests")).equal


def test_unconditional_that_the_room_never_granted_comes_to_the_owner(
    ask: Any, cast: Cast, clock: FrozenClock, grants: list[EffectContext]
) -> None:
    case = ask(sharing="unconditional")
    clock.move_to(now() + timedelta(hours=2))
    api.lapse_due(actor=job_actor("cases.clock"))
    (item,) = api.list_waiting(request=PageRequest(), actor=cast.leader.actor).items
    assert item.case_id == case.case_id
    with pytest.raises(ActionNotOffered):
        grant_at_once(case)
    done = api.act(case_id=case.case_id, action="grant", data={}, actor=cast.leader.actor)
    assert (done.outcome, len(grants)) == ("granted", 1)


def test_unconditional_that_the_owner_wants_to_see_has_one_workday(ask: Any, cast: Cast, grants: list[EffectContext]) -> None:
    case = ask(sharing="unconditional", automatic=False)
    due = api.access_case(case_id=case.case_id, actor=cast.leader.actor).obligations[0].due
    assert due is not None and due.amount == 1 and not grants


def test_the_owner_grants_narrower(ask: Any, cast: Cast, grants: list[EffectContext]) -> None:
    case = ask()
    decision = {"fields": ["name", "uscc"], "masks": {"name": "name"}, "until": "2026-12-31", "opinion": "同意两项"}
    done = api.act(case_id=case.case_id, action="grant", data=decision, actor=cast.leader.actor, expected_version=1)
    assert (done.outcome, done.state) == ("granted", "closed")
    (context,) = grants
    assert context.data == {**decision, "row_filter": ASKED["row_filter"]}
    assert context.actor == cast.leader.actor and context.action == "grant"


def test_what_is_left_open_is_granted_as_asked(ask: Any, cast: Cast, grants: list[EffectContext]) -> None:
    api.act(case_id=ask().case_id, action="grant", data={}, actor=cast.leader.actor)
    assert grants[0].data["fields"] == ASKED["fields"] and grants[0].data["until"] == ASKED["until"]


@pytest.mark.parametrize(
    "decision",
    [{"fields": ["phone"]}, {"masks": {"phone": "hide"}}, {"masks": {"name": "paint"}}, {"until": "2027-02-30"}, {"fields": "name"}],
)
def test_a_decision_beyond_the_request_is_refused(
    ask: Any, cast: Cast, grants: list[EffectContext], decision: dict[str, Any]
) -> None:
    case = ask()
    with pytest.raises(FieldsInvalid):
        api.act(case_id=case.case_id, action="grant", data=decision, actor=cast.leader.actor)
    assert not grants and api.get_case(case_id=case.case_id).version == 1


def test_a_grant_may_not_outlast_the_request(ask: Any, cast: Cast, grants: list[EffectContext]) -> None:
    with pytest.raises(GuardRefused):
        api.act(case_id=ask().case_id, action="grant", data={"until": "2027-03-02"}, actor=cast.leader.actor)
    assert not grants


def test_a_refusal_needs_its_reason(ask: Any, cast: Cast, grants: list[EffectContext]) -> None:
    case = ask()
    with pytest.raises(FieldsInvalid):
        api.act(case_id=case.case_id, action="refuse", data={"reason": " "}, actor=cast.leader.actor)
    done = api.act(case_id=case.case_id, action="refuse", data={"reason": "依法不予提供"}, actor=cast.leader.actor)
    assert (done.outcome, done.phase, grants) == ("refused", "refused", [])
    told = api.access_case(case_id=case.case_id, actor=cast.clerk.actor).events[-1].facts
    assert told[0].value == "依法不予提供"


def test_sent_back_and_completed_by_the_applicant(ask: Any, cast: Cast) -> None:
    case = ask()
    api.act(case_id=case.case_id, action="send_back", data={"reason": "依据不明"}, actor=cast.leader.actor)
    (resubmit, _) = api.access_case(case_id=case.case_id, actor=cast.clerk.actor).actions
    assert resubmit.defaults["purpose"] == ASKED["purpose"]
    done = api.act(
        case_id=case.case_id, action="resubmit", data={"legal_basis": "社会保险法第五十七条"}, actor=cast.clerk.actor
    )
    assert done.phase == "answer" and done.data["legal_basis"] == "社会保险法第五十七条"
    assert done.data["purpose"] == ASKED["purpose"]


def test_when_the_grant_fails_nothing_happened(ask: Any, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(context: EffectContext) -> None:
        raise Refused(permission="exchange.grant")

    monkeypatch.setitem(slots._effects, "exchange.grant", slots.Effect("exchange.grant", frozenset(), broken))
    case = ask()
    with pytest.raises(Refused):
        api.act(case_id=case.case_id, action="grant", data={}, actor=cast.leader.actor)
    assert api.get_case(case_id=case.case_id).version == 1
    at_once = ask(sharing="unconditional")
    with pytest.raises(Refused):
        grant_at_once(at_once)
    assert api.get_case(case_id=at_once.case_id).version == 1
