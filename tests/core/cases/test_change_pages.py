"""The change procedure on its pages: planned by position, refused where it strands, two persons, a job, the way back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.test import Client

from tests.conftest import Cast
from tests.core.cases.test_migrating import body, check_all
from tests.core.cases.test_operators import accepted, do, permit_kind
from tests.core.cases.test_pages import signed_in
from yunhe.core.cases import api
from yunhe.core.cases.errors import MigrationRefused
from yunhe.core.cases.forms.changes import key_of
from yunhe.core.cases.models import CaseRecord, MigrationRecord
from yunhe.core.cases.types import Case, KindSpec, Migration, Move
from yunhe.core.jobs import api as jobs
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import FrozenClock
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
PLAN = "/changes/new/permit/?from=1"
FIRE = {"title": "消防核查", "who": {"organization": "owner", "roles": ["data_steward"]}, "group": "opinions"}


@pytest.fixture
def permit(clock: FrozenClock, cast: Cast, calendar: None, founder: Actor) -> Iterator[Callable[[], Case]]:
    api.publish_kind(spec=permit_kind(), source="tests", actor=founder)

    def open_permit() -> Case:
        data = {"place": "解放路 1 号", "area": 20}
        return api.open_case(kind="permit", title="一件许可", data=data, actor=cast.clerk.actor, owner=cast.owner.code)

    yield open_permit
    check_all(cast)


def publish(**changes: Any) -> None:
    api.publish_kind(spec=permit_kind(**changes), source="tests", actor=job_actor("tests"))


def with_fire() -> dict[str, Any]:
    told = body()
    told["obligations"]["fire"] = {**FIRE, "actions": {"agree": {"title": "合格", "outcome": "agreed"}}}
    told["obligations"]["accept"]["actions"]["accept"]["effects"].append({"open_obligation": "fire"})
    return told


def planned(cast: Cast) -> Migration:
    return api.plan_migration(kind="permit", actor=cast.data_admin.actor)


def filled(html: str) -> dict[str, str]:
    """Return what the plan's form holds as it is shown, as a browser would post it."""
    form = html[html.index('id="plan"') :]
    found = dict(re.findall(r'<select name="([^"]+)"[^>]*>.*?<option value="([^"]*)" selected>', form, re.DOTALL))
    found |= {name: "" for name in re.findall(r'<select name="([^"]+)"', form) if name not in found}
    chosen = re.findall(r'<input type="radio" name="([^"]+)" value="(\w+)"[^>]*checked', form)
    return {**found, **dict(chosen)}


def posted(client: Client, step: str, address: str = PLAN, **changes: str) -> Any:
    told = filled(client.get(address).content.decode())
    return client.post(address, {**told, **changes, "step": step})


def test_a_department_joins_by_the_page_and_the_cases_wait_for_it(permit: Any, cast: Cast) -> None:
    cases = [accepted(permit(), cast) for _ in range(3)]
    do(cases[0], "agree", cast.leader)
    permit()
    publish(**with_fire())
    client = signed_in(cast.data_admin)
    assert "拟定变更" in client.get("/changes/").content.decode()
    page = client.get(PLAN).content.decode()
    assert "消防核查" in page and "审查 + 会签 ×2" in page and "将移动 <b" in page
    whole = {"all-review-add": "opinion", "all-review-organization": cast.other.code}
    checked = posted(client, "check", **whole)
    text = checked.content.decode()
    assert checked.status_code == 200 and "增开“会签：市人社局”" in text and not MigrationRecord.objects.exists()
    assert client.post(PLAN, {**filled(text), "step": "draft", "reason": ""}).status_code == 422
    drafted = client.post(PLAN, {**filled(text), "step": "draft", "reason": "卫健部门参加"})
    address = drafted["Location"]
    assert drafted.status_code == 302
    own = client.get(address).content.decode()
    assert "起草人不能批准" in own and "approve/" not in own
    assert client.post(f"{address}approve/").status_code == 422
    second = signed_in(cast.system_admin)
    assert "等第二人批准" in second.get("/").content.decode()
    assert "卫健部门参加" in second.get(f"{address}approve/").content.decode()
    assert second.post(f"{address}apply/").status_code == 422
    assert second.post(f"{address}approve/").status_code == 302
    assert second.post(f"{address}apply/").status_code == 302
    assert "停下" in second.get(address).content.decode()
    assert f'hx-get="{address}progress/"' in second.get(f"{address}progress/").content.decode()
    jobs.run_pending()
    assert second.get(f"{address}progress/").status_code == 204
    done = client.get(address).content.decode()
    assert "已完成" in done and "返回旧流程" in done
    assert set(CaseRecord.objects.values_list("kind__number", flat=True)) == {2}
    case = do(cases[0], "agree", cast.data_admin)
    assert (case.phase, case.data["departments"][-1]) == ("review", cast.other.code)


