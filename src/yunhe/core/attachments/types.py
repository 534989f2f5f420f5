"""The shapes of attachments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Literal, get_args

from yunhe.kernel.actor import Actor

State = Literal["receiving", "checking", "ready", "refused", "infected"]
STATES: tuple[State, ...] = get_args(State)
STATE_TITLES: Mapping[str, Mapping[str, str]] = {
    "receiving": {"zh": "正在上传", "en": "being uploaded"},
    "checking": {"zh": "等待查毒", "en": "waiting for the virus check"},
    "ready": {"zh": "可用", "en": "ready"},
    "refused": {"zh": "未收下", "en": "refused"},
    "infected": {"zh": "有病毒，内容已删除", "en": "infected, its content is deleted"},
}

Scan = Callable[[BinaryIO], str]
"""`scan(file)` returns the name of what it found, "" for a clean file. Raises: a Transient while it cannot tell."""

MayRead = Callable[[str, Actor], bool]
"""`may_read(subject_id, actor)`: whether the actor may read what is attached to that subject."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """One file that somebody handed in (附件). Units: `size` and `received` in bytes.

    `name` is the cleaned name; `declared_type` is what the client said, `media_type` what the content is.
    Without a subject it is a draft of its owner. `scanned_at` None: no virus scanner has seen it.
    """

    id: str
    name: str
    size: int
    received: int
    declared_type: str
    media_type: str
    digest: str
    owner_id: str
    organization: str
    state: State
    error_code: str
    error: Mapping[str, str]
    finding: str
    subject_type: str
    subject_id: str
    purpose: str
    created_at: datetime
    finished_at: datetime | None
    scanned_at: datetime | None
    attached_at: datetime | None = None

    @property
    def is_draft(self) -> bool:
        """Tell whether it belongs to nothing yet."""
        return not self.subject_type

    @property
    def is_usable(self) -> bool:
        """Tell whether a form may hand it in: whole, and not refused."""
        return self.state in ("ready", "checking")


@dataclass(frozen=True, slots=True)
class Swept:
    """What one sweep did: unfinished uploads, drafts and stray files gone, checks asked for again."""

    unfinished: int
    drafts: int
    files: int
    checks: int
