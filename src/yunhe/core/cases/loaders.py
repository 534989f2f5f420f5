"""How packs bring kinds, decision tables, dated limits and the workday calendar."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from yunhe.core.cases import api
from yunhe.core.cases.api.kinds import Beside
from yunhe.core.cases.errors import BadKind, KindNotFound, PackRulesMissing
from yunhe.core.cases.types import KindSpec, LimitInForce, Titles
from yunhe.core.cases.types.kinds import NAME
from yunhe.core.packs import api as packs
from yunhe.core.packs.errors import BadPackItem, RefusedPackItem
from yunhe.core.packs.types import ChangeAction, LoadContext, PackItem, PlannedChange
from yunhe.engine.decisions import Table, TableRefused
from yunhe.kernel.workdays import CalendarDay


class CalendarRow(BaseModel):
    """One row of `calendars/*.csv`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    on: date
    kind: Literal["holiday", "makeup"]
    name: str = Field(min_length=1, max_length=60)
    basis: str = Field(default="", max_length=300)


class TableModel(BaseModel):
    """One `tables/CODE.yml`: the declaration of a decision table; `tables/CODE.csv` beside it holds the rules."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: str = Field(pattern=NAME)
    title: Titles
    hit: str = "unique"
    fields: dict[str, Any] = Field(default_factory=dict)
    inputs: dict[str, Any]
    outputs: dict[str, Any]


class TableRow(BaseModel):
    """One row of `tables/*.csv`; its columns are the table's own, read with its declaration."""

    model_config = ConfigDict(frozen=True, extra="allow")


class LimitRow(BaseModel):
    """One row of `limits/*.csv`: a dated limit with its legal basis. `until` is the first day it no longer holds."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    code: str = Field(pattern=r"^[a-z][a-z0-9_.]{0,79}$")
    title: str = Field(default="", max_length=200)
    amount: int = Field(ge=0, le=3660)
    unit: Literal["workdays", "days", "hours"]
    basis: str = Field(min_length=1, max_length=500)
    extend_most: Annotated[int | None, BeforeValidator(lambda text: text or None)] = Field(default=None, ge=0, le=3660)
    valid_from: date = Field(alias="from")
    valid_until: Annotated[date | None, BeforeValidator(lambda text: text or None)] = Field(default=None, alias="until")

    def limit(self) -> LimitInForce:
        """Return the limit as the api takes it."""
        return LimitInForce(**self.model_dump())


def plan_tables(context: LoadContext, items: tuple[PackItem, ...]) -> Iterable[PlannedChange]:
    """Tell which decision tables would get a new version. Raises: RefusedPackItem with row and column."""
    held = {info.code: info.digest for info in api.list_tables()}
    for _item, code, table in _tables_in(context, items):
        action: ChangeAction = "create" if code not in held else "keep" if held[code] == table.digest else "update"
        yield PlannedChange("decision table", code, action)


def apply_tables(context: LoadContext, items: tuple[PackItem, ...]) -> None:
    """Publish every decision table of the pack; an unchanged one stays as it is."""
    for item, code, _table in _tables_in(context, items):
        declaration = item.value.model_dump(mode="json")
        api.publish_table(declaration=declaration, rules=_rules(context, code), source=context.manifest.name, actor=context.actor)


def plan_limits(context: LoadContext, items: tuple[PackItem, ...]) -> Iterable[PlannedChange]:
    """Tell which dated limits would change."""
    for code, limits in _limits_in(items).items():
        held = api.list_limits(code=code)
        yield PlannedChange("limit", code, "create" if not held else "keep" if held == limits else "update")


def apply_limits(context: LoadContext, items: tuple[PackItem, ...]) -> None:
    """Put the pack's limits into force, each code with all its periods. Raises: RefusedPackItem for periods that do not adjoin."""
    for code, limits in _limits_in(items).items():
        try:
            api.replace_limits(limits=limits, source=context.manifest.name)
        except BadKind as error:
            raise RefusedPackItem(item=next(i for i in items if i.value.code == code), error=error) from error


def _limits_in(items: tuple[PackItem, ...]) -> dict[str, tuple[LimitInForce, ...]]:
    found: dict[str, list[LimitInForce]] = {}
    for item in items:
        found.setdefault(item.value.code, []).append(item.value.limit())
    return {code: tuple(sorted(limits, key=lambda one: one.valid_from)) for code, limits in found.items()}


