"""Each number beside a list opens to exactly as many rows, whatever else is asked."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.api_caller import Caller
from tests.conftest import Cast
from tests.core.cases.test_pages import signed_in
from yunhe.core.cases import api
from yunhe.kernel.actor import Actor
from yunhe.kernel.pages import UNCOUNTED, PageRequest

pytestmark = pytest.mark.django_db


def require_opened(take: Any, request: PageRequest, actor: Actor) -> int:
    """Look at every facet of a page; return how many rows they promise. Raises: AssertionError."""
    page, promised = take(request=request, actor=actor), 0
    for facet in page.facets:
        opened = take(request=replace(request, page=1, filters={**request.filters, facet.name: facet.value}), actor=actor)
        if facet.count == UNCOUNTED:
            assert (facet.value, request.filters["state"] in ("open", "suspended"), request.search) == ("closed", True, "")
            continue
        assert facet.count == opened.total == len(opened.items), (request, facet)
        promised += facet.count
    return promised


def test_every_facet_opens_to_its_rows(note: Any, cast: Cast) -> None:
    dice = random.Random(23)
    for number in range(9):
        case = note(title=f"{dice.choice(['甲', '乙'])}事 {number}")
        if dice.random() < 0.3:
            api.act(case_id=case.case_id, action="agree", data={"text": "可以"}, actor=cast.leader.actor)
        elif dice.random() < 0.3:
            api.suspend(case_id=case.case_id, basis="第十条", reason="等鉴定", actor=cast.leader.actor)
    promised = 0
    for _ in range(25):
        search, due = dice.choice(["", "甲", "乙", "无"]), dice.choice(["", "overdue", "week", "later", "paused"])
        kind, person = dice.choice(["", "leave_note"]), dice.choice(["", cast.leader.actor.id])
        filters = {"kind": kind, "due": due}
        promised += require_opened(api.list_waiting, PageRequest(search=search, filters=filters, size=100), cast.leader.actor)
        filters |= {"state": dice.choice(["", "open", "closed", "suspended"]), "person": person, "part": dice.choice(["", "opened"])}
        for member in (cast.leader, cast.clerk):
            promised += require_opened(api.list_cases, PageRequest(search=search, filters=filters, size=100), member.actor)
    assert promised > 50


def test_what_stands_still_is_told_in_every_list_and_not_offered_in_bulk(note: Any, cast: Cast) -> None:
    stands, goes = note(), note()
    api.suspend(case_id=stands.case_id, basis="第十条", reason="等鉴定", actor=cast.leader.actor)
    client = signed_in(cast.leader)
    inbox = client.get("/inbox/?due=paused").content.decode()
    assert "第十条" in inbox and "不限时" not in inbox and stands.number in inbox and goes.number not in inbox
    assert "已中止" in client.get("/inbox/cases/?state=suspended").content.decode().split("<tbody", 1)[1]
    page = api.list_waiting(request=PageRequest(), actor=cast.leader.actor)
    assert sum(facet.count for facet in page.facets if facet.name == "due") == page.total == 2
    ids = tuple(item.obligation_id for item in page.items)
    offer = api.offer_bulk(obligation_ids=ids, actor=cast.leader.actor)
    assert [item.case_id for item in offer.items] == [goes.case_id] and offer.gone == 1


def test_states_stand_in_the_order_of_a_cases_life_each_by_its_title(note: Any, cast: Cast) -> None:
    ended, stands, _goes = note(), note(), note()
    api.act(case_id=ended.case_id, action="agree", data={"text": "可以"}, actor=cast.leader.actor)
    api.suspend(case_id=stands.case_id, basis="第十条", reason="等鉴定", actor=cast.leader.actor)
    page = api.list_cases(request=PageRequest(), actor=cast.leader.actor)
    assert [(one.value, one.label) for one in page.facets if one.name == "state"] == [("open", "办理中"), ("suspended", "已中止"), ("closed", "已办结")]
    client = signed_in(cast.leader)
    client.cookies["yunhe_language"] = "en"
    shown = client.get("/inbox/cases/").content.decode()
    assert [shown.index(f"state={state}") for state in ("open", "suspended", "closed")] == sorted(
        shown.index(f"state={state}") for state in ("open", "suspended", "closed")
    )
    assert all(word in shown for word in ("Open", "Suspended", "Closed"))


def test_what_ended_is_not_counted_beside_what_goes_on(note: Any, cast: Cast) -> None:
    """It is most of all there ever was; the page offers it without a number, HTTP tells null."""
    goes, ended = note(), note()
    api.act(case_id=ended.case_id, action="agree", data={"text": "可以"}, actor=cast.leader.actor)
    with CaptureQueriesContext(connection) as asked:
        page = api.list_cases(request=PageRequest(filters={"state": "open"}), actor=cast.leader.actor)
    (count,) = [one["sql"] for one in asked.captured_queries if "GROUP BY kind_code, state" in one["sql"]]
    assert "state IN ('open', 'suspended')" in count
    assert [one.case_id for one in page.items] == [goes.case_id] and page.total == 1
    assert {(one.value, one.count) for one in page.facets} == {("leave_note", 1), ("open", 1), ("closed", UNCOUNTED)}
    told = Caller(cast.leader).get("/cases?state=open").body["facets"]
    assert {(one["value"], one["count"]) for one in told} == {("leave_note", 1), ("open", 1), ("closed", None)}
    shown = signed_in(cast.leader).get("/inbox/cases/?state=open").content.decode()
    assert re.search(r'state=closed"><span>已办结</span></a>', shown)
