"""What cases that stand alike get by a move of the change procedure: worked out once, the same for all of them.

Cases stand alike where they agree in everything that their move can ask of them: `asked_by` says what that is. The
course of a move sees nothing else, so what it comes to for one holds for all; only ids, the time at which a case is due
and its parties are each case's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from yunhe.core.cases.rules.course import BUREAU, OPEN, Course, Moment
from yunhe.core.cases.rules.guards import expression_fields
from yunhe.core.cases.rules.migrating import is_reseated
from yunhe.core.cases.rules.moving import take_move
from yunhe.core.cases.rules.position import empty_position
from yunhe.core.cases.rules.retiming import Past, gains_limit
from yunhe.core.cases.rules.timing import UNTIMED
from yunhe.core.cases.types import BUILT_IN, KindSpec, LimitSpec, Move
from yunhe.engine.expressions import parse_expression

STANDS = ("name", "group", "state", "organization", "role", "person", "assignee", "lapse_at", "next_at", "limit_amount")
"""What a move can ask of an obligation; of `lapse_at` and `next_at` only whether there is such a time."""
TIMES = (
    "opened_at", "started_at", "limit_unit", "limit_basis", "extend_most", "due_at", "estimated", "paused_at", "pause_basis", "pauses",
    "extensions", "warned", "warn_at",
)  # fmt: skip
"""What a move asks of it as well that makes something of its times: each case for itself."""
_UNASKED = {**UNTIMED, "warned": 0}
_CASE_NAMES = {"opener_id": "opened_by", "applicant_organization": "organization", "owner_organization": "owner"}
_SEATS = {"applicant": "organization", "owner": "owner"}
NEW = -1
"""The place of a clock that starts with the move."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the move asks of a case beside its obligations: fields of its data and of its own.

    `times`: all its times. `pauses`: its times where something of it stands still. `actions`: when they were first taken.
    """

    data: tuple[str, ...]
    case: tuple[str, ...]
    times: bool = False
    pauses: bool = False
    actions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """What a move does to the cases of one situation.

    `changed` and `opened` by the place of the obligation, `clocks` by that of the clock (NEW: it starts), `left`: places of
    those that stay open, `came`: of those that came to people, `gone`: of those that were people's and are no more,
    `owing`: organisations that owe something new.
    """

    seq: int
    phase: str
    data: Mapping[str, Any]
    changed: Mapping[int, Mapping[str, Any]]
    opened: Mapping[int, Mapping[str, Any]]
    clocks: Mapping[int, Mapping[str, Any]]
    left: tuple[int, ...]
    came: tuple[int, ...]
    gone: tuple[int, ...]
    owing: tuple[str, ...]


def asked_by(old: KindSpec, new: KindSpec, move: Move) -> Asked:
    """Return what of a case can matter to a move."""
    data, case, limits = set[str](), set[str](), list[LimitSpec]()
    data |= {old.obligation(name).who.each for name, _organization in move.cancel}
    for name, _organization in move.add:
        spec = new.obligation(name)
        data |= {spec.who.each, spec.recurs.until if spec.recurs else ""}
        limits += spec.limits
    stays = [(old.obligation(name), new.obligation(move.renames.get(name, name))) for name in move.obligations]
    again = [(spec, new.obligation(name)) for name, spec in old.obligations.items()]  # done ones come again, too
    data |= {after.recurs.until for before, after in (*stays, *again) if after.recurs and after.recurs != before.recurs}
    gains = [after for before, after in stays if gains_limit(before, after)]
    whole = move.limits != "keep" or old.limits != new.limits
    lapses = any(after.on_due and not before.on_due for before, after in stays)
    limits += [limit for spec in (gains if move.limits == "keep" else (after for _, after in stays)) for limit in spec.limits]
    limits += new.limits if whole else ()
    for limit in filter(None, (limit.when for limit in limits)):
        named = set(parse_expression(limit, expression_fields(new)).fields)
        case |= {own for told, own in _CASE_NAMES.items() if told in named}
        data |= named & {field.name for field in new.fields}
    for name in _seated(old, new, move):
        who = new.obligation(name).who
        case |= {_SEATS.get(who.organization, ""), *(("opened_by", "opened_for") if who.person == "opener" else ())}
    case |= {"state"} if gains or whole or move.add else set()
    case |= {"opened_at"} if whole else set()
    actions = tuple(sorted({limit.starts_with for limit in new.limits} - {""})) if whole else ()
    times = whole or lapses or old.ladder != new.ladder
    return Asked(tuple(sorted(data - {""})), tuple(sorted(case - {""})), times, bool(gains), actions)


def _seated(old: KindSpec, new: KindSpec, move: Move) -> Iterator[str]:
    yield from (name for name, _organization in move.add)
    again = (name for name, spec in old.obligations.items() if spec.recurs)
    for name in dict.fromkeys((*move.obligations, *again)):
        to = move.renames.get(name, name)
        if name not in BUILT_IN and (name, "") not in move.cancel and to in new.obligations and is_reseated(old, new, name, to):
            yield to


def work_out(
    old: KindSpec, new: KindSpec, move: Move, moment: Moment, turns: Callable[[Course], tuple[Iterable[str], Iterable[str]]], *,
    case: Mapping[str, Any], data: Mapping[str, Any], standing: Sequence[Mapping[str, Any]], clocks: Sequence[Mapping[str, Any]] = (),
    past: Past | None = None,
) -> Effect:  # fmt: skip
    """Return what a move does to the cases that are told by `case`, `data` and their `standing` obligations and `clocks`.

    `turns` says which obligations came to people in a course, and which went from them. `past` names rows by `key_at`.
    """
    keys = tuple(map(key_at, range(len(standing))))
    fresh = map(key_at, count(len(standing)))
    held = {key: {**_UNASKED, **item} for key, item in zip(keys, standing, strict=True)}
    timed = {clock_at(place): row for place, row in enumerate(clocks)}
    position = {**empty_position(), "case": {"phase": move.phase, **case}, "data": dict(data), "obligations": held, "clocks": timed}
    course = Course(new, position, replace(moment, new_id=lambda: next(fresh)))
    take_move(course, old, move, past or Past())
    told, after = course.difference.get("obligations", {}), course.position["obligations"]
    came, gone = (tuple(map(int, theirs)) for theirs in turns(course))
    return Effect(
        seq=moment.seq,
        phase=move.to_phase,
        data=course.difference.get("data", {}),
        changed={int(key): changes for key, changes in told.items() if key in held},
        opened={int(key): row for key, row in told.items() if key not in held},
        clocks={int(key[1:]) if key in timed else NEW: row for key, row in course.difference.get("clocks", {}).items()},
        left=tuple(int(key) for key in keys if after[key]["state"] == OPEN),
        came=came,
        gone=gone,
        owing=tuple(sorted({row["organization"] for row in told.values() if row.get("organization") and not row.get("person")} - {BUREAU})),
    )


def key_at(place: int) -> str:
    """Return the name of an obligation by its place; names sort as places do."""
    return f"{place:06d}"


def clock_at(place: int) -> str:
    """Return the name of a clock by its place."""
    return f"c{place}"
