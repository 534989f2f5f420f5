"""What the pages, the command line and the rooms above see of cases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal

from yunhe.core.attachments.types import Attachment
from yunhe.core.cases.types.forms import Receipt
from yunhe.core.cases.types.kinds import FieldSpec
from yunhe.kernel.actor import Actor

Light = Literal["none", "normal", "week", "today", "overdue", "paused"]
# What people read for the states of a case, in the order of its life.
CASE_STATES: Mapping[str, Mapping[str, str]] = {
    "open": {"zh": "办理中", "en": "Open"}, "suspended": {"zh": "已中止", "en": "Suspended"}, "closed": {"zh": "已办结", "en": "Closed"},
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Member:
    """A case in the list of a batch (批量办件). `rank` is its place in the kind's order, 1 the first."""

    rank: int
    case_id: str
    number: str
    title: str
    phase_title: Mapping[str, str]
    state: str
    outcome: str
    value: str


@dataclass(frozen=True, slots=True)
class Case:
    """One case (办件). `version` is what the next `act` must name.

    `hidden` names what of `data` serves the rules, not the reader. `paused_at`, `pause_basis`: since when and under which rule it,
    or the clock of the whole, stands still; lists and its page say it.
    """

    case_id: str
    number: str
    kind: str
    kind_title: Mapping[str, str]
    phase: str
    phase_title: Mapping[str, str]
    state: str
    outcome: str
    title: str
    organization: str
    owner: str
    subject_type: str
    subject_id: str
    data: Mapping[str, Any]
    version: int
    opened_by: str
    opened_by_name: str
    opened_at: datetime
    closed_at: datetime | None
    due_at: datetime | None
    parent_id: str = ""
    merged_into: str = ""
    supervised_at: datetime | None = None
    reminders: int = 0
    batch_id: str = ""
    outcome_title: Mapping[str, str] = field(default_factory=dict)
    paused_at: datetime | None = None
    pause_basis: str = ""
    hidden: tuple[str, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.state != "closed"

    @property
    def shown_data(self) -> Mapping[str, Any]:
        """Return the values that its page shows: what serves the rules only stays inside."""
        return {name: value for name, value in self.data.items() if name not in self.hidden}


@dataclass(frozen=True, slots=True)
class Delegation:
    """One absence (代办): `delegate` acts in the principal's seats on the days from `since` to `until`."""

    delegation_id: str
    principal: str
    principal_name: str
    delegate: str
    delegate_name: str
    kinds: tuple[str, ...]
    reason: str
    since: date
    until: date
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class RelatedCase:
    """A case beside this one. `relation`: parent, child, batch (its list holds this), merged (into this), master (this went into it)."""

    relation: str
    case_id: str
    number: str
    title: str
    phase_title: Mapping[str, str]
    state: str


@dataclass(frozen=True, slots=True)
class CountedDay:
    """One day of "how was it counted": its number if it counts, else why it does not. Of hours: one stretch of time.

    `reason`: paused (`name` is the rule that allows it), workday, weekend, holiday, makeup, day, start, unknown (no calendar of that year yet),
    hours: a stretch that counts. A stretch has `since` and `until`.
    """

    on: date
    number: int | None
    reason: str
    name: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """When something is due, by which rule, and every day that was counted (怎么算的).

    While the clock stands still `at` is None. `amount` includes the extensions; `pauses` are those that are over
    (since, until as ISO times, basis). `ended_at`: what it runs for is over since then, and `light` is as it was then.
    `extensions`: amount, basis, reason, and where known at, by, by_organization, due_before, due_after (ISO times); of them
    at most `extend_most` in all, None where nothing bounds it.
    """

    at: datetime | None
    started_at: datetime
    amount: int
    unit: str
    basis: str
    estimated: bool
    light: Light
    days: tuple[CountedDay, ...]
    paused_at: datetime | None = None
    pause_basis: str = ""
    extensions: tuple[Mapping[str, Any], ...] = ()
    pauses: tuple[Mapping[str, Any], ...] = ()
    ended_at: datetime | None = None
    extend_most: int | None = None

    @property
    def granted(self) -> tuple[int, ...]:
        """Return by how much it was made longer each time."""
        return tuple(int(one["amount"]) for one in self.extensions)

    @property
    def limit(self) -> int:
        """Return the limit as it was set, without the extensions."""
        return self.amount - sum(self.granted)

    @property
    def left(self) -> int | None:
        """Return by how much it may still be made longer; None where nothing bounds it."""
        return None if self.extend_most is None else max(0, self.extend_most - sum(self.granted))


@dataclass(frozen=True, slots=True)
class Obligation:
    """One piece of owed work (待办).

    `superseded`: a send-back undid its answer, which counts no more; `vacant`: nobody is there who could fulfil it;
    `short`: each of its group takes another person, and there are too few. `by_platform`: a room, or the end of time, ended it.
    """

    obligation_id: str
    name: str
    title: Mapping[str, str]
    state: str
    outcome: str
    outcome_title: Mapping[str, str]
    organization: str
    organization_name: str
    roles: tuple[str, ...]
    person: str
    assignee: str
    assignee_name: str
    group: str
    origin_id: str
    child_id: str
    opened_at: datetime
    closed_at: datetime | None
    closed_by_name: str
    due: Due | None
    superseded: bool = False
    for_people: bool = True
    vacant: bool = False
    short: bool = False
    by_platform: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """One step of the timeline; `digest` is in the evidence. `superseded`: a send-back undid what it answered."""

    event_id: str
    seq: int
    at: datetime
    action: str
    title: Mapping[str, str]
    actor_id: str
    actor_name: str
    organization_name: str
    on_behalf: str
    facts: tuple[Fact, ...]
    digest: str
    evidence_id: str
    superseded: bool = False

    @property
    def on_behalf_name(self) -> str:
        """Return for whom the actor stood in, "" for nobody."""
        return self.on_behalf.partition(" ")[2]


@dataclass(frozen=True, slots=True)
class Fact:
    """One named value of a case or of an action, ready to show; `label` is what people read for a code."""

    name: str
    title: Mapping[str, str]
    type: str
    value: Any
    label: Mapping[str, str] | None = None
    format: str = ""


@dataclass(frozen=True, slots=True)
class ActionView:
    """An action that this actor may take now; `refusal` says why a guard holds it back.

    `labels`: by field, what people read for its `options`, where these are codes.
    """

    obligation_id: str
    obligation_title: Mapping[str, str]
    name: str
    title: Mapping[str, str]
    style: str
    fields: tuple[FieldSpec, ...]
    defaults: Mapping[str, Any]
    options: Mapping[str, tuple[str, ...]]
    refusal: Mapping[str, str] | None = None
    on_behalf_name: str = ""
    labels: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OperatorView:
    """A generic operator (转办、加签…) that this actor may use now, on an obligation or on the whole case.

    `choices`: the phases of send_back; the people (by account) and organisations (`@code`) of hand_on and reassign.
    """

    name: str
    obligation_id: str = ""
    choices: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CaseView:
    """A case with all that one page shows of it; `names` are what people read for codes in its fields.

    `members` is the list of a batch, None for any other case; `members_by` is called what ranks them.
    """

    case: Case
    facts: tuple[Fact, ...]
    obligations: tuple[Obligation, ...]
    events: tuple[Event, ...]
    actions: tuple[ActionView, ...]
    due: Due | None
    subject: SubjectView | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    operators: tuple[OperatorView, ...] = ()
    related: tuple[RelatedCase, ...] = ()
    members: tuple[Member, ...] | None = None
    members_by: Mapping[str, str] | None = None
    may_list: bool = False
    files: tuple[Attachment, ...] = ()
    receipts: tuple[Receipt, ...] = ()


@dataclass(frozen=True, slots=True)
class Holder:
    """Who owes something open of a case: a person, or the roles of an organisation; a room or a sub-case, if not `for_people`."""

    case_id: str
    organization_name: str
    roles: tuple[str, ...]
    person: str
    assignee_name: str
    for_people: bool = True
    child_id: str = ""


@dataclass(frozen=True, slots=True)
class WaitingItem:
    """One line of the inbox (待办). `on_behalf_name`: whose it is who is away and for whom the actor stands in, "" for the actor's own."""

    obligation_id: str
    title: Mapping[str, str]
    case_id: str
    number: str
    case_title: str
    kind: str
    kind_title: Mapping[str, str]
    phase_title: Mapping[str, str]
    opened_by_name: str
    organization: str
    organization_name: str
    opened_at: datetime
    due_at: datetime | None
    light: Light
    estimated: bool
    version: int = 0
    pause_basis: str = ""
    on_behalf_name: str = ""


@dataclass(frozen=True, slots=True)
class SavedView:
    """A view (常用筛选) that a person keeps: `query` is filters, `q` and `sort`; `count` stops at `most`, then `more`.

    `replaced`: it took the place of one of that name, which asked for something else.
    """

    view_id: str
    page: str
    name: str
    query: Mapping[str, str]
    count: int
    more: bool = False
    replaced: bool = False


@dataclass(frozen=True, slots=True)
class BulkOffer:
    """What can be done with several lines at once: only what every one of them offers in the same way."""

    items: tuple[WaitingItem, ...]
    actions: tuple[ActionView, ...]
    operators: tuple[OperatorView, ...]
    gone: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one case of several: `refusal` says why not, "" if done. `key` names the line again."""

    key: str
    case_id: str
    number: str
    title: str
    refusal: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class TeamLine:
    """The work of one holder: a person (`user:…`), or a role seat (`role:…`) that nobody took yet.

    `counts` by measure: open, overdue, today, week, done_7, done_30, late_30 (done after its time); each the length of the list of the same name.
    """

    holder: str
    name: str
    counts: Mapping[str, int]
    oldest_at: datetime | None


@dataclass(frozen=True, slots=True)
class TeamWork:
    """Who of an organisation holds how much (团队工作量); `total` sums the lines."""

    organization: str
    organization_name: str
    lines: tuple[TeamLine, ...]
    total: TeamLine


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One obligation in a list of a team's work. `holder` is a person (`user:…`) or a role seat (`role:…`).

    `short`: it waits for nobody since each of its group takes another person, and there are too few.
    """

    obligation_id: str
    case_id: str
    number: str
    case_title: str
    kind_title: Mapping[str, str]
    title: Mapping[str, str]
    holder: str
    holder_name: str
    opened_at: datetime
    due_at: datetime | None
    closed_at: datetime | None
    light: Light
    organization_name: str = ""
    short: bool = False


@dataclass(frozen=True, slots=True)
class SubjectLine:
    """One line of what a case is about: as it is now (empty if new), and as it would be."""

    title: Mapping[str, str]
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class SubjectView:
    """What a case is about, for who has to decide; `href` is its own page, if it has one.

    `names` are what people read for codes that the case's own fields hold; `links` lead further (text, address).
    """

    title: Mapping[str, str]
    lines: tuple[SubjectLine, ...]
    compared: bool = False
    href: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    links: tuple[tuple[Mapping[str, str], str], ...] = ()


@dataclass(frozen=True, slots=True)
class EffectContext:
    """What a registered effect is given: the case before the step, who acts, the checked form, when."""

    case: Case
    actor: Actor
    data: Mapping[str, Any]
    at: datetime
    action: str
    waived: bool = False


@dataclass(frozen=True, slots=True)
class Replay:
    """The events of a case folded again, against its rows."""

    case_id: str
    events: int
    equal: bool
    differences: tuple[str, ...] = field(default=())
