"""The kinds of rules, one module each; a new module here is a new kind and touches no other file."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from yunhe.engine.checks.errors import RuleRefused
from yunhe.engine.checks.kind import Kind


@cache
def list_kinds() -> dict[str, Kind]:
    """Return every kind by its code."""
    kinds: dict[str, Kind] = {}
    for module in pkgutil.iter_modules(__path__):
        kind = importlib.import_module(f"{__name__}.{module.name}").KIND
        kinds[kind.code] = kind
    return kinds


def find_kind(code: str, *, rule: str) -> Kind:
    """Return the kind of that code. Raises: RuleRefused, naming those there are."""
    kinds = list_kinds()
    if code not in kinds:
        raise RuleRefused(rule=rule, part="kind", expected=" ".join(sorted(kinds)), found=code)
    return kinds[code]
