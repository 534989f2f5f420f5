"""From rows to what this room hands out; whose rows they are."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.db.models import Count, Q, Sum

from yunhe.core.attachments.errors import (
    AttachmentNotFound,
    Infected,
    NotAttachable,
    NotTaken,
    NotWhole,
    QuotaUsedUp,
    UsedBefore,
)
from yunhe.core.attachments.models import AttachmentQuerySet, AttachmentRow, QuotaHolder
from yunhe.core.attachments.types import Attachment, State
from yunhe.core.evidence.api import append
from yunhe.core.evidence.types import Personal
from yunhe.kernel.actor import Actor
from yunhe.kernel.ids import is_id

MB = 1 << 20
MOST_FILES = 200
"""Files that one person's drafts, or one subject, may have."""


def read_row(row: AttachmentRow) -> Attachment:
    """Return a row as what this room hands out."""
    return Attachment(
        id=row.pk, name=row.name, size=row.size, received=row.received, declared_type=row.declared_type,
        media_type=row.media_type, digest=row.digest, owner_id=row.owner_id, organization=row.organization,
        state=cast("State", row.state), error_code=row.error_code, error=row.error, finding=row.finding,
        subject_type=row.subject_type, subject_id=row.subject_id, purpose=row.purpose, created_at=row.created_at,
        finished_at=row.finished_at, scanned_at=row.scanned_at, attached_at=row.attached_at,
    )  # fmt: skip


def own_draft(attachment_id: str, actor: Actor) -> AttachmentRow:
    """Return the actor's own draft. Raises: AttachmentNotFound, also for another's and for one handed in."""
    row = AttachmentRow.objects.drafts_of(actor).filter(pk=attachment_id).first() if is_id(attachment_id) else None
    if row is None:
        raise not_found(attachment_id)
    return row


def not_found(attachment_id: str) -> AttachmentNotFound:
    return AttachmentNotFound(attachment_id=attachment_id[:40], what="attachment", name=attachment_id[:40])


def refusal_of(attachment_id: str, row: AttachmentRow | None) -> NotAttachable:
    """Return why a file cannot be handed in, by its name; `row` is None for what is not the actor's own."""
    if row is None:
        return NotAttachable(attachment_id=attachment_id[:40], what="attachment", name=attachment_id[:40])
    facts = {"attachment_id": row.pk, "what": "attachment", "name": row.name}
    if row.subject_type or row.state in ("ready", "checking"):
        return UsedBefore(**facts)
    if row.state == "infected":
        return Infected(**facts, finding=row.finding)
    if row.state == "refused":
        return NotTaken(**facts, reason_zh=row.error.get("zh", ""), reason_en=row.error.get("en", ""))
    return NotWhole(**facts)


def check_room(*, holder: str, rows: AttachmentQuerySet, more_bytes: int, more_files: int) -> None:
    """Do nothing if the rows and the new ones keep within the quota; inside the caller's transaction.

    The holder's row stays locked to its end, so that two who ask at once are counted one after the other.
    Raises: QuotaUsedUp.
    """
    QuotaHolder.objects.get_or_create(key=holder)
    QuotaHolder.objects.select_for_update().get(key=holder)
    takes_room = Q(state__in=("receiving", "checking", "ready"))
    used = rows.exclude(state="infected").aggregate(files=Count("pk"), size=Sum("size", filter=takes_room, default=0))
    limit_mb = settings.YUNHE["ATTACHMENT_QUOTA_MB"]
    if used["size"] + more_bytes > limit_mb * MB or used["files"] + more_files > MOST_FILES:
        raise QuotaUsedUp(
            limit_mb=f"{limit_mb:.1f}", limit_files=MOST_FILES, used_mb=f"{used['size'] / MB:.1f}", used_files=used["files"],
            what="attachment", name="quota",
        )  # fmt: skip


def prove(row: AttachmentRow, *, kind: str, actor: Actor, **facts: Any) -> None:
    """Write one evidence record about an attachment; name and digest as commitments only."""
    personal = {"name": Personal(row.name)} | ({"digest": Personal(row.digest)} if row.digest else {})
    subject = f"{row.subject_type}:{row.subject_id}" if row.subject_type else ""
    plain = {"size_bytes": row.size, "media_type": row.media_type, "subject": subject}
    append(
        kind=kind, actor=actor, subject_type="attachment", subject_id=row.pk, organization=row.organization,
        facts={**plain, **personal, **facts},
    )  # fmt: skip
