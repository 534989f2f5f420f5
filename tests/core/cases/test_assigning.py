"""Whoever supervises assigns (指派), whoever has it hands on (转办): the step says which, to whom and why; steps of before still read."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.api_caller import Caller
from tests.conftest import Cast, Member
from tests.core.cases.test_operators import colleague, open_ids, permit, view
from tests.core.cases.test_pages import signed_in
from yunhe.cli.case_lines import case_lines
from yunhe.core.cases import api
from yunhe.core.cases.errors import OperatorNotAllowed
from yunhe.core.cases.models import EventRecord
from yunhe.core.cases.types import Case
from yunhe.ui.po import compile_texts

__all__ = ["colleague", "permit"]
compile_texts()
pytestmark = pytest.mark.django_db
WHY = "请尽快答复"


@pytest.fixture
def assigned(permit: Any, cast: Cast, colleague: Member) -> Case:
    """Return a permit whose acceptance the leader assigned to a colleague of the steward."""
    case: Case = permit()
    (item,) = open_ids(case, cast, "accept")
    return api.reassign(case_id=case.case_id, obligation_id=item, to=colleague.username, reason=WHY, actor=cast.leader.actor)


def test_the_step_says_who_assigned_to_whom_and_why(assigned: Case, cast: Cast) -> None:
    step = view(assigned, cast.leader).events[-1]
    assert (step.action, step.title["zh"], step.title["en"]) == ("reassign", "指派", "Assigned")
    assert [(fact.title["zh"], fact.value) for fact in step.facts] == [("指派给", "同事"), ("理由", WHY)]
    client: Client = signed_in(cast.leader)
    for address in (f"/inbox/cases/{assigned.case_id}/", f"/inbox/cases/{assigned.case_id}/print/"):
        page = client.get(address).content.decode()
        assert f"指派给：同事；理由：{WHY}" in page and cast.leader.actor.name in page and "转办" not in page.partition("<main")[2]
    lines = "\n".join(case_lines(view(assigned, cast.leader), language="en", titles={}))
    assert f"Assigned to: 同事; Reason: {WHY}" in lines
    told = Caller(cast.leader).get(f"/cases/{assigned.case_id}").body["events"][-1]
    assert (told["action"], told["title"]["zh"], told["actor_name"]) == ("reassign", "指派", cast.leader.actor.name)
    assert [(fact["name"], fact["value"]) for fact in told["facts"]] == [("to", "同事"), ("reason", WHY)]
    assert api.replay_case(case_id=assigned.case_id, actor=cast.leader.actor).equal


def test_who_has_it_hands_on_and_what_goes_back_to_the_role_names_nobody(assigned: Case, cast: Cast, colleague: Member) -> None:
    (item,) = open_ids(assigned, cast, "accept")
    told = {"case_id": assigned.case_id, "obligation_id": item, "reason": WHY}
    api.hand_on(**told, to=cast.steward.username, actor=colleague.actor)
    api.reassign(**told, to="", actor=cast.leader.actor)
    handed, back = view(assigned, cast.leader).events[-2:]
    assert (handed.title["zh"], handed.facts[0].title["zh"]) == ("转办", "转给")
    assert (back.title["zh"], [fact.name for fact in back.facts]) == ("收回转办", ["reason"])


def test_steps_of_before_still_read(assigned: Case, cast: Cast) -> None:
    old = EventRecord.objects.filter(case=assigned.case_id, action="reassign")
    old.update(action="hand_on")
    step = view(assigned, cast.leader).events[-1]
    assert step.title["zh"] == "转办" and {fact.value for fact in step.facts} == {"同事", WHY}
    EventRecord.objects.filter(case=assigned.case_id, action="hand_on").update(action="add_reviewer", values={"to": "甲、乙", "reason": WHY})
    assert "甲、乙" in {fact.value for fact in view(assigned, cast.leader).events[-1].facts}


def test_several_reviewers_are_listed_with_the_signs_of_the_language(permit: Any, cast: Cast) -> None:
    case = permit()
    (item,) = open_ids(case, cast, "accept")
    to = [cast.leader.username, cast.officer.username]
    api.add_reviewer(case_id=case.case_id, obligation_id=item, to=to, reason=WHY, actor=cast.steward.actor)
    names = [cast.leader.actor.name, cast.officer.actor.name]
    for language, mark in (("zh", "、"), ("en", ", ")):
        lines = "\n".join(case_lines(view(case, cast.leader), language=language, titles={}))
        assert mark.join(names) in lines
    client = signed_in(cast.leader)
    assert "、".join(names) in client.get(f"/inbox/cases/{case.case_id}/").content.decode()


def test_a_kind_that_forbids_handing_on_refuses_to_assign_by_that_name(permit: Any, cast: Cast, colleague: Member) -> None:
    case = permit(operators=["remind"])
    (item,) = open_ids(case, cast, "accept")
    with pytest.raises(OperatorNotAllowed) as refused:
        api.reassign(case_id=case.case_id, obligation_id=item, to=colleague.username, reason=WHY, actor=cast.leader.actor)
    assert "“指派”" in refused.value.say("zh")
