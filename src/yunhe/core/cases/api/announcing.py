"""Tell people what came to them: bundled, by the worker, from what each step noted with `telling.note_turns`.

A person gets one notice for all that came to them since the last round, and one for all that a change of procedure took
from them; the system of an organisation one for all that came to its roles. A seat of a role (several may take what it
owes) is told at once when it was quiet, and again only after `PACE`: a desk through which hundreds of cases go is not
told hundreds of times.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple

from django.db import transaction
from django.urls import reverse

from yunhe.core.cases.api import kinds
from yunhe.core.cases.api.delegating import standing_in
from yunhe.core.cases.api.holding import is_there
from yunhe.core.cases.api.seating import has_seat
from yunhe.core.cases.api.telling import PERSON
from yunhe.core.cases.models import ANY_BUREAU, ObligationRecord, TurnRecord
from yunhe.core.cases.rules.course import OPEN, ROLE_JOIN
from yunhe.core.notices import api as notices
from yunhe.core.notices.types import Recipient, ToPerson, ToSystem
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.types import Membership
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import local, now

TURN, GONE = "cases.turn", "cases.gone"
PACE = timedelta(minutes=10)
KEEP = timedelta(days=1)
MOST_ROWS = 20_000
MOST_NAMED = 5
MOST_ASKED = 500
MOST_LETTERS = 100
OWN_SEAT = ("organization", "role", "person", "assignee")
SEAT = ("obligation__organization", "obligation__role", "obligation__person", "obligation__assignee")
LINE = ("obligation_id", "obligation__kind_code", "caused_by", "obligation__case_id", "obligation__case__number", "obligation__state", "gone")
Texts = dict[str, str]


class Seat(NamedTuple):
    """Whose turn it is, for one kind of cases: a person, or the roles of an organisation (or of any)."""

    organization: str
    role: str
    person: str
    kind: str


@dataclass
class Heap:
    """What came to one seat by one person's steps, or is `gone` from it: the cases, by id, with their numbers; `owed` by id.

    `kept`: the seats that owe it now; who is in one of them lost nothing.
    """

    seat: Seat
    caused_by: str
    gone: bool = False
    kept: frozenset[Seat] = frozenset()
    cases: dict[str, str] = field(default_factory=dict)
    owed: list[str] = field(default_factory=list)


def tell_turns(*, actor: Actor, check: Callable[[], None] = lambda: None) -> int:
    """Tell everybody what came to them and is still to be done; return how many notices that made.

    Nobody is told of what they caused themselves; whoever stands in for an absent person is told with them.
    `check` runs between notices and may raise: then nothing of the round was told.
    """
    at = now()
    with transaction.atomic():
        TurnRecord.objects.filter(told_at__lt=at - KEEP).delete()
        rows = _due(at)
        told, seats = 0, defaultdict[tuple[str, str], set[str]](set)
        found = _heaps(rows)
        for body, heaps in _by_system(found):
            check()
            _send([ToSystem(body)], heaps, actor)
        for people, heaps in _by_people(found):
            check()
            told += _send(people, heaps, actor)
            for heap in heaps:
                if heap.seat.role and not (heap.gone or heap.seat.person):
                    seats[heap.seat.organization, heap.seat.role].update(heap.owed)
        noted = TurnRecord.objects.filter(pk__in=[row["id"] for row in rows])
        noted.update(told_at=at)
        for (organization, role), owed in seats.items():
            noted.filter(gone=False, obligation__in=owed).update(organization=organization, role=role)
    return told


def _due(at: datetime) -> list[dict[str, Any]]:
    """Return what is to be told now: of a role's seat that was told a little while ago nothing yet.

    What came carries the seat only where that was told of it: not what was done before, or told to a person by name.
    """
    recent = TurnRecord.objects.filter(told_at__gt=at - PACE, gone=False).exclude(role="").order_by()
    paced = set(recent.values_list("organization", "role").distinct())
    rows = TurnRecord.objects.filter(told_at=None).order_by("id").values("id", *SEAT, *LINE, *OWN_SEAT)[:MOST_ROWS]

    def waits(row: Mapping[str, Any]) -> bool:
        direct = row["gone"] or row["obligation__person"] or row["obligation__assignee"] or row["obligation__state"] != OPEN
        return not direct and (row["obligation__organization"], row["obligation__role"]) in paced

    return [row for row in rows if not waits(row)]


def _heaps(rows: Iterable[Mapping[str, Any]]) -> list[Heap]:
    """Return what is to be told; nothing of what came and is done already."""
    heaps: dict[tuple[Any, ...], Heap] = {}
    for row in rows:
        opened, gone = row["obligation__state"] == OPEN, row["gone"]
        if opened or gone:
            now_owes, kind = _seat(row, SEAT), row["obligation__kind_code"]
            kept = frozenset({Seat(*now_owes, kind)}) if gone and opened else frozenset[Seat]()
            seat = Seat(*(_seat(row, OWN_SEAT) if gone else now_owes), kind)
            key = (seat, row["caused_by"], gone, kept)
            heap = heaps.setdefault(key, Heap(seat, row["caused_by"], gone, kept))
            heap.cases[row["obligation__case_id"]] = row["obligation__case__number"]
            heap.owed.append(row["obligation_id"])
    return list(heaps.values())


def _seat(row: Mapping[str, Any], names: Iterable[str]) -> tuple[str, str, str]:
    organization, role, person, assignee = (row[name] for name in names)
    return organization, role, assignee or person


def _by_people(heaps: Sequence[Heap]) -> list[tuple[tuple[ToPerson, ...], list[Heap]]]:
    """Return what to tell whom, each time all that came or all that is gone; people who are told the same are told together.

    What came to a person in two memberships is told in each.
    """
    theirs: dict[tuple[ToPerson, bool], list[int]] = defaultdict(list)
    takers = cache(takers_of)
    for place, heap in enumerate(heaps):
        keepers = {one.id for seat in heap.kept for one in takers(seat)}
        for person in takers(heap.seat):
            if person.id != heap.caused_by and person.id not in keepers:
                theirs[person, heap.gone].append(place)
    for person, gone in [key for key in theirs if key[0].roles]:  # who stands in for another there is told both together
        wide = (ToPerson(person.id, person.organization), gone)
        if wide in theirs:
            theirs[wide] = sorted({*theirs[wide], *theirs.pop((person, gone))})
    alike: dict[tuple[int, ...], list[ToPerson]] = defaultdict(list)
    for (person, _gone), places in theirs.items():
        alike[tuple(places)].append(person)
    return [(tuple(people), [heaps[place] for place in places]) for places, people in alike.items()]


def _by_system(heaps: Iterable[Heap]) -> list[tuple[str, list[Heap]]]:
    """Return what to tell the systems of organisations: all that came to their roles, whoever caused it, and all that is gone."""
    theirs: dict[tuple[str, bool], list[Heap]] = defaultdict(list)
    for heap in heaps:
        body = heap.seat.organization
        if heap.seat.role and not heap.seat.person and body not in ("", ANY_BUREAU, *(seat.organization for seat in heap.kept)):
            theirs[body, heap.gone].append(heap)
    there = notices.find_systems(organizations={body for body, _gone in theirs})
    return [(body, told) for (body, _gone), told in theirs.items() if body in there]


def takers_of(seat: Seat) -> tuple[ToPerson, ...]:
    """Return who may take what a seat owes, in the membership in which they may: its holders, and who stands in for those who are away."""
    today = local(now()).date()
    if seat.person:
        body = "" if seat.organization == ANY_BUREAU else seat.organization
        if not seat.person.startswith(PERSON) or not is_there(seat.person, body):
            return ()
        own = ToPerson(seat.person, seat.organization, tuple(filter(None, seat.role.split(ROLE_JOIN))))
        return own, *standing_in(persons=[seat.person], organization=body, kind=seat.kind, on=today)
    held = [one for role in seat.role.split(ROLE_JOIN) for one in _holders(seat, role)]
    away = standing_in(memberships=[one.id for one in held], kind=seat.kind, on=today)
    return tuple(dict.fromkeys((*(ToPerson(f"{PERSON}{one.user_id}", one.organization, (one.role,)) for one in held), *away)))


def still_theirs(keys: Collection[str], person: str) -> set[str]:
    """Return which of these obligations are open and the person's to take: of the others they need not be told any more."""
    takers, found = cache(takers_of), set[str]()
    for start in range(0, len(keys), MOST_ASKED):
        asked = list(keys)[start : start + MOST_ASKED]
        for row in ObligationRecord.objects.filter(pk__in=asked, state=OPEN).values("pk", "kind_code", *OWN_SEAT):
            if any(one.id == person for one in takers(Seat(*_seat(row, OWN_SEAT), row["kind_code"]))):
                found.add(row["pk"])
    return found


