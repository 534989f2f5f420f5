"""In chromium: while permits run in many positions, an administrator adds a fourth department and a fire check to the
review; a second person approves; the moved permits wait for both, and end; the way back is kept."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.browser import check_page, open_browser, signed_in
from tests.journeys.case_pages import act, case_page
from tests.journeys.made import MadeHomes, city
from tests.journeys.node import ROOT, Node
from tests.journeys.permits import CIVIL, PERMIT, second_version
from tests.soaking import amount, is_soaking

pytestmark = [pytest.mark.journey, pytest.mark.soak, pytest.mark.timeout(3600 if is_soaking() else 900)]
CASES = amount(small=40, full=200)  # of ten: one to accept, one to complete, seven under review, one to decide
MOVED = CASES // 10 * 9


@pytest.fixture(params=["embedded", "server"])
def node(request: pytest.FixtureRequest, homes: MadeHomes) -> Iterator[Node]:
    with homes.node(city, request.param) as made:
        made.do("pack", "load", str(PERMIT), *made.as_person("xitong"))
        yield made


@pytest.fixture
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


def test_a_fourth_department_joins_while_cases_run(node: Node, browser: Browser, tmp_path: Path) -> None:
    numbers = permits(node, "spread", CASES)["numbers"]
    node.do("pack", "load", str(second_version(tmp_path / "permit")), *node.as_person("xitong"))
    node.start()
    admin = signed_in(browser, node.web, "shuju", node.accounts["shuju"])
    address = draft(admin)

    second = signed_in(browser, node.web, "xitong", node.accounts["xitong"], width=390)
    second.goto("/")
    second.locator("main").get_by_role("link", name="流程变更").click()
    check_page(second)
    second.locator("main td").get_by_role("link", name="行政许可").click()
    check_page(second)
    expect(second.get_by_role("heading", name="试算")).to_be_visible()
    expect(second.locator("main")).to_contain_text("按新时限从原起点重新计算")
    second.locator("section summary").first.focus()
    second.keyboard.press("Enter")
    expect(second.locator("section details[open] table").first).to_contain_text("变更后")
    check_page(second)
    for word, said in (("批准", "已批准"), ("执行", "已交给后台执行")):
        second.locator("main").get_by_role("link", name=word, exact=True).click()
        check_page(second)
        second.locator("main").get_by_role("button", name=word, exact=True).click()
        expect(second.locator("main")).to_contain_text(said)
    expect(second.locator("main")).to_contain_text("已完成", timeout=60_000)  # the page follows its job
    expect(second.locator("main .yh-facts")).to_contain_text(str(MOVED))
    check_page(second)

    waits_for_everyone(node, browser, admin, numbers["opinion1"][0])
    chosen = numbers["opinion3"][:2] + numbers["opinion2"][:1] + numbers["decide"][:1]
    assert permits(node, "finish", chosen) == {"ended": dict.fromkeys(chosen, "granted"), "equal": CASES, "different": []}
    back(node, admin, address, tmp_path)
    assert permits(node, "replay") == {"equal": CASES, "different": []}


def draft(page: Page) -> str:
    """Plan the change on the page and draft it; return its address."""
    page.goto("/changes/")
    check_page(page)
    row = page.locator("main tr", has_text="最新第 2 版")
    expect(row).to_contain_text(str(CASES))
    row.get_by_role("link", name="拟定变更").click()
    check_page(page)
    expect(page.locator("main")).to_contain_text("时限：10 个工作日 → 12 个工作日")
    page.locator("fieldset", has_text="审查 + 会签 ×3").get_by_role("link").click()
    expect(page.locator("main")).to_contain_text("只看：第 1 版，审查 + 会签 ×3")
    expect(page.locator("main p.yh-count")).to_contain_text(f"共 {CASES // 2} 条")
    check_page(page)
    page.go_back()

    page.locator("fieldset", has_text="决定 + 作出决定").get_by_label("留在第 1 版").check()
    whole(page, "会签", "由流程决定")
    reviewing = page.locator("fieldset", has_text="审查 +")
    expect(reviewing.locator(".yh-error")).to_have_text(["待办“会签”须写明单位"] * 3)
    check_page(page)
    for group in reviewing.all():
        group.locator("[name$=add_0_organization]").select_option(label=CIVIL)
    whole(page, "消防核查", "由流程决定")
    expect(page.locator("main")).to_contain_text(f"将移动 {MOVED} 件，留在原版本 {CASES - MOVED} 件，每件都还能办结")
    expect(reviewing.first).to_contain_text("增开“会签：市民政局”；增开“消防核查”")
    count_anew(page)
    page.get_by_role("button", name="起草变更").click()
    expect(page.locator("main .yh-error").first).to_be_visible()  # a reason is needed
    page.locator("[name=reason]").fill("民政部门参加会签，并核查消防")
    page.get_by_role("button", name="起草变更").click()
    page.wait_for_url(re.compile(r"/changes/[0-9A-Z]{20,}/"))
    check_page(page)
    expect(page.locator("main")).to_contain_text("起草人不能批准自己的变更")
    expect(page.get_by_role("link", name="批准", exact=True)).to_have_count(0)
    return page.url


def count_anew(page: Page) -> None:
    """The departments get the longer limit from their own start; the trial run shows it, opened by the keyboard."""
    group = page.locator("fieldset", has_text="审查 + 会签 ×3")
    group.locator("summary").click()
    group.locator("[name$=-limits]").select_option(label="按新时限从原起点重新计算")
    page.get_by_role("button", name="试算").click()
    page.wait_for_load_state()
    trial = page.locator("section", has=page.get_by_role("heading", name="试算"))
    done = re.search(rf"已在 {MOVED} 件中的 (\d+) 件上真实移动一遍，再全部撤销", trial.inner_text())
    assert done, trial.inner_text()
    assert 4 <= int(done[1]) <= MOVED  # each group at least; a slow machine ends the trial by its time
    tried = trial.locator(".card", has_text="审查 + 会签 ×3")
    expect(tried).to_contain_text(re.compile(r"开启待办 \d+ 项；\d+ 项改变截止时间；告知轮到办理的"))
    tried.locator("summary").focus()
    page.keyboard.press("Enter")
    expect(tried.locator("table")).to_contain_text("消防核查")
    expect(tried.locator("tr", has_text="开启").first).to_contain_text("轮到")
    check_page(page)


def whole(page: Page, obligation: str, organization: str) -> None:
    page.locator("[name=all-review-add]").select_option(label=obligation)
    page.locator("[name=all-review-organization]").select_option(label=organization)
    page.get_by_role("button", name="试算").click()
    page.wait_for_load_state()


def waits_for_everyone(node: Node, browser: Browser, admin: Page, number: str) -> None:
    """The third department speaks, then the fourth, then the fire check: only then is it to be decided."""
    act(admin, number, "同意", {}, "同意", look=False)
    expect(case_page(admin, number).locator("main")).to_contain_text("等待 市民政局")
    expect(admin.locator("main")).to_contain_text("按新流程续办")
    act(signed_in(browser, node.web, "minzheng.lead", node.accounts["minzheng.lead"]), number, "同意", {}, "同意", look=False)
    steward = signed_in(browser, node.web, "shichang", node.accounts["shichang"])
    act(steward, number, "消防合格", {}, "", look=False)
    act(signed_in(browser, node.web, "shichang.lead", node.accounts["shichang.lead"]), number, "准予许可", {}, "", look=False)
    expect(case_page(admin, number, look=False).locator("main")).to_contain_text("准予许可")


def back(node: Node, page: Page, address: str, folder: Path) -> None:
    """The way back is offered on the page; here it goes by the command line."""
    page.goto(address)
    page.locator("main").get_by_role("link", name="返回旧流程").click()
    check_page(page)
    expect(page.locator("main")).to_contain_text("第 2 版 → 第 1 版")
    expect(page.locator("main")).to_contain_text("取消“会签：市民政局”")
    plan, admin, second = folder / "back.json", node.as_person("shuju"), node.as_person("xitong")
    key = address.rstrip("/").rpartition("/")[2]
    node.do("case", "migrate", "undo", key, "--out", str(plan), *admin)
    moves = json.loads(plan.read_text("utf-8"))["moves"]
    for move in moves:
        move["cancel"] += [["fire", ""]] if "fire" in move["obligations"] and ["fire", ""] not in move["cancel"] else []
    plan.write_text(json.dumps({**json.loads(plan.read_text("utf-8")), "moves": moves}), "utf-8")
    drafted = node.do("case", "migrate", "draft", str(plan), "--reason", "试行结束", *admin)["migration"]
    node.do("case", "migrate", "approve", drafted, *second)
    done = node.do("case", "migrate", "apply", drafted, *admin)
    assert (done["state"], done["moved"]) == ("done", sum(move["cases"] for move in moves if move["choice"] == "move"))
    page.goto(address)
    expect(page.locator("main")).to_contain_text("返回旧流程的变更")
    check_page(page)


def permits(node: Node, what: str, told: Any = None) -> Any:
    """Run one of `tests.journeys.permits` under the node's settings; return what it printed."""
    words = [sys.executable, "-m", "tests.journeys.permits", what, *([json.dumps(told)] if told is not None else [])]
    environment = {**node.environment, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
    done = subprocess.run(words, env=environment, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
