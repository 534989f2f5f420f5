"""What only a room or a sub-case ends is nobody's work; what was handed on by mistake comes back."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Cast, Member
from tests.core.cases.kinds import SIMPLE
from tests.core.cases.test_operators import notices_of, waiting
from tests.faults.test_lists_are_filtered import browser
from yunhe.core.cases import api
from yunhe.core.cases.errors import NotRetractable
from yunhe.core.cases.models import CaseRecord, ObligationRecord
from yunhe.core.cases.types import KindSpec
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import FrozenClock
from yunhe.kernel.pages import PageRequest
from yunhe.ui.po import compile_texts

compile_texts()
pytestmark = pytest.mark.django_db
EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "opening" / "cases"


def numbers(member: Member, cast: Cast) -> tuple[int, int, int]:
    """Return how much waits for somebody by the list, by the count, and for all of `owner` by the team's table."""
    team = api.get_team(organization=cast.owner.code, actor=cast.leader.actor).total.counts["open"]
    assert team == api.list_team_work(organization=cast.owner.code, request=PageRequest(), actor=cast.leader.actor).total
    return api.list_waiting(request=PageRequest(), actor=member.actor).total, api.count_waiting(actor=member.actor), team


def test_what_waits_for_a_sub_case_stands_on_the_page_only(clock: FrozenClock, cast: Cast, calendar: None, founder: Actor) -> None:
    for name in ("opening_part", "opening"):
        api.publish_kind(spec=KindSpec.model_validate(yaml.safe_load((EXAMPLE / f"{name}.yml").read_text("utf-8"))), source="tests", actor=founder)
    case = api.open_case(kind="opening", title="店", data={"shop": "x"}, actor=cast.clerk.actor, owner=cast.owner.code)
    (child,) = CaseRecord.objects.filter(parent_id=case.case_id)
    (waits,) = ObligationRecord.objects.filter(case_id=case.case_id, child=child)
    (mine,) = ObligationRecord.objects.filter(case=child, state="open")
    assert waiting(cast.steward) == [mine.pk] and numbers(cast.steward, cast) == (1, 1, 1)
    offer = api.offer_bulk(obligation_ids=[waits.pk, mine.pk], actor=cast.steward.actor)
    assert [item.obligation_id for item in offer.items] == [mine.pk] and offer.gone == 1
    page = browser(cast.clerk).get(f"/inbox/cases/{case.case_id}/").content.decode()
    assert f"等待 子办件 {child.number}" in page


def room_kind(**answer: Any) -> KindSpec:
    body = copy.deepcopy(SIMPLE)
    body["operators"] = ["remind"]
    agree = {**body["obligations"]["answer"]["actions"]["agree"], "by_room": True, "guards": []}
    body["obligations"]["answer"]["actions"] = {"agree": agree, **answer}
    body["obligations"]["answer"]["on_due"] = {"outcome": "lapsed", "title": "期满", "effects": [{"close_case": "lapsed"}]}
    body["obligations"].pop("mend")
    return KindSpec.model_validate(body)


def test_what_waits_for_a_room_is_nobodys(clock: FrozenClock, cast: Cast, calendar: None, founder: Actor) -> None:
    told: dict[str, Any] = {"kind": "leave_note", "title": "件", "actor": cast.clerk.actor, "owner": cast.owner.code}
    api.publish_kind(spec=room_kind(), source="tests", actor=founder)
    first = api.open_case(data={"amount": 1, "items": []}, **told)
    assert waiting(cast.steward) == [] and numbers(cast.leader, cast) == (0, 0, 0)
    printed = browser(cast.clerk).get(f"/inbox/cases/{first.case_id}/print/").content.decode()
    assert "<td>系统</td>" in re.sub(r"<td[^>]*>", "<td>", printed)
    held = api.list_holders(cases=[first])[first.case_id]
    assert [one.for_people for one in held] == [False]
    assert "等待 系统：" in browser(cast.clerk).get(f"/inbox/cases/{first.case_id}/").content.decode()
    drop = {"title": "不再等", "outcome": "dropped", "effects": [{"close_case": "agreed"}]}
    api.publish_kind(spec=room_kind(drop=drop), source="tests", actor=founder)  # by the next version people can end it
    second = api.open_case(data={"amount": 1, "items": []}, **told)
    (seat,) = ObligationRecord.objects.filter(case_id=second.case_id).values_list("pk", flat=True)
    assert waiting(cast.steward) == waiting(cast.leader) == [seat] and numbers(cast.leader, cast) == (1, 1, 1)
    api.report_event(case_id=first.case_id, action="agree", data={"text": "可以"}, actor=job_actor("tests"))


def test_what_was_handed_on_by_mistake_is_taken_back(note: Any, cast: Cast) -> None:
    case = note()
    (seat,) = waiting(cast.steward)
    told: dict[str, Any] = {"case_id": case.case_id, "obligation_id": seat, "reason": "错了", "actor": cast.steward.actor}
    api.hand_on(to="leader", **told)
    assert waiting(cast.steward) == [] and waiting(cast.leader) == [seat]
    assert "retract" in [one.name for one in api.access_case(case_id=case.case_id, actor=cast.steward.actor).operators]
    with pytest.raises(NotRetractable):
        api.retract(case_id=case.case_id, reason="x", actor=cast.leader.actor)
    api.retract(case_id=case.case_id, reason="转错人了", actor=cast.steward.actor)
    assert waiting(cast.steward) == waiting(cast.leader) == [seat]  # the role's again
    (told_of, *_) = notices_of(cast.leader)
    assert told_of.kind == "cases.gone" and api.access_case(case_id=case.case_id, actor=cast.leader.actor).events[-1].action == "retract"
    api.hand_on(to="leader", **told)
    api.add_reviewer(to=["officer"], **{**told, "actor": cast.leader.actor})
    with pytest.raises(NotRetractable):  # who has it began
        api.retract(case_id=case.case_id, reason="x", actor=cast.steward.actor)
    assert api.replay_case(case_id=case.case_id, actor=job_actor("tests")).equal
