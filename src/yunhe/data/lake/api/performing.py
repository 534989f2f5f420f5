"""One load from source to release: stage, judge, gate, release; a crash leaves nothing half published."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from django.db import IntegrityError, transaction
from django.db.models import F

from yunhe.core.jobs.types import JobContext
from yunhe.data.catalog import api as catalog
from yunhe.data.catalog.types import Resource
from yunhe.data.lake.api import places
from yunhe.data.lake.api.loads import close_dead_loads
from yunhe.data.lake.api.releases import release_snapshot
from yunhe.data.lake.api.returning import ask_to_check_returns
from yunhe.data.lake.errors import (
    BelowMinimum,
    BlockedByRule,
    LoadUnderWay,
    NotPublished,
    ReleaseLost,
    SnapshotSwept,
)
from yunhe.data.lake.models import LoadRecord
from yunhe.data.lake.types import LoadOutcome
from yunhe.data.quality import api as quality
from yunhe.data.quality.types import Judgement, TableHandle
from yunhe.engine import checks
from yunhe.engine.room import room_for
from yunhe.engine.types import Column, LoadResult, Rule
from yunhe.kernel.clock import now
from yunhe.kernel.errors import YunheError
from yunhe.kernel.ids import new_id

COUNTED = (
    "rows_in", "kept", "quarantined", "rejected", "algorithm", "digest", "file_digest", "source_bytes",
    "quarantine_file", "rejected_file", "quarantine_reasons", "rejected_reasons", "snapshot_id",
)  # fmt: skip
STAGES = ("source", "table", "quality", "release")


@dataclass(frozen=True, slots=True)
class _Work:
    context: JobContext
    resource: Resource
    columns: tuple[Column, ...]
    rules: tuple[Rule, ...]
    load: LoadRecord

    def stage(self, name: str) -> None:
        self.context.check()
        LoadRecord.objects.filter(pk=self.load.id).update(stage=name)
        self.context.progress(STAGES.index(name), len(STAGES), name)

    def within(self, name: str) -> Callable[[int, int, str], None]:
        position = STAGES.index(name)

        def report(done: int, total: int, note: str) -> None:
            share = done / total if total else 0.0
            self.context.progress(round((position + share) * 1000), len(STAGES) * 1000, note or name)

        return report


def perform_load(*, context: JobContext, code: str) -> LoadOutcome:
    """Load one published resource and release it; the body of the job `lake.load`.

    Raises: what the source, the contract or the gate refuses. The earlier release stays current
    whenever this one does not finish.
    """
    resource = catalog.get_resource(code=code)
    if resource.state != "published":
        raise NotPublished(resource=code, state=resource.state)
    load = _begin(context, resource)
    work = _Work(context, resource, resource.contract.columns, catalog.rules_for(resource=resource), load)
    try:
        with room_for(places.home()):  # wherever nobody nearer said the place
            return _run(work)
    except YunheError as error:
        _end_badly(load, error)
        raise
    except BaseException:
        LoadRecord.objects.filter(pk=load.id, state=LoadRecord.RUNNING).update(
            state=LoadRecord.FAILED, ended_at=now(), problem={"code": "broken", **YunheError.sentences}
        )
        raise
    finally:
        shutil.rmtree(places.work_folder(load.id), ignore_errors=True)


def _run(work: _Work) -> LoadOutcome:
    work.stage("source")
    result = _stage_source(work)
    work.stage("table")
    snapshot = _commit(work, result)
    work.stage("quality")
    judgement = _judge(work, snapshot, result)
    _gate(work, result, judgement)
    work.stage("release")
    return _release(work, result, snapshot, judgement)


def _begin(context: JobContext, resource: Resource) -> LoadRecord:
    """Record the load; whatever blocks the resource without being performed is closed first."""
    with transaction.atomic():
        close_dead_loads(code=resource.code)
        try:
            with transaction.atomic():
                return LoadRecord.objects.create(
                    id=new_id(),
                    resource_code=resource.code,
                    owner=resource.owner,
                    job_id=context.job_id,
                    fence=context.fence,
                    actor_id=context.actor.id,
                    actor_name=context.actor.name,
                    started_at=now(),
                    contract_version=resource.version,
                )
        except IntegrityError as error:
            raise LoadUnderWay(resource=resource.code, job=_running_job(resource.code)) from error


def _running_job(code: str) -> str:
    record = LoadRecord.objects.filter(resource_code=code, state=LoadRecord.RUNNING).first()
    return record.job_id if record else "?"


def _stage_source(work: _Work) -> LoadResult:
    from yunhe.engine.connectors import find_connector  # heavy (pyarrow, duckdb)
    from yunhe.engine.load import load_source

    spec = places.source_of(work.resource.contract, owner=work.resource.owner, actor=work.context.actor)
    shape = find_connector(spec.connector).probe(spec, limits=places.limits())
    catalog.check_columns(contract=work.resource.contract, shape=shape)
    return load_source(
        spec=spec,
        columns=work.columns,
        keys=tuple(work.resource.contract.keys),
        blocks=checks.block_conditions(work.rules, work.columns, catalog.code_sets_for(rules=work.rules)),
        uniques=checks.list_unique_blocks(work.rules),
        work=places.work_folder(work.load.id),
        limits=places.limits(),
        progress=work.within("source"),
        check=work.context.check,
    )


def _commit(work: _Work, result: LoadResult) -> int:
    summary = {"yunhe.load": work.load.id, "yunhe.digest": result.receipt.digest}
    with places.the_lake() as lake:
        lake.ensure_table(work.resource.code, work.columns)
        return lake.commit(work.resource.code, result.kept_files, replace=True, summary=summary)


def _judge(work: _Work, snapshot: int, result: LoadResult) -> Judgement:
    table = TableHandle(
        resource_code=work.resource.code,
        snapshot_id=snapshot,
        files=places.snapshot_files(work.resource.code, snapshot),
        columns=work.columns,
        keys=tuple(work.resource.contract.keys),
        rows=result.kept,
        titles={field.name: field.title or field.name for field in work.resource.contract.fields},
    )
    folder = places.findings_folder(work.load.id)
    folder.mkdir(parents=True, exist_ok=True)
    return quality.judge(
        table=table,
        rules=work.rules,
        code_sets=catalog.code_sets_for(rules=work.rules),
        folder=folder,
        limits=places.limits(),
        progress=work.within("quality"),
    )


def _gate(work: _Work, result: LoadResult, judgement: Judgement) -> None:
    """Refuse what must not be released: too few rows, or a block rule that only the whole table can fail."""
    broken = [f.rule for f in judgement.findings if f.severity == "block" and f.failed]
    if broken:
        _count(work.load, result, snapshot=None)
        raise BlockedByRule(resource=work.resource.code, rules=", ".join(broken))
    minimum = work.resource.contract.minimum_rows
    if result.kept < minimum:
        _count(work.load, result, snapshot=None)
        raise BelowMinimum(resource=work.resource.code, rows=result.kept, minimum=minimum)


def _count(load: LoadRecord, result: LoadResult, snapshot: int | None) -> None:
    load.rows_in, load.kept = result.rows_in, result.kept
    load.quarantined, load.rejected = result.quarantined, result.rejected
    load.algorithm, load.digest = result.receipt.algorithm, result.receipt.digest
    load.file_digest, load.source_bytes = result.receipt.file_digest, result.receipt.bytes
    load.quarantine_file = _keep(load, result.quarantine_file)
    load.rejected_file = _keep(load, result.rejected_file)
    load.quarantine_reasons = dict(result.quarantine_reasons)
    load.rejected_reasons = dict(result.rejected_reasons)
    load.snapshot_id = snapshot
    # Only these, and only while the load runs: this claim may have been closed by another meanwhile.
    LoadRecord.objects.filter(pk=load.id, state=LoadRecord.RUNNING).update(
        **{name: getattr(load, name) for name in COUNTED}
    )


def _keep(load: LoadRecord, file: Path | None) -> str:
    """Move a file of set-aside records out of the working folder; "" where there is none."""
    if file is None:
        return ""
    folder = places.loads_folder(load.id)
    with room_for(folder):
        folder.mkdir(parents=True, exist_ok=True)
        return str(shutil.move(file, folder / file.name)) if file.exists() else str(folder / file.name)


def _release(work: _Work, result: LoadResult, snapshot: int, judgement: Judgement) -> LoadOutcome:
    """Commit counts, release, ledger and evidence together, if the job's fence still holds."""
    load = work.load
    with work.context.fenced():
        held = LoadRecord.objects.filter(pk=load.id, state=LoadRecord.RUNNING).update(fence=F("fence"))
        if not held:
            raise ReleaseLost(resource=load.resource_code)
        if snapshot not in places.snapshot_ids(load.resource_code):
            raise SnapshotSwept(resource=load.resource_code)
        _count(load, result, snapshot)
        columns: list[dict[str, object]] = [{"name": c.name, "type": c.type, "scale": c.scale} for c in work.columns]
        keys = list(work.resource.contract.keys)
        release = release_snapshot(load=load, columns=columns, keys=keys, actor=work.context.actor)
        load.state, load.ended_at, load.release_id_text = LoadRecord.RELEASED, now(), release.release_id
        load.save(update_fields=["state", "ended_at", "release_id_text"])
        ask_to_check_returns(load)
        outcome = LoadOutcome(
            load_id=load.id,
            rows_in=result.rows_in,
            kept=result.kept,
            quarantined=result.quarantined,
            rejected=result.rejected,
            digest=result.receipt.digest,
            snapshot=snapshot,
            release=release.release_id,
        )
        work.context.conclude(asdict(outcome))
    return outcome


def _end_badly(load: LoadRecord, error: YunheError) -> None:
    state = LoadRecord.CANCELLED if error.code == "job_cancelled" else LoadRecord.FAILED
    problem = {"code": error.code, **error.texts}
    LoadRecord.objects.filter(pk=load.id, state=LoadRecord.RUNNING).update(
        state=state, ended_at=now(), problem=problem
    )
