"""Lake's part on a resource's page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yunhe.kernel.actor import Actor


def resource_loads(actor: Actor, *, code: str, **_more: Any) -> Mapping[str, Any] | None:
    """Return the newest load, the current release and the button to load."""
    from yunhe.data.lake.views import latest_load

    return latest_load(actor, code=code)