def test_what_is_in_the_way_is_said_at_its_group(permit: Any, cast: Cast) -> None:
    accepted(permit(), cast)
    publish(**with_fire())
    client = signed_in(cast.data_admin)
    (move,) = planned(cast).moves
    key = key_of(move)
    refused = posted(client, "draft", reason="试试", **{f"{key}-add_0": "opinion"})
    group = refused.content.decode().partition(f'aria-labelledby="{key}-title"')[2].partition("</fieldset>")[0]
    assert refused.status_code == 422 and "须写明单位" in group
    assert "移动后没有任何待办" in posted(client, "check", **{f"{key}-as_0": ""}).content.decode()
    assert posted(client, "check", **{f"{key}-phase": "nowhere"}).status_code == 200
    strange = replace(move, add=(("opinion", "113299000032990000"),))
    with pytest.raises(MigrationRefused):
        api.draft_migration(plan=replace(planned(cast), moves=(strange,)), reason="没有这个单位", actor=cast.data_admin.actor)
    assert not MigrationRecord.objects.exists()


def test_the_trial_run_stands_with_the_plan_and_with_the_change(permit: Any, cast: Cast) -> None:
    case = accepted(permit(), cast)
    told = with_fire()
    told["obligations"]["opinion"]["limits"] = [{"amount": 12, "unit": "workdays", "basis": "新规"}]
    publish(**told)
    client = signed_in(cast.data_admin)
    (move,) = planned(cast).moves
    assert "trial-title" not in client.get(PLAN).content.decode()  # nothing is moved where it was not asked for
    told = {f"{key_of(move)}-limits": "recount", f"{key_of(move)}-add_0": "fire"}
    text = posted(client, "check", **told).content.decode()
    for said in ("已在 1 件中的 1 件上真实移动一遍", case.number, "开启待办 1 项；2 项改变截止时间", "按新时限从原起点重新计算", "轮到"):
        assert said in text, said
    drafted = client.post(PLAN, {**filled(text), "step": "draft", "reason": "延长会签"})
    second = signed_in(cast.system_admin)
    assert ">试算</h2>" in second.get(drafted["Location"]).content.decode()
    english = second.get(drafted["Location"], headers={"accept-language": "en"}).content.decode()
    assert ">Dry run</h2>" in english and "Trial run" not in english and "Count limits anew from their own start" in english
    assert CaseRecord.objects.get().kind.number == 1 and not CaseRecord.objects.filter(events__action="migrate").exists()


def test_a_title_that_differs_in_one_language_only_is_told_in_every_language(permit: Any, cast: Cast) -> None:
    permit()
    old = permit_kind().title.as_mapping()
    publish(title={"zh": "施工许可（新版）", "en": old["en"]})
    client = signed_in(cast.data_admin)
    assert f"名称：{old['zh']} → 施工许可（新版）" in client.get(PLAN).content.decode()
    english = client.get(PLAN, headers={"accept-language": "en"}).content.decode()
    assert f"Name (Chinese): {old['zh']} → 施工许可（新版）" in english
    publish(title={"zh": old["zh"], "en": "Permit, new"})
    assert f"名称（英文）：{old['en']} → Permit, new" in client.get(PLAN).content.decode()


