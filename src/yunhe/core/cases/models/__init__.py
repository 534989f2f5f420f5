"""The tables of cases: what runs, and what persons keep."""

from __future__ import annotations

from yunhe.core.cases.models.keeping import DraftRecord, ReceiptRecord, SavedViewRecord
from yunhe.core.cases.models.running import (
    ANY_BUREAU,
    CalendarDayRecord,
    CaseQuerySet,
    CaseRecord,
    ClockRecord,
    DelegationRecord,
    EventRecord,
    KindRecord,
    LimitRecord,
    MigrationRecord,
    NumberSeries,
    ObligationQuerySet,
    ObligationRecord,
    PartyRecord,
    TableRecord,
    TrialRecord,
    TurnRecord,
    WordsRecord,
    is_whole,
    seen_places,
)

__all__ = [
    "ANY_BUREAU",
    "CalendarDayRecord",
    "CaseQuerySet",
    "CaseRecord",
    "ClockRecord",
    "DelegationRecord",
    "DraftRecord",
    "EventRecord",
    "KindRecord",
    "LimitRecord",
    "MigrationRecord",
    "NumberSeries",
    "ObligationQuerySet",
    "ObligationRecord",
    "PartyRecord",
    "ReceiptRecord",
    "SavedViewRecord",
    "TableRecord",
    "TrialRecord",
    "TurnRecord",
    "WordsRecord",
    "is_whole",
    "seen_places",
]
