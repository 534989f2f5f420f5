"""The shapes of keys and secrets. Nobody is granted a key: the node's own code holds it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

PERMISSIONS: dict[str, dict[str, str]] = {}


@dataclass(frozen=True, slots=True)
class SecretInfo:
    """That a secret is kept (not what it is)."""

    name: str
    stored_at: datetime
    stored_by: str
