"""The organisations' numbers on the front page of who manages them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from yunhe.core.organizations import api
from yunhe.kernel.actor import Actor
from yunhe.kernel.pages import PageRequest
from yunhe.ui.cells import Kpi


def numbers(actor: Actor, **_more: Any) -> Mapping[str, Any]:
    """Return how many organisations and accounts there are, each opening its list."""
    one = PageRequest(size=1)
    bodies = api.list_organizations(request=one, actor=actor).total
    persons = api.list_persons(request=one, actor=actor).total
    return {
        "numbers": (
            Kpi(_("机构"), bodies, reverse("organizations:list"), _("今天有效")),
            Kpi(_("账号"), persons, reverse("organizations:users"), _("含已停用")),
        )
    }
