"""One table's rows without the ORM: the same values, the same errors, nothing unheard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.transaction import TransactionManagementError
from django.test.utils import CaptureQueriesContext

from yunhe.core.jobs.models import Delivery, OutboxEntry
from yunhe.core.statements.api import Rows

pytestmark = pytest.mark.django_db
ENTRIES, DELIVERIES = Rows(OutboxEntry), Rows(Delivery)
AT = datetime(2026, 3, 2, 10, 0, 0, 250, tzinfo=UTC)


def entry(key: str = "", **told: Any) -> dict[str, Any]:
    return {"id": f"{key}-1", "topic": "t", "key": key, "payload": {"甲": [1, 2.5, None]}, "published_at": AT, **told}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (AT, "2026-03-02T10:00:00.000250+00:00"),
        (AT.replace(microsecond=0), "2026-03-02T10:00:00+00:00"),
        (AT.astimezone(timezone(timedelta(hours=8))), "2026-03-02T10:00:00.000250+00:00"),
        ("2026-03-02T10:00:00.000250+00:00", "2026-03-02T10:00:00.000250+00:00"),
    ],
)
def test_what_is_written_is_what_the_orm_reads_and_the_other_way(written: Any, said: str) -> None:
    ENTRIES.insert([entry("a", published_at=written), entry("b", payload={}, published_at=written)])
    kept = OutboxEntry.objects.get(key="a")
    assert (kept.payload, kept.published_at.isoformat()) == ({"甲": [1, 2.5, None]}, said)
    (record,) = ENTRIES.records("key = %s", "a")
    assert [getattr(record, name) for name in ENTRIES.columns] == [getattr(kept, name) for name in ENTRIES.columns]
    assert ENTRIES.plain(("payload", "published_at"), "key = %s", "b") == [{"payload": {}, "published_at": said}]


def test_named_columns_come_in_any_order_and_the_rest_is_read_later() -> None:
    ENTRIES.insert([entry("a")])
    (record,) = ENTRIES.records("id = %s", "a-1", names=("topic", "key", "id"))
    assert (record.pk, record.topic, record.key) == ("a-1", "t", "a")
    assert record.published_at == AT


def test_the_first_stays_alone() -> None:
    assert ENTRIES.insert_first(entry("a"))
    assert not ENTRIES.insert_first(entry("a", id="a-2"))
    assert list(OutboxEntry.objects.values_list("pk", flat=True)) == ["a-1"]


def test_changes_and_deletions_say_how_many_rows_they_met() -> None:
    ENTRIES.insert([entry("a"), entry("b"), entry("c")])
    assert ENTRIES.update({"topic": "u"}, "key IN (%s, %s)", "a", "b") == 2
    ENTRIES.update_each([("a-1", {"topic": "v"}), ("c-1", {"topic": "w"})])
    assert ENTRIES.count(("topic",), "topic <> %s", "") == [("u", 1), ("v", 1), ("w", 1)]
    assert ENTRIES.delete("topic = %s", "u") == 1


def test_an_error_is_djangos_and_a_broken_transaction_is_refused() -> None:
    ENTRIES.insert([entry("a")])
    with pytest.raises(IntegrityError), transaction.atomic():
        ENTRIES.insert([entry("a")])
    transaction.set_rollback(True)
    try:
        with pytest.raises(TransactionManagementError):
            ENTRIES.records("id = %s", "a-1")
    finally:
        transaction.set_rollback(False)


def test_who_listens_hears_every_statement() -> None:
    heard: list[str] = []

    def listen(execute: Any, text: str, values: Any, many: bool, context: Any) -> Any:
        heard.append(text.split(maxsplit=1)[0])
        return execute(text, values, many, context)

    with connection.execute_wrapper(listen):
        ENTRIES.insert([entry("a"), entry("b")])
        ENTRIES.records("id = %s", "a-1")
    assert heard == ["INSERT", "SELECT"]
    with CaptureQueriesContext(connection) as logged:
        ENTRIES.delete("id = %s", "a-1")
    assert len(logged) == 1
