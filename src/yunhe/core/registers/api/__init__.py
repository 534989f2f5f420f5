"""Registers (名录): typed, versioned, owned entries that are reviewed, published, withdrawn and found."""

from __future__ import annotations

from yunhe.core.registers.api.loading import load_entries
from yunhe.core.registers.api.reading import (
    access_entry,
    compare_versions,
    find_entry,
    get_entry,
    list_changes,
    list_entries,
    list_versions,
)
from yunhe.core.registers.api.types import define_type, get_type, list_types, register_handler
from yunhe.core.registers.api.writing import (
    create_entry,
    publish_entry,
    save_draft,
    submit_entry,
    withdraw_entry,
)

__all__ = [
    "access_entry",
    "compare_versions",
    "create_entry",
    "define_type",
    "find_entry",
    "get_entry",
    "get_type",
    "list_changes",
    "list_entries",
    "list_types",
    "list_versions",
    "load_entries",
    "publish_entry",
    "register_handler",
    "save_draft",
    "submit_entry",
    "withdraw_entry",
]
