"""Rules and code sets of a resource, and how fresh it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from yunhe.data.catalog import rules
from yunhe.data.catalog.types import Contract, Freshness, Resource
from yunhe.data.standards import api as standards
from yunhe.engine.types import Rule
from yunhe.kernel.clock import local, now


def rules_for(*, resource: Resource | Contract) -> tuple[Rule, ...]:
    """Return the quality rules of a resource: its elements', its own, and those across fields.

    Element rules warn unless the field says block; codes are unique (`FIELD.KIND`).
    """
    contract = resource.contract if isinstance(resource, Resource) else resource
    named = {one.element for one in contract.fields if one.element}
    elements = {code: element for code, element in standards.get_elements().items() if code in named}
    specs = {code: standards.element_rules(element=element) for code, element in elements.items()}
    return rules.rules_of_contract(contract, specs, elements)


def code_sets_for(*, rules: Iterable[Rule]) -> Mapping[str, tuple[tuple[str, date | None, date | None], ...]]:
    """Return the values of every code set that the rules ask for: (value, valid from, valid until)."""
    found = standards.get_accepted_values(keys=_keys(rules))
    return {key: tuple((code, _day(start), _day(end)) for code, start, end in rows) for key, rows in found.items()}


def freshness(*, resource: Resource, on: date | None = None) -> Freshness:
    """Return whether the resource was released within its update cycle, on a Shanghai day (today)."""
    last = local(resource.released_at).date() if resource.released_at else None
    return rules.freshness_on(cycle=resource.contract.update_cycle, last_on=last, on=on or local(now()).date())


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _keys(given: Iterable[Rule]) -> tuple[str, ...]:
    return rules.code_set_keys(given)
