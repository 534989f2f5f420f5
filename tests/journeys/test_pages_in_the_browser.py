"""Every shape of page of every room in chromium: narrow in English, wide in Chinese; axe, titles, focus, keyboard alone."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.browser import check_fits, check_page, open_browser, signed_in
from tests.journeys.made import MadeHomes, city
from tests.journeys.node import Node
from tests.soaking import is_soaking

pytestmark = [pytest.mark.journey, pytest.mark.soak, pytest.mark.timeout(3600 if is_soaking() else 900)]
VIEWS = ((390, "en-US", "en"), (1440, "zh-CN", "zh-Hans"))
PERSONS = ("shuju", "shichang.lead", "shichang", "renshe", "xitong", "anquan", "shenji")
"""Data bureau, owner's leader and steward, consumer, and the three administrators: between them they see every page."""
HUBS = ("/ledger/", "/lake/", "/quality/", "/exchange/", "/exchange/systems/", "/exchange/query/", "/jobs/", "/inbox/", "/evidence/")
"""What lists what is each person's own: its links are followed for everyone whom a page leads there."""
ROOMS = (
    "/", "/account", "/account/password", "/ledger/", "/ledger/RES/", "/ledger/RES/edit/", "/ledger/register/",
    "/ledger/RES/history/", "/ledger/RES/quality/", "/ledger/RES/users/", "/ledger/RES/loads/", "/ledger/RES/contract/",
    "/lake/", "/lake/loads/ID/", "/lake/releases/RES/", "/quality/", "/quality/findings/RES/", "/exchange/",
    "/exchange/rows/RES/", "/exchange/request/RES/", "/exchange/systems/", "/exchange/systems/new/",
    "/exchange/query/", "/inbox/", "/inbox/cases/", "/inbox/cases/ID/", "/inbox/new/", "/inbox/absences/", "/jobs/",
    "/jobs/ID/", "/jobs/dead/", "/evidence/", "/evidence/ID/", "/organizations/", "/organizations/ORG/",
    "/organizations/regions/", "/organizations/roles/", "/organizations/roles/X/", "/organizations/users/",
    "/organizations/users/X/", "/packs/", "/packs/X/", "/notices/", "/notices/preferences/", "/standards/",
    "/standards/elements/X/", "/standards/code-sets/", "/standards/code-sets/X/",
)  # fmt: skip
STARTS = {"renshe": ("/exchange/", "/exchange/systems/", "/exchange/systems/new/", "/exchange/query/")}
NO_PAGES = re.compile(r"export=|^/(static|logout|api|packs/schema)|/bpmn/|\.(yml|csv)$")
OWN_NAMES = ("中文", "简体中文")
FOCUS_SHOWS = """() => { const s = getComputedStyle(document.activeElement);
  const box = document.activeElement.getBoundingClientRect();
  return ((s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 1) || s.boxShadow !== "none")
    && box.width > 0 && box.bottom > 0 && box.top < innerHeight && box.right > 0; }"""


def shape(path: str) -> str:
    """Return an address with what names one thing replaced by the kind of thing."""
    path = path.split("?", maxsplit=1)[0]
    for pattern, kind in (
        (r"/[0-9A-HJKMNP-TV-Z]{26}(?=/|$)", "/ID"), (r"/\d{6}/\d{4}", "/RES"), (r"/[0-9A-Z]{18}(?=/|$)", "/ORG"),
        (r"/(users|elements|code-sets|roles)/(?!new/)[a-z0-9_.]+", r"/\1/X"), (r"^/packs/[a-z_]+", "/packs/X"),
        (r"^/inbox/(kinds|new|rules)/[a-z_]+", r"/inbox/\1/X"), (r"/\d+(?=/)", "/N"),
    ):  # fmt: skip
        path = re.sub(pattern, kind, path)
    return path


@pytest.fixture(scope="module")
def node(homes: MadeHomes) -> Iterator[Node]:
    with homes.node(city) as made:
        made.start()
        yield made


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


@pytest.mark.parametrize(("width", "locale", "language"), VIEWS)
def test_every_shape_of_page(node: Node, browser: Browser, width: int, locale: str, language: str) -> None:
    """Small counts run axe on every sixth shape of each view, the full ones on all; all else is looked at everywhere.

    The demonstration grants nothing yet: test_spine_in_the_browser looks at the page of a grant.
    """
    seen: set[str] = set()
    wrong: list[str] = []
    for name in PERSONS:
        page = signed_in(browser, node.web, name, node.accounts[name], width=width, locale=locale)
        opened: set[str] = set()
        waiting = ["/", *STARTS.get(name, ())]
        while waiting:
            path = waiting.pop(0)
            known = shape(path) in seen
            if path in opened or NO_PAGES.search(path) or (known and path not in HUBS):
                continue
            seen.add(shape(path))
            opened.add(path)
            answer = page.goto(path)
            if answer is None or answer.status != 200:
                wrong.append(f"{name} is led to {path}: {answer and answer.status}")
                continue
            wrong += [] if known else look(page, language, axe=is_soaking() or (len(seen) + 3 * (width > 1000)) % 6 == 0)
            waiting += page.eval_on_selector_all("a[href^='/']", "all => all.map(a => a.getAttribute('href').split('#')[0])")
        page.context.close()
    assert not wrong, "\n".join(wrong)
    assert set(ROOMS) <= seen, f"no person comes to {sorted(set(ROOMS) - seen)}"


