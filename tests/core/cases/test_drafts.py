"""Drafts follow the person, not the browser; nothing that was filled in gets lost without a word."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from tests.conftest import Cast, Member
from tests.core.cases.form_kinds import publish, text
from tests.core.cases.test_pages import signed_in
from yunhe.core.attachments import api as attachments
from yunhe.core.cases import api
from yunhe.core.cases.api import drafts
from yunhe.core.cases.api.drafts import KEEP_ENDED
from yunhe.core.cases.errors import ActionNotOffered, DraftNotFound, DraftTooLarge, KindNotFound, TooManyDrafts
from yunhe.core.cases.models import CaseRecord, DraftRecord
from yunhe.core.cases.types import Case
from yunhe.core.evidence.models import EvidenceRow
from yunhe.core.organizations.models import Membership
from yunhe.kernel.actor import job_actor
from yunhe.kernel.clock import FrozenClock, now

pytestmark = pytest.mark.django_db
OPEN = "/inbox/new/form_case/"
FIELDS = [
    text("place", required=True),
    text("note"),
    {"name": "sure", "title": "确定", "type": "boolean"},
    {"name": "papers", "title": "材料", "type": "attachments"},
]


@pytest.fixture
def kind(cast: Cast) -> None:
    publish(FIELDS, [text("answer", required=True), text("remark")])


def filled(**more: Any) -> dict[str, Any]:
    return {"key": "ONE", "page": "P1", "do-title": "一件", "do-place": "解放路", "do-note": "靠边", **more}


def stamps(page: str) -> dict[str, str]:
    """Return what a form says of the page it is on and of the draft it was drawn from."""
    return {name: re.findall(rf'name="{name}" value="([^"]*)"', page)[0] for name in ("page", "made_from")}


def kept_by(member: Member) -> tuple[Any, ...]:
    return api.list_drafts(actor=member.actor)


def opened(cast: Cast, **data: Any) -> Case:
    return api.open_case(kind="form_case", title="一件", data={"place": "x", **data}, actor=cast.clerk.actor, owner=cast.owner.code)


@pytest.mark.usefixtures("kind")
def test_a_form_is_kept_by_its_button_and_goes_on_in_another_browser(cast: Cast) -> None:
    saved = signed_in(cast.clerk).post(OPEN, filled(step="save"))
    assert saved.status_code == 302
    other = signed_in(cast.clerk)
    assert "有 1 份表单没有提交" in other.get("/inbox/").content.decode()
    listed = other.get("/inbox/new/").content.decode()
    assert "一件" in listed and saved["Location"].split("?")[1] in listed
    again = other.get(saved["Location"]).content.decode()
    assert 'value="一件"' in again and 'value="解放路"' in again and "保存于" in again
    (draft,) = kept_by(cast.clerk)
    assert draft.values == {"title": "一件", "place": "解放路", "note": "靠边"}
    done = other.post(OPEN, {**filled(), "do-owner": cast.owner.code})
    assert done.status_code == 302 and "/inbox/cases/" in done["Location"]
    assert kept_by(cast.clerk) == ()
    assert "份表单没有提交" not in other.get("/inbox/").content.decode()


@pytest.mark.usefixtures("kind")
def test_leaving_keeps_a_form_and_so_does_a_refusal(cast: Cast) -> None:
    client = signed_in(cast.clerk)
    assert client.post(OPEN, filled(step="leave")).status_code == 204
    assert client.post(OPEN, filled(step="leave", **{"do-note": "后来"})).status_code == 204
    (draft,) = kept_by(cast.clerk)
    assert draft.values["note"] == "后来"
    refused = client.post(OPEN, filled(key="TWO", **{"do-place": "", "do-note": "没填地点"}))
    assert refused.status_code == 422
    assert {one.values.get("note") for one in kept_by(cast.clerk)} == {"后来", "没填地点"}


@pytest.mark.usefixtures("kind")
def test_another_s_draft_sounds_like_none(cast: Cast) -> None:
    signed_in(cast.clerk).post(OPEN, filled(step="save"))
    (draft,) = kept_by(cast.clerk)
    for member in (cast.steward, cast.officer):
        other = signed_in(member)
        mine, none = f"{OPEN}?draft={draft.draft_id}", f"{OPEN}?draft=01ARZ3NDEKTSV4RRFFQ69G5FAV"
        for address in (mine, none, f"/inbox/drafts/{draft.draft_id}/discard/", "/inbox/drafts/01ARZ3NDEKTSV4RRFFQ69G5FAV/discard/"):
            assert other.get(address).status_code == 404, address
        assert other.post(f"/inbox/drafts/{draft.draft_id}/discard/").status_code == 404
        assert kept_by(member) == ()
        with pytest.raises(DraftNotFound):
            api.access_draft(draft_id=draft.draft_id, actor=member.actor)
        shown = other.post(OPEN, {"key": "ONE", "step": "refresh"}).content.decode()  # the same key gives nobody anything
        assert "解放路" not in shown
        other.post(OPEN, {**filled(step="save"), "do-place": "别处"})
    assert kept_by(cast.clerk)[0].values["place"] == "解放路"
    elsewhere = replace(cast.clerk.actor, organization=cast.owner.code)
    assert api.list_drafts(actor=elsewhere) == ()


@pytest.mark.usefixtures("kind")
def test_what_a_new_version_no_longer_asks_for_is_said_and_shown(cast: Cast) -> None:
    client = signed_in(cast.clerk)
    address = client.post(OPEN, filled(step="save"))["Location"]
    publish([text("place", required=True), text("fresh")])
    page = client.get(address).content.decode()
    assert "有了新的版本" in page and 'value="解放路"' in page and 'name="do-fresh"' in page
    assert "不再需要" in page and "字段note" in page and "靠边" in page and 'name="do-note"' not in page
    older = client.post(OPEN, {**filled(), "do-owner": cast.owner.code})  # a page that was drawn before
    assert older.status_code == 200 and "有了新的版本" in older.content.decode() and "靠边" in older.content.decode()
    shown = {name: value for name, value in filled().items() if name != "do-note"}
    assert client.post(OPEN, {**shown, "do-owner": cast.owner.code}).status_code == 302


@pytest.mark.usefixtures("kind")
def test_the_form_of_an_action_is_kept_and_goes_with_it(cast: Cast) -> None:
    case = opened(cast)
    (finish,) = api.access_case(case_id=case.case_id, actor=cast.steward.actor).actions
    address = f"/inbox/cases/{case.case_id}/{finish.obligation_id}/finish/"
    client = signed_in(cast.steward)
    assert client.post(address, {"page": "P1", "do-remark": "想一想", "step": "save", "version": "1"}).status_code == 302
    (draft,) = kept_by(cast.steward)
    assert (draft.case_number, draft.action, draft.values) == (case.number, "finish", {"remark": "想一想"})
    shown = signed_in(cast.steward).get(f"/inbox/cases/{case.case_id}/?ob={finish.obligation_id}&act=finish").content.decode()
    assert 'value="想一想"' in shown
    assert "想一想" not in signed_in(cast.leader).get(f"/inbox/cases/{case.case_id}/?ob={finish.obligation_id}&act=finish").content.decode()
    sent = {**stamps(shown), "do-answer": "可以", "do-remark": "想一想", "version": "1"}
    assert client.post(address, sent).status_code == 302
    assert kept_by(cast.steward) == ()


@pytest.mark.usefixtures("kind")
def test_a_draft_whose_work_another_did_says_so(cast: Cast) -> None:
    case = opened(cast)
    (finish,) = api.access_case(case_id=case.case_id, actor=cast.steward.actor).actions
    api.keep_action(case_id=case.case_id, obligation_id=finish.obligation_id, action="finish", values={"answer": "想"}, actor=cast.steward.actor)
    api.act(case_id=case.case_id, action="finish", data={"answer": "办了"}, actor=cast.leader.actor)
    (draft,) = kept_by(cast.steward)
    assert not draft.is_open
    assert "已不需办理" in signed_in(cast.steward).get("/inbox/new/").content.decode()
    with pytest.raises(ActionNotOffered):
        api.keep_action(case_id=case.case_id, obligation_id=finish.obligation_id, action="finish", values={"answer": "又"}, actor=cast.steward.actor)


@pytest.mark.usefixtures("kind")
def test_discarding_asks_and_frees_the_files(cast: Cast) -> None:
    client = signed_in(cast.clerk)
    file = SimpleUploadedFile("图.txt", "平面图".encode(), "text/plain")
    client.post(OPEN, filled(step="save", **{"do-papers__file": file}))
    (draft,) = kept_by(cast.clerk)
    (kept,) = draft.values["papers"]
    assert attachments.access_draft(attachment_id=kept, actor=cast.clerk.actor).name == "图.txt"
    address = f"/inbox/drafts/{draft.draft_id}/discard/"
    assert "不能恢复" in client.get(address).content.decode() and kept_by(cast.clerk)
    assert client.post(address).status_code == 302
    assert kept_by(cast.clerk) == () and attachments.find_drafts(ids=[kept], actor=cast.clerk.actor) == ()


def test_what_nobody_asks_for_any_more_is_swept_with_its_files(cast: Cast, clock: FrozenClock) -> None:
    papers = {"name": "papers", "title": "材料", "type": "attachments"}
    Membership.objects.update(valid_from=date(2026, 1, 1))  # the clock stands on an earlier day
    publish(FIELDS, [text("answer", required=True), papers])
    file = attachments.store_file(name="图.txt", size=3, content=BytesIO(b"abc"), actor=cast.steward.actor)
    case, going_on = opened(cast), opened(cast)
    for one in (case, going_on):
        (finish,) = api.access_case(case_id=one.case_id, actor=cast.steward.actor).actions
        values = {"answer": "想", "papers": [file.id, "x"] if one is case else []}
        api.keep_action(case_id=one.case_id, obligation_id=finish.obligation_id, action="finish", values=values, actor=cast.steward.actor)
    api.keep_opening(kind="form_case", scope="S", values={"place": "x"}, actor=cast.steward.actor)
    api.act(case_id=case.case_id, action="finish", data={"answer": "办了"}, actor=cast.leader.actor)
    head = job_actor("cases.sweep_drafts")
    clock.move_to(now() + KEEP_ENDED)
    assert api.sweep_drafts(actor=head) == 0  # to the second a week: still there to copy from
    clock.move_to(now() + timedelta(seconds=1))
    assert (api.sweep_drafts(actor=head), api.sweep_drafts(actor=head)) == (1, 0)
    assert {draft.case_id for draft in kept_by(cast.steward)} == {going_on.case_id, ""}
    assert attachments.find_drafts(ids=[file.id], actor=cast.steward.actor) == ()
    kept = EvidenceRow.objects.get(kind="case.draft_swept")
    told = json.loads(kept.facts_text)
    assert (told["case"], told["files"], told["person"]) == (case.case_id, 1, cast.steward.actor.id) and "想" not in kept.facts_text
    assert EvidenceRow.objects.filter(kind="attachments.deleted").count() == 1


@pytest.mark.usefixtures("kind")
def test_files_that_were_cleaned_away_are_said(cast: Cast) -> None:
    client = signed_in(cast.clerk)
    file = SimpleUploadedFile("图.txt", "平面图".encode(), "text/plain")
    address = client.post(OPEN, filled(step="save", **{"do-papers__file": file}))["Location"]
    (kept,) = kept_by(cast.clerk)[0].values["papers"]
    attachments.delete_draft(attachment_id=kept, actor=cast.clerk.actor)
    assert "有 1 个文件存放过久" in client.get(address).content.decode()


@pytest.mark.usefixtures("kind")
def test_a_form_sent_and_gone_back_to_becomes_another_one(cast: Cast) -> None:
    client = signed_in(cast.clerk)
    assert client.post(OPEN, {**filled(), "do-owner": cast.owner.code}).status_code == 302
    client.post(OPEN, filled(step="leave", **{"do-note": "第二件"}))
    (draft,) = kept_by(cast.clerk)
    assert draft.scope != "ONE"  # else sending it would give back the first case
    second = client.post(OPEN, {**filled(key=draft.scope), "do-owner": cast.owner.code})
    assert second.status_code == 302 and CaseRecord.objects.count() == 2


@pytest.mark.usefixtures("kind")
def test_drafts_are_bounded(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def keep(scope: str, values: Any) -> Any:
        return api.keep_opening(kind="form_case", scope=scope, values=values, actor=cast.clerk.actor)

    monkeypatch.setattr(drafts, "MOST_DRAFTS", 2)
    keep("a", {"place": "1"})
    keep("b", {"place": "1"})
    keep("a", {"place": "2"})
    with pytest.raises(TooManyDrafts):
        keep("c", {"place": "1"})
    with pytest.raises(DraftTooLarge):
        keep("a", {"place": "长" * 400_000})
    with pytest.raises(DraftTooLarge):
        keep("a", {"place": float("nan")})
    with pytest.raises(KindNotFound):
        api.keep_opening(kind="form_case", scope="d", values={}, actor=cast.audit_admin.actor)
    assert DraftRecord.objects.count() == 2


def two_pages(cast: Cast) -> tuple[Any, str, dict[str, str], dict[str, str]]:
    """Return a client, a draft's address, and the stamps of two pages that show the draft as it was first kept."""
    client = signed_in(cast.clerk)
    address = client.post(OPEN, filled(step="save"))["Location"]
    office, phone = (stamps(signed_in(cast.clerk).get(address).content.decode()) for _ in range(2))
    return client, address, office, phone


