"""What the engine's rooms hand each other: columns, sources, receipts, results, rules, limits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

ColumnType = Literal["string", "integer", "decimal", "date", "timestamp", "boolean"]
Severity = Literal["block", "warn", "info"]

RECORD_COLUMN = "_record"
MAX_COLUMNS = 4096
DEFAULT_SCALE = 6

Progress = Callable[[int, int, str], None]
Check = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Column:
    """One field of a resource and the source column it is read from.

    `source` empty: the source column has the same name. A value equal to one of `null_marks` is
    NULL, as the empty string always is. `scale` counts the decimals of a decimal (None: 6).
    `zone` is where a timestamp without an offset was written; it is stored in UTC.
    """

    name: str
    type: ColumnType = "string"
    source: str = ""
    null_marks: tuple[str, ...] = ()
    scale: int | None = None
    zone: str = "Asia/Shanghai"

    @property
    def source_name(self) -> str:
        """Return the name of the column in the source."""
        return self.source or self.name

    @property
    def decimals(self) -> int:
        """Return how many decimals a decimal holds."""
        return DEFAULT_SCALE if self.scale is None else self.scale


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """Where a source is and how to read it; `options` are the connector's own (text to text)."""

    connector: str
    location: str
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ColumnProfile:
    """What a sample says about one source column: counts only, never a value.

    `fits` counts, per column type, the sampled non-empty values which that type holds exactly.
    `forms` counts the values of a known shape: id18, uscc18, mobile11, digits, leading_zero.
    `marks` counts the usual null marks (N/A, NULL …), which `filled` and all else leave out.
    """

    name: str
    sampled: int
    filled: int
    distinct: int
    shortest: int
    longest: int
    fits: Mapping[ColumnType, int]
    forms: Mapping[str, int]
    marks: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Shape:
    """What a connector found at a source before loading it."""

    columns: tuple[str, ...]
    encoding: str
    delimiter: str
    bytes: int
    profiles: tuple[ColumnProfile, ...] = ()


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was received, in a form the source can work out on its own side (docs/receipt.md).

    `rows` and `digest` cover every readable record; `file_digest` is SM3 over the file's bytes.
    """

    algorithm: str
    rows: int
    digest: str
    bytes: int
    file_digest: str
    high_sum: int = 0
    low_sum: int = 0


@dataclass(frozen=True, slots=True)
class LoadResult:
    """The three fates of a source's records: rows_in = kept + quarantined + rejected.

    Paths are None where no record had that fate. A quarantined record may have several reasons,
    so that the sum of `quarantine_reasons` can be above `quarantined`.
    """

    rows_in: int
    kept: int
    quarantined: int
    rejected: int
    receipt: Receipt
    kept_files: tuple[Path, ...]
    quarantine_file: Path | None
    rejected_file: Path | None
    quarantine_reasons: Mapping[str, int]
    rejected_reasons: Mapping[str, int]
    ignored_columns: tuple[str, ...] = ()
    encoding: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One quality rule over named columns; `kind` and `arguments` are those of engine.checks."""

    code: str
    kind: str
    dimension: str
    severity: Severity
    columns: tuple[str, ...]
    arguments: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleCount:
    """How often one rule was checked and failed; `reasons` splits `failed` by sub-reason."""

    rule: str
    dimension: str
    severity: Severity
    checked: int
    failed: int
    reasons: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one piece of work may use. `seconds` and `rows`: 0 is no limit.

    Units: memory_mb is what DuckDB may hold; Python's share (about 200 MB) comes on top.
    """

    memory_mb: int = 512
    threads: int = 2
    seconds: float = 0
    rows: int = 0
