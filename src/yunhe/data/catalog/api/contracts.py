"""Contracts: read from a file, held against elements and against a source's columns."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from yunhe.data.catalog import rules
from yunhe.data.catalog.errors import ColumnsMissing, ContractBroken
from yunhe.data.catalog.types import ColumnCheck, Contract, ContractProblem
from yunhe.data.standards import api as standards
from yunhe.engine.types import Shape


def parse_contract(*, text: str, file: str = "contract.yml", beside: bool = True) -> Contract:
    """Return the contract (resource/1) in `text`, whole: elements and resource have filled its fields.

    `file` names it in messages; where it is a file and `beside` holds, a relative location of the source
    is taken from its folder. Raises: ContractBroken with every problem, each with file, line and field.
    """
    contract, problems = _read(text, file, beside)
    if contract is None or problems:
        raise ContractBroken(problems)
    return contract


def check_contract(
    *, text: str, file: str = "contract.yml", beside: bool = True
) -> tuple[Contract | None, tuple[ContractProblem, ...]]:
    """Return the contract and what is wrong with it, metadata for review included; nothing is raised."""
    contract, problems = _read(text, file, beside)
    if contract is None or problems:
        return contract, problems
    return contract, rules.metadata_problems(contract, file)


def check_columns(*, contract: Contract, shape: Shape | Iterable[str]) -> ColumnCheck:
    """Return how the contract fits a source's columns; columns it does not name are in `unbound`.

    Raises: ColumnsMissing naming each field whose column is gone.
    """
    columns = shape.columns if isinstance(shape, Shape) else tuple(shape)
    problems = rules.Problems(contract.file or contract.code or contract.title)
    found = rules.check_columns(contract, columns, problems)
    if problems.found:
        raise ColumnsMissing(problems.in_order)
    return found


def render_contract(*, contract: Contract) -> str:
    """Return the contract as a YAML file; parsing it gives the same contract."""
    return rules.render_contract(contract)


def _read(text: str, file: str, beside: bool) -> tuple[Contract | None, tuple[ContractProblem, ...]]:
    problems = rules.Problems(file)
    raw = rules.read_contract(text, problems)
    if raw is None:
        return None, problems.in_order
    elements = standards.get_elements() if rules.named_elements(raw) else {}
    contract = rules.resolve_contract(raw, elements, problems)
    return _with_place(contract, file) if beside else contract, problems.in_order


def _with_place(contract: Contract, file: str) -> Contract:
    location = contract.source.location
    own = Path(file)
    if not location or "://" in location or Path(location).is_absolute() or not own.is_file():
        return contract
    return replace(contract, source=replace(contract.source, location=str((own.resolve().parent / location).resolve())))
