"""Jobs (作业): a queue with leases in the control database, schedules, and the outbox.

The states and the enqueue-with-the-transaction rule follow DEP 14; see docs/adr/0003-job-queue.md.
"""

from yunhe.core.jobs.api import outbox
from yunhe.core.jobs.api.queue import (
    access_job,
    cancel_job,
    count_open,
    enqueue,
    get_job,
    list_jobs,
    reap,
    retry_job,
    run_at,
)
from yunhe.core.jobs.api.registry import find_job_type, list_job_types, register_job
from yunhe.core.jobs.api.worker import run_pending, run_worker

__all__ = [
    "access_job",
    "cancel_job",
    "count_open",
    "enqueue",
    "find_job_type",
    "get_job",
    "list_job_types",
    "list_jobs",
    "outbox",
    "reap",
    "register_job",
    "retry_job",
    "run_at",
    "run_pending",
    "run_worker",
]
