"""Reads: entries now, as of a day, by list; versions, differences, the change feed."""

from __future__ import annotations

from datetime import date

from django.db.models import Count, Exists, F, OuterRef, Q
from django.db.models.expressions import OrderBy

from yunhe.core.cases import api as cases
from yunhe.core.organizations import api as organizations
from yunhe.core.registers import rules
from yunhe.core.registers.api import store
from yunhe.core.registers.api.types import get_type
from yunhe.core.registers.errors import EntryNotFound, VersionNotFound
from yunhe.core.registers.models import ChangeRecord, EntryQuerySet, EntryRecord, FacetRecord, VersionRecord
from yunhe.core.registers.types import Change, Difference, Entry, EntryVersion, EntryView, RegisterType
from yunhe.kernel.actor import Actor
from yunhe.kernel.pages import Facet, Page, PageRequest

SORTS = {"title", "code", "owner", "state", "updated_at", "published_at"}
MOST_FACET_VALUES = 50
PUBLIC_VERSIONS = (store.PUBLISHED, store.SUPERSEDED)


def get_entry(*, type_code: str, code: str, on: date | None = None, number: int | None = None) -> Entry:
    """Return an entry without asking anybody's rights: for rooms that checked their own.

    With `on` the version in force that day, with `number` that version, else the published one, or
    the draft of an entry that never was published. Raises: EntryNotFound, VersionNotFound.
    """
    row = _row(type_code, code)
    return store.entry_of(row, _version(row, on, number))


def find_entry(*, type_code: str, code: str, on: date | None = None) -> Entry | None:
    """Return what `get_entry` returns, or None."""
    try:
        return get_entry(type_code=type_code, code=code, on=on)
    except (EntryNotFound, VersionNotFound):
        return None


def access_entry(*, type_code: str, code: str, actor: Actor, number: int | None = None) -> EntryView:
    """Return an entry as this actor may see it: editors see drafts, others what was published.

    Raises: EntryNotFound, also when it is there but not for this actor.
    """
    declared = get_type(code=type_code)
    row = _row(type_code, code)
    if not _visible(declared, actor).filter(pk=row.pk).exists():
        raise EntryNotFound(name=code)
    inside = is_insider(row, declared, actor)
    versions = list(row.versions.order_by("-number"))
    if not inside:
        versions = [version for version in versions if version.state in PUBLIC_VERSIONS]
    shown = _shown(row, versions, number, inside)
    published = next((v for v in versions if v.number == row.published_number), None)
    compared = rules.list_differences(declared, published.body, shown.body) if published and published != shown else ()
    edits = actor.may(declared.permissions.edit, organization=row.owner, kind=type_code)
    publishes = actor.may(declared.permissions.publish, organization=row.owner, kind=type_code)
    return EntryView(
        entry=store.entry_of(row, shown),
        versions=tuple(store.version_of(version) for version in versions),
        differences=compared,
        case_id=_running_case(row, actor) if inside else "",
        may_edit=edits and row.open_state != store.IN_REVIEW,
        may_submit=edits and row.open_state == store.DRAFT,
        may_withdraw=publishes and row.state == store.PUBLISHED,
    )


def _running_case(row: EntryRecord, actor: Actor) -> str:
    """Return the publication case of the open version that goes on, in review or sent back, if the actor may see it."""
    if row.open_state not in (store.DRAFT, store.IN_REVIEW):
        return ""
    found = cases.find_open_case(kind=store.PUBLICATION, subject_type=store.SUBJECT, subject_id=row.pk)
    return found.case_id if found and cases.may_see(found.case_id, actor) else ""


def list_entries(*, type_code: str, request: PageRequest, actor: Actor) -> Page[Entry]:
    """Return entries that the actor may see, with facets counted over the same rights.

    Filters: state, open_state, owner, and each facet of the type. Sorts: title, code, owner, state,
    updated_at, published_at. Search looks at code, title, pinyin initials and the type's search fields.
    """
    declared = get_type(code=type_code)
    visible = _searched(_visible(declared, actor), request.search)
    rows = _narrowed(visible, declared, request)
    page = list(rows.order_by(*_order(request.sort))[request.offset : request.offset + request.limit])
    facets = _facets(visible, declared, request)
    return Page(_with_versions(page, declared, actor), rows.count(), request.page, request.limit, facets)


def list_versions(*, entry_id: str, actor: Actor) -> tuple[EntryVersion, ...]:
    """Return the versions of an entry that the actor may see, newest first."""
    row = store.entry_row(entry_id)
    return access_entry(type_code=row.type_id, code=row.code, actor=actor).versions


def compare_versions(*, entry_id: str, before: int, after: int, actor: Actor) -> tuple[Difference, ...]:
    """Return the fields that differ between two versions that the actor may see."""
    row = store.entry_row(entry_id)
    versions = {version.number: version for version in list_versions(entry_id=entry_id, actor=actor)}
    for number in (before, after):
        if number not in versions:
            raise VersionNotFound(name=row.code, which=f"第 {number} 版", which_en=f"version {number}")
    return rules.list_differences(get_type(code=row.type_id), versions[before].body, versions[after].body)


