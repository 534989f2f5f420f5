"""Reads: one resource, lists with facets, versions, differences, the calendar of releases, users."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta

from django.db.models import Count, F, Q, QuerySet, Sum
from django.db.models.expressions import OrderBy

from yunhe.core.registers import api as registers
from yunhe.core.registers.errors import EntryNotFound
from yunhe.core.registers.errors import VersionNotFound as NoSuchVersion
from yunhe.core.registers.types import Entry, EntryVersion, EntryView
from yunhe.data.catalog import rules
from yunhe.data.catalog.errors import ResourceNotFound, VersionNotFound
from yunhe.data.catalog.models import Holding, ReleaseNote, UseRecord
from yunhe.data.catalog.types import (
    CYCLES,
    GRADES,
    OPENINGS,
    RESOURCE_TYPE,
    SHARINGS,
    STATES,
    Difference,
    FieldQuality,
    LedgerNumbers,
    Receival,
    Resource,
    ResourceLine,
    ResourceVersion,
    ResourceView,
    Use,
)
from yunhe.kernel.actor import ALL, Actor
from yunhe.kernel.clock import local, now
from yunhe.kernel.pages import Facet, Page, PageRequest

FACETS: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "sharing": SHARINGS,
    "update_cycle": CYCLES,
    "grade": GRADES,
    "opening": OPENINGS,
}
SORTS = {
    "title": "title",
    "code": "code",
    "owner": "owner_name",
    "grade": "grade",
    "share": "share",
    "released_at": "released_at",
    "rows": "rows",
    "users": "users",
    "fields": "field_count",
    "updated_at": "entry__updated_at",
}
PUBLIC = ("published", "withdrawn")
MOST_PROVIDERS = 30
INSIDE = ("ledger.edit", "ledger.review", "ledger.publish")


def get_resource(*, code: str, version: int | None = None) -> Resource:
    """Return a resource with its published contract, or the draft of one that never was published.

    For rooms that check rights themselves. Raises: ResourceNotFound, VersionNotFound.
    """
    try:
        entry = registers.get_entry(type_code=RESOURCE_TYPE, code=code, number=version)
    except EntryNotFound as error:
        raise ResourceNotFound(name=code) from error
    except NoSuchVersion as error:
        raise VersionNotFound(name=code, version=version) from error
    return _resource(entry, Holding.objects.filter(pk=code).first())


def find_resource(*, code: str) -> Resource | None:
    """Return what `get_resource` returns, or None."""
    try:
        return get_resource(code=code)
    except ResourceNotFound:
        return None


def access_resource(*, code: str, actor: Actor, version: int | None = None) -> Resource:
    """Return a resource that the actor may see: drafts for those who write or review, else what is published.

    Raises: ResourceNotFound, also when it is there but not for this actor; VersionNotFound.
    """
    _seen(code, actor, version)
    return get_resource(code=code, version=version)


def view_resource(*, code: str, actor: Actor, version: int | None = None) -> ResourceView:
    """Return a resource with its versions and what the actor may do. Raises: ResourceNotFound, VersionNotFound."""
    seen = _seen(code, actor, version)
    versions = tuple(_version(code, one) for one in seen.versions)
    is_open = seen.entry.open_state in ("draft", "in_review")
    return ResourceView(
        resource=get_resource(code=code, version=version),
        versions=versions,
        edit=seen.entry.edit,
        open_version=seen.entry.latest_version if is_open and seen.entry.latest_version in {v.version for v in versions} else None,
        may_edit=seen.may_edit,
        may_submit=seen.may_submit,
        may_withdraw=seen.may_withdraw,
        case_id=seen.case_id,
    )


def list_versions(*, code: str, actor: Actor) -> tuple[ResourceVersion, ...]:
    """Return the versions of a resource that the actor may see, newest first (沿革). Raises: ResourceNotFound."""
    return tuple(_version(code, one) for one in _seen(code, actor, None).versions)


def compare_versions(*, code: str, before: int, after: int, actor: Actor, language: str = "zh") -> tuple[Difference, ...]:
    """Return what differs between two versions that the actor may see. Raises: ResourceNotFound, VersionNotFound."""
    versions = {one.version: one for one in list_versions(code=code, actor=actor)}
    for number in (before, after):
        if number not in versions:
            raise VersionNotFound(name=code, version=number)
    return rules.compare_contracts(versions[before].contract, versions[after].contract, language=language)


def list_resources(*, request: PageRequest, actor: Actor) -> Page[ResourceLine]:
    """Return a page of the ledger with facets counted over what the actor may see.

    Shape: filters provider (code), sharing, update_cycle (or cycle), grade, opening, state (or open: being
    written or reviewed), personal (true/false), freshness (late, fresh, never), element; search in names, codes, fields and columns.
    """
    visible = _searched(_visible(actor), request.search)
    rows = _narrowed(visible, request.filters)
    chosen = rows.select_related("entry").order_by(*_order(request.sort))[request.offset : request.offset + request.limit]
    today = local(now()).date()
    items = tuple(_line(row, today) for row in chosen)
    return Page(items, rows.count(), max(request.page, 1), request.limit, _facets(visible, request.filters))


def count_ledger(*, actor: Actor) -> LedgerNumbers:
    """Return the numbers above the ledger, over the published resources that the actor may see."""
    rows = _visible(actor)
    out = rows.filter(entry__state="published")
    today = local(now()).date()
    sums = out.aggregate(
        n=Count("pk"),
        owners=Count("owner", distinct=True),
        fields=Sum("field_count"),
        loaded=Count("pk", filter=~Q(release_id="")),
        late=Count("pk", filter=Q(due_on__lt=today)),
        due=Count("pk", filter=Q(due_on__isnull=False)),
        personal=Count("pk", filter=Q(personal=True)),
    )
    return LedgerNumbers(
        resources=sums["n"],
        providers=sums["owners"],
        fields=sums["fields"] or 0,
        loaded=sums["loaded"],
        late=sums["late"],
        due=sums["due"],
        personal=sums["personal"],
        waiting=rows.exclude(entry__open_state="").count(),
    )


def list_receivals(*, code: str, actor: Actor, since: datetime | None = None, limit: int = 100) -> tuple[Receival, ...]:
    """Return the releases of a resource, newest first, for its update calendar. Raises: ResourceNotFound."""
    _seen(code, actor, None)
    notes = ReleaseNote.objects.filter(holding_id=code, **({"at__gte": since} if since else {}))
    return tuple(
        Receival(one.release_id, one.snapshot_id, one.rows, one.at, one.counts, one.load_id)
        for one in notes.order_by("-at", "-pk")[:limit]
    )


def update_calendar(*, code: str, actor: Actor, days: int = 30) -> tuple[tuple[date, int], ...]:
    """Return each of the last days with how many releases it brought, oldest first (更新日历)."""
    today = local(now()).date()
    since = now() - timedelta(days=days + 1)
    counts: dict[date, int] = {}
    for one in list_receivals(code=code, actor=actor, since=since, limit=10_000):
        day = local(one.at).date()
        counts[day] = counts.get(day, 0) + 1
    return tuple((day, counts.get(day, 0)) for day in (today - timedelta(days=n) for n in range(days - 1, -1, -1)))


def list_users(*, code: str, actor: Actor, request: PageRequest | None = None) -> Page[Use]:
    """Return who uses a resource, by what channel and how often, latest first. Raises: ResourceNotFound."""
    _seen(code, actor, None)
    asked = request or PageRequest(size=100)
    rows = UseRecord.objects.filter(holding_id=code)
    names = ("consumer", "consumer_name", "channel", "purpose", "calls", "first_at", "last_at")
    chosen = rows.order_by("-last_at", "pk")[asked.offset : asked.offset + asked.limit]
    found = tuple(Use(**{name: getattr(row, name) for name in names}) for row in chosen)
    return Page(found, rows.count(), asked.page, asked.limit)


def _seen(code: str, actor: Actor, version: int | None) -> EntryView:
    try:
        return registers.access_entry(type_code=RESOURCE_TYPE, code=code, actor=actor, number=version)
    except EntryNotFound as error:
        raise ResourceNotFound(name=code) from error
    except NoSuchVersion as error:
        raise VersionNotFound(name=code, version=version) from error


def _resource(entry: Entry, holding: Holding | None) -> Resource:
    contract = rules.contract_from_body(entry.code, entry.title, entry.body)
    told = {} if holding is None else _reported(holding)
    return Resource(
        code=entry.code,
        entry_id=entry.entry_id,
        title=entry.title,
        owner=entry.owner,
        owner_name=holding.owner_name if holding else contract.provider,
        state=entry.state,
        version=entry.version,
        contract=contract,
        digest=rules.contract_digest(contract),
        latest_version=entry.latest_version,
        open_state=entry.open_state,
        created_at=entry.created_at,
        updated_at=entry.updated_at,
        published_at=entry.published_at,
        **told,  # type: ignore[arg-type]
    )


def _reported(holding: Holding) -> dict[str, object]:
    names = ("release_id", "snapshot_id", "rows", "released_at", "counts", "share", "failing_rows", "judged_at", "users")
    fields = {name: FieldQuality(**one) for name, one in holding.field_quality.items()}
    return {**{name: getattr(holding, name) for name in names}, "field_quality": fields}


def _version(code: str, one: EntryVersion) -> ResourceVersion:
    contract = rules.contract_from_body(code, one.title, one.body)
    return ResourceVersion(
        version=one.number,
        state=one.state,
        author=one.author_name,
        at=one.published_at or one.updated_at,
        digest=rules.contract_digest(contract),
        contract=contract,
        note=one.note,
    )


def _visible(actor: Actor) -> QuerySet[Holding]:
    """Return the resources that one of the actor's rights covers; the same as the register's rule."""
    public = Q(entry__state__in=PUBLIC) | Q(entry__published_number__isnull=False)
    allowed = Q(pk__in=[])
    for right in actor.rights:
        if ALL not in right.kinds and RESOURCE_TYPE not in right.kinds:
            continue
        within = Q()
        if ALL not in right.organizations:
            within &= Q(owner__in=sorted(right.organizations))
        if ALL not in right.regions:
            within &= Q(entry__region__in=sorted(right.regions))
        if right.permission in (*INSIDE, ALL):
            allowed |= within or Q(pk__isnull=False)
        elif right.permission == "ledger.view":
            allowed |= within & public
    return Holding.objects.filter(allowed)


def _searched(rows: QuerySet[Holding], search: str) -> QuerySet[Holding]:
    for word in search.lower().split()[:8]:
        rows = rows.filter(search__contains=word)
    return rows


def _narrowed(rows: QuerySet[Holding], filters: Mapping[str, str], but: str = "") -> QuerySet[Holding]:
    for name, value in filters.items():
        if value and name != but:
            rows = rows.filter(_filter("update_cycle" if name == "cycle" else name, value))
    return rows


def _filter(name: str, value: str) -> Q:
    if name in ("sharing", "update_cycle", "opening"):
        return Q(**{name: value})
    if name == "grade":
        return Q(grade=int(value)) if value in GRADES else Q(pk__in=[])
    if name == "provider":
        return Q(owner=value) | Q(owner_name=value)
    if name == "state":
        return ~Q(entry__open_state="") if value == "open" else Q(entry__state=value)
    if name == "personal":
        return Q(personal=value == "true")
    if name == "element":
        return Q(search__contains=value.lower())
    if name == "freshness":
        return _freshness_filter(value)
    return Q()


def _freshness_filter(value: str) -> Q:
    today = local(now()).date()
    return {
        "late": Q(due_on__lt=today),
        "fresh": Q(due_on__gte=today),
        "never": Q(release_id=""),
        "loaded": ~Q(release_id=""),
    }.get(value, Q(pk__in=[]))


def _order(sort: str) -> list[str | OrderBy]:
    column = SORTS.get(sort.removeprefix("-"))
    if column is None:
        return ["title", "code"]
    order = F(column).desc(nulls_last=True) if sort.startswith("-") else F(column).asc(nulls_last=True)
    return [order, "code"]


def _facets(visible: QuerySet[Holding], filters: Mapping[str, str]) -> tuple[Facet, ...]:
    """Count each filter's values over what the other filters leave, so that its values stay choosable."""
    found: list[Facet] = []
    for name, labels in FACETS.items():
        rows = _narrowed(visible, filters, but=name).order_by()
        counted = {str(value): count for value, count in rows.values_list(name).annotate(n=Count("pk"))}
        found += [Facet(name, code, label["zh"], counted[code]) for code, label in labels.items() if code in counted]
    states = _narrowed(visible, filters, but="state").order_by().values_list("entry__state").annotate(n=Count("pk"))
    counted = dict(states)
    found += [Facet("state", code, label["zh"], counted[code]) for code, label in STATES.items() if code in counted]
    owners = _narrowed(visible, filters, but="provider").order_by().values_list("owner", "owner_name")
    top = owners.annotate(n=Count("pk")).order_by("-n", "owner")[:MOST_PROVIDERS]
    return (*found, *(Facet("provider", owner, name, count) for owner, name, count in top))


def _line(row: Holding, today: date) -> ResourceLine:
    same = (
        "code", "title", "summary", "owner", "owner_name", "sharing", "opening", "update_cycle", "grade",
        "personal", "format", "rows", "released_at", "share", "users",
    )  # fmt: skip
    last = local(row.released_at).date() if row.released_at else None
    return ResourceLine(
        **{name: getattr(row, name) for name in same},
        fields=row.field_count,
        version=row.entry.published_number or row.entry.latest_number,
        state=row.entry.state,
        open_state=row.entry.open_state,
        freshness=rules.freshness_on(cycle=row.update_cycle, last_on=last, on=today),
        updated_at=row.entry.updated_at,
    )
