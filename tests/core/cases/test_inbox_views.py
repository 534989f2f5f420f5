"""Saved filters, search, further filters, where acting leads, and the page for paper."""

from __future__ import annotations

import importlib
import re
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps

from tests.conftest import Cast
from tests.core.cases.kinds import SIMPLE, simple_kind
from tests.core.cases.test_pages import signed_in
from yunhe.core.cases import api
from yunhe.core.cases.api.viewing import MOST_VIEWS
from yunhe.core.cases.errors import BadSavedView
from yunhe.core.cases.models import CaseRecord
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import local, now
from yunhe.kernel.errors import Missing
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db


def found(actor: Actor, search: str = "", **filters: str) -> set[str]:
    return {case.title for case in api.list_cases(request=PageRequest(search=search, filters=filters), actor=actor).items}


def test_a_saved_view_counts_what_its_list_shows(note: Any, cast: Cast) -> None:
    for title in ("甲一", "甲二", "乙"):
        note(title=title)
    view = api.save_view(page="inbox", name=" 甲 类 ", query={"q": "甲", "page": "9", "due": ""}, actor=cast.leader.actor)
    assert (view.name, dict(view.query), view.count) == ("甲 类", {"q": "甲"}, 2)
    note(title="甲三")
    (told,) = api.list_views(page="inbox", actor=cast.leader.actor)
    shown = api.list_waiting(request=PageRequest(search="甲"), actor=cast.leader.actor)
    assert told.count == shown.total == 3
    assert api.save_view(page="list", name="乙", query={"q": "乙", "state": "open"}, actor=cast.clerk.actor).count == 1
    assert api.save_view(page="list", name="乙", query={"state": "closed"}, actor=cast.clerk.actor).count == 0
    assert len(api.list_views(page="list", actor=cast.clerk.actor)) == 1  # the same name replaces it


def test_saved_views_belong_to_one_person_in_one_membership(note: Any, cast: Cast, founder: Actor) -> None:
    note()
    leader = cast.leader
    mine = api.save_view(page="inbox", name="本周", query={"due": "week"}, actor=leader.actor)
    second = organizations.add_membership(username="leader", organization=cast.other.code, role="officer", actor=founder)
    elsewhere = organizations.actor_for(user_id=leader.user_id, membership_id=second.id)
    for other in (cast.steward.actor, elsewhere):
        assert api.list_views(page="inbox", actor=other) == ()
        with pytest.raises(Missing):
            api.delete_view(view_id=mine.view_id, actor=other)
        with pytest.raises(Missing):
            api.rename_view(view_id=mine.view_id, name="别人的", actor=other)
    assert api.rename_view(view_id=mine.view_id, name="这一周", actor=leader.actor).name == "这一周"
    api.delete_view(view_id=mine.view_id, actor=leader.actor)
    assert api.list_views(page="inbox", actor=leader.actor) == ()


@pytest.mark.parametrize(("name", "query"), [("", {"q": "甲"}), ("   ", {"q": "甲"}), ("空的", {}), ("只排序", {"sort": "-opened_at"}), ("a\x00b", {"q": "x"})])
def test_a_view_needs_a_name_and_a_condition(name: str, query: dict[str, str], cast: Cast) -> None:
    with pytest.raises(BadSavedView):
        api.save_view(page="inbox", name=name, query=query, actor=cast.leader.actor)


@pytest.mark.parametrize(
    ("page", "name", "query", "said"),
    [
        ("inbox", "长" * 41, {"q": "甲"}, "最多 40 个字"), ("inbox", "甲", {"q": "甲" * 201}, "最多 200 个字"), ("inbox", "甲", {"due": "late"}, "due"),
        ("list", "甲", {"part": "x"}, "opened、handled"), ("list", "甲", {"kind": "nokind"}, "kind"), ("inbox", "甲", {"q": "甲", "sort": "-title"}, "sort"),
    ],
)  # fmt: skip
def test_what_a_list_cannot_be_asked_for_is_not_kept(page: str, name: str, query: dict[str, str], said: str, cast: Cast) -> None:
    with pytest.raises(BadSavedView) as refused:
        api.save_view(page=page, name=name, query=query, actor=cast.leader.actor)
    assert said in refused.value.say("zh")


