"""What a transition may ask beside its kind: decision tables, dated limits, how groups stood, what was left unread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

from yunhe.core.cases.errors import LimitNotInForce, TableNotFound
from yunhe.core.cases.types import LimitInForce
from yunhe.engine.decisions import Table


def no_table(code: str) -> Table:
    """Do refuse: there are no tables. Raises: TableNotFound."""
    raise TableNotFound(name=code)


def no_limit(code: str, on: date) -> LimitInForce:
    """Do refuse: there are no dated limits. Raises: LimitNotInForce."""
    raise LimitNotInForce(code=code, on=on)


@dataclass(frozen=True, slots=True)
class Rulebook:
    """What the packs hold beside the kinds: decision tables by code, dated limits by code and day."""

    table: Callable[[str], Table] = no_table
    limit: Callable[[str, date], LimitInForce] = no_limit


NO_BOOK = Rulebook()


@dataclass(frozen=True, slots=True)
class GroupCount:
    """How one group stood before the transition, over all its obligations that no send-back superseded."""

    outcomes: Mapping[str, int] = field(default_factory=dict)
    open: int = 0
    scores: tuple[Decimal, ...] = ()


@dataclass(frozen=True, slots=True)
class Others:
    """Open obligations that a transition did not read: what is due first of them and whether that is estimated, and how to read them."""

    due_at: str | None
    estimated: bool
    read: Callable[[], Mapping[str, Mapping[str, Any]]]
