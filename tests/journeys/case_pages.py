"""What a person does on the pages of a case in a journey: open it, take an action, use an operator.

Each page is checked unless `look` is False, for journeys that come where another one has looked.
"""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.journeys.browser import check_page


def case_page(page: Page, number: str, *, look: bool = True) -> Page:
    page.goto(f"/inbox/cases/?q={number}")
    page.locator("main tr", has_text=number).get_by_role("link").first.click()
    page.wait_for_url("**/inbox/cases/*/")
    _look(page, look)
    return page


def act(
    page: Page,
    number: str,
    action: str,
    filled: dict[str, str],
    button: str,
    *,
    check: list[str] | None = None,
    select: dict[str, str] | None = None,
    look: bool = True,
) -> None:
    """Take an action: by its button at once, or by its form."""
    case_page(page, number, look=look)
    if not button:
        page.locator("main").get_by_role("button", name=action, exact=True).click()
    else:
        page.locator("main").get_by_role("link", name=action, exact=True).first.click()
        fill(page, filled, check, select, look=look)
        page.locator("main").get_by_role("button", name=button, exact=True).click()
    page.wait_for_load_state()
    expect(page.locator("main")).to_contain_text("已办理")
    _look(page, look)


def operate(
    page: Page,
    number: str,
    operator: str,
    filled: dict[str, str],
    *,
    reason: str,
    check: list[str] | None = None,
    select: dict[str, str] | None = None,
) -> None:
    """Use a generic operator by its form."""
    case_page(page, number)
    page.locator("summary", has_text="更多操作").click()
    page.locator("main").get_by_role("link", name=operator).first.click()
    fill(page, {**filled, "reason": reason}, check, select)
    page.locator("main").get_by_role("button", name=operator, exact=True).click()
    page.wait_for_load_state()
    expect(page.locator("main")).to_contain_text("已办理")
    check_page(page)


def fill(page: Page, filled: dict[str, str], check: list[str] | None, select: dict[str, str] | None, *, look: bool = True) -> None:
    _look(page, look)
    for name, value in filled.items():
        page.locator(f"[name=do-{name}]").fill(value)
    for name, value in (select or {}).items():
        page.locator(f"[name=do-{name}]").select_option(value)
    for label in check or []:
        page.locator("main").get_by_label(label, exact=True).check()


def _look(page: Page, look: bool) -> None:
    if look:
        check_page(page)
