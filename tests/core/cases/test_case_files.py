"""Files in the forms of cases: handed in with them, seen by exactly those who see the case."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from tests.api_caller import Caller
from tests.conftest import Cast, Member
from tests.core.attachments.samples import status
from tests.core.cases.form_kinds import publish, text
from tests.core.cases.test_pages import signed_in
from yunhe.core.attachments import api as attachments
from yunhe.core.attachments.errors import AttachmentNotFound, NotAttachable
from yunhe.core.cases import api
from yunhe.core.cases.errors import FieldsInvalid
from yunhe.core.cases.models import CaseRecord, PartyRecord

pytestmark = pytest.mark.django_db
OPEN = "/inbox/new/form_case/"
PAPERS = {"name": "papers", "title": "材料", "type": "attachments", "required": True, "max_items": 2}
PROOF = {"name": "proof", "title": "凭证", "type": "attachments"}


@pytest.fixture(autouse=True)
def _kind(cast: Cast) -> None:
    publish([text("place"), PAPERS], [text("answer"), PROOF])


def uploaded(member: Member, name: str = "平面图.txt") -> str:
    content = BytesIO("一层平面图".encode())
    return attachments.store_file(name=name, size=len(content.getvalue()), content=content, actor=member.actor, purpose="papers").id


def opened(cast: Cast, *ids: str) -> Any:
    return api.open_case(kind="form_case", title="一件", data={"papers": list(ids)}, actor=cast.clerk.actor, owner=cast.owner.code)


def test_a_plain_form_hands_files_in_and_the_case_lists_them(cast: Cast) -> None:
    client = signed_in(cast.clerk)
    assert 'enctype="multipart/form-data"' in client.get(OPEN).content.decode()
    file = SimpleUploadedFile("平面图.txt", "一层平面图".encode(), "text/plain")
    bad = SimpleUploadedFile("病.exe", b"MZ", "application/octet-stream")
    told = {"key": "K", "page": "P", "do-title": "一件", "do-owner": cast.owner.code}
    assert client.post(OPEN, told).status_code == 422  # a required file is missing
    refused = client.post(OPEN, {**told, "do-papers__file": [file, bad]})
    assert refused.status_code == 422 and "exe" in refused.content.decode()
    (kept,) = api.list_drafts(actor=cast.clerk.actor)[0].values["papers"]  # the good one is not lost
    done = client.post(OPEN, {**told, "do-papers": [kept]})
    assert done.status_code == 302
    page = signed_in(cast.steward).get(done["Location"]).content.decode()
    assert "平面图.txt" in page and "可用" in page and cast.clerk.actor.name in page and f"/attachments/{kept}/" in page
    assert api.list_drafts(actor=cast.clerk.actor) == ()


def test_who_sees_the_case_reads_its_files_and_nobody_else(cast: Cast) -> None:
    one = uploaded(cast.clerk)
    case = opened(cast, one)
    for member, sees in ((cast.clerk, True), (cast.steward, True), (cast.leader, True), (cast.bureau_clerk, False), (cast.audit_admin, False)):
        assert (status(signed_in(member).get(f"/attachments/{one}/")) == 200) == sees, member.username
        if not sees:
            assert status(signed_in(member).get(f"/attachments/{one}/")) == 404
            with pytest.raises(AttachmentNotFound):
                attachments.open_bytes(attachment_id=one, actor=member.actor)
        assert bool(attachments.list_for(subject_type="case", subject_id=case.case_id, actor=member.actor)) == sees
    assert attachments.list_for(subject_type="case", subject_id="01NOTHING", actor=cast.clerk.actor) == ()


def test_an_action_hands_its_own_in(cast: Cast) -> None:
    case = opened(cast, uploaded(cast.clerk))
    proof = uploaded(cast.steward, "凭证.txt")
    assert Caller(cast.steward).post(f"/cases/{case.case_id}/actions/finish", {"data": {"proof": [proof]}}).status == 200
    view = api.access_case(case_id=case.case_id, actor=cast.clerk.actor)
    assert [one.name for one in view.files] == ["平面图.txt", "凭证.txt"]
    assert [fact.value for event in view.events for fact in event.facts if fact.name == "proof"] == [[proof]]
    body = Caller(cast.clerk).get(f"/cases/{case.case_id}").body
    assert [one["name"] for one in body["files"]] == ["平面图.txt", "凭证.txt"]


def sent(caller: Caller, name: str, content: bytes, *, pieces: int = 2) -> str:
    """Upload a file as docs/api.md says it, in pieces, and return what its field takes."""
    spoken = {"Tus-Resumable": "1.0.0"}
    metadata = f"filename {base64.b64encode(name.encode()).decode()}"
    begun = caller.client.post("/attachments/uploads/", headers={**spoken, "Upload-Length": str(len(content)), "Upload-Metadata": metadata})
    assert begun.status_code == 201
    place, length = begun.headers["Location"], -(-len(content) // pieces)
    for start in range(0, len(content), length):
        assert caller.client.head(place, headers=spoken).headers["Upload-Offset"] == str(start)
        piece = {**spoken, "Upload-Offset": str(start)}
        answer = caller.client.patch(place, content[start : start + length], content_type="application/offset+octet-stream", headers=piece)
        assert answer.status_code == 204
    assert answer.headers["Upload-State"] == "ready"
    return str(place.rstrip("/").rpartition("/")[2])


def test_a_program_uploads_opens_and_acts_over_http_alone(cast: Cast) -> None:
    clerk, steward = Caller(cast.clerk), Caller(cast.steward)
    asked = {"kind": "form_case", "title": "一件", "owner": cast.owner.code}
    assert clerk.post("/cases", {**asked, "data": {}}).refusal == (422, "fields_invalid")  # a required file is missing
    papers = sent(clerk, "平面图.txt", "一层平面图".encode())
    made = clerk.post("/cases", {**asked, "data": {"papers": [papers]}})
    assert (made.status, made.body["data"]["papers"]) == (200, [papers])
    path = f"/cases/{made.body['case_id']}"
    (offered,) = (one for one in steward.get(path).body["actions"] if one["name"] == "finish")
    assert {"name": "proof", "type": "attachments"}.items() <= {k: v for one in offered["fields"] if one["name"] == "proof" for k, v in one.items()}.items()
    for strange in (papers, "01ARZ3NDEKTSV4RRFFQ69G5FAV"):  # used, and none
        assert steward.post(f"{path}/actions/finish", {"data": {"proof": [strange]}}).refusal == (409, "attachment_not_attachable")
    proof = sent(steward, "凭证.txt", "收讫".encode(), pieces=1)
    done = steward.post(f"{path}/actions/finish", {"data": {"proof": [proof]}, "version": made.body["version"]})
    assert (done.status, done.body["state"]) == (200, "closed")
    files = {one["id"]: (one["name"], one["state"]) for one in clerk.get(path).body["files"]}
    assert files == {papers: ("平面图.txt", "ready"), proof: ("凭证.txt", "ready")}
    answer = clerk.client.get(f"/attachments/{proof}/")
    assert b"".join(answer.streaming_content) == "收讫".encode()


def test_the_description_says_how_a_file_is_named(cast: Cast) -> None:
    described = Caller(cast.clerk).client.get("/api/v1/openapi.json").json()["components"]["schemas"]
    for name in ("ActIn", "OpenIn", "ActionFieldOut"):
        assert "attachments" in described[name]["description"], name


def test_a_file_that_is_another_s_is_refused_like_none_and_ones_own_used_one_by_its_name(cast: Cast) -> None:
    mine, theirs = uploaded(cast.clerk), uploaded(cast.steward)
    opened(cast, mine)
    said = set()
    for one in (mine, theirs, "01ARZ3NDEKTSV4RRFFQ69G5FAV"):
        with pytest.raises(NotAttachable) as refused:
            opened(cast, one)
        said.add(refused.value.say("zh").replace(one, "ID"))
        assert ("平面图.txt”已经提交过" in refused.value.say("zh")) == (one == mine)
        page = signed_in(cast.clerk).post(OPEN, {"key": "K", "do-title": "一件", "do-owner": cast.owner.code, "do-papers": [one]})
        assert page.status_code == 422
    assert len(said) == 2 and CaseRecord.objects.count() == 1
    assert attachments.access_draft(attachment_id=theirs, actor=cast.steward.actor).is_draft


@pytest.mark.parametrize("junk", [["x"], "x", [1], [["01ARZ3NDEKTSV4RRFFQ69G5FAV"]], {"a": 1}, ["01ARZ3NDEKTSV4RRFFQ69G5FAV"] * 2, ["../../etc"], list("abc")])
def test_what_is_no_list_of_files_is_said_at_its_field(cast: Cast, junk: Any) -> None:
    with pytest.raises(FieldsInvalid) as refused:
        api.open_case(kind="form_case", title="一件", data={"papers": junk}, actor=cast.clerk.actor, owner=cast.owner.code)
    assert {p.field for p in refused.value.problems} == {"papers"}


def test_a_part_has_the_files_of_the_whole_that_its_form_took_over(cast: Cast) -> None:
    plan, note = uploaded(cast.clerk), uploaded(cast.clerk, "说明.txt")
    case = opened(cast, plan)
    with transaction.atomic():
        attachments.attach(ids=[note], subject_type="case", subject_id=case.case_id, actor=cast.clerk.actor)
    first, second = api.split(case_id=case.case_id, titles=["甲", "乙"], reason="分办", actor=cast.steward.actor)
    parts = api.split(case_id=first.case_id, titles=["丙", "丁"], reason="再分", actor=cast.steward.actor)
    for part in (first, second, *parts):
        assert [one.id for one in api.access_case(case_id=part.case_id, actor=cast.steward.actor).files] == [plan]
    page = signed_in(cast.steward).get(f"/inbox/cases/{second.case_id}/").content.decode()
    assert "平面图.txt" in page and f"/attachments/{plan}/" in page
    seen = {"kind_code": second.kind, "state": second.state, "opened_at": second.opened_at}
    PartyRecord.objects.create(
        case_id=second.case_id, part="handler", organization=cast.bureau.code, person=cast.bureau_clerk.actor.id, **seen
    )
    reader = signed_in(cast.bureau_clerk)  # who sees one part only reads what is in it
    assert (status(reader.get(f"/attachments/{plan}/")), status(reader.get(f"/attachments/{note}/"))) == (200, 404)
    assert signed_in(cast.audit_admin).get(f"/attachments/{plan}/").status_code == 404
