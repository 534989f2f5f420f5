"""Walk every door (URL, command, job) and say which has no declared permission."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from django.urls import URLPattern, URLResolver
from ninja.openapi.views import default_home

from tests.architecture.laws import ROOMS

# A door without a room's permission says so in one of these words.
OPEN_WORDS: Mapping[str, frozenset[str]] = {
    "url": frozenset({"public", "signed_in"}),
    "command": frozenset({"operator", "grant"}),  # grant: the gateway judges by key and grant
    "job": frozenset(),
}


def declared_permissions() -> frozenset[str]:
    """Return every permission that a room declares in its types."""
    found: set[str] = set()
    for room in ROOMS:
        types = importlib.import_module(f"yunhe.{room}.types")
        found.update(getattr(types, "PERMISSIONS", {}))
    return frozenset(found)


def walk_urls(patterns: Iterable[URLPattern | URLResolver], prefix: str = "") -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield (address, view) of every URL below `patterns`."""
    for pattern in patterns:
        address = f"{prefix}{pattern.pattern}"
        if isinstance(pattern, URLResolver):
            yield from walk_urls(pattern.url_patterns, address)
        elif pattern.callback is not None:
            yield address, pattern.callback


def permissions_of_view(view: Callable[..., Any]) -> list[object]:
    """Return the permissions of a view, a view class, or of every operation of a ninja path."""
    if isinstance(view, partial) and view.func is default_home:
        return ["public"]  # ninja needs the address to know its own path; whoever asks is told 404
    path_view = _ninja_path(view)
    if path_view is not None:
        return [p for operation in path_view.operations for p in permissions_of_view(operation.view_func)]
    owner = getattr(view, "view_class", view)
    one = getattr(view, "permission", None) or getattr(owner, "permission", None)
    return list(getattr(view, "permissions", None) or [one])


def _ninja_path(view: Callable[..., Any]) -> Any:
    for cell in getattr(view, "__closure__", None) or ():
        if hasattr(cell.cell_contents, "operations"):
            return cell.cell_contents
    return None


def undeclared(kind: str, doors: Iterable[tuple[str, object]], declared: frozenset[str]) -> list[str]:
    """Return a sentence for each door whose permission is missing or that no room declares."""
    allowed = declared | OPEN_WORDS[kind]
    return [
        f"{kind} {name}: permission {permission!r} is declared by no room"
        for name, permission in doors
        if permission not in allowed
    ]
