"""Write the move of many cases at once: those that stand alike are changed by one statement.

`rules.moving` works out what happens to one situation. Here the cases of a transaction are read by plain statements, put
together by what they get alike, and written: the text of an event is made once, and only ids differ from case to case.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import chain
from operator import itemgetter
from typing import Any, NamedTuple

from django.db import connection

from yunhe.core.cases.api import kinds, store, telling
from yunhe.core.cases.api.many import Text, fresh_salts, together
from yunhe.core.cases.api.rulebook import BOOK
from yunhe.core.cases.models import KindRecord
from yunhe.core.cases.rules import moving as rules
from yunhe.core.cases.rules.course import OPEN, Moment
from yunhe.core.cases.rules.digests import canonical_json
from yunhe.core.cases.rules.search import search_text
from yunhe.core.cases.rules.timing import earliest_due, found_by
from yunhe.core.cases.types import Move
from yunhe.core.evidence import api as evidence
from yunhe.core.statements.api import Rows, among
from yunhe.crypto import sm3
from yunhe.kernel.actor import Actor
from yunhe.kernel.ids import new_id

CASE_NAMES = ("id", "number", "state", "organization", "owner", "opened_by", "opened_at", "version", "due_at", "estimated")
OBLIGATION_NAMES = ("id", "case_id", *rules.STANDS, "due_at", "estimated")
EVENT_NAMES = ("id", "case_id", "seq", "diff", "salt", "digest", "evidence_id")
OWN_FACTS = ("number", "state", "digest")
_ID, _DUE, _STANDS = itemgetter("id"), itemgetter("due_at", "estimated"), itemgetter(*rules.STANDS)
Row = Mapping[str, Any]
Items = Sequence[Row]


@dataclass(frozen=True, slots=True)
class Change:
    """One move of a change of procedure as one transaction carries it out."""

    source: KindRecord
    target: KindRecord
    move: Move
    actor: Actor
    reason: str
    at: datetime

    def moment(self, seq: int) -> Moment:
        """Return the surroundings of a case's step that gets this number."""
        return Moment(self.actor, self.at, seq, "migrate", kinds.calendar, new_id, values={"reason": self.reason}, book=BOOK)


class Shape(NamedTuple):
    """What cases get alike: the effect, when they are due if that changes, who becomes a party.

    `order`: the places of the touched obligations in the order of their ids, as the text of an event names them.
    """

    effect: rules.Effect
    due: tuple[tuple[str, Any], ...]
    parties: tuple[str, ...]
    order: tuple[int, ...]


class Moved(NamedTuple):
    """One case: its row as it stood, the ids of its obligations by their places, when its own clock is due."""

    case: Row
    ids: Sequence[str]
    clock: Row


Shapes = Mapping[Shape, Sequence[Moved]]


def move_cases(change: Change, ids: Sequence[str]) -> int:
    """Move those of the cases that still stand where the move finds them, in the caller's transaction; return how many.

    Cost: a course for each situation, and for each case its rows and two digests.
    """
    shapes = _shapes(change, ids)
    _write_rows(change, shapes)
    _write_data(change, shapes)
    _write_events(change, shapes)
    return sum(map(len, shapes.values()))


def _shapes(change: Change, ids: Sequence[str]) -> Shapes:
    """Read the cases and put together those that get the same."""
    found = list(_effects(change, ids))
    clocks = _by_case(store.CLOCKS, ("id", "case_id", "due_at", "estimated"), "stopped_at IS NULL", ids)
    known, first_due = _known_parties(found), cache(earliest_due)
    shapes: dict[Shape, list[Moved]] = defaultdict(list)
    for case, items, effect in found:
        places = [*map(_ID, items), *(new_id() for _ in effect.opened)]
        parties = _new_parties(case, effect, known) if effect.owing else ()
        clock = first_due(tuple(map(_DUE, clocks.get(case["id"], ()))))
        timed = [*(items[place] for place in effect.left), *effect.opened.values(), clock]
        due = _new_due(case, first_due(tuple(map(_DUE, timed))))
        order = tuple(sorted((*effect.changed, *effect.opened), key=places.__getitem__))
        shapes[Shape(effect, due, parties, order)].append(Moved(case, places, clock))
    return shapes


