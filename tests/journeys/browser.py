"""Debian's chromium driven by playwright; skipped with a reason where there is none, unless CI requires it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# Every rule, every violation with all its places; of what is in order axe names one place only, which is most of its work.
AXE = "axe.run({resultTypes: ['violations']})"


def chromium() -> str:
    """Return the browser's path, or skip the test saying why."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if not found:
        if os.environ.get("REQUIRE_SERVICES"):
            raise AssertionError("no chromium on this machine (apt-get install chromium)")
        pytest.skip("no chromium on this machine (apt-get install chromium)")
    return found


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Open a headless browser."""
    path = chromium()
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=path, args=list(QUIET))
        yield browser
        browser.close()


def signed_in(
    browser: Browser, base: str, username: str, password: str, *, width: int = 1440, locale: str = "zh-CN", script: bool = True
) -> Page:
    """Return a page of a fresh session signed in as this person; without `script` its pages are plain."""
    context = browser.new_context(
        base_url=base, viewport={"width": width, "height": 900}, locale=locale, bypass_csp=True, java_script_enabled=script
    )
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.goto("/login")
    sign_in(page, username, password)
    return page


def sign_in(page: Page, username: str, password: str) -> None:
    """Sign in where the page asks for it, and wait for where that leads."""
    page.fill("[name=username]", username)
    page.fill("[name=password]", password)
    page.press("[name=password]", "Enter")
    page.wait_for_url(lambda url: "/login" not in url)


def check_fits(page: Page) -> None:
    """Assert that the page fits its width."""
    page.wait_for_load_state("load")
    page.locator("main").first.wait_for()
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth + 1"), f"{page.url} is wider than the screen"


def check_page(page: Page) -> None:
    """Assert that the page fits its width and that axe finds nothing."""
    check_fits(page)
    script = ROOT / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        if os.environ.get("REQUIRE_SERVICES"):
            raise AssertionError("axe-core is not installed (make assets)")
        return
    page.evaluate(script.read_text("utf-8"))
    found = page.evaluate(AXE)["violations"]
    assert not found, [(v["id"], [n["target"] for n in v["nodes"]][:3]) for v in found]
