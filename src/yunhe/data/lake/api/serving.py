"""Serving files: what the gateway answers from, one SQLite file per released snapshot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from yunhe.core.jobs import api as jobs
from yunhe.core.jobs.api import outbox
from yunhe.core.jobs.errors import WorkerStopping
from yunhe.core.jobs.types import JobContext
from yunhe.data.lake.api import places
from yunhe.data.lake.models import ReleasePointer, ReleaseRecord
from yunhe.data.lake.types import TOPIC_SERVED
from yunhe.engine.types import Column
from yunhe.kernel.errors import Transient


def build_serving_of(*, code: str, release_id: str, context: JobContext) -> str:
    """Build the serving file of a release and mark it ready; return its path ("" when superseded).

    Idempotent: a release that is ready already is left alone; a file is swapped in whole.
    """
    pointer = ReleasePointer.objects.filter(pk=code).first()
    record = ReleaseRecord.objects.filter(pk=release_id, resource_code=code).first()
    if record is None or pointer is None or pointer.release_id != release_id:
        return ""
    destination = serving_file(record.id)
    if not (record.serving_state == ReleaseRecord.READY and Path(record.serving_path).is_file()):
        try:
            _build(record, destination, context)
        except Exception as error:
            _note_failure(record, error, context)
            raise
        with context.fenced():
            ReleaseRecord.objects.filter(pk=record.id).update(
                serving_path=str(destination), serving_state=ReleaseRecord.READY
            )
            outbox.publish(topic=TOPIC_SERVED, payload={"code": code}, key=f"served:{record.id}")
    return str(destination)


def serving_file(release_id: str) -> Path:
    """Return where a release's serving file lies."""
    return places.home() / "serving" / f"{release_id}.sqlite3"


def _build(record: ReleaseRecord, destination: Path, context: JobContext) -> None:
    from yunhe.engine.serving import build_serving  # heavy (duckdb)

    destination.parent.mkdir(parents=True, exist_ok=True)
    build_serving(
        files=places.snapshot_files(record.resource_code, record.snapshot_id),
        columns=tuple(Column(name=c["name"], type=c["type"], scale=c["scale"]) for c in record.columns),
        keys=tuple(record.keys),
        destination=destination,
        limits=places.limits(),
        progress=_checked(context),
    )


def _note_failure(record: ReleaseRecord, error: Exception, context: JobContext) -> None:
    """Mark the release's file as failed once the job will not try again; the sweep asks anew."""
    last = context.attempt >= jobs.get_job(job_id=context.job_id).attempts_limit
    if isinstance(error, WorkerStopping) or (isinstance(error, Transient) and not last):
        return
    with context.fenced():
        ReleaseRecord.objects.filter(pk=record.id).update(serving_state=ReleaseRecord.FAILED, serving_path="")


def _checked(context: JobContext) -> Callable[[int, int, str], None]:
    def report(done: int, total: int, note: str) -> None:
        context.check()
        context.progress(done, total, note)

    return report
