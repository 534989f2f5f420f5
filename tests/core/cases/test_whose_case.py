"""Whose a case stays when it is split, who can be asked for an opinion, what is over stays over."""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cast, Member, _member
from tests.core.cases.kinds import SIMPLE
from tests.core.cases.test_operators import do, open_ids, permit, replays, view, waiting  # noqa: F401
from yunhe.core.cases import api
from yunhe.core.cases.errors import CannotOperate, GuardRefused
from yunhe.core.cases.models import CaseRecord, ObligationRecord, PartyRecord
from yunhe.core.cases.panels.cases import state_tag
from yunhe.core.cases.rules.kinds import OWN_WORDS, check_kind
from yunhe.core.cases.rules.wording import OWN_EVENTS
from yunhe.core.cases.types import KindSpec
from yunhe.kernel.actor import Actor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("replays")]
WHY = "测试"
ANY = {"amount": 20, "basis": "例"}


@pytest.fixture
def tong(cast: Cast) -> Member:
    return _member("tong", cast.owner, "data_steward", "同事")


def changed(**actions: Any) -> KindSpec:
    """Return the small kind with other actions of its answer."""
    body = copy.deepcopy(SIMPLE)
    body["obligations"]["answer"]["actions"] |= actions
    return KindSpec.model_validate(body)


def test_a_part_is_the_case_of_who_opened_the_whole(permit: Any, cast: Cast) -> None:  # noqa: F811
    parts = api.split(case_id=permit().case_id, titles=["甲", "乙"], reason=WHY, actor=cast.steward.actor)
    row = CaseRecord.objects.get(pk=parts[0].case_id)
    assert (row.opened_by, row.opened_by_name, row.opened_for) == (cast.clerk.actor.id, cast.clerk.actor.name, cast.other.code)
    opener = PartyRecord.objects.get(case=row, part="opener")
    assert (opener.person, opener.organization) == (cast.clerk.actor.id, cast.other.code)
    do(parts[0], "ask", cast.steward, missing="图纸")
    assert len(waiting(cast.clerk)) == 1, "papers are asked of who applied"
    do(parts[0], "complete", cast.clerk)
    (event, *_) = view(parts[0], cast.steward).events
    assert event.actor_name == cast.steward.actor.name, "the event says who split it"


def test_who_split_a_case_decides_its_parts_and_who_asked_does_not(
    clock: Any, calendar: None, cast: Cast, founder: Actor
) -> None:
    api.publish_kind(spec=KindSpec.model_validate(SIMPLE), source="tests", actor=founder)
    told = {"title": "自办", "data": {"amount": 1, "items": []}, "organization": cast.owner.code, "owner": cast.owner.code}
    case = api.open_case(kind="leave_note", actor=cast.steward.actor, **told)
    parts = api.split(case_id=case.case_id, titles=["甲", "乙"], reason=WHY, actor=cast.leader.actor)
    with pytest.raises(GuardRefused):
        do(parts[0], "agree", cast.steward, text="可", chosen=[])
    assert do(parts[0], "agree", cast.leader, text="可", chosen=[]).state == "closed"


def test_who_applied_takes_a_part_back(permit: Any, cast: Cast) -> None:  # noqa: F811
    (part, _other) = api.split(case_id=permit().case_id, titles=["甲", "乙"], reason=WHY, actor=cast.steward.actor)
    assert "withdraw" in [one.name for one in view(part, cast.clerk).operators]
    assert api.withdraw(case_id=part.case_id, reason=WHY, actor=cast.clerk.actor).outcome == "withdrawn"


def test_an_opinion_is_asked_of_who_can_give_it(permit: Any, cast: Cast, tong: Member) -> None:  # noqa: F811
    case = permit()
    (seat,) = open_ids(case, cast, "accept")

    def ask(*to: Member) -> Any:
        return api.add_reviewer(case_id=case.case_id, obligation_id=seat, to=[one.username for one in to], reason=WHY, actor=cast.steward.actor)

    def choices() -> set[str]:
        return {name for one in view(case, cast.steward).operators if one.name == "add_reviewer" for name in one.choices}

    every = choices()
    assert {cast.leader.username, tong.username} < every and cast.steward.username not in every
    for member, said in ((cast.audit_admin, "has no role"), (cast.steward, "own opinion")):
        with pytest.raises(CannotOperate, match=said):
            ask(member)
    ask(tong)
    assert choices() == every - {tong.username}
    with pytest.raises(CannotOperate, match="asked already"):
        ask(tong)
    ask(cast.leader)
    opinions = ObligationRecord.objects.filter(case_id=case.case_id, origin_id=seat)
    assert {one.person for one in opinions} == {tong.actor.id, cast.leader.actor.id}
    (own,) = opinions.filter(person=tong.actor.id)
    do(case, "give_opinion", tong, own.pk, agrees="yes", opinion="可以")
    assert choices() == every - {cast.leader.username}, "once given it may be asked for again"


