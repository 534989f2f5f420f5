"""Writes: register, submit, publish, withdraw; each is one transaction of the register, with its evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from django.db import IntegrityError, transaction

from yunhe.core.cases.errors import FieldProblem
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.types import Organization
from yunhe.core.registers import api as registers
from yunhe.core.registers.types import Entry
from yunhe.data.catalog import rules
from yunhe.data.catalog.api import reading
from yunhe.data.catalog.api.contracts import check_contract
from yunhe.data.catalog.errors import (
    ContractBroken,
    MetadataIncomplete,
    ProviderUnknown,
    ResourceNotFound,
    TitleTaken,
)
from yunhe.data.catalog.models import Holding
from yunhe.data.catalog.types import RESOURCE_TYPE, Contract, Resource
from yunhe.data.standards import api as standards
from yunhe.data.standards.types import Binding
from yunhe.kernel.actor import Actor

_watchers: dict[str, Callable[[str], None]] = {}


def register_watcher(*, name: str, tell: Callable[[str], None]) -> None:
    """Fill one slot: `tell(code)` runs in the transaction that withdraws a resource. Raises: ValueError on a name taken."""
    if name in _watchers:
        raise ValueError(f"{name!r} watches withdrawals already")
    _watchers[name] = tell


def register_resource(
    *, contract: Contract, actor: Actor, note: str = "", expected_edit: int | None = None, submit: bool = False
) -> Resource:
    """Enter a contract as a draft: a new resource, or the next version of the one it names by code.

    An empty code is issued by the register's rule, unique under concurrency. The same contract again
    changes nothing. With `submit` it goes to review in the same transaction.
    Raises: ProviderUnknown, TitleTaken, Refused, EntryChanged, EntryStateRefused in review.
    """
    owner = _provider_of(contract)
    actor.require("ledger.edit", organization=owner.code, kind=RESOURCE_TYPE)
    held = registers.find_entry(type_code=RESOURCE_TYPE, code=contract.code) if contract.code else None
    if held is not None and held.owner != owner.code:
        raise ProviderUnknown(name=contract.provider, place=_place(contract), near=_own(held.owner), near_en=_own(held.owner))
    whole = replace(contract, provider=owner.name)
    with transaction.atomic():
        _refuse_taken_title(whole, owner, held)
        entry = _create(whole, owner, actor) if held is None else _save(whole, held, actor, note, expected_edit)
        if submit:
            return submit_resource(code=entry.code, actor=actor, note=note)
    return reading.get_resource(code=entry.code, version=entry.version)


def submit_resource(*, code: str, actor: Actor, note: str = "") -> Resource:
    """Submit the draft for review: opens its publication case (编制→部门审核→统一发布).

    Raises: ResourceNotFound, MetadataIncomplete naming each field, Refused, NothingChanged.
    """
    entry = _open_entry(code)
    _require_metadata(entry)
    registers.submit_entry(entry_id=entry.entry_id, actor=actor, note=note)
    return reading.get_resource(code=code, version=entry.version)


def publish_resource(*, code: str, actor: Actor, waiver: str = "") -> Resource:
    """Publish what is drafted or in review; with `waiver` as the local operator, without a second person.

    What is published already and has no newer draft is returned as it is.
    Raises: ResourceNotFound, MetadataIncomplete, SelfApprovalRefused, WaiverRefused, Refused, TitleTaken.
    """
    entry = _open_entry(code)
    if entry.state == "published" and not entry.open_state:
        return reading.get_resource(code=code)
    _require_metadata(entry)
    registers.publish_entry(entry_id=entry.entry_id, actor=actor, waiver=waiver)
    return reading.get_resource(code=code)


def withdraw_resource(*, code: str, reason: str, actor: Actor) -> Resource:
    """Take a published resource out of use (下架); its versions and its history stay. Raises: ResourceNotFound, Refused."""
    entry = _entry(code)
    registers.withdraw_entry(entry_id=entry.entry_id, reason=reason, actor=actor)
    return reading.get_resource(code=code)


def note_published(entry: Entry, actor: Actor) -> None:
    """Bring the ledger's row and the bindings to the published contract; the register calls it in its transaction."""
    _note(entry, "published")


def note_withdrawn(entry: Entry, actor: Actor) -> None:
    """Mark the ledger's row and the bindings as out of use; the register calls it in its transaction."""
    _note(entry, "withdrawn")
    for tell in _watchers.values():
        tell(entry.code)


def check_body(body: Mapping[str, Any]) -> tuple[FieldProblem, ...]:
    """Return what is wrong with a body that came by any door, as the register's form shows it."""
    contract = rules.contract_from_body("", "-", body)
    _, problems = check_contract(text=rules.render_contract(contract), file=RESOURCE_TYPE, beside=False)
    return tuple(FieldProblem(one.field, "contract", one.say("zh"), one.say("en")) for one in problems)