def _effects(change: Change, ids: Sequence[str]) -> Iterator[tuple[Row, Items, rules.Effect]]:
    """Yield the cases that stand where the move finds them, with their obligations and what the move does to them."""
    asked = rules.asked_by(kinds.spec_of(change.source), kinds.spec_of(change.target), change.move)
    cases = _read_cases(change, ids, asked)  # locked before anything else of them is read
    opened = _by_case(store.OBLIGATIONS, OBLIGATION_NAMES, "(state = 'open' OR next_at IS NOT NULL)", ids)
    known: dict[tuple[Any, ...], rules.Effect] = {}
    for case in cases:
        items = opened.get(case["id"], ())
        if tuple(sorted([item["name"] for item in items if item["state"] == OPEN])) != change.move.obligations:
            continue  # acted on since: it is found again where it stands now
        key = _situation(case, items, asked)
        if key not in known:
            known[key] = _work_out(change, case, items, asked)
        yield case, items, known[key]


def _read_cases(change: Change, ids: Sequence[str], asked: rules.Asked) -> Sequence[Row]:
    where, value = among("id", ids)
    where += " AND kind_id = %s AND phase = %s AND state <> 'closed'" + " FOR UPDATE" * connection.features.has_select_for_update
    names = (*CASE_NAMES, *(["data"] if asked.data else []))
    return store.CASES.plain(names, where, value, change.source.pk, change.move.phase)


def _by_case(table: Rows[Any], names: tuple[str, ...], live: str, ids: Sequence[str]) -> Mapping[str, Items]:
    """Return the live rows of cases, those of one in the order of their ids."""
    where, value = among("case_id", ids)
    found: dict[str, list[Row]] = defaultdict(list)
    for row in table.plain(names, f"{where} AND {live}", value):
        found[row["case_id"]].append(row)
    for rows in found.values():
        rows.sort(key=_ID)
    return found


def _situation(case: Row, items: Items, asked: rules.Asked) -> tuple[Any, ...]:
    """Return all that the move can ask of a case, as a key."""
    own = [case[name] for name in asked.case] + [canonical_json(case["data"].get(name)) for name in asked.data]
    return (case["version"], *own, *map(_STANDS, items))


def _work_out(change: Change, case: Row, items: Items, asked: rules.Asked) -> rules.Effect:
    own, data = {name: case[name] for name in asked.case}, {name: case["data"].get(name) for name in asked.data}
    standing = [dict(zip(rules.STANDS, _STANDS(item), strict=True)) for item in items]
    moment = change.moment(case["version"] + 1)
    old, new = kinds.spec_of(change.source), kinds.spec_of(change.target)
    return rules.work_out(old, new, change.move, moment, telling.came, case=own, data=data, standing=standing)


def _new_due(case: Row, due: Row) -> tuple[tuple[str, Any], ...]:
    changed = case["state"] == OPEN and any(case[name] != value for name, value in due.items())
    return tuple(due.items()) if changed else ()


def _known_parties(found: Iterable[tuple[Row, Items, rules.Effect]]) -> set[tuple[str, str]]:
    """Return which organisations that now owe something are parties of their case already."""
    owing = {case["id"]: effect.owing for case, _items, effect in found if effect.owing}
    if not owing:
        return set()
    (cases, ids), (bodies, codes) = among("case_id", list(owing)), among("organization", sorted({*chain(*owing.values())}))
    rows = store.PARTIES.plain(("case_id", "organization"), f"{cases} AND person = '' AND {bodies}", ids, codes)
    return {(row["case_id"], row["organization"]) for row in rows}


def _new_parties(case: Row, effect: rules.Effect, known: set[tuple[str, str]]) -> tuple[str, ...]:
    own = (case["organization"], case["owner"])
    return tuple(code for code in effect.owing if code not in own and (case["id"], code) not in known)


def _write_rows(change: Change, shapes: Shapes) -> None:
    """Write cases, obligations, parties and what came to people, what is alike together."""
    code, kind = change.source.code, change.target.pk
    cases, changed, opened, parties = [], [], [], []
    for (effect, moved), due, joining in (((s.effect, m), s.due, s.parties) for s, m in shapes.items()):
        own = [one.case["id"] for one in moved]
        cases.append(({"phase": effect.phase, **dict(due), "kind_id": kind, "version": effect.seq}, own))
        changed += [(row, [one.ids[place] for one in moved]) for place, row in effect.changed.items()]
        for at, row in effect.opened.items():
            shared = {"kind_code": code, **row, **found_by((_DUE(row),))}
            opened.append((shared, [(one.ids[at], one.case["id"]) for one in moved]))
        parties += [{"case_id": one.case["id"], "kind_code": code, **_copied(one.case), **_party(body)} for one in moved for body in joining]
    for row, ids in together(cases):
        store.CASES.update(row, *among("id", ids))
    for row, ids in together(changed):
        store.OBLIGATIONS.update(row, *among("id", ids))
    for row, keys in together(opened):
        store.OBLIGATIONS.insert_alike(row, ("id", "case_id"), keys)
    store.OBLIGATIONS.update_each(list(_due_by_their_clocks(shapes)))
    store.PARTIES.insert(parties)
    came = [(one.ids[place],) for shape, moved in shapes.items() for one in moved for place in shape.effect.came]
    telling.TURNS.insert_alike({"caused_by": change.actor.id, "came_at": change.at, "told_at": None}, ("obligation_id",), came)


