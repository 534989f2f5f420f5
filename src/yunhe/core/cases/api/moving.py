"""Write the move of many cases at once: those that stand alike are changed by one statement.

`rules.situations` works out what happens to one situation. Here the cases of a transaction are read by plain statements, put
together by what they get alike, and written: the text of an event is made once, and only ids differ from case to case.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, cached_property
from itertools import chain
from operator import itemgetter
from types import SimpleNamespace
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import Exists, Min, OuterRef

from yunhe.core.cases.api import folding, kinds, steps, store, telling
from yunhe.core.cases.api.many import Text, fresh_salts, together
from yunhe.core.cases.api.returning import CHANGE_OF
from yunhe.core.cases.api.rulebook import BOOK
from yunhe.core.cases.models import EventRecord, KindRecord, ObligationRecord
from yunhe.core.cases.rules import situations as rules
from yunhe.core.cases.rules.course import CANCELLED, DONE, OPEN, Moment
from yunhe.core.cases.rules.digests import canonical_json
from yunhe.core.cases.rules.position import replay
from yunhe.core.cases.rules.retiming import LIMIT, Past
from yunhe.core.cases.rules.search import search_text
from yunhe.core.cases.rules.timing import earliest_due, found_by, warn_at
from yunhe.core.cases.types import Move
from yunhe.core.evidence import api as evidence
from yunhe.core.statements.api import Rows, among
from yunhe.crypto import sm3
from yunhe.kernel.actor import Actor
from yunhe.kernel.ids import new_id

CASE_NAMES = ("id", "number", "state", "organization", "owner", "opened_by", "opened_for", "opened_at", "version", "due_at", "estimated")
OBLIGATION_NAMES = ("id", "case_id", *rules.STANDS, "due_at", "estimated")
TIMED_NAMES = tuple(dict.fromkeys((*OBLIGATION_NAMES, *rules.TIMES)))
CLOCK_NAMES = ("id", "case_id", "stopped_at", "due_at", "estimated")
TIMED_CLOCK = ("id", "case_id", *store.CLOCK_FIELDS)
EVENT_NAMES = ("id", "case_id", "seq", "diff", "salt", "digest", "evidence_id")
OWN_FACTS = ("number", "state", "digest")
LIMITED = frozenset((*LIMIT, "started_at", "stopped_at"))
LATER = "later"
"""Stands for a time of which only that there is one is asked."""
_ID, _DUE, _STANDS = itemgetter("id"), itemgetter("due_at", "estimated"), itemgetter(*rules.STANDS)
_SEAT = itemgetter(*telling.SEAT)
Row = Mapping[str, Any]
Items = Sequence[Row]


@dataclass(frozen=True)
class Change:
    """One move of a change of procedure as one transaction carries it out."""

    source: KindRecord
    target: KindRecord
    move: Move
    actor: Actor
    reason: str
    at: datetime
    migration_id: str = ""
    ready: dict[str, tuple[Stood, rules.Effect]] = field(default_factory=dict, compare=False)
    """By case what was worked out before the transaction, of a case as it stood then."""

    def moment(self, seq: int) -> Moment:
        """Return the surroundings of a case's step that gets this number."""
        return Moment(self.actor, self.at, seq, "migrate", kinds.calendar, new_id, values=self.values, book=BOOK)

    @property
    def values(self) -> dict[str, str]:
        """Return what each case's event says of the change: why, what became of limits unless they were kept, and which it was."""
        told = {"limits": "" if self.move.limits == "keep" else self.move.limits, CHANGE_OF: self.migration_id}
        return {"reason": self.reason, **{name: value for name, value in told.items() if value}}

    @cached_property
    def asked(self) -> rules.Asked:
        """Return what of a case can matter to the move."""
        return rules.asked_by(kinds.spec_of(self.source), kinds.spec_of(self.target), self.move)


class Shape(NamedTuple):
    """What cases get alike: the effect, when they are due if that changes, who becomes a party.

    `order`: the places of the touched obligations in the order of their ids, as the text of an event names them.
    """

    effect: rules.Effect
    due: tuple[tuple[str, Any], ...]
    parties: tuple[str, ...]
    order: tuple[int, ...]


class Stood(NamedTuple):
    """One case as it stood: its row, its live obligations and its clocks, those of each in the order of their ids."""

    case: Row
    items: Items
    clocks: Items


class Moved(NamedTuple):
    """One case: as it stood, the ids of its obligations and changed clocks by their places, when its own clock is due now."""

    case: Row
    items: Items
    ids: Sequence[str]
    clocks: Mapping[int, str]
    clock: Row


