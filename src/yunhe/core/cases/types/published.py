"""What was published and is in force: kinds, decision tables, dated limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from yunhe.kernel.errors import YunheError


@dataclass(frozen=True, slots=True)
class KindInfo:
    """One published kind (办件类型) at its newest version."""

    code: str
    number: int
    digest: str
    title: Mapping[str, str]
    source: str
    loaded_at: datetime
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class KindLine:
    """One line of the list of kinds: the newest version, and how many cases of it all the reader sees running."""

    info: KindInfo
    running: int
    by_form: bool


@dataclass(frozen=True, slots=True)
class KindVersion:
    """One version of a kind and how many cases of it the reader sees running."""

    number: int
    digest: str
    source: str
    valid_from: date
    loaded_at: datetime
    running: int


@dataclass(frozen=True, slots=True)
class TableInfo:
    """One published decision table (决策表) at its newest version."""

    code: str
    number: int
    digest: str
    title: Mapping[str, str]
    hit: str
    rules: int
    source: str
    loaded_at: datetime


@dataclass(frozen=True, slots=True)
class TableColumn:
    """What people read for one column of a decision table, and for each code in its cells."""

    title: Mapping[str, str]
    labels: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class ConvertedTable:
    """A decision table out of a DMN file as a pack holds it: `declaration` is `tables/CODE.yml`, `rules` `tables/CODE.csv`.

    `passed_over` are the parts of the file that were not taken over (each an error to be told, none changes a decision),
    `holes` what keeps the table from being published, in both languages.
    """

    code: str
    title: Mapping[str, str]
    hit: str
    count: int
    digest: str
    declaration: str
    rules: str
    passed_over: tuple[YunheError, ...]
    holes: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class LimitInForce:
    """One dated limit (法定或承诺时限), in force from `valid_from` to before `valid_until`."""

    code: str
    amount: int
    unit: str
    basis: str
    valid_from: date
    valid_until: date | None
    title: str = ""
    extend_most: int | None = None

    def holds_on(self, on: date) -> bool:
        """Tell whether it is in force on a day."""
        return self.valid_from <= on and (self.valid_until is None or on < self.valid_until)
