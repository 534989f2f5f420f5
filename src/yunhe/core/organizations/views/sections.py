"""The tabs that the pages of this room share."""

from __future__ import annotations

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from yunhe.ui.cells import TabItem

SECTIONS = (
    ("list", _("机构")),
    ("regions", _("行政区划")),
    ("users", _("人员")),
    ("roles", _("角色")),
)


def sections(current: str) -> tuple[TabItem, ...]:
    """Return the room's tabs."""
    return tuple(TabItem(title, reverse(f"organizations:{name}"), name == current) for name, title in SECTIONS)
