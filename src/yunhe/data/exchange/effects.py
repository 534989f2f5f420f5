"""What exchange does when a case or the catalogue says so."""

from __future__ import annotations

from yunhe.core.cases.types import EffectContext
from yunhe.data.exchange import api
from yunhe.data.exchange.api.rights_image import rights_changed


def grant(context: EffectContext) -> None:
    """Make the grant of a data request; runs in the case's transaction, writes control data only."""
    api.grant_from_case(case=context.case, decision=context.data, actor=context.actor, at=context.at)


def resource_withdrawn(code: str) -> None:
    """Have the gateway refuse a resource as soon as its withdrawal commits; runs in that transaction."""
    rights_changed(reason=f"resource {code}")
