"""The work of a team (团队工作量): who of an organisation holds how much. Each number is the length of a list by the same condition."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Count, F, Min, OuterRef, Q, Subquery
from django.db.models.lookups import GreaterThan

from yunhe.core.cases.api import history, kinds
from yunhe.core.cases.api.finding import DONE_DAYS, FIRST, holder_condition, measure_condition, soon_now
from yunhe.core.cases.api.holding import SHORT, Takers, find_vacant
from yunhe.core.cases.api.offering import SUPERVISE, answers_for
from yunhe.core.cases.api.reading import organization_names, person_names
from yunhe.core.cases.models import ANY_BUREAU, CaseRecord, ObligationQuerySet, ObligationRecord
from yunhe.core.cases.rules import clock
from yunhe.core.cases.rules.course import BATCH, DONE, OPEN, ROLE_JOIN
from yunhe.core.cases.types import OPINION, TeamLine, TeamWork, WorkItem
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import ALL, Actor
from yunhe.kernel.clock import now
from yunhe.kernel.pages import Page, PageRequest

OPEN_MEASURES = ("open", "overdue", "today", "week")
MEASURES = (*OPEN_MEASURES, *DONE_DAYS)
WORK_SORTS = {"due_at", "opened_at", "closed_at"}
SEES = "cases.view"
MOST_EXCEPTIONS = 200
NONE_ENDED: Mapping[str, Mapping[str, str]] = {}


def get_team(*, organization: str, actor: Actor) -> TeamWork:
    """Return the work of an organisation by who holds it: its people, then its role seats. What is done counts for who did it.

    Work of a person's own there (an applicant's papers, an opinion) counts where the case is the organisation's, too.
    Cost: two queries over the obligations, whatever their number. Raises: Refused without cases.supervise there.
    """
    rows = _rows(organization, actor)
    opened = {name: Count("pk", filter=measure_condition(name)) for name in OPEN_MEASURES}
    waiting = rows.filter(state="open").order_by().values("assignee", "person", "role")
    lines: dict[str, dict[str, Any]] = {}
    for row in waiting.annotate(**opened, oldest=Min("opened_at")):
        line = lines.setdefault(_holder(row), _empty())
        _add(line, row, OPEN_MEASURES)
        line["oldest"] = min(filter(None, (line["oldest"], row["oldest"])))
    closed = {name: Count("pk", filter=measure_condition(name)) for name in DONE_DAYS}
    for did in rows.filter(measure_condition("done_30")).order_by().values("closed_by").annotate(**closed):
        _add(lines.setdefault(did["closed_by"], _empty()), did, tuple(DONE_DAYS))
    named = _names(organization, lines)
    told = [_line(key, named, lines.get(key, _empty())) for key in named]
    total = {name: sum(line.counts[name] for line in told) for name in MEASURES}
    oldest = min((line.oldest_at for line in told if line.oldest_at), default=None)
    name = organization_names([organization])[organization] if organization else ""
    return TeamWork(organization, name, tuple(told), TeamLine("", "", total, oldest))


def list_team_work(*, organization: str, request: PageRequest, actor: Actor) -> Page[WorkItem]:
    """Return the obligations behind one number; filters: holder (`user:…`, `role:…`), measure (open, overdue … done_30).

    Raises: Refused without cases.supervise there.
    """
    measure, holder = request.filters.get("measure", "open"), request.filters.get("holder", "")
    rows = _rows(organization, actor).filter(measure_condition(measure))
    if holder:
        rows = rows.filter(Q(closed_by=holder) if measure in DONE_DAYS else holder_condition(holder))
    if request.search:
        rows = rows.filter(case__search__contains=request.search.lower())
    shown = rows.select_related("case", "case__kind").order_by(*_order(request.sort), "id")
    items = list(shown[request.offset : request.offset + request.limit])
    named = _names(organization, {_holder(_seat(item)) for item in items})
    soon, ended = soon_now(), history.titles_of_done(items)
    page = tuple(_work_item(item, named, soon, ended) for item in items)
    return Page(page, rows.count(), request.page, request.limit)


def list_teams(*, actor: Actor) -> dict[str, str]:
    """Return the organisations whose work the actor may look at: name by code, one's own first."""
    found = actor.organizations_for(SUPERVISE)
    if ALL in found:
        page = organizations.list_organizations(request=PageRequest(size=500), actor=actor)
        return {actor.organization: actor.organization_name} | {body.code: body.label for body in page.items}
    names = organization_names(found)
    return {code: names[code] for code in sorted(found, key=lambda code: (code != actor.organization, code)) if code in names}


