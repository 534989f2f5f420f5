"""Handing drafts in with a case or a form."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from yunhe.core.attachments.api.registry import check_subject
from yunhe.core.attachments.api.rows import check_room, prove, read_row, refusal_of
from yunhe.core.attachments.errors import NotAttachable
from yunhe.core.attachments.models import AttachmentRow, AttachmentUse
from yunhe.core.attachments.types import Attachment
from yunhe.core.jobs.errors import OutsideTransaction
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now
from yunhe.kernel.ids import is_id


def attach(*, ids: Sequence[str], subject_type: str, subject_id: str, actor: Actor) -> tuple[Attachment, ...]:
    """Attach one's own drafts to a subject, inside the caller's transaction; each file once.

    A file that still waits for the virus check may be attached; it opens once it is clean.
    Raises: SubjectTypeUnknown, NotAttachable by its kinds, QuotaUsedUp, OutsideTransaction.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction(what="attachments.attach")
    check_subject(subject_type=subject_type)
    wanted = tuple(ids)
    rows = AttachmentRow.objects.drafts_of(actor).select_for_update().filter(state__in=("ready", "checking"))
    found = {row.pk: row for row in rows.filter(pk__in=[one for one in wanted if is_id(one)]).order_by("pk")}
    for place, one in enumerate(wanted):
        if one not in found or one in wanted[:place]:
            raise _refusal(one, actor)
    there = AttachmentRow.objects.of_subject(subject_type, subject_id)
    size = sum(row.size for row in found.values())
    check_room(holder=f"subject:{subject_type}:{subject_id}", rows=there, more_bytes=size, more_files=len(wanted))
    return tuple(_attach(found[one], subject_type, subject_id, actor) for one in wanted)


def find_refusals(*, ids: Sequence[str], actor: Actor) -> dict[str, NotAttachable]:
    """Return which of these cannot be handed in by the actor, each with why."""
    wanted = dict.fromkeys(ids)
    rows = AttachmentRow.objects.uploaded_by(actor).in_bulk([one for one in wanted if is_id(one)])
    usable = {one for one, row in rows.items() if not row.subject_type and row.state in ("ready", "checking")}
    return {one: refusal_of(one, rows.get(one)) for one in wanted if one not in usable}


def share(*, ids: Sequence[str], subject_type: str, holder_id: str, subject_id: str, actor: Actor) -> None:
    """Have a subject use files that are attached to another of its type, inside the caller's transaction.

    Who reads the subject reads them, too; the bytes are kept once. What the holder does not have is passed over.
    Raises: SubjectTypeUnknown, OutsideTransaction.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction(what="attachments.share")
    check_subject(subject_type=subject_type)
    for row in AttachmentRow.objects.of_subject(subject_type, holder_id).filter(pk__in=ids):
        AttachmentUse.objects.create(attachment=row, subject_type=subject_type, subject_id=subject_id)
        prove(row, kind="attachments.shared", actor=actor, subject=f"{subject_type}:{subject_id}")


def _refusal(attachment_id: str, actor: Actor) -> NotAttachable:
    own = AttachmentRow.objects.uploaded_by(actor)
    return refusal_of(attachment_id, own.filter(pk=attachment_id).first() if is_id(attachment_id) else None)


def _attach(row: AttachmentRow, subject_type: str, subject_id: str, actor: Actor) -> Attachment:
    values = {"subject_type": subject_type, "subject_id": subject_id, "attached_at": now()}
    if not AttachmentRow.objects.drafts_of(actor).filter(pk=row.pk).update(**values):
        raise _refusal(row.pk, actor)
    attached = AttachmentRow.objects.get(pk=row.pk)
    prove(attached, kind="attachments.attached", actor=actor)
    return read_row(attached)
