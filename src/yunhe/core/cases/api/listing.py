"""Lists: the inbox and the list of cases. The actor's rights build every query."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from yunhe.core.cases.api import kinds
from yunhe.core.cases.api.delegating import Seats, seats_of
from yunhe.core.cases.api.finding import (
    FIRST,
    GOES_ON,
    asked_states,
    case_condition,
    due_condition,
    soon_now,
    waiting_condition,
    words_condition,
)
from yunhe.core.cases.api.marking import principal_name, with_pauses
from yunhe.core.cases.api.reading import case_of, organization_names, person_names, phase_title_of
from yunhe.core.cases.api.seeing import Within, count_seen, list_newest
from yunhe.core.cases.models import CaseQuerySet, CaseRecord, ObligationQuerySet, ObligationRecord
from yunhe.core.cases.rules import clock
from yunhe.core.cases.rules.course import OPEN, ROLE_JOIN
from yunhe.core.cases.types import CASE_STATES, Case, Holder, WaitingItem
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now
from yunhe.kernel.pages import UNCOUNTED, Facet, Page, PageRequest

CASE_SORTS = {"opened_at", "due_at", "number", "title", "kind_code", "phase"}
MOST_NAMES = 20
DUE_LABELS = {"overdue": "已超期", "today": "今天到期", "week": "近日到期", "later": "以后", "paused": "已暂停"}


def list_waiting(*, request: PageRequest, actor: Actor) -> Page[WaitingItem]:
    """Return the actor's inbox (待办) by due time; filters: kind, due (overdue, today, week, later)."""
    soon = soon_now()
    seats = seats_of(actor)
    searched = _rows_of(seats).filter(waiting_condition(replace(request, filters={})))
    rows = searched.filter(waiting_condition(replace(request, search=""), soon))
    first = F("case__opened_at").desc() if request.sort == "-opened_at" else F(FIRST).asc(nulls_last=True)
    order = (first, "opened_at", "id")
    chosen = rows.order_by(*order).values("pk")[request.offset : request.offset + request.limit]  # sorted without their cases
    shown = ObligationRecord.objects.filter(pk__in=chosen).select_related("case", "case__kind")
    items = list(shown.defer("case__kind__body", "case__data", "case__search").order_by(*order))
    kinds.keep_specs(item.case.kind for item in items)
    names = organization_names(item.case.organization for item in items)
    page = tuple(waiting_item(item, names, soon, seats) for item in items)
    counts = _count_waiting(searched, soon)
    total = _sum_waiting(counts, request.filters)
    return Page(page, total, request.page, request.limit, _waiting_facets(counts, request.filters))


def count_waiting(*, actor: Actor) -> int:
    """Return how many obligations wait for the actor."""
    return waiting_rows(actor).count()


def list_waiting_accounts(*, username: str, actor: Actor) -> tuple[Case, ...]:
    """Return the cases that opened this account, or ask about its person, and wait for the actor, the oldest first."""
    named = Q(case__data__account=username) | Q(case__data__person=username)
    ids = waiting_rows(actor).filter(named).order_by().values("case")
    rows = CaseRecord.objects.select_related("kind").filter(pk__in=ids).order_by("opened_at", "id")[:MOST_NAMES]
    return tuple(case_of(row, kinds.spec_of(row.kind)) for row in rows)


def list_cases(*, request: PageRequest, actor: Actor) -> Page[Case]:
    """Return cases that the actor may see, newest first.

    Filters: kind, state (open, suspended, closed; running is all that go on), phase, organization (applicant or owner), part (opened, handled), due
    (overdue, today, week, later), person (`user:…` or `role:…` who holds something open), obligation (its name),
    subject_type, subject_id, version (of the kind), open (what running cases wait for: names of obligations with commas
    between, each as often as it is open; "-" for none). Search: number, title, names of
    persons and bodies, shown texts and choices of the case and of its steps. Sorts: opened_at,
    due_at, number, title, kind_code, phase. Each facet counts under the search and all filters but its own; while what goes on
    is asked for alone, what ended (most of all there ever was) is not counted.
    """
    asked = {name: value for name, value in request.filters.items() if value}
    is_counted = not request.search and asked.keys() <= {"kind", "state"}
    words = words_condition(request.search) if request.search else Q()
    states = asked_states(asked)
    goes_on = bool(states) and set(states) <= set(GOES_ON)
    counts = count_seen(actor, Within(GOES_ON if goes_on else ())) if is_counted else _count_found(request, actor, words)
    of_kind = asked.get("kind", "")
    total = sum(number for (kind, state), number in counts.items() if of_kind in ("", kind) and (not states or state in states))
    rows = _newest(request, actor, total) if is_counted and _by_opening(request.sort) else _page_of(request, actor, words)
    kinds.keep_specs(row.kind for row in rows)
    cases = with_pauses([case_of(row, kinds.spec_of(row.kind)) for row in rows])
    return Page(cases, total, request.page, request.limit, _case_facets(counts, of_kind, states, "closed" if is_counted and goes_on else ""))