def test_a_group_that_came_up_meanwhile_is_shown_before_anything_is_drafted(permit: Any, cast: Cast) -> None:
    first = permit()
    permit()
    publish(title="第二版")
    client = signed_in(cast.data_admin)
    told = filled(client.get(PLAN).content.decode())
    accepted(first, cast)
    held = client.post(PLAN, {**told, "step": "draft", "reason": "改名"})
    assert held.status_code == 422 and "才出现的" in held.content.decode()
    again = client.post(PLAN, {**filled(held.content.decode()), "step": "draft", "reason": "改名"})
    assert again.status_code == 302


def test_what_comes_to_another_position_of_the_phase_moves_alike(permit: Any, cast: Cast) -> None:
    case, late = accepted(permit(), cast), accepted(permit(), cast)
    publish(title="第二版")
    add = (("opinion", cast.other.code),)
    plan = planned(cast)
    draft = api.draft_migration(
        plan=replace(plan, moves=tuple(replace(m, add=add) for m in plan.moves)), reason="加一家", actor=cast.data_admin.actor
    )
    do(late, "agree", cast.leader)  # one opinion is open now: the plan knows only two
    api.approve_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)
    assert api.apply_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor).moved == 2
    for one in (case, late):
        found = api.access_case(case_id=one.case_id, actor=job_actor("tests")).obligations
        assert [o.organization for o in found if o.state == "open"].count(cast.other.code) == 1


def test_who_owes_it_already_is_not_asked_twice_and_the_way_back_takes_it_off_the_list(permit: Any, cast: Cast, founder: Actor) -> None:
    organizations.add_membership(username=cast.clerk.username, organization=cast.other.code, role="data_leader", actor=founder)
    case = do(permit(), "accept", cast.steward, departments=[cast.owner.code, cast.other.code])
    other = accepted(permit(), cast)
    publish(title="第二版")
    plan = planned(cast)
    draft = api.draft_migration(
        plan=replace(plan, moves=tuple(replace(m, add=(("opinion", cast.other.code),)) for m in plan.moves)),
        reason="加一家", actor=cast.data_admin.actor,
    )  # fmt: skip
    api.approve_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)
    api.apply_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)
    open_now = {c.case_id: [o for o in api.access_case(case_id=c.case_id, actor=job_actor("t")).obligations if o.state == "open"] for c in (case, other)}
    assert [len(open_now[c.case_id]) for c in (case, other)] == [2, 3]
    client = signed_in(cast.data_admin)
    address = f"/changes/{draft.migration_id}/back/"
    back = posted(client, "draft", address, reason="改回去")
    assert back.status_code == 302, back.content.decode()
    (undo,) = MigrationRecord.objects.exclude(pk=draft.migration_id)
    assert undo.undoes_id == draft.migration_id
    assert "返回旧流程的变更" in client.get(f"/changes/{draft.migration_id}/").content.decode()
    api.approve_migration(migration_id=undo.pk, actor=cast.system_admin.actor)
    api.apply_migration(migration_id=undo.pk, actor=cast.system_admin.actor)
    assert cast.other.code not in api.get_case(case_id=other.case_id).data["departments"]


def test_it_stops_between_two_batches_and_goes_on(permit: Any, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from yunhe.core.cases.api import pacing

    for _ in range(3):
        permit()
    publish(title="第二版")
    draft = api.draft_migration(plan=planned(cast), reason="改名", actor=cast.data_admin.actor)
    api.approve_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)
    monkeypatch.setattr(pacing, "MOST", 1)

    class Stopped(Exception):
        pass

    def stop(done: int, total: int) -> None:
        if done == 2:
            raise Stopped

    with pytest.raises(Stopped):
        api.apply_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor, progress=stop)
    client = signed_in(cast.data_admin)
    page = client.get(f"/changes/{draft.migration_id}/").content.decode()
    assert "继续执行" in page and ">2</b>" in page
    client.post(f"/changes/{draft.migration_id}/apply/")
    client.post(f"/changes/{draft.migration_id}/stop/")
    assert [job.state for job in jobs.list_jobs(request=PageRequest(filters={"key": draft.migration_id}), actor=cast.data_admin.actor).items] == ["cancelled"]
    client.post(f"/changes/{draft.migration_id}/apply/")
    jobs.run_pending()
    found = api.get_migration(migration_id=draft.migration_id, actor=cast.data_admin.actor)
    assert (found.state, found.moved) == ("done", 3)


