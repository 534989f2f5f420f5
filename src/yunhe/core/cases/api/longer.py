"""How limits were made longer (延期), as the events tell it: in the timeline, under a clock, before it is done."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from yunhe.core.cases.api import folding, kinds
from yunhe.core.cases.models import CaseRecord, EventRecord
from yunhe.core.cases.rules import clock
from yunhe.core.cases.rules.lengths import WHOLE, Longer, longer_in_words
from yunhe.core.cases.rules.position import apply_difference, empty_position
from yunhe.core.cases.types import Due, Fact, KindSpec

EXTEND, SPLIT, CLOCKED = "extend", "split", ("obligations", "clocks")


def list_longer(events: Iterable[EventRecord]) -> tuple[Longer, ...]:
    """Return each time that a limit of a case was made longer, the first first. Cost: a fold of the events, where there is one."""
    told = list(events)
    if all(event.action != EXTEND for event in told):
        return ()
    position, found = empty_position(), list[Longer]()
    for event, difference in zip(told, folding.differences(told), strict=True):
        after = apply_difference(position, difference)
        if event.action == EXTEND:
            who = event.at.isoformat(), event.actor_name, event.actor_organization_name
            keys = ((part, key) for part in CLOCKED for key, row in difference.get(part, {}).items() if row.get("extensions"))
            found += [Longer(event.seq, part, key, position[part][key], after[part][key], *who) for part, key in keys]
        position = after
    return tuple(found)


def list_inherited(row: CaseRecord, clock_id: str) -> tuple[Longer, ...]:
    """Return each time that the clock of a part of a split case was made longer in the whole, as if it were the part's own step 0."""
    if row.parent is None or row.parent.outcome != SPLIT or row.parent.kind_code != row.kind_code:
        return ()
    whole = list_longer(row.parent.events.order_by("seq"))
    return (*list_inherited(row.parent, clock_id), *(replace(one, seq=0, key=clock_id) for one in whole if one.part == "clocks"))


def facts_of(found: Iterable[Longer], seq: int, spec: KindSpec) -> tuple[Fact, ...]:
    """Return what a step that made limits longer did, for the timeline, in the words of the version of then; nothing of any other step."""
    facts: list[Fact] = []
    for one in found:
        if one.seq == seq:
            of = spec.obligation(str(one.before["name"])).title.as_mapping() if one.part == "obligations" else WHOLE
            given = one.after["extensions"][-1]
            facts += [Fact(name, title, "text", given.get(name, text["zh"]), text) for name, title, text in longer_in_words(one.before, one.after, of)]
    return tuple(facts)


def due_if_longer(due: Due, amount: int) -> clock.DueMark | None:
    """Return when something would be due, and whether that is estimated, if its limit were made longer by `amount` of its unit.

    None while it stands still.
    """
    if due.paused_at:
        return None
    pauses = clock.read_pauses(due.pauses)
    total = due.amount + amount
    return clock.count_due(started_at=due.started_at, amount=total, unit=due.unit, calendar=kinds.calendar(), pauses=pauses)
