"""Work on cases at the command line: taking a request back, saved filters, several cases at once, handing over."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Cast, Member
from tests.core.cases.kinds import SIMPLE, simple_kind
from yunhe.cli.main import main
from yunhe.core.cases import api
from yunhe.core.cases.errors import CannotOperate
from yunhe.core.cases.models import CaseRecord
from yunhe.core.cases.types import Case, KindSpec
from yunhe.core.organizations.models import Role
from yunhe.core.packs import api as packs
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import local
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
Run = Callable[..., tuple[int, Any]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.setattr("yunhe.cli.main._start_django", lambda command: None)  # it is set up already

    def as_member(member: Member, *words: str) -> tuple[int, Any]:
        code = main([*words, "--json", "--as", f"{member.username}@{member.actor.organization}"])
        said = capsys.readouterr()
        return code, json.loads(said.out) if said.out else said.err

    return as_member


@pytest.fixture
def note(cast: Cast, founder: Actor) -> Callable[..., Case]:
    api.publish_kind(spec=simple_kind(by_form=True), source="tests", actor=founder)

    def opened(title: str = "请示一件", **data: Any) -> Case:
        told = {"amount": 1, "items": ["a"], **data}
        return api.open_case(kind="leave_note", title=title, data=told, actor=cast.clerk.actor, owner=cast.owner.code)

    return opened


def test_a_request_is_taken_back(note: Any, cast: Cast, run: Run) -> None:
    case = note()
    words = ("case", "do", case.number, "withdraw", "--data", '{"reason": "填错了"}')
    assert run(cast.leader, *words)[0] != 0
    assert run(cast.clerk, *words) == (0, {"case": case.case_id, "number": case.number, "phase": "answering", "state": "closed", "version": 2})
    code, shown = run(cast.clerk, "case", "show", case.number)
    assert (code, shown["case"]["outcome"], shown["operators"]) == (0, "withdrawn", [])


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Return what a person reads of a command, in Chinese unless told otherwise."""
    monkeypatch.setattr("yunhe.cli.main._start_django", lambda command: None)

    def as_member(member: Member, *words: str, language: str = "zh_CN.UTF-8") -> str:
        monkeypatch.setenv("LANG", language)
        monkeypatch.delenv("LC_ALL", raising=False)
        assert main([*words, "--as", f"{member.username}@{member.actor.organization}"]) == 0
        return capsys.readouterr().out

    return as_member


def test_a_case_is_shown_with_who_owes_what_by_when(note: Any, cast: Cast, said: Callable[..., str], run: Run) -> None:
    Role.objects.filter(code="data_steward").update(title_zh="数据专员")
    case = note()
    (owed,) = api.access_case(case_id=case.case_id, actor=cast.steward.actor).obligations
    assert owed.due and owed.due.at
    due = f"{local(owed.due.at):%Y-%m-%d %H:%M}"
    shown = said(cast.steward, "case", "show", case.number)
    assert f"{owed.organization_name} " in shown and "数据专员" in shown and owed.title["zh"] in shown and case.phase_title["zh"] in shown
    assert due in shown and owed.due.basis in shown and f"{local(case.opened_at):%Y-%m-%d %H:%M}" in shown
    assert "+00:00" not in shown and "办理中" in shown
    api.suspend(case_id=case.case_id, basis="法定情形", reason="等补正", actor=cast.leader.actor)
    still = said(cast.steward, "case", "show", case.number)
    assert "暂停：法定情形" in still and due not in still and "已中止" in still
    assert "paused since" in said(cast.steward, "case", "show", case.number, language="en_US.UTF-8")
    told = run(cast.steward, "case", "show", case.number)[1]
    assert datetime.fromisoformat(told["case"]["opened_at"]) == case.opened_at and "T" in told["case"]["opened_at"]


def test_what_was_done_is_answered_in_words(note: Any, cast: Cast, said: Callable[..., str]) -> None:
    for language, state in (("zh_CN.UTF-8", "办理中"), ("en_US.UTF-8", "open")):
        case = note()
        words = ("case", "do", case.number, "remind", "--data", '{"reason": "请尽快"}')
        assert said(cast.clerk, *words, language=language).split() == [case.number, "办理", "·", state]


