"""The example of one matter whose parts depend on each other: what the first gives back goes into the second."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Cast
from yunhe.core.cases import api
from yunhe.core.cases.errors import BadKind
from yunhe.core.cases.models import CaseRecord
from yunhe.core.cases.rules.verdicts import judge_kind
from yunhe.core.cases.types import Case, KindSpec
from yunhe.core.packs import api as packs
from yunhe.kernel.actor import Actor

pytestmark = pytest.mark.django_db
OPENING = Path(__file__).resolve().parents[3] / "examples" / "opening"


def texts(name: str = "opening") -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load((OPENING / "cases" / f"{name}.yml").read_text("utf-8"))
    return told


@pytest.fixture
def matter(clock: Any, cast: Cast, calendar: None, founder: Actor) -> Case:
    packs.load_pack(name_or_path=OPENING, actor=founder)
    return api.open_case(kind="opening", title="书店", data={"shop": "书店"}, actor=cast.clerk.actor, owner=cast.owner.code)


def end_part(matter: Case, action: str, cast: Cast, into: str = "", **data: Any) -> dict[str, Any]:
    """End the part that is open, or let it go into another case and end that; return what the part was given."""
    part = CaseRecord.objects.exclude(state="closed").get(parent_id=matter.case_id)
    if into:
        api.merge(case_id=part.pk, into=into, reason="同一件", actor=cast.leader.actor)
    api.act(case_id=into or part.pk, action=action, data=data, actor=cast.steward.actor)
    return dict(part.data)


def test_the_result_of_one_part_goes_into_the_case_and_into_the_next(matter: Case, cast: Cast) -> None:
    assert end_part(matter, "issue", cast, number="执照-1")["earlier"] is None
    assert (api.get_case(case_id=matter.case_id).phase, api.get_case(case_id=matter.case_id).data["registration"]) == ("permitting", "执照-1")
    assert end_part(matter, "issue", cast, number="许可-2")["earlier"] == "执照-1"
    ended = api.get_case(case_id=matter.case_id)
    assert (ended.outcome, ended.data["registration"], ended.data["permit"]) == ("opened", "执照-1", "许可-2")
    assert api.replay_case(case_id=matter.case_id, actor=cast.leader.actor).equal


def test_a_part_that_is_refused_gives_nothing_back(matter: Case, cast: Cast) -> None:
    end_part(matter, "refuse", cast)
    ended = api.get_case(case_id=matter.case_id)
    assert (ended.outcome, ended.data["registration"]) == ("refused", None)


def test_the_case_that_a_part_went_into_gives_its_result(matter: Case, cast: Cast) -> None:
    twin = api.open_case(kind="opening_part", title="同一件", data={"shop": "书店"}, actor=cast.leader.actor, owner=cast.owner.code)
    end_part(matter, "issue", cast, into=twin.case_id, number="执照-7")
    assert api.get_case(case_id=matter.case_id).data["registration"] == "执照-7"


@pytest.mark.parametrize(
    ("results", "said"),
    [
        ({"nothing": "number"}, "办件没有字段"),
        ({"registration": "nothing"}, "子办件没有字段"),
        ({"seats": "number"}, "放不下"),
    ],
)
def test_results_that_do_not_fit_are_refused(matter: Case, founder: Actor, results: dict[str, str], said: str) -> None:
    told = texts()
    told["fields"].append({"name": "seats", "title": "座位", "type": "integer"})
    told["obligations"]["register"]["child"]["results"] = results
    with pytest.raises(BadKind) as caught:
        api.publish_kind(spec=KindSpec.model_validate(told), source="tests", actor=founder)
    assert said in caught.value.say("zh")


def test_results_of_a_kind_that_is_not_there_are_refused(matter: Case, founder: Actor) -> None:
    told = texts()
    told["obligations"]["register"]["child"]["kind"] = "elsewhere"
    with pytest.raises(BadKind) as caught:
        api.publish_kind(spec=KindSpec.model_validate(told), source="tests", actor=founder)
    assert "没有办件类型" in caught.value.say("zh")


def test_the_proof_knows_that_a_result_may_be_anything() -> None:
    told = texts()
    told["groups"]["permit"]["rules"][0]["when"] = "registration = '执照-1'"
    del told["groups"]["permit"]["rules"][1]
    assert judge_kind(KindSpec.model_validate(told))
