"""Puts `request.actor` on every request: an Actor, or None when nobody acts."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.functional import cached_property

from yunhe.core.organizations.api.actors import SESSION_KEY, actor_for
from yunhe.core.organizations.api.persons import list_memberships
from yunhe.core.organizations.errors import MembershipNotFound
from yunhe.kernel.actor import Actor, Door, coming_through


class ActorMiddleware:
    """Resolves the session's chosen membership at the first use of `request.actor`, once."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        # A lazy object would never be `None`; a property on the request's own class is.
        request.__class__ = _with_actor(type(request))
        with coming_through(Door("api" if request.path.startswith("/api/") else "web")):
            return self.get_response(request)


@cache
def _with_actor(request_class: type[HttpRequest]) -> type[HttpRequest]:
    prop: Any = cached_property(resolve_actor)
    prop.__set_name__(None, "actor")
    return type(request_class.__name__, (request_class,), {"actor": prop})


def resolve_actor(request: HttpRequest) -> Actor | None:
    """Return who acts: the user in the chosen membership, or in the only one; None if neither."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return None
    chosen = request.session.get(SESSION_KEY)
    if chosen is not None:
        try:
            return actor_for(user_id=user.pk, membership_id=int(chosen))
        except (MembershipNotFound, ValueError, TypeError):
            request.session.pop(SESSION_KEY, None)
    memberships = list_memberships(user_id=user.pk)
    if len(memberships) != 1:
        return None
    request.session[SESSION_KEY] = memberships[0].id
    return actor_for(user_id=user.pk, membership_id=memberships[0].id)
