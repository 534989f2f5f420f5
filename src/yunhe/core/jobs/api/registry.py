"""The table of registered jobs; filled from the apps' ready(), closed by the end of start-up."""

from __future__ import annotations

from collections.abc import Mapping

from django.apps import apps

from yunhe.core.jobs.errors import BadJob, SlotsClosed, SlotTaken, UnknownJob
from yunhe.core.jobs.types import DEFAULT_QUEUE, QUEUES, JobType, RunJob

_types: dict[str, JobType] = {}


def register_job(
    *,
    name: str,
    run: RunJob,
    title: Mapping[str, str],
    permission: str,
    every_seconds: int | None = None,
    limit_seconds: int = 3600,
    attempts: int = 5,
    queue: str = DEFAULT_QUEUE,
) -> JobType:
    """Register a job under a stable name; `every_seconds` makes it a schedule.

    Raises: SlotTaken, SlotsClosed once every app's ready() has run, BadJob on a missing title or an unknown queue.
    """
    if apps.ready:
        raise SlotsClosed(name=name)
    if name in _types and _types[name].run is not run:
        raise SlotTaken(name=name, holder=f"{_types[name].run.__module__}")
    if not {"zh", "en"} <= set(title):
        raise BadJob(where=f"{name}.title", expected="zh, en", found=sorted(title))
    if queue not in QUEUES:
        raise BadJob(where=f"{name}.queue", expected=", ".join(QUEUES), found=queue)
    if (every_seconds is not None and every_seconds < 1) or limit_seconds < 1 or attempts < 1:
        raise BadJob(where=name, expected="every_seconds, limit_seconds, attempts >= 1", found="less")
    _types[name] = JobType(
        name=name, run=run, title=dict(title), permission=permission, every_seconds=every_seconds,
        limit_seconds=limit_seconds, attempts=attempts, queue=queue,
    )
    return _types[name]


def find_job_type(*, name: str) -> JobType:
    """Return the registered job. Raises: UnknownJob."""
    try:
        return _types[name]
    except KeyError:
        raise UnknownJob(name=name, known=", ".join(sorted(_types))) from None


def list_job_types() -> tuple[JobType, ...]:
    """Return every registered job, by name."""
    return tuple(_types[name] for name in sorted(_types))
