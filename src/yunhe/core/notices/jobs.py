"""The jobs of this room: sending one message, and keeping house."""

from __future__ import annotations

from yunhe.core.jobs import api as jobs
from yunhe.core.jobs.types import QUICK_QUEUE, JobContext
from yunhe.core.notices.api.delivery import TRIES, deliver, pick_up_stranded
from yunhe.core.notices.api.held import JOB
from yunhe.core.notices.api.thinning import thin_out


def keep_house(context: JobContext) -> dict[str, int]:
    """Drop notices read long ago, and have sent what was left behind."""
    return {"stranded": pick_up_stranded(), **thin_out(check=context.check)}


def register_jobs() -> None:
    """Register what the worker runs for this room."""
    jobs.register_job(
        name=JOB,
        run=deliver,
        title={"zh": "发送通知", "en": "Send a notice"},
        permission="jobs.manage",
        limit_seconds=120,
        attempts=TRIES,
        queue=QUICK_QUEUE,
    )
    jobs.register_job(
        name="notices.keep_house",
        run=keep_house,
        title={"zh": "清理已读通知", "en": "Thin out read notices"},
        permission="jobs.manage",
        every_seconds=3600,
        limit_seconds=1800,
        queue=QUICK_QUEUE,
    )
