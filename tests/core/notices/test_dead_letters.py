"""Dead letters in words: for whom, about what and why; tried again or dropped by a person, with evidence."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from tests.api_caller import Caller
from tests.conftest import Cast, Member
from tests.core.cases.test_pages import signed_in
from tests.core.notices.conftest import MailServer, Trial, dead, reach, run, tell
from yunhe.core.evidence import api as evidence
from yunhe.core.jobs.api import outbox
from yunhe.core.jobs.errors import BadJob, DeliveryNotFound
from yunhe.core.jobs.models import Delivery
from yunhe.core.notices.api import registry
from yunhe.core.notices.errors import AddressRefused
from yunhe.kernel.errors import Refused
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
REFUSED = AddressRefused(where="trial", reason_zh="查无此人", reason_en="no such person")
PAGE = "/jobs/dead/"
INTERNAL = ("notices.undelivered", "keep_dead_letter</", "user:")


@pytest.fixture
def undelivered(cast: Cast, told: Trial) -> Trial:
    """Two notices that nobody takes: one to the officer, one to the clerk."""
    told.errors["*"] = REFUSED
    tell(cast.officer, cast.clerk)
    run(2)
    return told


def name_of(member: Member) -> str:
    return member.actor.name


def text(client: Client, path: str = PAGE, language: str = "zh-hans") -> str:
    return client.get(path, headers={"accept-language": language}).content.decode()


def test_the_page_says_for_whom_by_what_about_what_and_why(cast: Cast, undelivered: Trial) -> None:
    chinese, english = (text(signed_in(cast.system_admin), language=one) for one in ("zh-hans", "en"))
    for said in ("发送通知", name_of(cast.officer), name_of(cast.clerk), "试验", "有一件待办", "查无此人", "永久拒收", "全部重试（2）"):
        assert said in chinese, said
    for said in ("Send a notice", "Trial", "Something waits", "no such person", "Final refusal", "Try all again (2)"):
        assert said in english, said
    cells = chinese[chinese.index("<tbody>") : chinese.index("</tbody>")]
    assert not [word for word in INTERNAL if word in cells]


def test_of_a_case_that_one_may_not_see_there_is_the_number_only(cast: Cast, told: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = {"may": False}
    find = lambda case_id, actor: ("YH-1", "/cases/C1/" if actor and seen["may"] else "")  # noqa: E731
    monkeypatch.setattr(registry, "_case_finders", [find])
    told.errors["*"] = REFUSED
    tell(cast.officer, case_id="C1", href="/cases/C1/")
    run(2)
    (letter,) = outbox.list_letters(request=PageRequest(search="YH-1"), actor=cast.system_admin.actor).items
    assert (letter.about.number, letter.about.href, letter.about.title["zh"]) == ("YH-1", "", "待办提醒")
    page = text(signed_in(cast.system_admin))
    assert "YH-1" in page and "有一件待办" not in page and "/cases/C1/" not in page
    assert outbox.list_letters(request=PageRequest(search="有一件待办"), actor=cast.system_admin.actor).total == 0
    seen["may"] = True
    assert 'href="/cases/C1/"' in text(signed_in(cast.system_admin)) and "有一件待办" in text(signed_in(cast.system_admin))


def test_they_are_found_filtered_and_exported(cast: Cast, undelivered: Trial) -> None:
    client, officer = signed_in(cast.system_admin), name_of(cast.officer)
    (found,) = outbox.list_letters(request=PageRequest(search=officer), actor=cast.system_admin.actor).items
    assert found.about.whom == officer
    assert outbox.list_letters(request=PageRequest(filters={"subscriber": found.subscriber}), actor=cast.system_admin.actor).total == 2
    assert outbox.list_letters(request=PageRequest(filters={"state": "dropped"}), actor=cast.system_admin.actor).total == 0
    newest = outbox.list_letters(request=PageRequest(sort="-published_at"), actor=cast.system_admin.actor).items
    assert len(newest) == 2
    told = client.get(f"{PAGE}?export=csv&q={officer}").content.decode("utf-8-sig").splitlines()
    assert len(told) == 2 and officer in told[1] and "查无此人" in told[1]


def test_all_that_the_filter_finds_are_tried_again_after_a_question(cast: Cast, undelivered: Trial) -> None:
    client = signed_in(cast.system_admin)
    address = f"{PAGE}retry/?all=1&q={name_of(cast.officer)}"
    assert "再送一次这 1 条消息" in text(client, address) and len(dead()) == 2
    undelivered.errors.clear()
    assert client.post(address).status_code == 302
    run(3)
    assert [letter.address for letter in undelivered.letters] == ["officer@trial"]
    (left,) = dead()
    assert left.about.whom == name_of(cast.clerk)


def test_a_dropped_one_stays_with_who_when_and_why(cast: Cast, undelivered: Trial) -> None:
    client, (letter, other) = signed_in(cast.system_admin), dead()
    address = f"{PAGE}drop/?pick={letter.delivery_id}"
    assert "丢弃这 1 条消息" in text(client, address)
    assert client.post(address, {"reason": " "}).status_code == 422 and len(dead()) == 2
    assert client.post(address, {"reason": "人已调离"}).status_code == 302
    assert [one.delivery_id for one in dead()] == [other.delivery_id] and outbox.count_dead() == 1
    page = text(client, f"{PAGE}?state=dropped")
    assert "人已调离" in page and name_of(cast.system_admin) in page and "已丢弃" in page
    with pytest.raises(DeliveryNotFound):
        outbox.retry_dead(delivery_id=letter.delivery_id, actor=cast.system_admin.actor)
    (proof,) = evidence.find(request=PageRequest(filters={"kind": "jobs.letter_dropped"}), actor=cast.audit_admin.actor).items
    assert proof.actor_name == name_of(cast.system_admin) and proof.subject_id == letter.message.id


def test_who_only_looks_decides_nothing_and_nothing_is_half_done(cast: Cast, undelivered: Trial) -> None:
    ids = [one.delivery_id for one in dead()]
    for act in (
        lambda: outbox.drop_dead(delivery_ids=ids, reason="x", actor=cast.audit_admin.actor),
        lambda: outbox.retry_all_dead(request=PageRequest(), actor=cast.audit_admin.actor),
    ):
        with pytest.raises(Refused):
            act()
    assert "全部重试" not in text(signed_in(cast.audit_admin))
    with pytest.raises(DeliveryNotFound):
        outbox.drop_dead(delivery_ids=[*ids, max(ids) + 1], reason="x", actor=cast.system_admin.actor)
    with pytest.raises(BadJob):
        outbox.drop_dead(delivery_ids=ids, reason="", actor=cast.system_admin.actor)
    assert len(dead()) == 2


def test_the_api_lists_tries_again_and_drops(cast: Cast, undelivered: Trial) -> None:
    caller = Caller(cast.system_admin)
    listed = caller.get("/dead-letters").body
    first, second = listed["items"]
    assert first["whom"] == name_of(cast.officer) and first["way"]["en"] == "Trial" and first["is_final"]
    assert caller.post("/dead-letters/retry", {"ids": [first["id"]]}).body == {"changed": 1}
    assert caller.post("/dead-letters/drop", {"ids": [second["id"]], "reason": "不再需要"}).body == {"changed": 1}
    assert caller.post("/dead-letters/drop", {"ids": [second["id"]], "reason": "再次"}).refusal == (404, "delivery_not_found")
    assert Caller(cast.audit_admin).post("/dead-letters/retry", {"ids": [first["id"]]}).refusal == (403, "refused")


def test_an_address_that_a_mail_server_refuses_for_good_ends_at_the_first_try(cast: Cast, trial: Trial, mail_server: MailServer) -> None:
    reach(cast.officer, "gone@example.org", "email")
    mail_server.answers["gone@example.org"] = "550 no such user"
    tell(cast.officer)
    run(2)
    (letter,) = dead()
    assert (letter.about.is_final, letter.about.tries, letter.about.way["en"]) == (True, 1, "E-mail")
    assert "SMTP 550" in letter.about.error["zh"]


def test_every_receiver_of_the_platform_has_a_title() -> None:
    receivers = {name for named in outbox._subscribers.values() for name in named if name.startswith("yunhe.")}
    assert receivers and not {name for name in receivers if not {"zh", "en"} <= set(outbox._titles.get(name, {}))}


def test_a_letter_from_before_words_were_kept_is_listed(cast: Cast, undelivered: Trial) -> None:
    Delivery.objects.update(words="")
    items: Any = outbox.list_letters(request=PageRequest(), actor=cast.system_admin.actor).items
    assert len(items) == 2 and items[0].about.whom


def test_a_letter_of_several_notices_lists_each_with_its_case(cast: Cast, told: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also on the page, in its export, over HTTP and at a search; of a case that one may not see its number alone."""
    find = lambda case_id, actor: (f"YH-{case_id}", f"/cases/{case_id}/" if actor and case_id == "C2" else "") if case_id else ("", "")  # noqa: E731
    monkeypatch.setattr(registry, "_case_finders", [find])
    told.errors["*"] = REFUSED
    tell(cast.officer, title={"zh": "第一件", "en": "The first"}, case_id="C1", href="/cases/C1/")
    tell(cast.officer, title={"zh": "第二件", "en": "The second"}, case_id="C2", href="/cases/C2/")
    tell(cast.officer, title={"zh": "与办件无关", "en": "Of no case"})
    run(2)
    (letter,) = outbox.list_letters(request=PageRequest(search="YH-C2"), actor=cast.system_admin.actor).items
    assert (letter.about.title["zh"], letter.about.number) == ("待办提醒：3 条", "")
    assert [(one.title["zh"], one.number, one.href) for one in letter.about.items] == [
        ("待办提醒", "YH-C1", ""), ("第二件", "YH-C2", "/cases/C2/"), ("与办件无关", "", ""),
    ]  # fmt: skip
    client = signed_in(cast.system_admin)
    page = text(client)
    assert all(said in page for said in ("待办提醒：3 条", "第二件", "与办件无关", "YH-C1", 'href="/cases/C2/"')) and "第一件" not in page
    assert "Waiting: 3" in text(client, language="en") and "The second" in text(client, language="en")
    exported = client.get(f"{PAGE}?export=csv").content.decode("utf-8-sig")
    assert "第二件 YH-C2" in exported and "<" not in exported
    (listed,) = Caller(cast.system_admin).get("/dead-letters").body["items"]
    assert [(one["about"]["en"], one["case_number"]) for one in listed["items"]] == [("Waiting", "YH-C1"), ("The second", "YH-C2"), ("Of no case", "")]
    told.errors.clear()
    outbox.retry_dead(delivery_id=letter.delivery_id, actor=cast.system_admin.actor)
    run(2)
    assert [len(one.items) for one in told.letters] == [3]
