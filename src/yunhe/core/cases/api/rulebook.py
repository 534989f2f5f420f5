"""What packs hold beside the kinds: decision tables by version, limits by date; read through small caches."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from functools import lru_cache
from itertools import pairwise
from typing import Any

from django.db import transaction
from django.db.models import Max, Q

from yunhe.core.cases.errors import BadKind, LimitNotInForce, TableNotFound
from yunhe.core.cases.models import LimitRecord, TableRecord
from yunhe.core.cases.rules.books import Rulebook
from yunhe.core.cases.rules.fields import checked, scalar_types, typed_scalar
from yunhe.core.cases.types import FieldSpec, LimitInForce, TableInfo, Titles
from yunhe.core.evidence import api as evidence
from yunhe.core.organizations import api as organizations
from yunhe.engine.decisions import Analysis, Decision, Table, analyse, read_table
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now

CREDIT_CODE = re.compile(r"(?<![0-9A-Z])[0-9A-Z]{18}(?![0-9A-Z])")
ONE_ANSWER = ("unique", "any")
COLUMNS = {"inputs": "in", "outputs": "out"}
OPEN_ENDED = ("collect", "rule_order", "output_order")


def publish_table(*, declaration: Mapping[str, Any], rules: str, source: str, actor: Actor) -> TableInfo:
    """Make this text the newest version of a decision table (决策表); the same again changes nothing,
    other titles alone only what people read.

    Raises: TableRefused with every mistake of the text; BadKind for two rules that say different things about one
    case, for a case that no rule answers (unless the table has a default or collects), or for a rule that never wins.
    """
    actor.require("packs.load")
    table = require_complete(declaration, rules)
    code = table.name
    with transaction.atomic():
        row = TableRecord.objects.filter(code=code).order_by("-number").first()
        if row is None or row.digest != table.digest:
            row = TableRecord.objects.create(
                code=code, number=row.number + 1 if row else 1, digest=table.digest, declaration=dict(declaration),
                rules=rules, source=source, loaded_at=now(), loaded_by=actor.id,
            )  # fmt: skip
            facts = {"table": code, "number": row.number, "digest": row.digest, "source": source}
            evidence.append(kind="case.table_published", actor=actor, subject_type="decision_table", subject_id=code, facts=facts)
        elif json.dumps(row.declaration) != json.dumps(declaration):  # it decides the same and is called or ordered otherwise
            row.declaration = dict(declaration)
            row.save(update_fields=["declaration"])
    return _info(row)


def require_complete(declaration: Mapping[str, Any], rules: str) -> Table:
    """Return the table if every case has its one answer. Raises: TableRefused, BadKind as `publish_table`."""
    table = _read(declaration, rules)
    problem = next(tell_holes(table), None)
    if problem:
        raise BadKind(name=table.name, where="tables", problem=problem[0], problem_en=problem[1])
    return table


def tell_holes(table: Table) -> Iterator[tuple[str, str]]:
    """Yield what keeps a table from being published, in Chinese and in English."""
    yield from _holes(table, analyse(table))


def find_title(*, code: str) -> Mapping[str, str]:
    """Return the title of a table's newest version by language. Raises: TableNotFound."""
    row = TableRecord.objects.filter(code=code).order_by("-number").first()
    if row is None:
        raise TableNotFound(name=code)
    return _info(row).title


def get_table(*, code: str, digest: str = "") -> Table:
    """Return the newest version of a table, or the one of a digest. Raises: TableNotFound."""
    rows = TableRecord.objects.filter(code=code, **({"digest": digest} if digest else {}))
    found = rows.order_by("-number").values_list("digest", flat=True).first()
    if found is None:
        raise TableNotFound(name=code)
    return _parsed(code, found)


def decide(*, code: str, values: Mapping[str, Any], on: date, digest: str = "") -> Decision:
    """Return what a table answers with the rules of a day; `digest` names an earlier version.

    Raises: TableNotFound, and what `Table.decide` raises.
    """
    return get_table(code=code, digest=digest).decide(values, on=on)


