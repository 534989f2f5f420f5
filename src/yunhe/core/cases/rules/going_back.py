"""What sending a case back does (退回): it stands again as it did when it entered a phase, with fresh clocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from yunhe.core.cases.rules import timing
from yunhe.core.cases.rules.course import CANCELLED, OPEN, Course
from yunhe.core.cases.rules.position import Position
from yunhe.core.cases.types import KindSpec

Rows = Iterable[tuple[str, Mapping[str, Any]]]


def go_back(course: Course, phase: str, since: int, stood: Position, basis: str = "") -> None:
    """Put the case back to where it entered a phase by the step `since`: what was opened then opens again.

    `stood` is how it stood after that step: its clocks stand or run as then; one that started later stands if that step
    paused the clocks, for its `basis`. What was opened from there on ends, counts no more and does not come again. For a
    position with everything in it.
    """
    rows = sorted(course.position["obligations"].items(), key=lambda pair: (pair[1]["opened_seq"], pair[0]))
    for key in course.open_obligations():
        course.close_obligation(key, "", CANCELLED)
    course.change("case", {"phase": phase, "batch_id": stood["case"].get("batch_id")})
    _supersede(course, rows, since, stood)
    for key, row in rows:
        if row["opened_seq"] == since and row["phase"] == phase and row["name"] in course.kind.obligations:
            for fresh in course.reopen_like({**row, "assignee": ""}):
                _stand_as(course, "obligations", fresh, stood["obligations"][key])
    later = {**timing.UNTIMED, "paused_at": course.moment.at.isoformat() if basis else None, "pause_basis": basis}
    for key in [key for key, row in course.position["clocks"].items() if row["stopped_at"] is None]:
        _stand_as(course, "clocks", key, stood["clocks"].get(key, later))


def undo(course: Course, last: Mapping[str, Any], earlier: Position) -> None:
    """Put the case back to how it stood earlier, before its last difference; for a position with everything in it.

    What that opened ends and counts no more: its phase was never entered.
    """
    for key in course.before["obligations"].keys() - earlier["obligations"].keys():
        if course.position["obligations"][key]["state"] == OPEN:
            course.close_obligation(key, "", CANCELLED)
        course.change("obligations", {key: {"superseded_seq": course.moment.seq}})
    for part in ("obligations", "clocks"):
        for key in last.get(part, {}):
            if key in earlier[part]:
                course.restore(part, key, earlier[part][key])
            elif part == "clocks":
                course.change(part, {key: {"stopped_at": course.at.isoformat()}})
    for part in ("case", "data"):
        course.change(part, {name: earlier[part].get(name) for name in last.get(part, {})})


def pause_of(kind: KindSpec, obligation: str, action: str) -> str:
    """Return the basis for which an action pauses the clocks whatever the case holds, "" if it does not."""
    spec = kind.obligations.get(obligation)
    effects = spec.actions[action].effects if spec and action in spec.actions else ()
    return next((effect.pause_clocks for effect in effects if effect.pause_clocks and not effect.when), "")


def _supersede(course: Course, rows: Rows, since: int, stood: Position) -> None:
    """Mark what was opened from a step on; of what comes again keep only what was begun before."""
    begun = {row["name"] for row in stood["obligations"].values() if row.get("next_at") and row["opened_seq"] < since}
    for key, row in rows:
        if row["opened_seq"] >= since and row.get("superseded_seq") is None:
            course.change("obligations", {key: {"superseded_seq": course.moment.seq}})
        if row.get("next_at"):
            course.change("obligations", {key: {"next_at": row["next_at"] if row["name"] in begun else None}})


def _stand_as(course: Course, part: str, key: str, earlier: Mapping[str, Any]) -> None:
    changes = timing.stand_as(course.position[part][key], earlier, at=course.moment.at, calendar=course.moment.calendar)
    if changes:
        course.change(part, {key: changes})
