"""The API of jobs: follow one, cancel it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema

from yunhe.core.jobs import api
from yunhe.core.jobs.types import JobInfo
from yunhe.ui.doors import acting, requires
from yunhe.ui.http import REFUSED_READ, REFUSED_WRITE, Texts

router = Router(tags=["jobs"])


class JobOut(Schema):
    """One job as it stands; `progress_total` 0 means that nobody knows yet how much there is."""

    id: str
    name: str
    title: Texts
    key: str
    arguments: dict[str, Any]
    actor_name: str
    state: str
    enqueued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    attempts: int
    cancel_requested: bool
    progress_done: int
    progress_total: int
    progress_note: str
    result: dict[str, Any] | None
    error_code: str
    error: Texts


@router.get("/jobs/{job_id}", response={200: JobOut, **REFUSED_READ})
@requires("signed_in")
def get_job(request: HttpRequest, job_id: str) -> JobInfo:
    """Get one job: one's own, or any that one's rights show."""
    return api.access_job(job_id=job_id, actor=acting(request))


@router.post("/jobs/{job_id}/cancel", response={200: JobOut, **REFUSED_WRITE})
@requires("signed_in")
def cancel_job(request: HttpRequest, job_id: str) -> JobInfo:
    """Cancel a waiting job at once, ask a running one to stop at its next check."""
    return api.cancel_job(job_id=job_id, actor=acting(request))
