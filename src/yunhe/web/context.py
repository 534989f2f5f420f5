"""What every page's shell shows: the menu that this actor may open, who acts, what waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest
from django.utils.translation import get_language

from yunhe.core.cases import api as cases
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.types import Membership
from yunhe.kernel.actor import Actor
from yunhe.web.rooms import FLOORS, INBOX, LEDGER, ROOMS, Room


@dataclass(frozen=True, slots=True)
class MenuItem:
    """One entry of the menu."""

    title: Any
    href: str
    icon: str
    current: bool
    count: int = 0


@dataclass(frozen=True, slots=True)
class MenuFloor:
    """One group of the menu."""

    title: Any
    items: tuple[MenuItem, ...]


@dataclass(frozen=True, slots=True)
class OtherPlace:
    """A membership that one could change to."""

    id: int
    title: str


class Shell:
    """The shell of one request; each part is read when a template asks for it, and once."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @cached_property
    def actor(self) -> Actor | None:
        return getattr(self._request, "actor", None)

    @cached_property
    def name(self) -> str:
        user = getattr(self._request, "user", None)
        return user.display_name if user is not None and user.is_authenticated else ""

    @cached_property
    def place(self) -> str:
        """Return "organisation · role" of the membership in use."""
        if self.actor is None:
            return ""
        mine = [m for m in self._memberships if (m.organization, m.role) == (self.actor.organization, self.actor.role)]
        return place_title(mine[0]) if mine else self.actor.organization_name or self.actor.name

    @cached_property
    def others(self) -> tuple[OtherPlace, ...]:
        if self.actor is None:
            return ()
        here = (self.actor.organization, self.actor.role)
        return tuple(OtherPlace(m.id, place_title(m)) for m in self._memberships if (m.organization, m.role) != here)

    @cached_property
    def _memberships(self) -> tuple[Membership, ...]:
        user = self._request.user
        return organizations.list_memberships(user_id=user.pk) if user.is_authenticated else ()

    @cached_property
    def first(self) -> tuple[MenuItem, ...]:
        return self._items("")

    @cached_property
    def floors(self) -> tuple[MenuFloor, ...]:
        floors = (MenuFloor(title, self._items(name)) for name, title in FLOORS.items() if name)
        return tuple(floor for floor in floors if floor.items)

    @cached_property
    def search_href(self) -> str:
        return next((f"/{room.prefix}/" for room in ROOMS if room.prefix == LEDGER and self._may_see(room)), "")

    def _items(self, floor: str) -> tuple[MenuItem, ...]:
        return tuple(self._item(room) for room in ROOMS if room.floor == floor and self._may_see(room))

    def _item(self, room: Room) -> MenuItem:
        href = f"/{room.prefix}/"
        current = self._request.path.startswith(href)
        return MenuItem(room.title, href, room.icon, current, count=self.waiting if room.prefix == INBOX else 0)

    @cached_property
    def waiting(self) -> int:
        """Return how many obligations wait for this actor."""
        return cases.count_waiting(actor=self.actor) if self.actor is not None else 0

    def _may_see(self, room: Room) -> bool:
        return self.actor is not None and any(self.actor.may(permission) for permission in room.permissions)


def place_title(membership: Membership) -> str:
    """Return "organisation · role" in the page's language."""
    language = (get_language() or "zh")[:2]
    title: Mapping[str, str] = membership.role_title
    return f"{membership.organization_name} · {title.get(language) or title['zh']}"


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the template variable `shell`."""
    return {"shell": Shell(request)}
