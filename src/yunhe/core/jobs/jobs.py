"""The jobs that the queue's own room registers for the rooms below it."""

from __future__ import annotations

from dataclasses import asdict

from django.conf import settings

from yunhe.core.evidence.api import collect_segments
from yunhe.core.jobs.api import register_job
from yunhe.core.jobs.api.thinning import thin_out
from yunhe.core.jobs.types import QUICK_QUEUE, JobContext


def collect_evidence(context: JobContext) -> dict[str, int]:
    """Take the gateway's evidence lines over into the control database."""
    return asdict(collect_segments(folder=settings.HOME / "gateway" / "evidence"))


def thin_out_ended(context: JobContext) -> dict[str, int]:
    """Drop jobs and messages that ended long ago."""
    return thin_out(check=context.check)


def register_jobs() -> None:
    """Register the schedules of this room."""
    register_job(
        name="evidence.collect",
        run=collect_evidence,
        title={"zh": "收取网关存证", "en": "Collect the gateway's evidence"},
        permission="jobs.manage",
        every_seconds=1,
        limit_seconds=300,
        queue=QUICK_QUEUE,
    )
    register_job(
        name="jobs.thin_out",
        run=thin_out_ended,
        title={"zh": "清理已结束的作业和消息", "en": "Thin out ended jobs and messages"},
        permission="jobs.manage",
        every_seconds=3600,
        limit_seconds=1800,
        queue=QUICK_QUEUE,
    )