@pytest.mark.usefixtures("kind")
def test_a_page_left_open_elsewhere_never_overwrites_a_newer_draft(cast: Cast) -> None:
    client, address, office, phone = two_pages(cast)
    client.post(OPEN, filled(step="save", **phone, **{"do-place": "手机上改的"}))
    for note in ("办公室", "办公室又写"):  # the same page leaves twice: one text beside, the last
        assert client.post(OPEN, filled(step="leave", **office, **{"do-note": note})).status_code == 204
    own, beside = {one.beside: one for one in kept_by(cast.clerk)}[""], {one.beside: one for one in kept_by(cast.clerk)}["ONE"]
    assert (own.values["place"], own.values["note"]) == ("手机上改的", "靠边") and len(kept_by(cast.clerk)) == 2
    assert (beside.values["place"], beside.values["note"]) == ("解放路", "办公室又写")
    listed = client.get("/inbox/new/").content.decode()
    assert "另一处未保存的内容" in listed and f"/inbox/drafts/{beside.draft_id}/" in listed
    form = client.get(address).content.decode()
    assert 'value="手机上改的"' in form and "办公室又写" in form and f"/inbox/drafts/{beside.draft_id}/" in form
    client.post(OPEN, filled(step="leave", **phone, **{"do-place": "手机上再改"}))  # the newer page goes on as before
    assert {one.values["place"] for one in kept_by(cast.clerk)} == {"手机上再改", "解放路"}


