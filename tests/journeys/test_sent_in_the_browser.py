"""In chromium: a form is sent after the session was over. What was typed comes back to whoever typed it, in the same tab,
once; another person who signs in there sees nothing of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.browser import check_page, open_browser, sign_in, signed_in
from tests.journeys.case_pages import case_page
from tests.journeys.made import MadeHomes, city
from tests.journeys.node import ROOT, Node
from tests.soaking import is_soaking

pytestmark = [pytest.mark.journey, pytest.mark.soak, pytest.mark.timeout(600)]
PERMIT = Path(__file__).resolve().parents[2] / "examples" / "permit"
MARKET = "市市场监管局"
END_SESSIONS = """
import django
django.setup()
from django.contrib.sessions.models import Session
print(Session.objects.all().delete()[0])
"""


@dataclass(frozen=True)
class Words:
    """What the pages say in one language."""

    locale: str
    open: str
    over: str
    kept: str
    back: str
    missing: str
    ask: str


ZH = Words(
    "zh-CN", "提出", "刚才的表单没有送出：登录已失效", "您填写的文字保存在本浏览器的这个标签页里", "刚才没有送出的内容已放回表单",
    "缺平面图，请补一份盖章的", "告知补正",
)  # fmt: skip
EN = Words("en-US", "Open", "was not sent", "this tab", "back in the form", "A stamped floor plan is missing", "Ask for more")


@pytest.fixture
def node(homes: MadeHomes) -> Iterator[Node]:
    with homes.node(city) as made:
        made.do("pack", "load", str(PERMIT), *made.as_person("xitong"))
        made.start()
        yield made


@pytest.fixture
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


def end_sessions(node: Node) -> None:
    """End every session on the server, as time or an administrator would."""
    environment = node.environment | {"DJANGO_SETTINGS_MODULE": "yunhe.settings.django"}
    done = subprocess.run([sys.executable, "-c", END_SESSIONS], env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    assert int(done.stdout) > 0, "there was no session to end"


def sign_in_here(page: Page, node: Node, username: str) -> None:
    """Sign in on the page where one is."""
    sign_in(page, username, node.accounts[username])
    page.wait_for_load_state()


def opened(page: Page, title: str, words: Words) -> str:
    """Open a permit; return its number."""
    page.goto("/inbox/new/permit/")
    page.locator("[name=do-title]").fill(title)
    page.locator("[name=do-owner]").select_option(label=MARKET)
    page.locator("[name=do-place]").fill("解放路 18 号")
    page.locator("[name=do-area]").fill("40")
    page.locator("main").get_by_role("button", name=words.open, exact=True).click()
    page.wait_for_url("**/inbox/cases/**")
    return page.locator("main .num").first.inner_text().strip()


@pytest.mark.parametrize("words", [EN, ZH] if is_soaking() else [EN], ids=lambda words: words.locale)
def test_what_was_typed_when_the_session_was_over_comes_back_once(node: Node, browser: Browser, words: Words) -> None:
    applicant = signed_in(browser, node.web, "renshe", node.accounts["renshe"], locale=words.locale)
    title = f"招牌 {words.locale}"
    opened(applicant, title, words)
    page = signed_in(browser, node.web, "shichang", node.accounts["shichang"], locale=words.locale)
    case_page(page, title)
    address = page.url
    page.locator("main").get_by_role("link", name=words.ask, exact=True).first.click()
    page.locator("[name=do-missing]").fill(words.missing)
    end_sessions(node)
    page.locator("main").get_by_role("button", name=words.ask, exact=True).click()
    page.wait_for_url("**/login**")
    expect(page.locator("main")).to_contain_text(words.over)
    expect(page.locator("[data-kept-here]")).to_be_visible()
    expect(page.locator("[data-kept-here]")).to_contain_text(words.kept)
    check_page(page)

    sign_in_here(page, node, "shichang")
    field = page.locator("[name=do-missing]")
    expect(field).to_have_value(words.missing)
    expect(page.locator("[data-put-back]")).to_be_visible()
    expect(page.locator("[data-put-back]")).to_contain_text(words.back)
    check_page(page)
    page.locator("main").get_by_role("button", name=words.ask, exact=True).click()
    page.wait_for_url("**/inbox/**")
    page.goto(address)
    expect(page.locator("main")).to_contain_text(words.missing)
    expect(page.locator("main").get_by_role("link", name=words.ask, exact=True)).to_have_count(0)  # it was done, once
    assert page.evaluate("sessionStorage.getItem('yh-sent') ?? '{}'") == "{}"


def test_another_person_in_the_same_tab_sees_nothing_of_it(node: Node, browser: Browser) -> None:
    applicant = signed_in(browser, node.web, "renshe", node.accounts["renshe"])
    opened(applicant, "招牌", ZH)
    page = signed_in(browser, node.web, "shichang", node.accounts["shichang"])
    case_page(page, "招牌")
    page.locator("main").get_by_role("link", name=ZH.ask, exact=True).first.click()
    form = page.url
    page.locator("[name=do-missing]").fill(ZH.missing)
    end_sessions(node)
    page.locator("main").get_by_role("button", name=ZH.ask, exact=True).click()
    page.wait_for_url("**/login**")
    sign_in_here(page, node, "shichang.lead")
    assert ZH.missing not in page.content()
    for address in (form, "/inbox/"):
        page.goto(address)
        expect(page.locator("[data-put-back]:visible")).to_have_count(0)
        assert ZH.missing not in page.content()
        assert not page.evaluate("text => [...document.querySelectorAll('input,textarea')].some((one) => one.value.includes(text))", ZH.missing)
    assert ZH.missing not in page.evaluate("JSON.stringify(sessionStorage)"), "what one person typed is still in the other's tab"


def test_a_part_of_the_form_that_cannot_be_had_says_so_there_and_loses_nothing(node: Node, browser: Browser) -> None:
    """The server breaks, the network goes, the session ends while a field asks for others: told beside that field, with a way on."""
    page = signed_in(browser, node.web, "renshe", node.accounts["renshe"])
    page.goto("/inbox/new/permit/")
    page.locator("[name=do-place]").fill("解放路 18 号")
    area, told, more = page.locator("[name=do-area]"), page.locator("main [data-problem-shown]"), page.locator("[name=do-fire_safety]")

    def ask(square_metres: str) -> None:
        area.fill(square_metres)
        area.press("Tab")
        expect(told).to_have_count(1)
        expect(told).to_have_attribute("role", "alert")
        expect(told).to_be_focused()

    page.route("**/inbox/new/permit/", lambda route: route.fulfill(status=502, body="bad gateway") if route.request.method == "POST" else route.continue_())
    ask("400")
    expect(told).to_contain_text("服务器没有按预期应答")
    check_page(page)
    page.unroute("**/inbox/new/permit/")
    told.get_by_role("button", name="再试一次").click()
    expect(more).to_have_count(1)
    expect(told).to_have_count(0)
    more.fill("灭火器两具")
    page.context.set_offline(True)
    ask("450")
    expect(told).to_contain_text("没有连上服务器")
    page.context.set_offline(False)
    told.get_by_role("button", name="再试一次").click()
    expect(told).to_have_count(0)
    end_sessions(node)
    ask("500")
    expect(told).to_contain_text("登录已失效")
    check_page(page)
    page.locator("[name=do-title]").fill("后来才写的标题")
    told.get_by_role("link", name="重新登录").click()
    sign_in_here(page, node, "renshe")
    page.wait_for_url("**/inbox/new/permit/")
    for name, value in (("title", "后来才写的标题"), ("place", "解放路 18 号"), ("area", "500"), ("fire_safety", "灭火器两具")):
        expect(page.locator(f"[name=do-{name}]")).to_have_value(value)
