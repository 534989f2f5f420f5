"""Kinds for who reads them: the list, the versions of one, the version that a case runs by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from django.db.models import Count

from yunhe.core.cases.api import kinds
from yunhe.core.cases.api.finding import GOES_ON
from yunhe.core.cases.api.rulebook import column_titles, get_table, list_limits
from yunhe.core.cases.api.seeing import Within, count_seen
from yunhe.core.cases.errors import CaseNotFound, KindNotFound
from yunhe.core.cases.models import CaseRecord, KindRecord
from yunhe.core.cases.rules import diagram as diagrams
from yunhe.core.cases.rules.blocks import blocks_of
from yunhe.core.cases.rules.bpmn import bpmn_of
from yunhe.core.cases.rules.drawing import svg_of
from yunhe.core.cases.types import FieldSpec, KindLine, KindSpec, KindVersion, LimitSpec, TableColumn
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import local, now
from yunhe.kernel.pages import Page, PageRequest


def list_kind_lines(*, request: PageRequest, actor: Actor) -> Page[KindLine]:
    """Return the kinds at their newest version, with how many cases run that the actor sees.

    Searches code and titles. Sorts: code, running. Raises: Refused without cases.view.
    """
    actor.require("cases.view")
    running = _running(actor)
    wanted = request.search.lower()
    named = (k for k in kinds.list_kinds() if any(wanted in text.lower() for text in (k.code, *k.title.values())))
    found = [KindLine(info, running[info.code], kinds.get_kind(code=info.code).by_form) for info in named]
    if request.sort.lstrip("-") == "running":
        found.sort(key=lambda line: line.running)
    if request.sort.startswith("-"):
        found.reverse()
    shown = found[request.offset : request.offset + request.limit]
    return Page(tuple(shown), len(found), request.page, request.limit, ())


def read_versions(*, code: str, actor: Actor) -> tuple[KindVersion, ...]:
    """Return the versions of a kind, newest first. Raises: Refused without cases.view, KindNotFound."""
    actor.require("cases.view", kind=code)
    running = _running_versions(actor, code)
    rows = KindRecord.objects.filter(code=code).order_by("-number").defer("body")
    found = tuple(_version(row, running.get(row.pk, 0)) for row in rows)
    if not found:
        raise KindNotFound(name=code)
    return found


def read_version(*, code: str, actor: Actor, number: int | None = None) -> KindSpec:
    """Return the text of one version, the newest if none is named. Raises: Refused without cases.view, KindNotFound."""
    actor.require("cases.view", kind=code)
    if number is None:
        return kinds.get_kind(code=code)
    row = KindRecord.objects.filter(code=code, number=number).first()
    if row is None:
        raise KindNotFound(name=f"{code} {number}")
    return kinds.spec_of(row)


def kind_of_case(*, case_id: str) -> KindSpec:
    """Return the text of the version that a case runs by, for who may see the case. Raises: CaseNotFound."""
    row = CaseRecord.objects.select_related("kind").defer("kind__body").filter(pk=case_id).first()
    if row is None:
        raise CaseNotFound(name=case_id)
    return kinds.spec_of(row.kind)


def draw_kind(*, code: str, language: str, actor: Actor, number: int | None = None) -> str:
    """Return the picture of a kind as an SVG file of its own. Raises: Refused without cases.view, KindNotFound."""
    kind = with_limits(read_version(code=code, actor=actor, number=number))
    told = kind.title.as_mapping()[language]
    diagram = diagrams.draw_kind(kind, language=language, roles=role_titles(language=language))
    return svg_of(diagram, title=told, description=f"{code} {told}", alone=True)


def export_bpmn(*, code: str, language: str, actor: Actor, number: int | None = None) -> str:
    """Return a kind as BPMN 2.0 with its layout, for reading. Raises: Refused without cases.view, KindNotFound."""
    kind = with_limits(read_version(code=code, actor=actor, number=number))
    return bpmn_of(kind, language=language, roles=role_titles(language=language))


def list_columns(*, code: str) -> dict[str, TableColumn]:
    """Return what people read for the columns of a table (`in:x`, `out:x`) and for the codes in their cells.

    Titles come from the table's file, else from the fields of kinds that it is asked with. Raises: TableNotFound.
    """
    found: dict[str, TableColumn] = {}
    for column, field in _fields_asked(code):
        labels = {choice.value: choice.title.as_mapping() for choice in field.choices}
        found.setdefault(column, TableColumn(field.title.as_mapping(), labels))
    for column, title in column_titles(code=code).items():
        found[column] = TableColumn(title, found[column].labels if column in found else {})
    return found


def role_titles(*, language: str) -> dict[str, str]:
    """Return what people read for a role's code."""
    return {role.code: role.title.get(language) or role.title["zh"] for role in organizations.list_roles()}


def with_limits(kind: KindSpec) -> KindSpec:
    """Return the kind with the dated limits that it uses as they are in force today."""
    today = local(now()).date()
    dated = (one for one in list_limits() if one.holds_on(today))
    known = {one.code: {"amount": one.amount, "unit": one.unit, "basis": one.basis, "extend_most": one.extend_most} for one in dated}

    def filled(limits: tuple[LimitSpec, ...]) -> tuple[LimitSpec, ...]:
        return tuple(one.model_copy(update=known.get(one.use, {})) for one in limits)

    obligations = {name: one.model_copy(update={"limits": filled(one.limits)}) for name, one in kind.obligations.items()}
    return kind.model_copy(update={"limits": filled(kind.limits), "obligations": obligations})


def _fields_asked(code: str) -> Iterator[tuple[str, FieldSpec]]:
    """Yield each column of a table with a field of a kind that it is asked with, or that takes what it answers."""
    columns = get_table(code=code).declaration
    for info in kinds.list_kinds():
        spec = kinds.get_kind(code=info.code)
        held = {field.name: field for field in spec.fields}
        for asked in (effect.decide for _, effects, _, _ in blocks_of(spec) for effect in effects):
            if asked and asked.table == code:
                used = {f"in:{one.name}": asked.inputs.get(one.name, f"data.{one.name}") for one in columns.inputs}
                used |= {f"out:{one.name}": f"data.{asked.into.get(one.name, one.name)}" for one in columns.outputs}
                yield from ((column, held[name.removeprefix("data.")]) for column, name in used.items() if name.removeprefix("data.") in held)


def _running(actor: Actor) -> Counter[str]:
    """Return how many cases run that the actor sees, by kind."""
    running = Counter[str]()
    for (kind, _), number in count_seen(actor, Within(GOES_ON)).items():
        running[kind] += number
    return running


def _running_versions(actor: Actor, code: str) -> dict[int, int]:
    """Return how many cases of a kind run that the actor sees, by version."""
    rows = CaseRecord.objects.visible_to(actor, states=GOES_ON).filter(kind_code=code)
    return dict(rows.order_by().values_list("kind_id").annotate(cases=Count("*")))


def _version(row: KindRecord, running: int) -> KindVersion:
    assert row.valid_from is not None
    return KindVersion(row.number, row.digest, row.source, row.valid_from, row.loaded_at, running)
