from __future__ import annotations

import copy
from typing import Any

import pytest
from pydantic import ValidationError

from tests.conftest import Cast
from tests.core.cases.kinds import NATIONAL, SIMPLE, national_kind, simple_kind
from yunhe.core.cases import api
from yunhe.core.cases.api import kinds
from yunhe.core.cases.errors import BadKind, EffectUnknown, KindNotFound
from yunhe.core.cases.rules.kinds import check_kind
from yunhe.core.cases.types import KindSpec
from yunhe.kernel.actor import Actor
from yunhe.kernel.errors import Refused


def changed(path: str, value: Any) -> KindSpec:
    body = copy.deepcopy(SIMPLE)
    *way, last = path.split(".")
    place: Any = body
    for step in way:
        place = place[int(step)] if step.isdigit() else place[step]
    place[int(last) if last.isdigit() else last] = value
    return KindSpec.model_validate(body)


@pytest.mark.parametrize("path", sorted((NATIONAL / "cases").glob("*.yml")), ids=lambda path: path.stem)
def test_the_national_kinds_hold_together(path: Any) -> None:
    spec = national_kind(path.stem)
    assert spec.code == path.stem
    assert check_kind(spec) == ()
    for obligation in spec.obligations.values():
        assert all(limit.basis or limit.use for limit in obligation.limits)


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("start.0", {"open_obligation": "nobody"}, "start"),
        ("start.0", {"go_to_phase": "nowhere"}, "start"),
        ("start.0.when", "amount > ", "start"),
        ("start.0.when", "salary > 1", "start"),
        ("start.0.when", "amount", "start"),
        ("phases.1", {"code": "answering", "title": "办理"}, "phases"),
        ("obligations.answer.actions.agree.effects.0", {"set_field": {"field": "no", "value": 1}}, "obligations.answer.actions.agree"),
        ("obligations.answer.actions.agree.effects.0.set_field", {"field": "answer", "source": "form.no"}, "obligations.answer.actions.agree"),
        ("obligations.answer.actions.agree.effects.0.set_field", {"field": "answer", "source": "__class__"}, "obligations.answer.actions.agree"),
        ("obligations.answer.actions.agree.fields.1.subset_of", "nothing", "obligations.answer.actions.agree.fields.chosen"),
        ("obligations.mend.actions.resend.effects.0", {"open_obligation": "mend"}, "obligations.mend"),
        ("obligations.answer.actions.back.effects.1", {"open_obligation": "answer"}, "obligations.mend"),
    ],
)
def test_a_contradiction_is_found_with_its_place(path: str, value: Any, where: str) -> None:
    problems = check_kind(changed(path, value))
    assert where in [place for place, _, _ in problems]
    assert all(zh and en for _, zh, en in problems)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("start.0", {"open_obligation": "answer", "close_case": "x"}),
        ("start.0", {"run_code": "import os"}),
        ("start.0", {"open_obligation": "answer", "arguments": {"a": "data.x"}}),
        ("obligations.answer.who", {"organization": "owner"}),
        ("obligations.answer.who", {"person": "opener", "organization": "owner", "roles": ["a"]}),
        ("obligations.answer.limits.1.amount", -1),
        ("obligations.answer.limits.1.basis", ""),
        ("prefix", "qs"),
        ("code", "../x"),
    ],
)
def test_what_is_not_in_the_closed_set_is_refused(path: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        changed(path, value)


@pytest.mark.django_db
def test_versions_rise_and_running_cases_keep_theirs(note: Any, cast: Cast, founder: Actor) -> None:
    case = note()
    again = api.publish_kind(spec=simple_kind(), source="tests", actor=founder)
    assert again.number == 1
    newer = api.publish_kind(spec=changed("obligations.answer.title", "再答复"), source="tests", actor=founder)
    assert newer.number == 2
    assert api.access_case(case_id=case.case_id, actor=cast.leader.actor).obligations[0].title["zh"] == "答复"
    fresh = note()
    assert api.access_case(case_id=fresh.case_id, actor=cast.leader.actor).obligations[0].title["zh"] == "再答复"
    back = api.publish_kind(spec=simple_kind(), source="tests", actor=founder)
    assert back.number == 3
    assert api.get_kind(code="leave_note") == simple_kind()
    assert [(info.code, info.number) for info in api.list_kinds()] == [("leave_note", 3)]


@pytest.mark.django_db
def test_a_kind_that_calls_what_nobody_registered_is_refused(founder: Actor) -> None:
    spec = simple_kind(start=[*SIMPLE["start"], {"call": "no.such"}], operators=["remind"])
    with pytest.raises(BadKind, match=r"no\.such"):
        api.publish_kind(spec=spec, source="tests", actor=founder)
    with pytest.raises(KindNotFound):
        api.get_kind(code="leave_note")


@pytest.mark.parametrize(("path", "value"), [("start.0", {"call": "no.such"}), ("obligations.answer.actions.back.by_room", True)])
def test_a_kind_that_rooms_act_on_says_which_operators_go_past_them(path: str, value: Any) -> None:
    """Merging or sending back would leave what the room holds behind, so nobody allows it by saying nothing."""
    spec = changed(path, value)
    assert "operators" in [place for place, _, _ in check_kind(spec)]
    named = KindSpec.model_validate({**spec.model_dump(exclude={"operators"}), "operators": ["hand_on", "send_back"]})
    assert "operators" not in [place for place, _, _ in check_kind(named)]
    assert "operators" not in [place for place, _, _ in check_kind(simple_kind())]


@pytest.mark.django_db
def test_publishing_needs_the_permission(cast: Cast) -> None:
    with pytest.raises(Refused):
        api.publish_kind(spec=simple_kind(), source="tests", actor=cast.data_admin.actor)


def test_a_slot_is_filled_once_and_an_empty_one_said(monkeypatch: pytest.MonkeyPatch) -> None:
    from yunhe.core.cases.api import slots

    monkeypatch.setattr(slots, "_effects", {})
    api.register_effect(code="a.b", arguments=(), apply=lambda context: None)
    with pytest.raises(BadKind):
        api.register_effect(code="a.b", arguments=(), apply=lambda context: None)
    with pytest.raises(EffectUnknown):
        slots.call_effect("c.d", None, {})  # type: ignore[arg-type]


@pytest.mark.django_db
def test_a_kind_keeps_the_order_in_which_it_is_written(founder: Actor) -> None:
    api.publish_kind(spec=simple_kind(), source="tests", actor=founder)
    body = copy.deepcopy(SIMPLE)
    body["obligations"]["answer"]["actions"] = dict(reversed(body["obligations"]["answer"]["actions"].items()))
    body["obligations"] = dict(reversed(body["obligations"].items()))
    turned = api.publish_kind(spec=KindSpec.model_validate(body), source="tests", actor=founder)
    kinds._specs.clear()  # as in another process: what is kept is read
    kept = api.get_kind(code="leave_note")
    assert turned.number == 1, "another order is no other version"
    assert list(kept.obligations) == list(body["obligations"])
    assert list(kept.obligations["answer"].actions) == list(body["obligations"]["answer"]["actions"])
