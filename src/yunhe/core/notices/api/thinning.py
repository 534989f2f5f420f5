"""Notices that were read long ago go, and what nobody waits for; unread ones and undelivered messages stay."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from yunhe.core.notices.models import Announcement, Dispatch, NoticeRow
from yunhe.kernel.clock import now

BATCH = 500


def thin_out(*, check: Callable[[], None]) -> dict[str, int]:
    """Delete what was read or sent longer ago than KEEP_DAYS; return how many of each went.

    An announcement goes with the last notice and message of it, and its key with it.
    `check` runs between batches and may raise.
    """
    before = now() - timedelta(days=settings.YUNHE["KEEP_DAYS"])
    notices = NoticeRow.objects.filter(read_at__lt=before)
    messages = Dispatch.objects.filter(ended_at__lt=before, state__in=("sent", "dropped"))
    bare = Announcement.objects.filter(
        ~Exists(NoticeRow.objects.filter(announcement=OuterRef("pk"))),
        ~Exists(Dispatch.objects.filter(announcement=OuterRef("pk"))),
        sent_at__lt=before,
    )
    return {name: _delete(rows, check) for name, rows in (("notices", notices), ("messages", messages), ("told", bare))}


def _delete(rows: QuerySet[Any], check: Callable[[], None]) -> int:
    """Delete in small transactions, so that nobody waits for the whole of it."""
    gone = 0
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        check()
        rows.model.objects.filter(pk__in=ids).delete()
        gone += len(ids)
    return gone
