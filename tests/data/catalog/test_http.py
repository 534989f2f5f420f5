from __future__ import annotations

from typing import Any

import pytest

from tests.api_caller import Caller
from tests.conftest import Cast
from tests.data import spine
from yunhe.data.catalog import api

pytestmark = pytest.mark.django_db


def contract(cast: Cast, **more: Any) -> dict[str, str]:
    given = {"title": "示范企业", "sharing": "conditional", "basis": "演示", "minimum": 1, "location": "/nowhere/a.csv", **more}
    return {"text": spine.CONTRACT.format(provider=cast.owner.code, **given)}


@pytest.fixture
def code(national: None, cast: Cast) -> str:
    answer = Caller(cast.steward).post("/resources", contract(cast))
    assert answer.status == 201, answer.body
    return str(answer.body["code"])


def test_a_contract_is_registered_as_a_draft(code: str, cast: Cast) -> None:
    found = Caller(cast.steward).get(f"/resources/{code}")
    assert found.status == 200
    assert (found.body["state"], found.body["version"], found.body["owner"]) == ("draft", 1, cast.owner.code)
    assert [one["name"] for one in found.body["contract"]["fields"]][:2] == ["uscc", "enterprise_name"]
    assert "nowhere" not in str(found.body)
    assert api.get_resource(code=code).title == "示范企业"


def test_the_same_contract_with_its_code_is_the_next_version_of_it(code: str, cast: Cast) -> None:
    text = contract(cast, title="示范企业名录")["text"].replace('code: ""', f"code: {code}")
    assert Caller(cast.steward).post("/resources", {"text": text}).body["code"] == code
    assert api.get_resource(code=code).title == "示范企业名录"


def test_a_draft_is_nobody_elses_business(code: str, cast: Cast) -> None:
    for stranger in (cast.clerk, cast.officer, cast.bureau_clerk):
        assert Caller(stranger).get(f"/resources/{code}").refusal == (404, "resource_not_found")
    assert Caller(cast.clerk).get("/resources").body["total"] == 0
    assert Caller(cast.steward).get("/resources").body["total"] == 1


@pytest.mark.parametrize("who", ["officer", "leader", "audit_admin"])
def test_who_may_not_write_is_refused(national: None, cast: Cast, who: str) -> None:
    assert Caller(getattr(cast, who)).post("/resources", contract(cast)).refusal == (403, "refused")
    assert Caller(None).get("/resources").refusal == (401, "not_signed_in")


def test_another_departments_steward_cannot_register_for_the_owner(national: None, cast: Cast) -> None:
    assert Caller(cast.clerk).post("/resources", contract(cast)).refusal == (403, "refused")


def test_every_problem_of_a_contract_has_its_place(national: None, cast: Cast) -> None:
    text = contract(cast)["text"].replace("sharing: conditional", "sharing: perhaps").replace("type: date", "type: day")
    answer = Caller(cast.steward, language="en").post("/resources", {"text": text})
    assert answer.refusal == (422, "contract_broken")
    assert "line" in answer.body["detail"] and len(answer.body["errors"]) == 2
    assert {one["where"].split(".")[-1] for one in answer.body["errors"]} == {"sharing", "type"}


def test_submitting_opens_the_review(code: str, cast: Cast) -> None:
    assert Caller(cast.clerk).post(f"/resources/{code}/submit").refusal[0] in (403, 404)
    assert Caller(cast.officer).post(f"/resources/{code}/submit").refusal == (403, "refused")
    answer = Caller(cast.steward).post(f"/resources/{code}/submit", {"note": "请审核"})
    assert answer.status == 200, answer.body
    assert answer.body["open_state"] == "in_review"
    assert Caller(cast.steward).post(f"/resources/{code}/submit").status == 409


def test_filters_search_and_pages(code: str, cast: Cast) -> None:
    caller = Caller(cast.steward)
    for query, total in (
        ({"q": "示范"}, 1),
        ({"q": "没有这个词"}, 0),
        ({"sharing": "conditional", "state": "draft", "personal": "false", "grade": "1"}, 1),
        ({"sharing": "refused"}, 0),
        ({"provider": cast.owner.code, "size": "1", "page": "2"}, 1),
    ):
        answer = caller.get("/resources", query)
        assert (answer.status, answer.body["total"]) == (200, total), query
    assert caller.get("/resources", {"size": "1", "page": "2"}).body["items"] == []
    assert {"name": "sharing", "value": "conditional", "label": "有条件共享", "count": 1} in caller.get("/resources").body["facets"]


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ({"provder": "x"}, "provder"), ({"sharing": "some"}, "sharing"), ({"page": "0"}, "page"),
        ({"page": str(10**30)}, "page"), ({"size": "501"}, "size"), ({"sort": "secret"}, "sort"), ({"personal": "maybe"}, "personal"),
        ({"q": "x" * 201}, "q"), ({"q": "a\x00"}, "q"), ({"grade": str(2**63)}, "grade"),
    ],
)  # fmt: skip
def test_a_wrong_query_says_where(cast: Cast, query: dict[str, str], word: str) -> None:
    answer = Caller(cast.steward).get("/resources", query)
    assert answer.status == 422
    assert word in answer.body["detail"]


def test_no_such_resource(national: None, cast: Cast) -> None:
    for code in ("300001/9999", "x/y", "长/短", "A" * 500 + "/1"):
        assert Caller(cast.steward).get(f"/resources/{code}").refusal == (404, "resource_not_found")
        assert Caller(cast.steward).post(f"/resources/{code}/submit").refusal == (404, "resource_not_found")
    assert Caller(cast.steward).get("/resources/300001").status == 404