@pytest.mark.parametrize(("width", "locale", "language"), VIEWS)
def test_login_and_error_pages(node: Node, browser: Browser, width: int, locale: str, language: str) -> None:
    context = browser.new_context(base_url=node.web, viewport={"width": width, "height": 900}, locale=locale, bypass_csp=True)
    page = context.new_page()
    page.goto("/login")
    assert look(page, language, axe=True) == []
    context.close()
    page = signed_in(browser, node.web, "renshe", node.accounts["renshe"], width=width, locale=locale)
    for path, status in (("/ledger/999999/9999/", 404), ("/organizations/new/", 403)):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == status
        assert look(page, language, axe=True) == []
    page.context.close()


def look(page: Page, language: str, *, axe: bool) -> list[str]:
    """Return what is wrong with a page: width, axe, language, title, chrome that was not translated."""
    wrong = []
    try:
        if axe:
            check_page(page)
        else:
            check_fits(page)
    except AssertionError as error:
        wrong.append(f"{page.url}: {error}")
    if page.locator("html").get_attribute("lang") != language:
        wrong.append(f"{page.url}: lang is not {language}")
    if not page.title().strip():
        wrong.append(f"{page.url}: no title")
    if language == "en":
        said = page.locator(".yh-side nav a, main button, .yh-skip, .yh-search label").all_inner_texts()
        wrong += [f"{page.url}: not in English: {text}" for text in said if re.search(r"[\u4e00-\u9fff]", text) and text not in OWN_NAMES]
    return wrong


def tab_to(page: Page, selector: str, most: int = 90) -> None:
    """Press Tab until what the selector names has the focus; every stop on the way must show where it is."""
    page.emulate_media(reduced_motion="reduce")  # no gliding towards the focus while it is looked at
    for _ in range(most):
        page.evaluate("window.stood = document.activeElement")
        page.keyboard.press("Tab")
        inner = page.evaluate("window.stood === document.activeElement")  # a part of a date field, which the browser marks
        assert inner or page.evaluate(FOCUS_SHOWS), page.evaluate("document.activeElement.outerHTML.slice(0, 300)")
        if page.evaluate("one => document.activeElement.matches(one)", selector):
            return
    raise AssertionError(f"{most} times Tab do not lead to {selector}")


def test_skip_link_and_menu_by_keyboard(node: Node, browser: Browser) -> None:
    page = signed_in(browser, node.web, "renshe", node.accounts["renshe"], width=390, locale="en-US")
    page.goto("/ledger/")
    tab_to(page, ".yh-skip", most=1)
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.goto("/ledger/")
    menu = page.locator(".yh-menu")
    tab_to(page, ".yh-menu > summary", most=4)
    page.keyboard.press("Enter")
    expect(menu).to_have_attribute("open", "")
    tab_to(page, ".yh-menu nav a", most=2)
    page.keyboard.press("Escape")
    expect(menu).not_to_have_attribute("open", "")
    assert page.evaluate("document.activeElement.matches('.yh-menu > summary')")
    page.keyboard.press("Enter")
    tab_to(page, ".yh-menu nav a[href='/inbox/']", most=20)
    page.keyboard.press("Enter")
    page.wait_for_url("**/inbox/")
    page.context.close()


def test_a_request_is_filled_and_sent_by_keyboard_alone(node: Node, browser: Browser) -> None:
    """From the ledger's page of a resource: no click anywhere, at 390 px."""
    page = signed_in(browser, node.web, "renshe", node.accounts["renshe"], width=390, locale="zh-CN")
    page.goto("/ledger/?sharing=conditional")
    page.goto(str(page.locator("main a[href^='/ledger/']").filter(has_text=re.compile(".")).evaluate_all(FIRST_RESOURCE)))
    tab_to(page, "a[href^='/exchange/request/']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/exchange/request/**")
    page.keyboard.press("Tab")
    tab_to(page, "main input[type=checkbox]:not(:disabled)")
    if not page.evaluate("document.activeElement.checked"):
        page.keyboard.press("Space")
    tab_to(page, "[name=purpose]")
    page.keyboard.type("核对参保企业")
    tab_to(page, "[name=legal_basis]")
    page.keyboard.type("演示")
    tab_to(page, "main form button:not([type=button])")
    page.keyboard.press("Enter")
    page.wait_for_url("**/inbox/cases/**")
    expect(page.locator("main")).to_contain_text("核对参保企业")
    page.context.close()


