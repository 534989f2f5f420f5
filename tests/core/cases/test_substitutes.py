"""Publication with a substitute: who stands in approves, and the guards of both persons hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from tests.conftest import Cast
from tests.core.cases.kinds import load_national_limits, national_kind
from yunhe.core.cases import api
from yunhe.core.cases.api import slots
from yunhe.core.cases.errors import ActionNotOffered, GuardRefused
from yunhe.core.cases.types import Case, EffectContext
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import FrozenClock

pytestmark = pytest.mark.django_db
MONDAY = date(2026, 3, 2)


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> list[EffectContext]:
    """What the publishing effect was called with; the registers' own is tested there."""
    seen: list[EffectContext] = []
    effect = slots.Effect("registers.publish", frozenset({"entry_id", "version"}), lambda context, **_more: seen.append(context))
    monkeypatch.setitem(slots._effects, "registers.publish", effect)
    return seen


@pytest.fixture
def submit(clock: FrozenClock, cast: Cast, calendar: None, founder: Actor, published: Any) -> Callable[..., Case]:
    """The leader is away and the officer stands in; return a function that submits an entry that `author` wrote."""
    load_national_limits()
    api.publish_kind(spec=national_kind("publication"), source="national", actor=founder)
    api.delegate(to_username=cast.officer.username, since=MONDAY, until=MONDAY, reason="休假", actor=cast.leader.actor)

    def open_one(author: Actor, bureau_step: bool = False) -> Case:
        data = {"register": "data_resource", "code": "300001/1", "version": 1, "digest": "0" * 64, "bureau_step": bureau_step}
        data |= {"author_id": author.id, "author_name": author.name}
        return api.open_case(kind="publication", title="企业登记", data=data, actor=cast.steward.actor, owner=cast.owner.code)

    return open_one


def approve(case: Case, actor: Actor) -> Case:
    return api.act(case_id=case.case_id, action="approve", data={}, actor=actor)


def test_who_stands_in_approves_and_the_timeline_says_for_whom(submit: Any, cast: Cast, published: list[EffectContext]) -> None:
    case = approve(submit(cast.steward.actor), cast.officer.actor)
    assert (case.outcome, [context.actor for context in published]) == ("published", [cast.officer.actor])
    event = api.access_case(case_id=case.case_id, actor=cast.leader.actor).events[-1]
    assert (event.actor_name, event.on_behalf) == ("经办人戊", f"{cast.leader.actor.id} 数据负责人丁")


def test_who_wrote_it_does_not_approve_it_in_anothers_seat(submit: Any, cast: Cast, published: list[EffectContext]) -> None:
    with pytest.raises(GuardRefused):
        approve(submit(cast.officer.actor), cast.officer.actor)
    api.delegate(to_username=cast.steward.username, since=MONDAY, until=MONDAY, reason="休假", actor=cast.leader.actor)
    with pytest.raises(GuardRefused):  # the submitter
        approve(submit(cast.leader.actor), cast.steward.actor)
    assert not published


def test_what_the_absent_one_wrote_the_substitute_does_not_approve_either(
    submit: Any, cast: Cast, published: list[EffectContext]
) -> None:
    case = submit(cast.leader.actor)
    offered = api.access_case(case_id=case.case_id, actor=cast.officer.actor).actions
    assert [(one.name, one.refusal is not None, one.on_behalf_name) for one in offered] == [
        ("approve", True, "数据负责人丁"), ("send_back", True, "数据负责人丁"),
    ]  # fmt: skip
    with pytest.raises(GuardRefused):
        approve(case, cast.officer.actor)
    assert not published


def test_the_seat_ends_with_the_leave(submit: Any, cast: Cast, clock: FrozenClock) -> None:
    case = approve(submit(cast.steward.actor, bureau_step=True), cast.officer.actor)
    assert (case.phase, case.data["reviewer_id"]) == ("release", cast.officer.actor.id)
    clock.move_to(clock.at.replace(day=4))  # the leave is over: the seat is gone with it
    other = submit(cast.steward.actor)
    with pytest.raises(ActionNotOffered):
        approve(other, cast.officer.actor)
