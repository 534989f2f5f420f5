"""Exchange's jobs: the rights image, written anew on a beat and after each change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yunhe.core.jobs.types import About, JobContext, Message
from yunhe.data.exchange import api
from yunhe.kernel.actor import Actor


def beat(context: JobContext) -> Mapping[str, Any]:
    """Write the image again, so that the gateway sees that its writer lives."""
    return {"version": api.refresh_rights_image()}


def on_change(message: Message) -> None:
    """Write the image after a change of rights or of a serving file."""
    api.refresh_rights_image()


def tell_about(message: Message, actor: Actor | None) -> About:
    """Say which resource a message of the lake is about."""
    code = message.payload["code"]
    return About({"zh": f"数据资源 {code}", "en": f"Data resource {code}"})


def on_rolled_back(message: Message) -> None:
    """Tell the users of a resource that a release of it was rolled back."""
    api.tell_rolled_back(**message.payload)
