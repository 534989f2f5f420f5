"""In chromium: a clerk works thirty cases with the keyboard alone."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.conftest import BODIES
from tests.journeys.browser import check_page, open_browser, signed_in
from tests.journeys.made import MadeHomes, bare
from tests.journeys.node import ROOT, Node
from tests.journeys.test_pages_in_the_browser import stops
from tests.soaking import amount, is_soaking

pytestmark = [pytest.mark.journey, pytest.mark.soak, pytest.mark.timeout(3600 if is_soaking() else 900)]
PERMIT = Path(__file__).resolve().parents[2] / "examples" / "permit"
CASES, MARKET, BUREAU = 30, "市市场监管局", "市数据局"
PEOPLE = {
    "shichang": ("owner", "data_steward", "市监数据专员"), "renshe": ("other", "data_steward", "人社数据专员"),
    "shuju": ("bureau", "data_leader", "数据局负责人"),
}  # fmt: skip
# The example permit, the bureau with a leader, and two departments with a data steward each, made through the same api as the command line, in one process.
FOUNDING = """
import json, os, sys
os.environ["DJANGO_SETTINGS_MODULE"] = "yunhe.settings.django"
import django; django.setup()
from yunhe.core.organizations import api
from yunhe.core.organizations.types import Region
from yunhe.core.packs import api as packs
from yunhe.kernel.actor import job_actor
permit, bodies, people = json.load(sys.stdin)
founder, told = job_actor("tests"), {}
api.create_region(region=Region("329900", "示范市", "city"), actor=founder)
for code, name, short in bodies.values():
    api.create_organization(code=code, name=name, short_name=short, region="329900", actor=founder)
for username, (body, role, name) in people.items():
    made = api.create_user(username=username, display_name=name, actor=founder)
    member = api.add_membership(username=username, organization=bodies[body][0], role=role, actor=founder)
    actor = api.actor_for(user_id=made.person.id, membership_id=member.id)
    told[username] = made.password + "-2"
    api.change_password(user_id=made.person.id, old=made.password, new=told[username], actor=actor)
packs.load_pack(name_or_path=permit, actor=founder)
print(json.dumps(told))
"""
ACCEPT, ASK = "1", "2"  # the keys of the first and the second action of a permit that came in
NO_MOUSE = """
for (const name of ["pointerdown", "mousedown", "touchstart"]) {
  addEventListener(name, () => sessionStorage.setItem("mouse", name), true);
}
"""
FOCUS = "(e => e === document.body ? '' : e.innerText || e.getAttribute('aria-label') || e.name || e.value || '')(document.activeElement)"


@pytest.fixture(params=["embedded", "server"])
def node(request: pytest.FixtureRequest, homes: MadeHomes) -> Iterator[Node]:
    with homes.node(bare, request.param) as made:
        made.accounts = found_city(made)
        made.start()
        yield made


@pytest.fixture
def browser() -> Iterator[Browser]:
    expect.set_options(timeout=20_000)
    with open_browser() as opened:
        yield opened


def test_a_clerk_works_thirty_cases_with_the_keyboard_alone(node: Node, browser: Browser) -> None:
    many = CASES if node.more.get("YUNHE_PROFILE") != "server" else amount(small=12, full=CASES)
    apply_for(many, signed_in(browser, node.web, "renshe", node.accounts["renshe"]))
    context = browser.new_context(base_url=node.web, viewport={"width": 1440, "height": 900}, locale="zh-CN", bypass_csp=True)
    context.set_default_timeout(20_000)
    context.add_init_script(NO_MOUSE)
    page = context.new_page()
    page.goto("/login")
    sign_in(page, "shichang", node.accounts["shichang"])
    tab_to(page, "待办")
    press(page, "Enter")
    page.wait_for_url("**/inbox/")
    check_page(page)
    learn_the_keys(page)

    move_to(page, 3)
    press(page, "Enter")  # opened from the middle: acting leads on to the line below
    stands_on(page, "case")
    middle = chosen(page)
    ask(page, "缺少现场照片")
    assert chosen(page) != middle and page.evaluate("document.activeElement.id") == "line"
    for done in range(1, many - 6):
        accept(page, not_yet=done == 4) if done % 4 == 0 else ask(page, f"请补第 {done} 份图纸")
    check_page(page)
    assert waiting(page) == 6
    together(page)
    expect(page.locator("main")).to_contain_text("没有待办")
    check_page(page)
    assert page.evaluate("sessionStorage.getItem('mouse')") is None
    told = signed_in(browser, node.web, "renshe", node.accounts["renshe"], width=390)
    told.goto("/inbox/?kind=permit")
    check_page(told)
    accepted = len(range(4, many - 6, 4))
    assert int(told.locator("h1 + .num").inner_text()) == many - accepted  # what was accepted went on to the departments


def found_city(node: Node) -> dict[str, str]:
    """Make the departments and their people; return the passwords that they chose."""
    done = subprocess.run(
        [sys.executable, "-c", FOUNDING], input=json.dumps([str(PERMIT), BODIES, PEOPLE]), env=node.environment, cwd=ROOT,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, str] = json.loads(done.stdout)
    return found


def apply_for(count: int, page: Page) -> None:
    """Open permits by the form's own address, as a browser would send it."""
    page.goto("/inbox/new/permit/")
    owner = page.locator("[name=do-owner] option", has_text=MARKET).get_attribute("value")
    token = page.locator("main [name=csrfmiddlewaretoken]").input_value()
    for number in range(count):
        told = {"do-title": f"解放路 {number} 号招牌", "do-owner": owner, "do-place": "解放路", "do-area": "24", "key": f"k{number}"}
        answer = page.request.post("/inbox/new/permit/", form={**told, "csrfmiddlewaretoken": token}, max_redirects=0)  # type: ignore[dict-item]
        assert answer.status == 302, answer.text()


