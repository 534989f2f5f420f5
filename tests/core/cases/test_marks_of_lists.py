"""What lists say of a case beside its row: for whom one stands in, the rule under which it stands still, how it ended, whether late."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.api_caller import Caller
from tests.conftest import Cast
from tests.core.cases.kinds import NATIONAL, simple_kind
from tests.core.cases.test_pages import signed_in
from yunhe.cli.main import main
from yunhe.core.cases import api
from yunhe.core.cases.models import CaseRecord, ClockRecord
from yunhe.core.cases.rules import wording
from yunhe.core.cases.rules.graph import graph_of
from yunhe.core.cases.rules.outcomes import answer_titles, outcome_title, outcome_titles
from yunhe.core.cases.types import KindSpec
from yunhe.kernel.clock import FrozenClock, now
from yunhe.kernel.pages import PageRequest
from yunhe.ui.po import compile_texts

compile_texts()
pytestmark = pytest.mark.django_db
MONDAY = date(2026, 3, 2)
PERMIT = NATIONAL.parents[2] / "examples" / "permit" / "cases" / "permit.yml"


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Return what a person reads of a command."""
    monkeypatch.setattr("yunhe.cli.main._start_django", lambda command: None)

    def run(member: Any, *words: str, language: str = "zh_CN.UTF-8") -> str:
        monkeypatch.setenv("LANG", language)
        monkeypatch.delenv("LC_ALL", raising=False)
        assert main([*words, "--as", f"{member.username}@{member.actor.organization}"]) == 0
        return capsys.readouterr().out

    return run


def exported(member: Any, language: str = "zh", query: str = "") -> list[dict[str, str]]:
    """Return the rows of the list of cases as it is exported."""
    client = signed_in(member)
    client.cookies["yunhe_language"] = language
    text = client.get(f"/inbox/cases/?export=csv{query}").content.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_work_of_somebody_on_leave_says_whose_it_is_wherever_it_is_listed(note: Any, cast: Cast, said: Any) -> None:
    case, name = note(), cast.leader.actor.name
    told = {"since": MONDAY, "until": MONDAY + timedelta(days=3), "reason": "休假", "actor": cast.leader.actor}
    api.delegate(to_username=cast.officer.username, **told)
    client, marked = signed_in(cast.officer), f"代 {name}（请假）"
    lines = client.get("/inbox/").content.decode()
    listed, page = lines.split('<section class="card" id="case"')
    assert marked in listed and marked in page  # the line, and the case beside it over its buttons
    assert marked in client.get("/inbox/cases/").content.decode()
    assert marked in client.get(f"/inbox/cases/{case.case_id}/").content.decode()
    client.cookies["yunhe_language"] = "en"
    assert f"for {name} (on leave)" in client.get("/inbox/").content.decode().split('<section class="card" id="case"')[0]
    assert f"（代 {name}）" in said(cast.officer, "case", "inbox") and f"(for {name})" in said(cast.officer, "case", "list", language="en_US.UTF-8")
    assert f"agree（代 {name}）" in said(cast.officer, "case", "show", case.number)
    (line,) = Caller(cast.officer).get("/cases/waiting").body["items"]
    offered = Caller(cast.officer).get(f"/cases/{case.case_id}").body["actions"]
    assert line["on_behalf_name"] == name and {one["on_behalf_name"] for one in offered} == {name}


def test_ones_own_work_and_a_case_that_waits_for_others_are_marked_for_nobody(note: Any, cast: Cast) -> None:
    note()
    told = {"since": MONDAY, "until": MONDAY + timedelta(days=3), "reason": "休假", "actor": cast.leader.actor}
    api.delegate(to_username=cast.steward.username, **told)  # whose own it is, too
    for member in (cast.steward, cast.leader):
        assert [one.on_behalf_name for one in api.list_waiting(request=PageRequest(), actor=member.actor).items] == [""]
        page = signed_in(member).get("/inbox/").content.decode() + signed_in(member).get("/inbox/cases/").content.decode()
        assert "（请假）" not in page
    assert api.list_stood_in(cases=api.list_cases(request=PageRequest(), actor=cast.clerk.actor).items, actor=cast.clerk.actor) == {}


