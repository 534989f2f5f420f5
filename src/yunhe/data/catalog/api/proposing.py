"""A first contract out of what a person knows: metadata and the names of the columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from yunhe.data.catalog import rules
from yunhe.data.catalog.types import Contract, ContractField
from yunhe.data.standards import api as standards
from yunhe.data.standards.types import Element
from yunhe.engine.types import MAX_COLUMNS, SourceSpec

LEAST_CONFIDENCE = 0.5


def propose_contract(*, texts: Mapping[str, str], columns: Sequence[str], keys: Sequence[str] = ()) -> str:
    """Return a contract as YAML to be checked and corrected; nothing is written.

    Shape: `texts` are parts of a contract by name (title, provider, sharing, source_connector …); each
    column becomes a field, bound to the element that its name speaks for. `keys` are column names.
    """
    named = list(dict.fromkeys(one.strip() for one in columns if one.strip()))[:MAX_COLUMNS]
    proposals = standards.find_elements_for(columns=[("", one, ()) for one in named], limit=1)
    elements = [one[0].element if one and one[0].confidence >= LEAST_CONFIDENCE else None for one in proposals]
    names = name_fields(columns=named, elements=[one.code if one else "" for one in elements])
    fields = tuple(_field(*one) for one in zip(names, named, elements, strict=True))
    chosen = tuple(one.name for one in fields if one.column in keys)
    return rules.render_contract(_contract(texts, fields, chosen))


def name_fields(*, columns: Sequence[str], elements: Sequence[str]) -> tuple[str, ...]:
    """Return one lower_snake name for each column: its element's code, or where that is "" the column's initials."""
    return rules.name_fields(columns, elements)


def _contract(texts: Mapping[str, str], fields: tuple[ContractField, ...], keys: tuple[str, ...]) -> Contract:
    source = SourceSpec(texts.get("source_connector", ""), texts.get("source_location", ""))
    usual = {"sharing": "conditional", "update_cycle": "irregular", "opening": "closed", "category": "3", **texts}
    plain = {key: value for key, value in usual.items() if not key.startswith("source_")}
    contract = Contract(fields=fields, source=source, keys=keys, **plain)  # type: ignore[arg-type]
    fields = tuple(
        replace(one, sharing=contract.sharing, opening="closed" if one.personal else contract.opening) for one in fields
    )
    grade = max((one.grade for one in fields), default=1)
    return replace(contract, fields=fields, grade=grade, personal=any(one.personal for one in fields))


def _field(name: str, column: str, element: Element | None) -> ContractField:
    if element is None:
        return ContractField(name=name, title=column, column=column)
    return ContractField(
        name=name,
        title=column,
        column=column,
        type=element.type,
        element=element.code,
        grade=element.grade,
        personal=element.personal,
        mask=element.mask,
    )
