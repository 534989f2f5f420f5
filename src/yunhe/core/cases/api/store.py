"""Between rows and positions: read what a transition needs, write what it changed."""

from __future__ import annotations

import secrets
from collections import defaultdict
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connections

from yunhe.core.cases.errors import CaseChanged
from yunhe.core.cases.models import (
    ANY_BUREAU,
    CaseRecord,
    ClockRecord,
    DraftRecord,
    EventRecord,
    ObligationRecord,
    PartyRecord,
    WordsRecord,
)
from yunhe.core.cases.rules.books import GroupCount, Others
from yunhe.core.cases.rules.course import Course, Moment
from yunhe.core.cases.rules.digests import digest_of
from yunhe.core.cases.rules.position import Position, empty_position
from yunhe.core.cases.rules.search import head_of, search_text, step_text
from yunhe.core.evidence import api as evidence
from yunhe.core.statements.api import Rows, ask, plain_value
from yunhe.kernel.actor import Actor
from yunhe.kernel.ids import new_id

CASE_FIELDS = (
    "id", "number", "kind_code", "phase", "state", "outcome", "parent_id", "organization", "owner", "region", "subject_type",
    "subject_id", "title", "opened_by", "opened_by_name", "opened_for", "opened_at", "closed_at", "due_at", "estimated",
    "supervised_at", "reminders", "merged_into_id", "batch_id",
)  # fmt: skip
TIMING_FIELDS = (
    "started_at", "limit_amount", "limit_unit", "limit_basis", "extend_most", "due_at", "estimated", "paused_at", "pause_basis", "pauses",
    "extensions",
)  # fmt: skip
OBLIGATION_FIELDS = (
    "name", "group", "phase", "state", "outcome", "organization", "role", "person", "assignee", "opened_at", "opened_seq",
    "closed_at", "closed_seq", "closed_by", "closed_by_name", "superseded_seq", "values", "score", "origin_id", "child_id",
    "warned", "warn_at", "lapse_at", "next_at", *TIMING_FIELDS,
)  # fmt: skip
# What a transition needs of the open obligations that it does not touch.
STANDING_FIELDS = (
    "name", "group", "state", "organization", "role", "person", "assignee", "origin_id", "child_id", "due_at", "estimated",
    "lapse_at", "next_at",
)  # fmt: skip
CLOCK_FIELDS = ("name", "stopped_at", "warned", *TIMING_FIELDS)
EVIDENCE = "case.event"
SEALED = "sealed"
DECISIONS = "_decisions"
"""What an event keeps of the decision tables that it asked: table, digest, day, rows."""
PARTY_FIELDS = ("part", "organization", "person")
COPIED_FIELDS = ("kind_code", "state", "opened_at")
"""What each party repeats of its case, for lists; only the state ever changes."""
CASES, OBLIGATIONS, CLOCKS = Rows(CaseRecord), Rows(ObligationRecord), Rows(ClockRecord)
PARTIES, EVENTS, DRAFTS, WORDS = Rows(PartyRecord), Rows(EventRecord), Rows(DraftRecord), Rows(WordsRecord)
TOLD = (
    "id", "case_id", "seq", "action", "obligation_id", "actor_kind", "actor_id", "actor_name", "on_behalf", "actor_organization",
    "actor_role", "kind_digest", "values", "diff", "calls", "salt",
)  # fmt: skip
NEXT_NUMBER = """INSERT INTO cases_number_series (prefix, "on", last) VALUES (%s, %s, 1)
    ON CONFLICT (prefix, "on") DO UPDATE SET last = cases_number_series.last + 1 RETURNING last"""
KIND_DIGEST = "(SELECT digest FROM cases_kind WHERE cases_kind.id = kind_id)"
RUNS_CLOCK = "EXISTS (SELECT 1 FROM cases_clock WHERE cases_clock.case_id = cases_case.id AND stopped_at IS NULL)"
OPEN_ONES = "case_id = %s AND state = 'open'"
# The case is named twice: so each half has an index of its own, and what is long done is not read.
LIVE_ONES = "((case_id = %s AND state = 'open') OR (case_id = %s AND next_at IS NOT NULL))"
# Of many side by side: what may be an actor's own, what was added to another, what opens by itself.
NEAR_ONES = f"""{LIVE_ONES} AND (person = %s OR organization IN (%s, '{ANY_BUREAU}') OR origin_id IS NOT NULL OR next_at IS NOT NULL)"""
MANY = 24
"""From this many open obligations on, a step reads those near its actor and of the others only what is due first."""

