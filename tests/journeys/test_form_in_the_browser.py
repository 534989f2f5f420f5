"""In chromium: a permit's form comes and goes with what is typed, is left and gone on with in another browser,
takes a file and a checked code, and the case shows what came with it; the same form without script. A form of every
type of field is filled in with a table, names and JSON, by keys and on a phone, and on the command line with the same result."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from playwright.sync_api import Browser, Page, expect

from tests.core.cases.form_kinds import EVERY_FIELD, form_body
from tests.data.spine import uscc
from tests.journeys.browser import check_page, open_browser, sign_in, signed_in
from tests.journeys.made import MadeHomes, city
from tests.journeys.node import Node

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]
PERMIT = Path(__file__).resolve().parents[2] / "examples" / "permit"
MARKET = "市市场监管局"
FILE = {"name": "平面图.txt", "mimeType": "text/plain", "buffer": "一层平面图".encode()}


@pytest.fixture
def node(homes: MadeHomes, tmp_path: Path) -> Iterator[Node]:
    kind = tmp_path / "every" / "cases" / "form_case.yml"
    kind.parent.mkdir(parents=True)
    kind.write_text(yaml.safe_dump(form_body(EVERY_FIELD), allow_unicode=True, sort_keys=False), "utf-8")
    (tmp_path / "every" / "pack.yml").write_text('{name: every, title: {zh: 各种字段, en: Every field}, version: "1", needs: [national]}', "utf-8")
    with homes.node(city) as made:
        made.do("pack", "load", str(PERMIT), *made.as_person("xitong"))
        made.do("pack", "load", str(tmp_path / "every"), *made.as_person("xitong"))
        made.start()
        yield made


@pytest.fixture
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


def test_a_form_is_left_and_gone_on_with(node: Node, browser: Browser) -> None:
    page = signed_in(browser, node.web, "renshe", node.accounts["renshe"])
    page.goto("/inbox/new/permit/")
    check_page(page)
    fire = page.locator("[name=do-fire_safety]")
    expect(fire).to_have_count(0)
    page.locator("[name=do-title]").fill("解放路书店招牌")
    page.locator("[name=do-area]").fill("400")
    page.locator("[name=do-area]").press("Tab")
    expect(fire).to_be_visible()  # the server was asked
    expect(page.locator("[name=do-title]")).to_have_value("解放路书店招牌")
    fire.fill("两个出口")
    page.locator("[name=do-area]").fill("40")
    page.locator("[name=do-area]").press("Tab")
    expect(fire).to_have_count(0)
    page.locator("[name=do-area]").fill("400")
    page.locator("[name=do-area]").press("Tab")
    fire.fill("两个出口，一套喷淋")
    page.locator("input[type=file]").set_input_files(FILE)
    expect(page.locator("main")).to_contain_text("已上传")
    check_page(page)
    page.goto("/inbox/")  # left without a word

    other = signed_in(browser, node.web, "renshe", node.accounts["renshe"], width=390)
    other.goto("/inbox/")
    check_page(other)
    other.get_by_role("link", name="继续填写").click()
    check_page(other)
    other.locator("main").get_by_role("link", name="继续填写").first.click()
    check_page(other)
    expect(other.locator("[name=do-fire_safety]")).to_have_value("两个出口，一套喷淋")
    expect(other.locator("main")).to_contain_text("平面图.txt")
    send(other, {"place": "解放路 18 号", "applicant_uscc": uscc(10_000_001)[:-1] + "0"})
    expect(other.locator(".yh-errors")).to_contain_text("校验码不对")
    check_page(other)
    send(other, {"applicant_uscc": uscc(10_000_001)})
    other.wait_for_url("**/inbox/cases/**")
    check_page(other)
    for text in ("两个出口，一套喷淋", "平面图.txt", uscc(10_000_001)):
        expect(other.locator("main")).to_contain_text(text)
    with other.expect_download() as download:
        other.locator("main").get_by_role("link", name="平面图.txt").click()
    assert download.value.path().read_text("utf-8") == "一层平面图"
    page.goto("/inbox/new/")
    expect(page.locator("main")).not_to_contain_text("没有提交的表单")
    without_script(node, browser)
    an_older_page(node, browser)
    every_field(node, browser)
    every_field_without_script(node, browser)
    every_field_after_signing_in_again(node, browser)


def an_older_page(node: Node, browser: Browser) -> None:
    """Leave a page that was open while the draft was kept elsewhere: the newer text stays, the older one stands beside."""
    office = signed_in(browser, node.web, "renshe", node.accounts["renshe"])
    phone = signed_in(browser, node.web, "renshe", node.accounts["renshe"], width=390)
    office.goto("/inbox/new/permit/")
    office.locator("[name=do-title]").fill("两处填写")
    office.locator("[name=do-place]").fill("办公室写的")
    office.get_by_role("button", name="保存", exact=True).click()
    office.wait_for_url("**draft=**")
    address = office.url
    phone.goto(address)
    phone.locator("[name=do-place]").fill("手机上改的")
    phone.get_by_role("button", name="保存", exact=True).click()
    expect(phone.locator("main")).to_contain_text("已保存")
    office.locator("[name=do-area]").fill("12")
    office.goto("/inbox/new/")
    beside = office.get_by_text("另一处未保存的内容")
    for _ in range(40):  # what a page says on its way out may come after the next page was asked for
        if beside.count():
            break
        office.wait_for_timeout(250)
        office.reload()
    expect(office.locator("main")).to_contain_text("另一处未保存的内容")
    check_page(office)
    phone.goto("/inbox/new/")
    stands_apart(phone)
    check_page(phone)
    phone.goto(address)
    expect(phone.locator("[name=do-place]")).to_have_value("手机上改的")
    expect(phone.locator("[data-beside]")).to_contain_text("办公室写的")
    check_page(phone)
    phone.get_by_role("link", name="改用那一份").click()
    check_page(phone)
    phone.get_by_role("button", name="用另一处的这一份").click()
    expect(phone.locator("[name=do-place]")).to_have_value("办公室写的")
    expect(phone.locator("[data-beside]")).to_contain_text("手机上改的")


def stands_apart(page: Page) -> None:
    """Assert that what stands in a cell of the drafts, and a tag and what is below it, have room between them."""
    near = page.locator("main table").first.evaluate("""(table) => {
      const boxes = [...table.querySelectorAll("td .yh-tag, td .btn")].map((one) => [one.textContent, one.getBoundingClientRect()]);
      const apart = (a, b) => Math.max(a.left - b.right, b.left - a.right, a.top - b.bottom, b.top - a.bottom);
      return boxes.flatMap(([text, box], place) => boxes.slice(place + 1).filter(([, other]) => apart(box, other) < 4).map(([other]) => `${text} / ${other}`));
    }""")
    assert near == [], near


def without_script(node: Node, browser: Browser) -> None:
    """Do the same with plain forms: the button asks for the fields, the file comes with the form."""
    page = signed_in(browser, node.web, "renshe", node.accounts["renshe"], locale="en-US", script=False)
    page.goto("/inbox/new/permit/")
    page.locator("[name=do-title]").fill("Sign of a bookshop")
    page.locator("[name=do-area]").fill("400")
    page.get_by_role("button", name="Update the form").click()
    page.locator("[name=do-fire_safety]").fill("Two exits")
    page.locator("input[type=file]").set_input_files(FILE)
    send(page, {"place": "Jiefang Road 18"}, button="Open")
    page.wait_for_url("**/inbox/cases/**")
    for text in ("Two exits", "平面图.txt"):
        expect(page.locator("main")).to_contain_text(text)


def every_field(node: Node, browser: Browser) -> None:
    """Fill in a table, a value for each name and JSON; what is wrong is told by row and column; the command line keeps the same."""
    page = signed_in(browser, node.web, "renshe", node.accounts["renshe"])
    page.goto("/inbox/new/form_case/")
    page.locator("[name=do-title]").fill("各种字段")
    page.locator("[name=do-number]").fill("5")
    page.locator("[name=do-pledge]").check()
    page.locator("[name=do-names]").fill("张三\n李四")
    page.locator("[name=do-names]").press("Tab")
    page.get_by_label("李四").first.select_option("yes_")
    page.locator("[name=do-rows__0__item]").fill("笔")
    add = page.get_by_role("button", name="增加一行")
    add.press("Enter")
    expect(page.locator("[name=do-rows__1__item]")).to_be_focused()
    expect(page.locator("#form-said")).to_contain_text("已增加第 2 行")
    page.keyboard.type("纸")
    page.locator("[name=do-rows__1__qty]").fill("0")
    add.press("Enter")
    expect(page.locator("[name=do-rows__2__item]")).to_be_focused()
    page.keyboard.type("墨")
    page.get_by_role("button", name=re.compile("删除\\s*第 1 行")).press("Enter")
    expect(page.locator("[name=do-rows__0__item]")).to_have_value("纸")
    expect(page.locator("[name=do-rows__0__item]")).to_be_focused()
    check_page(page)
    send(page, {"short": "一二三四五六七八九十多", "blob": '{"a": [1]}'})
    expect(page.locator(".yh-errors li")).to_have_text(
        ["字段short：最多 10 个字符，实际 11 个。", re.compile("第 1 行“字段qty”：不能小于 1。")]
    )
    expect(page.locator("[name=do-short]")).to_have_value("一二三四五六七八九十多")
    check_page(page)
    page.set_viewport_size({"width": 390, "height": 900})
    check_page(page)
    page.locator(".yh-errors a").last.click()
    expect(page.locator("[name=do-rows__0__qty]")).to_be_focused()
    page.locator("[name=do-rows__0__qty]").fill("7")
    page.locator("[name=do-short]").fill("一句")
    page.locator("[name=do-short]").press("Enter")  # hands the form in, and takes no row out
    page.wait_for_url("**/inbox/cases/**")
    check_page(page)
    for text in ("字段item 纸，字段qty 7", "字段item 墨", "李四：可"):
        expect(page.locator("main")).to_contain_text(text)
    data = {
        "short": "一句", "number": 5, "pledge": True, "free": False, "names": ["张三", "李四"], "each": {"李四": "yes_"}, "blob": {"a": [1]},
        "rows": [{"item": "纸", "qty": 7, "ok": False}, {"item": "墨", "ok": False}],
    }  # fmt: skip
    case = kept(node, number_on(page))
    asked = ["--title", "各种字段", "--data", json.dumps(data), "--owner", case["owner"], *node.as_person("renshe")]
    assert kept(node, node.do("case", "open", "form_case", *asked)["number"])["data"] == case["data"]


def kept(node: Node, number: str) -> Any:
    """Return what the command line shows of a case."""
    return node.do("case", "show", number, *node.as_person("renshe"))["case"]


def number_on(page: Page) -> str:
    """Return the number of the case that the page shows."""
    return re.search(r"BD\d+-\d+", page.locator("main").inner_text())[0]  # type: ignore[index]


def every_field_without_script(node: Node, browser: Browser) -> None:
    """Add a row, ask for a value for each name and hand in, all with plain forms."""
    page = signed_in(browser, node.web, "renshe", node.accounts["renshe"], width=390, script=False)
    page.goto("/inbox/new/form_case/")
    page.locator("[name=do-rows__0__item]").fill("笔")
    page.get_by_role("button", name="增加一行").click()
    page.locator("[name=do-rows__1__item]").fill("纸")
    page.locator("[name=do-title]").fill("没有脚本")
    page.locator("[name=do-names]").fill("张三")
    page.get_by_role("button", name="更新表单").click()
    page.get_by_label("张三").first.select_option("no_")
    page.locator("[name=do-number]").fill("5")
    page.locator("[name=do-pledge]").check()
    send(page, {"short": "一句"})
    page.wait_for_url("**/inbox/cases/**")
    for text in ("字段item 笔", "字段item 纸", "张三：否"):
        expect(page.locator("main")).to_contain_text(text)


def every_field_after_signing_in_again(node: Node, browser: Browser) -> None:
    """Send a form when the session is over: after signing in again all rows and the values of the names are back."""
    page = signed_in(browser, node.web, "renshe", node.accounts["renshe"])
    page.goto("/inbox/new/form_case/")
    page.get_by_role("button", name="增加一行").click()
    page.locator("[name=do-rows__1__item]").fill("纸")
    page.locator("[name=do-names]").fill("张三")
    page.locator("[name=do-names]").press("Tab")
    page.get_by_label("张三").first.select_option("no_")
    page.locator("[name=do-pledge]").check()
    page.context.clear_cookies(name="yunhe_session")
    page.locator("main").get_by_role("button", name="提出", exact=True).click()
    page.wait_for_url("**/login**")
    sign_in(page, "renshe", node.accounts["renshe"])
    page.wait_for_url("**/inbox/new/form_case/**")
    expect(page.locator("[name=do-rows__1__item]")).to_have_value("纸")
    expect(page.get_by_label("张三").first).to_have_value("no_")
    expect(page.locator("[name=do-pledge]")).to_be_checked()


def send(page: Page, filled: dict[str, str], *, button: str = "提出") -> None:
    page.locator("[name=do-owner]").select_option(label=MARKET)
    for name, value in filled.items():
        page.locator(f"[name=do-{name}]").fill(value)
    page.locator("main").get_by_role("button", name=button, exact=True).click()
    page.wait_for_load_state()