def _due_by_their_clocks(shapes: Shapes) -> Iterator[tuple[str, Row]]:
    """Yield by what lists find that which the move opened in cases whose own clock runs: that, or its limit if sooner."""
    for shape, moved in shapes.items():
        timed = [one for one in moved if one.clock["due_at"]] if shape.effect.opened else []
        for at, row in shape.effect.opened.items():
            for one in timed:
                yield one.ids[at], found_by((_DUE(row), _DUE(one.clock)))


def _write_data(change: Change, shapes: Shapes) -> None:
    """Write the lists of whom to ask, where the move changed them, and what a search finds."""
    fields = kinds.spec_of(change.target).fields
    changes = {one.case["id"]: shape.effect.data for shape, moved in shapes.items() if shape.effect.data for one in moved}
    rows = store.CASES.plain(("id", "data", "search"), *among("id", list(changes))) if changes else []
    told = [(row["id"], {**row["data"], **changes[row["id"]]}, row["search"]) for row in rows]
    store.CASES.update_each([(key, {"data": data, "search": search_text(head, fields, data)}) for key, data, head in told])


def _write_events(change: Change, shapes: Shapes) -> None:
    """Write each case's event with its evidence."""
    events: list[tuple[Any, ...]] = []
    shared = store.shared_event(change.moment(0), change.target.digest)
    for shape, moved in shapes.items():
        written = list(_events(shape, moved, shared))
        facts = {"kind": change.source.code, "seq": shape.effect.seq, "action": shared["action"], "phase": shape.effect.phase}
        entries: list[tuple[str, str, Row]] = [
            (one.case["id"], one.case["owner"] or one.case["organization"],
             {"number": one.case["number"], "state": one.case["state"], "digest": event[-1]})
            for one, event in zip(moved, written, strict=True)
        ]  # fmt: skip
        kept = evidence.append_alike(
            kind=store.EVIDENCE, actor=change.actor, at=change.at, subject_type="case", facts=facts, own=OWN_FACTS, entries=entries
        )
        events += [(*event, key) for event, key in zip(written, kept, strict=True)]
    store.EVENTS.insert_alike(shared, EVENT_NAMES, events)


def _events(shape: Shape, moved: Sequence[Moved], shared: Row) -> Iterator[tuple[Any, ...]]:
    """Yield of each case's event the columns EVENT_NAMES but the evidence."""
    secret, seq = secrets.token_hex(8), shape.effect.seq
    marks = [f"{secret}{number:05d}" for number in range(3 + len(shape.order))]
    difference = _difference(shape, marks[3:])
    told = {**shared, "id": marks[0], "case_id": marks[1], "salt": marks[2], "seq": seq, "diff": difference}
    diff, covered = Text(difference, marks), Text(store.covered_by_digest(told), marks)
    for one, salt in zip(moved, fresh_salts(len(moved)), strict=True):
        words = [new_id(), one.case["id"], salt, *[one.ids[place] for place in shape.order]]
        digest = sm3.hexdigest(covered.with_words(words).encode("utf-8"))
        yield words[0], words[1], seq, diff.with_words(words), salt, digest


def _difference(shape: Shape, marks: Sequence[str]) -> dict[str, Any]:
    effect = shape.effect
    rows = {**effect.changed, **effect.opened}
    parts = {
        "case": {"phase": effect.phase, **dict(shape.due)},
        "data": dict(effect.data),
        "obligations": {key: rows[place] for key, place in zip(marks, shape.order, strict=True)},
        "parties": {store.party_key(party): party for party in map(_party, shape.parties)},
    }
    return {part: told for part, told in parts.items() if told}


def _copied(case: Row) -> dict[str, Any]:
    return {"state": case["state"], "opened_at": case["opened_at"]}


def _party(organization: str) -> dict[str, str]:
    return {"part": "handler", "organization": organization, "person": ""}
