"""What registers take and hand out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field, model_validator

from yunhe.core.cases.errors import FieldProblem
from yunhe.core.cases.types import FieldSpec, Titles
from yunhe.core.cases.types import Strict as _Strict
from yunhe.kernel.actor import Actor

__all__ = [
    "PERMISSIONS",
    "Change",
    "ChangeAction",
    "CodePart",
    "Difference",
    "Entry",
    "EntryDraft",
    "EntryState",
    "EntryVersion",
    "EntryView",
    "LoadCounts",
    "RegisterPermissions",
    "RegisterType",
    "TypeHandler",
]

# Registers hold what rooms above name: each type says which of their permissions guard it.
PERMISSIONS: dict[str, dict[str, str]] = {}

EntryState = Literal["draft", "in_review", "published", "withdrawn"]
ChangeAction = Literal["created", "saved", "submitted", "sent_back", "published", "withdrawn"]


class CodePart(_Strict):
    """One part of a code rule: a fixed text, a field of the body, a serial of the owner, a sequence.

    `owner_serial` and `sequence` give their width; the sequence counts apart for each text before it.
    """

    text: str = Field(default="", max_length=40)
    field: str = Field(default="", max_length=63)
    default: str = Field(default="", max_length=40)
    owner_serial: int = Field(default=0, ge=0, le=9)
    sequence: int = Field(default=0, ge=0, le=12)

    @model_validator(mode="after")
    def _exactly_one(self) -> CodePart:
        if sum(map(bool, (self.text, self.field, self.owner_serial, self.sequence))) != 1:
            raise ValueError("a part is exactly one of text, field, owner_serial, sequence")
        return self


class RegisterPermissions(_Strict):
    """Which permission guards what, over the owner's organisation."""

    view: str
    edit: str
    publish: str


class RegisterType(_Strict):
    """A register (名录): its fields, how codes are issued, who may do what, which fields are facets.

    `review`: "department" = the owner's leader publishes; "department_and_bureau" = the data bureau
    publishes after the leader. `more`: fields that rooms above add beside the declared ones.
    """

    code: str = Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")
    title: Titles
    fields: tuple[FieldSpec, ...] = Field(min_length=1)
    code_rule: tuple[CodePart, ...] = ()
    facets: tuple[str, ...] = ()
    search: tuple[str, ...] = ()
    permissions: RegisterPermissions
    review: Literal["department", "department_and_bureau"] = "department_and_bureau"
    more: Literal["allowed", "refused"] = "refused"

    @model_validator(mode="after")
    def _refers_to_its_fields(self) -> RegisterType:
        known = {item.name: item for item in self.fields}
        for name in (*self.facets, *self.search, *(part.field for part in self.code_rule if part.field)):
            if name not in known:
                raise ValueError(f"there is no field {name!r}")
        if any(known[name].type in ("rows", "map", "json") for name in self.facets):
            raise ValueError("a facet is a plain value or a list")
        if self.code_rule and not self.code_rule[-1].sequence:
            raise ValueError("a code rule ends with its sequence")
        return self


@dataclass(frozen=True, slots=True)
class EntryVersion:
    """One version of an entry. `digest` is SM3 over the canonical JSON of title and body."""

    version_id: str
    number: int
    state: str
    title: str
    body: Mapping[str, Any]
    digest: str
    note: str
    author_id: str
    author_name: str
    created_at: datetime
    updated_at: datetime
    case_id: str
    published_at: datetime | None
    published_by: str
    waived: bool
    valid_from: date | None
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry (条目) with the version that was asked for: published, newest, or as of a day.

    `state` is what the world sees; `open_state` (draft, in_review or empty) is that of a version
    being written beside a published one.
    `edit` is what the next write must name; `version` is the number of the version shown.
    """

    entry_id: str
    type_code: str
    code: str
    owner: str
    title: str
    state: EntryState
    open_state: str
    version: int
    published_version: int | None
    latest_version: int
    edit: int
    body: Mapping[str, Any]
    digest: str
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None
    withdrawn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One changed field between two versions; the values are as stored, None where absent."""

    field: str
    title: Mapping[str, str]
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class EntryView:
    """An entry with its history, its changes against the published version, and what the actor may do."""

    entry: Entry
    versions: tuple[EntryVersion, ...]
    differences: tuple[Difference, ...]
    case_id: str
    may_edit: bool
    may_submit: bool
    may_withdraw: bool


@dataclass(frozen=True, slots=True)
class Change:
    """One line of an owner's change feed (变更): sequence without gap, digest over the line."""

    owner: str
    sequence: int
    at: datetime
    action: str
    entry_id: str
    type_code: str
    code: str
    version: int
    body_digest: str
    digest: str


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """An entry as a pack brings it."""

    code: str
    title: str
    body: Mapping[str, Any]
    valid_from: date | None = None


@dataclass(frozen=True, slots=True)
class LoadCounts:
    """What a load of entries did."""

    seen: int
    created: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class TypeHandler:
    """What a room above adds to one type: more checks of a body, and what to do when one goes out or away."""

    check: Callable[[Mapping[str, Any]], tuple[FieldProblem, ...]] | None = None
    published: Callable[[Entry, Actor], None] | None = None
    withdrawn: Callable[[Entry, Actor], None] | None = None
    page: Callable[[str], str] | None = None
