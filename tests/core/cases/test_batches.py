"""Batches: a ranking of applications, decided for all of them at once."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.conftest import Cast
from yunhe.core.cases import api
from yunhe.core.cases.errors import ActionNotOffered, BadKind, GuardRefused, MembersRefused
from yunhe.core.cases.types import Case, KindSpec
from yunhe.kernel.actor import Actor

pytestmark = pytest.mark.django_db
APPLICATION: dict[str, Any] = {
    "code": "bid",
    "title": {"zh": "申报", "en": "Bid"},
    "prefix": "SB",
    "opens": {"permission": "cases.act"},
    "fields": [
        {"name": "score", "title": "得分", "type": "integer"},
        {"name": "place", "title": "名次", "type": "integer", "internal": True},
    ],
    "phases": [{"code": "ranking", "title": "排序"}, {"code": "done", "title": "办结"}],
    "start": [{"open_obligation": "wait"}],
    "obligations": {
        "wait": {
            "title": "等候排序",
            "who": {"person": "batch"},
            "actions": {
                name: {
                    "title": title, "outcome": outcome,
                    "fields": [{"name": "place", "title": "名次", "type": "integer", "required": True}],
                    "effects": [
                        {"set_field": {"field": "place", "source": "form.place"}}, {"go_to_phase": "done"}, {"close_case": outcome},
                    ],
                }
                for name, title, outcome in (("win", "入选", "won"), ("lose", "落选", "lost"))
            },
        }
    },
}  # fmt: skip
RANKING: dict[str, Any] = {
    "code": "ranking",
    "title": {"zh": "排序", "en": "Ranking"},
    "prefix": "PX",
    "opens": {"permission": "cases.act"},
    "fields": [{"name": "quota", "title": "名额", "type": "integer", "required": True}],
    "phases": [{"code": "listing", "title": "列名单"}, {"code": "done", "title": "公布"}],
    "start": [{"open_obligation": "settle"}],
    "batch": {"kind": "bid", "order_by": "-score"},
    "obligations": {
        "settle": {
            "title": "确定名单",
            "who": {"organization": "owner", "roles": ["data_leader"]},
            "actions": {
                "settle": {
                    "title": "确定", "outcome": "settled",
                    "effects": [
                        {"for_members": [
                            {"action": "win", "when": "member_rank <= batch_quota AND score >= 60", "form": {"place": "member.rank"}},
                            {"action": "lose", "form": {"place": "member.rank"}},
                        ]},
                        {"go_to_phase": "done"}, {"close_case": "settled"},
                    ],
                },
                "stop": {"title": "不评了", "outcome": "stopped", "effects": [{"close_case": "stopped"}]},
            },
        }
    },
}  # fmt: skip


@pytest.fixture
def world(note: Any, founder: Actor, cast: Cast) -> Any:
    """Both kinds, and a function that opens a case of either, asked of `owner`."""
    for body in (APPLICATION, RANKING):
        api.publish_kind(spec=KindSpec.model_validate(body), source="tests", actor=founder)

    def opened(kind: str, **data: Any) -> Case:
        return api.open_case(kind=kind, title=f"{kind} {data}", data=data, actor=cast.clerk.actor, owner=cast.owner.code)

    return opened


def outcomes(cases: list[Case]) -> list[tuple[str, Any]]:
    now = [api.get_case(case_id=one.case_id) for one in cases]
    return [(one.outcome, one.data["place"]) for one in now]


def test_a_batch_ranks_its_members_and_decides_for_all(world: Any, cast: Cast) -> None:
    scores = (70, 90, 50, 90, None)
    bids, batch = [world("bid", score=score) for score in scores], world("ranking", quota=3)
    batch = api.add_members(case_id=batch.case_id, numbers=[one.number for one in bids], actor=cast.leader.actor, expected_version=1)
    members = api.list_members(case_id=batch.case_id, actor=cast.leader.actor)
    assert [(one.rank, one.value) for one in members] == [(1, "90"), (2, "90"), (3, "70"), (4, "50"), (5, "")]
    assert members[0].number == bids[1].number  # equal ones by number
    done = api.act(case_id=batch.case_id, action="settle", data={}, actor=cast.leader.actor, expected_version=2)
    assert done.outcome == "settled"
    assert outcomes(bids) == [("won", 3), ("won", 1), ("lost", 4), ("won", 2), ("lost", 5)]
    for one in (*bids, batch):
        assert api.replay_case(case_id=one.case_id, actor=cast.clerk.actor).equal
    view = api.access_case(case_id=bids[0].case_id, actor=cast.clerk.actor)
    assert [event.action for event in view.events] == ["open", "join_batch", "win"]
    assert view.events[-1].on_behalf == f"batch {batch.number}"


def test_guards_hold_for_a_batch_too(world: Any, founder: Actor, cast: Cast) -> None:
    told = copy.deepcopy(APPLICATION)
    told["obligations"]["wait"]["actions"]["lose"]["guards"] = [{"when": "score < 60", "message": "及格的不能落选。"}]
    api.publish_kind(spec=KindSpec.model_validate(told), source="tests", actor=founder)
    bids, batch = [world("bid", score=score) for score in (90, 70)], world("ranking", quota=1)
    api.add_members(case_id=batch.case_id, numbers=[one.number for one in bids], actor=cast.leader.actor)
    with pytest.raises(GuardRefused, match="及格的不能落选"):
        api.act(case_id=batch.case_id, action="settle", data={}, actor=cast.leader.actor)
    assert outcomes(bids) == [("", None), ("", None)]


def test_what_waits_for_its_batch_is_nobodys_turn(world: Any, cast: Cast) -> None:
    bid = world("bid", score=1)
    for member in (cast.leader, cast.steward, cast.clerk):
        with pytest.raises(ActionNotOffered):
            api.act(case_id=bid.case_id, action="win", data={"place": 1}, actor=member.actor)


def test_a_case_is_on_one_list_only_and_comes_free_when_that_ends(world: Any, cast: Cast) -> None:
    bid, first, second = world("bid", score=1), world("ranking", quota=1), world("ranking", quota=1)
    api.add_members(case_id=first.case_id, numbers=[bid.number.lower()], actor=cast.leader.actor)
    with pytest.raises(MembersRefused) as refused:
        api.add_members(case_id=second.case_id, numbers=[bid.number], actor=cast.leader.actor)
    assert bid.number in refused.value.say("zh")
    assert api.list_candidates(case_id=second.case_id, actor=cast.leader.actor) == ()
    api.act(case_id=first.case_id, action="stop", data={}, actor=cast.leader.actor)
    assert [one.number for one in api.list_candidates(case_id=second.case_id, actor=cast.leader.actor)] == [bid.number]
    api.add_members(case_id=second.case_id, numbers=[bid.number], actor=cast.leader.actor)
    api.drop_members(case_id=second.case_id, numbers=[bid.number], actor=cast.leader.actor)
    assert api.list_members(case_id=second.case_id, actor=cast.leader.actor) == ()
    assert api.get_case(case_id=bid.case_id).is_open


@pytest.mark.parametrize("numbers", [[], ["SB20260302-09999"], ["PX20260302-00001"]])
def test_what_cannot_be_listed_is_refused_and_nothing_changes(world: Any, cast: Cast, numbers: list[str]) -> None:
    bid, batch = world("bid", score=1), world("ranking", quota=1)
    with pytest.raises(MembersRefused):
        api.add_members(case_id=batch.case_id, numbers=[bid.number, *numbers] if numbers else [], actor=cast.leader.actor)
    assert api.list_members(case_id=batch.case_id, actor=cast.leader.actor) == ()
    with pytest.raises(ActionNotOffered):
        api.add_members(case_id=batch.case_id, numbers=[bid.number], actor=cast.clerk.actor)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (("batch", "kind"), "nothing", 'no kind "nothing"'),
        (("batch", "order_by"), "weight", 'no field "weight"'),
        (("obligations", "settle", "actions", "settle", "effects", 0, "for_members", 0, "action"), "grant", 'has "grant"'),
        (("obligations", "settle", "actions", "settle", "effects", 0, "for_members", 0, "when"), "salary > 1", "salary"),
        (("obligations", "settle", "actions", "settle", "effects", 0, "for_members", 0, "form"), {"place": "data.no"}, "data.no"),
        (("batch",), None, "members"),
    ],
)
def test_a_batch_that_does_not_fit_its_members_is_not_published(world: Any, founder: Actor, path: Any, value: Any, said: str) -> None:
    body = KindSpec.model_validate(RANKING).model_dump(mode="json")
    place: Any = body
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(BadKind) as refused:
        api.publish_kind(spec=KindSpec.model_validate(body), source="tests", actor=founder)
    assert said in refused.value.say("en")
