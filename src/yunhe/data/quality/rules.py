"""Pure arithmetic of quality: shares per dimension (GB/T 36344-2018: every metric is X = A / B)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from yunhe.data.quality.types import DimensionScore, Finding, PublicQuality
from yunhe.kernel.small_numbers import is_small, largest_of, merge_small

DIMENSIONS = ("normativity", "completeness", "accuracy", "consistency", "timeliness", "accessibility")


def score_dimensions(
    findings: Iterable[Finding], formulas: Mapping[str, Mapping[str, Mapping[str, str]]]
) -> tuple[DimensionScore, ...]:
    """Return one score per dimension that had checks, in the standard's order."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.dimension, []).append(finding)
    return tuple(
        DimensionScore(
            dimension=name,
            checked=sum(f.checked for f in groups[name]),
            passed=sum(f.checked - f.failed for f in groups[name]),
            formula=formulas.get(name, {}).get("formula", {}),
            at_least=any(hides_failures(f) for f in groups[name]),
        )
        for name in DIMENSIONS
        if name in groups
    )


def overall_share(findings: Iterable[Finding]) -> float:
    """Return passed checks over all checks (0..1), 1 when nothing was checked."""
    rows = list(findings)
    checked = sum(f.checked for f in rows)
    return 1.0 if not checked else 1 - sum(f.failed for f in rows) / checked


def public_quality(
    findings: Iterable[Finding], *, nulls: Mapping[str, int], rows: int, keys: int, floor: int
) -> PublicQuality:
    """Return what everyone may know, with every count under the floor hidden.

    Shape: `nulls` counts the empty values of each column of `rows` rows; `keys` is the exact number of failing keys.
    """
    told = [hide_small(finding, rows=rows, floor=floor) for finding in findings]
    hidden = any(hides_failures(f) for f in told)
    failed = sum(f.failed for f in told)
    sums: dict[str, tuple[int, int]] = {}
    for finding in told:
        for column in finding.columns:
            checked, bad = sums.get(column, (0, 0))
            sums[column] = (checked + finding.checked, bad + finding.failed)
    columns: dict[str, tuple[float | None, float | None, int]] = {}
    for column in {**nulls, **sums}:
        checked, bad = sums.get(column, (0, 0))
        empty = _null_share(nulls.get(column), rows, floor)
        columns[column] = (1 - bad / checked if checked else None, empty, bad)
    return PublicQuality(
        checked=sum(f.checked for f in told),
        failed=failed,
        failing_keys=failed if hidden else keys,
        below=floor if hidden else 0,
        columns=columns,
    )


def _null_share(empty: int | None, rows: int, floor: int) -> float | None:
    if empty is None or not rows:
        return None
    if is_small(rows - empty, floor):  # so few that have a value are as telling
        return max(rows - floor + 1, 0) / rows
    return min(largest_of(empty, floor), rows) / rows


def hide_small(finding: Finding, *, rows: int, floor: int) -> Finding:
    """Return a finding over `rows` rows as told to who may not see them: small counts at the largest they may be.

    A rule that checked nearly all rows hides how many, too: the rest are the empty ones that another rule counts.
    """
    hidden = set()
    checked, failed = finding.checked, finding.failed
    if is_small(checked, floor) or is_small(rows - checked, floor):
        hidden.add("checked")
        checked = min(floor - 1, rows) if is_small(checked, floor) else rows
    reasons: dict[str, int] = {}
    if is_small(failed, floor):
        hidden.add("failed")
        failed = min(largest_of(failed, floor), checked)
    else:
        reasons, merged = merge_small(finding.reasons, floor)
        if merged:
            reasons["others"] = merged
    return replace(finding, checked=checked, failed=failed, reasons=reasons, below=floor, hidden=frozenset(hidden))


def hides_failures(finding: Finding) -> bool:
    """Tell whether this reader is not told how many rows failed."""
    return "failed" in finding.hidden
