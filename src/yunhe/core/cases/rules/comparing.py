"""What two versions of a kind differ in, part by part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yunhe.core.cases.types import KindSpec

Change = tuple[str, str, str]
"""What is added, gone or changed; of which part; its name. The part `kind` names what the kind says of itself."""


def compare_kinds(old: KindSpec, new: KindSpec) -> tuple[Change, ...]:
    """Return the change set of two versions."""
    parts: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
        "phase": ({p.code: p for p in old.phases}, {p.code: p for p in new.phases}),
        "field": ({f.name: f for f in old.fields}, {f.name: f for f in new.fields}),
        "obligation": (old.obligations, new.obligations),
        "group": (old.groups, new.groups),
    }
    found: list[Change] = []
    for part, (before, after) in parts.items():
        found += [("added", part, name) for name in after if name not in before]
        found += [("gone", part, name) for name in before if name not in after]
        found += [("changed", part, name) for name in before if name in after and before[name] != after[name]]
    own = (name for name in KindSpec.model_fields if name not in ("code", "phases", "fields", "obligations", "groups"))
    return (*found, *(("changed", "kind", name) for name in own if getattr(old, name) != getattr(new, name)))