def test_views_are_bounded_and_names_taken_once(cast: Cast) -> None:
    actor = cast.leader.actor
    views = [api.save_view(page="inbox", name=f"第 {n}", query={"q": str(n)}, actor=actor) for n in range(MOST_VIEWS)]
    with pytest.raises(BadSavedView):
        api.save_view(page="inbox", name="多的", query={"q": "x"}, actor=actor)
    api.save_view(page="inbox", name="第 0", query={"q": "新"}, actor=actor)
    with pytest.raises(BadSavedView):
        api.rename_view(view_id=views[1].view_id, name="第 0", actor=actor)


def test_a_name_that_is_taken_says_what_it_replaced(cast: Cast) -> None:
    client = signed_in(cast.leader)
    asked = [{"query": query, "name": "常看"} for query in ("q=甲", "q=乙", "q=乙")]
    told = [client.post("/inbox/views/list/", one, follow=True).content.decode() for one in asked]
    assert ["替换原来的筛选“常看”" in page for page in told] == [False, True, False]
    assert [dict(view.query) for view in api.list_views(page="list", actor=cast.leader.actor)] == [{"q": "乙"}]


def test_a_list_of_cases_is_as_long_as_it_is_asked_for(note: Any, cast: Cast) -> None:
    for number in range(27):
        note(title=f"第 {number} 件")
    client = signed_in(cast.leader)
    for asked, shown in (("", 25), ("?size=50", 27), ("?size=26", 25), ("?size=50&q=件", 27)):
        page = client.get(f"/inbox/cases/{asked}").content.decode()
        assert page.count('name="pick"') == shown and 'href="/inbox/cases/?size=200"' in page.replace("q=%E4%BB%B6&amp;", "").replace("&amp;q=%E4%BB%B6", "")
    assert 'name="size" value="50"' in client.get("/inbox/cases/?size=50").content.decode()  # a new search keeps it


def test_boxes_are_named_by_number_and_going_back_keeps_what_was_picked(note: Any, cast: Cast) -> None:
    """Cancel leads to the list as it was left, for the inbox and for the list of cases."""
    cases, client = [note(title="同名") for _ in range(3)], signed_in(cast.leader)
    for place, post in (("/inbox/?q=同名", "/inbox/bulk/"), ("/inbox/cases/?q=同名", "/inbox/remind/")):
        page = client.get(place).content.decode()
        assert all(f"选中 同名 {case.number}" in page for case in cases)
        picks = re.findall(r'name="pick" value="([^"]+)"', page)
        bulk = client.get(client.post(post, {"pick": picks[:2], "next": f"{place}#line"})["Location"]).content.decode()
        (back,) = {one.replace("&amp;", "&") for one in re.findall(r'href="([^"]+)" data-back', bulk)}
        assert back.endswith("#picked")
        again = client.get(back.partition("#")[0]).content.decode()
        chosen = re.findall(r'name="pick" value="([^"]+)"[^>]* checked', again)
        assert sorted(chosen) == sorted(picks[:2]) and 'id="picked"' in again
        assert "of=" not in again.partition("<main")[2]
        assert "checked" not in signed_in(cast.steward).get(back.partition("#")[0]).content.decode().partition("yh-inbox")[2]


def test_the_page_for_paper_shows_the_picture(note: Any, cast: Cast) -> None:
    page = signed_in(cast.leader).get(f"/inbox/cases/{note().case_id}/print/").content.decode()
    assert '<div class="yh-diagram-whole"><svg' in page and "yh-d-is-now" in page and "可左右滚动查看" not in page


