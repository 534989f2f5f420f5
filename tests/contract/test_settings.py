"""docs/settings.md is the settings table."""

from __future__ import annotations

from tests.architecture.graph import ROOT
from yunhe.settings.reference import render_settings
from yunhe.settings.table import TABLE


def test_the_page_of_settings_is_current() -> None:
    assert (ROOT / "docs" / "settings.md").read_text("utf-8") == render_settings(), "run: make docs"


def test_every_setting_is_on_the_page_and_takes_its_own_default() -> None:
    page = render_settings()
    for setting in TABLE:
        assert f"| `YUNHE_{setting.name}` |" in page
        assert setting.help and setting.expected
        setting.parse(setting.default)


def test_a_changed_table_changes_the_page() -> None:
    assert render_settings().replace("8600", "8700") != render_settings()
