"""The jobs' part on the front page: what one asked for and is still under way or failed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from yunhe.core.jobs import api
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now
from yunhe.kernel.pages import PageRequest
from yunhe.ui.cells import Table

MOST = 5
SHOWN_FOR = timedelta(days=3)


def my_jobs(actor: Actor, **_more: Any) -> Mapping[str, Any] | None:
    """Return the newest jobs of the actor; nothing if none is recent."""
    from yunhe.core.jobs.views import PANEL_COLUMNS

    page = api.list_jobs(request=PageRequest(size=MOST, filters={"actor_id": actor.id}), actor=actor)
    recent = tuple(job for job in page.items if job.is_open or job.enqueued_at > now() - SHOWN_FOR)
    return {"table": Table(PANEL_COLUMNS, recent, caption="")} if recent else None