def test_the_step_names_who_acted_and_for_whom(note: Any, cast: Cast, said: Any) -> None:
    case = note()
    told = {"since": MONDAY, "until": MONDAY + timedelta(days=3), "reason": "休假", "actor": cast.leader.actor}
    api.delegate(to_username=cast.officer.username, **told)
    api.act(case_id=case.case_id, action="agree", data={"text": "可以"}, actor=cast.officer.actor)
    both = f"{cast.officer.actor.name}（代 {cast.leader.actor.name}）"
    assert f"{both} 同意" in signed_in(cast.leader).get(f"/inbox/cases/{case.case_id}/").content.decode()
    assert both in said(cast.leader, "case", "show", case.number)
    step = Caller(cast.leader).get(f"/cases/{case.case_id}").body["events"][-1]
    assert (step["actor_name"], step["on_behalf_name"]) == (cast.officer.actor.name, cast.leader.actor.name)


def test_what_stands_still_says_the_rule_and_since_when_in_the_list(note: Any, cast: Cast, said: Any, clock: FrozenClock) -> None:
    first, again = note(), note()
    for basis in ("旧的一条", "第四十五条"):
        api.suspend(case_id=again.case_id, basis=basis, reason="等鉴定", actor=cast.leader.actor)
        if basis == "旧的一条":
            api.resume(case_id=again.case_id, reason="好了", actor=cast.leader.actor)
        clock.move_to(now() + timedelta(hours=1))
    stopped = note()
    ClockRecord.objects.filter(case=stopped.case_id).update(paused_at=now(), pause_basis="第三十二条", due_at=None)
    CaseRecord.objects.filter(pk=stopped.case_id).update(due_at=None)
    table = signed_in(cast.leader).get("/inbox/cases/").content.decode().split("<tbody", 1)[1]
    assert "第四十五条" in table and "旧的一条" not in table and "第三十二条" in table and "时限已暂停" in table
    found = {one.case_id: (one.pause_basis, one.paused_at) for one in api.list_cases(request=PageRequest(), actor=cast.leader.actor).items}
    assert found[first.case_id] == ("", None) and found[again.case_id][0] == "第四十五条"
    listed = said(cast.leader, "case", "list", language="en_US.UTF-8")
    assert "paused since 2026-03-02 11:00: 第四十五条" in listed
    (line,) = (one for one in Caller(cast.leader).get("/cases").body["items"] if one["case_id"] == again.case_id)
    assert line["pause_basis"] == "第四十五条" and line["paused_at"]
    assert Caller(cast.leader).get(f"/cases/{again.case_id}").body["case"]["pause_basis"] == "第四十五条"


def test_an_export_says_how_it_ended_whether_late_and_what_stands_still(note: Any, cast: Cast, clock: FrozenClock) -> None:
    stands, soon, late, runs = (note(title=title) for title in ("停着", "按时", "超期", "在办"))
    api.suspend(case_id=stands.case_id, basis="第四十五条", reason="等鉴定", actor=cast.leader.actor)
    api.act(case_id=soon.case_id, action="agree", data={"text": "可以"}, actor=cast.leader.actor)
    clock.move_to(now() + timedelta(days=60))
    api.act(case_id=late.case_id, action="agree", data={"text": "可以"}, actor=cast.leader.actor)
    rows = {row["编号"]: row for row in exported(cast.leader)}
    assert {number: row["已超期"] for number, row in rows.items()} == {
        stands.number: "否", soon.number: "否", late.number: "是", runs.number: "是",
    }  # fmt: skip
    ended = rows[late.number]
    assert (ended["结果"], ended["结果代码"], ended["状态"]) == ("办结", "agreed", "已办结")
    stood = rows[stands.number]
    assert (stood["状态"], stood["中止或暂停的依据"], stood["中止或暂停自"]) == ("已中止", "第四十五条", "2026-03-02 10:00")
    english = {row["Number"]: row for row in exported(cast.leader, "en")}
    assert list(english) == list(rows) and len(english[late.number]) == len(ended)
    assert (english[late.number]["Result code"], english[runs.number]["Result"]) == ("agreed", "")