def press(page: Page, *keys: str) -> None:
    """Press keys; a page that they lead to is waited for."""
    for key in keys:
        page.keyboard.press(key)
    page.wait_for_load_state()


def tab_to(page: Page, text: str, most: int = 60) -> None:
    """Press Tab until what has the focus reads so."""
    for _ in range(most):
        if text in page.evaluate(FOCUS):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"Tab never came to {text}")


def sign_in(page: Page, username: str, password: str) -> None:
    tab_to(page, "username")
    page.keyboard.type(username)
    page.keyboard.press("Tab")
    page.keyboard.type(password)
    press(page, "Enter")
    page.wait_for_url(lambda url: "/login" not in url)


def learn_the_keys(page: Page) -> None:
    """Open the map, switch the keys off and on again there: off, they do nothing."""
    press(page, "?")
    expect(page.locator("dialog#keys")).to_be_visible()
    check_page(page)
    press(page, "Space", "Escape")
    press(page, "j")
    assert page.evaluate("document.activeElement.dataset.line") is None
    tab_to(page, "快捷键")
    press(page, "Enter", "Space", "Escape")
    press(page, "/")
    page.keyboard.type("j1x?")  # typing is typing
    assert page.locator("main input[type=search]").first.input_value() == "j1x?"
    press(page, "Escape")


def move_to(page: Page, steps: int) -> None:
    """Go down the list with j and the arrow, and up again with k."""
    press(page, "j", *(["j", "ArrowDown"] * steps)[:steps], "j", "k")


def ask(page: Page, missing: str) -> None:
    """Ask the applicant for more: open the form by its key, type, send, and stand on the next line."""
    before = chosen(page)
    press(page, ASK)
    page.wait_for_function("document.activeElement.name === 'do-missing'")
    page.keyboard.type(missing)
    press(page, "Control+Enter")
    moved_on(page, before)


def accept(page: Page, *, not_yet: bool = False) -> None:
    """Accept with a department to review: the box is reached by Tab and taken with the space bar."""
    before = chosen(page)
    press(page, ACCEPT)
    page.wait_for_function("document.activeElement.name === 'do-departments'")
    if not_yet:
        send_nothing(page)
    for _ in range(60):
        if page.evaluate("document.activeElement.parentElement.innerText.trim()") == BUREAU:
            break
        page.keyboard.press("Tab")
    press(page, "Space", "Control+Enter")
    moved_on(page, before)


def send_nothing(page: Page) -> None:
    """Send the form with no box ticked; what is wrong leads to the group of boxes."""
    press(page, "Control+Enter")
    page.wait_for_function("document.activeElement.id === 'form-errors'")
    press(page, "Tab", "Enter")
    page.wait_for_function("document.activeElement.id === 'id_do-departments'")


def chosen(page: Page) -> str:
    """Return the number of the case that stands beside its list."""
    return page.locator("#case .num").first.inner_text()


def stands_on(page: Page, place: str) -> None:
    """Wait until the browser gave the focus to a place, and the keys are listened to."""
    page.wait_for_function(
        "id => document.activeElement.id === id && document.documentElement.classList.contains('yh-keyed')", arg=place
    )


def moved_on(page: Page, before: str) -> None:
    page.wait_for_function("before => document.querySelector('#case .num')?.innerText !== before", arg=before)
    stands_on(page, "line")
    expect(page.locator("main")).to_contain_text("已办理")


def together(page: Page) -> None:
    """Pick what is left, line by line, and do it with one form."""
    press(page, *["k"] * 10)
    for _ in range(6):
        press(page, "x", "j")
    expect(page.locator("[data-pick-count]")).to_have_text("已选 6 件")
    press(page, "b")
    page.wait_for_url(lambda url: "/inbox/bulk/?of=" in url)
    page.reload()  # what was picked has an address
    check_page(page)
    assert stops(page) == []
    press(page, ASK, "Enter")
    page.wait_for_load_state()
    page.wait_for_function("document.activeElement.name === 'do-missing'")
    page.keyboard.type("都缺图纸")
    check_page(page)
    press(page, "Control+Enter")
    expect(page.locator("main")).to_contain_text("办理了 6 件")
    page.reload()
    expect(page.locator("main")).to_contain_text("办理了 6 件")
    page.go_back()
    expect(page.locator("main")).to_contain_text("选中的都已办理")
    page.go_forward()
    expect(page.locator("main")).to_contain_text("办理了 6 件")
    check_page(page)
    press(page, "Escape")
    page.wait_for_url(lambda url: "/bulk/" not in url)


def waiting(page: Page) -> int:
    return page.locator("[data-line]").count()
