"""The shapes of notices: who is told, by which channel, and what one has chosen."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import Literal, Protocol

from yunhe.kernel.actor import Actor

Texts = Mapping[str, str]
"""A text per language; "zh" is there, "en" may be missing."""

IN_APP = "in_app"
EMAIL = "email"
SMS = "sms"
WEBHOOK = "webhook"

DispatchState = Literal["waiting", "sent", "failed", "dropped"]
Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


ANYWHERE = "*"
"""In place of an organisation: whoever holds the role, wherever that is."""


@dataclass(frozen=True, slots=True)
class ToPerson:
    """One person, by the id of their Actor (`user:12`), in the membership that it concerns: of this organisation, there in these roles.

    Without roles in any that they have there, with `ANYWHERE` in any organisation where they hold one of the roles; without
    either it is theirs in whatever membership they act.
    """

    id: str
    organization: str = ""
    roles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ToRole:
    """Everybody who holds a role in an organisation at the moment of sending, as its holder, and its webhook; of any with `ANYWHERE`."""

    organization: str
    role: str


@dataclass(frozen=True, slots=True)
class ToSystem:
    """The system of an organisation that its webhook leads to, and no person; nobody where it has none."""

    organization: str


Recipient = ToPerson | ToRole | ToSystem
Recipients = Iterable[Recipient]


@dataclass(frozen=True, slots=True)
class Sent:
    """What sending wrote; `notices` counts the persons. `announcement_id` of the first one where the key was used before (`is_new` False)."""

    announcement_id: str
    notices: int
    messages: int
    is_new: bool = True


Still = Callable[[Collection[str], str], Collection[str]]
"""Returns of the ids that notices are about (`about`) those that are still to be done by a person (`user:12`)."""


@dataclass(frozen=True, slots=True)
class NoticeKind:
    """A kind of notice (通知种类); a person changes what its channels are for them.

    `still` is asked before a message leaves; one that `comes_in_rounds` waits a moment for what comes with it. `urgent`
    names what of it is sent as urgent.
    """

    code: str
    title: Texts
    default_channels: frozenset[str]
    still: Still | None = None
    comes_in_rounds: bool = False
    urgent: Texts | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One of the notices that a message tells together."""

    kind: str
    titles: Texts = field(repr=False)
    texts: Texts = field(repr=False)
    href: str
    case_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Letter:
    """One message as a channel sends it. `id` stays the same over repeated deliveries; `items` are what it tells together."""

    id: str
    address: str = field(repr=False)
    kind: str
    title: str = field(repr=False)
    text: str = field(repr=False)
    language: Language
    at: datetime
    recipient: str = ""
    titles: Texts = field(default_factory=dict, repr=False)
    texts: Texts = field(default_factory=dict, repr=False)
    href: str = ""
    case_id: str = ""
    secret: bytes = field(default=b"", repr=False)
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class Channel:
    """A way to reach people (通知渠道) beside the page.

    `deliver` returns once the other side has taken the letter. Raises there: Transient to be tried again,
    Terminal for good. `check` returns an address as it is kept, or raises BadAddress. `place` names what may be
    out of order for everybody. `is_ready` tells whether this node has it. `waits` honours quiet hours.
    `own` is an address that persons enter and prove themselves.
    """

    code: str
    title: Texts
    deliver: Callable[[Letter], None]
    check: Callable[[str], str]
    mask: Callable[[str], str]
    place: Callable[[Letter], str]
    is_ready: Callable[[], bool]
    waits: bool = True
    own: bool = True


FindCase = Callable[[str, Actor | None], tuple[str, str]]
"""Returns of a case its number, and its address if the actor may see it."""


@dataclass(frozen=True, slots=True)
class TextMessage:
    """One SMS (短信)."""

    id: str
    number: str = field(repr=False)
    text: str = field(repr=False)
    at: datetime


class SmsAdapter(Protocol):
    """A gateway of SMS. Raises: ChannelUnavailable to be tried again, AddressRefused for good."""

    def __call__(self, message: TextMessage) -> None:
        """Return once the gateway has taken the message; `message.id` keeps repetitions apart."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice (通知) as its recipient reads it, in the membership that it concerns ("": in any)."""

    id: str
    kind: str
    kind_title: Texts
    title: Texts
    text: Texts
    href: str
    case_id: str
    sent_at: datetime
    read_at: datetime | None
    organization: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """How many notices one has not read in another of one's memberships: no more of them is told here."""

    membership_id: int
    organization: str
    organization_name: str
    role: str
    role_title: Texts
    unread: int


@dataclass(frozen=True, slots=True)
class Contact:
    """An address (联系方式) as people see it: masked. `user_id` or `organization` says whose.

    `resend_at`: from when on another code may be asked for.
    """

    id: int
    channel: str
    masked: str
    verified_at: datetime | None
    code_until: datetime | None
    user_id: int | None = None
    organization: str = ""
    resend_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """A registered webhook with the secret that signs: shown once, kept sealed."""

    contact: Contact
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Failure:
    """A message that one did not get by a channel, and why; `is_dropped` where it was not even tried."""

    id: str
    channel: str
    title: Texts
    reason: Texts
    failed_at: datetime
    is_dropped: bool = False


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a person has chosen. `wanted` holds (kind, channel) pairs; quiet hours are wall time in China.

    `urgent_through`: what is urgent leaves in quiet hours too.
    """

    wanted: frozenset[tuple[str, str]]
    quiet_from: time | None
    quiet_until: time | None
    language: Language
    urgent_through: bool = False
