"""What must be true of the control database at any moment, and its state without ids, to compare two of them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from django.db import transaction

from tests.faults.world import FOUNDER
from yunhe.core.cases import api
from yunhe.core.cases.api.store import CASE_FIELDS, CLOCK_FIELDS, OBLIGATION_FIELDS
from yunhe.core.cases.models import (
    CalendarDayRecord,
    CaseRecord,
    ClockRecord,
    DelegationRecord,
    EventRecord,
    KindRecord,
    MigrationRecord,
    NumberSeries,
    ObligationRecord,
    PartyRecord,
)
from yunhe.core.evidence import api as evidence
from yunhe.core.evidence.api.records import read_row
from yunhe.core.evidence.models import EvidenceRow
from yunhe.core.jobs.models import Delivery, Job, OutboxEntry
from yunhe.core.notices.models import Announcement, Dispatch, NoticeRow
from yunhe.kernel.errors import YunheError

IDS = ("id", "parent_id", "merged_into_id", "batch_id", "origin_id", "child_id")


def laws() -> list[str]:
    """Return every law that is broken now; an empty list is a whole database."""
    return [*_cases(), *_evidence(), *_numbers(), *_messages()]


def _cases() -> list[str]:
    broken = []
    for row in CaseRecord.objects.all():
        found = api.replay_case(case_id=row.pk, actor=FOUNDER)
        if not found.equal:
            broken.append(f"{row.number}: {found.differences}")
        opened = row.obligations.filter(state="open")
        if opened.exists() != (row.state != "closed") and not _goes_on(row):
            broken.append(f"{row.number}: {row.state} with {opened.count()} open")
        running = [due for due in row.clocks.filter(stopped_at=None).values_list("due_at", flat=True) if due]
        lines = [item for item in opened if item.first_due_at != min([*running, *filter(None, [item.due_at])], default=None)]
        broken += [f"{row.number}: {item.name} stands under {item.first_due_at}" for item in lines]
        if row.clocks.filter(stopped_at=None, due_at__isnull=False, warn_at=None, warned=None).exists():
            broken.append(f"{row.number}: its clock is never warned of")
        if row.state == "closed" and row.clocks.filter(stopped_at=None).exists():
            broken.append(f"{row.number}: closed and its clock runs")
        children = CaseRecord.objects.filter(parent=row, obligations__state="open").distinct()
        standing = set(opened.exclude(child=None).values_list("child_id", flat=True))
        if row.kind_code == "panel" and {child.pk for child in children} != standing:
            broken.append(f"{row.number}: sub-cases {children} for {standing}")
    keys = Counter(CaseRecord.objects.exclude(request_key="").values_list("request_key", flat=True))
    return broken + [f"{key}: {count} cases" for key, count in keys.items() if count > 1]


def _goes_on(row: CaseRecord) -> bool:
    """Tell whether a suspended case has work to do once it is resumed: its sub-cases may have ended meanwhile."""
    if row.state != "suspended":
        return False
    with transaction.atomic():
        try:
            api.resume(case_id=row.pk, reason="演练", actor=FOUNDER)
            return row.obligations.filter(state="open").exists()
        except YunheError:
            return False
        finally:
            transaction.set_rollback(True)


def _evidence() -> list[str]:
    rows = {row.pk: row for row in EvidenceRow.objects.filter(kind="case.event")}
    events = list(EventRecord.objects.all())
    broken = [] if len(rows) == len(events) else [f"{len(events)} events, {len(rows)} pieces of evidence"]
    for event in events:
        row = rows.get(event.evidence_id)
        facts = json.loads(row.facts_text) if row else {}
        if (facts.get("digest"), facts.get("seq")) != (event.digest, event.seq):
            broken.append(f"{event.case_id}.{event.seq}: its evidence says {facts}")
        elif row and not evidence.is_intact(record=read_row(row)):
            broken.append(f"{event.case_id}.{event.seq}: its evidence was changed")
    return broken


def _numbers() -> list[str]:
    made = Counter(number.rpartition("-")[0] for number in CaseRecord.objects.values_list("number", flat=True))
    last = {f"{row.prefix}{row.on:%Y%m%d}": row.last for row in NumberSeries.objects.all()}
    return [] if made == last else [f"numbers {dict(made)}, series {last}"]


def _messages() -> list[str]:
    waiting = set(Dispatch.objects.filter(state="waiting").values_list("id", flat=True))
    told = set(OutboxEntry.objects.filter(topic="notices.deliver").values_list("key", flat=True))
    undelivered = OutboxEntry.objects.filter(topic="notices.deliver", deliveries__isnull=True)
    return [f"nobody will send {waiting - told}"] * bool(waiting - told) + [f"{undelivered} to nobody"] * undelivered.exists()


def letters(post: Path) -> list[str]:
    """Return what is wrong between the letters that left and those that are marked as sent; what left within another left as that."""
    left = set(post.read_text().split()) if post.exists() else set()
    marked = Dispatch.objects.filter(state="sent", channel="trial").values_list("id", "within")
    sent = {within or one for one, within in marked}
    known = set(Dispatch.objects.values_list("id", flat=True))
    return [f"marked and never sent: {sent - left}"] * bool(sent - left) + [f"unknown: {left - known}"] * bool(left - known)


def state() -> Any:
    """Return all that the rows say, in one order, with names in place of ids."""
    return json.loads(json.dumps({"cases": _case_states(), "around": _around()}, default=str, sort_keys=True))


def _case_states() -> dict[str, Any]:
    number = dict(CaseRecord.objects.values_list("id", "number"))
    named = dict(ObligationRecord.objects.values_list("id", "name"))
    told: dict[str, Any] = {}
    for row in CaseRecord.objects.select_related("kind"):
        plain = {name: getattr(row, name) for name in CASE_FIELDS if name not in IDS}
        plain |= {"parent": number.get(row.parent_id or ""), "merged": number.get(row.merged_into_id or "")}
        plain |= {"data": row.data, "version": row.version, "key": row.request_key, "kind_number": row.kind.number}
        for part, model, fields in (("obligations", ObligationRecord, OBLIGATION_FIELDS), ("clocks", ClockRecord, CLOCK_FIELDS)):
            plain[part] = sorted((_row(one, fields, number, named) for one in model.objects.filter(case=row)), key=_text)
        plain["parties"] = sorted(PartyRecord.objects.filter(case=row).values_list("part", "organization", "person"))
        columns = ("seq", "action", "actor_id", "on_behalf", "values", "calls", "at")
        plain["events"] = [list(one) for one in row.events.order_by("seq").values_list(*columns)]
        told[row.number] = plain
    return told


def _row(one: Any, fields: tuple[str, ...], number: dict[str, str], named: dict[str, str]) -> dict[str, Any]:
    plain = {name: getattr(one, name) for name in fields if name not in IDS}
    for name, names in (("child_id", number), ("origin_id", named)):
        if name in fields:
            plain[name] = names.get(getattr(one, name) or "")
    return plain


def _text(value: Any) -> str:
    return json.dumps(value, default=str, sort_keys=True)


def _around() -> dict[str, Any]:
    number = dict(CaseRecord.objects.values_list("id", "number"))
    keys = Announcement.objects.values_list("kind", "key")
    return {
        "announcements": sorted([kind, number.get(key[:26], "") + key[26:]] for kind, key in keys),
        "notices": NoticeRow.objects.count(),
        "dispatches": Counter(Dispatch.objects.values_list("state", flat=True)),
        "messages": Counter(OutboxEntry.objects.values_list("topic", flat=True)),
        "deliveries": Counter(Delivery.objects.values_list("state", flat=True)),
        "jobs": Counter(f"{name} {now}" for name, now in Job.objects.values_list("name", "state")),
        "evidence": Counter(EvidenceRow.objects.values_list("kind", flat=True)),
        "delegations": DelegationRecord.objects.count(),
        "days": CalendarDayRecord.objects.count(),
        "kinds": sorted(f"{code} {n}" for code, n in KindRecord.objects.values_list("code", "number")),
        "changes": sorted(f"{at} {moved}" for at, moved in MigrationRecord.objects.values_list("state", "moved")),
    }


def difference(one: Any, other: Any, path: str = "") -> list[str]:
    """Return where two states differ."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [line for key in sorted(one.keys() | other.keys()) for line in difference(one.get(key), other.get(key), f"{path}.{key}")][:8]
    return [] if one == other else [f"{path}: {str(one)[:200]} | {str(other)[:200]}"]