Shapes = Mapping[Shape, Sequence[Moved]]


def prepare(change: Change, ids: Sequence[str]) -> None:
    """Work out what the move does to cases of which each has times of its own, before the transaction that moves them.

    A case that stands otherwise by then is not moved by it: it is found again.
    """
    if change.asked.times or change.asked.pauses:
        found = list(_effects(change, ids, lock=False))  # all of them, before any is ready
        change.ready.update((stood.case["id"], (stood, effect)) for stood, effect in found)


def move_cases(change: Change, ids: Sequence[str]) -> int:
    """Move those of the cases that still stand where the move finds them, in the caller's transaction; return how many.

    Cost: a course for each situation (for each case where the move makes something of its times), and for each case its
    rows and two digests.
    """
    shapes = _shapes(change, ids)
    _write_rows(change, shapes)
    _write_data(change, shapes)
    _write_events(change, shapes)
    _end_children(change, shapes)
    return sum(map(len, shapes.values()))


def _shapes(change: Change, ids: Sequence[str]) -> Shapes:
    """Read the cases and put together those that get the same."""
    found = list(_effects(change, ids))
    known, first_due = _known_parties(found), cache(earliest_due)
    shapes: dict[Shape, list[Moved]] = defaultdict(list)
    for (case, items, clocks), effect in found:
        places = [*map(_ID, items), *(new_id() for _ in effect.opened)]
        parties = _new_parties(case, effect, known) if effect.owing else ()
        clock = first_due(tuple(map(_DUE, _running(clocks, effect))))
        changed = effect.changed
        left = [{**items[place], **changed[place]} if place in changed else items[place] for place in effect.left]
        due = _new_due(case, first_due(tuple(map(_DUE, (*left, *effect.opened.values(), clock)))))
        order = tuple(sorted((*changed, *effect.opened), key=places.__getitem__))
        own = {place: new_id() if place == rules.NEW else clocks[place]["id"] for place in effect.clocks}
        shapes[Shape(effect, due, parties, order)].append(Moved(case, items, places, own, clock))
    return shapes


def _running(clocks: Items, effect: rules.Effect) -> list[Row]:
    """Return the clocks of a case that run after the move."""
    after = [{**row, **effect.clocks.get(place, {})} for place, row in enumerate(clocks)]
    return [row for row in (*after, *filter(None, [effect.clocks.get(rules.NEW)])) if row["stopped_at"] is None]


def _effects(change: Change, ids: Sequence[str], *, lock: bool = True) -> Iterator[tuple[Stood, rules.Effect]]:
    """Yield the cases that stand where the move finds them, as they stood, and what the move does to them."""
    asked = change.asked
    timed = asked.times or asked.pauses
    cases = _read_cases(change, ids, lock=lock)  # locked before anything else of them is read
    opened = _by_case(store.OBLIGATIONS, TIMED_NAMES if timed else OBLIGATION_NAMES, "(state = 'open' OR next_at IS NOT NULL)", ids)
    clocks = _by_case(store.CLOCKS, TIMED_CLOCK if timed else CLOCK_NAMES, "id <> ''" if timed else "stopped_at IS NULL", ids)
    fresh = [] if change.ready else ids
    begun, earlier = _first_taken(asked.actions, fresh), _earlier(change, fresh) if change.move.limits == "restore" else {}
    known: dict[tuple[Any, ...], rules.Effect] = {}
    for case in cases:
        stood = Stood(case, opened.get(case["id"], ()), clocks.get(case["id"], ()))
        if tuple(sorted([item["name"] for item in stood.items if item["state"] == OPEN])) != change.move.obligations:
            continue  # acted on since: it is found again where it stands now
        if change.ready:
            before, effect = change.ready.get(case["id"], (None, None))
            if before == stood and effect is not None:
                yield stood, effect
            continue
        if asked.times or (asked.pauses and any(row["paused_at"] for row in (*stood.items, *stood.clocks))):
            yield stood, _work_out(change, stood, whole=True, past=_past(stood, begun.get(case["id"], {}), earlier.get(case["id"], {})))
            continue
        key = _situation(stood, asked)
        if key not in known:
            known[key] = _work_out(change, stood)
        yield stood, known[key]


def _read_cases(change: Change, ids: Sequence[str], *, lock: bool) -> Sequence[Row]:
    where, value = among("id", ids)
    where += " AND kind_id = %s AND phase = %s AND state <> 'closed'" + " FOR UPDATE" * (lock and connection.features.has_select_for_update)
    names = (*CASE_NAMES, *(["data"] if change.asked.data else []))
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


