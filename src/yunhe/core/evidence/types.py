"""The shapes of evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from yunhe.kernel.actor import Via

PERMISSIONS: dict[str, dict[str, str]] = {
    "evidence.view": {"zh": "查看全部存证", "en": "See all evidence"},
    "evidence.view_own": {"zh": "查看本单位存证", "en": "See evidence of one's own organisation"},
}


VIAS: Mapping[Via, Mapping[str, str]] = {
    "web": {"zh": "网页", "en": "Pages"},
    "api": {"zh": "接口", "en": "API"},
    "cli": {"zh": "命令行", "en": "Command line"},
}


@dataclass(frozen=True, slots=True)
class Personal:
    """A personal value among the facts: stored as a salted commitment, never as itself."""

    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class EvidenceRecord:
    """One act (存证记录). `organization` acted, `owner_organization` owns what was acted on.

    `via` says by which door it came (VIAS; "" from inside), `os_user` who typed a command.

    `digest` is SM3 over the record's canonical text behind `salt`; who is given the record can
    recompute it, who only sees the digest can guess nothing.
    """

    id: str
    at: datetime
    kind: str
    actor_kind: str
    actor_id: str
    actor_name: str
    actor_role: str
    organization: str
    owner_organization: str
    via: Via
    os_user: str
    subject_type: str
    subject_id: str
    facts: Mapping[str, Any]
    source: str
    salt: str = field(repr=False)
    digest: str


@dataclass(frozen=True, slots=True)
class Collected:
    """What one reading of the gateway's segments brought: lines seen, new, already known, unreadable."""

    seen: int
    added: int
    known: int
    broken: int
