"""The sweep: what no kept release and no running load needs goes, personal data first of all."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from django.db.models import QuerySet

from yunhe.data.lake.api import places
from yunhe.data.lake.api.loads import close_dead_loads
from yunhe.data.lake.api.releases import ask_for_serving, kept_snapshots, serving_releases
from yunhe.data.lake.api.serving import serving_file
from yunhe.data.lake.models import LoadRecord, ReleasePointer, ReleaseRecord
from yunhe.data.quality import api as quality
from yunhe.engine.errors import TableMissing
from yunhe.kernel.clock import now

if TYPE_CHECKING:
    from yunhe.engine.tables import Snapshot  # heavy (pyiceberg)

KEPT_ENDED_LOADS = 5
SETTLING_SECONDS = 60
"""How long an older serving file stays once a newer one is ready: the gateway moves over within that."""

ABANDONED_SECONDS = 3600


def swept_resources() -> tuple[str, ...]:
    """Return the resources that were ever loaded, released or not."""
    return tuple(LoadRecord.objects.order_by("resource_code").values_list("resource_code", flat=True).distinct())


def sweep_resource(*, code: str) -> int:
    """Drop snapshots that no kept release names, old serving files and folders of old loads.

    Loads that nobody performs are closed, and a serving file that is missing or failed is asked for
    again. Return how many things went. A load may run meanwhile: its snapshot and files stay.
    """
    close_dead_loads(code=code)
    gone = _sweep_snapshots(code) + _sweep_serving(code) + _sweep_half_built() + _sweep_folders(code)
    _mend_serving(code)
    return gone


def _sweep_snapshots(code: str) -> int:
    forgotten = 0

    def keep(snapshots: tuple[Snapshot, ...]) -> frozenset[int]:
        """Decide while no commit or roll-back can come between."""
        nonlocal forgotten
        # Running loads are read before releases: one that ends between the two is then in the second.
        running = set(_loads(code).filter(state=LoadRecord.RUNNING).values_list("id", flat=True))
        theirs = {one.id for one in snapshots if one.summary.get("yunhe.load") in running}
        wanted = frozenset(theirs | kept_snapshots(code=code))
        forgotten = quality.forget_snapshots(code=code, keep=wanted)
        return wanted

    with places.the_lake() as the_lake:
        try:
            swept = the_lake.sweep(code, keep)
        except TableMissing:
            return 0
    return forgotten + swept.snapshots + swept.files


def _sweep_serving(code: str) -> int:
    """Drop the serving files that nothing answers from, once the gateway has surely moved over."""
    serving = serving_releases(codes=(code,)).get(code)
    if serving is None or _age(Path(serving.serving_path)) < SETTLING_SECONDS:
        return 0
    stay = (serving.release_id, *ReleasePointer.objects.filter(pk=code).values_list("release_id", flat=True))
    gone = 0
    for record in ReleaseRecord.objects.filter(resource_code=code).exclude(pk__in=stay):
        if record.serving_state == ReleaseRecord.READY:
            ReleaseRecord.objects.filter(pk=record.id).update(serving_state=ReleaseRecord.PENDING, serving_path="")
        file = serving_file(record.id)
        gone += file.is_file()
        file.unlink(missing_ok=True)
    return gone


def _sweep_half_built() -> int:
    """Drop what killed builds left behind; a build that goes on writes all the time."""
    left = [file for file in serving_file("x").parent.glob(".*.building*") if _age(file) > ABANDONED_SECONDS]
    for file in left:
        file.unlink(missing_ok=True)
    return len(left)


def _age(file: Path) -> float:
    """Return a file's age. Units: seconds; 0 for one that is not there."""
    return now().timestamp() - file.stat().st_mtime if file.is_file() else 0.0


def _mend_serving(code: str) -> None:
    """Ask for the current release's serving file if it is not there and nobody is about to build it."""
    pointer = ReleasePointer.objects.filter(pk=code).select_related("release").first()
    if pointer is None:
        return
    record = pointer.release
    if record.serving_state == ReleaseRecord.READY:
        if Path(record.serving_path).is_file():
            return
        ReleaseRecord.objects.filter(pk=record.id).update(serving_state=ReleaseRecord.PENDING, serving_path="")
    ask_for_serving(record)


def _sweep_folders(code: str) -> int:
    """Drop findings and set-aside records, which hold personal data, of loads that are not kept."""
    ended = _loads(code).exclude(state=LoadRecord.RUNNING).order_by("-started_at", "-id")
    all_ended = tuple(ended.values_list("id", flat=True))  # first: a load that ends later is not among them
    newest = frozenset(ended.filter(kept__isnull=False).values_list("id", flat=True)[:KEPT_ENDED_LOADS])
    releases = ReleaseRecord.objects.filter(resource_code=code, snapshot_id__in=kept_snapshots(code=code))
    released = frozenset(releases.values_list("load_id", flat=True))
    gone = 0
    for load_id in all_ended:
        gone += _drop(places.work_folder(load_id))
        if load_id not in released:
            gone += _drop(places.findings_folder(load_id))
        if load_id not in released and load_id not in newest:
            _loads(code).filter(pk=load_id).exclude(quarantine_file="", rejected_file="").update(
                quarantine_file="", rejected_file=""
            )
            gone += _drop(places.loads_folder(load_id))
    return gone


def _drop(folder: Path) -> int:
    if not folder.is_dir():
        return 0
    shutil.rmtree(folder, ignore_errors=True)
    return 1


def _loads(code: str) -> QuerySet[LoadRecord]:
    return LoadRecord.objects.filter(resource_code=code)