@pytest.mark.usefixtures("kind")
def test_saving_from_an_older_page_says_so_and_leaves_the_choice(cast: Cast) -> None:
    client, _address, office, phone = two_pages(cast)
    client.post(OPEN, filled(step="save", **phone, **{"do-place": "手机上改的", "do-sure": "on"}))
    saved = client.post(OPEN, filled(step="save", **office, **{"do-place": "办公室改的"}))
    page = client.get(saved["Location"]).content.decode()
    assert "在别处保存过更新的草稿" in page and "手机上改的" in page and "办公室改的" in page
    assert "字段place" in page and "确定" in page and "字段note" not in page  # what is the same in both is not listed
    taken = client.post(saved["Location"])
    form = client.get(taken["Location"]).content.decode()
    assert 'value="办公室改的"' in form and stamps(form)["made_from"] == office["page"]
    assert "手机上改的" in form  # and the other one now stands beside
    english = signed_in(cast.clerk)
    english.cookies["yunhe_language"] = "en"
    (beside,) = [one for one in kept_by(cast.clerk) if one.beside]
    told = english.get(f"/inbox/drafts/{beside.draft_id}/").content.decode()
    assert "Use this one" in told and "Field place" in told
    assert client.post(f"/inbox/drafts/{beside.draft_id}/discard/").status_code == 302
    assert [one.values["place"] for one in kept_by(cast.clerk)] == ["办公室改的"]


