"""The queue: asking for jobs, seeing them, claiming and settling them by compare-and-set."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, F, Q, QuerySet

from yunhe.core.jobs.api.registry import find_job_type, list_job_types
from yunhe.core.jobs.errors import JobAlreadyOpen, JobInterrupted, JobNotFound, JobNotInState
from yunhe.core.jobs.models import Job
from yunhe.core.jobs.models.queue import OPEN_STATES
from yunhe.core.jobs.rules import actor_to_json, error_facts, pause_after, plain_arguments
from yunhe.core.jobs.types import JobInfo, JobState, JobType
from yunhe.kernel.actor import ALL, Actor, job_actor
from yunhe.kernel.clock import now
from yunhe.kernel.ids import new_id
from yunhe.kernel.pages import Facet, Page, PageRequest

SORTS = {"enqueued_at": ("enqueued_at", "id"), "name": ("name", "-enqueued_at", "-id")}
SCHEDULE_KEY = "schedule"
ENDED: dict[str, Any] = {"holder": "", "lease_until": None, "cancel_requested": False}


def enqueue(
    *,
    name: str,
    arguments: Mapping[str, Any],
    actor: Actor,
    key: str = "",
    run_after: datetime | None = None,
    priority: int = 0,
) -> str:
    """Ask for a job and return its id; the row stands and falls with the caller's transaction.

    `key` is unique among the open jobs of this name. The job acts with the actor's rights of now.
    Raises: UnknownJob, Refused, BadJob, JobAlreadyOpen (its `facts["job_id"]` is the open one).
    """
    job_type = find_job_type(name=name)
    actor.require(job_type.permission)
    at = now()
    row = Job(
        id=new_id(), name=name, queue=job_type.queue, key=key, arguments=plain_arguments(arguments, where=name),
        actor=actor_to_json(actor), actor_id=actor.id, organization=actor.organization, priority=priority,
        enqueued_at=at, run_after=run_after or at, attempts_limit=job_type.attempts,
    )
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        holder = Job.objects.filter(name=name, key=key, state__in=OPEN_STATES).first()
        if not key or holder is None:
            raise
        raise JobAlreadyOpen(name=name, key=key, job_id=holder.pk, what="job") from None
    return row.pk


def get_job(*, job_id: str) -> JobInfo:
    """Return one job. Raises: JobNotFound."""
    row = Job.objects.filter(pk=job_id).first()
    if row is None:
        raise JobNotFound(job_id=job_id)
    return _info(row)


def access_job(*, job_id: str, actor: Actor) -> JobInfo:
    """Return one job that the actor may see: their own, or by jobs.view. Raises: JobNotFound."""
    row = _visible(actor).filter(pk=job_id).first()
    if row is None:
        raise JobNotFound(job_id=job_id)
    return _info(row)


def list_jobs(*, request: PageRequest, actor: Actor) -> Page[JobInfo]:
    """Return a page of the jobs that the actor may see, the newest first.

    Shape: filters state, name, key, actor_id, schedule ("yes" or "no"); facets of state.
    """
    rows = _visible(actor)
    for name in ("state", "name", "key", "actor_id"):
        if request.filters.get(name):
            rows = rows.filter(**{name: request.filters[name]})
    if request.filters.get("schedule") in ("yes", "no"):
        rows = rows.filter(every_seconds__isnull=request.filters["schedule"] == "no")
    if request.search:
        rows = rows.filter(Q(pk=request.search) | Q(name__icontains=request.search) | Q(key__icontains=request.search))
    states = rows.order_by().values("state").annotate(number=Count("id")).order_by("state")
    ordered = rows.order_by(*SORTS.get(request.sort, ("-enqueued_at", "-id")))
    return Page(
        items=tuple(_info(row) for row in ordered[request.offset : request.offset + request.limit]),
        total=rows.count(),
        page=max(request.page, 1),
        size=request.limit,
        facets=tuple(Facet("state", row["state"], row["state"], row["number"]) for row in states),
    )


def count_open(*, name: str, key: str = "") -> int:
    """Return how many jobs of this name (and key) wait or run."""
    rows = Job.objects.filter(name=name, state__in=OPEN_STATES)
    return rows.filter(key=key).count() if key else rows.count()


def run_at(*, name: str, key: str, at: datetime) -> bool:
    """Have the job of this name and key that waits run from another instant on; False if none waits."""
    return bool(Job.objects.filter(name=name, key=key, state="ready", every_seconds__isnull=True).update(run_after=at))


def cancel_job(*, job_id: str, actor: Actor) -> JobInfo:
    """Cancel a waiting job at once; ask a running one to stop at its next check.

    Raises: JobNotFound, Refused (neither one's own nor jobs.manage), JobNotInState if it has ended.
    """
    info = access_job(job_id=job_id, actor=actor)
    _require_manage(info, actor)
    with transaction.atomic():
        waiting = Job.objects.filter(pk=job_id, state="ready", every_seconds__isnull=True)
        if not waiting.update(state="cancelled", finished_at=now(), **ENDED):
            running = Job.objects.filter(pk=job_id, state="running")
            if not running.update(cancel_requested=True):
                raise JobNotInState(job_id=job_id, state=info.state, action="cancel", what="job", name=job_id)
    return get_job(job_id=job_id)


def retry_job(*, job_id: str, actor: Actor) -> JobInfo:
    """Put a failed or cancelled job back into the queue with fresh attempts.

    Raises: JobNotFound, Refused, JobNotInState, JobAlreadyOpen if another has its key now.
    """
    info = access_job(job_id=job_id, actor=actor)
    _require_manage(info, actor)
    ended = Job.objects.filter(pk=job_id, state__in=("failed", "cancelled"))
    try:
        with transaction.atomic():
            changed = ended.update(
                state="ready", attempts=0, run_after=now(), finished_at=None, error_code="", error={}, **ENDED
            )
    except IntegrityError:
        raise JobAlreadyOpen(name=info.name, key=info.key, job_id="", what="job") from None
    if not changed:
        raise JobNotInState(job_id=job_id, state=info.state, action="retry", what="job", name=job_id)
    return get_job(job_id=job_id)


def reap() -> int:
    """Return jobs whose lease ran out to the queue, or fail those out of attempts; return how many.

    Called by every worker; repeating it changes nothing.
    """
    at = now()
    found = 0
    for row in Job.objects.expired(at=at)[:100]:
        held = Job.objects.held(job_id=row.pk, fence=row.fence).filter(lease_until__lte=at)
        if row.cancel_requested:
            found += held.update(**_ended(row, "cancelled", at))
        elif row.attempts >= row.attempts_limit:
            code, error = error_facts(JobInterrupted(name=row.name, attempts=row.attempts))
            found += held.update(**_ended(row, "failed", at, error_code=code, error=error))
        else:
            found += held.update(state="ready", run_after=at + pause_after(row.attempts), **ENDED)
    return found


def arm_schedules() -> None:
    """Give each registered schedule its one row; called by a worker that starts."""
    for job_type in list_job_types():
        rows = Job.objects.filter(name=job_type.name, key=SCHEDULE_KEY, every_seconds__isnull=False)
        if job_type.every_seconds is None:
            rows.filter(state="ready").update(state="cancelled", key="", every_seconds=None, finished_at=now())
        elif not rows.update(
            every_seconds=job_type.every_seconds, queue=job_type.queue, attempts_limit=job_type.attempts
        ):
            _create_schedule(job_type)


def claim_job(*, queues: tuple[str, ...], holder: str, prefer: str = "") -> Job | None:
    """Take the most urgent due job by one compare-and-set, or return None.

    The fencing number rises with every claim. Rows that other workers hold locked are passed over
    on PostgreSQL; on SQLite the write lock serialises. `prefer` restricts to one job.
    """
    at = now()
    due = Job.objects.due(at=at, queues=queues)
    if prefer:
        due = due.filter(pk=prefer)
    if not due.exists():
        return None  # so that an idle queue never takes the write lock
    with transaction.atomic():
        if connection.features.has_select_for_update_skip_locked:
            due = due.select_for_update(skip_locked=True)
        row = due.first()
        if row is None:
            return None
        taken = Job.objects.filter(pk=row.pk, state="ready", fence=row.fence).update(
            state="running", fence=F("fence") + 1, attempts=F("attempts") + 1, holder=holder, started_at=at,
            lease_until=at + lease(), cancel_requested=False, progress_done=0, progress_total=0, progress_note="",
        )
    return Job.objects.get(pk=row.pk) if taken else None


def settle_successful(row: Job, *, fence: int, result: Mapping[str, Any] | None) -> bool:
    """Mark the claim's job successful; False if the claim is no longer the current one."""
    values = _ended(row, "successful", now(), result=dict(result) if result is not None else None)
    return bool(Job.objects.held(job_id=row.pk, fence=fence).update(**values))


def settle_failed(row: Job, *, fence: int, error: BaseException, again: bool) -> bool:
    """Mark the claim's job failed, or ready again after a pause."""
    at = now()
    code, sentences = error_facts(error)
    if again:
        values = {"state": "ready", "run_after": at + pause_after(row.attempts), **ENDED}
        values |= {"error_code": code, "error": sentences}
    else:
        values = _ended(row, "failed", at, error_code=code, error=sentences)
    return bool(Job.objects.held(job_id=row.pk, fence=fence).update(**values))


def settle_cancelled(row: Job, *, fence: int) -> bool:
    """Mark the claim's job cancelled."""
    return bool(Job.objects.held(job_id=row.pk, fence=fence).update(**_ended(row, "cancelled", now())))


def release(row: Job, *, fence: int) -> bool:
    """Put the claim's job back as if it had not been claimed: a stopping worker is not its fault."""
    return bool(
        Job.objects.held(job_id=row.pk, fence=fence).update(
            state="ready", attempts=F("attempts") - 1, run_after=now(), **ENDED
        )
    )


def lease() -> timedelta:
    """Return how long a lease lasts without renewal."""
    return timedelta(seconds=settings.YUNHE["LEASE_SECONDS"])


def _ended(row: Job, state: str, at: datetime, **more: Any) -> dict[str, Any]:
    """Return the values of an ended run; a schedule keeps its row and is armed for its next time."""
    values: dict[str, Any] = {"finished_at": at, "runs": F("runs") + 1, "error_code": "", "error": {}, **ENDED, **more}
    if row.every_seconds is None:
        return values | {"state": state}
    return values | {"state": "ready", "attempts": 0, "run_after": at + timedelta(seconds=row.every_seconds)}


def _create_schedule(job_type: JobType) -> None:
    actor = job_actor(job_type.name)
    at = now()
    try:
        with transaction.atomic():
            Job.objects.create(
                id=new_id(), name=job_type.name, queue=job_type.queue, key=SCHEDULE_KEY, actor=actor_to_json(actor),
                actor_id=actor.id, enqueued_at=at, run_after=at, every_seconds=job_type.every_seconds,
                attempts_limit=job_type.attempts,
            )
    except IntegrityError:
        return  # another worker armed it in the same moment


def _visible(actor: Actor) -> QuerySet[Job]:
    codes = actor.organizations_for("jobs.view")
    if ALL in codes:
        return Job.objects.all()
    return Job.objects.filter(Q(actor_id=actor.id) | Q(organization__in=codes - {""}))


def _require_manage(info: JobInfo, actor: Actor) -> None:
    if info.actor_id != actor.id or info.every_seconds is not None:
        actor.require("jobs.manage", organization=info.organization)


def _info(row: Job) -> JobInfo:
    known = {job_type.name: job_type.title for job_type in list_job_types()}
    return JobInfo(
        id=row.pk, name=row.name, title=known.get(row.name, {"zh": row.name, "en": row.name}), queue=row.queue,
        key=row.key, arguments=row.arguments, actor_id=row.actor_id, actor_name=row.actor["name"],
        organization=row.organization, state=cast("JobState", row.state), every_seconds=row.every_seconds,
        enqueued_at=row.enqueued_at, run_after=row.run_after, started_at=row.started_at,
        finished_at=row.finished_at, attempts=row.attempts, attempts_limit=row.attempts_limit, runs=row.runs,
        fence=row.fence, cancel_requested=row.cancel_requested, progress_done=row.progress_done,
        progress_total=row.progress_total, progress_note=row.progress_note, result=row.result,
        error_code=row.error_code, error=row.error,
    )
