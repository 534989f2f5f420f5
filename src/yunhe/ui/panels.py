"""Slots on pages that rooms fill: a room registers a panel from its apps.py, a page of `web` shows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from yunhe.kernel.actor import Actor
from yunhe.ui.doors import SIGNED_IN

SLOTS = frozenset(
    {"page.head", "home.numbers", "home.main", "home.side", "account.main", "organization.main", "resource.main", "resource.side"}
)
Load = Callable[..., Mapping[str, Any] | None]


@dataclass(frozen=True, slots=True)
class Panel:
    """One room's part of a page. `load(actor, **subject)` gives the template's context, or None for nothing."""

    slot: str
    name: str
    template: str
    load: Load
    permissions: tuple[str, ...]
    order: int


_panels: dict[tuple[str, str], Panel] = {}


def register_panel(
    slot: str, *, name: str, template: str, load: Load, permission: str | tuple[str, ...], order: int = 100
) -> None:
    """Fill a slot; of several permissions one is enough, and "signed_in" is one that every actor has.

    Raises: ValueError on an unknown slot or a name taken, which stops the start.
    """
    if slot not in SLOTS:
        raise ValueError(f"no slot {slot!r}; slots are {', '.join(sorted(SLOTS))}")
    if (slot, name) in _panels:
        raise ValueError(f"slot {slot!r} already holds a panel {name!r}")
    permissions = (permission,) if isinstance(permission, str) else permission
    _panels[slot, name] = Panel(slot, name, template, load, permissions, order)


def list_panels(slot: str, *, actor: Actor | None, **subject: Any) -> list[tuple[Panel, Mapping[str, Any]]]:
    """Return the panels of a slot that the actor may see, loaded, in order."""
    wanted = sorted((p for p in _panels.values() if p.slot == slot), key=lambda p: (p.order, p.name))
    shown = []
    for panel in wanted:
        if actor is None or not any(one == SIGNED_IN or actor.may(one) for one in panel.permissions):
            continue
        context = panel.load(actor, **subject)
        if context is not None:
            shown.append((panel, context))
    return shown
