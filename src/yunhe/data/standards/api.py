"""Standards (数据标准): data elements and code sets, the rules they carry, and where they are used."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from django.db import transaction

from yunhe.core.registers import api as registers
from yunhe.core.registers.errors import EntryNotFound, RegisterTypeNotFound, VersionNotFound
from yunhe.core.registers.types import Entry, EntryVersion
from yunhe.data.standards import rules
from yunhe.data.standards.errors import CodeSetNotFound, ElementNotFound
from yunhe.data.standards.models import ElementUse
from yunhe.data.standards.types import (
    CODE_SET_TYPE,
    ELEMENT_TYPE,
    Binding,
    CodeSet,
    Element,
    ElementProposal,
    RuleSpec,
    Usage,
)
from yunhe.engine.types import ColumnProfile
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import local, now
from yunhe.kernel.pages import Page, PageRequest

__all__ = [
    "count_uses",
    "element_rules",
    "find_element",
    "find_element_by_title",
    "find_element_for",
    "find_elements_for",
    "get_accepted_values",
    "get_code_set",
    "get_element",
    "get_elements",
    "list_code_sets",
    "list_element_versions",
    "list_elements",
    "record_bindings",
    "where_used",
]

AcceptedValues = tuple[tuple[str, str | None, str | None], ...]
LARGEST_PAGE = 500


def get_element(*, code: str) -> Element:
    """Return the published element (数据元). Raises: ElementNotFound, naming the nearest one."""
    entry = _entry(ELEMENT_TYPE, code)
    if entry is None:
        near = difflib.get_close_matches(code, list(get_elements()), n=1, cutoff=0.5)
        raise ElementNotFound(name=code, near=near[0] if near else "")
    return _element(entry)


def find_element(*, code: str, on: date | None = None) -> Element | None:
    """Return the published element, or None; with `on`, the version in force on that day."""
    entry = _entry(ELEMENT_TYPE, code, on)
    return None if entry is None else _element(entry)


def get_elements() -> Mapping[str, Element]:
    """Return every published element by code, in the order of codes."""
    return {entry.code: _element(entry) for entry in _all_published(ELEMENT_TYPE)}


def list_elements(*, request: PageRequest, actor: Actor) -> Page[Element]:
    """Return a page of elements that the actor may see.

    Shape: filters type, grade, personal, object_class, state; search in code, title, aliases, column names.
    """
    page = registers.list_entries(type_code=ELEMENT_TYPE, request=request, actor=actor)
    return Page(tuple(_element(entry) for entry in page.items), page.total, page.page, page.size, page.facets)


def list_element_versions(*, code: str, actor: Actor) -> tuple[EntryVersion, ...]:
    """Return the versions of an element that the actor may see, newest first. Raises: ElementNotFound."""
    try:
        return registers.access_entry(type_code=ELEMENT_TYPE, code=code, actor=actor).versions
    except EntryNotFound as error:
        raise ElementNotFound(name=code) from error


def get_code_set(*, code: str, on: date | None = None) -> CodeSet:
    """Return a code set (代码集); with `on`, the edition and the values in force on that day.

    Raises: CodeSetNotFound.
    """
    entry = _entry(CODE_SET_TYPE, code, on) or _entry(CODE_SET_TYPE, code)
    if entry is None:
        raise CodeSetNotFound(name=code)
    found = _code_set(entry)
    if on is None:
        return found
    return replace(found, items=tuple(item for item in found.items if item.is_valid_on(on)))


def list_code_sets(*, request: PageRequest, actor: Actor) -> Page[CodeSet]:
    """Return a page of code sets that the actor may see; search in code, title, standard and values."""
    page = registers.list_entries(type_code=CODE_SET_TYPE, request=request, actor=actor)
    return Page(tuple(_code_set(entry) for entry in page.items), page.total, page.page, page.size, page.facets)


def find_element_by_title(*, title: str) -> Element | None:
    """Return the one element whose title or other name this is, or None if there is none or several."""
    found = [one for one in find_element_for(name="", title=title) if one.reasons[0].code in ("title", "alias")]
    if len(found) > 1 and found[0].confidence == found[1].confidence:
        return None
    return found[0].element if found else None


def find_element_for(
    *,
    name: str,
    title: str = "",
    samples: Sequence[str] | None = None,
    profile: ColumnProfile | None = None,
    limit: int = 5,
) -> tuple[ElementProposal, ...]:
    """Return the elements that a column may be, best first, each with confidence and reasons.

    Shape: `samples` are some values, or `profile` counts over them; no reason holds a value, and
    nothing is proposed below a confidence of 0.4.
    """
    return find_elements_for(columns=((name, title, profile or samples or ()),), limit=limit)[0]


def find_elements_for(
    *, columns: Sequence[tuple[str, str, Sequence[str] | ColumnProfile]], limit: int = 5
) -> tuple[tuple[ElementProposal, ...], ...]:
    """Return the proposals of many columns, each given as (name, title, samples or profile); elements are read once."""
    elements = get_elements()
    keys = {rules.code_set_key(one) for one in elements.values() if one.code_set}
    accepted = {key: frozenset(row[0] for row in rows) for key, rows in get_accepted_values(keys=keys).items()}
    today = local(now()).date()
    found = []
    for name, title, given in columns:
        values = () if isinstance(given, ColumnProfile) else tuple(v.strip() for v in given if v and v.strip())
        profile = given if isinstance(given, ColumnProfile) else None
        evidence = rules.Evidence(values, profile, accepted, today)
        found.append(rules.rank_elements(name=name, title=title, elements=elements.values(), evidence=evidence)[:limit])
    return tuple(found)


def element_rules(*, element: Element) -> tuple[RuleSpec, ...]:
    """Return the rules that a column bound to the element must meet: kind, dimension, severity, arguments."""
    return rules.rules_of(element)


def get_accepted_values(*, keys: Iterable[str]) -> Mapping[str, AcceptedValues]:
    """Return (value, valid from, valid until) for each key: `gender` by code, `gender:title` by word.

    Raises: CodeSetNotFound.
    """
    found: dict[str, AcceptedValues] = {}
    for key in dict.fromkeys(keys):
        code, _, by = key.partition(":")
        found[key] = rules.accepted_values(get_code_set(code=code), by=by or "code")
    return found


def record_bindings(
    *,
    subject_type: str,
    subject_code: str,
    subject_title: str,
    organization: str,
    organization_name: str,
    state: str,
    bindings: Sequence[Binding],
) -> None:
    """Note which fields of a subject follow which elements; what was noted of it before is replaced."""
    with transaction.atomic():
        ElementUse.objects.filter(subject_type=subject_type, subject_code=subject_code).delete()
        ElementUse.objects.bulk_create(
            ElementUse(
                subject_type=subject_type,
                subject_code=subject_code,
                subject_title=subject_title,
                organization=organization,
                organization_name=organization_name,
                field=one.field,
                field_title=one.title,
                element=one.element,
                code_set=one.code_set,
                state=state,
            )
            for one in bindings
        )


def where_used(*, element: str = "", code_set: str = "", request: PageRequest | None = None) -> Page[Usage]:
    """Return the published fields that follow an element, or a code set, by subject."""
    asked = request or PageRequest(size=LARGEST_PAGE)
    rows = ElementUse.objects.filter(state="published", **({"element": element} if element else {"code_set": code_set}))
    names = (
        "subject_type", "subject_code", "subject_title", "organization", "organization_name", "field",
        "field_title", "element", "state",
    )  # fmt: skip
    ordered = rows.order_by("subject_code", "field", "pk")[asked.offset : asked.offset + asked.limit]
    found = tuple(Usage(**{name: getattr(row, name) for name in names}) for row in ordered)
    return Page(found, rows.count(), asked.page, asked.limit)


def count_uses(*, elements: Iterable[str]) -> Mapping[str, int]:
    """Return in how many published fields each element is used; an unused one is absent."""
    counts: dict[str, int] = {}
    rows = ElementUse.objects.filter(state="published", element__in=list(elements)).order_by()
    for element in rows.values_list("element", flat=True):
        counts[element] = counts.get(element, 0) + 1
    return counts


def _entry(type_code: str, code: str, on: date | None = None) -> Entry | None:
    try:
        entry = registers.get_entry(type_code=type_code, code=code, on=on)
    except (EntryNotFound, VersionNotFound):
        return None
    return entry if entry.state == "published" else None


def _all_published(type_code: str) -> Iterable[Entry]:
    reader = job_actor("standards")
    number = 1
    while True:
        request = PageRequest(page=number, size=LARGEST_PAGE, sort="code", filters={"state": "published"})
        try:
            page = registers.list_entries(type_code=type_code, request=request, actor=reader)
        except RegisterTypeNotFound:  # the national pack is not loaded yet
            return
        yield from page.items
        if number >= page.pages:
            return
        number += 1


def _element(entry: Entry) -> Element:
    found = rules.element_from_body(entry.code, entry.title, entry.body)
    return replace(
        found, version=entry.version, state=entry.state, owner=entry.owner, published_at=entry.published_at
    )


def _code_set(entry: Entry) -> CodeSet:
    found = rules.code_set_from_body(entry.code, entry.title, entry.body)
    return replace(found, version=entry.version, state=entry.state, owner=entry.owner)
