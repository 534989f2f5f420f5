"""The jobs of attachments: the virus check, the sweep."""

from __future__ import annotations

from dataclasses import asdict

from yunhe.core.attachments import api
from yunhe.core.jobs import api as jobs
from yunhe.core.jobs.types import SERVING_QUEUE, JobContext


def check(context: JobContext, *, attachment_id: str) -> dict[str, int]:
    """Have one attachment scanned."""
    clean = api.check_attachment(attachment_id=attachment_id, actor=context.actor)
    return {"seen": 1, "changed": int(clean is not None), "skipped": int(clean is None)}


def sweep(context: JobContext) -> dict[str, int]:
    """Drop unfinished uploads, forgotten drafts and stray bytes."""
    return asdict(api.sweep(actor=context.actor, check=context.check))


def register_jobs() -> None:
    """Register the jobs of this room."""
    jobs.register_job(
        name="attachments.check",
        run=check,
        title={"zh": "附件查毒", "en": "Check an attachment for viruses"},
        permission="jobs.manage",
        limit_seconds=900,
        attempts=12,
        queue=SERVING_QUEUE,  # a load of hours would hold it up, and a hanging scanner the short jobs
    )
    jobs.register_job(
        name="attachments.sweep",
        run=sweep,
        title={"zh": "清理没用上的附件", "en": "Sweep attachments that were not used"},
        permission="jobs.manage",
        every_seconds=3600,
        limit_seconds=1800,
    )
