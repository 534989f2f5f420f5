"""Rows of registers: typed reads, series, the change feed; used by the verbs beside it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, NoReturn

from django.db.models import F

from yunhe.core.cases import api as cases
from yunhe.core.cases.errors import FieldProblem, FieldsInvalid
from yunhe.core.cases.types import FieldSpec, Titles
from yunhe.core.evidence import api as evidence
from yunhe.core.registers import rules
from yunhe.core.registers.api import types as register_types
from yunhe.core.registers.errors import EntryChanged, EntryNotFound, EntryStateRefused
from yunhe.core.registers.models import ChangeRecord, EntryRecord, FacetRecord, SeriesRecord, VersionRecord
from yunhe.core.registers.types import Entry, EntryVersion, RegisterType
from yunhe.kernel.actor import Actor

PUBLICATION = "publication"
SUBJECT = "register_entry"
DRAFT, IN_REVIEW, PUBLISHED, WITHDRAWN, SUPERSEDED = "draft", "in_review", "published", "withdrawn", "superseded"
TITLE = FieldSpec(name="title", title=Titles(zh="名称", en="Title"), required=True, max_length=300)  # type: ignore[operator]
CODE = FieldSpec(name="code", title=Titles(zh="代码", en="Code"), required=True, format="code", max_length=80)  # type: ignore[operator]
STATE_WORDS = {
    DRAFT: ("草稿", "draft"),
    IN_REVIEW: ("审核中", "in review"),
    PUBLISHED: ("已发布", "published"),
    WITHDRAWN: ("已下架", "withdrawn"),
}


def next_of(series: str) -> int:
    """Return the next number of a series; the row stays locked to the end of the transaction, so no gap."""
    rows = SeriesRecord.objects.filter(name=series)
    if not rows.update(last=F("last") + 1):
        SeriesRecord.objects.bulk_create([SeriesRecord(name=series)], ignore_conflicts=True)
        rows.update(last=F("last") + 1)
    return int(rows.values_list("last", flat=True).get())


def entry_row(entry_id: str) -> EntryRecord:
    """Return the row of an entry. Raises: EntryNotFound."""
    row = EntryRecord.objects.filter(pk=entry_id).first()
    if row is None:
        raise EntryNotFound(name=entry_id)
    return row


def lock_entry(row: EntryRecord, expected: int | None, at: datetime, **changes: Any) -> None:
    """Do write changes and move `edit` on, if nobody else did. Raises: EntryChanged."""
    edit = row.edit if expected is None else expected
    moved = EntryRecord.objects.filter(pk=row.pk, edit=edit).update(edit=F("edit") + 1, updated_at=at, **changes)
    if not moved:
        raise EntryChanged(what="entry", name=row.code, expected=edit)
    row.refresh_from_db()


def refuse(row: EntryRecord, state: str, act: tuple[str, str], next_step: tuple[str, str]) -> NoReturn:
    """Say that the state does not allow the act. Raises: EntryStateRefused, always."""
    told, told_en = STATE_WORDS[state]
    raise EntryStateRefused(
        name=row.code, state=told, state_en=told_en, act=act[0], act_en=act[1],
        next_step=next_step[0], next_step_en=next_step[1],
    )  # fmt: skip


def checked_body(declared: RegisterType, title: str, body: Mapping[str, Any], *, partial: bool) -> dict[str, Any]:
    """Return the body as given, once it is found sound. Raises: FieldsInvalid with every problem."""
    known = {item.name for item in declared.fields}
    own = {name: value for name, value in body.items() if name in known or declared.more == "refused"}
    _, problems = cases.check_values(declared.fields, own, partial=partial)
    _, title_problems = cases.check_values((TITLE,), {"title": title})
    found = [*title_problems, *problems]
    more = {name: value for name, value in body.items() if name not in own}
    if not cases.is_bounded_json(more):
        found.append(FieldProblem("body", "not_json", "含有不能保存的内容。", "It holds something that cannot be kept."))
    handler = register_types.handler_of(declared.code)
    if not found and handler.check and not partial:
        found += handler.check(body)
    if found:
        raise FieldsInvalid(found)
    copied: dict[str, Any] = json.loads(json.dumps(body))
    return copied


def body_digest(title: str, body: Mapping[str, Any]) -> str:
    """Return the digest of a version: SM3 over canonical JSON of title and body."""
    return cases.digest_of({"title": title, "body": body})


def show_version(row: EntryRecord, version: VersionRecord, declared: RegisterType) -> None:
    """Do make the lists show this version: title, search text, facets."""
    search = rules.search_text(code=row.code, title=version.title, body=version.body, fields=declared.search)
    EntryRecord.objects.filter(pk=row.pk).update(title=version.title, search=search)
    row.title = version.title
    FacetRecord.objects.filter(entry=row).delete()
    values = rules.facet_values(declared, version.body)
    FacetRecord.objects.bulk_create(FacetRecord(entry=row, name=name, value=value) for name, value in values)


def note_change(row: EntryRecord, version: VersionRecord, action: str, actor: Actor, at: datetime, **facts: Any) -> None:
    """Do append to the owner's change feed and to the evidence."""
    sequence = next_of(f"change:{row.owner}")
    line = {
        "owner": row.owner,
        "sequence": sequence,
        "at": at.isoformat(),
        "action": action,
        "entry_id": row.pk,
        "type_code": row.type_id,
        "code": row.code,
        "version": version.number,
        "body_digest": version.digest,
    }
    digest = cases.digest_of(line)
    told = {"register": row.type_id, "code": row.code, "version": version.number, "sequence": sequence}
    evidence_id = evidence.append(
        kind=f"register.{action}",
        actor=actor,
        subject_type=row.type_id,
        subject_id=row.code,
        facts={**told, "body_digest": version.digest, "digest": digest, **facts},
        organization=row.owner,
        at=at,
    )
    columns = {name: value for name, value in line.items() if name != "at"}
    ChangeRecord.objects.create(**columns, at=at, digest=digest, evidence_id=evidence_id)


