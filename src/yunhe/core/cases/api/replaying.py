"""Judge the rows by the events: fold, compare, check digests; and count open clocks anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from yunhe.core.cases.api import folding, kinds, store
from yunhe.core.cases.api.reading import require_visible
from yunhe.core.cases.api.steps import begin
from yunhe.core.cases.errors import CaseChanged, CaseNotFound
from yunhe.core.cases.models import CaseRecord
from yunhe.core.cases.rules import timing
from yunhe.core.cases.rules.course import OPEN, Course
from yunhe.core.cases.rules.position import list_differences, replay
from yunhe.core.cases.types import Replay
from yunhe.kernel.actor import Actor

MOST_TRIES = 5


def replay_case(*, case_id: str, actor: Actor) -> Replay:
    """Fold the events of a case and compare the result with its rows; check each event's digest."""
    row = CaseRecord.objects.filter(pk=case_id).first()
    if row is None:
        raise CaseNotFound(name=case_id)
    require_visible(row, actor)
    events = list(row.events.order_by("seq"))
    differences = list(list_differences(replay(folding.differences(events)), store.rows_position(row)))
    differences += [f"events.{e.seq}.digest" for e in events if store.event_digest(vars(e)) != e.digest]
    if [event.seq for event in events] != list(range(1, row.version + 1)):
        differences.append("events.seq")
    if row.parties.exclude(**{name: getattr(row, name) for name in store.COPIED_FIELDS}).exists():
        differences.append("parties.copied")
    return Replay(case_id, len(events), not differences, tuple(differences))


def recount_due(*, actor: Actor) -> int:
    """Count every running clock anew under the calendar as it now stands; return how many cases changed.

    A changed due date is an event "recount" of its case.
    """
    open_cases = CaseRecord.objects.filter(state=OPEN).order_by("pk").values_list("pk", flat=True)
    return sum(_recount_again(case_id, actor) for case_id in open_cases)


def _recount_again(case_id: str, actor: Actor) -> bool:
    """Recount a case, again where somebody acted on it in the same moment."""
    for _ in range(MOST_TRIES - 1):
        try:
            return _recount_case(case_id, actor)
        except CaseChanged:
            continue
    return _recount_case(case_id, actor)


def _recount_case(case_id: str, actor: Actor) -> bool:
    with transaction.atomic():
        row = CaseRecord.objects.select_related("kind").filter(pk=case_id, state=OPEN).first()
        if row is None:
            return False
        course = begin(row, kinds.spec_of(row.kind), "recount", actor)
        course.change_clocks(lambda item: _new_mark(item, course))
        if not course.difference:
            return False
        course.settle()
        store.write_case(row, course)
        store.write_course(row.pk, course)
        store.write_event(row.pk, course, kind_digest=row.kind.digest)
        return True


def _new_mark(item: Mapping[str, Any], course: Course) -> dict[str, Any]:
    due = timing.recount(item, course.moment.calendar)
    return {} if due["due_at"] == item["due_at"] and due["estimated"] == item["estimated"] else due
