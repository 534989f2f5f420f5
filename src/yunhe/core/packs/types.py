"""The shapes of packs (能力包)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from yunhe.kernel.actor import Actor

PERMISSIONS: dict[str, dict[str, str]] = {
    "packs.view": {"zh": "查看能力包", "en": "See packs"},
    "packs.load": {"zh": "装入能力包", "en": "Load packs"},
    "packs.rights": {"zh": "装入改变权限的能力包", "en": "Load packs that change rights"},
}

LoadState = Literal["broken", "loadable", "loaded", "unchanged"]
ChangeAction = Literal["create", "update", "end", "keep"]


@dataclass(frozen=True, slots=True)
class PackProblem:
    """What is wrong in a pack: the file (relative), the line (1-based), the path inside the file."""

    file: str
    line: int
    path: str
    sentence: Mapping[str, str]

    def say(self, language: str = "zh") -> str:
        """Return the sentence in `language` (zh or en)."""
        return self.sentence.get(language[:2], self.sentence["zh"])

    @property
    def place(self) -> str:
        """Return `file:line path`."""
        return f"{self.file}:{self.line} {self.path}".rstrip()


@dataclass(frozen=True, slots=True)
class PackItem:
    """One validated declaration: a YAML mapping (a list in a file gives one item each), or a CSV row.

    `value` is an instance of the model that the section's loader registered.
    """

    section: str
    file: str
    line: int
    value: Any


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """One thing that a load would do. `rights`: it changes what somebody may do."""

    what: str
    name: str
    action: ChangeAction
    rights: bool = False


@dataclass(frozen=True, slots=True)
class PackManifest:
    """`pack.yml`: who the pack is, what it needs and which permissions it asks for."""

    name: str
    version: str
    title: Mapping[str, str]
    needs: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()
    demo: bool = False


@dataclass(frozen=True, slots=True)
class LoadContext:
    """What a loader's plan and apply are given besides the items.

    `files` are all files of the pack by relative path, as read once at the start of the load:
    a loader reads further files from here and nowhere else. `shipped`: part of the product.
    """

    manifest: PackManifest
    actor: Actor
    at: datetime
    shipped: bool
    files: Mapping[str, bytes] = field(repr=False)


PlanItems: TypeAlias = Callable[[LoadContext, tuple[PackItem, ...]], Iterable[PlannedChange]]
"""Reads only; tells what would change; raises BadPackItem(item=…) on what does not fit."""

ApplyItems: TypeAlias = Callable[[LoadContext, tuple[PackItem, ...]], None]
"""Writes control data inside the load's one transaction."""


@dataclass(frozen=True, slots=True)
class Loader:
    """What one section (folder) of a pack is read with."""

    section: str
    model: type[BaseModel]
    row_model: type[BaseModel]
    plan: PlanItems
    apply: ApplyItems
    order: int


@dataclass(frozen=True, slots=True)
class PackReport:
    """What a check or a load found. `digest` is SM3 over the pack's files."""

    name: str
    version: str
    digest: str
    folder: Path
    state: LoadState
    problems: tuple[PackProblem, ...] = ()
    changes: tuple[PlannedChange, ...] = ()
    items: Mapping[str, int] = field(default_factory=dict)

    @property
    def is_sound(self) -> bool:
        """Tell whether the pack may be loaded."""
        return not self.problems


@dataclass(frozen=True, slots=True)
class PackInfo:
    """A pack that is loaded, or found beside (`loaded_at` None)."""

    name: str
    version: str
    title: Mapping[str, str]
    digest: str
    folder: str
    shipped: bool
    loaded_at: datetime | None
    loaded_by: str
    loaded_version: str
    loaded_digest: str


class Strict(BaseModel):
    """Refuses what it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=10_000)


class Title(Strict):
    """A text in Chinese (required) and English."""

    zh: Annotated[str, Field(min_length=1, max_length=200)]
    en: Annotated[str, Field(max_length=200)] = ""

    def plain(self) -> dict[str, str]:
        """Return both texts; the Chinese stands in where there is no English."""
        return {"zh": self.zh, "en": self.en or self.zh}


class ManifestModel(Strict):
    """`pack.yml`."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")]
    version: Annotated[str, Field(pattern=r"^[0-9]{1,4}(\.[0-9]{1,4}){0,2}$")]
    title: Title
    needs: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,63}$")], ...] = ()
    grants: tuple[Annotated[str, Field(pattern=r"^[a-z_]+\.[a-z_]+$")], ...] = ()
    demo: bool = False

    def manifest(self) -> PackManifest:
        """Return the manifest as loaders see it."""
        return PackManifest(self.name, self.version, self.title.plain(), self.needs, self.grants, self.demo)
