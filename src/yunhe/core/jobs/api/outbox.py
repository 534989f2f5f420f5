"""The outbox (发件箱): what others must be told later, written in the transaction of the act.

A handler runs in one transaction with the mark that its message is done: what it writes to the
control database happens exactly once. A handler only writes control data or asks for a job;
anything slower or outside belongs into that job, which gets the message's stable id.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.apps import apps
from django.db import connection, transaction
from django.db.models import F, QuerySet

from yunhe.core.jobs.errors import DeliveryNotFound, OutsideTransaction, SlotsClosed, SlotTaken, UnknownJob
from yunhe.core.jobs.models import Delivery, OutboxEntry
from yunhe.core.jobs.rules import error_facts, pause_after, plain_arguments
from yunhe.core.jobs.types import DeadLetter, HandleMessage, Message
from yunhe.core.statements.api import Rows
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now
from yunhe.kernel.errors import Terminal
from yunhe.kernel.ids import new_id
from yunhe.kernel.pages import Page, PageRequest

__all__ = ["count_dead", "deliver_pending", "list_dead", "publish", "retry_dead", "subscribe"]

logger = logging.getLogger("yunhe.outbox")
ENTRIES, DELIVERIES = Rows(OutboxEntry), Rows(Delivery)
TRIES = 10
_subscribers: dict[str, dict[str, HandleMessage]] = {}


def publish(*, topic: str, payload: Mapping[str, Any], key: str = "") -> str:
    """Write a message in the caller's transaction and return its id.

    A second message with the same topic and non-empty key is the first one.
    Raises: OutsideTransaction, BadJob if JSON cannot hold the payload.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction(what=f"outbox {topic}")
    at, entry_id = now(), new_id()
    entry = {"id": entry_id, "topic": topic, "key": key, "payload": plain_arguments(payload, where=topic), "published_at": at}
    if not ENTRIES.insert_first(entry):
        return OutboxEntry.objects.values_list("pk", flat=True).get(topic=topic, key=key)
    fresh = {"state": "open", "tries": 0, "next_at": at, "done_at": None, "error_code": "", "error": {}}
    DELIVERIES.insert([{"entry_id": entry_id, "subscriber": name, **fresh} for name in sorted(_subscribers.get(topic, {}))])
    return entry_id


def subscribe(*, topic: str, handler: HandleMessage) -> None:
    """Have `handler` told of every later message of a topic; it is known by its module and name.

    Raises: SlotTaken if another function has that name, SlotsClosed once every app's ready() has run.
    """
    if apps.ready:
        raise SlotsClosed(name=topic)
    name = f"{handler.__module__}.{handler.__qualname__}"
    named = _subscribers.setdefault(topic, {})
    if named.setdefault(name, handler) is not handler:
        raise SlotTaken(name=name, holder=topic)


def deliver_pending(*, limit: int = 100) -> int:
    """Deliver due messages and return how many were tried; called by the worker."""
    tried = 0
    while tried < limit and (delivery := _claim()) is not None:
        tried += 1
        try:
            _deliver(delivery)
        except Exception as error:  # noqa: BLE001  the door of every handler
            _record_failure(delivery, error)
    return tried


def list_dead(*, request: PageRequest, actor: Actor) -> Page[DeadLetter]:
    """Return a page of the dead letters, the oldest first; filter topic."""
    actor.require("jobs.view", organization="")
    rows = _dead()
    if request.filters.get("topic"):
        rows = rows.filter(entry__topic=request.filters["topic"])
    items = rows[request.offset : request.offset + request.limit]
    return Page(tuple(map(_letter, items)), total=rows.count(), page=max(request.page, 1), size=request.limit)


def count_dead() -> int:
    """Return how many dead letters wait for a decision."""
    return Delivery.objects.filter(state="dead").count()


def retry_dead(*, delivery_id: int, actor: Actor) -> None:
    """Give a dead letter fresh tries. Raises: DeliveryNotFound."""
    actor.require("jobs.manage", organization="")
    fresh = {"state": "open", "tries": 0, "next_at": now()}
    if not Delivery.objects.filter(pk=delivery_id, state="dead").update(**fresh):
        raise DeliveryNotFound(delivery_id=delivery_id)


def _claim() -> Delivery | None:
    """Take one due delivery; its try is counted before the handler runs, so that a crash counts too."""
    at = now()
    due = Delivery.objects.filter(state="open", next_at__lte=at).order_by("next_at", "id")
    if not due.exists():
        return None
    with transaction.atomic():
        if connection.features.has_select_for_update_skip_locked:
            due = due.select_for_update(skip_locked=True)
        row = due.first()
        if row is None:
            return None
        taken = Delivery.objects.filter(pk=row.pk, state="open", tries=row.tries).update(
            tries=F("tries") + 1, next_at=at + pause_after(row.tries + 1)
        )
    return Delivery.objects.select_related("entry").get(pk=row.pk) if taken else None


def _deliver(delivery: Delivery) -> None:
    with transaction.atomic():
        mine = Delivery.objects.filter(pk=delivery.pk, state="open", tries=delivery.tries)
        if not mine.update(state="done", done_at=now(), error_code="", error={}):
            return
        handler = _subscribers.get(delivery.entry.topic, {}).get(delivery.subscriber)
        if handler is None:
            known = ", ".join(sorted(_subscribers.get(delivery.entry.topic, {})))
            raise UnknownJob(name=delivery.subscriber, known=known)
        handler(_message(delivery))


def _record_failure(delivery: Delivery, error: Exception) -> None:
    code, sentences = error_facts(error)
    dead = isinstance(error, Terminal) or delivery.tries >= TRIES
    logger.warning("message %s to %s: %s", delivery.entry_id, delivery.subscriber, code, exc_info=error)
    mine = Delivery.objects.filter(pk=delivery.pk, state="open", tries=delivery.tries)
    mine.update(state="dead" if dead else "open", error_code=code, error=sentences)


def _dead() -> QuerySet[Delivery]:
    return Delivery.objects.filter(state="dead").select_related("entry").order_by("id")


def _message(delivery: Delivery) -> Message:
    entry = delivery.entry
    return Message(entry.pk, entry.topic, entry.key, entry.payload, entry.published_at, delivery.tries)


def _letter(row: Delivery) -> DeadLetter:
    return DeadLetter(row.pk, row.subscriber, _message(row), row.tries, row.error_code, row.error)
