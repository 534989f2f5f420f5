"""One message, one recipient, one case that can never succeed: the others do not wait for it, and it is seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest
from django.db import connection, transaction

from tests.conftest import Cast
from tests.core.cases.conftest import calendar, clock  # noqa: F401
from tests.core.notices.conftest import Trial, _fresh, registering, trial  # noqa: F401
from tests.faults.world import plain_permit
from tests.soaking import amount, is_soaking
from yunhe.core.cases import api as cases
from yunhe.core.cases.models import ObligationRecord
from yunhe.core.jobs import api as jobs
from yunhe.core.jobs.api import outbox
from yunhe.core.jobs.models import Delivery
from yunhe.core.jobs.rules import pause_after
from yunhe.core.jobs.types import Message
from yunhe.core.keys import api as keys
from yunhe.core.notices import api as notices
from yunhe.core.notices.api.contacts import _purpose
from yunhe.core.notices.errors import ChannelUnavailable
from yunhe.core.notices.models import ContactRow, Dispatch
from yunhe.core.notices.types import ToPerson
from yunhe.core.organizations.models import User
from yunhe.kernel.actor import job_actor
from yunhe.kernel.clock import FrozenClock, now
from yunhe.kernel.errors import Transient
from yunhe.kernel.pages import PageRequest

pytestmark = [pytest.mark.django_db, pytest.mark.soak, pytest.mark.timeout(3600)]
HEAD = job_actor("tests")
MANY = amount(small=300, full=10_000)
POISON = MANY // 3


@pytest.fixture
def subscribed(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Message], None]], None]:
    """The topic "tests.poison" is heard by the test's handler until the test ends."""

    def hear(handler: Callable[[Message], None]) -> None:
        monkeypatch.setitem(outbox._subscribers, "tests.poison", {"tests.handler": handler})

    return hear


def publish() -> None:
    with transaction.atomic():
        for number in range(MANY):
            outbox.publish(topic="tests.poison", payload={"number": number}, key=str(number))


def asked_by(work: Callable[[], object]) -> int:
    """Return how many statements the database was asked."""
    asked = count()
    with connection.execute_wrapper(lambda execute, *told: (next(asked), execute(*told))[1]):
        work()
    return next(asked)


@pytest.mark.parametrize("error", [KeyError("13800000000"), *[Transient()] * is_soaking()])
def test_one_message_among_many_is_tried_apart_and_told(
    clock: FrozenClock, cast: Cast, subscribed: Any, error: Exception  # noqa: F811
) -> None:
    heard, tried, at = Counter[int](), list[datetime](), [0]

    def handle(message: Message) -> None:
        at[0] += 1
        if message.payload["number"] == POISON:
            tried.append(now())
            raise error
        heard[message.payload["number"]] += 1

    subscribed(handle)
    publish()
    assert outbox.deliver_pending(limit=MANY) == MANY  # one round: nobody waits behind it
    assert set(heard) == set(range(MANY)) - {POISON} and set(heard.values()) == {1}
    calls = at[0]
    while not outbox.count_dead():
        tries = len(tried)
        clock.advance(pause_after(tries) - timedelta(seconds=1))
        outbox.deliver_pending(limit=MANY)
        assert len(tried) == tries  # not before its pause is over
        clock.advance(timedelta(seconds=1))
        outbox.deliver_pending(limit=MANY)
        assert len(tried) == tries + 1
    assert len(tried) == outbox.TRIES and tried[-1] - tried[0] > timedelta(minutes=15)
    assert at[0] - calls == outbox.TRIES - 1  # the rest of the rounds disturbed nobody
    assert (calls - len(tried[:1])) / calls >= 0.95
    (letter,) = outbox.list_dead(request=PageRequest(), actor=cast.system_admin.actor).items
    assert (letter.message.payload, letter.tries) == ({"number": POISON}, outbox.TRIES)
    assert letter.error["zh"] and letter.error["en"] and "13800000000" not in str(letter)


