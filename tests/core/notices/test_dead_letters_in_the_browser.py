"""In chromium: the table of dead letters fits its page, and no button for chosen lines can be pressed before one is chosen."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from tests.conftest import Cast
from tests.core.cases.test_pages import signed_in
from tests.core.notices.conftest import Trial, run, tell
from tests.journeys.browser import check_page, open_browser
from yunhe import ui
from yunhe.core.jobs.api import outbox
from yunhe.core.notices.api import registry
from yunhe.core.notices.errors import AddressRefused
from yunhe.kernel.pages import PageRequest

pytestmark = [pytest.mark.journey, pytest.mark.django_db, pytest.mark.timeout(300)]
STATIC, PAGE = Path(ui.__file__).resolve().parent / "static", "http://node.example/jobs/dead/"
REFUSED = AddressRefused(
    where="mail.city.example:587", reason_zh="查无此人 550 5.1.1", reason_en="550 5.1.1 no such user here, mailbox unavailable"
)


@pytest.mark.parametrize("language", ["zh-hans", "en"])
def test_the_table_fits_and_its_buttons_wait_for_a_choice(
    language: str, cast: Cast, told: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "_case_finders", [lambda case_id, actor: ("XQ20261127-00001", "")])
    told.errors["*"] = REFUSED
    tell(cast.officer, cast.clerk, case_id="C1", href="/cases/C1/")
    run(2)
    letters = outbox.list_letters(request=PageRequest(), actor=cast.system_admin.actor).items
    outbox.drop_dead(delivery_ids=[letters[0].delivery_id], reason="已电话告知本人", actor=cast.system_admin.actor)
    html = signed_in(cast.system_admin).get("/jobs/dead/", headers={"accept-language": language}).content

    def answer(route: Route) -> None:
        path = route.request.url.removeprefix("http://node.example/static/")
        if route.request.url == PAGE:
            route.fulfill(body=html, content_type="text/html; charset=utf-8")
        elif (STATIC / path).is_file():
            route.fulfill(path=STATIC / path)
        else:
            route.fulfill(status=404, body="")

    with open_browser() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.route("**/*", answer)
        page.goto(PAGE)
        check_page(page)
        assert page.evaluate("[...document.querySelectorAll('.yh-sheet')].every((one) => one.scrollWidth <= one.clientWidth)")
        buttons = page.locator("#bulk button")
        expect(buttons).to_have_count(2)
        for button in buttons.all():
            expect(button).to_be_disabled()
        page.locator("input[name=pick]").first.check()
        for button in buttons.all():
            expect(button).to_be_enabled()
