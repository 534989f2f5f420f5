"""Each number beside a list opens to exactly as many rows, whatever else is asked."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from tests.conftest import Cast
from yunhe.core.cases import api
from yunhe.kernel.actor import Actor
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db


def require_opened(take: Any, request: PageRequest, actor: Actor) -> int:
    """Look at every facet of a page; return how many rows they promise. Raises: AssertionError."""
    page, promised = take(request=request, actor=actor), 0
    for facet in page.facets:
        opened = take(request=replace(request, page=1, filters={**request.filters, facet.name: facet.value}), actor=actor)
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
        search, due = dice.choice(["", "甲", "乙", "无"]), dice.choice(["", "overdue", "week", "later"])
        kind, person = dice.choice(["", "leave_note"]), dice.choice(["", cast.leader.actor.id])
        filters = {"kind": kind, "due": due}
        promised += require_opened(api.list_waiting, PageRequest(search=search, filters=filters, size=100), cast.leader.actor)
        filters |= {"state": dice.choice(["", "open", "closed", "suspended"]), "person": person, "part": dice.choice(["", "opened"])}
        for member in (cast.leader, cast.clerk):
            promised += require_opened(api.list_cases, PageRequest(search=search, filters=filters, size=100), member.actor)
    assert promised > 50
