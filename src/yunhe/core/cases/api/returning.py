"""Which cases a change of procedure moved, and the way back of each: from its own event, not from the plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from types import SimpleNamespace
from typing import Any

from yunhe.core.cases.api import folding, kinds, store
from yunhe.core.cases.models import CaseRecord, EventRecord, MigrationRecord, ObligationRecord
from yunhe.core.cases.rules import returning as rules
from yunhe.core.cases.rules.course import OPEN
from yunhe.core.cases.rules.position import apply_difference, replay
from yunhe.core.cases.types import Move
from yunhe.core.statements.api import among

CHANGE_OF = "change"
"""Under this name an event of a change of procedure says which change it was."""
AT_ONCE = 500


def backs_of(migration_id: str) -> Mapping[str, Move]:
    """Return by case that the change moved and that is still on its target the move that leads it back.

    A case that went on since gets the one that keeps it, of the origin WENT_ON. Cost: the events of these cases.
    """
    row = MigrationRecord.objects.select_related("source", "target").get(pk=migration_id)
    events, found = _last_moves(row), dict[str, Move]()
    phases = dict(CaseRecord.objects.filter(kind=row.target).exclude(state="closed").values_list("pk", "phase"))
    opened: dict[str, set[str]] = defaultdict(set)
    live = ObligationRecord.objects.filter(case__kind=row.target, state=OPEN).exclude(case__state="closed")
    for case_id, key in live.values_list("case_id", "pk"):
        opened[case_id].add(key)
    old, new, ids = kinds.spec_of(row.source), kinds.spec_of(row.target), sorted(events.keys() & phases.keys())
    for case_id, before, after in _around(ids, events):
        stands = rules.stands_still(after, phases[case_id], frozenset(opened[case_id]))
        found[case_id] = rules.way_back(old, new, before, after) if stands else rules.went_on(phases[case_id])
    return found


def _last_moves(row: MigrationRecord) -> Mapping[str, int]:
    """Return by case the number of its last move between versions, where that was this change."""
    moved = EventRecord.objects.filter(case__kind=row.target, action="migrate").exclude(case__state="closed")
    last = {event["case_id"]: event for event in moved.order_by("case_id", "seq").values("case_id", "seq", "values", "at", "kind_digest")}
    return {case_id: event["seq"] for case_id, event in last.items() if _is_of(event, row)}


def _is_of(event: Mapping[str, Any], row: MigrationRecord) -> bool:
    """Tell whether an event is of the change; one of before events named it is told by its reason and its time."""
    if named := event["values"].get(CHANGE_OF):
        return bool(named == row.pk)
    within = row.approved_at is not None and row.approved_at <= event["at"] and (row.done_at is None or event["at"] <= row.done_at)
    return bool(within and event["kind_digest"] == row.target.digest and event["values"].get("reason") == row.reason)


def _around(ids: Sequence[str], events: Mapping[str, int]) -> Iterator[tuple[str, Any, Any]]:
    """Yield each case with how it stood before its event and after it."""
    for first in range(0, len(ids), AT_ONCE):
        where, value = among("case_id", ids[first : first + AT_ONCE])
        rows = store.EVENTS.plain(("case_id", "seq", "diff", "actor_organization"), where, value)
        for case_id, told in groupby(sorted(rows, key=itemgetter("case_id", "seq")), key=itemgetter("case_id")):
            steps = [SimpleNamespace(**row) for row in told if row["seq"] <= events[case_id]]
            differences = list(folding.differences(steps))
            before = replay(differences[:-1])
            yield case_id, before, apply_difference(before, differences[-1])
