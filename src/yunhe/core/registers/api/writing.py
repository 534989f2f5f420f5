"""Writes: draft, submit, publish, withdraw. Each is one transaction with change row and evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from yunhe.core.cases import api as cases
from yunhe.core.cases.errors import ActionNotOffered, FieldProblem, FieldsInvalid
from yunhe.core.registers.api import publishing, store
from yunhe.core.registers.api.drafting import insert_entry, write_version
from yunhe.core.registers.api.types import get_type
from yunhe.core.registers.errors import NothingChanged, SelfApprovalRefused
from yunhe.core.registers.models import EntryRecord, VersionRecord
from yunhe.core.registers.types import Entry, RegisterType
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import local, now

WAIT = ("请等审核有结果，或由审核人退回。", "Wait for the review, or have it sent back.")


def create_entry(
    *, type_code: str, owner: str, title: str, body: Mapping[str, Any], actor: Actor, code: str = ""
) -> Entry:
    """Make a new entry as a draft; an empty code is issued by the type's rule.

    Raises: Refused, RegisterTypeNotFound, FieldsInvalid, CodeTaken.
    """
    declared = get_type(code=type_code)
    actor.require(declared.permissions.edit, organization=owner, kind=type_code)
    checked = store.checked_body(declared, title, body, partial=True)
    with transaction.atomic():
        row, version = insert_entry(declared, owner, title, checked, code, actor)
        store.note_change(row, version, "created", actor, version.created_at)
        return store.entry_of(row, version)


def save_draft(
    *, entry_id: str, title: str, body: Mapping[str, Any], expected_version: int | None, actor: Actor, note: str = ""
) -> Entry:
    """Write the draft; beside a published version a new one begins.

    `expected_version` is `Entry.edit` as the actor saw it; None takes it as it is.
    Raises: EntryNotFound, Refused, EntryChanged, EntryStateRefused while in review, FieldsInvalid.
    """
    with transaction.atomic():
        row, declared = _editable(entry_id, actor)
        if row.open_state == store.IN_REVIEW:
            store.refuse(row, store.IN_REVIEW, ("修改", "edited"), WAIT)
        checked = store.checked_body(declared, title, body, partial=True)
        at = now()
        version = store.open_version(row)
        number = version.number if version else row.latest_number + 1
        world = {"state": store.DRAFT} if row.published_number is None else {}
        store.lock_entry(row, expected_version, at, latest_number=number, open_state=store.DRAFT, **world)
        version = write_version(row, version, number, title, checked, note, actor)
        if row.published_number is None:
            store.show_version(row, version, declared)
        store.note_change(row, version, "saved", actor, at)
        _name_case(version, actor)
        return store.entry_of(row, version)


def submit_entry(*, entry_id: str, actor: Actor, note: str = "") -> Entry:
    """Submit the draft for review: opens its publication case, or goes on with the one sent back.

    Raises: EntryNotFound, Refused, EntryStateRefused, FieldsInvalid, NothingChanged.
    """
    with transaction.atomic():
        row, declared = _editable(entry_id, actor)
        version = _draft_of(row)
        store.checked_body(declared, version.title, version.body, partial=False)
        _require_news(row, version)
        waiting = cases.find_open_case(kind=store.PUBLICATION, subject_type=store.SUBJECT, subject_id=row.pk)
        if waiting is not None and waiting.opened_by == actor.id:
            cases.act(case_id=waiting.case_id, action="resubmit", data={"note": note}, actor=actor)
        elif waiting is not None:
            kind = cases.kind_of_case(case_id=waiting.case_id)
            raise ActionNotOffered(number=waiting.number, action="resubmit", titles=cases.step_named(kind, "resubmit"))
        else:
            _open_publication(row, version, declared, actor, note)
        return store.entry_of(store.entry_row(entry_id), VersionRecord.objects.get(pk=version.pk))


def publish_entry(*, entry_id: str, actor: Actor, waiver: str = "") -> Entry:
    """Publish what is in review, as the person whose turn it is; or, with a waiver, as the operator.

    `waiver` is the operator's reason to go without the second person (embedded profile only): the
    publication case is opened if need be and carries the waiver as an event.
    Raises: EntryNotFound, SelfApprovalRefused without review and waiver, WaiverRefused, ActionNotOffered.
    """
    with transaction.atomic():
        row = store.entry_row(entry_id)
        if waiver and row.open_state == store.DRAFT:
            submit_entry(entry_id=entry_id, actor=actor)
        case = cases.find_open_case(kind=store.PUBLICATION, subject_type=store.SUBJECT, subject_id=entry_id)
        if case is None:
            raise SelfApprovalRefused(name=row.code)
        if waiver:
            cases.waive(case_id=case.case_id, reason=waiver, actor=actor)
        else:
            action = "publish" if case.phase == "release" else "approve"
            cases.act(case_id=case.case_id, action=action, data={}, actor=actor, expected_version=case.version)
        row = store.entry_row(entry_id)
        return store.entry_of(row, row.versions.get(number=row.published_number or row.latest_number))


def withdraw_entry(*, entry_id: str, reason: str, actor: Actor) -> Entry:
    """Take a published entry out of use (下架); its versions stay.

    Raises: EntryNotFound, Refused, EntryStateRefused, FieldsInvalid without a reason.
    """
    with transaction.atomic():
        row = store.entry_row(entry_id)
        declared = get_type(code=row.type_id)
        actor.require(declared.permissions.publish, organization=row.owner, kind=row.type_id)
        if not reason.strip():
            raise FieldsInvalid([FieldProblem("reason", "required", "必填。", "This is required.")])
        next_step = ("只有已发布的条目可以下架。", "Only a published entry can be withdrawn.")
        if row.state != store.PUBLISHED:
            store.refuse(row, row.state, ("下架", "withdrawn"), next_step)
        at = now()
        store.lock_entry(row, None, at, state=store.WITHDRAWN, withdrawn_at=at)
        store.close_validity(row, local(at).date())
        version = row.versions.get(number=row.published_number or row.latest_number)
        store.note_change(row, version, "withdrawn", actor, at, reason=reason)
        publishing.tell_withdrawn(row, version, actor)
        return store.entry_of(row, version)


def _editable(entry_id: str, actor: Actor) -> tuple[EntryRecord, RegisterType]:
    row = store.entry_row(entry_id)
    declared = get_type(code=row.type_id)
    actor.require(declared.permissions.edit, organization=row.owner, kind=row.type_id)
    return row, declared


def _name_case(version: VersionRecord, actor: Actor) -> None:
    """Have the case that waits for the mended draft be called what the draft is called now."""
    if version.case_id:
        cases.retitle(case_id=version.case_id, title=version.title, actor=actor)


def _draft_of(row: EntryRecord) -> VersionRecord:
    version = store.open_version(row)
    if version is None or version.state != store.DRAFT:
        next_step = ("请先修改，保存为草稿后再提交。", "Edit it and save a draft first.")
        store.refuse(row, row.open_state or row.state, ("提交", "submitted"), next_step)
    return version


def _require_news(row: EntryRecord, version: VersionRecord) -> None:
    published = store.published_version(row)
    if published is not None and published.digest == version.digest and row.state == store.PUBLISHED:
        raise NothingChanged(name=row.code, version=published.number)


def _open_publication(row: EntryRecord, version: VersionRecord, declared: RegisterType, actor: Actor, note: str) -> None:
    at = now()
    world = {"state": store.IN_REVIEW} if row.published_number is None else {}
    store.lock_entry(row, None, at, open_state=store.IN_REVIEW, **world)
    case = cases.open_case(
        kind=store.PUBLICATION,
        title=version.title,
        data=publishing.case_data(row, version, declared, note),
        actor=actor,
        owner=row.owner,
        region=row.region,
        subject_type=store.SUBJECT,
        subject_id=row.pk,
    )
    VersionRecord.objects.filter(pk=version.pk).update(state=store.IN_REVIEW, case_id=case.case_id)
    version.refresh_from_db()
    store.note_change(row, version, "submitted", actor, at, case=case.number)
