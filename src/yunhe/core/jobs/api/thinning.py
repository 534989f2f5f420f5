"""Ended jobs and delivered messages are kept for a while, then thinned out; the evidence of acts stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from yunhe.core.jobs.models import Delivery, Job, OutboxEntry
from yunhe.core.jobs.models.queue import OPEN_STATES
from yunhe.kernel.clock import now

BATCH = 500


def thin_out(*, check: Callable[[], None]) -> dict[str, int]:
    """Delete what ended longer ago than KEEP_DAYS; return how many of each went.

    Stays: open jobs, schedules, messages with an open or dead delivery, and what was dropped lately. `check` runs between batches and may raise.
    """
    before = now() - timedelta(days=settings.YUNHE["KEEP_DAYS"])
    return {"jobs": _delete(_old_jobs(before), check), "messages": _delete(_old_messages(before), check)}


def _old_jobs(before: datetime) -> QuerySet[Job]:
    return Job.objects.filter(every_seconds__isnull=True, finished_at__lt=before).exclude(state__in=OPEN_STATES)


def _old_messages(before: datetime) -> QuerySet[OutboxEntry]:
    waiting = Delivery.objects.filter(entry=OuterRef("pk")).exclude(state="done", done_at__lt=before).exclude(state="dropped", decided_at__lt=before)
    return OutboxEntry.objects.filter(~Exists(waiting), published_at__lt=before)


def _delete(rows: QuerySet[Job] | QuerySet[OutboxEntry], check: Callable[[], None]) -> int:
    """Delete in small transactions, so that nobody waits for the whole of it."""
    gone = 0
    while ids := list(rows.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        check()
        rows.model.objects.filter(pk__in=ids).delete()
        gone += len(ids)
    return gone
