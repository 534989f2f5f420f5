"""What a transition may ask beside its kind: decision tables and dated limits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

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