def _holders(seat: Seat, role: str) -> tuple[Membership, ...]:
    """Return who holds the role there, if the role may act on such cases: asked of one of them, rights are the role's."""
    anywhere = seat.organization == ANY_BUREAU
    found = organizations.list_holders(role=role) if anywhere else organizations.list_members(organization=seat.organization, role=role)
    item = ObligationRecord(organization=seat.organization, role=seat.role, kind_code=seat.kind)
    return found if found and has_seat(item, organizations.actor_for(user_id=found[0].user_id, membership_id=found[0].id)) else ()


def _send(to: Iterable[Recipient], heaps: list[Heap], actor: Actor) -> int:
    numbers = {case_id: number for heap in heaps for case_id, number in heap.cases.items()}
    title, text = _words(heaps, list(numbers.values()))
    kind = GONE if heaps[0].gone else TURN
    href = reverse("cases:case", args=list(numbers)) if len(numbers) == 1 else reverse("cases:list" if kind == GONE else "cases:inbox")
    sent = notices.send(
        to=to, kind=kind, title=title, text=text, href=href,
        case_id=next(iter(numbers)) if len(numbers) == 1 else "", actor=actor,
        about=() if kind == GONE else list(dict.fromkeys(key for heap in heaps for key in heap.owed)),
    )  # fmt: skip
    return sent.notices


