"""Messages written with the act, delivered later, dead letters seen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction

from tests.conftest import Cast
from yunhe.core.evidence.api import append
from yunhe.core.evidence.models import EvidenceRow
from yunhe.core.jobs.api import outbox
from yunhe.core.jobs.errors import BadJob, DeliveryNotFound, SlotTaken
from yunhe.core.jobs.models import Delivery, OutboxEntry
from yunhe.core.jobs.types import Message
from yunhe.kernel.actor import job_actor
from yunhe.kernel.clock import frozen, now
from yunhe.kernel.errors import Invalid, Refused, Transient
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
ASKER = job_actor("tests")


def publish(topic: str = "topic", key: str = "", **payload: object) -> str:
    with transaction.atomic():
        return outbox.publish(topic=topic, payload=payload, key=key)


def named(name: str, handle: Callable[[Message], None]) -> Callable[[Message], None]:
    handle.__qualname__ = name
    return handle


def test_every_subscriber_of_the_topic_is_told_once() -> None:
    heard: list[tuple[str, int]] = []
    outbox.subscribe(topic="topic", handler=named("one", lambda m: heard.append(("one", m.payload["n"]))))
    outbox.subscribe(topic="topic", handler=named("two", lambda m: heard.append(("two", m.payload["n"]))))
    outbox.subscribe(topic="other", handler=named("three", lambda m: heard.append(("three", 0))))
    publish(n=7)
    assert outbox.deliver_pending() == 2
    assert outbox.deliver_pending() == 0
    assert sorted(heard) == [("one", 7), ("two", 7)]


def test_a_message_falls_with_the_act() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012
        outbox.publish(topic="topic", payload={})
        raise ZeroDivisionError
    assert not OutboxEntry.objects.exists()


def test_a_key_makes_the_second_message_the_first() -> None:
    outbox.subscribe(topic="topic", handler=named("one", lambda m: None))
    assert publish(key="K") == publish(key="K")
    assert publish(key="K") != publish(topic="other", key="K")
    assert Delivery.objects.count() == 1


def test_what_a_failing_handler_wrote_is_undone_and_tried_again() -> None:
    tries: list[int] = []

    def handle(message: Message) -> None:
        tries.append(message.attempt)
        append(kind="tests.told", actor=ASKER, subject_type="message", subject_id=message.id, facts={})
        if len(tries) < 3:
            raise Transient

    outbox.subscribe(topic="topic", handler=handle)
    publish()
    with frozen(now()) as clock:
        for _ in range(5):
            outbox.deliver_pending()
            clock.advance(timedelta(minutes=1))
    assert tries == [1, 2, 3]
    assert EvidenceRow.objects.filter(kind="tests.told").count() == 1


@pytest.mark.parametrize(("error", "tries"), [(Transient(), 10), (KeyError("13800000000"), 10), (Invalid(where="a", expected="b", found="c"), 1)])
def test_a_message_that_cannot_be_taken_becomes_a_dead_letter(error: Exception, tries: int, cast: Cast) -> None:
    def handle(message: Message) -> None:
        raise error

    outbox.subscribe(topic="topic", handler=handle)
    entry = publish(n=1)
    with frozen(now()) as clock:
        for _ in range(15):
            outbox.deliver_pending()
            clock.advance(timedelta(hours=1))
    (letter,) = outbox.list_dead(request=PageRequest(), actor=cast.system_admin.actor).items
    assert (letter.message.id, letter.tries, outbox.count_dead()) == (entry, tries, 1)
    assert "13800000000" not in str(letter)
    with pytest.raises(Refused):
        outbox.list_dead(request=PageRequest(), actor=cast.clerk.actor)
    outbox._subscribers["topic"] = {letter.subscriber: lambda message: None}
    outbox.retry_dead(delivery_id=letter.delivery_id, actor=cast.system_admin.actor)
    outbox.deliver_pending()
    assert outbox.count_dead() == 0
    with pytest.raises(DeliveryNotFound):
        outbox.retry_dead(delivery_id=letter.delivery_id, actor=cast.system_admin.actor)


def test_a_subscriber_that_is_gone_leaves_a_dead_letter() -> None:
    outbox.subscribe(topic="topic", handler=named("one", lambda m: None))
    publish()
    outbox._subscribers.clear()
    outbox.deliver_pending()
    assert outbox.count_dead() == 1


def test_a_handler_that_kills_its_process_uses_up_tries() -> None:
    def handle(message: Message) -> None:
        raise SystemExit

    outbox.subscribe(topic="topic", handler=handle)
    publish()
    with pytest.raises(SystemExit), transaction.atomic():
        outbox.deliver_pending()
    with pytest.raises(SystemExit):
        outbox.deliver_pending()
    assert Delivery.objects.get().tries == 1


def test_a_slot_is_filled_once() -> None:
    outbox.subscribe(topic="topic", handler=named("one", lambda m: None))
    with pytest.raises(SlotTaken):
        outbox.subscribe(topic="topic", handler=named("one", lambda m: None))


def test_a_payload_must_fit_into_json() -> None:
    with pytest.raises(BadJob):
        publish(x=object())
