"""The sweep: uploads that nobody finished, drafts that nobody handed in, bytes that no row names."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from django.db import transaction

from yunhe.core.attachments.api import places
from yunhe.core.attachments.api.scanning import ask_for_check
from yunhe.core.attachments.api.uploading import drop
from yunhe.core.attachments.models import AttachmentQuerySet, AttachmentRow
from yunhe.core.attachments.types import Swept
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now

UNFINISHED = timedelta(hours=24)
FORGOTTEN = timedelta(days=30)
SETTLING = timedelta(hours=1)
"""How long a file without a row stays: its row may be about to be committed."""

BATCH = 200


def sweep(*, actor: Actor, check: Callable[[], None]) -> Swept:
    """Drop what nobody needs and ask again for checks that ended without a verdict.

    `check` runs between rows and may raise; doing it again changes nothing.
    """
    at = now()
    return Swept(
        unfinished=_drop_rows(AttachmentRow.objects.unfinished(before=at - UNFINISHED), actor, check),
        drafts=_drop_rows(AttachmentRow.objects.forgotten(before=at - FORGOTTEN), actor, check),
        files=_drop_files(check),
        checks=_ask_again(check),
    )


def _drop_rows(rows: AttachmentQuerySet, actor: Actor, check: Callable[[], None]) -> int:
    gone, last = 0, ""
    while batch := list(rows.filter(pk__gt=last).order_by("pk")[:BATCH]):
        for row in batch:
            check()
            with transaction.atomic():
                gone += rows.filter(pk=row.pk).exists() and drop(row, actor=actor, reason="sweep")
        last = batch[-1].pk
    return gone


def _drop_files(check: Callable[[], None]) -> int:
    """Drop files without a row, and those of rows whose bytes were to go when a process died."""
    gone = 0
    for path in places.stored_files():
        check()
        state = AttachmentRow.objects.filter(pk=path.name).values_list("state", flat=True).first()
        if state in ("refused", "infected") or (state is None and _is_settled(path)):
            gone += places.remove(path.name)
    return gone


def _is_settled(path: Path) -> bool:
    try:
        return path.stat().st_mtime < (now() - SETTLING).timestamp()
    except FileNotFoundError:
        return False


def _ask_again(check: Callable[[], None]) -> int:
    asked = 0
    for attachment_id in AttachmentRow.objects.filter(state="checking").order_by("pk").values_list("pk", flat=True):
        check()
        asked += ask_for_check(attachment_id)
    return asked
