"""What waits for the reader about an account, on the account's own pages: the way back to its case."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yunhe.core.cases import api
from yunhe.kernel.actor import Actor


def waiting_about(actor: Actor, *, username: str, is_next: bool = False, **_more: Any) -> Mapping[str, Any] | None:
    """Return the cases about an account that wait for the actor, or None for none; `is_next`: to go back to one is the next step."""
    found = api.list_waiting_accounts(username=username, actor=actor)
    return {"cases": found, "is_next": is_next} if found else None