def test_chips_on_the_page(note: Any, cast: Cast) -> None:
    note(title="甲事")
    client = signed_in(cast.leader)
    shown = client.get("/inbox/?q=甲事").content.decode()
    query = re.search(r'name="query" value="([^"]+)"', shown)
    assert query is not None
    saved = client.post("/inbox/views/inbox/", {"query": query[1], "name": "甲", "next": "/inbox/"})
    assert (saved.status_code, saved["Location"]) == (302, "/inbox/")
    assert re.search(r'href="([^"]+)">甲 <span class="num">1<', client.get("/inbox/").content.decode())
    (view,) = api.list_views(page="inbox", actor=cast.leader.actor)
    here = client.get("/inbox/?q=甲事").content.decode()
    assert f"/inbox/views/{view.view_id}/change/" in here and 'aria-current="true">甲 ' in here
    client.post(f"/inbox/views/{view.view_id}/change/", {"name": "丙"})
    assert f'href="/inbox/views/{view.view_id}/delete/?next=' in here
    leave = f"/inbox/views/{view.view_id}/delete/?next=/inbox/?due=week"
    assert "删除筛选“丙”？" in client.get(leave).content.decode() and len(api.list_views(page="inbox", actor=cast.leader.actor)) == 1
    assert client.post(leave)["Location"] == "/inbox/?due=week"
    assert api.list_views(page="inbox", actor=cast.leader.actor) == ()
    rename = f"/inbox/views/{view.view_id}/change/"
    for gone in (client.get(leave, follow=True), client.post(leave, follow=True), client.post(rename, {"name": "丁"}, follow=True)):
        assert gone.redirect_chain[0][1] == 302 and "已经删除了" in gone.content.decode()
    assert "请先筛选" in client.post("/inbox/views/inbox/", {"name": "空", "query": ""}, follow=True).content.decode()
    assert client.post("/inbox/views/elsewhere/", {"name": "空", "query": "q=1"}).status_code == 404


def test_search_finds_number_title_names_and_shown_texts_but_nothing_hidden(note: Any, cast: Cast) -> None:
    case = note(title="请示 甲", data={"items": ["防火 通道"]})
    note(title="无关", actor=cast.steward.actor, organization=cast.owner.code)
    leader = cast.leader.actor
    for words in (case.number, case.number.lower(), "示 甲", "市人社局", "数据专员己", "防火"):
        assert found(leader, words) == {"请示 甲"}, words
    assert found(cast.clerk.actor, "无关") == set()  # rights come first
    (agree, *_) = api.access_case(case_id=case.case_id, actor=leader).actions
    api.act(case_id=case.case_id, action="agree", data={"text": "同意所请", "chosen": ["防火 通道"]}, actor=leader, obligation_id=agree.obligation_id)
    assert found(leader, "同意所请") == {"请示 甲"} == found(leader, "市人社局")  # what the case came to hold, and its head still
    assert found(leader, "%") == set() == found(leader, "_示")


def test_what_is_not_shown_is_not_found_either(note: Any, cast: Cast, founder: Actor) -> None:
    hidden = {"name": "hidden", "title": "暗", "shown": False}
    spec = simple_kind(code="secret_note", prefix="QM", fields=[*SIMPLE["fields"], hidden])
    api.publish_kind(spec=spec, source="tests", actor=founder)
    data = {"amount": 1, "items": ["明处"], "hidden": "暗处"}
    case = api.open_case(kind="secret_note", title="密", data=data, actor=cast.clerk.actor, owner=cast.owner.code)
    assert found(cast.leader.actor, "明处") == {"密"} and found(cast.leader.actor, "暗处") == set()
    assert "暗处" not in CaseRecord.objects.get(pk=case.case_id).search
    importlib.import_module("yunhe.core.cases.migrations.0002_saved_views").fill_search(apps, None)
    assert "暗处" not in CaseRecord.objects.get(pk=case.case_id).search


def test_cases_of_before_are_found_by_names_after_the_migration(note: Any, cast: Cast) -> None:
    case = note(title="旧 件", data={"items": ["防火"]})
    now = CaseRecord.objects.get(pk=case.case_id).search
    CaseRecord.objects.update(search=f"{case.number} {case.title}".lower())
    assert found(cast.leader.actor, "防火") == set()
    importlib.import_module("yunhe.core.cases.migrations.0002_saved_views").fill_search(apps, None)
    assert CaseRecord.objects.get(pk=case.case_id).search == now


