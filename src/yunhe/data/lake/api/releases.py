"""Releases: the pointer row is the only truth of what is current."""

from __future__ import annotations

from contextlib import suppress

from django.db import IntegrityError, transaction
from django.db.models import Max

from yunhe.core.evidence import api as evidence
from yunhe.core.jobs import api as jobs
from yunhe.core.jobs.api import outbox
from yunhe.core.jobs.errors import JobAlreadyOpen
from yunhe.data.catalog import api as catalog
from yunhe.data.lake.api import places
from yunhe.data.lake.api.telling import tell_ledger
from yunhe.data.lake.errors import NothingReleased, ReleaseLost, SecondPersonNeeded, SnapshotNotKept
from yunhe.data.lake.models import LoadRecord, ReleasePointer, ReleaseRecord
from yunhe.data.lake.types import TOPIC_ROLLED_BACK, Release
from yunhe.engine.types import Column
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import now
from yunhe.kernel.errors import Missing
from yunhe.kernel.ids import new_id
from yunhe.kernel.pages import Page, PageRequest

SERVING_JOB = "lake.serving"
KEPT_RELEASES = 5


def current_release(*, code: str) -> Release:
    """Return the resource's current release. Raises: NothingReleased."""
    found = find_current_release(code=code)
    if found is None:
        raise NothingReleased(resource=code)
    return found


def find_current_release(*, code: str) -> Release | None:
    """Return the resource's current release, or None."""
    return current_releases(codes=(code,)).get(code)


def current_releases(*, codes: tuple[str, ...]) -> dict[str, Release]:
    """Return the current release of each named resource that has one."""
    pointers = ReleasePointer.objects.filter(resource_code__in=codes).select_related("release")
    return {pointer.resource_code: to_release(pointer.release, current=True) for pointer in pointers}


def serving_releases(*, codes: tuple[str, ...]) -> dict[str, Release]:
    """Return, for each named resource that has one, the release that the gateway answers from.

    The newest release up to the current one whose serving file is ready: while the current one's is
    being built, the one before goes on answering, by its own snapshot, columns and keys.
    """
    pointers = ReleasePointer.objects.filter(resource_code__in=codes).select_related("release")
    current = {pointer.resource_code: pointer.release for pointer in pointers}
    ready = ReleaseRecord.objects.filter(resource_code__in=tuple(current), serving_state=ReleaseRecord.READY)
    found: dict[str, Release] = {}
    for record in ready.order_by("number"):
        newest = current[record.resource_code]
        if record.number <= newest.number:
            found[record.resource_code] = to_release(record, current=record.id == newest.id)
    return found


def list_releases(*, code: str, actor: Actor, request: PageRequest) -> Page[Release]:
    """Return a resource's releases, newest first."""
    resource = catalog.access_resource(code=code, actor=actor)
    pointer = ReleasePointer.objects.filter(pk=resource.code).first()
    current = pointer.release_id if pointer else ""
    rows = ReleaseRecord.objects.filter(resource_code=code).order_by("-number")
    kept = kept_snapshots(code=code)
    page = tuple(
        to_release(row, current=row.id == current, kept=row.snapshot_id in kept)
        for row in rows[request.offset : request.offset + request.limit]
    )
    return Page(page, rows.count(), request.page, request.limit)


def kept_snapshots(*, code: str) -> frozenset[int]:
    """Return the snapshots that the sweep leaves: of the `KEPT_RELEASES` newest releases and the current one."""
    rows = ReleaseRecord.objects.filter(resource_code=code)
    newest = rows.order_by("-number").values_list("snapshot_id", flat=True)[:KEPT_RELEASES]
    current = ReleasePointer.objects.filter(pk=code).values_list("release__snapshot_id", flat=True)
    return frozenset((*current, *newest))


def release_files(*, release: Release) -> tuple[str, ...]:
    """Return the snapshot's Parquet files; only doors for rows and checks open them."""
    return places.snapshot_files(release.resource_code, release.snapshot_id)


def release_snapshot(*, load: LoadRecord, columns: list[dict[str, object]], keys: list[str], actor: Actor) -> Release:
    """Make a load's snapshot current by compare-and-set; runs inside the job's fenced transaction.

    The fence says that this claim of the job still holds; the pointer's version that nobody else
    moved it meanwhile. Raises: ReleaseLost.
    """
    pointer = ReleasePointer.objects.filter(pk=load.resource_code).first()
    last = ReleaseRecord.objects.filter(resource_code=load.resource_code).aggregate(last=Max("number"))["last"] or 0
    record = ReleaseRecord.objects.create(
        id=new_id(),
        resource_code=load.resource_code,
        owner=load.owner,
        number=last + 1,
        snapshot_id=load.snapshot_id or 0,
        load=load,
        columns=columns,
        keys=keys,
        rows=load.kept or 0,
        at=now(),
        actor_id=actor.id,
        actor_name=actor.name,
    )
    _point(pointer, record)
    tell_ledger(record)
    _tell(record, actor, kind="lake.released", facts={"rows": record.rows, "digest": load.digest})
    return to_release(record, current=True)


