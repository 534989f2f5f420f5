from __future__ import annotations

from typing import Any

import pytest

from tests.api_caller import Caller
from tests.conftest import Cast
from tests.core.cases.kinds import SIMPLE, simple_kind
from yunhe.core.cases import api
from yunhe.core.cases.models import CaseRecord
from yunhe.kernel.actor import Actor

pytestmark = pytest.mark.django_db


def test_the_owner_acts_and_of_two_one_is_told(note: Any, cast: Cast) -> None:
    case = note(data={"amount": 7})
    leader = Caller(cast.leader)
    view = leader.get(f"/cases/{case.case_id}")
    assert (view.status, view.body["case"]["version"], view.body["case"]["data"]["amount"]) == (200, 1, 7)
    agree = next(one for one in view.body["actions"] if one["name"] == "agree")
    assert {one["name"]: one["required"] for one in agree["fields"]}["text"] is True
    path = f"/cases/{case.case_id}/actions/agree"
    body = {"data": {"text": "可以", "chosen": ["b"]}, "version": 1, "obligation_id": agree["obligation_id"]}
    assert leader.post(path, {**body, "data": {"text": "长" * 30}}).refusal == (422, "fields_invalid")
    assert leader.post(path, {**body, "data": {}}).refusal == (422, "fields_invalid")
    assert leader.post(path, {**body, "obligation_id": "none"}).refusal == (403, "action_not_offered")
    done = leader.post(path, body)
    assert (done.status, done.body["outcome"]) == (200, "agreed")
    assert leader.post(path, body).status in (403, 409)
    assert api.get_case(case_id=case.case_id).version == 2


def test_the_other_departments_clerk_cannot_see_the_case(note: Any, cast: Cast) -> None:
    case = note()
    stranger = Caller(cast.bureau_clerk)
    assert stranger.get(f"/cases/{case.case_id}").refusal == (404, "case_not_found")
    assert stranger.post(f"/cases/{case.case_id}/actions/agree", {"data": {"text": "可以"}}).refusal == (404, "case_not_found")
    assert stranger.get("/cases").body["total"] == 0
    assert Caller(cast.audit_admin).get("/cases").refusal == (403, "refused")
    assert Caller(None).get("/cases").refusal == (401, "not_signed_in")
    assert api.get_case(case_id=case.case_id).version == 1


def test_an_action_that_is_not_offered(note: Any, cast: Cast) -> None:
    case = note()
    assert Caller(cast.leader).post(f"/cases/{case.case_id}/actions/fly").refusal == (403, "action_not_offered")
    assert Caller(cast.leader).post("/cases/none/actions/agree").refusal == (404, "case_not_found")


def test_a_case_is_opened_found_and_operated_on_over_http(note: Any, cast: Cast, founder: Actor) -> None:
    api.publish_kind(spec=simple_kind(by_form=True), source="tests", actor=founder)
    clerk, leader = Caller(cast.clerk), Caller(cast.leader)
    asked = {"kind": "leave_note", "title": "一件", "data": {"amount": 3, "items": ["甲"]}, "owner": cast.owner.code, "request_key": "k-1"}
    made = clerk.post("/cases", asked)
    assert (made.status, made.body["state"], made.body["title"]) == (200, "open", "一件")
    assert clerk.post("/cases", asked).body["case_id"] == made.body["case_id"]  # the same submission
    assert clerk.post("/cases", {**asked, "request_key": "k-2", "data": {"amount": "x"}}).refusal == (422, "fields_invalid")
    assert clerk.post("/cases", {**asked, "kind": "nothing"}).refusal == (404, "case_kind_not_found")
    (line,) = (one for one in leader.get("/cases/waiting").body["items"] if one["case_id"] == made.body["case_id"])
    view = leader.get(f"/cases/{line['case_id']}").body
    item = next(one for one in view["obligations"] if one["obligation_id"] == line["obligation_id"])
    assert item["due"]["days"] and item["due"]["basis"] and item["due"]["at"]
    path = f"/cases/{line['case_id']}/operators"
    assert clerk.post(f"{path}/remind", {"data": {"reason": "请尽快"}}).status == 200
    assert clerk.post(f"{path}/suspend", {"data": {"reason": "x", "basis": "y"}}).refusal == (403, "action_not_offered")
    assert leader.post(f"{path}/suspend", {"data": {"reason": "等"}}).refusal == (422, "fields_invalid")
    told = {"data": {"reason": "等", "basis": "依据"}, "version": 1}  # only a reminder came after that
    assert leader.post(f"{path}/suspend", told).body["state"] == "suspended"
    assert leader.post(f"{path}/resume", {"data": {"reason": "到了"}, "version": 1}).refusal == (409, "case_changed")
    assert leader.get("/cases", {"state": "suspended"}).body["total"] == 1


def test_the_list_is_filtered_and_counted(note: Any, cast: Cast) -> None:
    case = note()
    leader = Caller(cast.leader)
    (line,) = leader.get("/cases", {"state": "open", "kind": case.kind, "sort": "-opened_at"}).body["items"]
    assert line["case_id"] == case.case_id
    assert leader.get("/cases", {"state": "closed"}).body["total"] == 0
    assert leader.get("/cases", {"part": "handled"}).body["total"] == 0
    assert {one["name"] for one in leader.get("/cases").body["facets"]} == {"kind", "state"}


def test_what_serves_the_rules_only_is_given_to_nobody(note: Any, cast: Cast, founder: Actor) -> None:
    fields = [*SIMPLE["fields"], {"name": "secret", "title": "内部", "internal": True, "shown": False}]
    api.publish_kind(spec=simple_kind(fields=fields), source="tests", actor=founder)
    case = note(data={"amount": 7})
    CaseRecord.objects.filter(pk=case.case_id).update(data={**case.data, "secret": "zqbirdqz", "gone": "zqbirdqz"})
    assert api.get_case(case_id=case.case_id).data["secret"] == "zqbirdqz"  # the rules have it
    leader = Caller(cast.leader)
    for path in (f"/cases/{case.case_id}", "/cases", "/cases/waiting"):
        body = leader.get(path).body
        assert case.number in str(body) and "zqbirdqz" not in str(body) and "secret" not in str(body), path
    assert leader.get(f"/cases/{case.case_id}").body["case"]["data"].keys() == {"amount", "days", "items", "answer"}
    done = leader.post(f"/cases/{case.case_id}/actions/agree", {"data": {"text": "可以"}})
    assert done.body["data"]["answer"] == "可以" and "secret" not in done.body["data"]
