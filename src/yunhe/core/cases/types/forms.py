"""What a form is filled in with beside what is typed: elements of the standards, values of shared data, drafts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from yunhe.core.cases.types.kinds import FieldType
from yunhe.kernel.actor import Actor

Sentence = tuple[str, str]
"""What is wrong with a value, in Chinese and in English."""

SourceState = Literal["found", "absent", "unavailable", "waiting"]


@dataclass(frozen=True, slots=True)
class FieldElement:
    """What a data element (数据元) of the standards says of a field on one day.

    `choices` are the codes in force, empty without a code set; `problem(value)` tells what is wrong with a clean value.
    """

    code: str
    title: Mapping[str, str]
    type: FieldType
    choices: Mapping[str, Mapping[str, str]]
    problem: Callable[[Any], Sentence | None]
    max_length: int | None = None


@dataclass(frozen=True, slots=True)
class SourceQuestion:
    """What a source is asked: its arguments filled in, by whom, for what, and for which case or draft."""

    arguments: Mapping[str, Any]
    actor: Actor
    purpose: str
    case: str


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    """What a source answers: a value, or that there is no such record; with where it stands and the evidence of the look.

    `title` names the source for people, `snapshot` the state of its data.
    """

    found: bool
    title: Mapping[str, str]
    value: Any = None
    snapshot: str = ""
    evidence_id: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof of one value from shared data (取数回执), or that none was to be had: kept and signed by the server.

    `intact`: what is kept is what was signed, for this person, form and field.
    """

    receipt_id: str
    field: str
    state: SourceState
    value: Any
    source: str
    title: Mapping[str, str]
    snapshot: str
    evidence_id: str
    problem: Mapping[str, str]
    at: datetime
    digest: str
    intact: bool
    field_title: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Sourced:
    """How it stands with a field whose value comes from shared data; `waits_for` are fields to be filled in first."""

    state: SourceState
    value: Any = None
    receipt: Receipt | None = None
    waits_for: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FormState:
    """A form as the server sees it for what is filled in so far: fields it does not have now, what came from shared data.

    `elements` are those of its fields; `fresh`: something was asked for just now; `problems`: what is wrong with what is
    filled in (a `FieldProblem` each), apart from what is missing.
    """

    hidden: frozenset[str] = frozenset()
    sourced: Mapping[str, Sourced] = field(default_factory=dict)
    elements: Mapping[str, FieldElement] = field(default_factory=dict)
    fresh: bool = False
    problems: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class FormPage:
    """A page on which a form is filled in: its own stamp, and that of the draft it was drawn from, "" without one."""

    stamp: str
    made_from: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """A form that is not handed in yet (草稿): one person's, in one organisation; of an opening, or of an action.

    `values` as they were typed, by field; `kind_digest` is the version that they were typed into. `stamp` names the page
    that last kept it. `beside` is the scope of the form whose draft it did not replace, "" for a form's own draft.
    """

    draft_id: str
    scope: str
    kind: str
    kind_title: Mapping[str, str]
    kind_digest: str
    values: Mapping[str, Any]
    saved_at: datetime
    case_id: str = ""
    case_number: str = ""
    obligation_id: str = ""
    action: str = ""
    title: str = ""
    is_open: bool = True
    stamp: str = ""
    beside: str = ""