def try_table(*, code: str, values: Mapping[str, Any], on: date) -> Decision:
    """Return what the newest version answers for values as a form has them.

    Raises: FieldsInvalid, TableNotFound, and what `Table.decide` raises.
    """
    specs = table_fields(code=code)
    clean, types = checked(specs, values), scalar_types(specs)
    return decide(code=code, values={name: typed_scalar(types[name], value) for name, value in clean.items()}, on=on)


def table_fields(*, code: str) -> tuple[FieldSpec, ...]:
    """Return what a table asks, as the fields of a form. Raises: TableNotFound."""
    header = get_table(code=code).declaration
    asked = {**header.fields, **{one.name: one.type for one in header.inputs if not one.expression}}
    return tuple(
        FieldSpec(name=name, title=Titles(zh=name), type="text" if kind == "string" else kind) for name, kind in asked.items()
    )  # type: ignore[operator]


def list_rules(*, code: str) -> tuple[tuple[str, ...], tuple[tuple[int, tuple[str, ...]], ...]]:
    """Return the names of a table's columns, and of each rule its row and its cells as they were written.

    Raises: TableNotFound.
    """
    row = TableRecord.objects.filter(code=code).order_by("-number").first()
    if row is None:
        raise TableNotFound(name=code)
    header, *rows = csv.reader(io.StringIO(row.rules.removeprefix("\ufeff"), newline=""))
    return tuple(header), tuple((number, tuple(cells)) for number, cells in enumerate(rows, start=2) if any(cells))


def organizations_named(*, texts: Iterable[str]) -> dict[str, str]:
    """Return the names of the organisations whose credit codes stand in these texts, by code. Cost: one query."""
    codes = {code for text in texts for code in CREDIT_CODE.findall(text)}
    return {code: body.label for code, body in organizations.find_organizations(codes=codes).items()} if codes else {}


def column_titles(*, code: str) -> dict[str, Mapping[str, str]]:
    """Return the titles that a table's file gives its columns (`in:x`, `out:x`), by language. Raises: TableNotFound."""
    row = TableRecord.objects.filter(code=code).order_by("-number").first()
    if row is None:
        raise TableNotFound(name=code)
    specs = ((f"{sign}:{name}", _titles(spec)) for part, sign in COLUMNS.items() for name, spec in (row.declaration.get(part) or {}).items())
    return {column: told for column, told in specs if told}


def list_tables() -> tuple[TableInfo, ...]:
    """Return every decision table at its newest version, by code."""
    newest = TableRecord.objects.values("code").annotate(newest=Max("pk")).values_list("newest", flat=True)
    return tuple(_info(row) for row in TableRecord.objects.filter(pk__in=list(newest)).order_by("code"))


def replace_limits(*, limits: Iterable[LimitInForce], source: str) -> int:
    """Make these the limits of their codes, all periods of a code at a time; return how many codes changed.

    Clocks that run keep the limit that they began with. Raises: BadKind for periods of a code that meet or do not adjoin.
    """
    by_code: dict[str, list[LimitInForce]] = {}
    for limit in sorted(limits, key=lambda one: (one.code, one.valid_from)):
        by_code.setdefault(limit.code, []).append(limit)
    changed = 0
    with transaction.atomic():
        for code, periods in by_code.items():
            _require_adjoining(code, periods)
            if list_limits(code=code) != tuple(periods):
                changed += 1
                LimitRecord.objects.filter(code=code).delete()
                LimitRecord.objects.bulk_create(_row(one, source) for one in periods)
    return changed


def list_limits(*, code: str = "") -> tuple[LimitInForce, ...]:
    """Return the dated limits, of one code or all, by code and date."""
    rows = LimitRecord.objects.filter(**({"code": code} if code else {})).order_by("code", "valid_from")
    return tuple(_limit(row) for row in rows)


def limit_in_force(code: str, on: date) -> LimitInForce:
    """Return the limit of a code that is in force on a day. Raises: LimitNotInForce."""
    known = LimitRecord.objects.filter(code=code, valid_from__lte=on)
    row = known.filter(Q(valid_until__isnull=True) | Q(valid_until__gt=on)).first()
    if row is None:
        called = LimitRecord.objects.filter(code=code).exclude(title="").order_by("-valid_from").values_list("title", flat=True).first()
        raise LimitNotInForce(code=code, on=on.isoformat(), titles={"code": {"zh": called, "en": called}} if called else {})
    return _limit(row)


