"""Waiting for a job: run it here when no worker does, show its progress, return its result."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any, ClassVar

from yunhe.cli.commands import Context
from yunhe.core.jobs import api as jobs
from yunhe.core.jobs.types import JobInfo
from yunhe.kernel.errors import HTTP_STATUS, Kind, YunheError

GRACE_S = 1.5


class JobEndedBadly(YunheError):
    """The error that ended the job, said again with its own code and kind."""

    code = "job_ended_badly"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "作业 {job} 没有完成。请看作业页的说明。",
        "en": "Job {job} did not finish. See its page for the reason.",
    }

    def __init__(self, job: JobInfo) -> None:
        self.job = job
        self.code = job.error_code or type(self).code  # type: ignore[misc]
        self.kind = _kind(job)  # type: ignore[misc]
        super().__init__(job=job.id)

    def say(self, language: str = "zh") -> str:
        """Return the job's own sentence."""
        said = self.job.error or {}
        return said.get(language[:2]) or said.get("zh") or super().say(language)


def wait_for_job(*, job_id: str, context: Context, quiet: bool = False) -> Mapping[str, Any]:
    """Return the job's result. Raises: JobEndedBadly with the job's own code and sentence.

    A worker that runs takes the job; when none has taken it after a moment, this process runs it.
    """
    started, shown = time.monotonic(), ""
    while True:
        job = jobs.get_job(job_id=job_id)
        if not job.is_open:
            break
        if job.state == "ready" and time.monotonic() - started > GRACE_S:
            jobs.run_pending(limit=1, job_id=job_id)
            continue
        line = f"{job.progress_note} {job.share:.0%}" if job.share is not None else job.progress_note
        if line != shown and not quiet:
            context.note(f"  {line}")
            shown = line
        time.sleep(0.15)
    if job.state != "successful":
        raise JobEndedBadly(job)
    return job.result or {}


def _kind(job: JobInfo) -> Kind:
    said = job.error.get("kind", "") if job.error else ""
    return said if said in HTTP_STATUS else "broken"  # type: ignore[return-value]
