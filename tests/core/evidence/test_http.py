from __future__ import annotations

import pytest
from django.db import transaction

from tests.api_caller import Caller
from tests.conftest import Cast
from yunhe.core.evidence import api
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db


@pytest.fixture
def record(cast: Cast) -> str:
    with transaction.atomic():
        return api.append(
            kind="tests.looked", actor=cast.clerk.actor, subject_type="thing", subject_id="1", facts={"rows": 3},
            organization=cast.owner.code,
        )  # fmt: skip


def test_both_sides_of_an_act_see_it_and_nobody_else(record: str, cast: Cast) -> None:
    for member in (cast.clerk, cast.leader, cast.audit_admin):
        answer = Caller(member).get("/evidence", {"kind": "tests.looked"})
        assert [one["id"] for one in answer.body["items"]] == [record]
        assert answer.body["items"][0]["facts"] == {"rows": 3}
        assert "salt" not in answer.body["items"][0]
    assert Caller(cast.data_admin).get("/evidence", {"kind": "tests.looked"}).body["total"] == 0
    assert Caller(cast.officer).get("/evidence").refusal == (403, "refused")
    assert Caller(None).get("/evidence").refusal == (401, "not_signed_in")


def test_who_came_by_the_pages_and_who_by_the_api(cast: Cast) -> None:
    """What a request writes carries its door, also where no person acts yet."""
    caller = Caller(cast.audit_admin)
    caller.client.post("/login", {"username": "nobody", "password": "wrong"})
    with transaction.atomic():
        api.append(kind="tests.inside", actor=cast.clerk.actor, subject_type="thing", subject_id="1", facts={})
    seen = {one["kind"]: (one["via"], one["os_user"]) for one in caller.get("/evidence").body["items"]}
    assert seen["organizations.sign_in_failed"] == ("web", "")
    assert seen["tests.inside"] == ("", "")
    record = api.find(request=PageRequest(filters={"kind": "organizations.sign_in_failed"}), actor=cast.audit_admin.actor)
    page = caller.client.get(f"/evidence/{record.items[0].id}/").content.decode()
    assert "<dt>途径</dt><dd>网页</dd>" in page


def test_a_period(record: str, cast: Cast) -> None:
    caller = Caller(cast.leader)
    assert caller.get("/evidence", {"kind": "tests.looked", "since": "2000-01-01T00:00:00+08:00"}).body["total"] == 1
    assert caller.get("/evidence", {"kind": "tests.looked", "until": "2000-01-01T00:00:00+08:00"}).body["total"] == 0


@pytest.mark.parametrize(
    "instant",
    ["yesterday", "2026-01-01", "2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-13-01T00:00:00Z"],
)
def test_an_instant_that_is_none(cast: Cast, instant: str) -> None:
    for name in ("since", "until"):
        assert Caller(cast.leader).get("/evidence", {name: instant}).refusal == (422, "bad_evidence")


def test_the_page_too(cast: Cast) -> None:
    """The pages ask for days; the first day of all lies before the first instant that UTC knows."""
    client = Caller(cast.leader).client
    for day in ("0001-01-01", "9999-12-31", "yesterday", "2026-02-30"):
        assert client.get("/evidence/", {"since": day, "until": day}).status_code in (200, 422), day