# Each part that a person or an organisation can have is named: the key of the table begins with case and part.
BY_PERSON = "case_id = %s AND part IN ('handler', 'opener') AND person = %s AND organization = %s"
BY_BODY = "case_id = %s AND part IN ('applicant', 'handler', 'owner') AND person = '' AND organization IN ({marks})"
COUNTED_ONES = """case_id = %s AND "group" = %s AND superseded_seq IS NULL"""


def next_number(prefix: str, on: date) -> str:
    """Return the next case number of the prefix and day; rolled back with its transaction, never reused."""
    ((last,),) = ask(connections[DEFAULT_DB_ALIAS], NEXT_NUMBER, (prefix, on.isoformat()))
    return f"{prefix}{on:%Y%m%d}-{last:05d}"


def read_position(row: CaseRecord, *, with_clocks: bool = True, everything: bool = False, whole: bool = True) -> Position:
    """Return where the case stands: its open obligations, or all that it ever had when `everything`.

    Not `whole`: of each open obligation only what one that is not touched is asked for.
    """
    names = OBLIGATION_FIELDS if everything or whole else STANDING_FIELDS
    which = ("case_id = %s", row.pk) if everything else (LIVE_ONES, row.pk, row.pk)
    found = OBLIGATIONS.plain(("id", *names), *which)
    parties = PARTIES.plain(PARTY_FIELDS, "case_id = %s", row.pk) if everything else ()
    return {**_position(row, found, with_clocks=with_clocks), "parties": {party_key(party): party for party in parties}}


def _position(row: CaseRecord, obligations: list[dict[str, Any]], *, with_clocks: bool) -> Position:
    clocks = CLOCKS.plain(("id", *CLOCK_FIELDS), "case_id = %s", row.pk) if with_clocks else []
    told = {"case": case_row(row), "data": dict(row.data)}
    return {**told, "obligations": _by_id(obligations), "clocks": _by_id(clocks), "parties": {}}