def list_changes(*, owner: str, after_sequence: int = 0, limit: int = 500) -> tuple[Change, ...]:
    """Return an owner's change feed behind a cursor, in order and without gap; for rooms and nodes."""
    rows = ChangeRecord.objects.filter(owner=owner, sequence__gt=after_sequence).order_by("sequence")[:limit]
    names = ("owner", "sequence", "at", "action", "entry_id", "type_code", "code", "version", "body_digest", "digest")
    return tuple(Change(**{name: getattr(row, name) for name in names}) for row in rows)


def is_insider(row: EntryRecord, declared: RegisterType, actor: Actor) -> bool:
    """Tell whether the actor may see what is not published."""
    wanted = (declared.permissions.edit, declared.permissions.publish)
    return any(actor.may(permission, organization=row.owner, kind=row.type_id) for permission in wanted)


def _row(type_code: str, code: str) -> EntryRecord:
    row = EntryRecord.objects.filter(type_id=type_code, code=code).first()
    if row is None:
        raise EntryNotFound(name=code)
    return row


def _version(row: EntryRecord, on: date | None, number: int | None) -> VersionRecord:
    versions = row.versions.all()
    if number is not None:
        found, which = versions.filter(number=number).first(), (f"第 {number} 版", f"version {number}")
    elif on is not None:
        in_force = Q(valid_until__isnull=True) | Q(valid_until__gt=on)
        found = versions.filter(in_force, state__in=PUBLIC_VERSIONS, valid_from__lte=on).order_by("-number").first()
        which = (f"在 {on} 有效的版本", f"version in force on {on}")
    else:
        found, which = versions.filter(number=row.published_number or row.latest_number).first(), ("版本", "version")
    if found is None:
        raise VersionNotFound(name=row.code, which=which[0], which_en=which[1])
    return found


def _shown(row: EntryRecord, versions: list[VersionRecord], number: int | None, inside: bool) -> VersionRecord:
    usual = row.latest_number if inside else row.published_number
    wanted = number if number is not None else usual
    for version in versions:
        if version.number == wanted:
            return version
    raise VersionNotFound(name=row.code, which=f"第 {wanted} 版", which_en=f"version {wanted}")


def _visible(declared: RegisterType, actor: Actor) -> EntryQuerySet:
    asked = declared.permissions
    return EntryRecord.objects.filter(type_id=declared.code).visible_to(actor, (asked.view, asked.edit, asked.publish))


def _searched(rows: EntryQuerySet, search: str) -> EntryQuerySet:
    for word in search.lower().split()[:8]:
        rows = rows.filter(search__contains=word)
    return rows


def _narrowed(rows: EntryQuerySet, declared: RegisterType, request: PageRequest, but: str = "") -> EntryQuerySet:
    for name in ("state", "open_state", "owner"):
        if request.filters.get(name) and name != but:
            rows = rows.filter(**{name: request.filters[name]})
    for name in declared.facets:
        if request.filters.get(name) and name != but:
            held = FacetRecord.objects.filter(entry=OuterRef("pk"), name=name, value=request.filters[name])
            rows = rows.filter(Exists(held))
    return rows


def _order(sort: str) -> list[str | OrderBy]:
    name = sort.removeprefix("-")
    if name not in SORTS:
        return ["-updated_at", "-pk"]
    column = F(name)
    return [column.desc(nulls_last=True) if sort.startswith("-") else column.asc(nulls_last=True), "pk"]


def _facets(visible: EntryQuerySet, declared: RegisterType, request: PageRequest) -> tuple[Facet, ...]:
    """Count each facet over what the other filters leave, so that its values stay choosable."""
    labels = rules.facet_labels(declared)
    found = []
    for name in declared.facets:
        rows = _narrowed(visible, declared, request, but=name)
        values = FacetRecord.objects.filter(name=name, entry__in=rows.order_by().values("pk"))
        counted = values.values_list("value").annotate(count=Count("pk")).order_by("-count", "value")
        found += [Facet(name, value, labels.get((name, value), value), n) for value, n in counted[:MOST_FACET_VALUES]]
    for name in ("state", "owner"):
        rows = _narrowed(visible, declared, request, but=name).order_by()
        held = rows.values_list(name).annotate(count=Count("pk")).order_by("-count", name)
        found += [Facet(name, value, _label(name, value), n) for value, n in held[:MOST_FACET_VALUES]]
    return tuple(found)


def _label(name: str, value: str) -> str:
    if name == "state":
        return store.STATE_WORDS[value][0]
    body = organizations.find_organization(code=value)
    return body.label if body else value


def _with_versions(rows: list[EntryRecord], declared: RegisterType, actor: Actor) -> tuple[Entry, ...]:
    wanted = Q(pk__in=[])
    for row in rows:
        wanted |= Q(entry_id=row.pk, number=row.published_number or row.latest_number)
    versions = {version.entry_id: version for version in VersionRecord.objects.filter(wanted)} if rows else {}
    return tuple(store.entry_of(row, versions[row.pk]) for row in rows)
