"""The evidence's part on the front page: the newest acts that concern one's organisation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yunhe.core.evidence import api
from yunhe.kernel.actor import Actor
from yunhe.kernel.pages import PageRequest
from yunhe.ui.names import names_of

MOST = 6


def newest_acts(actor: Actor, **_more: Any) -> Mapping[str, Any] | None:
    """Return the newest records that the actor may see; nothing if there is none."""
    page = api.find(request=PageRequest(size=MOST), actor=actor)
    names = names_of("evidence_kind", (record.kind for record in page.items))
    lines = [(record, names[record.kind]) for record in page.items]
    return {"lines": lines} if lines else None