def _by_id(rows: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {row.pop("id"): row for row in rows}


def read_near(row: CaseRecord, actor: Actor, *, with_clocks: bool, whole: bool) -> tuple[Position, Others | None]:
    """Return where the case stands as far as a step of this actor asks, and the open obligations that were left out.

    None is left out where they are few, or where none of the many is near the actor.
    """
    names = ("id", *(OBLIGATION_FIELDS if whole else STANDING_FIELDS))
    found, others = OBLIGATIONS.plain(names, f"{LIVE_ONES} LIMIT {MANY + 1}", row.pk, row.pk), None
    if len(found) > MANY:
        near = OBLIGATIONS.plain(names, NEAR_ONES, row.pk, row.pk, actor.id, actor.organization)
        if 0 < len(near) <= MANY:
            found, others = near, _others(row.pk, names, tuple(item["id"] for item in near))
        else:
            found = OBLIGATIONS.plain(names, LIVE_ONES, row.pk, row.pk)
    return _position(row, found, with_clocks=with_clocks), others


def _others(case_id: str, names: tuple[str, ...], near: tuple[str, ...]) -> Others | None:
    """Return the open obligations beyond these, None if there are none."""
    left = f"{OPEN_ONES} AND id NOT IN ({', '.join(['%s'] * len(near))})"
    first = f"{left} ORDER BY due_at IS NULL, due_at, estimated LIMIT 1"
    for item in OBLIGATIONS.plain(("due_at", "estimated"), first, case_id, *near):
        return Others(**item, read=lambda: _by_id(OBLIGATIONS.plain(names, left, case_id, *near)))
    return None


def case_row(row: CaseRecord) -> dict[str, Any]:
    """Return a case's own fields as they stand in a position."""
    return _plain_row(row, CASE_FIELDS)


def obligation_row(item: ObligationRecord) -> dict[str, Any]:
    """Return an obligation as it stands in a position."""
    return _plain_row(item, OBLIGATION_FIELDS)


def count_group(case_id: str, name: str, *, with_scores: bool = True) -> GroupCount:
    """Return how a group of the case stands; what a send-back superseded does not count."""
    counted = OBLIGATIONS.count(("state", "outcome"), COUNTED_ONES, case_id, name)
    outcomes = {outcome: number for state, outcome, number in counted if state == "done"}
    opened = sum(number for state, _, number in counted if state == "open")
    scored = f"{COUNTED_ONES} AND state = 'done' AND score IS NOT NULL"
    rows = OBLIGATIONS.plain(("score",), scored, case_id, name) if outcomes and with_scores else ()
    return GroupCount(outcomes, opened, tuple(Decimal(row["score"]) for row in rows))


def signers(case_id: str, name: str) -> set[str]:
    """Return who fulfilled an obligation of a group of the case that counts."""
    return {row["closed_by"] for row in OBLIGATIONS.plain(("closed_by",), f"{COUNTED_ONES} AND state = 'done'", case_id, name)}


def party_key(party: Mapping[str, str]) -> str:
    """Return the name of a party within its case."""
    return f"{party['part']}:{party['organization']}:{party['person']}"


def insert_case(kind_id: int, course: Course, request_key: str, applicant: str) -> CaseRecord:
    """Write the row of a new case as it stands; it is found by the applicant's name, too."""
    case = course.position["case"]
    head = head_of(case["number"], case["title"], case["opened_by_name"], applicant)
    told = {
        **case, "kind_id": kind_id, "data": course.position["data"], "version": course.moment.seq, "request_key": request_key,
        "search": search_text(head, course.kind.fields, course.position["data"]),
    }  # fmt: skip
    CASES.insert([told])
    return CaseRecord(**_typed(told))


def write_case(row: CaseRecord, course: Course) -> None:
    """Do write what changed of the case's row and move its version on, if it is still the one that was read.

    Whoever comes second finds the version moved; the row stays locked to the end of the transaction.
    Raises: CaseChanged.
    """
    seq = course.moment.seq
    changed = {**course.difference.get("case", {}), "version": seq}
    if "data" in course.difference:
        changed |= _data_columns(row, course)
    if not CASES.update(changed, "id = %s AND version = %s", row.pk, seq - 1):
        raise CaseChanged(what="case", name=row.number, expected=seq - 1)
    for name, value in _typed(changed).items():
        setattr(row, name, value)


def write_result(row: CaseRecord, course: Course) -> None:
    """Do write what the effects gave back into the case's fields."""
    columns = _data_columns(row, course)
    row.data, row.search = columns["data"], columns["search"]
    CASES.update(columns, "id = %s", row.pk)


def write_course(case_id: str, course: Course) -> None:
    """Write what the transition changed beside the case's row: obligations, clocks, parties."""
    _write_parts(OBLIGATIONS, case_id, course, "obligations", {"kind_code": course.position["case"]["kind_code"]})
    _write_parts(CLOCKS, case_id, course, "clocks", {})
    own = {name: course.position["case"][name] for name in COPIED_FIELDS}
    if course.before["case"] and "state" in course.difference.get("case", {}):
        PARTIES.update({"state": own["state"]}, "case_id = %s", case_id)
    PARTIES.insert([{"case_id": case_id, **own, **party} for party in course.difference.get("parties", {}).values()])


def build_event(case_id: str, course: Course, *, kind_digest: str, obligation_id: str = "", on_behalf: str = "") -> dict[str, Any]:
    """Return the row of a transition's event, not yet written and without its evidence."""
    moment = course.moment
    values = {**moment.values, **({DECISIONS: course.decisions} if course.decisions else {})}
    event = {
        **shared_event(moment, kind_digest), "id": new_id(), "case_id": case_id, "seq": moment.seq, "obligation_id": obligation_id,
        "on_behalf": on_behalf, "calls": [call.code for call in course.calls], "values": values, "diff": course.difference,
        "salt": secrets.token_hex(16),
    }  # fmt: skip
    return {**event, "digest": event_digest(event)}


def shared_event(moment: Moment, kind_digest: str) -> dict[str, Any]:
    """Return what all events of one actor at one time say alike: of no one obligation, on nobody's behalf, without calls."""
    actor = moment.actor
    return {
        "at": moment.at, "action": moment.action, "obligation_id": "", "actor_kind": actor.kind, "actor_id": actor.id,
        "actor_name": actor.name, "actor_organization": actor.organization, "actor_organization_name": actor.organization_name,
        "actor_role": actor.role, "on_behalf": "", "calls": [], "kind_digest": kind_digest, "values": dict(moment.values),
    }  # fmt: skip


def _is_sealed(course: Course, obligation_id: str) -> bool:
    """Tell whether a step answers what others may not see before all have answered: no list, search or evidence tells it."""
    group = course.kind.groups.get(course.position["obligations"].get(obligation_id, {}).get("group", ""))
    return group is not None and group.sealed


def write_event(case_id: str, course: Course, *, kind_digest: str, obligation_id: str = "", on_behalf: str = "") -> None:
    """Write the event row, its evidence and the words that a search finds, in the caller's transaction."""
    event = build_event(case_id, course, kind_digest=kind_digest, obligation_id=obligation_id, on_behalf=on_behalf)
    case, moment, sealed = course.position["case"], course.moment, _is_sealed(course, obligation_id)
    facts = {
        "number": case["number"], "kind": case["kind_code"], "seq": event["seq"], "action": SEALED if sealed else event["action"],
        "phase": case["phase"], "state": case["state"], "digest": event["digest"],
    }  # fmt: skip
    kept = evidence.append(
        kind=EVIDENCE, actor=moment.actor, subject_type="case", subject_id=case_id, facts=facts,
        organization=case["owner"] or case["organization"], at=moment.at,
    )  # fmt: skip
    EVENTS.insert([{**event, "evidence_id": kept}])
    if not sealed and (text := step_text(moment.action, moment.form, moment.values)):
        WORDS.insert([{"case_id": case_id, "seq": event["seq"], "obligation_id": obligation_id, "text": text}])


def event_digest(event: Mapping[str, Any]) -> str:
    """Return the digest of an event's row: salted, so that it says nothing of the values it covers."""
    return digest_of(covered_by_digest(event))


def covered_by_digest(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the digest of an event's row covers."""
    return {**{name: event[name] for name in TOLD}, "at": event["at"].isoformat()}


def rows_position(row: CaseRecord) -> Position:
    """Return the position that the rows give, all of it, for comparison with the events."""
    return {**empty_position(), **read_position(row, everything=True)}


def _data_columns(row: CaseRecord, course: Course) -> dict[str, Any]:
    data = course.position["data"]
    return {"data": data, "search": search_text(row.search, course.kind.fields, data)}


def _write_parts(table: Rows[Any], case_id: str, course: Course, part: str, own: Mapping[str, Any]) -> None:
    """Insert what is new and update what changed, rows with the same columns together."""
    fresh: dict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    changed: dict[tuple[str, ...], list[tuple[str, Mapping[str, Any]]]] = defaultdict(list)
    before, seq = course.before[part], course.moment.seq
    told, found_by = course.difference.get(part, {}), course.found_by(part)
    for key in told | found_by:
        changes = {**told.get(key, {}), **found_by.get(key, {})}
        if key in before or changes.get("opened_seq", seq) != seq:
            changed[tuple(changes)].append((key, changes))
        else:
            fresh[tuple(changes)].append({"id": key, "case_id": case_id, **own, **changes})
    for rows in changed.values():
        table.update_each(rows)
    for rows_ in fresh.values():
        table.insert(rows_)


def _plain_row(row: Any, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: plain_value(getattr(row, name)) for name in names}


def plain(values: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    """Return the named values as a position holds them."""
    return {name: plain_value(values[name]) for name in names}


def _typed(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: datetime.fromisoformat(value) if name.endswith("_at") and isinstance(value, str) else value
        for name, value in values.items()
    }
