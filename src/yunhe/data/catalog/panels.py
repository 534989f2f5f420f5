"""The ledger's part on the front page: its numbers, each opening to its rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yunhe.data.catalog import api
from yunhe.kernel.actor import Actor


def ledger_numbers(actor: Actor, **_more: Any) -> Mapping[str, Any] | None:
    """Return the numbers of the ledger that the actor may see; nothing while it is empty."""
    from yunhe.data.catalog.views import shown

    counted = api.count_ledger(actor=actor)
    return {"numbers": shown.ledger_kpis(counted)} if counted.resources else None
