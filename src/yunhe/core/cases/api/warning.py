"""What time does to cases: the warning ladder (预警), what lapses (期满), what comes again (周期待办)."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable
from datetime import datetime

from django.db import DatabaseError, transaction
from django.db.models import QuerySet

from yunhe.core.cases.api import steps
from yunhe.core.cases.errors import CaseChanged
from yunhe.core.cases.models import CaseRecord, ClockRecord, ObligationRecord
from yunhe.core.cases.rules.course import DONE, OPEN, Course
from yunhe.core.cases.types import KindSpec
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now

BATCH = 200
MOST_PERIODS = 400
log = logging.getLogger(__name__)
Act = Callable[[CaseRecord, KindSpec, Actor], int]
Check = Callable[[], None]


def _go_on() -> None:
    """Do nothing: nobody wants to stop."""


def warn_due(*, actor: Actor, check: Check = _go_on, failed: list[str] | None = None) -> int:
    """Warn of every obligation and clock of a case that reached its next rung; return of how many. Each case in its own transaction.

    A case that was acted on in the same moment is left to the next round, and one that fails stands in nobody's
    way: it is logged, and its id goes into `failed`. `check` runs between cases and may raise.
    """
    parts, seen = (ObligationRecord.objects.filter(state=OPEN), ClockRecord.objects.filter(stopped_at=None)), set[str]()
    return sum(_each_case(rows.filter(warn_at__lte=now()), "warn_at", _warn, actor, check, failed, seen) for rows in parts)


def lapse_due(*, actor: Actor, check: Check = _go_on, failed: list[str] | None = None) -> int:
    """End every obligation whose time is over and whose kind says what then; return how many. As `warn_due`."""
    return _each_case(ObligationRecord.objects.filter(state=OPEN, lapse_at__lt=now()), "lapse_at", _lapse, actor, check, failed)


def recur_due(*, actor: Actor, check: Check = _go_on, failed: list[str] | None = None) -> int:
    """Open every recurring obligation whose next period began; return how many. As `warn_due`."""
    return _each_case(ObligationRecord.objects.filter(next_at__lte=now()), "next_at", _recur, actor, check, failed)


def _each_case(
    which: QuerySet[ObligationRecord] | QuerySet[ClockRecord],
    order: str,
    act: Act,
    actor: Actor,
    check: Check,
    failed: list[str] | None,
    seen: set[str] | None = None,
) -> int:
    """Act on each case once, also over the rows of several calls that share `seen`; return how much was done."""
    done, seen = 0, set[str]() if seen is None else seen
    rows = which.filter(case__state=OPEN).order_by(order)
    while case_ids := list(dict.fromkeys(rows.exclude(case_id__in=seen).values_list("case_id", flat=True)[:BATCH])):
        for case_id in case_ids:
            check()
            seen.add(case_id)
            try:
                with transaction.atomic():
                    row, spec = steps.read_case(case_id)
                    done += act(row, spec, actor) if row.state == OPEN else 0
            except CaseChanged:
                continue
            except DatabaseError:
                raise
            except Exception as error:  # the door of every case
                log.warning("case %s: %s", case_id, getattr(error, "code", type(error).__name__), exc_info=error)
                if failed is not None:
                    failed.append(case_id)
    return done


def _warn(row: CaseRecord, spec: KindSpec, actor: Actor) -> int:
    live = {"obligations": row.obligations.filter(state=OPEN), "clocks": row.clocks.filter(stopped_at=None)}
    reached = [(part, *told) for part, rows in live.items() for told in rows.filter(warn_at__lte=now()).values_list("pk", "warned")]
    if not reached:
        return 0
    course = steps.begin(row, spec, "warn", actor)
    rungs = sorted(spec.ladder, key=lambda rung: rung.percent)
    for part, key, warned in reached:
        rung = warned or 0
        course.change(part, {key: {"warned": rung + 1}})
        if rung < len(rungs) and rungs[rung].escalate and not course.position["case"]["supervised_at"]:
            course.change("case", {"supervised_at": course.moment.at.isoformat()})
    steps.finish(row, course)
    return len(reached)


def _lapse(row: CaseRecord, spec: KindSpec, actor: Actor) -> int:
    """End what is over, all of a name in one step, as the proof of the kind takes it; the next name in a step of its own.

    What follows counts from when the time was over, however late this is found.
    """
    over, lapsed = row.obligations.filter(state=OPEN, lapse_at__lt=now()).order_by("lapse_at", "pk"), 0
    ends = {name: spec.on_due for name, spec in spec.obligations.items() if spec.on_due}
    while row.state == OPEN and (found := list(over.filter(name__in=ends).values_list("pk", "name", "lapse_at"))):
        name = found[0][1]
        alike = [(key, at) for key, other, at in found if other == name and at]
        course = steps.begin(row, spec, "lapse", actor)
        for key, at in alike:
            if course.position["obligations"][key]["state"] == OPEN:
                course.at = at
                course.close_obligation(key, ends[name].outcome, DONE)
                course.run(ends[name].effects)
                lapsed += 1
        steps.finish(row, course, obligation_id=alike[0][0])
    return lapsed


def _recur(row: CaseRecord, spec: KindSpec, actor: Actor) -> int:
    """Open one obligation for every period that began, also for those that nobody was there to open in time."""
    begun = deque(row.obligations.filter(next_at__lte=now()).order_by("next_at", "pk").values_list("pk", flat=True))
    if not begun:
        return 0
    course: Course = steps.begin(row, spec, "recur", actor)
    opened = 0
    while begun and opened < MOST_PERIODS:
        fresh = _open_next(begun.popleft(), course)
        opened += len(fresh)
        begun.extend(key for key in fresh if _has_begun(course.position["obligations"][key]["next_at"], course))
    course.at = course.moment.at
    steps.finish(row, course)
    return opened


def _open_next(key: str, course: Course) -> list[str]:
    """Open the next one of a recurring obligation, in the same seat, from the start of its period; return its id."""
    row = course.position["obligations"][key]
    course.at = datetime.fromisoformat(row["next_at"])
    course.change("obligations", {key: {"next_at": None}})
    return course.reopen_like({**row, "assignee": ""})


def _has_begun(at: str | None, course: Course) -> bool:
    return at is not None and datetime.fromisoformat(at) <= course.moment.at
