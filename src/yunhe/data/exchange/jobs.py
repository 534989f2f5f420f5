"""Exchange's jobs: the rights image, written anew on a beat and after each change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yunhe.core.jobs.types import JobContext, Message
from yunhe.data.exchange import api


def beat(context: JobContext) -> Mapping[str, Any]:
    """Write the image again, so that the gateway sees that its writer lives."""
    return {"version": api.refresh_rights_image()}


def on_change(message: Message) -> None:
    """Write the image after a change of rights or of a serving file."""
    api.refresh_rights_image()


def on_rolled_back(message: Message) -> None:
    """Tell the users of a resource that a release of it was rolled back."""
    api.tell_rolled_back(**message.payload)