def list_holders(*, cases: Iterable[Case]) -> dict[str, tuple[Holder, ...]]:
    """Return who owes something open, by case: of cases that the caller was given."""
    ids = [case.case_id for case in cases if case.is_open]
    rows = ObligationRecord.objects.filter(case__in=ids, state=OPEN).order_by("opened_at", "id")
    told = list(rows.values_list("case_id", "organization", "role", "person", "assignee", "child_id", "pk"))
    theirs = set(rows.filter(kinds.for_people(kinds.all_digests())).values_list("pk", flat=True)) if told else set()
    bodies = organization_names(row[1] for row in told)
    people = person_names(row[4] or row[3] for row in told)
    found: dict[str, tuple[Holder, ...]] = {}
    for case_id, body, role, person, assignee, child, key in told:
        roles = tuple(filter(None, role.split(ROLE_JOIN)))
        one = Holder(case_id, bodies.get(body, body), roles, person, people.get(assignee or person, ""), key in theirs, child or "")
        found[case_id] = (*(held for held in found.get(case_id, ()) if held != one), one)
    return found


def find_cases(request: PageRequest, actor: Actor, words: Q | None = None) -> CaseQuerySet:
    """Return the cases that the actor may see and that the filters and the search ask for; `words` as in `case_condition`."""
    rows = CaseRecord.objects.visible_to(actor, states=asked_states(request.filters)).filter(case_condition(request, actor, words))
    return _filter_position(rows, request.filters)


def waiting_rows(actor: Actor) -> ObligationQuerySet:
    """Return what waits for the actor, or for those who are away and whom they stand in for; not what only a room or a sub-case ends."""
    return _rows_of(seats_of(actor))


def _rows_of(seats: Seats) -> ObligationQuerySet:
    found, published = ObligationRecord.objects.none(), kinds.all_digests()
    for holder, only in seats:
        theirs = ObligationRecord.objects.waiting_for(holder, kinds.role_sets(holder.role, published)).filter(kinds.for_people(published))
        found = (found | theirs.filter(kind_code__in=only)) if only else (found | theirs)
    return found


def _count_waiting(rows: ObligationQuerySet, soon: datetime) -> dict[str, dict[str, int]]:
    """Return by kind how many obligations there are ("all"), and how many by when they are due."""
    spans = {due: Count("pk", filter=due_condition(due, FIRST, soon)) for due in DUE_LABELS}
    counted = rows.order_by("kind_code").values_list("kind_code").annotate(all=Count("*"), **spans)
    return {kind: dict(zip(("all", *spans), numbers, strict=True)) for kind, *numbers in counted}


def _sum_waiting(counts: Mapping[str, Mapping[str, int]], wanted: Mapping[str, str]) -> int:
    due = wanted.get("due", "")
    chosen = (row for kind, row in counts.items() if kind == (wanted.get("kind") or kind))
    return sum(row[due if due in DUE_LABELS else "all"] for row in chosen)


def _waiting_facets(counts: Mapping[str, Mapping[str, int]], wanted: Mapping[str, str]) -> tuple[Facet, ...]:
    """Return the facets, each counted under all filters but its own."""
    titles, due, of_kind = kinds.titles_of(counts), wanted.get("due", ""), wanted.get("kind", "")
    found = [Facet("kind", kind, titles.get(kind, ""), row[due if due in DUE_LABELS else "all"]) for kind, row in counts.items()]
    rows = [row for kind, row in counts.items() if of_kind in ("", kind)]
    return (*found, *(Facet("due", one, label, sum(row[one] for row in rows)) for one, label in DUE_LABELS.items()))


def _count_found(request: PageRequest, actor: Actor, words: Q) -> Counter[tuple[str, str]]:
    """Return how many cases the search and all filters but kind and state find, by kind and state. Cost: one query."""
    others = {name: value for name, value in request.filters.items() if name not in ("kind", "state")}
    found = CaseRecord.objects.filter(pk__in=find_cases(replace(request, filters=others), actor, words).order_by().values("pk"))
    counted = found.order_by().values_list("kind_code", "state").annotate(Count("pk"))
    return Counter({(kind, state): number for kind, state, number in counted})