def _words(heaps: list[Heap], numbers: list[str]) -> tuple[Texts, Texts]:
    """Return title and text: the one case, or how many and the first of them."""
    gone = heaps[0].gone
    if len(numbers) == 1 and gone:
        kind = _title(heaps[0].seat.kind)
        return (
            {"zh": f"不再由您办理：{kind['zh']} {numbers[0]}", "en": f"No longer yours: {kind['en']} {numbers[0]}"},
            {"zh": "办理流程变更后，这件事不再由您办理", "en": "By a change of the procedure it is no longer yours to do"},
        )
    if len(numbers) == 1:
        kind = _title(heaps[0].seat.kind)
        return (
            {"zh": f"请您办理：{kind['zh']} {numbers[0]}", "en": f"Your turn: {kind['en']} {numbers[0]}"},
            _owed([key for heap in heaps for key in heap.owed]),
        )
    counted: dict[str, set[str]] = defaultdict(set)
    for heap in heaps:
        counted[heap.seat.kind] |= heap.cases.keys()
    by_kind = [(_title(kind), len(counted[kind])) for kind in list(counted)[:MOST_NAMED]]
    more, more_en = ("等", " …") if len(numbers) > MOST_NAMED else ("", "")
    zh = "、".join(f"{kind['zh']} {count} 件" for kind, count in by_kind) + "：" + "、".join(numbers[:MOST_NAMED]) + more
    en = ", ".join(f"{kind['en']}: {count}" for kind, count in by_kind) + " — " + ", ".join(numbers[:MOST_NAMED]) + more_en
    if gone:
        return {"zh": f"{len(numbers)} 件办件不再由您办理", "en": f"{len(numbers)} cases are no longer yours"}, {"zh": zh, "en": en}
    return {"zh": f"{len(numbers)} 件办件轮到您办理", "en": f"{len(numbers)} cases are your turn"}, {"zh": zh, "en": en}


def _owed(keys: Sequence[str]) -> Texts:
    """Return what is to be done in one case, and by when."""
    told: dict[str, list[str]] = {"zh": [], "en": []}
    for item in ObligationRecord.objects.select_related("case__kind").filter(pk__in=keys).order_by("pk"):
        title = kinds.spec_of(item.case.kind).obligation(item.name).title.as_mapping()
        by = f"{local(item.first_due_at):%Y-%m-%d %H:%M}" if item.first_due_at else ""
        told["zh"].append(title["zh"][:MOST_LETTERS] + (f"（{by} 到期）" if by else ""))
        told["en"].append(title["en"][:MOST_LETTERS] + (f" (due {by})" if by else ""))
    return {"zh": "；".join(dict.fromkeys(told["zh"])), "en": "; ".join(dict.fromkeys(told["en"]))}


def _title(kind: str) -> Texts:
    """Return what a kind is called, short enough for a notice."""
    return {language: said[:MOST_LETTERS] for language, said in kinds.get_kind(code=kind).title.as_mapping().items()}
