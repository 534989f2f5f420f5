"""The way back from a change takes what the change moved, each to where it stood; a change leads from one version to another."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest
from django.test import Client

from tests.conftest import Cast
from tests.core.cases.test_change_pages import filled, permit, publish, with_fire  # noqa: F401
from tests.core.cases.test_migrating import applied, body, drafted
from tests.core.cases.test_operators import accepted, do, permit_kind, sent_back
from tests.core.cases.test_pages import signed_in
from yunhe.core.cases import api
from yunhe.core.cases.api.moving import Change
from yunhe.core.cases.errors import MigrationRefused
from yunhe.core.cases.models import CaseRecord, EventRecord, MigrationRecord
from yunhe.core.cases.types import OPINION, WENT_ON, Case, Migration
from yunhe.kernel.actor import job_actor
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
Permit = Callable[[], Case]


def planned(cast: Cast) -> Migration:
    return api.plan_migration(kind="permit", actor=cast.data_admin.actor)


def back_from(done: Migration, cast: Cast) -> Migration:
    return api.undo_plan(migration_id=done.migration_id, actor=cast.data_admin.actor)


def stands(case: Case) -> tuple[int, str, list[tuple[str, str]]]:
    """Return where a case stands: its version, its phase, what is open for whom."""
    row = CaseRecord.objects.select_related("kind").get(pk=case.case_id)
    opened = row.obligations.filter(state="open").order_by("name", "organization").values_list("name", "organization")
    return row.kind.number, row.phase, list(opened)


def written(plan: Migration, **told: Any) -> dict[str, Any]:
    given = {"kind": plan.kind, "from": plan.source_number, "to": plan.target_number, "moves": asdict(plan)["moves"], "undoes": plan.undoes}
    return json.loads(json.dumps({**given, **told}))  # type: ignore[no-any-return]


def test_a_change_from_a_version_to_itself_is_refused(permit: Permit, cast: Cast) -> None:  # noqa: F811
    permit()
    publish(title="第二版")
    plan = planned(cast)
    with pytest.raises(MigrationRefused) as caught:
        api.read_plan(told=written(plan, to=1), actor=cast.data_admin.actor)
    assert "已经在第 1 版上" in caught.value.say("zh") and "on version 1 already" in caught.value.say("en")
    with pytest.raises(MigrationRefused):
        drafted(cast, replace(plan, target_number=1))
    with pytest.raises(MigrationRefused):
        api.plan_migration(kind="permit", source_number=2, actor=cast.data_admin.actor)
    page = signed_in(cast.data_admin).get("/changes/new/permit/?from=2")
    assert page.status_code == 422 and "已经在第 2 版上" in page.content.decode()


def test_a_change_of_before_that_leads_nowhere_moves_nothing(permit: Permit, cast: Cast) -> None:  # noqa: F811
    permit()
    publish(title="第二版")
    draft = drafted(cast, planned(cast))
    MigrationRecord.objects.update(target=MigrationRecord.objects.get().source)
    api.approve_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)
    with pytest.raises(MigrationRefused):
        api.apply_migration(migration_id=draft.migration_id, actor=cast.data_admin.actor)
    assert not EventRecord.objects.filter(action="migrate").exists()


def test_what_is_acted_on_all_the_time_does_not_hold_a_change_for_ever(
    permit: Permit, cast: Cast, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:
    permit()
    publish(title="第二版")
    draft = drafted(cast, planned(cast))
    api.approve_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)
    with monkeypatch.context() as patched:
        patched.setattr("yunhe.core.cases.api.migrating.move_cases", lambda change, ids: 0)
        with pytest.raises(MigrationRefused) as caught:
            api.apply_migration(migration_id=draft.migration_id, actor=cast.data_admin.actor)
    assert "有 1 件一直有人在办理" in caught.value.say("zh")
    assert api.apply_migration(migration_id=draft.migration_id, actor=cast.data_admin.actor).moved == 1


def test_what_the_change_never_moved_stays_where_it_is(permit: Permit, cast: Cast) -> None:  # noqa: F811
    old = permit()
    publish(title="第二版")
    done = applied(cast, planned(cast))
    fresh = permit()
    back = back_from(done, cast)
    assert [(move.phase, move.cases) for move in back.moves] == [("intake", 1)]
    assert applied(cast, back).moved == 1
    assert (stands(old)[0], stands(fresh)[0]) == (1, 2)


def test_each_goes_back_to_where_it_stood(permit: Permit, cast: Cast) -> None:  # noqa: F811
    intake, reviewed = permit(), accepted(permit(), cast)
    half = do(accepted(permit(), cast), "agree", cast.leader)
    before = [stands(case) for case in (intake, reviewed, half)]
    publish(**with_fire())
    plan = planned(cast)
    into = {"intake": {"to_phase": "review", "renames": {"accept": "fire"}}, "review": {"renames": {}, "cancel": (("opinion", ""),), "add": (("fire", ""),)}}
    done = applied(cast, replace(plan, moves=tuple(replace(move, **into[move.phase]) for move in plan.moves)))
    assert done.moved == 3
    fire = [("fire", cast.owner.code)]
    assert [stands(case)[1:] for case in (intake, reviewed, half)] == [("review", fire)] * 3
    back = back_from(done, cast)
    assert len({(move.phase, move.obligations) for move in back.moves}) == 1 and len(back.moves) == 3
    assert api.try_plan(plan=back, actor=cast.data_admin.actor).is_sound
    assert applied(cast, back).moved == 3
    assert [stands(case) for case in (intake, reviewed, half)] == before


def test_what_went_on_is_for_people_to_decide(permit: Permit, cast: Cast) -> None:  # noqa: F811
    waits, goes = permit(), permit()
    publish(title="第二版")
    done = applied(cast, planned(cast))
    goes = accepted(goes, cast)
    later = back_from(done, cast)
    assert {(move.phase, move.origin == WENT_ON, move.choice) for move in later.moves} == {("intake", False, "move"), ("review", True, "keep")}
    client: Client = signed_in(cast.data_admin)
    address = f"/changes/{done.migration_id}/back/"
    page = client.get(address).content.decode()
    assert "变更后又办理过" in page and "不会自动送回" in page and "变更前在“受理”" in page
    assert client.post(address, {**filled(page), "step": "draft", "reason": "退回"}).status_code == 302
    draft = MigrationRecord.objects.get(undoes=done.migration_id)
    accepted(waits, cast)  # goes on after the draft: nobody decided on it, it stays
    third = permit()
    api.approve_migration(migration_id=draft.pk, actor=cast.system_admin.actor)
    api.apply_migration(migration_id=draft.pk, actor=cast.data_admin.actor)
    assert [stands(case)[0] for case in (waits, goes, third)] == [2, 2, 2]


def test_what_another_change_moved_later_is_no_more_the_first_one_s(permit: Permit, cast: Cast) -> None:  # noqa: F811
    case = permit()
    publish(title="第二版")
    first = applied(cast, planned(cast))
    applied(cast, back_from(first, cast))
    second = applied(cast, planned(cast))
    assert back_from(first, cast).moves == ()
    assert [move.cases for move in back_from(second, cast).moves] == [1]
    assert stands(case)[0] == 2


def test_a_change_of_before_its_events_named_it_is_undone_too(
    permit: Permit, cast: Cast, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:
    permit()
    publish(title="第二版")
    with monkeypatch.context() as patched:
        patched.setattr(Change, "values", property(lambda change: {"reason": change.reason}))
        done = applied(cast, planned(cast))
    assert EventRecord.objects.get(action="migrate").values == {"reason": "增加会签单位"}
    assert [move.cases for move in back_from(done, cast).moves] == [1]


def test_a_case_that_was_sent_back_after_the_change_has_gone_on(permit: Permit, cast: Cast) -> None:  # noqa: F811
    case = do(do(accepted(permit(), cast), "agree", cast.leader), "agree", cast.data_admin)
    publish(**{**body(), "title": {"zh": "第二版", "en": "Second"}})
    done = applied(cast, planned(cast))
    sent_back(case, cast, "review")
    (move,) = back_from(done, cast).moves
    assert (move.phase, move.origin, move.choice) == ("review", WENT_ON, "keep")


@pytest.mark.parametrize(
    ("wrong", "zh", "en"),
    [
        ({"undoes": "bogus"}, "没有这样一项", "no change that led the other way"),
        ({"undoes": 5}, "undoes：应为文字", "undoes must be a text"),
        ({"moves": "abc"}, "moves：应为列表", "moves must be a list"),
        ({"moves": [1]}, "第 1 组：应为一组的内容", "group 1 must be a group"),
        ({"to": "two"}, "to：应为整数", "to must be a whole number"),
        ({"more": 1}, "more：没有这样的一项", "more is not known"),
        ({"moves": {"renames": ["a"]}}, "第 1 组（受理 + 受理） renames：应为名称对照", "group 1 (Intake + "),
        ({"moves": {"renames": {"accept": 5}}}, "renames.accept：应为文字", "renames.accept must be a text"),
        ({"moves": {"add": [["fire", 5]]}}, "add.1.2：应为文字", "add.1.2 must be a text"),
        ({"moves": {"add": [["fire"]]}}, "add.1.2：应为两项", "must be a pair"),
        ({"moves": {"cancel": [[5, 5]]}}, "cancel.1.1：应为文字；", "cancel.1.1 must be a text; "),
        ({"moves": {"cancel": ["ab"]}}, "cancel.1：应为两项", "must be a pair"),
        ({"moves": {"choice": "skip"}}, "choice：应为 move、keep 之一", "choice must be one of move, keep"),
        ({"moves": {"foo": 1}}, "foo：没有这样的一项", "foo is not known"),
        ({"moves": {"obligations": "accept"}}, "obligations：应为列表", "obligations must be a list"),
    ],
)
def test_what_is_wrong_with_a_plan_file_is_named(permit: Permit, cast: Cast, wrong: dict[str, Any], zh: str, en: str) -> None:  # noqa: F811
    permit()
    publish(title="第二版")
    told = written(planned(cast))
    moves = wrong.get("moves")
    given = {**told, **wrong} if not isinstance(moves, dict) else {**told, "moves": [{**told["moves"][0], **moves}]}
    with pytest.raises(MigrationRefused) as caught:
        api.read_plan(told=given, actor=cast.data_admin.actor)
    assert zh in caught.value.say("zh"), caught.value.say("zh")
    assert en in caught.value.say("en"), caught.value.say("en")
    assert caught.value.exit_code == 2 and "Move" not in caught.value.say("en")


def test_two_groups_of_a_plan_file_are_not_for_the_same_cases(permit: Permit, cast: Cast) -> None:  # noqa: F811
    permit()
    publish(title="第二版")
    told = written(planned(cast))
    with pytest.raises(MigrationRefused) as caught:
        api.read_plan(told={**told, "moves": told["moves"] * 2}, actor=cast.data_admin.actor)
    assert "第 2 组（受理 + 受理）与第 1 组是同一些办件" in caught.value.say("zh")


def asked(case: Case, cast: Cast) -> None:
    """Have whoever accepts it ask the leader's opinion."""
    (item,) = [one for one in api.access_case(case_id=case.case_id, actor=cast.steward.actor).obligations if one.state == "open"]
    api.add_reviewer(case_id=case.case_id, obligation_id=item.obligation_id, to=[cast.leader.username], reason="请看", actor=cast.steward.actor)


