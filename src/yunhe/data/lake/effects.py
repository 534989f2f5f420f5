"""What lake does when a case says so, and what a case about it shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yunhe.core.cases import api as cases
from yunhe.core.cases.types import EffectContext
from yunhe.data.lake import api


def start_roll_back(context: EffectContext) -> None:
    """Effect `lake.start_roll_back`: have the approved roll-back done, if it still can be."""
    api.start_roll_back(context.case)


def note_persisting(context: EffectContext) -> Mapping[str, Any]:
    """Effect `lake.note_persisting`: count the loads that still had the returned records."""
    return {"attempts": (context.case.data.get("attempts") or 0) + 1}


def tell_withdrawn(context: EffectContext) -> None:
    """Effect `lake.tell_withdrawn`: tell the source that it need not look into the returned records any more."""
    api.tell_withdrawn(context.case, str(context.data.get("reason", "")), context.actor)


def register_effects() -> None:
    """Fill the slots of cases."""
    cases.register_effect(code="lake.start_roll_back", arguments=(), apply=start_roll_back)
    cases.register_effect(code="lake.note_persisting", arguments=(), apply=note_persisting)
    cases.register_effect(code="lake.tell_withdrawn", arguments=(), apply=tell_withdrawn)
    cases.register_subject(subject_type="set_aside", describe=api.describe_return)
