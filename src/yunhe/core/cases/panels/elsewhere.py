"""A case that one may see in another membership of one's own."""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from yunhe.core.cases import api
from yunhe.core.cases.errors import CaseNotFound
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.types import Membership
from yunhe.kernel.actor import Actor
from yunhe.kernel.errors import Refused
from yunhe.ui.doors import View
from yunhe.ui.problems import wants_json
from yunhe.ui.templatetags.yh import spoken

DOORS = ("cases.view", "cases.act")


def offers_change_over(view: View) -> View:
    """Have a page of a case that is not found offer the reader's other memberships that may see it; else it stays not found.

    Also where the present one has no rights in cases at all, so it stands before the lock of the page.
    """

    @wraps(view)
    def offering(request: HttpRequest, case_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            found: HttpResponse = view(request, case_id, *args, **kwargs)
        except (CaseNotFound, Refused):
            places = _places(request, case_id) if _is_page(request) and request.actor is not None else ()
            if not places:
                raise
            context = {"places": places, "next": request.get_full_path()}
            return render(request, "cases/elsewhere.html", context, status=CaseNotFound(name="").http_status)
        return found

    return offering


def _is_page(request: HttpRequest) -> bool:
    """Tell whether a person asked for a page of its own, not a program or a part of a page."""
    return request.method == "GET" and not getattr(request, "htmx", False) and not wants_json(request)


def _places(request: HttpRequest, case_id: str) -> tuple[tuple[int, str], ...]:
    """Return the other memberships that may see the case, by their own titles: nothing in it is of the case."""
    here: Actor = request.actor  # type: ignore[attr-defined]
    mine = organizations.list_memberships(user_id=request.user.pk) if request.user.is_authenticated else ()
    others = (one for one in mine if (one.organization, one.role) != (here.organization, here.role))
    return tuple((one.id, f"{one.organization_name} · {spoken(one.role_title)}") for one in others if _sees(one, case_id))


def _sees(place: Membership, case_id: str) -> bool:
    actor = organizations.actor_for(user_id=place.user_id, membership_id=place.id)
    return any(map(actor.may, DOORS)) and api.may_see(case_id, actor)