def test_a_case_acted_on_while_the_job_runs_is_found_again(permit: Any, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from yunhe.core.cases.api import pacing

    cases = [accepted(permit(), cast) for _ in range(3)]
    publish(title="第二版")
    draft = api.draft_migration(plan=planned(cast), reason="改名", actor=cast.data_admin.actor)
    api.approve_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)
    monkeypatch.setattr(pacing, "MOST", 1)
    acted: list[str] = []

    def act(done: int, total: int) -> None:
        if not acted:
            acted.extend(do(case, "agree", cast.leader).case_id for case in cases)

    assert api.apply_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor, progress=act).moved == 3
    assert len(acted) == 3 and set(CaseRecord.objects.values_list("kind__number", flat=True)) == {2}


def test_a_change_taken_back_while_it_runs_moves_no_further(permit: Any, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from yunhe.core.cases.api import pacing

    for _ in range(3):
        permit()
    publish(title="第二版")
    draft = api.draft_migration(plan=planned(cast), reason="改名", actor=cast.data_admin.actor)
    api.approve_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)
    monkeypatch.setattr(pacing, "MOST", 1)

    def withdraw(done: int, total: int) -> None:
        if done == 1:
            api.withdraw_migration(migration_id=draft.migration_id, actor=cast.data_admin.actor)

    with pytest.raises(MigrationRefused):
        api.apply_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor, progress=withdraw)
    found = api.get_migration(migration_id=draft.migration_id, actor=cast.data_admin.actor)
    assert (found.state, found.moved, CaseRecord.objects.filter(kind__number=2).count()) == ("withdrawn", 1, 1)


def test_a_change_taken_back_moves_nothing(permit: Any, cast: Cast) -> None:
    permit()
    publish(title="第二版")
    draft = api.draft_migration(plan=planned(cast), reason="改名", actor=cast.data_admin.actor)
    client = signed_in(cast.system_admin)
    assert "撤回后不能再执行" in client.get(f"/changes/{draft.migration_id}/withdraw/").content.decode()
    assert client.post(f"/changes/{draft.migration_id}/withdraw/").status_code == 302
    assert client.post(f"/changes/{draft.migration_id}/approve/").status_code == 422
    assert set(CaseRecord.objects.values_list("kind__number", flat=True)) == {1}
    assert api.count_approvals(actor=cast.system_admin.actor) == 0


def test_the_list_filters_searches_and_exports_and_needs_the_right(permit: Any, cast: Cast) -> None:
    assert "没有：所有在办办件" in signed_in(cast.system_admin).get("/changes/").content.decode()
    permit()
    publish(title="第二版")
    draft = api.draft_migration(plan=planned(cast), reason="改名", actor=cast.data_admin.actor)
    client = signed_in(cast.data_admin)
    for query, there in (("?q=改名", True), ("?q=无此", False), ("?state=drafted", True), ("?state=done", False), ("?kind=permit", True)):
        assert (draft.migration_id in client.get(f"/changes/{query}").content.decode()) is there, query
    assert "第二版" in client.get("/changes/?export=csv").content.decode()
    stranger = signed_in(cast.leader)
    for address in ("", "new/permit/", f"{draft.migration_id}/", f"{draft.migration_id}/apply/", f"{draft.migration_id}/back/"):
        assert stranger.get(f"/changes/{address}").status_code == 403
    assert client.get("/changes/01NOTHING/").status_code == 404
    assert client.get("/changes/new/nothing/").status_code == 404


