"""In chromium: owner publishes, consumer asks, owner grants three fields, consumer calls, the owner sees it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.data import spine
from tests.journeys.browser import check_page, open_browser, signed_in
from tests.journeys.made import MadeHomes, city
from tests.journeys.node import Node
from yunhe.client import Client
from yunhe.client.errors import CallRefused

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]
TITLE = "示范企业名录"
FIELDS = ["uscc", "enterprise_name", "region"]


@pytest.fixture(params=["embedded", "server"])
def node(request: pytest.FixtureRequest, homes: MadeHomes, tmp_path: Path) -> Iterator[tuple[Node, dict[str, str]]]:
    with homes.node(city, request.param, YUNHE_SOURCE_ROOTS=f"*={tmp_path}") as made:
        made.start()
        yield made, made.accounts


@pytest.fixture
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


def act_on_newest(page: Page, action: str, **filled: str) -> None:
    """Open the newest thing in the inbox and take an action."""
    page.goto("/inbox/")
    check_page(page)
    page.get_by_role("link", name=TITLE).first.click()
    page.get_by_role("link", name=action, exact=True).first.click()
    for name, value in filled.items():
        page.locator(f"[name={name}]").fill(value)
    check_page(page)
    page.locator("main").get_by_role("button", name=action).click()
    page.wait_for_load_state()
    expect(page.locator("main")).to_contain_text("已办理")
    check_page(page)


def test_the_spine(node: tuple[Node, dict[str, str]], browser: Browser, tmp_path: Path) -> None:
    running, passwords = node
    source = spine.write_csv(tmp_path / "enterprises.csv", spine.rows(30))

    def person(name: str) -> Page:
        return signed_in(browser, running.web, name, passwords[name])

    steward = person("shichang")
    text = spine.CONTRACT.format(
        title=TITLE, provider="市市场监管局", sharing="conditional", basis="演示", location=source, minimum=1
    )
    code = register(steward, text)
    act_on_newest(person("shichang.lead"), "审核通过")
    act_on_newest(person("shuju"), "发布")
    load(steward, code, "30")

    consumer = person("renshe")
    ask(consumer, code, FIELDS)
    leader = person("shichang.lead")
    act_on_newest(leader, "同意并授权")
    grant = running.do("grant", "list", *running.as_person("renshe"), "--resource", code)["grants"][0]
    assert [f["name"] for f in grant["fields"]] == FIELDS
    key, secret = make_system(consumer)

    wanted = spine.uscc(10_000_003)
    with closing(Client(running.gateway, key, secret)) as client:
        answer = client.query(grant=grant["grant_id"], keys={"uscc": wanted})
        assert answer.found
        assert list(answer.row or {}) == FIELDS
        with pytest.raises(CallRefused):
            client.query(grant=grant["grant_id"], keys={"uscc": wanted}, fields=["capital"])

    owner_sees_the_call(leader, grant["grant_id"])


def register(page: Page, text: str) -> str:
    """Paste a contract, save the draft, submit it for review; return the resource's code."""
    page.goto("/ledger/")
    check_page(page)
    page.get_by_role("link", name="登记资源").first.click()
    check_page(page)
    page.locator("textarea[name=text]").fill(text)
    page.locator("main").get_by_role("button", name="保存草稿").click()
    page.wait_for_url("**/ledger/*/*/**")
    code = "/".join(page.url.split("/ledger/")[1].split("/")[:2])
    page.goto(f"/ledger/{code}/")
    check_page(page)
    page.locator("main").get_by_text("提交审核").first.click()
    page.wait_for_load_state()
    if "submit" in page.url:
        page.locator("main").get_by_role("button", name="提交审核").click()
        page.wait_for_load_state()
    return code


def load(page: Page, code: str, shown: str) -> None:
    """Load, wait for the release, see the count of records on the load's page; end on the findings."""
    page.goto(f"/ledger/{code}/")
    page.locator("main").get_by_role("button", name="装载", exact=True).click()
    page.wait_for_load_state()
    for _ in range(600):
        page.goto(f"/ledger/{code}/")
        if page.get_by_text("当前发布 #1").count():
            break
        page.wait_for_timeout(500)
    else:
        raise AssertionError("the load did not release")
    page.get_by_role("link", name="查看", exact=True).first.click()
    check_page(page)
    expect(page.locator("main")).to_contain_text(shown)
    page.goto(f"/quality/findings/{code}/")
    check_page(page)


def ask(page: Page, code: str, fields: Sequence[str]) -> None:
    page.goto(f"/ledger/{code}/")
    page.locator("main").get_by_role("link", name="申请使用").first.click()
    check_page(page)
    for name in fields:
        page.locator(f"input[value={name}]").check()
    page.locator("[name=purpose]").fill("核对参保企业")
    page.locator("[name=legal_basis]").fill("演示")
    page.get_by_role("button", name="提交申请").click()
    page.wait_for_url("**/inbox/cases/**")
    check_page(page)


def make_system(page: Page) -> tuple[str, str]:
    page.goto("/exchange/systems/new/")
    check_page(page)
    page.locator("[name=name]").fill("社保经办系统")
    page.locator("main").get_by_role("button", name="新建").click()
    page.wait_for_load_state()
    check_page(page)
    shown = page.locator("main code, main pre").all_inner_texts()
    key = next(text.strip() for text in shown if text.strip().startswith("AK"))
    secret = next(text.strip() for text in shown if len(text.strip()) == 43)
    assert secret not in page.goto("/exchange/systems/").text()  # type: ignore[union-attr]
    return key, secret


def owner_sees_the_call(page: Page, grant_id: str) -> None:
    for _ in range(60):
        page.goto(f"/exchange/grants/{grant_id}/")
        if page.get_by_text("已答复").count() and page.get_by_text("拒绝").count():
            check_page(page)
            return
        page.wait_for_timeout(500)
    raise AssertionError("the owner does not see the call: " + json.dumps(page.locator("main").inner_text(), ensure_ascii=False))