def _first_taken(actions: tuple[str, ...], ids: Sequence[str]) -> Mapping[str, Mapping[str, str]]:
    """Return by case when these actions were first taken; one that was taken back was not."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    if actions:
        stands = ObligationRecord.objects.filter(pk=OuterRef("obligation_id"), state=DONE, closed_seq=OuterRef("seq"))
        events = EventRecord.objects.filter(Exists(stands), case_id__in=ids, action__in=actions).order_by()
        for case_id, action, at in events.values_list("case_id", "action").annotate(Min("at")):
            found[case_id][action] = at.isoformat()
    return found


def _earlier(change: Change, ids: Sequence[str]) -> Mapping[str, Mapping[str, Row]]:
    """Return by case and row the limits before the change that brought the case to this version, of the rows whose limit that changed."""
    (where, value), found = among("case_id", ids), dict[str, Mapping[str, Row]]()
    moved = store.EVENTS.plain(("case_id", "seq", "diff"), f"{where} AND action = 'migrate' AND kind_digest = %s", value, change.source.digest)
    for event in sorted(moved, key=itemgetter("seq")):
        timed = [(part, key) for part in ("obligations", "clocks") for key, row in event["diff"].get(part, {}).items() if row.keys() & LIMITED]
        rows = store.EVENTS.plain(("seq", "diff", "actor_organization"), "case_id = %s AND seq < %s", event["case_id"], event["seq"]) if timed else []
        before = replay(folding.differences(SimpleNamespace(**row) for row in sorted(rows, key=itemgetter("seq"))))
        earlier = {key: before[part].get(key, {}) for part, key in timed}
        found[event["case_id"]] = {key: row for key, row in earlier.items() if row or ("clocks", key) in timed}
    return found


def _past(stood: Stood, begun: Mapping[str, str], earlier: Mapping[str, Row]) -> Past:
    """Return what the move asks of a case's past, rows named by their places."""
    names = [(rules.key_at(place), row["id"]) for place, row in enumerate(stood.items)]
    names += [(rules.clock_at(place), row["id"]) for place, row in enumerate(stood.clocks)]
    return Past(begun, {name: earlier[key] for name, key in names if key in earlier})


def _situation(stood: Stood, asked: rules.Asked) -> tuple[Any, ...]:
    """Return all that the move can ask of a case, as a key."""
    case = stood.case
    own = [case[name] for name in asked.case] + [canonical_json(case["data"].get(name)) for name in asked.data]
    return (case["version"], *own, *map(_asked_of, stood.items))


def _asked_of(item: Row) -> tuple[Any, ...]:
    """Return what the move can ask of an obligation whose times are not asked: only whether it lapses and comes again."""
    *told, lapses, again, amount = _STANDS(item)
    return (*told, LATER if lapses else None, LATER if again else None, amount)


def _work_out(change: Change, stood: Stood, *, whole: bool = False, past: Past | None = None) -> rules.Effect:
    """Return what the move does to a case, as a whole, or as one of those that stand alike."""
    case, asked = stood.case, change.asked
    own, data = {name: case[name] for name in asked.case}, {name: case["data"].get(name) for name in asked.data}
    standing = stood.items if whole else [dict(zip(rules.STANDS, _asked_of(item), strict=True)) for item in stood.items]
    clocks = stood.clocks if whole else ()
    old, new, moment = kinds.spec_of(change.source), kinds.spec_of(change.target), change.moment(case["version"] + 1)
    return rules.work_out(
        old, new, change.move, moment, telling.turns, case=own, data=data, standing=standing, clocks=clocks, past=past
    )


def _new_due(case: Row, due: Row) -> tuple[tuple[str, Any], ...]:
    changed = case["state"] == OPEN and any(case[name] != value for name, value in due.items())
    return tuple(due.items()) if changed else ()


def _known_parties(found: Iterable[tuple[Stood, rules.Effect]]) -> set[tuple[str, str]]:
    """Return which organisations that now owe something are parties of their case already."""
    owing = {stood.case["id"]: effect.owing for stood, effect in found if effect.owing}
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
    _write_clocks(change, shapes)
    store.OBLIGATIONS.update_each(list(_found_by(shapes)))
    store.PARTIES.insert(parties)
    _note_turns(change, shapes)