def test_an_opinion_that_the_change_cancelled_is_named_and_not_asked_again(permit: Permit, cast: Cast) -> None:  # noqa: F811
    with_one, without = permit(), permit()
    asked(with_one, cast)
    publish(title="第二版")
    plan = planned(cast)
    drop = tuple(replace(move, cancel=((OPINION, ""),)) if OPINION in move.obligations else move for move in plan.moves)
    done = applied(cast, replace(plan, moves=drop))
    back = back_from(done, cast)
    assert sorted((move.choice, move.left_out, move.cases) for move in back.moves) == [("move", (), 1), ("move", (OPINION,), 1)]
    page = signed_in(cast.data_admin).get(f"/changes/{done.migration_id}/back/").content.decode()
    assert page.count("变更取消的加签意见不会再问") == 1
    returned = applied(cast, api.read_plan(told=written(back), actor=cast.data_admin.actor))
    assert "变更取消的加签意见不会再问" in signed_in(cast.data_admin).get(f"/changes/{returned.migration_id}/").content.decode()
    assert returned.moved == 2 and [stands(case) for case in (with_one, without)] == [(1, "intake", [("accept", cast.owner.code)])] * 2
    asked(with_one, cast)  # whoever handles it may ask again


def with_sub_case() -> dict[str, Any]:
    """Return the permit with a sub-case in place of the departments' opinions."""
    told = body()
    told["obligations"]["opinion"] = {
        "title": "会签", "who": {"organization": "each", "each": "departments", "roles": ["data_leader", "data_admin"]}, "group": "opinions",
        "child": {"kind": "inner", "outcomes": ["fine"], "data": {"place": "data.place", "area": "data.area"}},
    }  # fmt: skip
    told["groups"] = {"opinions": {"rules": [{"when": "open_count = 0", "effects": [{"go_to_phase": "decision"}, {"open_obligation": "decide"}]}]}}
    return told


