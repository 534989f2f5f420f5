"""In chromium: a slow upload that is paused, reloaded in its middle and finished; and the same form without script."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.core.attachments import samples
from tests.core.attachments.clamd_server import EICAR, running_clamd
from tests.core.attachments.server import Server
from tests.journeys.browser import check_page, open_browser, signed_in

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]
BYTES_PER_SECOND = 1_500_000


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    made = Server(tmp_path_factory.mktemp("browser") / "node")
    made.start()
    yield made
    made.strike()


@pytest.fixture
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


def person(browser: Browser, server: Server, *, script: bool = True) -> Page:
    """Return a page under the pages' real content policy, signed in."""
    context = browser.new_context(base_url=server.web, locale="zh-CN", java_script_enabled=script)
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.goto("/login")
    page.fill("[name=username]", server.account["username"])
    page.fill("[name=password]", server.account["password"])
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda url: "/login" not in url)
    return page


def percent(page: Page) -> int:
    return int((page.locator("[data-percent]").first.text_content() or "0").rstrip("%"))


def wait_for_percent(page: Page, least: int) -> None:
    page.wait_for_function(
        "least => parseInt(document.querySelector('[data-percent]')?.textContent ?? '0') >= least", arg=least
    )


def slow_down(page: Page) -> None:
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    limits = {"offline": False, "latency": 5, "downloadThroughput": -1, "uploadThroughput": BYTES_PER_SECOND}
    session.send("Network.emulateNetworkConditions", limits)


def test_a_slow_upload_is_paused_reloaded_and_finished(server: Server, browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "大 文件.pdf"
    file.write_bytes(samples.pdf(b"0123456789abcdef" * (8 << 16)))  # 8 MB
    page = person(browser, server)
    faults: list[str] = []
    pieces: list[int] = []

    def note(request: Request) -> None:
        if request.method == "PATCH":
            pieces.append(int(request.headers["upload-offset"]))

    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
    page.on("request", note)
    page.goto("/trial/")
    slow_down(page)
    page.set_input_files("input[type=file]", file)
    wait_for_percent(page, 20)
    expect(page.get_by_role("progressbar", name=file.name)).to_be_visible()
    page.get_by_role("button", name="Submit").click()
    expect(page.get_by_role("alert")).to_contain_text("还有文件没有传完")
    page.get_by_role("button", name="暂停").click()
    page.wait_for_timeout(300)
    stands, sent = percent(page), len(pieces)
    page.wait_for_timeout(1000)
    assert (percent(page), len(pieces)) == (stands, sent)
    page.get_by_role("button", name="继续").click()
    wait_for_percent(page, stands + 10)
    page.reload()
    before = len(pieces)
    page.set_input_files("input[type=file]", file)
    expect(page.locator("[data-upload-list]")).to_contain_text("已上传", timeout=60_000)
    assert pieces[before] >= (stands / 100) * file.stat().st_size, "the reloaded page began anew"
    page.get_by_role("button", name="Submit").click()
    expect(page.locator(".taken")).to_have_text(f"{file.name} {file.stat().st_size}")
    assert file.read_bytes() in [stored.read_bytes() for stored in server.home.glob("attachments/??/*")]
    assert not faults


def test_a_refused_file_says_why_and_the_form_goes_on_without_it(server: Server, browser: Browser, tmp_path: Path) -> None:
    wrong, right = tmp_path / "假.pdf", tmp_path / "真.pdf"
    wrong.write_bytes(samples.png())
    right.write_bytes(samples.pdf())
    page = person(browser, server)
    page.goto("/trial/")
    page.set_input_files("input[type=file]", [wrong, right])
    expect(page.locator("[data-upload-list]")).to_contain_text("与扩展名“.pdf”不符")
    # The sound file may still be on its way and has a button of its own then.
    page.get_by_role("listitem").filter(has_text="假.pdf").get_by_role("button", name="取消").click()
    expect(page.get_by_role("checkbox", name=re.compile("真.pdf"))).to_be_checked()
    page.get_by_role("button", name="Submit").click()
    expect(page.locator(".taken")).to_have_text(f"真.pdf {right.stat().st_size}")


def test_what_the_virus_check_found_stands_in_the_row_as_soon_as_it_is_known(browser: Browser, tmp_path: Path) -> None:
    sick, sound = tmp_path / "病.pdf", tmp_path / "好.pdf"
    sick.write_bytes(samples.pdf(EICAR))
    sound.write_bytes(samples.pdf())
    with running_clamd() as clamd:
        server = Server(tmp_path / "scanned", YUNHE_CLAMD=clamd.address)
        server.start()
        try:
            page = person(browser, server)
            page.goto("/trial/")
            page.set_input_files("input[type=file]", [sick, sound])
            rows = {file: page.get_by_role("listitem").filter(has_text=file.name) for file in (sick, sound)}
            for row in rows.values():
                expect(row).to_contain_text("等待查毒")
                expect(row).to_contain_text("查毒服务没有应答时文件留着，自动再试")
            assert "已上传" not in (page.locator("[data-upload-list]").text_content() or "")
            server.work()
            expect(rows[sick]).to_contain_text("查出病毒，已删除")
            expect(rows[sound]).to_contain_text("查毒已通过")
            assert rows[sick].get_by_role("checkbox").count() == 0
            page.get_by_role("button", name="Submit").click()
            expect(page.locator(".taken")).to_have_text(f"{sound.name} {sound.stat().st_size}")
        finally:
            server.strike()


def test_without_script_the_form_sends_the_files(server: Server, browser: Browser, tmp_path: Path) -> None:
    file, wrong = tmp_path / "无脚本.pdf", tmp_path / "假.pdf"
    file.write_bytes(samples.pdf(bytes(3 << 20)))
    wrong.write_bytes(b"MZ" + bytes(100))
    page = person(browser, server, script=False)
    page.goto("/trial/")
    page.set_input_files("input[type=file]", [file, wrong])
    page.get_by_role("button", name="Submit").click()
    expect(page.locator(".yh-errors")).to_contain_text("不在收取范围内")
    expect(page.get_by_role("checkbox", name=re.compile("无脚本.pdf"))).to_be_checked()
    page.get_by_role("button", name="Submit").click()
    expect(page.locator(".taken")).to_have_text(f"无脚本.pdf {file.stat().st_size}")


@pytest.mark.parametrize("width", [1440, 390])
def test_the_pages_fit_and_read_well(server: Server, browser: Browser, tmp_path: Path, width: int) -> None:
    file = tmp_path / "一份.pdf"
    file.write_bytes(samples.pdf())
    page = signed_in(browser, server.web, server.account["username"], server.account["password"], width=width)
    page.goto("/trial/")
    page.set_input_files("input[type=file]", file)
    expect(page.locator("[data-upload-list]")).to_contain_text("已上传")
    check_page(page)
    page.goto("/attachments/")
    expect(page.locator("main")).to_contain_text("一份.pdf")
    check_page(page)
    with page.expect_download() as started:
        page.get_by_role("link", name="一份.pdf").first.click()
    assert started.value.suggested_filename == "一份.pdf"
