"""The tabs that the pages of this room share."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from yunhe.ui.cells import TabItem
from yunhe.ui.doors import acting

MANAGE = "organizations.manage"


def sections(request: HttpRequest, current: str) -> tuple[TabItem, ...]:
    """Return the room's tabs; the webhooks for who may register them."""
    found = [("list", _("通知")), ("preferences", _("通知设置"))]
    if acting(request).may(MANAGE):
        found.append(("webhooks", _("系统推送地址")))
    return tuple(TabItem(title, reverse(f"notices:{name}"), name == current) for name, title in found)
