"""Many obligations side by side: a step reads those near its actor, and what it does is the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from tests.conftest import Cast, Member
from yunhe.core.cases import api
from yunhe.core.cases.api import store
from yunhe.core.cases.errors import ActionNotOffered
from yunhe.core.cases.models import ObligationRecord
from yunhe.core.cases.types import Case, KindSpec
from yunhe.kernel.actor import Actor

pytestmark = pytest.mark.django_db
SIDE_BY_SIDE: dict[str, Any] = {
    "code": "side_by_side", "title": "会签", "prefix": "HQ", "opens": {"permission": "cases.act", "over": "applicant"},
    "fields": [{"name": "departments", "title": "会签单位", "type": "list", "required": True, "format": "organization"}],
    "phases": [{"code": "review", "title": "会签"}, {"code": "decision", "title": "决定"}, {"code": "done", "title": "办结"}],
    "start": [{"open_obligation": "review"}],
    "obligations": {
        "review": {
            "title": "会签", "group": "opinions",
            "who": {"organization": "each", "each": "departments", "roles": ["data_admin", "data_steward"]},
            "limits": [{"amount": 10, "unit": "workdays", "basis": "测试"}],
            "actions": {"agree": {"title": "同意", "outcome": "agreed"}, "object": {"title": "不同意", "outcome": "objected"}},
        },
        "decide": {
            "title": "决定", "who": {"organization": "owner", "roles": ["data_leader"]},
            "actions": {"grant": {"title": "准予", "outcome": "granted", "effects": [{"go_to_phase": "done"}, {"close_case": "granted"}]}},
        },
    },
    "groups": {"opinions": {"rules": [
        {"when": "count_objected > 0", "effects": [{"close_group": "opinions"}, {"go_to_phase": "done"}, {"close_case": "refused"}]},
        {"when": "open_count = 0", "effects": [{"go_to_phase": "decision"}, {"open_obligation": "decide"}]},
    ]}},
}  # fmt: skip


@pytest.fixture(params=[store.MANY, 1], ids=["few", "many"])
def opened(request: pytest.FixtureRequest, clock: Any, calendar: None, cast: Cast, founder: Actor, monkeypatch: Any) -> Callable[[], Case]:
    """Return a function that opens a case which three departments owe an opinion; to a step they are few, or many."""
    monkeypatch.setattr(store, "MANY", request.param)
    api.publish_kind(spec=KindSpec.model_validate(SIDE_BY_SIDE), source="tests", actor=founder)
    bodies = [cast.owner.code, cast.bureau.code, cast.other.code]

    def open_case() -> Case:
        return api.open_case(kind="side_by_side", title="一件", data={"departments": bodies}, actor=cast.clerk.actor, owner=cast.owner.code)

    return open_case


def act(case: Case, who: Member, action: str) -> Case:
    return api.act(case_id=case.case_id, action=action, data={}, actor=who.actor)


def states(case: Case) -> list[tuple[str, str]]:
    return sorted(ObligationRecord.objects.filter(case_id=case.case_id).values_list("organization", "state"))


def test_the_last_of_them_leads_on(opened: Callable[[], Case], cast: Cast) -> None:
    case = opened()
    for who in (cast.steward, cast.data_admin):
        told = act(case, who, "agree")
        assert (told.phase, told.due_at) == ("review", case.due_at)
    assert act(case, cast.clerk, "agree").phase == "decision"
    assert act(case, cast.leader, "grant").outcome == "granted"
    assert api.replay_case(case_id=case.case_id, actor=cast.clerk.actor).differences == ()


def test_the_case_is_due_when_the_first_of_the_others_is(opened: Callable[[], Case], cast: Cast) -> None:
    case, later = opened(), "2026-03-25T15:59:59.999999+00:00"
    rows = ObligationRecord.objects.filter(case_id=case.case_id)
    rows.exclude(organization=cast.owner.code).update(due_at=later)
    told = act(case, cast.steward, "agree")
    assert told.due_at is not None and told.due_at.isoformat() == later


def test_an_objection_ends_what_was_not_read(opened: Callable[[], Case], cast: Cast) -> None:
    case = opened()
    assert act(case, cast.data_admin, "object").outcome == "refused"
    done = dict.fromkeys((cast.owner.code, cast.other.code), "cancelled") | {cast.bureau.code: "done"}
    assert states(case) == sorted(done.items())
    assert api.replay_case(case_id=case.case_id, actor=cast.clerk.actor).differences == ()


def test_who_stands_in_finds_the_seat(opened: Callable[[], Case], cast: Cast) -> None:
    today = date(2026, 3, 2)
    api.delegate(to_username=cast.officer.username, since=today, until=today, reason="休假", actor=cast.steward.actor)
    case = opened()
    act(case, cast.officer, "agree")
    assert dict(states(case))[cast.owner.code] == "done"


def test_who_has_no_seat_is_refused_as_ever(opened: Callable[[], Case], cast: Cast) -> None:
    case = opened()
    for who in (cast.leader, cast.bureau_clerk):
        with pytest.raises(ActionNotOffered):
            act(case, who, "agree")
    assert case.version == api.get_case(case_id=case.case_id).version
