"""What the publication case does to an entry: its registered effects."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.translation import get_language

from yunhe.core.cases.types import Case, EffectContext, SubjectLine, SubjectView
from yunhe.core.registers import rules
from yunhe.core.registers.api import store
from yunhe.core.registers.api.types import get_type, handler_of
from yunhe.core.registers.errors import EntryChanged
from yunhe.core.registers.models import EntryRecord, VersionRecord
from yunhe.core.registers.types import RegisterType
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import local, now


def case_data(row: EntryRecord, version: VersionRecord, declared: RegisterType, note: str) -> dict[str, Any]:
    """Return what the reviewer is shown of the version, and what the effects rely on."""
    return {
        "register": row.type_id,
        "code": row.code,
        "version": version.number,
        "digest": version.digest,
        "changes": _changed_titles(row, version, declared),
        "note": note or version.note,
        "author_id": version.author_id,
        "author_name": version.author_name,
        "bureau_step": declared.review == "department_and_bureau",
    }


def describe(case: Case, actor: Actor) -> SubjectView | None:
    """Return what a publication case asks to publish: every field, or what differs from the published version."""
    row = EntryRecord.objects.filter(pk=case.subject_id).first()
    version = row.versions.filter(number=case.data["version"]).first() if row else None
    if row is None or version is None:
        return None
    declared, handler = get_type(code=row.type_id), handler_of(row.type_id)
    before = row.versions.filter(number__lt=version.number, published_at__isnull=False).order_by("-number").first()
    differences = rules.list_differences(declared, before.body if before else {}, version.body)
    language = "en" if (get_language() or "zh").startswith("en") else "zh"
    labels = {(f.name, choice.value): choice.title.as_mapping() for f in declared.fields for choice in f.choices}

    def said(name: str, value: Any) -> str:
        label = labels.get((name, str(value)))
        return label[language] if label else rules.in_words(value, language)

    return SubjectView(
        title=declared.title.as_mapping(),
        lines=tuple(SubjectLine(d.title, said(d.field, d.before), said(d.field, d.after)) for d in differences),
        compared=before is not None,
        href=handler.page(row.code) if handler.page else "",
        names={declared.code: declared.title.as_mapping()[language]},
    )


def publish(context: EffectContext, *, entry_id: str, version: int) -> None:
    """Effect `registers.publish`: make the reviewed version the published one."""
    row, reviewed = _reviewed(context, entry_id, version)
    publish_version(row, reviewed, context.actor, waived=context.waived, case=context.case.number)


def reopen(context: EffectContext, *, entry_id: str, version: int) -> None:
    """Effect `registers.reopen`: give the version back to its author."""
    row, reviewed = _reviewed(context, entry_id, version)
    world = {"state": store.DRAFT} if row.published_number is None else {}
    store.lock_entry(row, None, context.at, open_state=store.DRAFT, **world)
    VersionRecord.objects.filter(pk=reviewed.pk).update(state=store.DRAFT)
    store.note_change(row, reviewed, "sent_back", context.actor, context.at, case=context.case.number)


def resubmit(context: EffectContext, *, entry_id: str, version: int) -> Mapping[str, Any]:
    """Effect `registers.resubmit`: put the mended draft into review; returns what the case now shows."""
    row = store.entry_row(entry_id)
    declared = get_type(code=row.type_id)
    draft = row.versions.filter(number=version, state=store.DRAFT).first()
    if draft is None:
        raise EntryChanged(what="entry", name=row.code, expected=row.edit)
    store.checked_body(declared, draft.title, draft.body, partial=False)
    world = {"state": store.IN_REVIEW} if row.published_number is None else {}
    store.lock_entry(row, None, context.at, open_state=store.IN_REVIEW, **world)
    VersionRecord.objects.filter(pk=draft.pk).update(state=store.IN_REVIEW, case_id=context.case.case_id)
    store.note_change(row, draft, "submitted", context.actor, context.at, case=context.case.number)
    data = case_data(row, draft, declared, str(context.data.get("note") or ""))
    return {name: data[name] for name in ("digest", "changes", "note", "author_id", "author_name")}


def publish_version(
    row: EntryRecord,
    version: VersionRecord,
    actor: Actor,
    *,
    waived: bool = False,
    valid_from: date | None = None,
    case: str = "",
) -> None:
    """Do make a version the published one: validity, lists, change feed, the room above."""
    at = now()
    day = valid_from or local(at).date()
    store.close_validity(row, day)
    published = {"published_at": at, "published_by": actor.id, "valid_from": day, "waived": waived}
    VersionRecord.objects.filter(pk=version.pk).update(state=store.PUBLISHED, **published)
    version.refresh_from_db()
    store.lock_entry(
        row, None, at, state=store.PUBLISHED, open_state="", published_number=version.number, published_at=at, withdrawn_at=None
    )
    store.show_version(row, version, get_type(code=row.type_id))
    store.note_change(row, version, "published", actor, at, waived=waived, **({"case": case} if case else {}))
    handler = handler_of(row.type_id)
    if handler.published:
        handler.published(store.entry_of(row, version), actor)


def tell_withdrawn(row: EntryRecord, version: VersionRecord, actor: Actor) -> None:
    """Do tell the room above that an entry is out of use."""
    handler = handler_of(row.type_id)
    if handler.withdrawn:
        handler.withdrawn(store.entry_of(row, version), actor)


def _reviewed(context: EffectContext, entry_id: str, number: int) -> tuple[EntryRecord, VersionRecord]:
    """Return entry and version, if they are still what the case is about."""
    row = store.entry_row(entry_id)
    version = row.versions.filter(number=number, state=store.IN_REVIEW, case_id=context.case.case_id).first()
    if version is None or version.digest != context.case.data.get("digest"):
        raise EntryChanged(what="entry", name=row.code, expected=row.edit)
    return row, version


def _changed_titles(row: EntryRecord, version: VersionRecord, declared: RegisterType) -> list[str]:
    before = store.published_version(row)
    if before is None:
        return []
    changed = [difference.title["zh"] for difference in rules.list_differences(declared, before.body, version.body)]
    return (["名称"] if before.title != version.title else []) + changed[:499]