def test_lists_are_narrowed_and_paged_and_what_is_closed_is_not_due(note: Any, cast: Cast, said: Callable[..., str]) -> None:
    first, _second, third = note("办公用房"), note("公务用车"), note("办公用品")
    api.withdraw(case_id=first.case_id, reason="填错了", actor=cast.clerk.actor)
    assert "未超期，止于" in said(cast.leader, "case", "show", first.number)
    listed = said(cast.leader, "case", "list", "--search", "办公", "--kind", "leave_note", "--size", "1", "--page", "2")
    assert "1 / 2（第 2 页，共 2 页）" in listed and first.number in listed and third.number not in listed
    assert "已撤回" in listed and not re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d", listed)
    assert "0 / 0 (page 1 of 1)" in said(cast.leader, "case", "list", "--search", "none", language="en_US.UTF-8")
    for wrong in ("0", "-1", "x", "９", "501"):
        assert main(["case", "list", f"--size={wrong}"]) == 2
    waiting = said(cast.leader, "case", "inbox", "--search", "用品")
    assert third.number in waiting and "1 / 1（第 1 页，共 1 页）" in waiting and "+00:00" not in waiting
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d", waiting)


def test_a_filter_is_saved_listed_used_and_deleted(note: Any, cast: Cast, run: Run) -> None:
    first, _second = note("办公用房"), note("公务用车")
    for page in ("inbox", "list"):
        code, saved = run(cast.leader, "case", "filter", "save", "用房", "--page", page, "--query", '{"kind": "leave_note", "q": "用房"}')
        assert (code, saved["filter"]["count"]) == (0, 1)
    code, listed = run(cast.leader, "case", "filter", "list")
    assert [(one["page"], one["name"], one["count"]) for one in listed["filters"]] == [("inbox", "用房", 1), ("list", "用房", 1)]
    assert [one["number"] for one in run(cast.leader, "case", "inbox", "--filter", "用房")[1]["waiting"]] == [first.number]
    assert [one["number"] for one in run(cast.leader, "case", "list", "--filter", "用房")[1]["cases"]] == [first.number]
    assert run(cast.leader, "case", "list")[1]["total"] == 2
    assert run(cast.steward, "case", "filter", "list") == (0, {"filters": []})  # each has their own
    assert run(cast.leader, "case", "filter", "delete", "用房", "--page", "list") == (0, {"deleted": "用房", "page": "list"})
    assert run(cast.leader, "case", "list", "--filter", "用房")[0] != 0
    code, said = run(cast.leader, "case", "filter", "save", "坏", "--query", '{"phase": "x"}')
    assert code != 0 and "bad_filter_query" in said and "kind, due, q, sort" in said


def test_json_tells_what_the_page_shows(cast: Cast, founder: Actor, run: Run) -> None:
    fields = [*SIMPLE["fields"], {"name": "secret", "title": "内部", "internal": True, "shown": False}]
    api.publish_kind(spec=simple_kind(fields=fields), source="tests", actor=founder)
    case = api.open_case(kind="leave_note", title="一件", data={"amount": 1, "items": []}, actor=cast.clerk.actor, owner=cast.owner.code)
    CaseRecord.objects.filter(pk=case.case_id).update(data={**case.data, "secret": "zqbirdqz"})
    code, shown = run(cast.leader, "case", "show", case.number)
    assert code == 0 and shown["case"]["data"]["amount"] == 1 and "zqbirdqz" not in json.dumps(shown)
    code, listed = run(cast.leader, "case", "list")
    assert code == 0 and listed["cases"][0]["number"] == case.number and "zqbirdqz" not in json.dumps(listed)


def test_several_cases_at_once_and_each_says_what_became_of_it(note: Any, cast: Cast, run: Run) -> None:
    first, second, third = note(), note(), note()
    api.act(case_id=second.case_id, action="agree", data={"text": "可以"}, actor=cast.steward.actor)
    words = ("case", "bulk", "act", "agree", first.number, second.number, "QS20000101-00001", first.number, "--data", '{"text": "可以"}')
    code, told = run(cast.leader, *words)
    assert (code, told["done"], told["refused"]) == (1, 1, 2)
    assert [(one["number"], one["done"]) for one in told["outcomes"]] == [
        (first.number, True), (second.number, False), ("QS20000101-00001", False),
    ]  # fmt: skip
    assert all(one["refusal"]["en"] for one in told["outcomes"][1:])
    assert run(cast.leader, "case", "bulk", "act", "agree", third.number, "--data", '{"text": "可以"}')[0] == 0
    assert api.get_case(case_id=third.case_id).outcome == "agreed"


def test_several_are_handed_on_reminded_and_handed_over(note: Any, cast: Cast, run: Run) -> None:
    first, second = note(), note()
    numbers = (first.number, second.number)
    code, told = run(cast.leader, "case", "bulk", "hand-on", *numbers, "--to", "steward", "--reason", "请办")
    assert (code, told["done"]) == (0, 2)
    assert run(cast.clerk, "case", "bulk", "remind", *numbers, "--reason", "请尽快")[0] == 0
    code, told = run(cast.clerk, "case", "bulk", "remind", *numbers, "--reason", "又来")  # once an hour
    assert (code, told["refused"]) == (1, 2)
    assert run(cast.steward, "case", "hand-over", "steward", "--reason", "调离")[0] != 0  # for who supervises
    code, told = run(cast.leader, "case", "hand-over", "steward", "--reason", "调离", "--to", "leader")
    assert (code, sorted(one["number"] for one in told["outcomes"])) == (0, sorted(numbers))
    assert api.list_waiting(request=PageRequest(), actor=cast.steward.actor).total == 0
    code, told = run(cast.leader, "case", "hand-over", "steward", "--reason", "调离")
    assert code == 2 and "nothing was given to" in told


