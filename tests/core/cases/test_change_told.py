"""What a case tells of a change that moved it: on its timeline, and on paper in the words of then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import Cast
from tests.core.cases.test_change_pages import permit, publish, with_fire  # noqa: F401
from tests.core.cases.test_migrating import applied, body
from tests.core.cases.test_operators import accepted, do
from tests.core.cases.test_pages import signed_in
from yunhe.core.cases import api
from yunhe.core.cases.types import Case, CaseView, Event, Migration
from yunhe.kernel.actor import job_actor

pytestmark = pytest.mark.django_db
Permit = Callable[[], Case]


def planned(cast: Cast, **told: Any) -> Migration:
    plan = api.plan_migration(kind="permit", actor=cast.data_admin.actor)
    return replace(plan, moves=tuple(replace(move, **told) for move in plan.moves))


def view_of(case: Case) -> CaseView:
    return api.access_case(case_id=case.case_id, actor=job_actor("tests"))


def told(event: Event, language: str = "zh") -> dict[str, str]:
    return {fact.name: fact.label[language] if fact.label else str(fact.value) for fact in event.facts}


def test_the_timeline_says_from_where_to_where_and_what_ended_and_opened(permit: Permit, cast: Cast) -> None:  # noqa: F811
    case = permit()
    publish(**with_fire())
    done = applied(cast, planned(cast, to_phase="review", renames={}, cancel=(("accept", ""),), add=(("fire", ""), ("opinion", cast.other.code))))
    said = told(view_of(case).events[-1])
    assert (said["versions"], said["moved"], said["ended"]) == ("第 1 版 → 第 2 版", "受理 → 审查", f"受理（{cast.owner.label}）")
    assert set(said["opened"].split("、")) == {f"消防核查（{cast.owner.label}）", f"会签（{cast.other.label}）"}
    page = signed_in(cast.leader).get(f"/inbox/cases/{case.case_id}/").content.decode()
    assert "阶段：受理 → 审查" in page and f"结束：受理（{cast.owner.label}）" in page
    applied(cast, api.undo_plan(migration_id=done.migration_id, actor=cast.data_admin.actor))
    back = told(view_of(case).events[-1])
    assert (back["versions"], back["moved"], back["opened"]) == ("第 2 版 → 第 1 版", "审查 → 受理", f"受理（{cast.owner.label}）")
    assert "消防核查" in back["ended"]


def test_the_timeline_says_what_is_called_otherwise_now(permit: Permit, cast: Cast) -> None:  # noqa: F811
    case = permit()
    publish(**with_fire())
    applied(cast, planned(cast, renames={"accept": "fire"}))
    said = told(view_of(case).events[-1])
    assert (said["renamed"], said["moved"]) == ("受理 → 消防核查", "仍在受理") and "ended" not in said


def test_what_a_version_lacks_is_told_in_the_words_of_then(permit: Permit, cast: Cast) -> None:  # noqa: F811
    case = accepted(permit(), cast)
    second = with_fire()
    second["obligations"]["fire"]["limits"] = [{"amount": 12, "unit": "workdays", "basis": "新规"}]
    publish(**second)
    done = applied(cast, planned(cast, add=(("fire", ""),)))
    applied(cast, api.undo_plan(migration_id=done.migration_id, actor=cast.data_admin.actor))
    publish(**{**body(), "title": {"zh": "第三版", "en": "Third"}})
    view = view_of(case)
    (fire,) = (item for item in view.obligations if item.name == "fire")
    assert (fire.title["zh"], fire.state) == ("消防核查", "cancelled")
    paper = signed_in(cast.leader).get(f"/inbox/cases/{case.case_id}/print/").content.decode()
    assert "逐日计算：消防核查" in paper and ">fire<" not in paper and "：fire" not in paper
    owed = paper[paper.index("各项待办") : paper.index(">经过<")]
    row = owed[owed.index("消防核查") :].partition("</tr>")[0]
    assert cast.data_admin.actor.name not in row and cast.owner.label in row


def test_what_was_done_by_a_later_version_keeps_its_name(permit: Permit, cast: Cast) -> None:  # noqa: F811
    case = accepted(permit(), cast)
    publish(**with_fire())
    done = applied(cast, planned(cast, add=(("fire", ""),)))
    fire = next(item for item in view_of(case).obligations if item.name == "fire")
    do(case, "agree", cast.steward, obligation_id=fire.obligation_id)
    back = api.undo_plan(migration_id=done.migration_id, actor=cast.data_admin.actor)
    applied(cast, replace(back, moves=tuple(replace(move, choice="move") for move in back.moves)))
    view = view_of(case)
    fire = next(item for item in view.obligations if item.name == "fire")
    assert (fire.title["zh"], fire.outcome_title["zh"]) == ("消防核查", "合格")
    assert [event.title["zh"] for event in view.events if event.action == "agree"] == ["合格"]