@pytest.mark.usefixtures("kind")
def test_handing_in_an_older_page_keeps_the_newer_draft(cast: Cast) -> None:
    client, _address, office, phone = two_pages(cast)
    client.post(OPEN, filled(step="save", **phone, **{"do-place": "手机上改的"}))
    client.post(OPEN, filled(step="leave", **office, **{"do-place": "办公室改的"}))
    done = client.post(OPEN, {**filled(**office, **{"do-place": "办公室交的"}), "do-owner": cast.owner.code})
    assert done.status_code == 302 and "/inbox/cases/" in done["Location"]
    assert "在别处保存过更新的草稿" in client.get(done["Location"]).content.decode()
    (newer,) = kept_by(cast.clerk)  # what the page itself had left beside went with it
    assert newer.values["place"] == "手机上改的"
    taken = client.post(f"/inbox/drafts/{newer.draft_id}/")
    second = stamps(client.get(taken["Location"]).content.decode())
    (own,) = kept_by(cast.clerk)
    again = client.post(OPEN, {**filled(**second), "key": own.scope, "do-owner": cast.owner.code})
    assert again["Location"] != done["Location"] and CaseRecord.objects.count() == 2 and kept_by(cast.clerk) == ()


@pytest.mark.usefixtures("kind")
def test_a_refused_older_page_becomes_the_form_and_the_newer_draft_stays(cast: Cast) -> None:
    client, _address, office, phone = two_pages(cast)
    client.post(OPEN, filled(step="save", **phone, **{"do-place": "手机上改的"}))
    refused = client.post(OPEN, filled(**office, **{"do-place": "", "do-note": "办公室"}))
    page = refused.content.decode()
    assert refused.status_code == 422 and "手机上改的" in page and stamps(page)["page"] == office["page"]
    assert {(one.values.get("place"), one.beside) for one in kept_by(cast.clerk)} == {(None, ""), ("手机上改的", "ONE")}


