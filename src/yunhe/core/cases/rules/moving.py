"""What a move of the change procedure does to a case: pure, and the same for all cases that stand alike.

Cases stand alike where they agree in everything that their move can ask of them: `asked_by` says what that is. The
course of a move sees nothing else, so what it comes to for one holds for all; only ids, the time at which a case is due
and its parties are each case's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from yunhe.core.cases.rules.course import BUREAU, CANCELLED, OPEN, ROLE_JOIN, Course, Moment
from yunhe.core.cases.rules.guards import expression_fields
from yunhe.core.cases.rules.migrating import is_reseated
from yunhe.core.cases.rules.position import empty_position
from yunhe.core.cases.types import BUILT_IN, KindSpec, Move
from yunhe.engine.expressions import parse_expression

STANDS = ("name", "group", "state", "organization", "role", "person", "assignee", "lapse_at", "next_at")
"""What a move can ask of an obligation; of the last two only whether there is such a time."""
_CASE_NAMES = {"opener_id": "opened_by", "applicant_organization": "organization", "owner_organization": "owner"}
_SEATS = {"applicant": "organization", "owner": "owner"}


@dataclass(frozen=True, slots=True)
class Asked:
    """What the move asks of a case beside its obligations: fields of its data and of its own."""

    data: tuple[str, ...]
    case: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Effect:
    """What a move does to the cases of one situation.

    `changed` and `opened` by the place of the obligation, `left`: places of those that stay open, `came`: of those that came
    to people, `owing`: organisations that owe something new.
    """

    seq: int
    phase: str
    data: Mapping[str, Any]
    changed: Mapping[int, Mapping[str, Any]]
    opened: Mapping[int, Mapping[str, Any]]
    left: tuple[int, ...]
    came: tuple[int, ...]
    owing: tuple[str, ...]


def asked_by(old: KindSpec, new: KindSpec, move: Move) -> Asked:
    """Return what of a case can matter to a move."""
    data, case = set[str](), set[str]()
    data |= {old.obligation(name).who.each for name, _organization in move.cancel}
    for name, _organization in move.add:
        spec = new.obligation(name)
        data |= {spec.who.each, spec.recurs.until if spec.recurs else ""}
        for limit in filter(None, (limit.when for limit in spec.limits)):
            named = set(parse_expression(limit, expression_fields(new)).fields)
            case |= {own for told, own in _CASE_NAMES.items() if told in named}
            data |= named & {field.name for field in new.fields}
    for name in _seated(old, new, move):
        who = new.obligation(name).who
        case |= {_SEATS.get(who.organization, ""), "opened_by" if who.person == "opener" else ""}
    return Asked(tuple(sorted(data - {""})), tuple(sorted(case - {""})))


def _seated(old: KindSpec, new: KindSpec, move: Move) -> Iterator[str]:
    yield from (name for name, _organization in move.add)
    for name in move.obligations:
        to = move.renames.get(name, name)
        if name not in BUILT_IN and (name, "") not in move.cancel and is_reseated(old, new, name, to):
            yield to


def work_out(
    old: KindSpec, new: KindSpec, move: Move, moment: Moment, came: Callable[[Course], Iterable[str]], *,
    case: Mapping[str, Any], data: Mapping[str, Any], standing: Sequence[Mapping[str, Any]],
) -> Effect:  # fmt: skip
    """Return what a move does to the cases that are told by `case`, `data` and their `standing` obligations.

    `came` says which obligations came to people in a course.
    """
    keys = tuple(map(str, range(len(standing))))
    fresh = map(str, count(len(standing)))
    held = {key: {"due_at": None, **item} for key, item in zip(keys, standing, strict=True)}
    position = {**empty_position(), "case": {"phase": move.phase, **case}, "data": dict(data), "obligations": held}
    course = Course(new, position, replace(moment, new_id=lambda: next(fresh)))
    take_move(course, old, move)
    told, after = course.difference.get("obligations", {}), course.position["obligations"]
    left = tuple(int(key) for key in keys if after[key]["state"] == OPEN)
    owing = {row["organization"] for row in told.values() if row.get("organization")} - {BUREAU}
    changed = {int(key): changes for key, changes in told.items() if key in held}
    opened = {int(key): row for key, row in told.items() if key not in held}
    data, theirs = course.difference.get("data", {}), tuple(map(int, came(course)))
    return Effect(moment.seq, move.to_phase, data, changed, opened, left, theirs, tuple(sorted(owing)))


def take_move(course: Course, old: KindSpec, move: Move) -> None:
    """Note what a move changes, all but when the case is due."""
    new = course.kind
    course.change("case", {"phase": move.to_phase})
    for key, item in list(course.position["obligations"].items()):
        name = item["name"]
        to = move.renames.get(name, name)
        if item["state"] != OPEN:
            known = to in new.obligations and (name, "") not in move.cancel
            _change(course, key, _renamed(old, new, name, to) if known else {"next_at": None})
            continue
        if (name, "") in move.cancel or (name, item["organization"]) in move.cancel:
            course.close_obligation(key, "", CANCELLED)
            _unlist(course, old.obligation(name).who.each, item["organization"])
            continue
        _change(course, key, _renamed(old, new, name, to))
        if name not in BUILT_IN and is_reseated(old, new, name, to):
            course.reseat(key, to)
    for name, organization in move.add:
        course.open_added(name, organization)
    course.settle_opened()


def _unlist(course: Course, listing: str, organization: str) -> None:
    """Take an organisation that is no longer asked off the list that names whom to ask."""
    listed = list(course.position["data"].get(listing) or ())
    if organization in listed:
        course.change("data", {listing: [one for one in listed if one != organization]})


def _change(course: Course, key: str, told: Mapping[str, Any]) -> None:
    """Note of an obligation what differs, if anything does."""
    held = course.position["obligations"][key]
    if changes := {name: value for name, value in told.items() if held.get(name) != value}:
        course.change("obligations", {key: changes})


def _renamed(old: KindSpec, new: KindSpec, name: str, to: str) -> dict[str, Any]:
    """Return what changes of an obligation that stays: its name, group, and roles where the kind changed them."""
    changes: dict[str, Any] = {"name": to}
    if to in BUILT_IN:
        return changes
    changes["group"] = new.obligation(to).group
    before, after = sorted(old.obligation(name).who.roles), sorted(new.obligation(to).who.roles)
    return changes if before == after else {**changes, "role": ROLE_JOIN.join(after)}