CASE_SCREENS = (
    "/inbox/", "/inbox/cases/", "/inbox/cases/?kind=publication", "/inbox/team/", "/inbox/team/exceptions/", "/inbox/team/hand-over/",
    "/inbox/kinds/", "/inbox/kinds/publication/", "/inbox/rules/", "/inbox/new/",
)  # fmt: skip
CONTROLS = """() => [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary")].filter(
  one => one.checkVisibility({visibilityProperty: true}) && !one.disabled && !one.closest("dialog:not([open])")
    && (one.type !== "radio" || one.checked) && !window.stops.has(one)).map(one => one.outerHTML.slice(0, 160))"""
STOP = """() => { const one = document.activeElement, last = [...window.stops].at(-1);
  if (one === document.body || one === window.stood || (window.stops.has(one) && one === [...window.stops][0])) return "end";
  const fresh = !window.stops.has(one); window.stops.add(one);
  return fresh && last && !(last.compareDocumentPosition(one) & 4) ? "back" : ""; }"""


def stops(page: Page, most: int = 400) -> list[str]:
    """Go through a page by Tab; return where the focus is not seen, jumps back, or never comes."""
    page.emulate_media(reduced_motion="reduce")
    page.evaluate("window.stops = new Set(); document.activeElement.blur()")
    wrong = []
    for _ in range(most):
        page.keyboard.press("Tab")
        come = page.evaluate(STOP)
        if come == "end":
            break
        if come or not page.evaluate(FOCUS_SHOWS):
            wrong.append(f"{page.url}: {come or 'not seen'}: {page.evaluate('document.activeElement.outerHTML.slice(0, 160)')}")
    return wrong + [f"{page.url}: no Tab comes to {one}" for one in page.evaluate(CONTROLS)]


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id || document.activeElement.className"))


def test_screens_of_cases_by_keyboard(node: Node, browser: Browser) -> None:
    """Everything on them is reached, in order and seen; what came of an act, or the first mistake, has the focus."""
    page = signed_in(browser, node.web, "shuju", node.accounts["shuju"], width=390, locale="en-US")
    wrong = []
    page.goto("/inbox/cases/")
    case = str(page.locator("main tbody a[href^='/inbox/cases/']").first.get_attribute("href")).split("?", maxsplit=1)[0]
    for path in (*CASE_SCREENS, case, f"{case}print/"):
        page.goto(path)
        check_page(page)
        wrong += stops(page)
    assert not wrong, "\n".join(wrong)

    page.goto("/inbox/team/hand-over/")
    tab_to(page, "main form button[type=submit]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#form-errors")
    assert focused(page) == "form-errors"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.matches('select, input, textarea')")

    page.goto("/inbox/cases/?kind=publication")
    tab_to(page, ".yh-views summary")
    page.keyboard.press("Enter")
    tab_to(page, "#view-name", most=2)
    page.keyboard.type("Reviews")
    check_page(page)
    page.keyboard.press("Enter")
    page.wait_for_selector(".yh-message-success")
    assert focused(page) == "yh-messages"
    tab_to(page, ".yh-chips a[aria-current]")
    page.context.close()


WIDE = """() => { document.querySelector("main").insertAdjacentHTML("beforeend", `<div class="yh-sheet"><table class="table yh-table"><thead><tr>
  <th>${"宽".repeat(200)}</th><th><span class="visually-hidden">操作</span></th></tr></thead></table></div>`); }"""


def test_screens_of_cases_fit_what_they_are_shown_on(node: Node, browser: Browser) -> None:
    """A sheet wider than the page scrolls by itself; on a phone a case stands alone, and what opens stays on the screen."""
    page = signed_in(browser, node.web, "shuju", node.accounts["shuju"])
    page.goto("/inbox/cases/")
    page.evaluate(WIDE)
    check_fits(page)
    page.context.close()

    page = signed_in(browser, node.web, "minzheng.lead", node.accounts["minzheng.lead"], width=390)
    page.goto("/inbox/")
    expect(page.locator("#case")).to_be_hidden()
    page.locator("[data-line]").first.click()
    page.wait_for_url("**case=**")
    expect(page.locator("#case")).to_be_visible()
    expect(page.locator(".yh-pane")).to_be_hidden()
    check_page(page)
    page.get_by_role("link", name="返回列表").click()
    expect(page.locator(".yh-pane")).to_be_visible()
    for name in ("第一个常用的筛选", "第二个常用的筛选"):
        page.goto("/inbox/?due=later" if name.startswith("第一") else "/inbox/?kind=data_request")
        page.locator(".yh-views summary").click()
        place = page.locator(".yh-views .yh-drop-body").bounding_box()
        assert place and place["x"] >= 0 and place["x"] + place["width"] <= 390, place
        page.fill("#view-name", name)
        page.get_by_role("button", name="保存").click()
        page.wait_for_selector(".yh-message-success")
    page.context.close()


FIRST_RESOURCE = "all => all.map(a => a.getAttribute('href')).find(h => /^\\/ledger\\/\\d{6}\\/\\d{4}\\/$/.test(h))"
