"""In chromium: the button that has another code sent counts down to when it is taken, and works without script."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.core.attachments.server import Server
from tests.core.attachments.test_in_the_browser import person
from tests.journeys.browser import open_browser

pytestmark = [pytest.mark.journey, pytest.mark.timeout(600)]
WAITS = re.compile(r"重新发送（\d+ 秒后）")


def test_the_button_counts_down_and_without_script_the_page_says_how_long(tmp_path: Path) -> None:
    server = Server(tmp_path / "node")
    server.start()
    try:
        with open_browser() as browser:
            page = person(browser, server)
            page.clock.install()
            page.goto("/notices/contacts/sms/")
            page.fill("[name=address]", "13800138000")
            page.press("[name=address]", "Enter")
            button = page.get_by_role("button", name="重新发送")
            expect(button).to_have_text(WAITS)
            expect(button).to_be_disabled()
            page.clock.run_for(61_000)
            expect(button).to_have_text("重新发送")
            expect(button).to_be_enabled()
            plain = person(browser, server, script=False)
            plain.goto("/notices/contacts/sms/code/")
            plain.get_by_role("button", name=WAITS).click()
            expect(plain.locator(".yh-errors")).to_contain_text("秒后再试")
            plain.fill("[name=code]", "000000")
            plain.get_by_role("button", name="验证", exact=True).click()
            expect(plain.locator("#id_code_error")).to_be_visible()
    finally:
        server.strike()
