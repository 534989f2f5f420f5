"""In chromium: a permit with three departments side by side, a reviewer added, sent back once, a leave handed over,
the clock paused and explained."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.browser import check_page, open_browser, signed_in
from tests.journeys.case_pages import act, case_page, operate
from tests.journeys.made import MadeHomes, city
from tests.journeys.node import Node
from yunhe.kernel.clock import local, now

pytestmark = [pytest.mark.journey, pytest.mark.timeout(900)]
PERMIT = Path(__file__).resolve().parents[2] / "examples" / "permit"
TITLE = "解放路书店招牌"
EXPERTISE = "行政许可法第四十五条：鉴定所需时间不计算在期限内"
MARKET, POLICE, BUREAU = "市市场监管局", "市公安局", "市数据局"


@pytest.fixture(params=["embedded", "server"])
def node(request: pytest.FixtureRequest, homes: MadeHomes) -> Iterator[Node]:
    with homes.node(city, request.param) as made:
        made.do("pack", "load", str(PERMIT), *made.as_person("xitong"))
        made.start()
        yield made


@pytest.fixture
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


def test_a_permit_goes_its_way(node: Node, browser: Browser) -> None:
    pages: dict[str, Page] = {}

    def person(name: str) -> Page:
        if name not in pages:
            pages[name] = signed_in(browser, node.web, name, node.accounts[name], width=390 if name == "renshe" else 1440)
        return pages[name]

    number = propose(person("renshe"))
    steward, leader, police = person("shichang"), person("shichang.lead"), person("gongan.lead")

    act(steward, number, "告知补正", {"missing": "现场照片"}, "告知补正")
    act(person("renshe"), number, "提交补正", {"place": "解放路 18 号一层"}, "提交补正")
    expect(case_page(person("renshe"), number).locator("summary", has_text="全程时限")).to_have_count(0)  # it begins with the acceptance

    operate(steward, number, "加签", {}, check=["市监数据负责人"], reason="请核对规划")
    expect(steward.locator("main")).to_contain_text("等待 市监数据负责人：出具意见")
    act(leader, number, "提交意见", {"opinion": "符合规划"}, "提交意见", select={"agrees": "yes"})
    act(steward, number, "受理", {}, "受理", check=[MARKET, POLICE, BUREAU])
    for body in (MARKET, POLICE, BUREAU):  # all three at once
        expect(steward.locator("main")).to_contain_text(f"等待 {body}")
    stand_still(person("renshe"), leader, number)

    act(leader, number, "同意", {}, "同意")
    act(police, number, "不同意", {"reason": "消防通道被挡"}, "不同意")
    away(person("shuju"))
    act(person("shuju"), number, "同意", {}, "同意")

    operate(leader, number, "退回到", {}, select={"phase": "review"}, reason="请按新图纸重新会签")
    expect(leader.locator("main")).to_contain_text("理由：请按新图纸重新会签")
    expect(leader.locator("main .yh-timeline .open")).to_have_count(3)  # whoever spoke is asked again
    act(police, number, "同意", {}, "同意")
    act(person("shuju"), number, "同意", {}, "同意")
    away(leader, until=3, to="市监数据专员")
    act(steward, number, "同意", {}, "同意")  # in the leader's seat
    page = case_page(steward, number)
    expect(page.locator("main")).to_contain_text("代 市监数据负责人")
    act(steward, number, "准予许可", {}, "")
    expect(case_page(person("renshe"), number).locator("main")).to_contain_text("准予许可")
    page = person("renshe")
    page.goto("/notices/")
    check_page(page)
    expect(page.locator("main")).to_contain_text(number)
    replayed = node.do("case", "replay", number, *node.as_person("shichang"))
    assert replayed["equal"], replayed


def propose(page: Page) -> str:
    """Open a permit by its form; a missing field comes back with what is wrong. Returns its number."""
    page.goto("/inbox/")
    check_page(page)
    page.get_by_role("link", name="提出办件").click()
    check_page(page)
    page.get_by_role("link", name="行政许可").click()
    check_page(page)
    page.locator("[name=do-title]").fill(TITLE)
    page.locator("[name=do-owner]").select_option(label=MARKET)
    page.locator("[name=do-area]").fill("很大")
    page.locator("main").get_by_role("button", name="提出").click()
    check_page(page)
    expect(page.locator("[name=do-title]")).to_have_value(TITLE)  # nothing that was filled in is lost
    page.locator("[name=do-place]").fill("解放路 18 号")
    page.locator("[name=do-area]").fill("24")
    page.locator("main").get_by_role("button", name="提出").click()
    page.wait_for_url("**/inbox/cases/**")
    check_page(page)
    number = page.locator("main .num").first.inner_text().strip()
    assert number.startswith("XK"), number
    return number


def stand_still(applicant: Page, leader: Page, number: str) -> None:
    """Suspend a case and go on: its clock stands meanwhile, and says so afterwards."""
    operate(leader, number, "中止", {"basis": EXPERTISE}, reason="等待鉴定")
    page = case_page(applicant, number)
    page.get_by_text("时限已暂停").click()
    expect(page.locator("main")).to_contain_text(f"起暂停：{EXPERTISE}")
    operate(leader, number, "恢复办理", {}, reason="鉴定完成")
    page = case_page(applicant, number)
    page.locator("summary", has_text="全程时限").click()
    expect(page.locator("details[open]")).to_contain_text(f"暂停过：{EXPERTISE}")
    expect(page.locator("details[open]")).to_contain_text("当日不计")


def away(page: Page, *, until: int = 0, to: str = "") -> None:
    """Delegate one's seats to a colleague by the page; only look at it where nobody is named."""
    page.goto("/inbox/absences/")
    check_page(page)
    if not to:
        return
    today = local(now()).date()
    page.locator("[name=to_username]").select_option(label=to)
    page.locator("[name=since]").fill(today.isoformat())
    page.locator("[name=until]").fill((today + timedelta(days=until)).isoformat())
    page.locator("[name=reason]").fill("休假")
    page.locator("main").get_by_role("button", name="委托", exact=True).click()
    page.wait_for_load_state()
    expect(page.locator("main")).to_contain_text("生效中")
    check_page(page)