def list_takers(*, organization: str) -> dict[str, str]:
    """Return the people of an organisation: name by account, for choosing who takes work over."""
    members = {m.username: m.display_name for m in organizations.list_members(organization=organization)}
    return dict(sorted(members.items(), key=lambda pair: pair[1]))


def _rows(organization: str, actor: Actor) -> ObligationQuerySet:
    """Return the obligations of an organisation's seats and people that the actor supervises and may see."""
    actor.require(SUPERVISE, organization=organization)
    actor.require(SEES, organization=organization)
    seats = [organization, ANY_BUREAU] if organization == actor.organization and actor.may(SUPERVISE, organization=ANY_BUREAU) else [organization]
    concerned = Q(case__owner=organization) | Q(case__organization=organization) | Q(case__opened_for=organization)
    rows = ObligationRecord.objects.filter(kinds.for_people(kinds.all_digests()), Q(person="") | concerned, organization__in=seats)
    for permission in (SUPERVISE, SEES):
        covered = _kinds(actor, permission, organization)
        rows = rows if ALL in covered else rows.filter(kind_code__in=covered)
    return rows


def held_cases(person: str) -> tuple[str, ...]:
    """Return the cases that go on in which something was handed to a person (`user:…`) or is their own."""
    found = ObligationRecord.objects.filter(Q(assignee=person) | Q(person=person), state=OPEN).order_by("case_id")
    return tuple(found.values_list("case_id", flat=True).distinct())


def list_lost() -> tuple[tuple[str, str], ...]:
    """Return case and person (`user:…`) of what was handed to somebody who holds no role of it any more, or is theirs who left, each once."""
    opened = ObligationRecord.objects.filter(state=OPEN).order_by("case_id")
    held = opened.exclude(assignee="", person__in=("", BATCH)).exclude(name=OPINION)
    rows = list(held.values("case_id", "organization", "role", "assignee", "person"))
    takers = Takers(rows)
    lost = (row for row in rows if takers.of(row) != {row["person"] or row["assignee"]})
    return tuple(dict.fromkeys((str(row["case_id"]), str(row["person"] or row["assignee"])) for row in lost))


def list_exceptions(*, actor: Actor, most: int = MOST_EXCEPTIONS) -> tuple[WorkItem, ...]:
    """Return the open obligations that nobody can fulfil (例外), where the actor supervises; the most urgent first, `most` of them.

    Who supervises at the owner of a case sees what stands still in it at other bodies, too.
    Nobody holds the role there, or whose own it is left; or each of its group takes another person, and too few are left.
    Raises: Refused without cases.supervise.
    """
    actor.require(SUPERVISE)
    bodies = actor.organizations_for(SUPERVISE)
    rows = ObligationRecord.objects.filter(state=OPEN).exclude(person=BATCH)
    if ALL not in bodies:
        rows = rows.filter(Q(organization__in=bodies) | Q(organization="", case__organization__in=bodies) | Q(case__owner__in=bodies))
    seats = [{**seat, "assignee": ""} for seat in rows.order_by().values("organization", "role", "person").distinct()]
    takers, vacant = Takers(seats), Q(pk=None)
    for seat in [seat for seat in seats if not takers.of(seat)][:most]:
        vacant |= Q(organization=seat["organization"], role=seat["role"], person=seat["person"])
    of_group = _of_small_groups(seats, takers)
    shown = (rows.filter(some, case__in=CaseRecord.objects.visible_to(actor)) for some in (vacant, *of_group))
    urgent = (some.select_related("case", "case__kind").order_by(F(FIRST).asc(nulls_last=True), "id")[: 2 * most] for some in shown)
    items = {item.pk: item for some in urgent for item in some if _is_concerned(actor, item)}
    found = find_vacant((item, kinds.spec_of(item.case.kind)) for item in {**items, **_beside(items)}.values())
    order = sorted(items.values(), key=lambda item: (getattr(item, FIRST) is None, getattr(item, FIRST) or now(), item.pk))
    held = [item for item in order if item.pk in found][:most]
    named, places = _names("", {_holder(_seat(item)) for item in held}), organization_names(item.organization for item in held)
    soon = soon_now()
    return tuple(
        replace(_work_item(item, named, soon), organization_name=places.get(item.organization, ""), short=found[item.pk] == SHORT) for item in held
    )


def _is_concerned(actor: Actor, item: ObligationRecord) -> bool:
    bodies = {answers_for(item, item.case), item.case.owner} - {""}
    return any(actor.may(SUPERVISE, organization=body, kind=item.kind_code) for body in bodies)


