"""Work on cases at the command line: taking a request back, saved filters, several cases at once, handing over."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cast, Member
from tests.core.cases.kinds import simple_kind
from yunhe.cli.main import main
from yunhe.core.cases import api
from yunhe.core.cases.types import Case, KindSpec
from yunhe.kernel.actor import Actor
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
    assert run(cast.leader, "case", "hand-over", "steward", "--reason", "调离") == (0, {"outcomes": [], "done": 0, "refused": 0})


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