def roll_back(*, code: str, release_id: str, reason: str, actor: Actor) -> Release:
    """Make an earlier snapshot current again as a new release (回退): at once, for the node itself.

    A person asks for it (`request_roll_back`), and another approves. Do not call it inside a transaction: the
    sweep is kept away until the new release stands.
    Raises: SecondPersonNeeded, Missing; SnapshotNotKept if the snapshot was swept.
    """
    resource = catalog.access_resource(code=code, actor=actor)
    if actor.kind == "user":
        raise SecondPersonNeeded(resource=code)
    actor.require("lake.load", organization=resource.owner)
    old = ReleaseRecord.objects.filter(pk=release_id, resource_code=code).select_related("load").first()
    if old is None:
        raise Missing(what="release", name=release_id)
    with places.the_lake() as lake, lake.holding(code) as snapshots:
        require_kept(old, frozenset(snapshot.id for snapshot in snapshots))
        with transaction.atomic():
            return release_again(old, reason, actor)


def require_kept(old: ReleaseRecord, held: frozenset[int]) -> None:
    """Do nothing if the release's snapshot is among those held. Raises: SnapshotNotKept with those that are."""
    if old.snapshot_id not in held:
        raise SnapshotNotKept(resource=old.resource_code, number=old.number, kept=_numbers(old.resource_code, held))


def release_again(
    old: ReleaseRecord, reason: str, actor: Actor, *, by: tuple[str, str] | None = None, case: str = ""
) -> Release:
    """Release an earlier snapshot anew, by compare-and-set; in the caller's transaction, with the table held.

    `by` is the id and name of who approved it on a case. Users are told once it stands. Raises: ReleaseLost.
    """
    actor_id, actor_name = by or (actor.id, actor.name)
    code = old.resource_code
    pointer = ReleasePointer.objects.select_for_update().filter(pk=code).first()
    last = ReleaseRecord.objects.filter(resource_code=code).aggregate(last=Max("number"))["last"] or 0
    record = ReleaseRecord.objects.create(
        id=new_id(),
        resource_code=code,
        owner=old.owner,
        number=last + 1,
        snapshot_id=old.snapshot_id,
        load=old.load,
        columns=old.columns,
        keys=old.keys,
        rows=old.rows,
        at=now(),
        actor_id=actor_id,
        actor_name=actor_name,
    )
    _point(pointer, record)
    facts = {"to": old.number, "reason": reason, **({"case": case, "approved_by": actor_id} if case else {})}
    _tell(record, actor, kind="lake.rolled_back", facts=facts)
    told = {"code": code, "number": record.number, "to": old.number, "reason": reason}
    outbox.publish(topic=TOPIC_ROLLED_BACK, payload=told, key=record.id)
    tell_ledger(record)
    return to_release(record, current=True)


def _numbers(code: str, snapshots: frozenset[int]) -> str:
    rows = ReleaseRecord.objects.filter(resource_code=code, snapshot_id__in=snapshots).order_by("number")
    return ", ".join(f"#{number}" for number in rows.values_list("number", flat=True)) or "—"


def _point(pointer: ReleasePointer | None, record: ReleaseRecord) -> None:
    if pointer is None:
        try:
            with transaction.atomic():
                ReleasePointer.objects.create(resource_code=record.resource_code, release=record)
        except IntegrityError as error:
            raise ReleaseLost(resource=record.resource_code) from error
        return
    moved = ReleasePointer.objects.filter(pk=record.resource_code, version=pointer.version).update(
        release=record, version=pointer.version + 1
    )
    if not moved:
        raise ReleaseLost(resource=record.resource_code)


def _tell(record: ReleaseRecord, actor: Actor, *, kind: str, facts: dict[str, object]) -> None:
    evidence.append(
        kind=kind,
        actor=actor,
        subject_type="data_resource",
        subject_id=record.resource_code,
        facts={"release": record.id, "number": record.number, "snapshot": str(record.snapshot_id), **facts},
        organization=record.owner,
    )
    ask_for_serving(record)


def ask_for_serving(record: ReleaseRecord) -> None:
    """Enqueue the building of a release's serving file, unless that is waiting or running already."""
    arguments = {"code": record.resource_code, "release": record.id}
    with suppress(JobAlreadyOpen):
        jobs.enqueue(name=SERVING_JOB, arguments=arguments, actor=job_actor(SERVING_JOB), key=f"serving:{record.id}")


def to_release(record: ReleaseRecord, *, current: bool, kept: bool = True) -> Release:
    """Return the row as lake hands it out."""
    return Release(
        release_id=record.id,
        resource_code=record.resource_code,
        number=record.number,
        snapshot_id=record.snapshot_id,
        load_id=record.load_id,
        rows=record.rows,
        at=record.at,
        actor_name=record.actor_name,
        serving_path=record.serving_path,
        serving_state=record.serving_state,
        current=current,
        columns=tuple(Column(name=c["name"], type=c["type"], scale=c["scale"]) for c in record.columns),
        keys=tuple(record.keys),
        kept=kept,
    )
