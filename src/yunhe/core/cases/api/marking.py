"""What a list says of its cases beside their rows: under which rule they stand still, whether they are late, for whom one stands in.

Each asks for the cases of one page, or of one part of an export, at once: of cases that the caller was given.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import datetime

from django.db.models import F, Q

from yunhe.core.cases.api import kinds
from yunhe.core.cases.api.delegating import Seats, seats_of
from yunhe.core.cases.api.seating import holder_of
from yunhe.core.cases.models import ClockRecord, EventRecord, ObligationRecord
from yunhe.core.cases.rules.course import DONE, OPEN, SUSPENDED
from yunhe.core.cases.types import Case
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now


def with_pauses(cases: Collection[Case]) -> tuple[Case, ...]:
    """Return the cases with since when and under which rule they stand still: suspended, or on a clock of the whole that is stopped.

    Cost: a query where one is suspended, another where one that goes on is due at no time.
    """
    suspended = [case.case_id for case in cases if case.state == SUSPENDED]
    undated = [case.case_id for case in cases if case.state == OPEN and case.due_at is None]
    found: dict[str, tuple[datetime, str]] = {}
    if suspended:
        rows = EventRecord.objects.filter(case__in=suspended, action="suspend").order_by("seq").values_list("case_id", "at", "values")
        found |= {case_id: (at, str(values.get("basis", ""))) for case_id, at, values in rows}  # the last one holds
    if undated:
        stopped = ClockRecord.objects.filter(case__in=undated, stopped_at=None, paused_at__isnull=False).order_by("-started_at", "-id")
        found |= {row.case_id: (row.paused_at, row.pause_basis) for row in stopped if row.paused_at}
    told = ((case, found.get(case.case_id)) for case in cases)
    return tuple(replace(case, paused_at=stands[0], pause_basis=stands[1]) if stands else case for case, stands in told)


def list_late(*, cases: Collection[Case]) -> frozenset[str]:
    """Return which of the cases are late: those that are due and were not ended, and those that were ended after their time.

    A case that is over goes by the clocks of the whole; where it had none, by the work that was ended last. Cost: two queries at most.
    """
    at, over = now(), [case.case_id for case in cases if not case.is_open]
    late = {case.case_id for case in cases if case.is_open and case.due_at is not None and case.due_at < at}
    ended: dict[str, bool] = {}
    if over:
        clocks = ClockRecord.objects.filter(case__in=over, due_at__isnull=False, stopped_at__isnull=False).order_by()
        for case_id, is_late in clocks.annotate(is_late=Q(due_at__lt=F("stopped_at"))).values_list("case_id", "is_late"):
            ended[case_id] = ended.get(case_id, False) or is_late
        done = ObligationRecord.objects.filter(case__in=over, state=DONE, superseded_seq=None, due_at__isnull=False, closed_at__isnull=False)
        last = done.annotate(is_late=Q(due_at__lt=F("closed_at"))).order_by("closed_at", "id").values_list("case_id", "is_late")
        ended = {**dict(last), **ended}
    return frozenset(late | {case_id for case_id, is_late in ended.items() if is_late})


def list_stood_in(*, cases: Iterable[Case], actor: Actor) -> dict[str, str]:
    """Return for whom the actor stands in, by case: where somebody's work waits who is away. Cost: none of it for who stands in for nobody."""
    seats, ids = seats_of(actor), [case.case_id for case in cases if case.state == OPEN]
    if len(seats) == 1 or not ids:
        return {}
    owed = ObligationRecord.objects.filter(kinds.for_people(kinds.all_digests()), case__in=ids, state=OPEN)
    rows = owed.order_by("-opened_at", "-id")
    return {row.case_id: name for row in rows if (name := principal_name(row, seats))}


def principal_name(item: ObligationRecord, seats: Seats) -> str:
    """Return whose this obligation is for whom one stands in; "" where it is one's own, or nobody's of the seats."""
    if len(seats) == 1:
        return ""
    holder = holder_of(item, (who for who, only in seats if not only or item.kind_code in only))
    return "" if holder is None or holder is seats[0][0] else holder.name