def test_a_sub_case_that_the_change_cancelled_ended_and_its_case_is_proposed_to_stay(permit: Permit, cast: Cast) -> None:  # noqa: F811
    base = body()
    inner = permit_kind(code="inner", prefix="ZB", groups={}, obligations={
        "answer": {"title": "答复", "who": {"organization": "owner", "roles": ["data_leader", "data_admin"]}, "actions": {
            "ok": {"title": "好", "outcome": "fine", "effects": [{"close_case": "fine"}]},
        }},
    }, start=[{"open_obligation": "answer"}], fields=base["fields"][:2], phases=base["phases"][:1], withdraw=None, limits=[])  # fmt: skip
    api.publish_kind(spec=inner, source="tests", actor=job_actor("tests"))
    publish(**with_sub_case())
    waits, intake = accepted(permit(), cast), permit()
    children = CaseRecord.objects.filter(parent_id=waits.case_id)
    assert set(children.values_list("state", flat=True)) == {"open"}
    publish(title="第三版")
    plan = api.plan_migration(kind="permit", source_number=2, actor=cast.data_admin.actor)
    gone = tuple(
        replace(move, to_phase="decision", renames={}, cancel=(("opinion", ""),), add=(("decide", ""),)) if "opinion" in move.obligations else move
        for move in plan.moves
    )
    tried = api.try_plan(plan=replace(plan, moves=gone), actor=cast.data_admin.actor)
    assert tried.is_sound and set(children.values_list("state", flat=True)) == {"open"}  # the dry run keeps nothing
    done = applied(cast, replace(plan, moves=gone))
    assert set(children.values_list("state", "outcome")) == {("closed", "cancelled")}
    back = back_from(done, cast)
    found = {move.to_phase: (move.choice, move.left_out) for move in back.moves}
    assert found == {"intake": ("move", ()), "review": ("keep", ("opinion", "opinion"))}
    page = signed_in(cast.data_admin).get(f"/changes/{done.migration_id}/back/").content.decode()
    assert "子办件“会签”已随变更撤销" in page
    assert applied(cast, back).moved == 1
    assert (stands(intake)[0], stands(waits)[0], stands(waits)[1]) == (2, 3, "decision")


def test_finished_work_is_called_by_the_version_by_which_it_was_done(permit: Permit, cast: Cast) -> None:  # noqa: F811
    case = accepted(permit(), cast)
    told = body()
    told["obligations"]["receive"] = {**told["obligations"].pop("accept"), "title": "收件"}
    publish(**json.loads(json.dumps(told).replace('"open_obligation": "accept"', '"open_obligation": "receive"')))
    applied(cast, planned(cast))
    wanted = PageRequest(filters={"measure": "done_30"})
    items = api.list_team_work(organization=cast.owner.code, request=wanted, actor=cast.leader.actor).items
    assert [one.title["zh"] for one in items if one.case_id == case.case_id] == ["受理"]