def _write_clocks(change: Change, shapes: Shapes) -> None:
    """Write what became of the clocks of cases, with when each is warned of next."""
    percents = tuple(sorted(rung.percent for rung in kinds.spec_of(change.target).ladder))
    for shape, moved in shapes.items():
        for place, row in shape.effect.clocks.items():
            for one in moved:
                key = one.clocks[place]
                if place == rules.NEW:
                    store.CLOCKS.insert([{"id": key, "case_id": one.case["id"], **row, "warn_at": warn_at(row, percents)}])
                else:
                    (held,) = store.CLOCKS.plain(store.CLOCK_FIELDS, "id = %s", key)
                    after = {**held, **row}
                    store.CLOCKS.update({**row, "warn_at": None if after["stopped_at"] else warn_at(after, percents)}, "id = %s", key)


def _note_turns(change: Change, shapes: Shapes) -> None:
    """Note what came to people, and what is theirs no more, with whose it was."""
    shared = {"caused_by": change.actor.id, "came_at": change.at, "told_at": None}
    came = [(one.ids[place],) for shape, moved in shapes.items() for one in moved for place in shape.effect.came]
    telling.TURNS.insert_alike(shared, ("obligation_id",), came)
    gone = [one.items[place] for shape, moved in shapes.items() for one in moved for place in shape.effect.gone]
    names = ("obligation_id", *telling.SEAT)
    telling.TURNS.insert_alike({**shared, "gone": True}, names, [(item["id"], *_SEAT(item)) for item in gone])


def _found_by(shapes: Shapes) -> Iterator[tuple[str, Row]]:
    """Yield by what lists find an obligation, where the move changed that: its own limit or the clock of its case, if sooner."""
    for shape, moved in shapes.items():
        effect = shape.effect
        touched = [place for place in effect.left if effect.clocks or "due_at" in effect.changed.get(place, {})]
        for one in moved if touched or effect.opened else ():
            rows: dict[int, Row] = {place: {**one.items[place], **effect.changed.get(place, {})} for place in touched}
            rows |= effect.opened if one.clock["due_at"] else {}
            for place, row in rows.items():
                yield one.ids[place], found_by((_DUE(row), _DUE(one.clock)))


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
    secret, seq, own = secrets.token_hex(8), shape.effect.seq, moved[0].clocks  # clocks change of cases that are alone in their shape
    timed = sorted(own, key=own.__getitem__)
    marks = [f"{secret}{number:05d}" for number in range(3 + len(shape.order) + len(timed))]
    difference = _difference(shape, marks[3:], timed)
    told = {**shared, "id": marks[0], "case_id": marks[1], "salt": marks[2], "seq": seq, "diff": difference}
    diff, covered = Text(difference, marks), Text(store.covered_by_digest(told), marks)
    for one, salt in zip(moved, fresh_salts(len(moved)), strict=True):
        words = [new_id(), one.case["id"], salt, *[one.ids[place] for place in shape.order], *[one.clocks[place] for place in timed]]
        digest = sm3.hexdigest(covered.with_words(words).encode("utf-8"))
        yield words[0], words[1], seq, diff.with_words(words), salt, digest


def _difference(shape: Shape, marks: Sequence[str], timed: Sequence[int]) -> dict[str, Any]:
    effect = shape.effect
    rows = {**effect.changed, **effect.opened}
    parts = {
        "case": {"phase": effect.phase, **dict(shape.due)},
        "data": dict(effect.data),
        "obligations": {key: rows[place] for key, place in zip(marks, shape.order, strict=False)},
        "clocks": {key: effect.clocks[place] for key, place in zip(marks[len(shape.order) :], timed, strict=True)},
        "parties": {store.party_key(party): party for party in map(_party, shape.parties)},
    }
    return {part: told for part, told in parts.items() if told}


def _end_children(change: Change, shapes: Shapes) -> None:
    """End the sub-cases of obligations that the move cancels, as it does wherever an obligation is cancelled."""
    if not any(spec.child for spec in kinds.spec_of(change.source).obligations.values()):
        return
    ended = [one.ids[place] for shape, moved in shapes.items() for place, row in shape.effect.changed.items() if row.get("state") == CANCELLED for one in moved]
    for child_id in ObligationRecord.objects.filter(pk__in=ended, child__isnull=False).order_by("pk").values_list("child_id", flat=True):
        steps.cancel_child(str(child_id), change.actor)


def _copied(case: Row) -> dict[str, Any]:
    return {"state": case["state"], "opened_at": case["opened_at"]}


def _party(organization: str) -> dict[str, str]:
    return {"part": "handler", "organization": organization, "person": ""}
