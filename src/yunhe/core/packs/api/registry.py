"""The slots of packs: which section (folder) is read by which loader."""

from __future__ import annotations

from django.apps import apps
from pydantic import BaseModel

from yunhe.core.packs.errors import SlotsClosed, SlotTaken
from yunhe.core.packs.types import ApplyItems, Loader, PlanItems

PASSIVE_SECTIONS = frozenset({"texts", "demo", "docs"})
"""Folders that no loader reads: texts and demo material are read by who needs them."""

_loaders: dict[str, Loader] = {}


def register_loader(
    *,
    section: str,
    model: type[BaseModel],
    plan: PlanItems,
    apply: ApplyItems,
    order: int,
    row_model: type[BaseModel] | None = None,
) -> Loader:
    """Have a section (folder) of packs read by a room; called from the app's ready().

    Every `*.yml` in the folder is one item (or a list of items) of `model`; every row of a `*.csv`
    one item of `row_model` (default: `model`). `plan(context, items)` reads and tells what would
    change; `apply(context, items)` writes, in the one transaction of the load. Both are called
    only when there are items. Sections run by `order`: regions 10, organizations 20, roles 30,
    calendars 40, code_sets 50, elements 60, registers 70, cases 80, resources 90.
    Raises: SlotTaken, SlotsClosed once every app's ready() has run.
    """
    if apps.ready:
        raise SlotsClosed(name=section)
    holder = _loaders.get(section)
    if section in PASSIVE_SECTIONS or (holder is not None and holder.apply is not apply):
        raise SlotTaken(name=section, holder=holder.apply.__module__ if holder else "packs")
    _loaders[section] = Loader(section, model, row_model or model, plan, apply, order)
    return _loaders[section]


def list_loaders() -> tuple[Loader, ...]:
    """Return the loaders in the order in which they run."""
    return tuple(sorted(_loaders.values(), key=lambda loader: (loader.order, loader.section)))
