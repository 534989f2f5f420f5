"""The pages in both languages: the bell, the list, preferences, addresses, webhooks; another's are a 404."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from tests.conftest import Cast, Member
from tests.core.notices.conftest import QUIET_KIND, WAITING, Trial, reach, run, tell
from yunhe.core.notices import api
from yunhe.core.notices.errors import AddressRefused
from yunhe.core.organizations.models import User
from yunhe.kernel.clock import frozen, now
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
CHINESE = re.compile("[\u4e00-\u9fff]")


def browse(member: Member, language: str = "zh-hans") -> Client:
    client = Client(raise_request_exception=False)
    client.cookies["yunhe_language"] = language
    User.objects.filter(pk=member.user_id).update(must_change_password=False)
    client.force_login(User.objects.get(pk=member.user_id))
    return client


def text(answer: Any, status: int = 200) -> str:
    assert answer.status_code == status, answer.content.decode()
    return str(answer.content.decode())


def test_the_bell_counts_ones_own_unread_on_every_page(cast: Cast, trial: Trial) -> None:
    tell(cast.officer, cast.clerk)
    tell(cast.officer)
    for member, language, said in (
        (cast.officer, "zh-hans", ">2<span"), (cast.officer, "en", "unread"), (cast.clerk, "zh-hans", "条未读"),
    ):  # fmt: skip
        bell = re.search(r'<a class="yh-bell[^>]*>.*?</a>', text(browse(member, language).get("/account")), re.DOTALL)
        assert bell and said in bell[0] and 'href="/notices/"' in bell[0]
    bell = re.search(r'<a class="yh-bell[^>]*>.*?</a>', text(browse(cast.leader).get("/account")), re.DOTALL)
    assert bell and "yh-badge" not in bell[0]
    assert "yh-bell" not in text(Client().get("/login"))


def test_the_list_in_both_languages(cast: Cast, trial: Trial) -> None:
    tell(cast.officer, title={"zh": "<b>待办</b>", "en": "<b>Waits</b>"})
    chinese = text(browse(cast.officer).get("/notices/"))
    assert "&lt;b&gt;待办&lt;/b&gt;" in chinese and "标为已读" in chinese and "待办提醒" in chinese
    english = text(browse(cast.officer, "en").get("/notices/?state=unread"))
    assert "&lt;b&gt;Waits&lt;/b&gt;" in english and "Mark all read" in english
    main = re.sub(r"<[^>]+>", "", english.partition("<main")[2])
    assert not CHINESE.search(main.replace("中文", "")), CHINESE.findall(main)
    assert "还没有通知" in text(browse(cast.clerk).get("/notices/"))


def test_opening_marks_read_and_leads_there(cast: Cast, trial: Trial) -> None:
    tell(cast.officer)
    (notice,) = api.list_notices(request=PageRequest(), actor=cast.officer.actor).items
    client = browse(cast.officer)
    assert client.get(f"/notices/{notice.id}/open/").status_code == 405
    answer = client.post(f"/notices/{notice.id}/open/")
    assert (answer.status_code, answer["Location"]) == (302, "/inbox/")
    assert api.count_unread(actor=cast.officer.actor) == 0


def test_marking_one_and_all(cast: Cast, trial: Trial) -> None:
    for _ in range(3):
        tell(cast.officer)
    (notice, *_) = api.list_notices(request=PageRequest(), actor=cast.officer.actor).items
    client = browse(cast.officer)
    assert client.post(f"/notices/{notice.id}/read/")["Location"] == "/notices/"
    assert api.count_unread(actor=cast.officer.actor) == 2
    assert "已把 2 条通知标为已读" in text(client.post("/notices/read/", follow=True))


def test_anothers_notice_is_a_404(cast: Cast, trial: Trial) -> None:
    tell(cast.officer)
    (notice,) = api.list_notices(request=PageRequest(), actor=cast.officer.actor).items
    client = browse(cast.clerk)
    for path in (f"/notices/{notice.id}/open/", f"/notices/{notice.id}/read/", "/notices/nothing/read/"):
        assert client.post(path).status_code == 404
    assert api.count_unread(actor=cast.officer.actor) == 1
    assert notice.title["zh"] not in text(client.get("/notices/"))


def test_nobody_signed_in_sees_nothing(db: None) -> None:
    for path in ("/notices/", "/notices/preferences/", "/notices/webhooks/", "/notices/contacts/sms/"):
        assert Client().get(path)["Location"].startswith("/login")


def test_preferences_are_kept_and_shown(cast: Cast, trial: Trial) -> None:
    client = browse(cast.officer)
    shown = text(client.get("/notices/preferences/"))
    assert "站内通知总会收到" in shown
    unset = {channel.code for channel in api.list_channels() if not channel.is_ready()}
    closed = set(re.findall(r'<input[^>]*value="(\w+)"[^>]*disabled', shown))
    assert closed == unset and "trial" not in unset and shown.count("（本节点未设置）") >= len(unset)
    held = {pair for pair in api.get_preferences(actor=cast.officer.actor).wanted if pair[1] in unset}
    sent = {f"kind-{QUIET_KIND}": ["trial", "sms"], "quiet_from": "22:00", "quiet_until": "07:30", "language": "en"}
    assert "已保存。" in text(client.post("/notices/preferences/", sent, follow=True))
    kept = api.get_preferences(actor=cast.officer.actor)
    assert kept.wanted == {(QUIET_KIND, "trial"), (QUIET_KIND, "sms")} | held
    assert (str(kept.quiet_from), str(kept.quiet_until), kept.language) == ("22:00:00", "07:30:00", "en")
    page = text(client.get("/notices/preferences/"))
    assert 'value="22:00"' in page and 'value="07:30"' in page
    for wrong in ({"quiet_until": ""}, {"quiet_from": "25:00"}, {"language": "fr"}, {f"kind-{WAITING}": ["pigeon"]}):
        assert client.post("/notices/preferences/", {**sent, **wrong}).status_code == 422, wrong
    assert api.get_preferences(actor=cast.officer.actor) == kept


def test_preferences_are_a_table_of_kinds_and_channels_after_the_quiet_hours(cast: Cast, trial: Trial) -> None:
    client = browse(cast.officer, "en")
    page = text(client.get("/notices/preferences/"))
    assert page.index('name="quiet_from"') < page.index('name="urgent_through"') < page.index('<table class="yh-rows yh-matrix">')
    assert 'aria-label="Waiting: Trial"' in page and '<th scope="row">Waiting</th>' in page and "supervision, overdue" in page
    same = client.post("/notices/preferences/", {"quiet_from": "08:00", "quiet_until": "08:00", "language": "zh"})
    assert "begin and end at 08:00" in text(same, 422)
    client.post("/notices/preferences/", {"quiet_from": "22:00", "quiet_until": "08:00", "language": "zh", "urgent_through": "on"})
    assert api.get_preferences(actor=cast.officer.actor).urgent_through


def test_what_was_dropped_before_it_left_is_shown_with_the_reason(cast: Cast, told: Trial) -> None:
    tell(cast.officer)
    client = browse(cast.officer)
    client.post("/notices/preferences/", {"language": "zh"})
    page = text(client.get("/notices/preferences/"))
    assert "没有发出：已不再选择用这个渠道接收这类通知。" in page and "有一件待办" in page


def test_preferences_in_english_with_failures(cast: Cast, told: Trial) -> None:
    told.errors["*"] = AddressRefused(where="trial", reason_zh="查无此人", reason_en="no such person")
    tell(cast.officer)
    run(2)
    page = text(browse(cast.officer, "en").get("/notices/preferences/"))
    assert "no such person" in page and "Not delivered" in page and "o***" in page and "officer@trial" not in page
    assert "Not delivered" not in text(browse(cast.clerk, "en").get("/notices/preferences/"))


def test_an_address_is_entered_proven_and_removed_on_the_pages(cast: Cast, trial: Trial) -> None:
    client = browse(cast.officer)
    assert client.get("/notices/contacts/trial/code/").status_code == 404
    assert client.post("/notices/contacts/trial/", {"address": "officer@trial"})["Location"] == "/notices/contacts/trial/code/"
    assert "o***" in text(client.get("/notices/contacts/trial/code/"))
    run()
    code = re.findall(r"\b[0-9]{6}\b", trial.letters[0].text)[0]
    wrong = client.post("/notices/contacts/trial/code/", {"code": f"{(int(code) + 1) % 10**6:06d}"})
    assert "还可以试 4 次" in text(wrong, 422)
    assert "已验证" in text(client.post("/notices/contacts/trial/code/", {"code": code}, follow=True))
    assert "确定移除" in text(client.get("/notices/contacts/trial/remove/"))
    assert "已移除。" in text(client.post("/notices/contacts/trial/remove/", follow=True))
    assert client.post("/notices/contacts/sms/", {"address": "12"}).status_code == 422
    for channel in ("webhook", "pigeon"):
        assert client.post(f"/notices/contacts/{channel}/", {"address": "x"}).status_code in (404, 422)


def test_a_code_asked_for_too_soon_is_refused_on_the_page_of_the_code_with_how_long_to_wait(cast: Cast, trial: Trial) -> None:
    client = browse(cast.officer)
    with frozen(now()) as clock:
        client.post("/notices/contacts/trial/", {"address": "officer@trial"})
        clock.advance(timedelta(seconds=6))
        assert 'data-wait="54"' in text(client.get("/notices/contacts/trial/code/"))
        again = text(client.post("/notices/contacts/trial/resend/"), 422)
        assert "刚发过验证码，请 54 秒后再试" in again and "重新发送（54 秒后）" in again and 'name="code"' in again
        assert "不能为空" not in again and 'id="id_code_error"' not in again
        assert '<form method="post" action="/notices/contacts/trial/code/"' in again  # what is typed there is a code
        assert client.get("/notices/contacts/trial/resend/")["Location"] == "/notices/contacts/trial/code/"
        clock.advance(timedelta(seconds=54))
        page = text(client.get("/notices/contacts/trial/code/"))
        assert "data-wait" not in page and "重新发送" in page
        assert "验证码会在片刻后送到" in text(client.post("/notices/contacts/trial/resend/", follow=True))


def test_webhooks_belong_to_the_system_administrator(cast: Cast, trial: Trial, settings: Any) -> None:
    settings.YUNHE = {**settings.YUNHE, "WEBHOOK_HOSTS": "https://hook.example"}
    for path in ("/notices/webhooks/", "/notices/webhooks/new/", "/notices/webhooks/1/remove/"):
        assert browse(cast.officer).get(path).status_code == 403
    client = browse(cast.system_admin)
    sent = {"owner": "organization", "name": cast.owner.short_name, "address": "https://hook.example/token"}
    for wrong in ({"name": "没有"}, {"address": "https://other.example/"}, {"address": "x"}, {"owner": "person"}):
        assert client.post("/notices/webhooks/new/", {**sent, **wrong}).status_code == 422, wrong
    assert re.search("[0-9a-f]{64}", text(client.post("/notices/webhooks/new/", sent)))
    page = text(client.get("/notices/webhooks/"))
    assert cast.owner.short_name in page and "https://hook.example:443/…" in page and "token" not in page.partition("<main")[2]
    (contact,) = api.list_webhooks(actor=cast.system_admin.actor)
    assert "签名密钥立即作废" in text(client.get(f"/notices/webhooks/{contact.id}/remove/"))
    client.post(f"/notices/webhooks/{contact.id}/remove/")
    assert "还没有推送地址" in text(client.get("/notices/webhooks/"))
    assert client.get("/notices/webhooks/99999999999999999999/remove/").status_code == 404


def test_a_dead_letter_stands_on_the_page_of_dead_letters(cast: Cast, told: Trial) -> None:
    reach(cast.leader, "leader@trial")
    told.errors["*"] = AddressRefused(where="trial", reason_zh="查无此人", reason_en="no such person")
    tell(cast.leader)
    run(2)
    assert "查无此人" in text(browse(cast.system_admin).get("/jobs/dead/"))
    assert "no such person" in text(browse(cast.system_admin, "en").get("/jobs/dead/"))