def test_a_change_is_tried_before_it_is_drafted_and_before_it_is_approved(
    note: Any, cast: Cast, founder: Actor, run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case, plan = note(), str(tmp_path / "plan.json")
    told = simple_kind(by_form=True).model_dump(mode="json")
    told["obligations"]["answer"]["limits"] = [{"amount": 10, "unit": "workdays", "basis": "新规"}]
    api.publish_kind(spec=KindSpec.model_validate(told), source="tests", actor=founder)
    assert run(cast.data_admin, "case", "migrate", "plan", "leave_note", "--out", plan)[0] == 0
    written = json.loads(Path(plan).read_text("utf-8"))
    assert [move["limits"] for move in written["moves"]] == ["keep"]
    written["moves"][0]["limits"] = "recount"
    Path(plan).write_text(json.dumps(written), "utf-8")
    code, tried = run(cast.data_admin, "case", "migrate", "draft", plan, "--dry-run")
    assert (code, tried["moved"], tried["tried"], tried["problems"]) == (0, 1, 1, [])
    (line, _whole) = tried["groups"][0]["tried"][0]["lines"]
    assert line["before"]["due_at"] < line["after"]["due_at"]
    assert run(cast.data_admin, "case", "migrate", "draft", plan)[0] != 0  # without a reason nothing is drafted
    code, draft = run(cast.data_admin, "case", "migrate", "draft", plan, "--reason", "延长")
    words = ("case", "migrate", "approve", draft["migration"], "--dry-run")
    assert (run(cast.system_admin, *words)[1]["tried"], run(cast.system_admin, "case", "migrate", "list")[1]["migrations"][0]["state"]) == (1, "drafted")
    assert main([*words, "--as", f"{cast.system_admin.username}@{cast.system_admin.actor.organization}"]) == 0
    said = capsys.readouterr().out
    assert "tried 1 of 1" in said and case.number in said
    written["moves"][0]["cancel"] = [["answer", ""]]
    Path(plan).write_text(json.dumps(written), "utf-8")
    code, tried = run(cast.data_admin, "case", "migrate", "draft", plan, "--dry-run")
    assert (code, tried["groups"], len(tried["problems"])) == (1, [], 1)


def test_what_is_asked_for_wrongly_is_told_with_what_there_is(note: Callable[..., Case], run: Run, cast: Cast, tmp_path: Path) -> None:
    case = note()
    code, said = run(cast.leader, "case", "act", case.number, "agre")
    assert code and "agree (同意)" in said and "back (退回)" in said
    code, said = run(cast.leader, "case", "check", str(tmp_path / "none.yml"))
    assert code and "no such file" in said.lower() and "Errno" not in said
    broken = tmp_path / "plan.json"
    broken.write_text("{", "utf-8")
    code, said = run(cast.data_admin, "case", "migrate", "draft", str(broken), "--reason", "试")
    assert code and "plan.json is not a JSON object" in said and "--data" not in said
    code, said = run(cast.data_admin, "case", "migrate", "draft", str(tmp_path / "none.json"), "--reason", "试")
    assert code and "Cannot read" in said
    with pytest.raises(CannotOperate) as refused:
        api.resume(case_id=case.case_id, reason="试", actor=cast.leader.actor)
    assert refused.value.facts["operator"] == "resume"


def test_a_kind_names_roles_that_there_are(run: Run, cast: Cast, tmp_path: Path) -> None:
    body = copy.deepcopy(SIMPLE)
    body["obligations"]["answer"]["who"]["roles"] = ["data_stewart"]
    file = tmp_path / "leave_note.yml"
    file.write_text(yaml.safe_dump(body, allow_unicode=True), "utf-8")
    code, said = run(cast.data_admin, "case", "check", str(file))
    assert code and "obligations.answer.who.roles" in said and "data_steward" in said
    pack = tmp_path / "typo"
    (pack / "cases").mkdir(parents=True)
    (pack / "cases" / "leave_note.yml").write_text(file.read_text("utf-8"), "utf-8")
    (pack / "pack.yml").write_text("name: typo\ntitle: {zh: 试验, en: Trial}\nversion: \"1\"\n", "utf-8")
    (problem,) = packs.check_pack(path=pack).problems
    assert "data_steward" in problem.say("en")
