"""The virus check of finished uploads, as a job; a scanner that is away leaves the file waiting."""

from __future__ import annotations

from django.db import transaction

from yunhe.core.attachments.api import places
from yunhe.core.attachments.api.registry import find_scanner
from yunhe.core.attachments.api.rows import prove
from yunhe.core.attachments.models import AttachmentRow
from yunhe.core.jobs import api as jobs
from yunhe.core.jobs.errors import JobAlreadyOpen
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import now

CHECK_JOB = "attachments.check"


def ask_for_check(attachment_id: str) -> bool:
    """Ask for the check of one attachment; tell whether it was not asked for already."""
    try:
        jobs.enqueue(
            name=CHECK_JOB, arguments={"attachment_id": attachment_id}, actor=job_actor(CHECK_JOB), key=attachment_id
        )
    except JobAlreadyOpen:
        return False
    return True


def check_attachment(*, attachment_id: str, actor: Actor) -> bool | None:
    """Have one waiting attachment scanned: it becomes `ready`, or `infected` and its bytes go.

    Returns: whether it is clean; None when it does not wait any more. Doing it again changes nothing.
    Raises: what the scanner raises while it cannot tell, AttachmentBytesLost.
    """
    row = AttachmentRow.objects.filter(pk=attachment_id, state="checking").first()
    if row is None:
        return None
    scan, finding = find_scanner(), ""
    if scan is not None:
        with places.reading(row.pk) as file:
            finding = scan(file)
    return not finding if _settle(row, finding, scanned=scan is not None, actor=actor) else None


def _settle(row: AttachmentRow, finding: str, *, scanned: bool, actor: Actor) -> bool:
    with transaction.atomic():
        changed = AttachmentRow.objects.filter(pk=row.pk, state="checking").update(
            state="infected" if finding else "ready", finding=finding[:200], scanned_at=now() if scanned else None
        )
        if changed and finding:
            prove(row, kind="attachments.infected", actor=actor, finding=finding[:200], owner=row.owner_id)
            transaction.on_commit(lambda: places.remove(row.pk))
    return bool(changed)
