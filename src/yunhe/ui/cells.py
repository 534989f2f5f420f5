"""What views hand to components: small typed values that know how they look, nothing of any room."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

Tone = Literal["canal", "grey", "green", "amber", "red"]
Cell = Any  # str, int, float, bool, None, datetime, date, Tag, Meter, Link, Lines, Code, or a tuple of them


@dataclass(frozen=True, slots=True)
class Tag:
    """A short state on one line. canal: can or is; green: met; amber: wait; red: refused, overdue; grey: plain."""

    text: str
    tone: Tone = "canal"


@dataclass(frozen=True, slots=True)
class Meter:
    """A share drawn as a bar beside its figure. Units: share 0..1; None says "not measured"."""

    share: float | None
    text: str = ""
    good: float = 0.95
    fair: float = 0.8


@dataclass(frozen=True, slots=True)
class Link:
    """A link, with an optional second line in grey below it."""

    text: str
    href: str
    sub: str = ""


@dataclass(frozen=True, slots=True)
class Lines:
    """What decides on the first line, code and count on the second."""

    first: Any
    second: Any = ""


@dataclass(frozen=True, slots=True)
class Code:
    """An identifier or a digest: fixed-width figures, may break anywhere."""

    text: str


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its title and how to take its cell from a row.

    `sort` names the field that the list can be sorted by. `number` aligns right. `wide` lets long text take
    the room; every other column stays on one line. `sub` is the title of what stands on the second line of its
    cells, where an export gives that a column of its own.
    """

    title: str
    value: Callable[[Any], Cell]
    sort: str = ""
    number: bool = False
    wide: bool = False
    sub: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A declared table. `caption` names it for screen readers; one of few short columns `stays` a table on a phone."""

    columns: Sequence[Column]
    rows: Sequence[Any]
    caption: str
    empty: Empty | None = None
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Empty:
    """Nothing here, and the next step."""

    title: str
    text: str = ""
    action: str = ""
    href: str = ""


@dataclass(frozen=True, slots=True)
class Kpi:
    """A number with its name above and its target or date below; `href` opens the rows behind it.

    `state`: "" plain, "met", "warn" or "missed"; `note` is the line below and says so in words too.
    """

    title: str
    value: Any
    href: str = ""
    note: str = ""
    state: Literal["", "met", "warn", "missed"] = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a way. `state`: done, now, next or failed."""

    title: str
    state: Literal["done", "now", "next", "failed"] = "next"
    note: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a timeline. `open` marks what is still waited for, `tags` what is special about it, in words."""

    text: str
    at: datetime | date | None = None
    note: str = ""
    open: bool = False
    tags: tuple[Tag, ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """One line of a key-value list."""

    label: str
    value: Cell


@dataclass(frozen=True, slots=True)
class TabItem:
    """One tab: a link to its own address, `current` where one is."""

    title: str
    href: str
    current: bool = False
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Action:
    """A thing one can do. `post` makes it a small form; otherwise it is a link to a page that asks."""

    label: str
    href: str
    tone: Literal["primary", "plain", "danger"] = "plain"
    post: bool = False
    icon: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is. `total` None: unknown. `poll` is the address of the fragment; "" when it ended."""

    title: str
    done: int
    total: int | None
    note: str = ""
    poll: str = ""

    @property
    def share(self) -> float | None:
        return None if not self.total else min(self.done / self.total, 1.0)
