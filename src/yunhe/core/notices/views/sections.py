"""The tabs that the pages of this room share."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from yunhe.core.notices import api
from yunhe.ui.cells import TabItem
from yunhe.ui.doors import acting

FORMER = _("原任职的通知")
MANAGE = "organizations.manage"


def sections(request: HttpRequest, current: str) -> tuple[TabItem, ...]:
    """Return the room's tabs; the webhooks for who may register them."""
    found = [("list", _("通知")), ("preferences", _("通知设置"))]
    kept, unread = api.count_former(actor=acting(request)) if acting(request).kind == "user" else (0, 0)
    if kept or current == "former":
        found.insert(1, ("former", f"{FORMER} {unread}" if unread else FORMER))
    if acting(request).may(MANAGE):
        found.append(("webhooks", _("系统推送地址")))
    return tuple(TabItem(title, reverse(f"notices:{name}"), name == current) for name, title in found)