@pytest.mark.usefixtures("kind")
def test_two_tabs_with_the_form_of_one_action_keep_both_texts(cast: Cast) -> None:
    case = opened(cast)
    (finish,) = api.access_case(case_id=case.case_id, actor=cast.steward.actor).actions
    here = f"/inbox/cases/{case.case_id}/?ob={finish.obligation_id}&act=finish"
    address = f"/inbox/cases/{case.case_id}/{finish.obligation_id}/finish/"
    client = signed_in(cast.steward)
    first, second = (stamps(client.get(here).content.decode()) for _ in range(2))  # nothing was kept yet
    assert client.post(address, {**first, "do-answer": "第一处", "step": "leave"}).status_code == 204
    assert client.post(address, {**second, "do-answer": "第二处", "step": "leave"}).status_code == 204
    assert {(one.values["answer"], bool(one.beside)) for one in kept_by(cast.steward)} == {("第一处", False), ("第二处", True)}
    shown = client.get(here).content.decode()
    assert 'value="第一处"' in shown and "第二处" in shown
    saved = client.post(address, {**second, "do-answer": "第二处再写", "step": "save"})
    assert "在别处保存过更新的草稿" in client.get(saved["Location"]).content.decode()
    (beside,) = [one for one in kept_by(cast.steward) if one.beside]
    assert client.post(f"/inbox/drafts/{beside.draft_id}/")["Location"].startswith(here)
    assert 'value="第二处再写"' in client.get(here).content.decode()
    api.act(case_id=case.case_id, action="finish", data={"answer": "办了"}, actor=cast.leader.actor)
    (left,) = [one for one in kept_by(cast.steward) if one.beside]
    assert "第一处" in client.get(f"/inbox/drafts/{left.draft_id}/").content.decode()  # still there to copy from


@pytest.mark.usefixtures("kind")
def test_a_file_that_both_texts_name_stays_until_the_last_is_discarded(cast: Cast) -> None:
    client = signed_in(cast.clerk)
    file = SimpleUploadedFile("图.txt", "平面图".encode(), "text/plain")
    client.post(OPEN, filled(step="save", **{"do-papers__file": file}))
    (kept,) = kept_by(cast.clerk)[0].values["papers"]
    client.post(OPEN, filled(step="leave", page="P2", **{"do-papers": [kept], "do-note": "另一处"}))
    own, beside = sorted(kept_by(cast.clerk), key=lambda one: one.beside)
    assert "图.txt" not in client.get(f"/inbox/drafts/{beside.draft_id}/").content.decode()  # the same in both
    client.post(f"/inbox/drafts/{beside.draft_id}/discard/")
    assert attachments.find_drafts(ids=[kept], actor=cast.clerk.actor)
    client.post(f"/inbox/drafts/{own.draft_id}/discard/")
    assert not attachments.find_drafts(ids=[kept], actor=cast.clerk.actor)