@pytest.mark.parametrize("name", sorted(OWN_WORDS | {"hand_on", "send_back"}))
def test_no_action_is_called_as_an_event_of_the_engine(name: str) -> None:
    problems = check_kind(changed(**{name: {"title": "警告", "outcome": "warned", "effects": [{"close_case": "warned"}]}}))
    assert [where for where, *_ in problems] == [f"obligations.answer.actions.{name}"]


def test_every_event_of_the_engine_is_kept_from_actions() -> None:
    room = Path(api.__file__).parent
    told = r"\bbegin\((?:[^()\"{]|\([^()]*\))*\"([a-z_]+)\""
    begun = {word for path in room.glob("*.py") for word in re.findall(told, path.read_text("utf-8"))}
    operators = {"hand_on", "add_reviewer", "send_back"}  # refused where the kind allows them
    assert begun and begun | OWN_EVENTS.keys() <= OWN_WORDS | operators


def test_after_its_end_nothing_opens(clock: Any, calendar: None, cast: Cast, founder: Actor, unproved: None) -> None:
    more = {"title": "同意", "outcome": "agreed", "effects": [{"close_case": "agreed"}, {"open_obligation": "mend"}]}
    twice = {"title": "同意", "outcome": "agreed", "effects": [{"close_case": "agreed"}, {"close_case": "refused"}]}
    either = {"title": "同意", "outcome": "agreed", "effects": [
        {"close_case": "big", "when": "amount > 5"}, {"close_case": "small", "when": "amount <= 5"},
        {"open_obligation": "mend", "when": "amount is null"},
    ]}  # fmt: skip
    for action in (more, twice):
        assert [where for where, *_ in check_kind(changed(over=action))] == ["obligations.answer.actions.over"]
    assert not [one for one in check_kind(changed(over=either)) if "close_case" in one[1]]
    both = {"title": "同意", "outcome": "agreed", "effects": [
        {"close_case": "first", "when": "amount > 5"}, {"close_case": "second", "when": "amount > 6"},
        {"open_obligation": "mend", "when": "amount > 7"},
    ]}  # fmt: skip
    api.publish_kind(spec=changed(over=both), source="tests", actor=founder)
    told = {"title": "一件", "data": {"amount": 9, "items": []}, "owner": cast.owner.code}
    case = do(api.open_case(kind="leave_note", actor=cast.clerk.actor, **told), "over", cast.leader)
    assert (case.state, case.outcome) == ("closed", "first")
    assert not ObligationRecord.objects.filter(case_id=case.case_id, state="open").exists()


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"ladder": [{"percent": 80}, {"percent": 100}, {"percent": 80}]}, "ladder"),
        ({"limits": [ANY, {**ANY, "when": "amount > 3"}]}, "limits[1]"),
        ({"limits": [ANY, {**ANY, "starts_with": "agree"}, {**ANY, "starts_with": "agree", "amount": 3}]}, "limits[2]"),
    ],
)
def test_what_can_never_count_is_not_published(changes: dict[str, Any], where: str) -> None:
    assert [place for place, *_ in check_kind(KindSpec.model_validate({**SIMPLE, **changes}))] == [where]


def test_a_case_that_was_split_or_merged_says_so_where_its_state_stands(permit: Any, cast: Cast) -> None:  # noqa: F811
    split, double, master = permit(), permit(), permit()
    api.split(case_id=split.case_id, titles=["甲", "乙"], reason=WHY, actor=cast.steward.actor)
    api.merge(case_id=double.case_id, into=master.case_id, reason=WHY, actor=cast.steward.actor)
    for case, said in ((split, "已拆分"), (double, "已并案"), (master, "受理")):
        assert str(state_tag(api.get_case(case_id=case.case_id)).text) == said
