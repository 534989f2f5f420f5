from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from tests.conftest import Cast, Member
from yunhe.core.cases import api
from yunhe.core.organizations.models import User

pytestmark = pytest.mark.django_db


def signed_in(member: Member) -> Client:
    User.objects.filter(pk=member.user_id).update(must_change_password=False)
    client = Client()
    client.force_login(User.objects.get(pk=member.user_id))
    return client


def test_the_inbox_shows_the_first_case_beside_its_list(note: Any, cast: Cast) -> None:
    case = note(data={"amount": 7})
    page = signed_in(cast.leader).get("/inbox/")
    text = page.content.decode()
    assert page.status_code == 200
    assert case.number in text and "怎么算的" in text and "等待 市市场监管局" in text
    assert "答复" in text and "同意" in text
    assert f"ob={case.case_id}" not in text
    assert "<style" not in text and " style=" not in text and "onclick" not in text


def test_how_it_was_counted_lists_every_day(note: Any, cast: Cast) -> None:
    case = note()
    view = api.access_case(case_id=case.case_id, actor=cast.leader.actor)
    due = view.obligations[0].due
    assert due is not None
    text = signed_in(cast.leader).get(f"/inbox/cases/{case.case_id}/").content.decode()
    for day in due.days:
        assert day.on.isoformat() in text
    assert "当日不计" in text and "周末，不计" in text


def test_an_action_opens_its_form_and_a_refusal_comes_back_to_the_field(note: Any, cast: Cast) -> None:
    case = note()
    client = signed_in(cast.leader)
    (agree, *_) = api.access_case(case_id=case.case_id, actor=cast.leader.actor).actions
    shown = client.get(f"/inbox/?case={case.case_id}&ob={agree.obligation_id}&act=agree").content.decode()
    assert 'name="do-text"' in shown and 'name="do-chosen"' in shown
    address = f"/inbox/cases/{case.case_id}/{agree.obligation_id}/agree/"
    refused = client.post(address, {"do-text": "", "version": "1"})
    assert refused.status_code == 422
    refused = client.post(address, {"do-text": "长" * 30, "version": "1"})
    assert refused.status_code == 422 and "20" in refused.content.decode()
    done = client.post(address, {"do-text": "可以", "do-chosen": ["b"], "version": "1", "next": "/inbox/"})
    assert (done.status_code, done["Location"]) == (302, "/inbox/")
    assert api.get_case(case_id=case.case_id).outcome == "agreed"


def test_a_stale_page_is_told_so(note: Any, cast: Cast) -> None:
    case = note()
    (agree, *_) = api.access_case(case_id=case.case_id, actor=cast.leader.actor).actions
    address = f"/inbox/cases/{case.case_id}/{agree.obligation_id}/agree/"
    page = signed_in(cast.leader).post(address, {"do-text": "可以", "version": "0"})
    assert page.status_code == 409 and "刚被别人办理过" in page.content.decode()
    assert "您填写期间，办件又有下列办理" in page.content.decode() and "可以" in page.content.decode()


def test_an_action_without_a_form_is_one_press(note: Any, cast: Cast) -> None:
    case = note()
    client = signed_in(cast.leader)
    back = next(a for a in api.access_case(case_id=case.case_id, actor=cast.leader.actor).actions if a.name == "back")
    address = f"/inbox/cases/{case.case_id}/{back.obligation_id}/back/"
    assert address in client.get("/inbox/").content.decode()
    assert client.post(address, {"version": "1"}).status_code == 302
    assert "没有待办" in client.get("/inbox/").content.decode()


def test_the_other_departments_clerk_gets_the_same_answer_as_for_nothing(note: Any, cast: Cast) -> None:
    case = note(actor=cast.steward.actor, organization=cast.owner.code)
    client = signed_in(cast.clerk)
    for address in (f"/inbox/cases/{case.case_id}/", "/inbox/cases/01NOTHING/", f"/inbox/?case={case.case_id}"):
        assert client.get(address).status_code == 404
    assert case.number not in client.get("/inbox/cases/").content.decode()
    assert case.number not in client.get("/inbox/cases/?export=csv").content.decode()


def test_all_filters_of_the_list_are_in_one_fold_and_keep_what_was_asked(note: Any, cast: Cast) -> None:
    note()
    page = signed_in(cast.leader).get("/inbox/cases/", {"kind": "leave_note", "q": "请示", "due": "later", "page": "1"}).content.decode()
    (fold,) = re.findall(r"<details class=\"yh-fold\".*?</details>", page, re.DOTALL)
    assert "更多条件" in fold and 'name="phase"' in fold and '<option value="later" selected>' in fold
    kept = set(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', fold))
    assert kept == {("kind", "leave_note"), ("q", "请示")}
    assert "更多条件" not in page.replace(fold, "")


def test_the_list_searches_filters_sorts_and_exports(note: Any, cast: Cast) -> None:
    first, second = note(title="甲事"), note(title="=乙事")
    client = signed_in(cast.clerk)
    assert first.number in client.get("/inbox/cases/").content.decode()
    found = client.get("/inbox/cases/?q=甲事&kind=leave_note&state=open&part=opened&sort=title").content.decode()
    assert first.number in found and second.number not in found
    export = client.get("/inbox/cases/?export=csv").content.decode()
    assert "'=乙事" in export and first.number in export
    assert client.get("/inbox/cases/?sort=data").status_code == 422
    assert client.get("/inbox/cases/?page=9").status_code == 200


def test_who_may_neither_see_nor_act_is_refused(note: Any, cast: Cast) -> None:
    client = signed_in(cast.audit_admin)
    assert client.get("/inbox/").status_code == 403
    assert client.get("/inbox/cases/").status_code == 403


def test_the_inbox_takes_a_constant_number_of_queries(
    note: Any, cast: Cast, django_assert_max_num_queries: Any
) -> None:
    client = signed_in(cast.leader)
    for _ in range(8):
        note()
    client.get("/inbox/")
    with django_assert_max_num_queries(47):
        client.get("/inbox/")


def test_english_pages(note: Any, cast: Cast) -> None:
    case = note()
    client = signed_in(cast.leader)
    client.cookies["yunhe_language"] = "en"
    assert client.get(f"/inbox/cases/{case.case_id}/").status_code == 200
