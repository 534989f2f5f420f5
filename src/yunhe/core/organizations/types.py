"""The shapes of regions, organisations, persons and rights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal

PERMISSIONS: dict[str, dict[str, str]] = {
    "organizations.view": {"zh": "查看机构人员", "en": "See organisations and persons"},
    "organizations.manage": {"zh": "管理机构和账号", "en": "Manage organisations and accounts"},
    "organizations.request": {"zh": "申请账号和岗位", "en": "Ask for accounts and roles"},
    "roles.manage": {"zh": "授予角色和权限", "en": "Grant roles and rights"},
}

RegionLevel = Literal["country", "province", "city", "county", "township", "village"]
REGION_LEVELS: tuple[RegionLevel, ...] = ("country", "province", "city", "county", "township", "village")

OrganizationKind = Literal["government", "department", "institution", "enterprise", "group"]
ORGANIZATION_KINDS: Mapping[str, Mapping[str, str]] = {
    "government": {"zh": "人民政府", "en": "Government"},
    "department": {"zh": "部门", "en": "Department"},
    "institution": {"zh": "事业单位", "en": "Public institution"},
    "enterprise": {"zh": "企业", "en": "Enterprise"},
    "group": {"zh": "社会组织", "en": "Social organisation"},
}

Separation = Literal["", "system", "security", "audit"]
"""Which of the three separated administrators (三员) a role is; no person holds two."""

OWN = "own"
"""In the sets of a right tuple: the membership's own organisation or region."""


@dataclass(frozen=True, slots=True)
class Region:
    """A division (行政区划) during one period [valid_from, valid_until); None = not bounded."""

    code: str
    name: str
    level: RegionLevel
    parent: str = ""
    valid_from: date | None = None
    valid_until: date | None = None
    successor: str = ""
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Organization:
    """An organisation (机构). `code` is its unified social credit code (统一社会信用代码)."""

    code: str
    name: str
    short_name: str
    kind: OrganizationKind
    region: str
    parent: str
    valid_from: date
    valid_until: date | None
    successor: str
    version: int

    @property
    def label(self) -> str:
        """Return the name that lists show."""
        return self.short_name or self.name


@dataclass(frozen=True, slots=True)
class Person:
    """An account of a person (用户)."""

    id: int
    username: str
    display_name: str
    is_active: bool
    must_change_password: bool
    created_at: datetime
    last_login_at: datetime | None
    has_password: bool = True
    """Whether it ever got one: an account that a case opened gets it when it is handed over."""


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A generated password: shown once to who asked for it, kept nowhere."""

    person: Person
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RightSpec:
    """One right as declared: a permission over sets of codes; `own` and `*` as in the tuple."""

    permission: str
    organizations: tuple[str, ...] = (OWN,)
    regions: tuple[str, ...] = ("*",)
    kinds: tuple[str, ...] = ("*",)


@dataclass(frozen=True, slots=True)
class Role:
    """A named set of rights (角色)."""

    code: str
    title: Mapping[str, str]
    separation: Separation
    rights: tuple[RightSpec, ...]
    pack: str = ""


@dataclass(frozen=True, slots=True)
class Membership:
    """A person in one organisation with one role, during [valid_from, valid_until) (任职)."""

    id: int
    user_id: int
    username: str
    display_name: str
    organization: str
    organization_name: str
    role: str
    role_title: Mapping[str, str]
    region: str
    valid_from: date
    valid_until: date | None
