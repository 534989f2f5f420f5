"""Quality's part on a resource's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yunhe.kernel.actor import Actor


def resource_scores(actor: Actor, *, code: str, **_more: Any) -> Mapping[str, Any] | None:
    """Return the six-dimension scores with the way to the findings, or None before the first load."""
    from yunhe.data.quality.views import resource_panel

    return resource_panel(actor, code=code)
