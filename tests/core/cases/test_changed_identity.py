"""A form that was filled in as one membership and sent after another page changed to another one: nothing of it is lost, nothing is done."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from tests.conftest import Cast
from tests.core.cases.form_kinds import publish, text
from tests.core.cases.test_left import TYPED, address_of, shown_texts
from tests.core.cases.test_one_membership import also, chosen
from tests.faults.test_lists_are_filtered import browser
from yunhe.core.cases import api
from yunhe.core.cases.models import CaseRecord, DelegationRecord, DraftRecord, EventRecord
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.models import Membership, Role
from yunhe.kernel.actor import Actor, job_actor
from yunhe.ui.po import compile_texts

compile_texts()
pytestmark = pytest.mark.django_db
SAID = "身份换过了，没有提交"


def change_to(client: Client, actor: Actor, to: str = "/inbox/") -> str:
    """Act as another membership of the same person, as another page of the browser does; return where that leads."""
    user = int(actor.id.removeprefix("user:"))
    place = Membership.objects.get(user_id=user, organization=actor.organization, role=actor.role)
    return str(client.post("/membership", {"membership": str(place.pk), "next": to})["Location"])


def seat_in(page: str) -> str:
    return re.findall(r'name="seat" value="([^"]+)"', page)[0]


def way_back(page: str) -> tuple[str, str]:
    """Return the one button of the page: the membership and where it leads."""
    main = page.partition("<main")[2]
    (place,) = re.findall(r'name="membership" value="(\d+)"', main)
    return place, re.findall(r'name="next" value="([^"]+)"', main)[0].replace("&amp;", "&")


def test_what_was_typed_waits_for_the_identity_it_was_typed_in(note: Any, cast: Cast) -> None:
    case, there = note(), also(cast.leader, cast.bureau.code, "officer")
    client = chosen(cast.leader, cast.leader.actor)
    address = address_of(case, cast.leader.actor, "agree")
    ob = address.split("/")[4]
    page = client.get(f"/inbox/cases/{case.case_id}/?ob={ob}&act=agree").content.decode()
    sent = {"do-text": TYPED, "do-chosen": ["b"], "version": "1", "page": "P1", "seat": seat_in(page)}
    change_to(client, there)
    answer = client.post(address, sent)
    told = answer.content.decode()
    assert answer.status_code == 409 and SAID in told and "没有提交的表单" not in told.partition("<main")[2] and TYPED in shown_texts(told)
    assert cast.leader.actor.organization_name in told and there.organization_name in told and "答复" in told
    assert [DraftRecord.objects.get().organization, EventRecord.objects.filter(case=case.case_id).count()] == [cast.leader.actor.organization, 1]
    assert api.list_drafts(actor=there) == () and [d.values["text"] for d in api.list_drafts(actor=cast.leader.actor)] == [TYPED]
    assert "<h3" not in told.partition("<main")[2]
    place, to = way_back(told)
    gone = client.post("/membership", {"membership": place, "next": to})
    again = client.get(gone["Location"]).content.decode()
    assert f'value="{TYPED}"' in again and f'action="{address}"' in again
    assert client.post(address, {**sent, "page": "P2"}).status_code == 302
    assert api.get_case(case_id=case.case_id).outcome == "agreed" and not DraftRecord.objects.exists()


def test_leaving_the_page_keeps_it_for_its_identity_too(note: Any, cast: Cast) -> None:
    case, there = note(), also(cast.leader, cast.bureau.code, "officer")
    client = chosen(cast.leader, there)
    sent = {"do-text": TYPED, "version": "1", "page": "P1", "seat": f"{cast.owner.code}/{cast.leader.actor.role}", "step": "leave"}
    assert client.post(address_of(case, cast.leader.actor, "agree"), sent).status_code == 204
    assert [d.values for d in api.list_drafts(actor=cast.leader.actor)] == [{"text": TYPED}] and not api.list_drafts(actor=there)


def test_nothing_is_opened_for_the_wrong_organisation(cast: Cast) -> None:
    publish([text("place")])
    there, before = also(cast.clerk, cast.owner.code, cast.clerk.actor.role), CaseRecord.objects.count()
    client = chosen(cast.clerk, cast.clerk.actor)
    page = client.get("/inbox/new/form_case/").content.decode()
    sent = {"key": "K1", "seat": seat_in(page), "do-title": TYPED, "do-owner": cast.owner.code, "do-place": "河坊街"}
    change_to(client, there)
    told = client.post("/inbox/new/form_case/", sent)
    assert told.status_code == 409 and SAID in told.content.decode() and TYPED in shown_texts(told.content.decode())
    assert CaseRecord.objects.count() == before and api.list_drafts(actor=there) == ()
    place, to = way_back(told.content.decode())
    client.post("/membership", {"membership": place})
    assert f'value="{TYPED}"' in client.get(to).content.decode()


def test_a_generic_operator_comes_back_with_its_text(note: Any, cast: Cast) -> None:
    case, there = note(), also(cast.leader, cast.bureau.code, "officer")
    client = chosen(cast.leader, there)
    sent = {"do-basis": "法律第十条", "do-reason": TYPED, "version": "1", "seat": f"{cast.owner.code}/{cast.leader.actor.role}"}
    answer = client.post(f"/inbox/cases/{case.case_id}/operators/suspend/", sent)
    assert answer.status_code == 409 and SAID in answer.content.decode() and "中止" in answer.content.decode()
    place, to = way_back(answer.content.decode())
    client.post("/membership", {"membership": place})
    assert TYPED in client.get(to).content.decode() and api.get_case(case_id=case.case_id).state == "open"


def test_a_button_without_a_form_does_nothing_in_another_identity(note: Any, cast: Cast) -> None:
    case, there = note(), also(cast.leader, cast.owner.code, "data_steward")
    client = browser(cast.leader)
    change_to(client, there)
    address = address_of(case, cast.leader.actor, "back")
    answer = client.post(address, {"version": "1", "seat": f"{cast.owner.code}/{cast.leader.actor.role}"})
    assert answer.status_code == 409 and SAID in answer.content.decode() and not DraftRecord.objects.exists()
    answer = client.post(address, {"version": "1", "seat": "nobody/nothing"})  # none of theirs
    told = answer.content.decode()
    assert answer.status_code == 409 and "以另一个身份填写" in told and 'name="membership"' not in told.partition("<main")[2]
    assert api.get_case(case_id=case.case_id).version == 1


def test_nothing_is_opened_for_another_organisation_when_the_one_it_was_for_ended(cast: Cast) -> None:
    """The membership ended between the form and its button: what was typed stands in the page, nothing is opened for the other one."""
    publish([text("place")])
    there, before = also(cast.clerk, cast.owner.code, cast.clerk.actor.role), CaseRecord.objects.count()
    client = chosen(cast.clerk, cast.clerk.actor)
    page = client.get("/inbox/new/form_case/").content.decode()
    sent = {"key": "K1", "seat": seat_in(page), "do-title": TYPED, "do-owner": cast.owner.code, "do-place": "河坊街"}
    organizations.end_membership(membership_id=cast.clerk.membership_id, actor=job_actor("tests"))
    change_to(client, there)
    answer = client.post("/inbox/new/form_case/", sent)
    told = answer.content.decode()
    assert answer.status_code == 409 and SAID in told and TYPED in shown_texts(told) and "您已不再担任" in told
    assert cast.clerk.actor.organization_name in told and 'name="membership"' not in told.partition("<main")[2]
    assert "标题" in told.partition("<main")[2] and ">title<" not in told
    assert CaseRecord.objects.count() == before and not DraftRecord.objects.exists()


def test_a_form_that_its_own_identity_may_not_send_any_more_is_not_sent_as_another(note: Any, cast: Cast) -> None:
    case, there = note(), also(cast.leader, cast.owner.code, "data_steward")
    client = browser(cast.leader)
    change_to(client, there)
    address = address_of(case, there, "back")
    seat = f"{cast.owner.code}/{cast.leader.actor.role}"
    Role.objects.get(code=cast.leader.actor.role).rights.all().delete()
    answer = client.post(address, {"version": "1", "seat": seat})
    assert answer.status_code == 409 and "现在不由该身份办理" in answer.content.decode() and api.get_case(case_id=case.case_id).version == 1


def test_several_at_once_come_back_as_they_were_filled_in(note: Any, cast: Cast) -> None:
    cases, there = [note(), note()], also(cast.leader, cast.bureau.code, "officer")
    client = chosen(cast.leader, cast.leader.actor)
    page = client.get("/inbox/").content.decode()
    picks, seat = re.findall(r'name="pick" value="([^"]+)"', page), seat_in(page)
    sent = {"pick": picks, "seat": seat, "act": "agree", "go": "1", "do-text": TYPED, "do-chosen": ["b"], "next": "/inbox/?due=week"}
    change_to(client, there)
    answer = client.post("/inbox/bulk/", sent)
    told = answer.content.decode()
    assert answer.status_code == 409 and SAID in told and TYPED in shown_texts(told)
    place, to = way_back(told)
    client.post("/membership", {"membership": place})
    again = client.get(to).content.decode()
    assert f'value="{TYPED}"' in again and again.count('name="pick"') == 2 and "/inbox/?due=week" in again
    assert {api.get_case(case_id=case.case_id).version for case in cases} == {1}
    done = client.post("/inbox/bulk/", sent, follow=True).content.decode()
    assert "办理了 2 件" in done


def test_the_page_speaks_english(note: Any, cast: Cast) -> None:
    case, there = note(), also(cast.leader, cast.bureau.code, "officer")
    client = chosen(cast.leader, there)
    client.cookies["yunhe_language"] = "en"
    told = client.post(address_of(case, cast.leader.actor, "agree"), {"do-text": TYPED, "seat": f"{cast.owner.code}/{cast.leader.actor.role}"})
    assert "You now act as someone else" in told.content.decode()


def test_nobody_is_reminded_and_no_leave_is_asked_for_in_another_identity(note: Any, cast: Cast) -> None:
    case, there = note(), also(cast.leader, cast.bureau.code, "officer")
    client = chosen(cast.leader, there)
    seat = f"{cast.owner.code}/{cast.leader.actor.role}"
    told = client.post("/inbox/remind/", {"pick": [case.case_id], "go": "1", "do-reason": TYPED, "seat": seat})
    assert told.status_code == 409 and SAID in told.content.decode() and TYPED in shown_texts(told.content.decode())
    place, to = way_back(told.content.decode())
    asked = {"to_username": cast.steward.username, "since": "2026-03-02", "until": "2026-03-03", "reason": "休假中", "seat": seat}
    told = client.post("/inbox/absences/", asked)
    assert told.status_code == 409 and SAID in told.content.decode() and {"休假中", cast.steward.actor.name} <= set(shown_texts(told.content.decode()))
    assert not DelegationRecord.objects.exists() and EventRecord.objects.filter(case=case.case_id).count() == 1
    client.post("/membership", {"membership": place})
    page = client.get(to).content.decode()
    assert TYPED in page and case.case_id in page
