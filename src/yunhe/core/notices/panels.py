"""The bell in the head of every page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yunhe.core.notices import api
from yunhe.kernel.actor import Actor

MOST_SHOWN = 99


def bell(actor: Actor, **_more: Any) -> Mapping[str, Any] | None:
    """Return how many notices the actor has not read; nothing for who has none. Cost: one query."""
    if actor.kind != "user":
        return None
    unread = api.count_unread(actor=actor)
    is_wide = unread > MOST_SHOWN
    return {"unread": unread, "shown": f"{MOST_SHOWN}+" if is_wide else str(unread), "is_wide": is_wide}
