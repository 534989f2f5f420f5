"""The outbox (发件箱): what others must be told later, written in the transaction of the act.

A handler runs in one transaction with the mark that its message is done: what it writes to the
control database happens exactly once. A handler only writes control data or asks for a job;
anything slower or outside belongs into that job, which gets the message's stable id.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, cast

from django.apps import apps
from django.db import connection, transaction
from django.db.models import Count, F, Q, QuerySet

from yunhe.core.evidence.api import append_all
from yunhe.core.jobs.errors import BadJob, DeliveryNotFound, OutsideTransaction, SlotsClosed, SlotTaken, UnknownJob
from yunhe.core.jobs.models import Delivery, OutboxEntry
from yunhe.core.jobs.rules import error_facts, pause_after, plain_arguments
from yunhe.core.jobs.types import About, DeadLetter, DeliveryState, HandleMessage, Message, TellAbout
from yunhe.core.statements.api import Rows
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now
from yunhe.kernel.errors import Terminal
from yunhe.kernel.ids import new_id
from yunhe.kernel.pages import Facet, Page, PageRequest

__all__ = [
    "count_dead",
    "deliver_pending",
    "describe",
    "drop_dead",
    "list_dead",
    "list_letters",
    "publish",
    "retry_all_dead",
    "retry_dead",
    "subscribe",
]

logger = logging.getLogger("yunhe.outbox")
ENTRIES, DELIVERIES = Rows(OutboxEntry), Rows(Delivery)
TRIES = 10
MOST_AT_ONCE = 500
REASON_LENGTH = 500
SORTS = {"published_at": "entry__published_at", "tried_at": "done_at", "state": "state", "subscriber": "subscriber"}
_subscribers: dict[str, dict[str, HandleMessage]] = {}
_titles: dict[str, Mapping[str, str]] = {}
_tellers: dict[str, TellAbout] = {}
_forgetters: dict[str, HandleMessage] = {}


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


def subscribe(
    *, topic: str, handler: HandleMessage, title: Mapping[str, str] | None = None, forget: HandleMessage | None = None
) -> None:
    """Have `handler` told of every later message of a topic; it is known by its module and name.

    `title` says what it does with a message, to who decides about one that it could not take. `forget` is told of such a
    message when it is given up for good, in the same transaction: nothing is to come of it later.

    Raises: SlotTaken if another function has that name, SlotsClosed once every app's ready() has run.
    """
    if apps.ready:
        raise SlotsClosed(name=topic)
    name = f"{handler.__module__}.{handler.__qualname__}"
    named = _subscribers.setdefault(topic, {})
    if named.setdefault(name, handler) is not handler:
        raise SlotTaken(name=name, holder=topic)
    if title is not None:
        _titles[name] = dict(title)
    if forget is not None:
        _forgetters[name] = forget


def describe(*, topic: str, tell: TellAbout) -> None:
    """Have `tell` say what the messages of a topic are about. Raises: SlotTaken, SlotsClosed as `subscribe` does."""
    if apps.ready:
        raise SlotsClosed(name=topic)
    if _tellers.setdefault(topic, tell) is not tell:
        raise SlotTaken(name=topic, holder="describe")


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
    """Return a page of the dead letters, the oldest first: what `list_letters` finds of them in the state dead."""
    return list_letters(request=replace(request, filters={**request.filters, "state": "dead"}), actor=actor)


def list_letters(*, request: PageRequest, actor: Actor) -> Page[DeadLetter]:
    """Return a page of the dead and dropped letters: the dead first, of each the oldest first.

    Shape: filters topic, subscriber, state (dead, dropped); facets of the last two; sorts published_at, tried_at, state,
    subscriber; search in whom, way, kind and case number, key and reason.
    """
    actor.require("jobs.view", organization="")
    rows = _found(request)
    column = SORTS.get(request.sort.removeprefix("-"))
    order = [f"-{column}" if request.sort.startswith("-") else column] if column else ["state"]
    items = rows.select_related("entry").order_by(*order, "id")[request.offset : request.offset + request.limit]
    letters = tuple(_letter(row, actor) for row in items)
    return Page(letters, total=rows.count(), page=max(request.page, 1), size=request.limit, facets=_facets())


def count_dead() -> int:
    """Return how many dead letters wait for a decision."""
    return Delivery.objects.filter(state="dead").count()


def retry_dead(*, delivery_id: int, actor: Actor) -> None:
    """Give a dead letter fresh tries. Raises: DeliveryNotFound."""
    actor.require("jobs.manage", organization="")
    if not _retry(Delivery.objects.filter(pk=delivery_id)):
        raise DeliveryNotFound(delivery_id=delivery_id)


def retry_all_dead(*, request: PageRequest, actor: Actor, delivery_ids: Collection[int] = ()) -> int:
    """Give fresh tries to every dead letter that `request` finds, or to those of `delivery_ids`; return to how many.

    Raises: DeliveryNotFound if one of them is not dead; nothing is tried again then.
    """
    actor.require("jobs.manage", organization="")
    if not delivery_ids:
        return _retry(_found(request))
    with transaction.atomic():
        _chosen(delivery_ids)
        return _retry(Delivery.objects.filter(pk__in=set(delivery_ids)))


def drop_dead(*, delivery_ids: Collection[int], reason: str, actor: Actor) -> int:
    """Give dead letters up for good (丢弃); they stay to be read, with who decided, when and why. Return how many.

    Raises: DeliveryNotFound if one of them is not dead (nothing is dropped then), BadJob without a reason.
    """
    actor.require("jobs.manage", organization="")
    why = reason.strip()
    if not 0 < len(why) <= REASON_LENGTH:
        raise BadJob(where="reason", field="reason", expected=f"1–{REASON_LENGTH}", found=len(why))
    at = now()
    with transaction.atomic():
        rows = _chosen(delivery_ids)
        dropped = {"state": "dropped", "decided_by": actor.name, "decided_at": at, "reason": why}
        if Delivery.objects.filter(pk__in=[row.pk for row in rows], state="dead").update(**dropped) != len(rows):
            raise DeliveryNotFound(delivery_id=rows[0].pk)  # somebody decided in the same moment
        entries = [
            {
                "subject_type": "message", "subject_id": row.entry_id,
                "facts": {"topic": row.entry.topic, "key": row.entry.key, "receiver": row.subscriber, "tries": row.tries, "reason": why},
            }
            for row in rows
        ]  # fmt: skip
        append_all(kind="jobs.letter_dropped", actor=actor, entries=entries, at=at)
        for row in rows:
            if forget := _forgetters.get(row.subscriber):
                forget(_message(row))
    return len(rows)


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
    state = {"state": "dead", "done_at": now(), "words": _words(delivery)} if dead else {"state": "open"}
    mine.update(**state, error_code=code, error=sentences)


def _retry(rows: QuerySet[Delivery]) -> int:
    return rows.filter(state="dead").update(state="open", tries=0, next_at=now(), done_at=None)


def _chosen(delivery_ids: Collection[int]) -> list[Delivery]:
    """Return the dead letters of these ids. Raises: DeliveryNotFound if one is none, BadJob on none or too many."""
    wanted = set(delivery_ids)
    if not 0 < len(wanted) <= MOST_AT_ONCE:
        raise BadJob(where="ids", expected=f"1–{MOST_AT_ONCE}", found=len(wanted))
    rows = list(Delivery.objects.filter(pk__in=wanted, state="dead").select_related("entry").order_by("id"))
    strange = wanted - {row.pk for row in rows}
    if strange:
        raise DeliveryNotFound(delivery_id=min(strange))
    return rows


def _found(request: PageRequest) -> QuerySet[Delivery]:
    rows = Delivery.objects.filter(state__in=("dead", "dropped"))
    for name, column in (("topic", "entry__topic"), ("subscriber", "subscriber"), ("state", "state")):
        if request.filters.get(name):
            rows = rows.filter(**{column: request.filters[name]})
    for word in request.search.split():
        rows = rows.filter(Q(words__icontains=word) | Q(entry__key__icontains=word) | Q(reason__icontains=word))
    return rows


def _facets() -> tuple[Facet, ...]:
    rows = Delivery.objects.filter(state__in=("dead", "dropped")).order_by()
    return tuple(
        Facet(name, one[name], one[name], one["number"])
        for name in ("state", "subscriber")
        for one in rows.values(name).annotate(number=Count("id")).order_by(name)
    )


def title_of(subscriber: str) -> Mapping[str, str]:
    """Return what a subscriber does with a message; one that is no longer registered stands for itself."""
    return _titles.get(subscriber, {"zh": subscriber, "en": subscriber})


def _words(delivery: Delivery) -> str:
    """Return what a dead letter is found by: nothing that not everybody may read who sees dead letters."""
    try:
        about = _about(_message(delivery), None)
    except Exception as error:  # the door of every teller: the letter is dead all the same
        logger.warning("message %s cannot be told of", delivery.entry_id, exc_info=error)
        about = About()
    texts = (title_of(delivery.subscriber), about.title, about.way, *(one.title for one in about.items))
    said = (about.whom, about.number, *(one.number for one in about.items), *(text for one in texts for text in one.values()))
    return "\n".join(dict.fromkeys(filter(None, said)))


def _about(message: Message, actor: Actor | None) -> About:
    tell = _tellers.get(message.topic)
    return tell(message, actor) if tell else About()


def _message(delivery: Delivery) -> Message:
    entry = delivery.entry
    return Message(entry.pk, entry.topic, entry.key, entry.payload, entry.published_at, delivery.tries)


def _letter(row: Delivery, actor: Actor) -> DeadLetter:
    message = _message(row)
    return DeadLetter(
        row.pk, row.subscriber, message, row.tries, row.error_code, row.error, title=title_of(row.subscriber),
        about=_about(message, actor), state=cast("DeliveryState", row.state), tried_at=row.done_at,
        decided_by=row.decided_by, decided_at=row.decided_at, reason=row.reason,
    )  # fmt: skip
