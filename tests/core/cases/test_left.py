"""A form whose step went to somebody else meanwhile: it is said who did what, and nothing that was typed gets lost."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.conftest import Cast
from tests.core.cases.form_kinds import publish, text
from tests.core.cases.test_pages import signed_in
from yunhe.core.cases import api
from yunhe.core.cases.models import DraftRecord
from yunhe.core.cases.types import Case
from yunhe.core.organizations.models import Membership
from yunhe.kernel.actor import Actor

pytestmark = pytest.mark.django_db
TYPED = "另一页写的很长的理由"


def address_of(case: Case, actor: Actor, action: str) -> str:
    offered = next(one for one in api.access_case(case_id=case.case_id, actor=actor).actions if one.name == action)
    return f"/inbox/cases/{case.case_id}/{offered.obligation_id}/{action}/"


def shown_texts(page: str) -> list[str]:
    return re.findall(r"<textarea[^>]* readonly>([^<]*)</textarea>", page)


def test_a_colleague_was_quicker(note: Any, cast: Cast) -> None:
    case, mine = note(), signed_in(cast.leader)
    address = address_of(case, cast.leader.actor, "agree")
    obligation_id = address.split("/")[4]
    mine.get(f"/inbox/?case={case.case_id}&ob={obligation_id}&act=agree")
    api.act(case_id=case.case_id, action="agree", data={"text": "先办的"}, actor=cast.leader.actor)
    answer = mine.post(address, {"do-text": TYPED, "version": "1", "page": "P1"})
    page = answer.content.decode()
    assert answer.status_code == 409 and "没有权限" not in page
    assert shown_texts(page) == [TYPED] and "没有提交：同意" in page and "您填写期间的办理" in page
    assert f"{cast.leader.actor.name} 同意" in page and "先办的" in page
    (draft,) = api.list_drafts(actor=cast.leader.actor)
    assert draft.values == {"text": TYPED} and not draft.is_open
    listed = mine.get("/inbox/new/").content.decode()
    assert "已不需办理" in listed and f"/inbox/drafts/{draft.draft_id}/" in listed
    assert shown_texts(mine.get(f"/inbox/drafts/{draft.draft_id}/").content.decode()) == [TYPED]
    mine.cookies["yunhe_language"] = "en"
    english = mine.post(address, {"do-text": TYPED, "version": "1", "page": "P1"})
    assert english.status_code == 409 and "This case is closed." in english.content.decode()
    assert len(api.list_drafts(actor=cast.leader.actor)) == 1
    assert mine.get(address).status_code == 302


def test_the_same_text_pressed_twice_is_no_draft(note: Any, cast: Cast) -> None:
    case, mine = note(), signed_in(cast.leader)
    address = address_of(case, cast.leader.actor, "agree")
    sent = {"do-text": "好的", "version": "1", "page": "P1"}
    assert [mine.post(address, sent).status_code for _ in range(2)] == [302, 409]
    assert api.list_drafts(actor=cast.leader.actor) == ()


def test_what_is_left_by_closing_the_page_is_kept_too(note: Any, cast: Cast) -> None:
    case, mine = note(), signed_in(cast.leader)
    address = address_of(case, cast.leader.actor, "agree")
    api.act(case_id=case.case_id, action="back", data={}, actor=cast.leader.actor)
    assert mine.post(address, {"do-text": TYPED, "version": "1", "page": "P1", "step": "leave"}).status_code == 204
    saved = mine.post(address, {"do-text": TYPED, "version": "1", "page": "P1", "step": "save"})
    assert saved.status_code == 409 and shown_texts(saved.content.decode()) == [TYPED]
    assert [one.values for one in api.list_drafts(actor=cast.leader.actor)] == [{"text": TYPED}]


def test_the_case_was_suspended_and_goes_on(note: Any, cast: Cast) -> None:
    case, mine = note(), signed_in(cast.leader)
    address = address_of(case, cast.leader.actor, "agree")
    api.suspend(case_id=case.case_id, basis="法律第十条", reason="等鉴定", actor=cast.leader.actor)
    answer = mine.post(address, {"do-text": TYPED, "version": "1", "page": "P1"})
    page = answer.content.decode()
    assert answer.status_code == 409 and "办件已中止" in page and "法律第十条" in page and shown_texts(page) == [TYPED]
    obligation_id = address.split("/")[4]
    asked = f"/inbox/cases/{case.case_id}/?ob={obligation_id}&act=agree"
    assert shown_texts(mine.get(asked).content.decode()) == [TYPED]
    assert TYPED not in signed_in(cast.clerk).get(asked).content.decode()
    api.resume(case_id=case.case_id, reason="好了", actor=cast.leader.actor)
    assert f'value="{TYPED}"' in mine.get(asked).content.decode()


def test_the_role_is_gone(note: Any, cast: Cast) -> None:
    """Nothing of the case is shown to who may not see it; what they typed is."""
    case, mine = note(), signed_in(cast.leader)
    address = address_of(case, cast.leader.actor, "agree")
    Membership.objects.filter(user_id=cast.leader.user_id).update(role=cast.officer.actor.role)
    answer = mine.post(address, {"do-text": TYPED, "version": "1", "page": "P1"})
    assert answer.status_code == 409 and shown_texts(answer.content.decode()) == [TYPED]
    stranger = signed_in(cast.audit_admin)
    assert stranger.post(address, {"version": "1"}).status_code in (403, 404)


def test_who_cannot_see_the_case_learns_nothing(note: Any, cast: Cast) -> None:
    case = note(actor=cast.steward.actor, organization=cast.owner.code)
    other = signed_in(cast.clerk)
    there = other.post(f"/inbox/cases/{case.case_id}/01X/agree/", {"do-text": TYPED, "version": "1"})
    none = other.post("/inbox/cases/01NOTHING/01X/agree/", {"do-text": TYPED, "version": "1"})
    assert there.status_code == none.status_code == 409
    assert case.number not in there.content.decode() and case.title not in there.content.decode()
    assert shown_texts(there.content.decode()) == shown_texts(none.content.decode()) == [TYPED]
    assert not DraftRecord.objects.exists()
    assert other.post(f"/inbox/cases/{case.case_id}/01X/agree/", {"version": "1"}).status_code == 404


def test_an_operator_s_text_is_kept_and_comes_back(note: Any, cast: Cast) -> None:
    case, mine = note(), signed_in(cast.leader)
    api.suspend(case_id=case.case_id, basis="先中止的", reason="等鉴定", actor=cast.leader.actor)
    address = f"/inbox/cases/{case.case_id}/operators/suspend/"
    answer = mine.post(address, {"do-reason": TYPED, "version": "1"})
    page = answer.content.decode()
    assert (
        answer.status_code == 409 and shown_texts(page) == [TYPED] and "先中止的" in page and "没有提交：中止" in page
    )
    (draft,) = api.list_drafts(actor=cast.leader.actor)
    assert draft.action == "op.suspend" and draft.is_open
    api.resume(case_id=case.case_id, reason="好了", actor=cast.leader.actor)
    again = mine.get(f"/inbox/cases/{case.case_id}/?op=suspend&ob=").content.decode()
    assert TYPED in again and not shown_texts(again)
    assert mine.post(address, {"do-basis": "第十条", "do-reason": TYPED, "version": "3"}).status_code == 302
    assert api.list_drafts(actor=cast.leader.actor) == ()


def test_an_opening_whose_kind_is_not_theirs_any_more(cast: Cast) -> None:
    fields, steps = [text("place", required=True), text("note")], [text("answer")]
    publish(fields, steps)
    mine = signed_in(cast.clerk)
    assert mine.get("/inbox/new/form_case/").status_code == 200
    publish(fields, steps, opens={"permission": "cases.supervise"})
    sent = {"key": "ONE", "page": "P1", "do-title": "一件", "do-place": TYPED}
    answer = mine.post("/inbox/new/form_case/", sent)
    assert answer.status_code == 409 and shown_texts(answer.content.decode()) == ["一件", TYPED]
    (draft,) = api.list_drafts(actor=cast.clerk.actor)
    assert draft.values == {"title": "一件", "place": TYPED} and draft.kind == "form_case"
    listed = mine.get(f"/inbox/new/form_case/?draft={draft.draft_id}")
    assert listed["Location"] == f"/inbox/drafts/{draft.draft_id}/"
    assert TYPED in shown_texts(mine.get(listed["Location"]).content.decode())
    assert mine.post("/inbox/new/form_case/", {"key": "TWO"}).status_code == 404
    publish(fields, steps)
    assert TYPED in mine.get(f"/inbox/new/form_case/?draft={draft.draft_id}").content.decode()


def test_what_was_typed_for_several_is_shown_when_none_is_left(note: Any, cast: Cast) -> None:
    cases, mine = [note(), note()], signed_in(cast.leader)
    picks = [f"{address_of(case, cast.leader.actor, 'agree').split('/')[4]}.1" for case in cases]
    sent = {"pick": picks, "act": "agree", "go": "1", "do-text": "同一个理由"}
    api.act(case_id=cases[0].case_id, action="agree", data={"text": "先办的"}, actor=cast.leader.actor)
    some = mine.post("/inbox/bulk/", sent)
    assert some.status_code == 302 and api.get_case(case_id=cases[1].case_id).outcome == "agreed"
    none = mine.post("/inbox/bulk/", sent)
    page = none.content.decode()
    assert none.status_code == 409 and shown_texts(page) == ["同一个理由"] and "没有办任何一件" in page
    (draft,) = api.list_drafts(actor=cast.leader.actor)
    assert draft.values == {"text": "同一个理由"} and draft.case_number == cases[0].number


@pytest.mark.parametrize(
    ("referrer", "wanted"),
    [
        ("http://testserver/inbox/?case=1&act=agree", "/inbox/?case=1&act=agree"),
        ("https://elsewhere.example/inbox/", "/"),
        ("http://testserver//elsewhere.example/x", "/elsewhere.example/x"),
        ("javascript:alert(1)", "/"),
        ("", "/"),
    ],
)
def test_a_form_sent_by_nobody_leads_to_sign_in_and_back_to_its_page(client: Any, referrer: str, wanted: str) -> None:
    answer = client.post("/inbox/cases/01X/01Y/agree/", {"do-text": TYPED}, headers={"Referer": referrer})
    assert answer.status_code == 302 and dict(parse_qsl(urlsplit(answer["Location"]).query)) == {"next": wanted, "sent": "1"}
    page = client.get(answer["Location"]).content.decode()
    assert "刚才的表单没有送出" in page and TYPED not in page
    assert "刚才的表单没有送出" not in client.get("/login?next=/inbox/").content.decode()