def _tables_in(context: LoadContext, items: Iterable[PackItem]) -> Iterator[tuple[PackItem, str, Table]]:
    for item in items:
        if isinstance(item.value, TableModel):
            try:
                declaration = item.value.model_dump(mode="json")
                yield item, item.value.code, api.require_complete(declaration, _rules(context, item.value.code))
            except (BadKind, TableRefused, PackRulesMissing) as error:
                raise RefusedPackItem(item=item, error=error) from error


def _rules(context: LoadContext, code: str) -> str:
    data = context.files.get(f"tables/{code}.csv")
    if data is None:
        raise PackRulesMissing(code=code)
    return data.decode("utf-8-sig")


def _beside(context: LoadContext, items: tuple[PackItem, ...]) -> Beside:
    """Return what the same pack brings beside a kind; a table or limit that is broken was told of as itself."""
    tables: dict[str, Table] = {}
    limits: dict[str, list[LimitInForce]] = {}
    for name, data in context.files.items():
        section, _, file = name.partition("/")
        if section == "tables" and file.endswith(".yml"):
            written = packs.read_declaration(data=data, file=name)
            for told in map(TableModel.model_validate, written if isinstance(written, list) else [written]):
                with suppress(BadKind, TableRefused, PackRulesMissing):
                    tables[told.code] = api.require_complete(told.model_dump(mode="json"), _rules(context, told.code))
        elif section == "limits" and file.endswith(".csv"):
            for row in csv.DictReader(io.StringIO(data.decode("utf-8-sig"))):
                with suppress(ValidationError):
                    limits.setdefault(row["code"], []).append(LimitRow.model_validate(row).limit())
    return Beside({item.value.code: item.value for item in items}, tables, limits)


def _roles_beside(context: LoadContext) -> set[str]:
    """Return the roles that the same pack declares; a broken file was told of as itself."""
    found = set[str]()
    for name, data in context.files.items():
        if name.startswith("roles/") and name.endswith((".yml", ".yaml")):
            written = packs.read_declaration(data=data, file=name)
            found |= {str(one.get("code")) for one in (written if isinstance(written, list) else [written]) if isinstance(one, dict)}
    return found


def plan_kinds(context: LoadContext, items: tuple[PackItem, ...]) -> Iterable[PlannedChange]:
    """Tell which kinds would get a new version. Raises: RefusedPackItem on one that contradicts itself."""
    beside, roles = _beside(context, items), _roles_beside(context)
    for item in items:
        spec: KindSpec = item.value
        try:
            api.require_sound(spec, beside)
            api.require_roles(spec, roles)
        except BadKind as error:
            raise RefusedPackItem(item=item, error=error) from error
        try:
            same = api.get_kind(code=spec.code) == api.settled(spec)
            yield PlannedChange("case kind", spec.code, "keep" if same else "update")
        except KindNotFound:
            yield PlannedChange("case kind", spec.code, "create")


def apply_kinds(context: LoadContext, items: tuple[PackItem, ...]) -> None:
    """Publish every kind of the pack; an unchanged one stays as it is."""
    beside = Beside({item.value.code: item.value for item in items})
    for item in items:
        api.publish_kind(spec=item.value, source=context.manifest.name, actor=context.actor, beside=beside)


def plan_calendar(context: LoadContext, items: tuple[PackItem, ...]) -> Iterable[PlannedChange]:
    """Tell which years would change. Raises: BadPackItem on a day named twice."""
    held = {day.on: (day.kind, day.name) for day in api.calendar().days}
    given: dict[date, tuple[str, str]] = {}
    for item in items:
        row: CalendarRow = item.value
        if row.on in given:
            raise BadPackItem(item=item, field="on", expected={"zh": "每个日期只出现一次", "en": "each day once"}, found=row.on.isoformat())
        given[row.on] = (row.kind, row.name)
    for year in sorted({on.year for on in given}):
        before = {on: told for on, told in held.items() if on.year == year}
        after = {on: told for on, told in given.items() if on.year == year}
        yield PlannedChange("calendar", str(year), "keep" if before == after else "update" if before else "create")


def apply_calendar(context: LoadContext, items: tuple[PackItem, ...]) -> None:
    """Replace the years that the pack names, then count running clocks anew."""
    days = (CalendarDay(row.on, row.kind, row.name, row.basis) for row in (item.value for item in items))
    _, changed = api.replace_calendar(days=days, source=context.manifest.name, at=context.at)
    if changed:
        api.recount_due(actor=context.actor)