def open_version(row: EntryRecord) -> VersionRecord | None:
    """Return the version that is being written or reviewed, if there is one."""
    return row.versions.filter(state__in=[DRAFT, IN_REVIEW]).first()


def published_version(row: EntryRecord) -> VersionRecord | None:
    """Return the version that is published, or was when the entry was withdrawn."""
    return row.versions.filter(number=row.published_number).first() if row.published_number else None


def close_validity(row: EntryRecord, from_day: date) -> None:
    """Do end the validity of what is in force on the day that the next version starts."""
    rows = row.versions.filter(state__in=[PUBLISHED, SUPERSEDED], valid_until__isnull=True)
    for version in rows:
        until = max(from_day, version.valid_from) if version.valid_from else from_day
        VersionRecord.objects.filter(pk=version.pk).update(valid_until=until, state=SUPERSEDED)


def entry_of(row: EntryRecord, version: VersionRecord) -> Entry:
    """Return the entry as others see it, with one version's body."""
    return Entry(
        entry_id=row.pk,
        type_code=row.type_id,
        code=row.code,
        owner=row.owner,
        title=version.title,
        state=row.state,  # type: ignore[arg-type]
        open_state=row.open_state,
        version=version.number,
        published_version=row.published_number,
        latest_version=row.latest_number,
        edit=row.edit,
        body=version.body,
        digest=version.digest,
        created_at=row.created_at,
        updated_at=row.updated_at,
        published_at=row.published_at,
        withdrawn_at=row.withdrawn_at,
    )


def version_of(row: VersionRecord) -> EntryVersion:
    """Return a version as others see it."""
    names = (
        "number", "state", "title", "body", "digest", "note", "author_id", "author_name", "created_at", "updated_at",
        "case_id", "published_at", "published_by", "waived", "valid_from", "valid_until",
    )  # fmt: skip
    return EntryVersion(version_id=row.pk, **{name: getattr(row, name) for name in names})
