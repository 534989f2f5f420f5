"""Taking the gateway's evidence lines over into the control database."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import transaction

from yunhe.core.evidence.api.records import build_row, read_row
from yunhe.core.evidence.errors import BadEvidence
from yunhe.core.evidence.models import EvidenceRow, SegmentCursor
from yunhe.core.evidence.rules import canonical
from yunhe.core.evidence.types import Collected, EvidenceRecord
from yunhe.engine.evidencelog import drop_segments, read_segments
from yunhe.kernel.clock import now
from yunhe.kernel.ids import is_id, new_id

logger = logging.getLogger("yunhe.evidence")
BATCH = 500
TEXTS = (
    "kind", "actor_kind", "actor_id", "actor_name", "actor_role", "organization", "owner_organization",
    "subject_type", "subject_id",
)  # fmt: skip
Take = Callable[[Sequence[EvidenceRecord]], None]
_takers: dict[str, Take] = {}


def register_taker(*, name: str, take: Take) -> None:
    """Fill one slot: `take(records)` is given what a batch brought new, each record once, in the batch's transaction.

    What it raises undoes the batch, which then waits for the next reading. Raises: ValueError on a name taken.
    """
    if name in _takers:
        raise ValueError(f"{name!r} takes collected evidence already")
    _takers[name] = take


def collect_segments(*, folder: Path) -> Collected:
    """Take the gateway's new evidence lines over into the table; repeating it adds nothing.

    A line that is no evidence record is kept as evidence of that (kind `evidence.unreadable_line`)
    and holds up nothing. Segments that were taken over wholly are removed.
    Cost: one transaction per 500 lines. Raises: SegmentBroken from the reader.
    """
    totals = Collected(0, 0, 0, 0)
    while (batch := _take_batch(str(folder.resolve()), folder)).seen:
        totals = Collected(
            totals.seen + batch.seen, totals.added + batch.added,
            totals.known + batch.known, totals.broken + batch.broken,
        )  # fmt: skip
    if totals.seen:
        _drop_taken(folder)
    return totals


def _take_batch(name: str, folder: Path) -> Collected:
    """Take over at most BATCH lines; rows and cursor move in one transaction."""
    position = SegmentCursor.objects.filter(pk=name).values_list("position", flat=True).first() or ""
    logged = list(islice(read_segments(folder, position), BATCH))
    if not logged:
        return Collected(0, 0, 0, 0)
    with transaction.atomic():
        cursor, _ = SegmentCursor.objects.select_for_update().get_or_create(
            folder=name, defaults={"position": "", "collected_at": now()}
        )
        if cursor.position != position:
            return Collected(0, 0, 0, 0)  # another worker took these lines meanwhile
        rows = [_row(line.position, line.record) for line in logged]
        known = set(EvidenceRow.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", flat=True))
        fresh = {row.pk: row for row in rows if row.pk not in known}
        EvidenceRow.objects.bulk_create(fresh.values())
        taken = tuple(read_row(row) for row in fresh.values())
        for take in _takers.values():
            take(taken)
        cursor.position, cursor.collected_at = logged[-1].position, now()
        cursor.records += len(fresh)
        cursor.save()
    broken = sum(row.kind == "evidence.unreadable_line" for row in fresh.values())
    return Collected(len(logged), len(fresh), len(logged) - len(fresh), broken)


def _row(position: str, record: Mapping[str, Any]) -> EvidenceRow:
    try:
        return _record_row(record)
    except (BadEvidence, KeyError, TypeError, ValueError) as error:
        logger.error("evidence line before %s is no record: %s", position, type(error).__name__)
        return build_row(
            id=new_id(), at=now(), kind="evidence.unreadable_line", actor_kind="job", actor_id="job:evidence.collect",
            actor_name="evidence.collect", actor_role="", organization="", owner_organization="",
            subject_type="segment", subject_id=position, source="gateway",
            facts_text=canonical({"problem": type(error).__name__}).decode(),
        )  # fmt: skip


def _record_row(record: Mapping[str, Any]) -> EvidenceRow:
    if not is_id(record["id"]):
        raise BadEvidence(where="id", expected="a record id", found="something else")
    texts = {name: record.get(name, "") for name in TEXTS}
    if not all(isinstance(value, str) for value in texts.values()) or not texts["kind"]:
        raise BadEvidence(where="line", expected="text fields and a kind", found="something else")
    facts = record.get("facts", {})
    if not isinstance(facts, Mapping):
        raise BadEvidence(where="facts", expected="an object", found=type(facts).__name__)
    return build_row(
        id=record["id"], at=datetime.fromisoformat(record["at"]), source="gateway",
        facts_text=canonical(dict(facts)).decode("utf-8"), **texts,
    )  # fmt: skip


def _drop_taken(folder: Path) -> None:
    position = SegmentCursor.objects.filter(pk=str(folder.resolve())).values_list("position", flat=True).first()
    if position:
        drop_segments(folder, position)
