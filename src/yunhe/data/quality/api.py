"""The face of quality: judge a snapshot by its rules; read findings and scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import OuterRef, Subquery

from yunhe.data.quality import rules as arithmetic
from yunhe.data.quality.errors import NotJudgedYet
from yunhe.data.quality.models import CheckRun, RuleResult
from yunhe.data.quality.types import (
    DimensionScore,
    Finding,
    Judgement,
    PublicQuality,
    RuleSet,
    RunSummary,
    TableHandle,
)
from yunhe.engine import checks
from yunhe.engine.types import Limits, Rule, RuleCount
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now
from yunhe.kernel.ids import new_id
from yunhe.kernel.pages import Page, PageRequest

__all__ = [
    "count_failing",
    "failing_keys_file",
    "forget_snapshots",
    "judge",
    "latest_shares",
    "list_findings",
    "list_runs",
    "score",
    "tell_everyone",
]

Progress = Callable[[int, int, str], None]
CodeSets = Mapping[str, Sequence[tuple[str, date | None, date | None]]]


def judge(
    *,
    table: TableHandle,
    rules: RuleSet,
    code_sets: CodeSets,
    folder: Path,
    limits: Limits,
    progress: Progress,
    at: datetime | None = None,
) -> Judgement:
    """Count every rule in one pass, then keep the keys of every failing row (质量检测).

    Shape: `folder` receives keys.parquet (rule, reason, record, key columns as text). Judging the
    same snapshot again replaces its result.
    """
    plan = checks.compile_rules(rules, table.columns, code_sets)
    progress(0, 2, "count")
    counts = checks.count_failures(files=table.files, plan=plan, limits=limits)
    keys_file = folder / "keys.parquet"
    progress(1, 2, "keys")
    kept = checks.collect_keys(
        files=table.files, plan=plan, counts=counts, keys=table.keys, destination=keys_file, limits=limits
    )
    findings = tuple(_finding(rule, count, table.titles) for rule, count in zip(rules, counts, strict=True))
    nulls = checks.count_nulls(table.files)
    run_id = _record(table, findings, nulls, str(keys_file) if kept else "", kept, at or now())
    progress(2, 2, "done")
    return Judgement(run_id=run_id, findings=findings, keys_file=str(keys_file) if kept else "", failing_keys=kept)


def list_findings(*, code: str, actor: Actor, owner: str, snapshot_id: int | None = None) -> tuple[Finding, ...]:
    """Return every rule's result for the resource's newest (or the named) snapshot.

    Counts under the small-number floor are hidden from who may not see the keys of the failing rows.
    Raises: Refused if the actor may not see this owner's quality; NotJudgedYet.
    """
    actor.require("quality.view", organization=owner)
    run = _run(code, snapshot_id)
    return _told(run, run.results.order_by("position", "id"), actor, owner)


def list_runs(*, code: str, actor: Actor, owner: str, request: PageRequest) -> Page[RunSummary]:
    """Return the resource's judged snapshots, newest first."""
    actor.require("quality.view", organization=owner)
    rows = CheckRun.objects.filter(resource_code=code).order_by("-at", "-id").prefetch_related("results")
    page = rows[request.offset : request.offset + request.limit]
    return Page(tuple(_summary(run, actor, owner) for run in page), rows.count(), request.page, request.limit)


def score(*, code: str, actor: Actor, owner: str) -> tuple[DimensionScore, ...]:
    """Return the six-dimension scores of the newest snapshot. Source: GB/T 36344-2018."""
    findings = list_findings(code=code, actor=actor, owner=owner)
    return arithmetic.score_dimensions(findings, checks.FORMULAS)


def latest_shares(*, owners: Mapping[str, str], actor: Actor) -> dict[str, RunSummary]:
    """Return the newest run of each resource (code to owner) whose quality the actor may see, for lists."""
    seen = {code: owner for code, owner in owners.items() if actor.may("quality.view", organization=owner)}
    runs = CheckRun.objects.filter(resource_code__in=seen)
    newest = runs.filter(resource_code=OuterRef("resource_code")).order_by("-at", "-id").values("id")[:1]
    chosen = runs.filter(id=Subquery(newest)).prefetch_related("results")
    return {run.resource_code: _summary(run, actor, seen[run.resource_code]) for run in chosen}