def _of_small_groups(seats: Iterable[Mapping[str, Any]], takers: Takers) -> list[Q]:
    """Return the condition of obligations of which more stand in a group of different people than hold their seat; none if no kind has one."""
    groups = kinds.distinct_groups(kinds.all_digests())
    small: dict[tuple[str, int], list[str]] = {}
    for seat in seats if groups != Q(pk=None) else ():
        if seat["role"] and (people := len(takers.of(seat))):
            small.setdefault((seat["role"], people), []).append(seat["organization"])
    if not small:
        return []
    group = ObligationRecord.objects.filter(case=OuterRef("case"), group=OuterRef("group"), superseded_seq=None, state__in=(OPEN, DONE))
    size = Subquery(group.order_by().values("case").annotate(size=Count("pk")).values("size"))
    few = [Q(role=role, organization__in=bodies) & Q(GreaterThan(size, people)) for (role, people), bodies in small.items()]
    return [groups & reduce(or_, few)]


def _beside(items: Mapping[str, ObligationRecord]) -> dict[str, ObligationRecord]:
    """Return what stands, or was done, in the same groups of their cases."""
    groups = {(item.case_id, item.group) for item in items.values() if item.group}
    rows = ObligationRecord.objects.filter(case__in={case for case, _ in groups}, group__in={group for _, group in groups}, state__in=(OPEN, DONE))
    return {row.pk: row for row in rows.select_related("case", "case__kind") if (row.case_id, row.group) in groups} if groups else {}


def _kinds(actor: Actor, permission: str, organization: str) -> set[str]:
    held = (r for r in actor.rights if r.permission in (permission, ALL) and r.covers(organization=organization, region=None, kind=None))
    return {kind for right in held for kind in right.kinds}


def _holder(row: Mapping[str, Any]) -> str:
    return row["assignee"] or row["person"] or f"role:{row['role']}"


def _seat(item: ObligationRecord) -> dict[str, str]:
    return {"assignee": item.assignee or item.closed_by, "person": item.person, "role": item.role}


def _empty() -> dict[str, Any]:
    return {**dict.fromkeys(MEASURES, 0), "oldest": None}


def _add(line: dict[str, Any], row: Mapping[str, Any], names: Iterable[str]) -> None:
    for name in names:
        line[name] += row[name]


def _line(key: str, named: Mapping[str, str], held: Mapping[str, Any]) -> TeamLine:
    return TeamLine(key, named[key], {name: held[name] for name in MEASURES}, held["oldest"])


def _names(organization: str, holders: Iterable[str]) -> dict[str, str]:
    """Return what holders are called: the members by name, whoever else holds or did something, the role seats."""
    members = {f"user:{m.user_id}": m.display_name for m in organizations.list_members(organization=organization)}
    people = dict(sorted(members.items(), key=lambda pair: pair[1]))
    others = sorted(key for key in holders if key not in members and not key.startswith("role:"))
    people |= {key: key for key in others} | person_names(others)
    titles = {role.code: role.title["zh"] for role in organizations.list_roles()}
    seats = sorted(key for key in holders if key.startswith("role:"))
    return people | {key: " / ".join(titles.get(r, r) for r in key.removeprefix("role:").split(ROLE_JOIN)) for key in seats}


def _order(sort: str) -> list[Any]:
    name = sort.removeprefix("-")
    if name not in WORK_SORTS:
        return [F(FIRST).asc(nulls_last=True)]
    column = F(FIRST if name == "due_at" else name)
    return [column.desc(nulls_last=True) if sort.startswith("-") else column.asc(nulls_last=True)]


def _work_item(item: ObligationRecord, named: Mapping[str, str], soon: datetime, ended: Mapping[str, Mapping[str, str]] = NONE_ENDED) -> WorkItem:
    spec = kinds.spec_of(item.case.kind)
    at: datetime = now()
    return WorkItem(
        obligation_id=item.pk,
        case_id=item.case_id,
        number=item.case.number,
        case_title=item.case.title,
        kind_title=spec.title.as_mapping(),
        title=ended.get(item.pk) or spec.obligation(item.name).title.as_mapping(),
        holder=_holder(_seat(item)),
        holder_name=item.closed_by_name or named.get(_holder(_seat(item)), ""),
        opened_at=item.opened_at,
        due_at=item.first_due_at,
        closed_at=item.closed_at,
        light=clock.light_of(due_at=item.first_due_at, at=at, soon=soon, paused=item.paused_at is not None and item.first_due_at is None),
    )