def test_a_case_without_a_clock_of_the_whole_is_late_by_what_was_ended_last(note: Any, cast: Cast, clock: FrozenClock) -> None:
    case, other = note(), note()
    clock.move_to(now() + timedelta(days=10))
    api.act(case_id=case.case_id, action="agree", data={"text": "可以"}, actor=cast.leader.actor)
    api.act(case_id=other.case_id, action="agree", data={"text": "可以"}, actor=cast.leader.actor)
    ClockRecord.objects.filter(case=other.case_id).delete()
    page = api.list_cases(request=PageRequest(), actor=cast.leader.actor)
    assert api.list_late(cases=page.items) == {other.case_id}  # the step was late, the whole of the first was not


def test_an_outcome_is_called_by_the_phase_or_by_what_ends_it() -> None:
    permit = KindSpec.model_validate(yaml.safe_load(PERMIT.read_text("utf-8")))
    told = {code: outcome_title(permit, code)["zh"] for code in ("granted", "refused", "given_up", "merged", "unheard_of")}
    # Of two outcomes that end in one phase each is called by what people did.
    assert told == {"granted": "准予许可", "refused": "不予许可", "given_up": "撤回申请", "merged": "已并案", "unheard_of": "unheard_of"}
    assert outcome_title(permit, "withdrawn")["en"] == "Withdrawn" and outcome_title(simple_kind(), "agreed")["zh"] == "办结"


def test_an_outcome_is_called_the_same_on_a_case_in_its_picture_and_in_conditions() -> None:
    permit = KindSpec.model_validate(yaml.safe_load(PERMIT.read_text("utf-8")))
    ends = [place for place in graph_of(permit).places if place.kind == "end"]
    assert {place.code for place in ends} >= {"granted", "refused", "abandoned"}
    for place in ends:
        assert outcome_title(permit, place.code) in (place.title, place.says), place
    told, answers = outcome_titles(permit), answer_titles(permit.obligations["decide"])
    assert {code: told[code] for code in answers} == answers
    assert "outcome_titles" not in vars(wording) or wording.outcome_titles is outcome_titles


ROOT = NATIONAL.parents[2]
KINDS = sorted([*ROOT.glob("examples/*/cases/*.yml"), *ROOT.glob("src/yunhe_packs/*/cases/*.yml")])


@pytest.mark.parametrize("path", KINDS, ids=lambda path: path.stem)
def test_what_its_applicant_takes_back_is_nowhere_called_a_refusal(path: Path) -> None:
    kind = KindSpec.model_validate(yaml.safe_load(path.read_text("utf-8")))
    actions = [one for obligation in kind.obligations.values() for one in (*obligation.actions.values(), obligation.on_due) if one]
    back = [one for one in actions if "撤回" in one.title.zh]
    ends = [(one.title.zh, effect.go_to_phase) for one in back for effect in one.effects if effect.go_to_phase]
    titles = {phase.code: phase.title.zh for phase in kind.phases}
    assert all("撤回" in titles[phase] for _said, phase in ends), ends


def test_lines_that_stand_still_say_why_beside_the_title_and_give_titles_room_where_none_does(note: Any, cast: Cast) -> None:
    note()
    stands = note()
    client = signed_in(cast.leader)
    assert "yh-wide" not in client.get("/inbox/cases/").content.decode().split("<tbody", 1)[1].split('data-label="到期"')[0].rsplit("<td", 1)[1]
    api.suspend(case_id=stands.case_id, basis="第四十五条", reason="等鉴定", actor=cast.leader.actor)
    (line,) = [one for one in client.get("/inbox/?due=paused").content.decode().split("<li>") if stands.number in one and "data-line" in one]
    date, title = line.split("<b>")
    assert "已暂停" in date and "第四十五条" not in date and "第四十五条" in title
