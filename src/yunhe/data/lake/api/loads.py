"""Loads: start one as a job, look at them."""

from __future__ import annotations

from django.db.models import Q

from yunhe.core.jobs import api as jobs
from yunhe.core.jobs.errors import JobAlreadyOpen, JobNotFound
from yunhe.data.catalog import api as catalog
from yunhe.data.lake.errors import LoadUnderWay, NotPublished, SetAsideSwept
from yunhe.data.lake.models import LoadRecord
from yunhe.data.lake.types import Load, SetAside
from yunhe.kernel.actor import ALL, Actor
from yunhe.kernel.clock import now
from yunhe.kernel.errors import Missing
from yunhe.kernel.pages import Page, PageRequest

LOAD_JOB = "lake.load"


def start_load(*, code: str, actor: Actor) -> str:
    """Enqueue the load of a published resource; return the job's id.

    Raises: LoadUnderWay if one is queued or running; NotPublished; Refused.
    """
    resource = catalog.access_resource(code=code, actor=actor)
    actor.require("lake.load", organization=resource.owner)
    if resource.state != "published":
        raise NotPublished(resource=code, state=resource.state)
    try:
        return jobs.enqueue(name=LOAD_JOB, arguments={"code": code}, actor=actor, key=f"load:{code}")
    except JobAlreadyOpen as error:
        raise LoadUnderWay(resource=code, job=error.facts["job_id"]) from error


def get_load(*, load_id: str, actor: Actor) -> Load:
    """Return one load that the actor may see."""
    record = LoadRecord.objects.filter(pk=load_id).first()
    if record is None or not actor.may("lake.view", organization=record.owner):
        raise Missing(what="load", name=load_id)
    return to_load(record)


def list_loads(*, request: PageRequest, actor: Actor) -> Page[Load]:
    """Return loads, newest first. Filters: resource, state."""
    actor.require("lake.view")
    rows = LoadRecord.objects.order_by("-started_at", "-id")
    mine = actor.organizations_for("lake.view")
    if ALL not in mine:
        rows = rows.filter(owner__in=mine)
    if request.filters.get("resource"):
        rows = rows.filter(resource_code=request.filters["resource"])
    if request.filters.get("state"):
        rows = rows.filter(state=request.filters["state"])
    if request.search:
        rows = rows.filter(Q(resource_code__icontains=request.search) | Q(actor_name__icontains=request.search))
    page = rows[request.offset : request.offset + request.limit]
    return Page(tuple(to_load(r) for r in page), rows.count(), request.page, request.limit)


def set_aside(*, code: str, source: str, load_id: str = "") -> SetAside:
    """Return the file of a load's quarantined or rejected records ("" when it has none) and their count.

    Without `load_id`: the newest counted load's. Only the door for rows reads it.
    Raises: Missing; SetAsideSwept once the records were removed.
    """
    rows = LoadRecord.objects.filter(resource_code=code, kept__isnull=False)
    if load_id:
        rows = rows.filter(pk=load_id)
    record = rows.order_by("-started_at", "-id").first()
    if record is None:
        raise Missing(what="load", name=load_id or code)
    if source == "quarantine":
        found = SetAside(record.quarantine_file, record.quarantined or 0)
    else:
        found = SetAside(record.rejected_file, record.rejected or 0)
    if found.records and not found.file:
        raise SetAsideSwept(load=record.id)
    return found


def close_dead_loads(*, code: str) -> int:
    """Close the running loads of a resource that nobody performs any more; return how many.

    A load lives while its job runs under the very claim that began it. One whose job ended, waits
    again or was claimed anew is dead, and would block the resource for ever.
    """
    closed = 0
    for load in LoadRecord.objects.filter(resource_code=code, state=LoadRecord.RUNNING):
        state = _state_of_dead(load)
        if state:
            running = LoadRecord.objects.filter(pk=load.id, state=LoadRecord.RUNNING)
            closed += running.update(state=state, ended_at=now(), problem=_DIED)
    return closed


def _state_of_dead(load: LoadRecord) -> str:
    """Return the state that a load whose job is not at it should have; "" while it is being performed."""
    try:
        job = jobs.get_job(job_id=load.job_id)
    except JobNotFound:
        return LoadRecord.FAILED
    if job.state == "running" and job.fence == load.fence:
        return ""
    return LoadRecord.CANCELLED if job.state == "cancelled" else LoadRecord.FAILED


_DIED = {
    "code": "died",
    "zh": "执行它的进程中断了，本次没有发布。作业未结束时会自动再试；否则请重新装载。",
    "en": "The process that ran it died; nothing was released. While its job is open it is tried again; else load again.",
}


def to_load(record: LoadRecord) -> Load:
    """Return the row as lake hands it out."""
    return Load(
        load_id=record.id,
        resource_code=record.resource_code,
        owner=record.owner,
        state=record.state,
        stage=record.stage,
        job_id=record.job_id,
        started_at=record.started_at,
        ended_at=record.ended_at,
        actor_name=record.actor_name,
        rows_in=record.rows_in,
        kept=record.kept,
        quarantined=record.quarantined,
        rejected=record.rejected,
        digest=record.digest,
        file_digest=record.file_digest,
        algorithm=record.algorithm,
        source_bytes=record.source_bytes,
        snapshot_id=record.snapshot_id,
        release_id=record.release_id_text,
        quarantine_reasons=record.quarantine_reasons,
        rejected_reasons=record.rejected_reasons,
        problem=record.problem,
        aside_kept=bool(record.quarantine_file or record.rejected_file),
    )
