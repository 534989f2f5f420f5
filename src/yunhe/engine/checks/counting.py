"""The count pass: one aggregate over the kept files gives checked, failed and reasons of every rule."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from yunhe.engine.checks.duplicates import count_duplicates_sql
from yunhe.engine.checks.kind import Verdict
from yunhe.engine.checks.plan import CheckPlan, Compiled
from yunhe.engine.quoting import quote_identifier
from yunhe.engine.types import Limits, RuleCount

if TYPE_CHECKING:
    from yunhe.engine.duck import Session


def count_failures(*, files: Sequence[str | Path], plan: CheckPlan, limits: Limits) -> tuple[RuleCount, ...]:
    """Return how often each rule was checked and failed, with the reasons that occur.

    Unknown never counts as passed: `checked` counts only rows to which the rule applied, and of those each passed
    or failed. Shape: one RuleCount per rule of the plan, in its order; no files means an empty table.
    Cost: one scan of the columns the rules read, plus one grouping for each `unique` rule.
    Raises: QueryFailed, QueryInterrupted, OutOfMemory.
    """
    if not files or not plan.rules:
        return tuple(_rule_count(compiled, 0, []) for compiled in plan.rules)
    from yunhe.engine.duck import read_parquet_sql, session  # heavy (duckdb)

    with (
        tempfile.TemporaryDirectory(prefix="yunhe-checks-") as temp,
        session(limits=limits, temp=Path(temp)) as duck,
    ):
        return _count(duck, read_parquet_sql(files), plan)


def _count(duck: Session, source: str, plan: CheckPlan) -> tuple[RuleCount, ...]:
    wanted = [_counts_sql(compiled) for compiled in plan.rules if not compiled.whole_table]
    chosen = [compiled for compiled in plan.rules if not compiled.direct]
    flat: list[int] = []
    if wanted:
        sql = f"SELECT {', '.join(column for columns in wanted for column in columns)} FROM {plan.rows(source, chosen=chosen)}"
        flat = list(duck.run("count failures", sql)[0])
    numbers = iter(flat)
    counts = []
    for compiled in plan.rules:
        if compiled.whole_table:
            checked, failed = duck.run("count duplicates", count_duplicates_sql(source, compiled.rule.columns))[0]
            counts.append(_rule_count(compiled, int(checked), [int(failed)]))
        else:
            checked = next(numbers)
            counts.append(_rule_count(compiled, checked, [next(numbers) for _ in compiled.reasons]))
    return tuple(counts)


def _counts_sql(compiled: Compiled) -> list[str]:
    """Return the aggregates of one rule: checked, then each reason."""
    if not compiled.direct:
        failed = [f"{compiled.result} = {at}" for at, _ in enumerate(compiled.reasons, start=1)]
        return [f"count({compiled.result})", *(f"count(*) FILTER (WHERE {test})" for test in failed)]
    verdict = compiled.verdict
    given = "" if verdict.applies == "TRUE" or verdict.value else f"{verdict.applies} AND "
    failed = [f"count(*) FILTER (WHERE {given}({condition}))" for _, condition in verdict.reasons]
    return [_checked_sql(verdict), *failed]


def _checked_sql(verdict: Verdict) -> str:
    if verdict.value:
        return f"count({verdict.value})"
    if verdict.where or len(verdict.needs) > 1:
        return f"count(*) FILTER (WHERE {verdict.applies})"
    return f"count({quote_identifier(verdict.needs[0])})" if verdict.needs else "count(*)"


def _rule_count(compiled: Compiled, checked: int, by_reason: list[int]) -> RuleCount:
    found = {code: number for code, number in zip(compiled.reasons, by_reason, strict=False) if number}
    rule = compiled.rule
    return RuleCount(rule.code, rule.dimension, rule.severity, checked, sum(found.values()), found)
