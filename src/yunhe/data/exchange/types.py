"""What exchange hands out: requests, grants, access systems, row pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

__all__ = ["PERMISSIONS", "AccessSystem", "Grant", "GrantedField", "NewSystem", "RowPage", "RowSource"]

PERMISSIONS = {
    "exchange.view": {"zh": "查看共享授权", "en": "See grants"},
    "exchange.request": {"zh": "申请使用数据", "en": "Request data"},
    "exchange.decide": {"zh": "答复数据需求", "en": "Decide on data requests"},
    "exchange.systems": {"zh": "管理接入系统密钥", "en": "Manage the keys of calling systems"},
    "query.run": {"zh": "查询数据", "en": "Run queries"},
}

RowSource = Literal["current", "quarantine", "rejected", "failing_keys"]


@dataclass(frozen=True, slots=True)
class GrantedField:
    """One field that a grant opens, with the mask it is delivered under."""

    name: str
    title: str
    mask: str


@dataclass(frozen=True, slots=True)
class Grant:
    """Which fields of which resource, for whom, for which purpose, until when (授权)."""

    grant_id: str
    resource_code: str
    resource_title: str
    owner: str
    consumer: str
    consumer_name: str
    fields: tuple[GrantedField, ...]
    row_filter: str
    purpose: str
    legal_basis: str
    case_id: str
    case_number: str
    valid_from: datetime
    valid_until: datetime
    state: str
    granted_by: str
    granted_at: datetime
    revoked_at: datetime | None
    revoked_by: str
    revoked_reason: str


@dataclass(frozen=True, slots=True)
class AccessSystem:
    """A system of a department that may sign calls at the gateway."""

    key_id: str
    name: str
    organization: str
    organization_name: str
    created_at: datetime
    created_by: str
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class NewSystem:
    """A system just made; `secret` is shown this once and kept only sealed."""

    system: AccessSystem
    secret: str


@dataclass(frozen=True, slots=True)
class RowPage:
    """Rows that left through the one door, with the proof of it."""

    columns: tuple[str, ...]
    titles: tuple[str, ...]
    rows: tuple[Mapping[str, Any], ...]
    total: int
    offset: int
    limit: int
    evidence_id: str
    release_id: str
    masked: frozenset[str] = field(default_factory=frozenset)