def _newest_table(code: str) -> Table:
    return get_table(code=code)


BOOK = Rulebook(_newest_table, limit_in_force)


@lru_cache(maxsize=256)
def _parsed(code: str, digest: str) -> Table:
    row = TableRecord.objects.filter(code=code, digest=digest).latest("number")
    return _read(row.declaration, row.rules)


def _read(declaration: Mapping[str, Any], rules: str) -> Table:
    code = str(declaration.get("code", ""))
    told = {name: value for name, value in declaration.items() if name not in ("code", "title")}
    told |= {part: {name: _untitled(spec) for name, spec in told[part].items()} for part in COLUMNS if isinstance(told.get(part), dict)}
    return read_table({**told, "name": code}, rules, file=f"tables/{code}.csv")


def _untitled(spec: Any) -> Any:
    """Return a column's declaration without what people read for it, if that is such a text."""
    if isinstance(spec, dict) and _titles(spec):
        return {name: value for name, value in spec.items() if name != "title"}
    return spec


def _titles(spec: Any) -> Mapping[str, str]:
    told = spec.get("title") if isinstance(spec, dict) else None
    told = {"zh": told} if isinstance(told, str) else told
    if not (isinstance(told, dict) and told.get("zh") and all(isinstance(text, str) for text in told.values())):
        return {}
    return {"zh": told["zh"], "en": told.get("en") or told["zh"]}


def _holes(table: Table, found: Analysis) -> Iterator[tuple[str, str]]:
    header = table.declaration
    if header.hit in ONE_ANSWER:
        for one in found.overlaps:
            if header.hit == "unique" or one.differs:
                rows = f"{one.first.row}, {one.second.row}"
                yield f"第 {rows} 行对同一情形都适用：{_said(one.witness)}", f"rows {rows} both hold for {_said(one.witness)}"
    if not any(output.has_default for output in header.outputs) and not header.hit.startswith(OPEN_ENDED):
        for gap in found.gaps:
            yield f"没有一行适用于：{_said(gap)}", f"no row holds for {_said(gap)}"
    for rule in found.unreached:
        yield f"第 {rule.row} 行永远用不上：它的情形都先由前面的行决定", f"row {rule.row} is never used: other rows always come first"
    if found.too_large:
        yield "规则太多，无法核对重叠和遗漏，请拆成几张表", "too many rules to check for overlaps and gaps; split the table"


def _said(witness: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in witness.items())


def _require_adjoining(code: str, periods: list[LimitInForce]) -> None:
    for earlier, later in pairwise(periods):
        if earlier.valid_until != later.valid_from:
            overlap = earlier.valid_until is None or earlier.valid_until > later.valid_from
            said, said_en = ("重叠", "meet") if overlap else ("不相接", "leave days without a limit")
            problem = f"自 {earlier.valid_from} 与自 {later.valid_from} 的两段{said}"
            problem_en = f"the periods from {earlier.valid_from} and from {later.valid_from} {said_en}"
            raise BadKind(name=code, where="limits", problem=problem, problem_en=problem_en)


_LIMIT_FIELDS = ("code", "title", "amount", "unit", "basis", "extend_most", "valid_from", "valid_until")


def _row(one: LimitInForce, source: str) -> LimitRecord:
    told = {name: getattr(one, name) for name in _LIMIT_FIELDS}
    return LimitRecord(**told, source=source, loaded_at=now())


def _limit(row: LimitRecord) -> LimitInForce:
    return LimitInForce(row.code, row.amount, row.unit, row.basis, row.valid_from, row.valid_until, row.title, row.extend_most)


def _info(row: TableRecord) -> TableInfo:
    table, told = _parsed(row.code, row.digest), row.declaration.get("title") or row.code
    title = told if isinstance(told, dict) else {"zh": told}
    hit, rules = table.declaration.hit, len(table.declaration.rules)
    named = {"zh": title["zh"], "en": title.get("en") or title["zh"]}
    return TableInfo(row.code, row.number, row.digest, named, hit, rules, row.source, row.loaded_at)
