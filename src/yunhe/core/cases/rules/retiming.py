"""What a move to another version makes of time (时限): limits kept, counted anew or put back; the rest as the new version says.

What was promised stays: a due time changes only where the move says so. What has none gets the new version's limit from the
move on. When something lapses, comes again and is warned of always follows the new version.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from yunhe.core.cases.errors import LimitNotInForce
from yunhe.core.cases.rules import timing
from yunhe.core.cases.rules.course import OPEN, Course
from yunhe.core.cases.types import KindSpec, LimitSpec, ObligationSpec

LIMIT = ("limit_amount", "limit_unit", "limit_basis", "extend_most")
Row = Mapping[str, Any]
Limits = tuple[LimitSpec, ...]


@dataclass(frozen=True, slots=True)
class Past:
    """What a move asks of what was.

    `begun`: when the actions were first taken with which a limit of the whole case can start. `earlier`: by row its limit
    and start before the change that is undone; nothing in it for one that this change began.
    """

    begun: Mapping[str, str] = field(default_factory=dict)
    earlier: Mapping[str, Row] = field(default_factory=dict)


def retime(course: Course, key: str, before: ObligationSpec, after: ObligationSpec, how: str, past: Past) -> None:
    """Note when an open obligation is due after the move, and when it lapses."""
    row = course.position["obligations"][key]
    if how == "restore" and key in past.earlier:
        note(course, "obligations", key, _put_back(course, row, past.earlier[key]))
    elif how == "recount":
        note(course, "obligations", key, _counted(course, row, after.limits, datetime.fromisoformat(row["started_at"])))
    elif how == "keep" and gains_limit(before, after) and row["limit_amount"] is None:
        note(course, "obligations", key, _counted(course, row, after.limits, course.moment.at))
    if bool(before.on_due) != bool(after.on_due):
        note(course, "obligations", key, {"lapse_at": course.position["obligations"][key]["due_at"] if after.on_due else None})


def gains_limit(before: ObligationSpec, after: ObligationSpec) -> bool:
    """Tell whether an obligation without a limit gets one by the new version."""
    return bool(after.limits) and before.limits != after.limits


def come_again(course: Course, key: str, before: ObligationSpec, after: ObligationSpec) -> None:
    """Note when a recurring obligation opens next, where the new version says another thing of that.

    One that gained it comes again where it is open, once in each seat.
    """
    rows = course.position["obligations"]
    row, recurs = rows[key], after.recurs
    if before.recurs == recurs:
        return
    seat = [row[name] for name in ("name", "organization", "role", "person", "state")]
    later = (one for other, one in rows.items() if other > key and [one[n] for n in ("name", "organization", "role", "person", "state")] == seat)
    goes_on = row["next_at"] or (before.recurs is None and row["state"] == OPEN and next(later, None) is None)
    note(course, "obligations", key, {"next_at": None})
    if recurs and goes_on:
        course.come_again(key, recurs.every, recurs.until)


def climb(course: Course, old: KindSpec) -> None:
    """Note of what runs how many rungs of the new ladder were told already: those up to the last one of the old that was."""
    before, after = (tuple(sorted(rung.percent for rung in kind.ladder)) for kind in (old, course.kind))
    if before == after:
        return
    for part, live in (("obligations", ("state", OPEN)), ("clocks", ("stopped_at", None))):
        for key, row in course.position[part].items():
            if row[live[0]] == live[1] and row["limit_amount"] is not None:
                told = max(before[: row["warned"] or 0], default=0)
                course.change(part, {key: {"warned": sum(percent <= told for percent in after)}})


def retime_case(course: Course, old: KindSpec, how: str, past: Past) -> None:
    """Note what becomes of the clock of the whole case: kept, started, counted anew, put back, or stopped."""
    clocks, at = course.position["clocks"], course.moment.at
    key = next((key for key, row in clocks.items() if row["stopped_at"] is None), None)
    if how == "restore":
        for one in clocks.keys() & past.earlier.keys():
            earlier = past.earlier[one]
            runs = bool(earlier) and earlier["stopped_at"] is None
            changes = _put_back(course, clocks[one], earlier) if runs else {}
            note(course, "clocks", one, {**changes, "stopped_at": None if runs else clocks[one]["stopped_at"] or at.isoformat()})
        return
    if how == "keep" and (key or old.limits == course.kind.limits):
        return
    row = clocks[key] if key else {**timing.UNTIMED, "started_at": at.isoformat(), "opened_at": course.position["case"]["opened_at"]}
    fresh = {} if key else {**timing.UNTIMED, "name": "case", "stopped_at": None, "warned": None}
    for since, limits in _starts(course, row if key else None, past):
        told = _counted(course, row, limits, since if how == "recount" else at)
        if not told or told["limit_amount"] is not None:
            place = key or next(iter(clocks), None) or course.moment.new_id()
            note(course, "clocks", place, {**fresh, **told})
            return
    if key:
        course.change("clocks", {key: {"stopped_at": at.isoformat()}})


def stand_still(course: Course) -> None:
    """Note that what the move opens in a suspended case stands still with it."""
    if course.position["case"].get("state", OPEN) != OPEN:
        for key in course.position["obligations"].keys() - course.before["obligations"].keys():
            note(course, "obligations", key, timing.pause(course.position["obligations"][key], at=course.moment.at, basis=_basis(course)))


def note(course: Course, part: str, key: str, told: Row) -> None:
    """Note of a row what differs, if anything does."""
    held = course.position[part].get(key, {})
    if changes := {name: value for name, value in told.items() if name not in held or held[name] != value}:
        course.change(part, {key: changes})


def _starts(course: Course, clock: Row | None, past: Past) -> Iterator[tuple[datetime, Limits]]:
    """Yield since when limits of the whole would run by the new version, earliest first; what runs on from another case, from its own start."""
    opened, limits = datetime.fromisoformat(course.position["case"]["opened_at"]), course.kind.limits
    if clock and (own := datetime.fromisoformat(clock["started_at"])) < opened:
        yield own, limits
        return
    begun = {"": opened, **{action: datetime.fromisoformat(at) for action, at in past.begun.items()}}
    known = {limit.starts_with: begun[limit.starts_with] for limit in limits if limit.starts_with in begun}
    for action, since in sorted(known.items(), key=lambda pair: (pair[1], pair[0])):
        yield since, tuple(limit for limit in limits if limit.starts_with == action)


def _counted(course: Course, row: Row, limits: Limits, since: datetime) -> dict[str, Any]:
    """Return the timing by the first of the limits that applies, from `since` on, with the row's own pauses and extensions.

    A dated limit is that of the day it starts, or of today where none was in force then. What was extended in another
    unit keeps its time: nothing.
    """
    try:
        limit = course.start_clock(limits, since)
    except LimitNotInForce:
        limit = course.start_clock(limits)
    if row["extensions"] and limit["limit_unit"] != row["limit_unit"]:
        return {}
    return _anew(course, row, {name: limit[name] for name in LIMIT}, since)


def _put_back(course: Course, row: Row, earlier: Row) -> dict[str, Any]:
    """Return the timing by the limit before the change that is undone; pauses and extensions since then count."""
    if row["extensions"] and earlier["limit_unit"] != row["limit_unit"]:
        return {}
    return _anew(course, row, {name: earlier[name] for name in LIMIT}, datetime.fromisoformat(earlier["started_at"]))


def _anew(course: Course, row: Row, limit: Row, since: datetime) -> dict[str, Any]:
    if limit["limit_amount"] is None:
        return {**limit, "due_at": None, "estimated": False}
    pauses = [one for one in row["pauses"] if datetime.fromisoformat(one["until"]) > since]
    stands = _standing(course, row, since) if row["limit_amount"] is None and not row["paused_at"] else {}
    told = {**limit, "started_at": since.isoformat(), "pauses": pauses, **stands}
    return {**told, **timing.recount({**row, **told}, course.moment.calendar)}


def _standing(course: Course, row: Row, since: datetime) -> dict[str, Any]:
    """Return that a clock that begins stands as those beside it do: from the pause that it would have had, or of the whole case."""
    position = course.position
    running = [one for one in position["obligations"].values() if one["state"] == OPEN]
    for other in (*running, *(one for one in position["clocks"].values() if one["stopped_at"] is None)):
        if other["paused_at"] and (stopped := datetime.fromisoformat(other["paused_at"])) > datetime.fromisoformat(row["opened_at"]):
            return {"paused_at": max(stopped, since).isoformat(), "pause_basis": other["pause_basis"]}
    if position["case"].get("state", OPEN) != OPEN:
        return {"paused_at": course.moment.at.isoformat(), "pause_basis": _basis(course)}
    return {}


def _basis(course: Course) -> str:
    return str(course.moment.values.get("reason", ""))
