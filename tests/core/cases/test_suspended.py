"""What ends while a case stands still is not lost: it goes on from there once it is resumed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Cast
from tests.faults import world
from yunhe.core.cases import api
from yunhe.core.cases.models import CaseRecord
from yunhe.kernel.actor import Actor

pytestmark = pytest.mark.django_db


@pytest.fixture
def panel(clock: Any, cast: Cast, calendar: None, founder: Actor) -> str:
    for spec in (world.inner(), world.panel()):
        api.publish_kind(spec=spec, source="tests", actor=founder)
    told = {"title": "一件", "data": {"place": "解放路", "area": 20}, "actor": cast.clerk.actor, "owner": cast.owner.code}
    case = api.open_case(kind="panel", **told)
    departments = [cast.owner.code, cast.bureau.code]
    api.act(case_id=case.case_id, action="accept", data={"departments": departments}, actor=cast.steward.actor)
    return str(case.case_id)


@pytest.mark.parametrize("before", [0, 1])
def test_sub_cases_that_end_while_it_is_suspended_open_the_decision_on_resuming(
    panel: str, cast: Cast, before: int
) -> None:
    children = list(CaseRecord.objects.filter(parent_id=panel).order_by("id"))
    ends = list(zip(children, (cast.leader, cast.data_admin), strict=True))
    for child, member in ends[:before]:
        api.act(case_id=child.pk, action="ok", data={}, actor=member.actor)
    api.suspend(case_id=panel, basis="依据", reason="演练", actor=cast.leader.actor)
    for child, member in ends[before:]:
        api.act(case_id=child.pk, action="ok", data={}, actor=member.actor)
    assert api.get_case(case_id=panel).state == "suspended"
    case = api.resume(case_id=panel, reason="演练", actor=cast.leader.actor)
    view = api.access_case(case_id=panel, actor=cast.leader.actor)
    assert (case.phase, [one.name for one in view.obligations if one.state == "open"]) == ("decision", ["decide"])
    assert api.replay_case(case_id=panel, actor=cast.leader.actor).equal


def test_a_group_that_ended_before_is_not_asked_again(panel: str, cast: Cast) -> None:
    for child, member in zip(CaseRecord.objects.filter(parent_id=panel).order_by("id"), (cast.leader, cast.data_admin), strict=True):
        api.act(case_id=child.pk, action="ok", data={}, actor=member.actor)
    api.suspend(case_id=panel, basis="依据", reason="演练", actor=cast.leader.actor)
    api.resume(case_id=panel, reason="演练", actor=cast.leader.actor)
    view = api.access_case(case_id=panel, actor=cast.leader.actor)
    assert [one.name for one in view.obligations if one.state == "open"] == ["decide"]
