"""The form that opens a case of a kind: its title, whom it asks, and the kind's own fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yunhe.core.cases import api
from yunhe.core.cases.rules.operators import TITLE, field_of
from yunhe.core.cases.types import ActionView, Case
from yunhe.kernel.actor import Actor

OWNER = field_of("owner", "办理单位", "Who handles it", format="organization")


def offer_of(kind: str, actor: Actor) -> tuple[ActionView, Mapping[str, str]]:
    """Return opening as an action, so that it gets its form like any other; and the names of organisations.

    What the kind settles itself is not asked: the title where it has a heading, whom it asks where that is nobody.
    """
    spec, bodies = api.get_kind(code=kind), api.organization_choices()
    asked = ((TITLE, not spec.heading), (OWNER, spec.asks_owner))
    fields = (*(f for f, wanted in asked if wanted), *(f for f in spec.fields if not f.internal))
    labels = api.labels_for(fields, actor)
    options = {name: tuple(bodies) for name, f in api.each_field(fields) if f.format == "organization"}
    options |= {name: tuple(offered) for name, offered in labels.items()}
    title = {"zh": "提出", "en": "Open"}
    return ActionView("", spec.title.as_mapping(), "open", title, "primary", fields, {}, options, labels=labels), bodies


def run(kind: str, values: Mapping[str, Any], actor: Actor, key: str) -> Case:
    """Open the case. The same key again gives the case that was opened with it. Raises: as `api.open_case`."""
    told = dict(values)
    title, owner = str(told.pop("title", "") or ""), str(told.pop("owner", "") or "")
    request_key = key and api.request_key_of(key)
    return api.open_case(kind=kind, title=title, data=told, owner=owner, actor=actor, request_key=request_key, draft=key)
