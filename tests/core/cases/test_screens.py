"""What the screens of cases say in words: who, by when, how far, and where a number leads."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cast, Member
from tests.core.cases.test_award import loaded as loaded  # noqa: PLC0414 - the fixture
from tests.core.cases.test_conditional import AREA, FIRE, KEEPER, publish
from tests.core.cases.test_diagram import read
from tests.core.cases.test_filled_in_parts import EACH, NAMES, named
from tests.core.cases.test_operators import FROM_OPENING, accepted, permit, permit_kind  # noqa: F401
from tests.core.cases.test_pages import signed_in
from tests.core.cases.test_ticket import dispatched, hotline, ticket  # noqa: F401
from yunhe.core.cases import api
from yunhe.core.cases.rules.diagram import IN_LINE, draw_kind, wrapped
from yunhe.core.cases.rules.drawing import svg_of
from yunhe.core.cases.types import Case
from yunhe.core.notices import api as notices
from yunhe.kernel.actor import job_actor
from yunhe.kernel.clock import FrozenClock, local
from yunhe.kernel.pages import PageRequest
from yunhe.ui.po import compile_texts

compile_texts()
pytestmark = pytest.mark.django_db
HEAD = job_actor("cases.warn")
PERMIT = Path(__file__).resolve().parents[3] / "examples" / "permit" / "cases" / "permit.yml"


def seen(member: Member, path: str, language: str = "zh") -> str:
    client = signed_in(member)
    client.cookies["yunhe_language"] = language
    return client.get(path).content.decode()


def test_a_warning_says_whose_time_it_is_and_how_much_is_gone(permit: Any, cast: Cast, clock: FrozenClock) -> None:  # noqa: F811
    case = permit(limits=FROM_OPENING)
    due = api.access_case(case_id=case.case_id, actor=cast.steward.actor).obligations[0].due
    assert due is not None and due.at is not None
    clock.advance(timedelta(days=60))
    while api.warn_due(actor=HEAD):
        pass
    address = f"/inbox/cases/{case.case_id}/"
    told = re.findall(r"系统 时限预警.*?yh-sub\">(.*?)<", seen(cast.steward, address), re.DOTALL)
    assert told == ["受理：时间用去 80%；全程：时间用去 80%", "受理：时间用去 100%；全程：时间用去 100%"]
    assert "Accept: 80% of the time is gone; The whole case: 80% of the time is gone" in seen(cast.steward, address, "en")
    letter = notices.list_notices(request=PageRequest(), actor=cast.steward.actor).items[0]
    by = f"{local(due.at):%Y-%m-%d %H:%M}"
    assert letter.text["zh"].startswith(f"“受理”须在 {by} 前办完；“全程”须在 ") and f"“Accept” is due by {by}; " in letter.text["en"]


def test_a_step_names_the_table_that_decided(ticket: Callable[..., Case], cast: Cast) -> None:  # noqa: F811
    case = dispatched(ticket(topic="market"), cast)
    (info,) = (one for one in api.list_tables() if one.code == "dispatch")
    address = f"/inbox/cases/{case.case_id}/"
    assert f"决策表“{info.title['zh']}”" in seen(cast.bureau_clerk, address) and "决策表 dispatch" not in seen(cast.bureau_clerk, address)
    assert f"Decision table “{info.title['en']}”" in seen(cast.bureau_clerk, address, "en")


def test_the_list_marks_what_is_overdue(note: Any, cast: Cast, clock: FrozenClock) -> None:
    note()
    assert "yh-tag-red\">已超期" not in seen(cast.leader, "/inbox/cases/")
    clock.advance(timedelta(days=90))
    assert "yh-tag-red\">已超期" in seen(cast.leader, "/inbox/cases/")


def test_the_number_of_running_cases_leads_to_exactly_those(note: Any, cast: Cast) -> None:
    first, second, third = note(title="一"), note(title="二"), note(title="三")
    api.suspend(case_id=second.case_id, basis="依据", reason="等", actor=cast.leader.actor)
    api.act(case_id=third.case_id, action="agree", data={"text": "可以"}, actor=cast.leader.actor)
    assert api.get_case(case_id=third.case_id).state == "closed"
    for page in ("/inbox/kinds/", "/inbox/kinds/leave_note/"):
        (href, number) = re.findall(r'href="(/inbox/cases/\?kind=leave_note&amp;state=running[^"]*)">(\d+)<', seen(cast.leader, page))[0]
        listed = seen(cast.leader, href.replace("&amp;", "&"))
        assert number == "2" and "共 <span class=\"num\">2</span> 条" in listed
        assert first.number in listed and second.number in listed and third.number not in listed
        assert "只看：在办" in listed
    found = api.list_cases(request=PageRequest(filters={"state": "running"}), actor=cast.leader.actor)
    assert (found.total, {facet.value: facet.count for facet in found.facets if facet.name == "kind"}) == (2, {"leave_note": 2})


def test_what_the_platform_ended_is_the_platforms_in_the_team(loaded: None, cast: Cast, clock: FrozenClock) -> None:
    told = {"turnover": 300, "first_time": True}
    api.open_case(kind="award_application", title="申报", data=told, owner=cast.owner.code, actor=cast.clerk.actor)
    clock.advance(timedelta(days=20))
    assert api.lapse_due(actor=job_actor("cases.lapse")) == 1
    address = f"/inbox/team/?organization={cast.owner.code}"
    for language, name in (("zh", "系统"), ("en", "The platform")):
        holders = re.findall(r'<tr><td data-label="[^"]*" class=" yh-wide">(.*?)</td>', seen(cast.leader, address, language))
        assert name in holders and not [one for one in holders if "job:" in one]


def test_what_is_missing_and_what_is_wrong_are_said_together(cast: Cast) -> None:
    publish([KEEPER, AREA, FIRE])
    filled = {"do-owner": cast.owner.code, "do-has_shop": "on", "do-area": "很大", "key": "K9"}
    page = signed_in(cast.clerk).post("/inbox/new/form_case/", filled).content.decode()
    errors = page[page.index('id="form-errors"') :].partition("</ul>")[0]
    assert "这个字段是必填项" in errors and "需要整数" in errors
    assert 'aria-describedby="id_do-area_error"' in page


def test_a_value_for_each_name_of_the_list_is_not_wrong_beside_what_is_missing(cast: Cast) -> None:
    publish([NAMES, EACH])
    filled = {**named(cast), "do-title": "", "do-names": "李四", "do-each__0__name": "李四", "do-each__0": "yes_"}
    page = signed_in(cast.clerk).post("/inbox/new/form_case/", filled).content.decode()
    errors = page[page.index('id="form-errors"') :].partition("</ul>")[0]
    assert errors.count("<li>") == 1 and "这个字段是必填项" in errors


def test_rules_are_read_with_full_days_and_yes_and_no(loaded: None, cast: Cast) -> None:
    limits = seen(cast.leader, "/inbox/rules/")
    assert limits.count("2026-01-01") >= 2  # of a year that is this one, too
    page = seen(cast.leader, "/inbox/rules/award_amount/?on=2026-06-30&turnover=2000&first_time=true")
    cells = re.findall(r'<td data-label="条件 首次申报"[^>]*>(.*?)</td>', page)
    assert set(cells) == {"是", "否"}
    marked = re.findall(r'<td data-label="行"[^>]*>(.*?)</td>', page, re.DOTALL)
    assert [re.findall(r">(\d+)<", one) for one in marked if "适用" in one] == [["4"]]


def test_a_reminder_is_counted_in_grammar(note: Any, cast: Cast, clock: FrozenClock) -> None:
    case = note()
    for said in ("reminded once", "reminded 2 times"):
        api.remind(case_id=case.case_id, reason="请办", actor=cast.clerk.actor)
        clock.advance(timedelta(hours=2))
        assert said in seen(cast.leader, f"/inbox/cases/{case.case_id}/", "en")


def test_what_waits_says_that_its_time_is_when_it_is_due(note: Any, cast: Cast) -> None:
    address = f"/inbox/cases/{note().case_id}/"
    assert re.search(r'class="open">等待.*?</time> 到期</small>', seen(cast.leader, address), re.DOTALL)
    assert re.search(r'class="open">Waiting.*?due <time', seen(cast.leader, address, "en"), re.DOTALL)


def test_paper_says_which_body_applies(note: Any, cast: Cast) -> None:
    page = seen(cast.leader, f"/inbox/cases/{note().case_id}/print/")
    assert re.search(rf"申请单位</dt><dd>{cast.other.label}", page)


def test_forms_that_were_not_handed_in_are_told_apart(cast: Cast) -> None:
    publish([KEEPER, AREA, FIRE])
    client = signed_in(cast.clerk)
    for key, title in (("K1", "解放路书店"), ("K2", "运河路早餐点"), ("K3", "")):
        client.post("/inbox/new/form_case/", {"do-title": title, "key": key, "step": "save"})
    links = re.findall(r'<a href="/inbox/new/form_case/\?draft=[^"]*">(.*?)</a>', client.get("/inbox/new/").content.decode())
    assert {"解放路书店", "运河路早餐点"} < set(links) and [one for one in links if "还没有标题" in one]


def test_paper_counts_the_days_of_limits_that_are_alike_once(permit: Any, cast: Cast) -> None:  # noqa: F811
    case = accepted(permit(), cast)
    page = seen(cast.leader, f"/inbox/cases/{case.case_id}/print/")
    titles = re.findall(r"<h3>(.*?)</h3>", page[page.index("时限怎么算的") :])
    bodies = [one.organization_name for one in api.access_case(case_id=case.case_id, actor=cast.leader.actor).obligations if one.name == "opinion"]
    assert len(bodies) > 1 and titles[-1] == "、".join(f"会签 {body}" for body in bodies)
    assert sum("会签" in title for title in titles) == 1


def test_choices_say_what_no_choice_means(note: Any, cast: Cast) -> None:
    note()
    assert "—</option>" not in seen(cast.leader, "/inbox/cases/") and ">不限</option>" in seen(cast.leader, "/inbox/cases/")
    assert ">请选择</option>" in seen(cast.leader, "/inbox/absences/")


def test_the_case_beside_its_list_leads_back_on_a_phone(note: Any, cast: Cast) -> None:
    case = note()
    assert "yh-panes-asked" not in seen(cast.leader, "/inbox/")
    asked = seen(cast.leader, f"/inbox/?case={case.case_id}")
    assert "yh-panes-asked" in asked and re.search(r'class="yh-back"><a class="btn" href="/inbox/#line">', asked)


def test_a_picture_is_in_one_language_and_breaks_no_word() -> None:
    picture = svg_of(draw_kind(read(PERMIT), language="en", roles={}), title="x", description="x")
    titles = [part.text or "" for part in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}title")]
    assert "提出" not in titles and "Opened" in titles
    assert wrapped("Each of Departments to review", IN_LINE) == ("Each of", "Departments to review")
