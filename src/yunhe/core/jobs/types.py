"""The shapes of jobs and of the outbox. States carry the names of Django's DEP 14."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from yunhe.kernel.actor import Actor

JobState = Literal["ready", "running", "successful", "failed", "cancelled"]
DeliveryState = Literal["open", "done", "dead", "dropped"]

DEFAULT_QUEUE = "default"
QUICK_QUEUE = "quick"
"""A lane of its own for short work, so that a long load never delays evidence or messages."""
SERVING_QUEUE = "serving"
"""A lane for what the gateway waits for, so that a long load never delays what was just released."""
QUEUES = (DEFAULT_QUEUE, QUICK_QUEUE, SERVING_QUEUE)

PERMISSIONS: dict[str, dict[str, str]] = {
    "jobs.view": {"zh": "查看作业", "en": "See jobs"},
    "jobs.manage": {"zh": "取消和重试作业", "en": "Cancel and retry jobs"},
}


class JobContext(Protocol):
    """What a running job is given."""

    job_id: str
    fence: int
    attempt: int
    actor: Actor

    def progress(self, done: int, total: int = 0, note: str = "") -> None:
        """Tell how far the work is. Cost: at most one small write per second."""

    def check(self) -> None:
        """Go on, or raise JobCancelled, LeaseLost, JobOutOfTime or WorkerStopping; renews the lease."""

    def fenced(self) -> AbstractContextManager[None]:
        """Open a transaction that commits only while this claim is the current one."""

    def conclude(self, result: Mapping[str, Any] | None = None) -> None:
        """Mark the job successful inside the open transaction, together with its effect.

        An effect written in the same transaction then happens exactly once, whatever dies when.
        Raises: LeaseLost (roll back), OutsideTransaction.
        """


RunJob = Callable[..., Mapping[str, Any] | None]
"""`run(context, **arguments)`; what it returns (counts) is kept as the job's result."""


@dataclass(frozen=True, slots=True)
class JobType:
    """A registered job: what runs, who may ask for it, how often and how long it may take."""

    name: str
    run: RunJob = field(repr=False)
    title: Mapping[str, str]
    permission: str
    every_seconds: int | None = None
    limit_seconds: int = 3600
    attempts: int = 5
    queue: str = DEFAULT_QUEUE


@dataclass(frozen=True, slots=True)
class JobInfo:
    """One job (作业) as it stands. Units: progress in the job's own units, `progress_total` 0 = unknown."""

    id: str
    name: str
    title: Mapping[str, str]
    queue: str
    key: str
    arguments: Mapping[str, Any]
    actor_id: str
    actor_name: str
    organization: str
    state: JobState
    every_seconds: int | None
    enqueued_at: datetime
    run_after: datetime
    started_at: datetime | None
    finished_at: datetime | None
    attempts: int
    attempts_limit: int
    runs: int
    fence: int
    cancel_requested: bool
    progress_done: int
    progress_total: int
    progress_note: str
    result: Mapping[str, Any] | None
    error_code: str
    error: Mapping[str, str]

    @property
    def is_open(self) -> bool:
        """Tell whether the job is still waiting or running."""
        return self.state in ("ready", "running")

    @property
    def share(self) -> float | None:
        """Return the progress. Units: 0..1; None while the total is unknown."""
        return min(1.0, self.progress_done / self.progress_total) if self.progress_total > 0 else None


@dataclass(frozen=True, slots=True)
class RunCount:
    """What a round of running brought."""

    seen: int = 0
    successful: int = 0
    failed: int = 0
    retried: int = 0
    cancelled: int = 0
    lost: int = 0

    def __iter__(self) -> Iterator[tuple[str, int]]:
        for name in ("seen", "successful", "failed", "retried", "cancelled", "lost"):
            yield name, getattr(self, name)


@dataclass(frozen=True, slots=True)
class Message:
    """One message (发件) as a subscriber gets it. `id` is stable over repeated deliveries."""

    id: str
    topic: str
    key: str
    payload: Mapping[str, Any]
    published_at: datetime
    attempt: int = 1


HandleMessage = Callable[[Message], None]


@dataclass(frozen=True, slots=True)
class Told:
    """One of the things that a message tells together; as `About`, each by itself."""

    title: Mapping[str, str]
    number: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """What a message is about, as the room that wrote it tells whoever asks.

    `number` names a case, `href` leads there: "" where the asker may not see it, and the title then tells nothing of
    its content. What tells several things together has them all in `items`, and says here only how many they are.
    `tries` and `error` are of the last try outside, where the room made it. `is_final`: the other side refused for
    good, trying again changes nothing.
    """

    title: Mapping[str, str] = field(default_factory=dict)
    whom: str = ""
    way: Mapping[str, str] = field(default_factory=dict)
    number: str = ""
    href: str = ""
    tries: int = 0
    error: Mapping[str, str] = field(default_factory=dict)
    is_final: bool = False
    items: tuple[Told, ...] = ()


TellAbout = Callable[[Message, Actor | None], About]
"""Without an actor only what everybody may read who sees dead letters."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that a subscriber could not take (死信); `title` says what was to happen, `about` for whom and what.

    A dropped one names who decided, when and why.
    """

    delivery_id: int
    subscriber: str
    message: Message
    tries: int
    error_code: str
    error: Mapping[str, str]
    title: Mapping[str, str] = field(default_factory=dict)
    about: About = field(default_factory=About)
    state: DeliveryState = "dead"
    tried_at: datetime | None = None
    decided_by: str = ""
    decided_at: datetime | None = None
    reason: str = ""
