"""Lists ask the database as often for one row as for many of many kinds and organisations; so does a step."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import Cast
from tests.core.cases.kinds import simple_kind
from yunhe.core.cases import api
from yunhe.core.cases.types import KindSpec
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db


def asked(call: Any) -> tuple[int, Any]:
    """Return how many queries a call made, and what it returned."""
    with CaptureQueriesContext(connection) as queries:
        result = call()
    return len(queries), result


def test_lists_ask_the_same_number_of_queries_for_one_case_and_for_many(note: Any, cast: Cast, founder: Actor) -> None:
    note()
    inbox = PageRequest(size=100)
    lists = {
        "waiting": lambda: api.list_waiting(request=inbox, actor=cast.leader.actor),
        "cases": lambda: api.list_cases(request=inbox, actor=cast.leader.actor),
        "open cases": lambda: api.list_cases(request=PageRequest(size=100, filters={"state": "open"}), actor=cast.leader.actor),
    }
    first = {name: asked(call) for name, call in lists.items()}
    for number in range(12):
        api.publish_kind(spec=simple_kind(code=f"note_{number}", prefix="QT"), source="tests", actor=founder)
        applicant = organizations.find_organization(code=[cast.other, cast.bureau, cast.owner][number % 3].code)
        who = [cast.clerk, cast.bureau_clerk, cast.steward][number % 3].actor
        data = {"amount": 1, "items": ["a"]}
        api.open_case(kind=f"note_{number}", title=f"请示 {number}", data=data, actor=who, owner=cast.owner.code, organization=applicant.code)
    for name, call in lists.items():
        count, page = asked(call)
        assert page.total == first[name][1].total + 12, name
        assert len({item.kind for item in page.items}) == 13, name
        assert count <= first[name][0] + (name == "waiting"), f"{name}: {first[name][0]} queries for one case, {count} for 13"


def test_a_case_asks_the_same_number_of_queries_however_much_is_open_in_it(cast: Cast, founder: Actor) -> None:
    """One body owes three things in one case and thirty in another; both are opened by who owes them and by who supervises."""
    counts = {}
    for count in (3, 30):
        body: dict[str, Any] = simple_kind(code=f"many_{count}", prefix="QM").model_dump(mode="json")
        body["start"] += [body["start"][0]] * (count - 1)
        body["operators"] = ["hand_on", "add_reviewer", "send_back", "retract", "remind", "escalate", "suspend", "extend", "merge", "split"]
        api.publish_kind(spec=KindSpec.model_validate(body), source="tests", actor=founder)
        data = {"amount": 1, "items": ["a"]}
        told = api.open_case(kind=f"many_{count}", title="请示", data=data, actor=cast.clerk.actor, owner=cast.owner.code)
        for member in (cast.leader, cast.data_admin):
            queries, view = asked(lambda: api.access_case(case_id=told.case_id, actor=member.actor))  # noqa: B023
            assert len(view.obligations) == count
            counts[count, member.username] = queries
        assert sum(one.name == "add_reviewer" for one in api.access_case(case_id=told.case_id, actor=cast.leader.actor).operators) == count
    for member in (cast.leader, cast.data_admin):
        assert counts[30, member.username] == counts[3, member.username], counts


def test_a_search_asks_the_names_of_bodies_and_of_people_once(note: Any, cast: Cast) -> None:
    note()
    with CaptureQueriesContext(connection) as told:
        organizations.list_names()
        organizations.find_names()
    wanted = [one["sql"] for one in told]
    for name, call in {"cases": api.list_cases, "waiting": api.list_waiting}.items():
        with CaptureQueriesContext(connection) as queries:
            page = call(request=PageRequest(search="市场监管 请示"), actor=cast.leader.actor)
        sent = [one["sql"] for one in queries]
        assert page.total == 1 and [sent.count(one) for one in wanted] == [1, 1], (name, sent)


def test_what_goes_on_is_what_the_whole_list_says(note: Any, cast: Cast) -> None:
    opened = [note(title=f"请示 {number}") for number in range(4)]
    for case in opened[:2]:
        api.act(case_id=case.case_id, action="agree", data={"text": "同意"}, actor=cast.leader.actor)
    for member in (cast.leader, cast.clerk, cast.officer, cast.data_admin, cast.system_admin, cast.bureau_clerk):
        everything = api.list_cases(request=PageRequest(size=100), actor=member.actor)
        going_on = api.list_cases(request=PageRequest(size=100, filters={"state": "open"}), actor=member.actor)
        closed = api.list_cases(request=PageRequest(size=100, filters={"state": "closed"}), actor=member.actor)
        assert {one.case_id for one in going_on.items} == {one.case_id for one in everything.items if one.state == "open"}
        assert going_on.total == len(going_on.items)
        assert closed.total == len(closed.items) == everything.total - going_on.total


def test_a_step_asks_the_same_number_of_queries_however_long_the_case_is(note: Any, cast: Cast) -> None:
    case = note()
    counts = []
    for _ in range(8):
        back, _ = asked(lambda: api.act(case_id=case.case_id, action="back", data={}, actor=cast.leader.actor))
        resent, _ = asked(lambda: api.act(case_id=case.case_id, action="resend", data={}, actor=cast.clerk.actor))
        counts.append((back, resent))
    assert len(set(counts[1:])) == 1, counts
    assert counts[-1] <= (21, 14), counts  # the first of the two also tells the person whose turn it is
