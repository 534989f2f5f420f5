"""Kinds and the workday calendar: published as dated data, read through small caches."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as part
from datetime import datetime
from difflib import get_close_matches
from functools import lru_cache, reduce
from operator import or_
from pathlib import Path

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.models import Q
from pydantic import ValidationError

from yunhe.core.cases.api import rulebook
from yunhe.core.cases.api.slots import list_effects, list_sources, resolve_element
from yunhe.core.cases.errors import BadKind, KindNotFound
from yunhe.core.cases.models import CalendarDayRecord, KindRecord
from yunhe.core.cases.rules.blocks import blocks_of
from yunhe.core.cases.rules.digests import digest_of
from yunhe.core.cases.rules.kinds import check_batch, check_decisions, check_kind, check_results, list_all_effects
from yunhe.core.cases.rules.settling import forms_of, settle_kind
from yunhe.core.cases.types import FieldSpec, KindInfo, KindSpec, LimitInForce
from yunhe.core.evidence import api as evidence
from yunhe.core.organizations import api as organizations
from yunhe.core.packs import api as packs
from yunhe.core.packs.errors import PackBroken
from yunhe.core.statements.api import ask
from yunhe.engine.decisions import Table
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import local, now
from yunhe.kernel.sayings import say_expected
from yunhe.kernel.workdays import CalendarDay, WorkdayCalendar

_specs: dict[str, KindSpec] = {}
_pausing: dict[str, bool] = {}


def publish_kind(*, spec: KindSpec, source: str, actor: Actor, beside: Beside | None = None) -> KindInfo:
    """Make this text the newest version of its kind; the same text again changes nothing, in another order only the order.

    `beside` are the kinds that are published in the same transaction, in whatever order.
    Raises: BadKind if the kind contradicts itself or calls an effect that nobody registered.
    """
    actor.require("packs.load")
    spec = settled(spec)
    require_sound(spec, beside)
    body = spec.model_dump(mode="json")
    digest = digest_of(body)
    with transaction.atomic():
        row = KindRecord.objects.filter(code=spec.code).order_by("-number").first()
        if row is None or row.digest != digest:
            row = _new_version(spec, digest, source, actor, number=row.number + 1 if row else 1)
        elif json.dumps(row.body) != json.dumps(body):  # the digest sorts mappings; what people see follows their order
            row.body = body
            row.save(update_fields=["body"])
            _specs.pop(digest, None)
    return _info(row)


def read_kind(*, path: Path) -> KindSpec:
    """Return the kind that a YAML file holds. Raises: BadKind with the place of what is wrong."""
    try:
        return KindSpec.model_validate(packs.read_declaration(data=path.read_bytes(), file=path.name))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or str(path)
        said, said_en = say_expected(first, "zh"), say_expected(first, "en")
        raise BadKind(name=path.name, where=where, problem=said, problem_en=said_en) from error
    except PackBroken as error:
        raise BadKind(name=path.name, where=str(path), problem=error.say("zh"), problem_en=error.say("en")) from error
    except OSError as error:
        problem = ("文件不存在或读不了，请核对路径", "there is no such file, or it cannot be read; check its path")
        raise BadKind(name=path.name, where=str(path), problem=problem[0], problem_en=problem[1]) from error


@dataclass(frozen=True, slots=True)
class Beside:
    """What is loaded in the same go as a kind and not there yet: other kinds, decision tables, limits."""

    kinds: Mapping[str, KindSpec] = part(default_factory=dict)
    tables: Mapping[str, Table] = part(default_factory=dict)
    limits: Mapping[str, Sequence[LimitInForce]] = part(default_factory=dict)


def require_sound(spec: KindSpec, beside: Beside | None = None) -> None:
    """Do nothing if the kind may be published. Raises: BadKind with the first contradiction."""
    spec = settled(spec)
    for where, problem, problem_en in (*_form_problems(spec), *check_kind(spec), *_world_problems(spec, beside or Beside())):
        raise BadKind(name=spec.code, where=where, problem=problem, problem_en=problem_en)


def require_roles(spec: KindSpec, more: Collection[str] = ()) -> None:
    """Do nothing if every role that the kind names is there, or among `more`. Raises: BadKind: nobody could ever hold another one."""
    known = {role.code for role in organizations.list_roles()} | {*more}
    for name, obligation in spec.obligations.items():
        for role in obligation.who.roles:
            if role not in known:
                near = get_close_matches(role, known) or sorted(known)
                problem, problem_en = f"没有岗位“{role}”，已有 {'、'.join(near)}", f'there is no role "{role}"; there are {", ".join(near)}'
                raise BadKind(name=spec.code, where=f"obligations.{name}.who.roles", problem=problem, problem_en=problem_en)


def settled(spec: KindSpec) -> KindSpec:
    """Return the kind as it is published: with what its fields take from the standards of today and from sources."""
    today = local(now()).date()

    def type_of(code: str) -> str | None:
        element = resolve_element(code, today)
        return element.type if element else None

    return settle_kind(spec, type_of)


def get_kind(*, code: str, number: int | None = None) -> KindSpec:
    """Return the newest published version, or the one of that number. Raises: KindNotFound."""
    row = current_kind(code) if number is None else KindRecord.objects.filter(code=code, number=number).first()
    if row is None:
        raise KindNotFound(name=f"{code} {number}")
    return spec_of(row)


def list_kinds() -> tuple[KindInfo, ...]:
    """Return every kind at its newest version, by code."""
    return tuple(_info(row) for row in _newest())


def titles_of(codes: Iterable[str]) -> dict[str, str]:
    """Return what these kinds are called at their newest version, in Chinese, by code. Cost: one query."""
    wanted = set(codes)
    versions = KindRecord.objects.order_by("code", "number").values_list("code", "digest") if wanted else ()
    newest = {code: digest for code, digest in versions if code in wanted}
    _keep_texts(digest for digest in newest.values() if digest not in _specs)
    return {code: _specs[digest].title.zh for code, digest in newest.items()}


def list_openable(*, actor: Actor) -> tuple[KindInfo, ...]:
    """Return the kinds that people open by a form and that the actor may open for their own organisation."""
    body = actor.organization or None
    found = []
    for row in _newest():
        spec = spec_of(row)
        if spec.by_form and actor.may(spec.opens.permission, organization=body, kind=spec.code):
            found.append(_info(row))
    return tuple(found)


def current_kind(code: str) -> KindRecord:
    """Return the row of the newest version, without its body."""
    row = KindRecord.objects.filter(code=code).order_by("-number").defer("body").first()
    if row is None:
        raise KindNotFound(name=code)
    return row


def version(kind_id: int, code: str, digest: str) -> KindRecord:
    """Return the row of one version of which this is read already; the rest is read where it is asked for."""
    return KindRecord.from_db(DEFAULT_DB_ALIAS, ("id", "code", "digest"), [kind_id, code, digest])


def spec_of(row: KindRecord) -> KindSpec:
    """Return the typed text of a version; parsed once per digest."""
    spec = _specs.get(row.digest)
    if spec is None:
        spec = _specs[row.digest] = KindSpec.model_validate(row.body)
    return spec


def pauses_clocks(row: KindRecord) -> bool:
    """Tell whether an effect of the kind stops or starts clocks, which needs more of the rows."""
    known = _pausing.get(row.digest)
    if known is None:
        known = _pausing[row.digest] = any(e.pause_clocks or e.resume_clocks for e in list_all_effects(spec_of(row)))
    return known


def all_digests() -> tuple[str, ...]:
    """Return every version of every published kind, as a key for what is asked of all of them. Cost: one query."""
    return tuple(KindRecord.objects.order_by("id").values_list("digest", flat=True))


def for_people(digests: tuple[str, ...]) -> Q:
    """Return the condition of obligations that people can end: not those that wait for a room or for a sub-case alone."""
    return _seats_of_all(digests)[1]


def is_for_people(spec: KindSpec, name: str) -> bool:
    """Tell whether people can end an obligation; else it waits for a room or for a sub-case."""
    return any(not action.by_room for action in spec.obligation(name).actions.values())


def role_sets(role: str, digests: tuple[str, ...]) -> tuple[str, ...]:
    """Return the role and every stored set of roles (`a+b`) of any of these kinds that holds it."""
    return tuple(dict.fromkeys((role, *(text for text in _seats_of_all(digests)[0] if role in text.split("+"))))) if role else ()


@lru_cache(maxsize=8)
def distinct_groups(digests: tuple[str, ...]) -> Q:
    """Return the condition of obligations whose group takes a different person for each. Cost: one query."""
    found: dict[str, list[int]] = {}
    for row in KindRecord.objects.filter(digest__in=digests):
        for name in [name for name, group in spec_of(row).groups.items() if group.distinct]:
            found.setdefault(name, []).append(row.pk)
    return reduce(or_, (Q(case__kind__in=versions, group=name) for name, versions in found.items()), Q(pk=None))


def replace_calendar(*, days: Iterable[CalendarDay], source: str, at: datetime | None = None) -> tuple[int, int]:
    """Put days into the calendar, years at a time; return (days now held, days changed).

    A year that the given days name is replaced as a whole, so a withdrawn notice leaves nothing behind.
    """
    given = {day.on: day for day in days}
    years = {on.year for on in given}
    with transaction.atomic():
        held = {row.on: row for row in CalendarDayRecord.objects.filter(on__year__in=years)}
        fresh = [day for on, day in given.items() if on not in held or not _same(held[on], day)]
        gone = [on for on in held if on not in given]
        CalendarDayRecord.objects.filter(on__in=[*gone, *(day.on for day in fresh)]).delete()
        moment = at or now()
        CalendarDayRecord.objects.bulk_create(
            CalendarDayRecord(on=d.on, kind=d.kind, name=d.name, basis=d.basis, source=source, loaded_at=moment)
            for d in fresh
        )
    return len(given), len(fresh) + len(gone)


def calendar() -> WorkdayCalendar:
    """Return the workday calendar as loaded; kept until a day changes."""
    key = ask(connections[DEFAULT_DB_ALIAS], _CALENDAR_MARK, ())[0]
    held = _calendars.get("current")
    if held is None or held[0] != key:
        rows = CalendarDayRecord.objects.order_by("on")
        held = (key, WorkdayCalendar(_day(row) for row in rows))
        _calendars["current"] = held
    return held[1]


_calendars: dict[str, tuple[object, WorkdayCalendar]] = {}
_CALENDAR_MARK = """SELECT (SELECT COUNT(*) FROM cases_calendar_day), (SELECT MAX(loaded_at) FROM cases_calendar_day),
    (SELECT MAX("on") FROM cases_calendar_day)"""


def _newest() -> tuple[KindRecord, ...]:
    newest: dict[str, KindRecord] = {}
    for row in KindRecord.objects.defer("body").order_by("code", "number"):
        newest[row.code] = row
    keep_specs(newest.values())
    return tuple(newest.values())


def keep_specs(rows: Iterable[KindRecord]) -> None:
    """Do read, by one query, the texts of these versions that are not known yet."""
    _keep_texts(row.digest for row in rows if row.digest not in _specs)


def _keep_texts(digests: Iterable[str]) -> None:
    missing = set(digests)
    for digest, body in KindRecord.objects.filter(digest__in=missing).values_list("digest", "body") if missing else ():
        if digest not in _specs:
            _specs[digest] = KindSpec.model_validate(body)


def _new_version(spec: KindSpec, digest: str, source: str, actor: Actor, number: int) -> KindRecord:
    at = now()
    KindRecord.objects.filter(code=spec.code, valid_until__isnull=True).update(valid_until=local(at).date())
    row = KindRecord.objects.create(
        code=spec.code,
        number=number,
        digest=digest,
        body=spec.model_dump(mode="json"),
        source=source,
        valid_from=local(at).date(),
        loaded_at=at,
        loaded_by=actor.id,
    )
    facts = {"kind": spec.code, "number": number, "digest": digest, "source": source}
    evidence.append(kind="case.kind_published", actor=actor, subject_type="case_kind", subject_id=spec.code, facts=facts)
    return row


def _world_problems(spec: KindSpec, beside: Beside) -> Iterator[tuple[str, str, str]]:
    """Yield what does not fit what is registered and published: effects, tables, limits, the kind of members."""
    yield from _effect_problems(spec)
    asked = {e.decide.table for e in list_all_effects(spec) if e.decide}
    yield from check_decisions(spec, {**_tables(asked), **beside.tables})
    if spec.batch:
        yield from check_batch(spec, beside.kinds.get(spec.batch.kind) or _find_kind(spec.batch.kind))
    for name, child in ((name, o.child) for name, o in spec.obligations.items() if o.child):
        yield from check_results(spec, name, beside.kinds.get(child.kind) or _find_kind(child.kind))
    limits = [("limits", limit) for limit in spec.limits]
    limits += [(f"obligations.{name}.limits", limit) for name, o in spec.obligations.items() for limit in o.limits]
    today = local(now()).date()
    for where, limit in limits:
        periods = beside.limits.get(limit.use) or rulebook.list_limits(code=limit.use) if limit.use else ()
        if limit.use and not periods:
            yield where, f"没有时限“{limit.use}”", f'there is no limit "{limit.use}"'
        elif limit.use and not any(one.holds_on(today) for one in periods):
            yield where, f"时限“{limit.use}”今天没有生效", f'the limit "{limit.use}" is not in force today'


def _find_kind(code: str) -> KindSpec | None:
    try:
        return get_kind(code=code)
    except KindNotFound:
        return None


def _tables(codes: Iterable[str]) -> dict[str, Table]:
    known = {one.code for one in rulebook.list_tables()}
    return {code: rulebook.get_table(code=code) for code in codes if code in known}


def _effect_problems(spec: KindSpec) -> Iterable[tuple[str, str, str]]:
    known = list_effects()
    for where, effects, _form, _group in blocks_of(spec):
        for effect in effects:
            if effect.call and effect.call not in known:
                yield where, f"没有登记过“{effect.call}”", f'no effect "{effect.call}" is registered'
            elif effect.call and not effect.arguments.keys() <= known[effect.call]:
                extra = ", ".join(sorted(effect.arguments.keys() - known[effect.call]))
                yield where, f"“{effect.call}”没有参数 {extra}", f'"{effect.call}" takes no {extra}'


def _form_problems(spec: KindSpec) -> Iterable[tuple[str, str, str]]:
    today, sources = local(now()).date(), list_sources()
    for where, fields, _named, _data in forms_of(spec):
        for field in fields:
            at = f"{where}.{field.name}"
            for code in _elements_in(field):
                if resolve_element(code, today) is None:
                    yield at, f"数据标准里没有数据元“{code}”", f'the standards hold no element "{code}"'
            if field.source and field.source.code not in sources:
                yield at, f"没有登记过取数来源“{field.source.code}”", f'no source "{field.source.code}" is registered'
            elif field.source and field.source.arguments.keys() != sources[field.source.code]:
                needed = ", ".join(sorted(sources[field.source.code]))
                yield at, f"取数来源“{field.source.code}”需要参数 {needed}", f'the source "{field.source.code}" takes {needed}'


def _elements_in(field: FieldSpec) -> Iterable[str]:
    yield from filter(None, (field.element, *(inner.element for inner in field.fields)))


@lru_cache(maxsize=8)
def _seats_of_all(digests: tuple[str, ...]) -> tuple[frozenset[str], Q]:
    """Return every stored set of roles of these kinds, and the condition of what people can end. Cost: one query."""
    sets, told = set[str](), dict[tuple[str, str], dict[int, bool]]()
    for row in KindRecord.objects.filter(digest__in=digests):
        spec = spec_of(row)
        for name, obligation in spec.obligations.items():
            sets |= {"+".join(sorted(obligation.who.roles))} - {""}
            told.setdefault((row.code, name), {})[row.pk] = is_for_people(spec, name)
    condition = Q()
    for (code, name), versions in told.items():
        waits = [key for key, people in versions.items() if not people]
        of_these = Q() if len(waits) == len(versions) else Q(case__kind__in=waits)
        condition &= ~Q(of_these, kind_code=code, name=name) if waits else Q()
    return frozenset(sets), condition


def _day(row: CalendarDayRecord) -> CalendarDay:
    return CalendarDay(row.on, "makeup" if row.kind == "makeup" else "holiday", row.name, row.basis)


def _same(row: CalendarDayRecord, day: CalendarDay) -> bool:
    return (row.kind, row.name, row.basis) == (day.kind, day.name, day.basis)


def _info(row: KindRecord) -> KindInfo:
    spec = spec_of(row)
    about = spec.about.as_mapping() if spec.about else {}
    return KindInfo(row.code, row.number, row.digest, spec.title.as_mapping(), row.source, row.loaded_at, about)