def test_a_group_opens_to_its_cases(permit: Any, cast: Cast) -> None:
    first, second, third = accepted(permit(), cast), accepted(permit(), cast), permit()
    do(first, "agree", cast.leader)
    client = signed_in(cast.data_admin)

    def listed(**wanted: str) -> set[str]:
        text = client.get("/inbox/cases/", {"kind": "permit", "version": "1", "phase": "review", **wanted}).content.decode()
        return {case.number for case in (first, second, third) if case.number in text}

    assert listed(open="opinion") == {first.number}
    assert listed(open="opinion,opinion") == {second.number}
    assert listed(open="-") == listed(open="opinion", version="2") == listed(open='a";b', version="x") == set()
    assert listed(open="accept", phase="intake") == {third.number}
    place = {"kind": "permit", "version": "1", "phase": "review", "open": "opinion,opinion"}
    assert "只看：第 1 版，审查 + 会签 ×2" in client.get("/inbox/cases/", place).content.decode()
    assert client.get("/inbox/cases/", {**place, "kind": "nothing"}).status_code == 200


def test_moves_of_a_phase_that_differ_say_nothing_of_what_comes_up_there() -> None:
    from yunhe.core.cases.rules.migrating import ELSEWHERE, complete, find_move

    one = Move("review", ("a",), "move", "review", {"a": "a"})
    two = Move("review", ("a", "a"), "move", "review", {"a": "b"})
    assert complete((one, two)) == (one, two)
    (*_both, rest) = complete((one, replace(two, renames={"a": "a"}, add=())))
    assert (rest.obligations, rest.renames) == (ELSEWHERE, {"a": "a"})
    known = {(m.phase, m.obligations, ""): m for m in (one, rest)}
    found = find_move(known, ("review", ("a", "a", "a"), ""))
    assert found is not None and found.obligations == ("a", "a", "a")
    assert find_move(known, ("intake", (), "")) is None


def test_a_group_between_two_periods_says_what_is_missing_and_under_which_name_it_goes_on(
    clock: FrozenClock, cast: Cast, calendar: None, founder: Actor
) -> None:
    end, report = {"title": "办结", "outcome": "ended", "effects": [{"close_case": "ended"}]}, {"title": "报送", "outcome": "reported"}

    def publish_report(name: str, title: str, recurs: dict[str, str] | None) -> None:
        actions = {"end": end, **({"report": report} if recurs else {})}
        told = {"title": title, "who": {"organization": "owner", "roles": ["data_leader"]}, "recurs": recurs, "actions": actions}
        kind = {"code": "report", "title": "月报件", "prefix": "YB", "opens": {"permission": "cases.act", "over": "applicant"}}
        kind |= {"phases": [{"code": "runs", "title": "报送期"}], "start": [{"open_obligation": name}], "obligations": {name: told}}
        api.publish_kind(spec=KindSpec.model_validate(kind), source="tests", actor=founder)

    address = "/changes/new/report/?from=1"
    publish_report("send", "报月报", {"every": "month"})
    case = api.open_case(kind="report", title="一件", data={}, actor=cast.clerk.actor, owner=cast.owner.code)
    do(case, "report", cast.leader)
    publish_report("finish", "写总结", None)
    client = signed_in(cast.data_admin)
    text = posted(client, "check", address).content.decode()
    assert "报送期 + 无待办" in text and "“报月报”的下一期对应" in text and "在等“报月报”的下一期" in text and "请增开一项" in text
    form = filled(text)
    add = next(name for name in form if name.endswith("-add_0"))
    assert "在等“报月报”的下一期" not in client.post(address, {**form, add: "finish", "step": "check"}).content.decode()
    publish_report("deliver", "送月报", {"every": "month"})
    held = next(name for name in form if name.endswith("-as_0"))
    text = posted(client, "check", address, **{held: "deliver"}).content.decode()
    assert "“报月报”改为“送月报”" in text and "在等“报月报”的下一期" not in text
