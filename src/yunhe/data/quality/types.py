"""What quality hands out: judgements, findings, scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from yunhe.engine.types import Column, Rule

__all__ = ["FAILURE_REASONS", "PERMISSIONS", "DimensionScore", "Finding", "Judgement", "PublicQuality", "RunSummary", "TableHandle"]

PERMISSIONS = {
    "quality.view": {"zh": "查看数据质量", "en": "See data quality"},
    "quality.keys": {"zh": "查看不合格记录的主键", "en": "See the keys of failing rows"},
}
# What people read for the reasons that the engine gives rows.
FAILURE_REASONS: Mapping[str, Mapping[str, str]] = {
    "old_form": {"zh": "旧式号码", "en": "old form of number"},
    "length": {"zh": "长度不符", "en": "wrong length"},
    "alphabet": {"zh": "字符不符", "en": "wrong characters"},
    "birth_date": {"zh": "出生日期不成立", "en": "impossible birth date"},
    "check_digit": {"zh": "校验码不符", "en": "wrong check digit"},
    "missing": {"zh": "未填", "en": "empty"},
    "blank": {"zh": "只有空白", "en": "blanks only"},
    "unknown_code": {"zh": "不在代码集", "en": "not in the code set"},
    "not_valid_then": {"zh": "当时不在用", "en": "not in use at the time"},
    "pattern": {"zh": "格式不符", "en": "wrong format"},
    "too_short": {"zh": "过短", "en": "too short"},
    "too_long": {"zh": "过长", "en": "too long"},
    "too_small": {"zh": "过小", "en": "too small"},
    "too_large": {"zh": "过大", "en": "too large"},
    "too_early": {"zh": "过早", "en": "too early"},
    "too_late": {"zh": "过晚", "en": "too late"},
    "future": {"zh": "晚于今天", "en": "later than today"},
    "duplicate": {"zh": "重复", "en": "duplicate"},
    "not_met": {"zh": "不成立", "en": "does not hold"},
    "not_computable": {"zh": "无法计算", "en": "cannot be computed"},
    "unknown": {"zh": "无法判定", "en": "cannot be decided"},
    "birth_date_differs": {"zh": "与出生日期不一致", "en": "differs from the birth date"},
    "gender_differs": {"zh": "与性别不一致", "en": "differs from the sex"},
    "region_differs": {"zh": "与区划不一致", "en": "differs from the division"},
    "others": {"zh": "其他原因", "en": "other reasons"},
}


@dataclass(frozen=True, slots=True)
class TableHandle:
    """The table that lake asks to be judged: files of one snapshot and what they hold.

    Shape: every file has the typed `columns` and `_record` (int64 record number in the source).
    `titles` names the columns for people.
    """

    resource_code: str
    snapshot_id: int
    files: tuple[str, ...]
    columns: tuple[Column, ...]
    keys: tuple[str, ...]
    rows: int
    titles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule over one snapshot. `checked` and `failed` count rows; reasons split `failed`.

    `below` above 0: counts under it are hidden from this reader. What is hidden ("checked", "failed") is named in
    `hidden` and stands at the largest that it may be.
    """

    rule: str
    title: Mapping[str, str]
    columns: tuple[str, ...]
    dimension: str
    severity: str
    checked: int
    failed: int
    reasons: Mapping[str, int]
    below: int = 0
    hidden: frozenset[str] = frozenset()

    @property
    def told_checked(self) -> int | None:
        """Return how many rows were checked, or None where that is hidden."""
        return None if "checked" in self.hidden else self.checked

    @property
    def told_failed(self) -> int | None:
        """Return how many rows failed, or None where that is hidden."""
        return None if "failed" in self.hidden else self.failed

    @property
    def share(self) -> float:
        """Return the share of checked rows that passed (0..1); 1 when nothing was checked."""
        return 1.0 if not self.checked else 1 - self.failed / self.checked


@dataclass(frozen=True, slots=True)
class DimensionScore:
    """X = A / B of one dimension of GB/T 36344-2018: `passed` of `checked` value checks.

    `at_least`: a count behind it is hidden from this reader; the share is the lowest that it may be.
    """

    dimension: str
    checked: int
    passed: int
    formula: Mapping[str, str] = field(default_factory=dict)
    at_least: bool = False

    @property
    def share(self) -> float:
        return 1.0 if not self.checked else self.passed / self.checked


@dataclass(frozen=True, slots=True)
class Judgement:
    """The answer to lake: which rules failed on how many rows, and where the keys lie."""

    run_id: str
    findings: tuple[Finding, ...]
    keys_file: str
    failing_keys: int


@dataclass(frozen=True, slots=True)
class RunSummary:
    """One judged snapshot for the pages; `at_least` as in DimensionScore."""

    run_id: str
    resource_code: str
    snapshot_id: int
    at: datetime
    rows: int
    rules: int
    failing_rules: int
    failing_keys: int
    share: float
    at_least: bool = False


@dataclass(frozen=True, slots=True)
class PublicQuality:
    """What everyone may know of a judgement. Small counts stand at the largest they may be.

    Shape: `columns` maps a column to its share of passed checks, its share of empty values (None: not
    known) and how many checks failed. `below`: the floor, where a count is hidden; else 0.
    """

    checked: int
    failed: int
    failing_keys: int
    below: int
    columns: Mapping[str, tuple[float | None, float | None, int]]


RuleSet = tuple[Rule, ...]
