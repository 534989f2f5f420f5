"""Every relative link in the project's pages leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.architecture.graph import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s#]+)(?:#[^)]*)?\)")


def dead_links(page: Path, text: str) -> list[str]:
    links = (link for link in LINK.findall(text) if "://" not in link and not link.startswith("mailto:"))
    return [f"{page.name} -> {link}" for link in links if not (page.parent / link).exists()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    assert dead_links(page, page.read_text("utf-8")) == []


def test_a_dead_link_is_seen() -> None:
    assert dead_links(ROOT / "README.md", "see [this](docs/nowhere.md#x) and [that](https://example.org/)")
    assert dead_links(ROOT / "README.md", "see [this](LICENSE)") == []
