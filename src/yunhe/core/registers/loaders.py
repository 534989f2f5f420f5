"""How packs bring register types."""

from __future__ import annotations

from collections.abc import Iterable

from yunhe.core.packs.types import LoadContext, PackItem, PlannedChange
from yunhe.core.registers import api
from yunhe.core.registers.errors import RegisterTypeNotFound


def plan_types(context: LoadContext, items: tuple[PackItem, ...]) -> Iterable[PlannedChange]:
    """Tell which register types would be made or changed."""
    for item in items:
        try:
            same = api.get_type(code=item.value.code) == item.value
            yield PlannedChange("register", item.value.code, "keep" if same else "update")
        except RegisterTypeNotFound:
            yield PlannedChange("register", item.value.code, "create")


def apply_types(context: LoadContext, items: tuple[PackItem, ...]) -> None:
    """Define every register type of the pack."""
    for item in items:
        api.define_type(declared=item.value, source=context.manifest.name, actor=context.actor)