def _create(contract: Contract, owner: Organization, actor: Actor) -> Entry:
    entry = registers.create_entry(
        type_code=RESOURCE_TYPE,
        owner=owner.code,
        code=contract.code,
        title=contract.title,
        body=rules.contract_to_body(contract),
        actor=actor,
    )
    _note(entry, "draft")
    return entry


def _save(contract: Contract, held: Entry, actor: Actor, note: str, expected_edit: int | None) -> Entry:
    newest = registers.get_entry(type_code=RESOURCE_TYPE, code=held.code, number=held.latest_version)
    if newest.title == contract.title and newest.body == rules.contract_to_body(contract):
        return newest
    entry = registers.save_draft(
        entry_id=held.entry_id,
        title=contract.title,
        body=rules.contract_to_body(contract),
        expected_version=expected_edit,
        actor=actor,
        note=note,
    )
    if held.published_version is None:
        _note(entry, "draft")
    return entry


def _note(entry: Entry, state: str) -> None:
    contract = rules.contract_from_body(entry.code, entry.title, entry.body)
    owner = organizations.find_organization(code=entry.owner)
    name = owner.label if owner else entry.owner
    row = {
        "entry_id": entry.entry_id,
        "title": contract.title,
        "summary": contract.summary,
        "owner": entry.owner,
        "owner_name": name,
        "sharing": contract.sharing,
        "opening": contract.opening,
        "update_cycle": contract.update_cycle,
        "grade": contract.grade,
        "personal": contract.personal,
        "format": contract.format,
        "field_count": len(contract.fields),
        "digest": rules.contract_digest(contract),
        "search": _search_text(contract, name),
        "is_out": state == "withdrawn",
    }
    try:
        with transaction.atomic():
            Holding.objects.update_or_create(code=entry.code, defaults=row)
    except IntegrityError as error:
        raise TitleTaken(provider=name, title=contract.title, code_taken="—") from error
    _tell_standards(entry, contract, name, state)


def _tell_standards(entry: Entry, contract: Contract, owner_name: str, state: str) -> None:
    code_sets = {code: element.code_set for code, element in standards.get_elements().items()}
    bindings = tuple(
        Binding(one.name, one.title, one.element, code_sets.get(one.element, "")) for one in contract.fields if one.element
    )
    standards.record_bindings(
        subject_type=RESOURCE_TYPE,
        subject_code=entry.code,
        subject_title=contract.title,
        organization=entry.owner,
        organization_name=owner_name,
        state=state,
        bindings=bindings,
    )


def _search_text(contract: Contract, owner_name: str) -> str:
    words = [contract.code, contract.title, owner_name, contract.summary]
    for one in contract.fields:
        words += [one.title, one.name, one.column, one.element]
    return " ".join(dict.fromkeys(filter(None, words))).lower()


def _provider_of(contract: Contract) -> Organization:
    found = organizations.find_organization(code=contract.provider)
    if found is None:
        raise ProviderUnknown(
            name=contract.provider, place=_place(contract), near="可在“机构”页查看。", near_en="see the page of organisations."
        )
    return found


def _refuse_taken_title(contract: Contract, owner: Organization, held: Entry | None) -> None:
    others = Holding.objects.filter(owner=owner.code, title=contract.title, is_out=False)
    taken = others.exclude(code=held.code if held else "").values_list("code", flat=True).first()
    if taken:
        raise TitleTaken(provider=owner.label, title=contract.title, code_taken=taken)


def _require_metadata(entry: Entry) -> None:
    contract = rules.contract_from_body(entry.code, entry.title, entry.body)
    missing = rules.metadata_problems(contract, entry.code)
    if missing:
        raise MetadataIncomplete(missing)
    _, problems = check_contract(text=rules.render_contract(contract), file=entry.code, beside=False)
    if problems:
        raise ContractBroken(problems)


def _entry(code: str) -> Entry:
    found = registers.find_entry(type_code=RESOURCE_TYPE, code=code)
    if found is None:
        raise ResourceNotFound(name=code)
    return found


def _open_entry(code: str) -> Entry:
    entry = _entry(code)
    return registers.get_entry(type_code=RESOURCE_TYPE, code=code, number=entry.latest_version)


def _place(contract: Contract) -> str:
    line = contract.lines.get("provider", 0)
    return f"{contract.file}:{line} " if contract.file and line else ""


def _own(owner: str) -> str:
    found = organizations.find_organization(code=owner)
    return f"该代码属于 {found.label if found else owner}。"
