"""The clock of one row (an obligation's or the case's): started, paused, gone on, extended, counted anew.

A row is plain data as in a position. Each function returns only what changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from yunhe.core.cases.rules import clock
from yunhe.core.cases.types import LimitSpec
from yunhe.kernel.workdays import WorkdayCalendar

Row = Mapping[str, Any]
UNTIMED: dict[str, Any] = {
    "limit_amount": None, "limit_unit": "", "limit_basis": "", "extend_most": None, "due_at": None, "estimated": False,
    "paused_at": None, "pause_basis": "", "pauses": [], "extensions": [],
}  # fmt: skip


def start(limit: LimitSpec | None, *, at: datetime, calendar: WorkdayCalendar) -> dict[str, Any]:
    """Return the timing of something that starts now under a limit, or under none."""
    if limit is None:
        return dict(UNTIMED)
    told = {"limit_amount": limit.amount, "limit_unit": limit.unit, "limit_basis": limit.basis, "extend_most": limit.extend_most}
    row = {**UNTIMED, **told, "started_at": at.isoformat()}
    return {**UNTIMED, **told, **recount(row, calendar)}


def pause(row: Row, *, at: datetime, basis: str) -> dict[str, Any]:
    """Return what changes when the clock stops; nothing if it has no limit or stands still already."""
    if row["limit_amount"] is None or row["paused_at"]:
        return {}
    return {"paused_at": at.isoformat(), "pause_basis": basis, "due_at": None, "estimated": False}


def resume(row: Row, *, at: datetime, calendar: WorkdayCalendar) -> dict[str, Any]:
    """Return what changes when the clock goes on; nothing if it runs."""
    if not row["paused_at"]:
        return {}
    over = {"since": row["paused_at"], "until": at.isoformat(), "basis": row["pause_basis"]}
    changes = {"paused_at": None, "pause_basis": "", "pauses": [*row["pauses"], over]}
    return {**changes, **recount({**row, **changes}, calendar)}


def stand_as(row: Row, earlier: Row, *, at: datetime, calendar: WorkdayCalendar) -> dict[str, Any]:
    """Return what changes when the clock, from now on, stands or runs as it did at an earlier time, for its basis of then."""
    if row["paused_at"] == earlier["paused_at"]:
        return {}
    changes = resume(row, at=at, calendar=calendar)
    stops = pause({**row, **changes}, at=at, basis=earlier["pause_basis"]) if earlier["paused_at"] else {}
    return {**changes, **stops}


def extend(row: Row, *, amount: int, reason: str, basis: str, calendar: WorkdayCalendar) -> dict[str, Any]:
    """Return what changes when the limit is made longer by `amount` of its own unit."""
    changes = {"extensions": [*row["extensions"], {"amount": amount, "reason": reason, "basis": basis}]}
    return {**changes, **recount({**row, **changes}, calendar)}


def extension_left(row: Row) -> int | None:
    """Return by how much the limit may still be made longer; None where nothing bounds it."""
    return None if row["extend_most"] is None else int(row["extend_most"]) - sum(int(one["amount"]) for one in row["extensions"])


def recount(row: Row, calendar: WorkdayCalendar) -> dict[str, Any]:
    """Return due time and whether it is estimated; the same for the same row and calendar."""
    if row["limit_amount"] is None or row["paused_at"]:
        return {"due_at": None, "estimated": False}
    due = clock.count_due(
        started_at=datetime.fromisoformat(row["started_at"]),
        amount=total_amount(row),
        unit=row["limit_unit"],
        calendar=calendar,
        pauses=clock.read_pauses(row["pauses"]),
    )
    return {"due_at": due.at.isoformat(), "estimated": due.estimated}


def earliest_due(marks: Iterable[tuple[str | None, bool]]) -> dict[str, Any]:
    """Return when the first of these is due (time, whether estimated): when the case is that they belong to."""
    timed = sorted((datetime.fromisoformat(due_at), estimated) for due_at, estimated in marks if due_at)
    return {"due_at": timed[0][0].isoformat(), "estimated": timed[0][1]} if timed else {"due_at": None, "estimated": False}


def found_by(marks: Iterable[tuple[str | None, bool]]) -> dict[str, Any]:
    """Return the columns by which lists find an open obligation: when the first of these ends."""
    first = earliest_due(marks)
    return {"first_due_at": first["due_at"], "first_estimated": first["estimated"]}


def due_of(row: Row) -> tuple[str | None, bool]:
    """Return when a row is due and whether that is estimated."""
    return row["due_at"], row["estimated"]


def warn_at(row: Row, percents: tuple[int, ...]) -> str | None:
    """Return when the next rung of the ladder is reached; None while the clock stands or none is left.

    A rung is a share of the time that the clock runs: what it stood still does not count.
    """
    warned = row.get("warned") or 0
    return None if not row["due_at"] or warned >= len(percents) else _rung_at(row, percents[warned]).isoformat()


def count_passed(row: Row, percents: tuple[int, ...], at: datetime) -> int:
    """Return how many rungs of the ladder lie behind, of a clock that runs."""
    return sum(_rung_at(row, percent) <= at for percent in percents)


def _rung_at(row: Row, percent: int) -> datetime:
    start, due = datetime.fromisoformat(row["started_at"]), datetime.fromisoformat(row["due_at"])
    stood = sum((pause.until - pause.since for pause in clock.read_pauses(row["pauses"])), timedelta())
    return due - (due - start - stood) * (100 - percent) / 100


def total_amount(row: Row) -> int:
    """Return the limit with its extensions, in its own unit."""
    return int(row["limit_amount"]) + sum(int(one["amount"]) for one in row["extensions"])