def test_filters_by_organisation_phase_due_and_who_holds_it(note: Any, cast: Cast, clock: Any) -> None:
    first = note(title="甲")
    note(title="乙", actor=cast.bureau_clerk.actor, organization=cast.bureau.code)
    admin = cast.data_admin.actor
    assert found(admin, organization=cast.other.code) == {"甲"}
    assert found(admin, organization=cast.owner.code) == {"甲", "乙"}
    assert found(admin, phase="answering", kind="leave_note") == {"甲", "乙"}
    assert found(admin, obligation="mend") == set()
    (action,) = [a for a in api.access_case(case_id=first.case_id, actor=cast.leader.actor).actions if a.name == "back"]
    api.act(case_id=first.case_id, action="back", data={}, actor=cast.leader.actor, obligation_id=action.obligation_id)
    assert found(admin, obligation="mend") == {"甲"} == found(admin, person=cast.clerk.actor.id)
    assert found(admin, person="role:data_leader+data_steward") == {"乙"}
    assert found(admin, due="overdue") == set()
    clock.advance(timedelta(days=40))
    assert found(admin, due="overdue") == {"甲", "乙"}
    page = signed_in(cast.leader).get("/inbox/cases/?kind=leave_note&obligation=mend").content.decode()
    assert "补正" in page and first.number in page


def test_acting_leads_on_to_the_next_line(note: Any, cast: Cast, clock: Any) -> None:
    cases = []
    for _ in range(3):
        cases.append(note())
        clock.advance(timedelta(days=1))
    client = signed_in(cast.leader)

    def leads_to(chosen: int) -> str:
        text = client.get(f"/inbox/?case={cases[chosen].case_id}").content.decode()
        return re.search(r'name="version" value="1"><input type="hidden" name="next" value="([^"]+)"', text)[1]  # type: ignore[index]

    assert leads_to(0) == f"/inbox/?case={cases[1].case_id}#line"
    assert leads_to(2) == f"/inbox/?case={cases[1].case_id}#line"
    text = client.get("/inbox/").content.decode()
    assert text.count('id="line"') == 1 and 'data-key="1"' in text and 'id="keys"' in text


def test_the_page_for_paper_holds_everything_and_no_navigation(note: Any, cast: Cast) -> None:
    case = note(title="请示 甲")
    client = signed_in(cast.leader)
    text = client.get(f"/inbox/cases/{case.case_id}/print/").content.decode()
    view = api.access_case(case_id=case.case_id, actor=cast.leader.actor)
    for event in view.events:
        assert event.digest in text and event.evidence_id in text
    due = view.obligations[0].due
    assert due is not None and view.due is not None
    assert all(day.on.isoformat() in text for limit in (due, view.due) for day in limit.days)
    assert case.number in text and "市人社局 数据专员己" in text and "2026-03-02 10:00:00" in text
    assert "<nav" not in text and "<form" not in text and "今天" not in text  # a day on paper has a date
    assert f"/inbox/cases/{case.case_id}/print/" in client.get(f"/inbox/cases/{case.case_id}/").content.decode()
    assert signed_in(cast.bureau_clerk).get(f"/inbox/cases/{case.case_id}/print/").status_code == 404


def test_the_tab_of_everything_counts_each_once(note: Any, cast: Cast, clock: Any) -> None:
    for _ in range(3):
        note()
    clock.move_to(local(now()).replace(month=3, day=9, hour=9))  # what is due today is due soon as well
    page = signed_in(cast.leader).get("/inbox/").content.decode()
    counts = dict(re.findall(r">\s*(全部|已超期|今天到期|近日到期|以后|已暂停)\s*<span class=\"num\">(\d+)<", page))
    assert {name: int(counts.get(name, 0)) for name in ("全部", "今天到期", "近日到期")} == {"全部": 3, "今天到期": 3, "近日到期": 3}
