"""The pure part of catalog: contracts read, resolved, written, compared; rules made; freshness counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from yunhe.data.catalog.rules.columns import check_columns
from yunhe.data.catalog.rules.comparing import compare_contracts
from yunhe.data.catalog.rules.freshness import freshness_on, next_due
from yunhe.data.catalog.rules.generating import code_set_keys, rules_of_contract
from yunhe.data.catalog.rules.naming import name_fields
from yunhe.data.catalog.rules.problems import Problems
from yunhe.data.catalog.rules.reading import RawContract, read_contract
from yunhe.data.catalog.rules.resolving import check_metadata, resolve_contract
from yunhe.data.catalog.rules.writing import contract_digest, contract_from_body, contract_to_body, render_contract
from yunhe.data.catalog.types import Contract, ContractProblem
from yunhe.data.standards.types import Element

__all__ = [
    "Problems",
    "RawContract",
    "check_columns",
    "check_metadata",
    "code_set_keys",
    "compare_contracts",
    "contract_digest",
    "contract_from_body",
    "contract_to_body",
    "freshness_on",
    "metadata_problems",
    "name_fields",
    "named_elements",
    "next_due",
    "read_contract",
    "render_contract",
    "resolve_contract",
    "rules_of_contract",
]


def named_elements(raw: RawContract) -> tuple[str, ...]:
    """Return the codes of the elements that a contract's fields name."""
    return tuple(dict.fromkeys(one.element for one in raw.fields if one.element))


def metadata_problems(contract: Contract, file: str) -> tuple[ContractProblem, ...]:
    """Return what the core metadata miss, as check_metadata finds it."""
    problems = Problems(file)
    check_metadata(contract, problems)
    return problems.in_order


def with_source_location(contract: Contract, location: str) -> Contract:
    """Return the contract with another location of its source."""
    return replace(contract, source=replace(contract.source, location=location))


def elements_by_code(elements: tuple[Element, ...]) -> Mapping[str, Element]:
    """Return the elements by code."""
    return {one.code: one for one in elements}