def _page_of(request: PageRequest, actor: Actor, words: Q) -> list[CaseRecord]:
    shown = _with_kinds(find_cases(request, actor, words)).order_by(*_case_order(request.sort))
    return list(shown[request.offset : request.offset + request.limit])


def _newest(request: PageRequest, actor: Actor, total: int) -> list[CaseRecord]:
    """Return the same page as `_page_of` by opening time, found without reading the rows of other cases."""
    kind, oldest = request.filters.get("kind"), request.sort == "opened_at"
    within = Within(asked_states(request.filters), (kind,) if kind else ())
    ids = list_newest(actor, within, offset=request.offset, limit=request.limit, total=total, oldest=oldest)
    rows = {row.pk: row for row in _with_kinds(CaseRecord.objects.filter(pk__in=ids))}
    return [rows[one] for one in ids]


def _with_kinds(rows: CaseQuerySet) -> CaseQuerySet:
    return rows.select_related("kind").defer("kind__body", "search")


def _by_opening(sort: str) -> bool:
    name = sort.removeprefix("-")
    return name == "opened_at" or name not in CASE_SORTS


def _case_facets(counts: Counter[tuple[str, str]], of_kind: str, states: tuple[str, ...], uncounted: str) -> tuple[Facet, ...]:
    """Return the facets out of how many cases there are of each kind and state, each under the filter of the other.

    `uncounted` is a state of which nobody asked how many there are.
    """
    titles = kinds.titles_of(kind for kind, _ in counts)
    by_kind, by_state = Counter[str](), Counter[str]()
    for (kind, state), number in counts.items():
        by_kind[kind] += number if not states or state in states else 0
        by_state[state] += number if of_kind in ("", kind) else 0
    if uncounted:
        by_state[uncounted] = UNCOUNTED
    found = [Facet("kind", kind, titles.get(kind, ""), by_kind[kind]) for kind in sorted(by_kind)]
    return (*found, *(Facet("state", state, said["zh"], by_state[state]) for state, said in CASE_STATES.items() if state in by_state))


def _filter_position(rows: CaseQuerySet, wanted: Mapping[str, str]) -> CaseQuerySet:
    """Filter by where cases stand, as a change of procedure names it: version of the kind, and what is open."""
    if number := wanted.get("version"):
        rows = rows.filter(kind__number=int(number)) if number.isascii() and number.isdigit() and len(number) < 10 else rows.none()
    return _filter_open(rows, wanted["open"]) if wanted.get("open") else rows


def _filter_open(rows: CaseQuerySet, names: str) -> CaseQuerySet:
    """Filter running cases by exactly what is open in them."""
    wanted = Counter(filter(None, names.strip("-").split(",")))
    opened = ObligationRecord.objects.filter(case=OuterRef("pk"), state="open").order_by().values("case")
    rows = rows.exclude(state="closed")
    if len(wanted) > MOST_NAMES:
        return rows.none()
    for place, (name, count) in enumerate([("", wanted.total()), *wanted.items()]):
        these = (opened.filter(name=name) if name else opened).annotate(n=Count("pk")).values("n")
        rows = rows.annotate(**{f"open_{place}": Coalesce(Subquery(these), 0)}).filter(**{f"open_{place}": count})
    return rows


def _case_order(sort: str) -> list[Any]:
    name = sort.removeprefix("-")
    if name not in CASE_SORTS:
        return ["-opened_at", "-id"]
    column = F(name)
    return [column.desc(nulls_last=True) if sort.startswith("-") else column.asc(nulls_last=True), "-id"]


def waiting_item(item: ObligationRecord, names: dict[str, str], soon: datetime, seats: Seats) -> WaitingItem:
    case = item.case
    spec = kinds.spec_of(case.kind)
    return WaitingItem(
        obligation_id=item.pk,
        title=spec.obligation(item.name).title.as_mapping(),
        case_id=case.pk,
        number=case.number,
        case_title=case.title,
        kind=case.kind_code,
        kind_title=spec.title.as_mapping(),
        phase_title=phase_title_of(case, spec),
        opened_by_name=case.opened_by_name,
        organization=case.organization,
        organization_name=names.get(case.organization, case.organization),
        opened_at=item.opened_at,
        due_at=item.first_due_at,
        light=clock.light_of(due_at=item.first_due_at, at=now(), soon=soon, paused=item.paused_at is not None and item.first_due_at is None),
        estimated=item.first_estimated,
        version=case.version,
        pause_basis=item.pause_basis if item.paused_at else "",
        on_behalf_name=principal_name(item, seats),
    )
