"""Changes of procedures as people look for them, and the job that carries one out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.db.models import Count, Q

from yunhe.core.cases.api import kinds, migrating, rivals
from yunhe.core.cases.api.migrating import CHANGE
from yunhe.core.cases.models import CaseRecord, KindRecord, MigrationRecord
from yunhe.core.cases.types import Migration, OutdatedKind
from yunhe.core.jobs import api as jobs
from yunhe.core.jobs.errors import JobAlreadyOpen
from yunhe.core.jobs.types import JobInfo
from yunhe.kernel.actor import ALL, Actor
from yunhe.kernel.pages import Facet, Page, PageRequest

JOB = "cases.migrate"
SORTS = {"made_at", "kind_code", "moved", "state"}


def list_migrations(*, actor: Actor, request: PageRequest | None = None) -> Page[Migration]:
    """Return changes of procedures, newest first. Filters: kind, state. Sorts: made_at, kind_code, moved, state."""
    wanted = request or PageRequest()
    seen = _seen(actor)
    rows = seen.filter(**{column: wanted.filters[name] for name, column in _FILTERS.items() if wanted.filters.get(name)})
    if wanted.search:
        found = (Q(**{f"{column}__icontains": wanted.search}) for column in ("kind_code", "reason", "author_name", "approver_name"))
        rows = rows.filter(next(found) | next(found) | next(found) | next(found))
    sort = wanted.sort if wanted.sort.removeprefix("-") in SORTS else "-made_at"
    items = rows.select_related("source", "target").order_by(sort, "-id")[wanted.offset : wanted.offset + wanted.limit]
    facets = tuple(facet for name, column in _FILTERS.items() for facet in _facets(seen, name, column))
    return Page(tuple(migrating.told(row) for row in items), rows.count(), wanted.page, wanted.limit, facets)


def get_migration(*, migration_id: str, actor: Actor) -> Migration:
    """Return one change, with the one that undoes it and what another one puts in its way, if any. Raises: Missing, Refused."""
    row = migrating.row_of(migration_id)
    actor.require(CHANGE, kind=row.kind_code)
    undone = row.undone_by.exclude(state="withdrawn").first()
    return replace(migrating.told(row), undone_by=undone.pk if undone else "", in_the_way=rivals.in_the_way(row))


def list_rivals(*, plan: Migration, actor: Actor) -> tuple[Migration, ...]:
    """Return the other changes of a plan's kind that wait or run, newest first."""
    actor.require(CHANGE, kind=plan.kind)
    return tuple(migrating.told(row) for row in rivals.waiting_beside(plan.kind, plan.migration_id))


def list_outdated(*, actor: Actor) -> tuple[OutdatedKind, ...]:
    """Return the kinds with running cases of an older version, by code and version."""
    actor.require(CHANGE)
    newest = {info.code: info for info in kinds.list_kinds()}
    numbers = {pk: (code, number) for pk, code, number in KindRecord.objects.values_list("pk", "code", "number")}
    running = CaseRecord.objects.exclude(state="closed").order_by().values("kind_id").annotate(cases=Count("pk"))
    counted = sorted((*numbers[row["kind_id"]], row["cases"]) for row in running)
    return tuple(
        OutdatedKind(code, newest[code].title, number, newest[code].number, cases)
        for code, number, cases in counted
        if number != newest[code].number and actor.may(CHANGE, kind=code)
    )


def count_approvals(*, actor: Actor) -> int:
    """Return how many drafted changes wait for the actor as the second person."""
    return _seen(actor).filter(state="drafted").exclude(author=actor.id).count()


def start_migration(*, migration_id: str, actor: Actor) -> str:
    """Have an approved change carried out in the background, or go on; return the job's id.

    Raises: MigrationRefused unless approved, or when a position came up that the plan strands or does not name.
    """
    migrating.require_ready(migration_id=migration_id, actor=actor)
    try:
        return jobs.enqueue(name=JOB, arguments={"migration": migration_id}, actor=actor, key=migration_id)
    except JobAlreadyOpen as error:
        return str(error.facts["job_id"])


def find_migration_job(*, migration_id: str, actor: Actor) -> JobInfo | None:
    """Return the newest job that carries a change out, if the actor may see it."""
    wanted = PageRequest(size=1, filters={"name": JOB, "key": migration_id})
    return next(iter(jobs.list_jobs(request=wanted, actor=actor).items), None)


_FILTERS = {"kind": "kind_code", "state": "state"}


def _seen(actor: Actor) -> Any:
    actor.require(CHANGE)
    kinds_of = [right.kinds for right in actor.rights if right.permission in (CHANGE, ALL)]
    rows = MigrationRecord.objects.all()
    return rows if any(ALL in some for some in kinds_of) else rows.filter(kind_code__in=set().union(*kinds_of))


def _facets(rows: Any, name: str, column: str) -> list[Facet]:
    counted = rows.order_by().values(column).annotate(count=Count("pk")).order_by(column)
    return [Facet(name, row[column], row[column], row["count"]) for row in counted]