def test_the_rest_costs_no_more_beside_a_poison_than_without(subscribed: Any, clock: FrozenClock) -> None:  # noqa: F811
    """Throughput, by statements: what fails in between adds its own failure and nothing to any other message."""

    def handle(message: Message) -> None:
        if poisoned and message.payload["number"] == POISON:
            raise Transient

    subscribed(handle)
    spent: dict[bool, int] = {}
    for poisoned in (False, True):
        Delivery.objects.all().delete()
        outbox.OutboxEntry.objects.all().delete()
        publish()
        spent[poisoned] = asked_by(lambda: outbox.deliver_pending(limit=MANY))
    assert MANY <= spent[False] <= spent[True] <= spent[False] + 20, spent


@pytest.fixture
def crowd(trial: Trial) -> list[User]:  # noqa: F811
    """Many people who can be reached, of whom one never answers."""
    users = User.objects.bulk_create(
        [User(username=f"p{n}", display_name=f"人员{n}", created_at=now(), password="!") for n in range(MANY)]
    )
    rows = ContactRow.objects.bulk_create([ContactRow(user=user, channel="trial", verified_at=now()) for user in users])
    for row, user in zip(rows, users, strict=True):
        row.sealed = keys.seal(purpose=_purpose(row, "address"), plaintext=f"{user.username}@trial".encode())
    ContactRow.objects.bulk_update(rows, ["sealed"], batch_size=500)
    return users


def test_one_recipient_among_many_holds_up_nobody(clock: FrozenClock, trial: Trial, crowd: list[User], cast: Cast) -> None:  # noqa: F811
    trial.errors[f"p{POISON}@trial"] = ChannelUnavailable(where="trial", reason_zh="没有应答", reason_en="no answer")
    to = [ToPerson(f"user:{user.pk}") for user in crowd]
    notices.send(to=to, kind="case.waiting", title={"zh": "一"}, text={"zh": "二"}, actor=HEAD)
    outbox.deliver_pending(limit=MANY)
    jobs.run_pending(limit=MANY)
    reached = Counter(letter.address for letter in trial.letters)
    assert len(reached) == MANY - 1 and set(reached.values()) == {1}
    asked = trial.asked
    for _ in range(40):
        clock.advance(timedelta(minutes=31))
        jobs.run_pending(limit=MANY)
        outbox.deliver_pending(limit=MANY)
    assert trial.asked - asked == outbox.TRIES - 1 and len(trial.letters) == MANY - 1
    (letter,) = outbox.list_dead(request=PageRequest(), actor=cast.system_admin.actor).items
    assert "没有应答" in letter.error["zh"] and "no answer" in letter.error["en"]
    assert Dispatch.objects.filter(state="failed").count() == 1


@pytest.mark.parametrize("broken", ["unknown organisation", "broken row"])
def test_one_case_that_cannot_be_warned_of_stands_in_nobodys_way(
    clock: FrozenClock, cast: Cast, calendar: None, broken: str  # noqa: F811
) -> None:
    cases.publish_kind(spec=plain_permit(), source="tests", actor=HEAD)
    many = amount(small=6, full=200)
    ids = [opened(cast, number).case_id for number in range(many)]
    spoiled = ObligationRecord.objects.filter(case_id=ids[0])
    spoiled.update(**({"organization": "113299000032990520"} if broken == "unknown organisation" else {"pauses": [{"since": "?"}]}))
    clock.advance(timedelta(days=60))
    failed: list[str] = []
    assert cases.warn_due(actor=HEAD, failed=failed) == many - 1
    assert failed == [ids[0]]
    warned = ObligationRecord.objects.filter(case_id__in=ids, warned__gt=0)
    assert set(warned.values_list("case_id", flat=True)) == set(ids[1:])


def opened(cast: Cast, number: int) -> Any:
    data = {"place": "解放路", "area": 3}
    return cases.open_case(kind="permit", title=f"第 {number} 件", data=data, actor=cast.clerk.actor, owner=cast.owner.code)