def tell_everyone(*, code: str, snapshot_id: int) -> PublicQuality:
    """Return what the ledger, open to all, may say of a judged snapshot: small counts are hidden.

    Raises: NotJudgedYet.
    """
    run = _run(code, snapshot_id)
    floor = settings.YUNHE["SMALL_NUMBER_FLOOR"]
    findings = [_stored(result) for result in run.results.order_by("position", "id")]
    return arithmetic.public_quality(findings, nulls=run.nulls, rows=run.rows, keys=run.failing_keys, floor=floor)


def failing_keys_file(*, code: str, snapshot_id: int | None = None) -> str:
    """Return where the failing keys lie ("" when none failed); only the door for rows reads it."""
    return _run(code, snapshot_id).keys_file


def count_failing(*, code: str, snapshot_id: int, rule: str = "") -> int:
    """Return how many failing rows were kept for one rule, or for all of them."""
    run = _run(code, snapshot_id)
    if not rule:
        return run.failing_keys
    return sum(result.failed for result in run.results.filter(rule=rule))


def forget_snapshots(*, code: str, keep: frozenset[int]) -> int:
    """Delete the results of snapshots that are gone; return how many."""
    gone = CheckRun.objects.filter(resource_code=code).exclude(snapshot_id__in=keep)
    count = gone.count()
    gone.delete()
    return count


def _finding(rule: Rule, count: RuleCount, titles: Mapping[str, str]) -> Finding:
    named = replace(rule, columns=tuple(titles.get(name, name) for name in rule.columns))
    return Finding(
        rule=count.rule,
        title=checks.explain(named),
        columns=tuple(rule.columns),
        dimension=count.dimension,
        severity=count.severity,
        checked=count.checked,
        failed=count.failed,
        reasons=dict(count.reasons),
    )


def _record(
    table: TableHandle, findings: tuple[Finding, ...], nulls: dict[str, int], keys_file: str, kept: int, at: datetime
) -> str:
    with transaction.atomic():
        CheckRun.objects.filter(resource_code=table.resource_code, snapshot_id=table.snapshot_id).delete()
        run = CheckRun.objects.create(
            id=new_id(),
            resource_code=table.resource_code,
            snapshot_id=table.snapshot_id,
            at=at,
            rows=table.rows,
            nulls={column.name: nulls[column.name] for column in table.columns if column.name in nulls},
            keys_file=keys_file,
            failing_keys=kept,
        )
        RuleResult.objects.bulk_create(
            RuleResult(
                run=run,
                position=position,
                rule=f.rule,
                title=dict(f.title),
                columns=list(f.columns),
                dimension=f.dimension,
                severity=f.severity,
                checked=f.checked,
                failed=f.failed,
                reasons=dict(f.reasons),
            )
            for position, f in enumerate(findings)
        )
    return run.id


def _run(code: str, snapshot_id: int | None) -> CheckRun:
    runs = CheckRun.objects.filter(resource_code=code)
    if snapshot_id is not None:
        runs = runs.filter(snapshot_id=snapshot_id)
    run = runs.order_by("-at", "-id").first()
    if run is None:
        raise NotJudgedYet(resource=code)
    return run


def _stored(result: RuleResult) -> Finding:
    return Finding(
        rule=result.rule,
        title=result.title,
        columns=tuple(result.columns),
        dimension=result.dimension,
        severity=result.severity,
        checked=result.checked,
        failed=result.failed,
        reasons=result.reasons,
    )


def _told(run: CheckRun, results: Iterable[RuleResult], actor: Actor, owner: str) -> tuple[Finding, ...]:
    findings = tuple(_stored(result) for result in results)
    if actor.may("quality.keys", organization=owner):
        return findings
    floor = settings.YUNHE["SMALL_NUMBER_FLOOR"]
    return tuple(arithmetic.hide_small(finding, rows=run.rows, floor=floor) for finding in findings)


def _summary(run: CheckRun, actor: Actor, owner: str) -> RunSummary:
    findings = _told(run, run.results.all(), actor, owner)
    hidden = any(arithmetic.hides_failures(f) for f in findings)
    return RunSummary(
        run_id=run.id,
        resource_code=run.resource_code,
        snapshot_id=run.snapshot_id,
        at=run.at,
        rows=run.rows,
        rules=len(findings),
        failing_rules=sum(1 for f in findings if f.failed),
        failing_keys=sum(f.failed for f in findings) if hidden else run.failing_keys,
        share=arithmetic.overall_share(findings),
        at_least=hidden,
    )
