"""What lake hands out: loads, releases, drafts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from yunhe.engine.types import Column

__all__ = ["PERMISSIONS", "ROW_REASONS", "TOPIC_ROLLED_BACK", "TOPIC_SERVED", "DraftedField", "Load", "LoadOutcome", "Release", "SetAside", "SourceDraft"]

TOPIC_SERVED = "lake.served"
TOPIC_ROLLED_BACK = "lake.rolled_back"

PERMISSIONS = {
    "lake.view": {"zh": "查看归集装载", "en": "See loads"},
    "lake.load": {"zh": "装载数据", "en": "Load data"},
}
# What people read for the reasons that the engine gives rows.
ROW_REASONS: Mapping[str, Mapping[str, str]] = {
    "encoding": {"zh": "字节无法解码", "en": "bytes do not decode"},
    "cast": {"zh": "类型不符", "en": "value does not fit its type"},
    "nul": {"zh": "含空字节", "en": "holds a NUL byte"},
    "width": {"zh": "列数不符", "en": "wrong number of columns"},
    "stray_quote": {"zh": "引号后有多余内容", "en": "text after the closing quote"},
    "unclosed_quote": {"zh": "引号未闭合", "en": "quote not closed"},
    "too_long": {"zh": "记录过长", "en": "record too long"},
    "key_missing": {"zh": "主键为空", "en": "empty key"},
    "key_duplicate": {"zh": "主键重复", "en": "duplicate key"},
}


@dataclass(frozen=True, slots=True)
class LoadOutcome:
    """What one finished load did. Always rows_in = kept + quarantined + rejected."""

    load_id: str
    rows_in: int
    kept: int
    quarantined: int
    rejected: int
    digest: str
    snapshot: int
    release: str


@dataclass(frozen=True, slots=True)
class Load:
    """One load of one resource, running or ended; `aside_kept` while its set-aside records are still there."""

    load_id: str
    resource_code: str
    owner: str
    state: str
    stage: str
    job_id: str
    started_at: datetime
    ended_at: datetime | None
    actor_name: str
    rows_in: int | None
    kept: int | None
    quarantined: int | None
    rejected: int | None
    digest: str
    file_digest: str
    algorithm: str
    source_bytes: int | None
    snapshot_id: int | None
    release_id: str
    quarantine_reasons: Mapping[str, int] = field(default_factory=dict)
    rejected_reasons: Mapping[str, int] = field(default_factory=dict)
    problem: Mapping[str, str] = field(default_factory=dict)
    aside_kept: bool = False


@dataclass(frozen=True, slots=True)
class SetAside:
    """Where a load's quarantined or rejected records lie ("" for none), and how many they are."""

    file: str
    records: int


@dataclass(frozen=True, slots=True)
class Release:
    """Which snapshot is current (发布): the row in control data is the only truth.

    `columns` and `keys` are those the snapshot was written with, whatever the contract says today.
    `kept`: the snapshot stays for now, so that one may roll back to it.
    """

    release_id: str
    resource_code: str
    number: int
    snapshot_id: int
    load_id: str
    rows: int
    at: datetime
    actor_name: str
    serving_path: str
    serving_state: str
    current: bool
    columns: tuple[Column, ...] = ()
    keys: tuple[str, ...] = ()
    kept: bool = True


@dataclass(frozen=True, slots=True)
class DraftedField:
    """One column of a source with what is proposed for it and why."""

    name: str
    column: str
    title: str
    type: str
    element: str
    reasons: tuple[str, ...]
    confidence: float
    nulls: int
    distinct: int
    null_marks: tuple[str, ...] = ()
    mask: str = "none"
    grade: int = 1
    personal: bool = False


@dataclass(frozen=True, slots=True)
class SourceDraft:
    """A proposed contract: `text` is the YAML to correct and register."""

    text: str
    fields: tuple[DraftedField, ...]
    keys: tuple[str, ...]
    rows_sampled: int
