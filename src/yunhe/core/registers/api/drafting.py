"""Making drafts: new entries, issued codes, versions being written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from yunhe.core.cases import api as cases
from yunhe.core.cases.errors import FieldProblem, FieldsInvalid
from yunhe.core.organizations import api as organizations
from yunhe.core.registers import rules
from yunhe.core.registers.api import store
from yunhe.core.registers.errors import CodeTaken
from yunhe.core.registers.models import EntryRecord, SeriesRecord, VersionRecord
from yunhe.core.registers.types import RegisterType
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now
from yunhe.kernel.ids import new_id

TRIES = 5


def insert_entry(
    declared: RegisterType, owner: str, title: str, body: dict[str, Any], code: str, actor: Actor, source: str = ""
) -> tuple[EntryRecord, VersionRecord]:
    """Write a new entry with its first draft; an empty code is issued. Raises: CodeTaken."""
    at, issued = now(), not code
    body_of_owner = organizations.find_organization(code=owner)
    for _ in range(TRIES if issued else 1):
        told = _issue_code(declared, owner, body) if issued else _checked_code(code)
        if issued and EntryRecord.objects.filter(type_id=declared.code, code=told).exists():
            continue
        row = EntryRecord(
            id=new_id(), type_id=declared.code, code=told, owner=owner, title=title.strip(), state=store.DRAFT,
            region=body_of_owner.region if body_of_owner else "", open_state=store.DRAFT, source=source,
            created_by=actor.id, created_at=at, updated_at=at,
        )  # fmt: skip
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            continue
        version = write_version(row, None, 1, title, body, "", actor)
        store.show_version(row, version, declared)
        return row, version
    raise CodeTaken(what="code", name=told)


def _issue_code(declared: RegisterType, owner: str, body: Mapping[str, Any]) -> str:
    if not declared.code_rule:
        raise FieldsInvalid([FieldProblem("code", "required", "本名录不自动编号，必填。", "This register issues no codes.")])
    serial = _owner_serial(declared.code, owner) if any(part.owner_serial for part in declared.code_rule) else 0
    series, front, width = rules.series_and_text(
        declared.code_rule, type_code=declared.code, owner=owner, owner_serial=serial, body=body
    )
    return f"{front}{store.next_of(series):0{width}d}"


def _owner_serial(type_code: str, owner: str) -> int:
    """Return the owner's serial in the register: given once, at its first entry, then kept."""
    known = SeriesRecord.objects.filter(name=f"serial:{type_code}:{owner}").values_list("last", flat=True).first()
    if known:
        return int(known)
    serial = store.next_of(f"serials:{type_code}")
    made, fresh = SeriesRecord.objects.get_or_create(name=f"serial:{type_code}:{owner}", defaults={"last": serial})
    return serial if fresh else int(made.last)


def _checked_code(code: str) -> str:
    values, problems = cases.check_values((store.CODE,), {"code": code})
    if problems:
        raise FieldsInvalid(problems)
    return str(values["code"])


def write_version(
    row: EntryRecord, version: VersionRecord | None, number: int, title: str, body: dict[str, Any], note: str, actor: Actor
) -> VersionRecord:
    """Write a draft: the given one again, or a new one of that number."""
    at = now()
    fresh = version or VersionRecord(id=new_id(), entry=row, number=number, state=store.DRAFT, created_at=at)
    fresh.title, fresh.body, fresh.note = title.strip(), body, note
    fresh.digest = store.body_digest(fresh.title, body)
    fresh.author_id, fresh.author_name, fresh.updated_at = actor.id, actor.name, at
    fresh.save()
    return fresh
