"""Delivery: tried again, given up with a reason, never held up by another, never lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from tests.conftest import Cast
from tests.core.notices.conftest import ASKER, Trial, dead, reach, run, tell
from yunhe.core.jobs import api as jobs
from yunhe.core.jobs.api import outbox
from yunhe.core.jobs.api.queue import claim_job
from yunhe.core.jobs.models import Delivery, Job
from yunhe.core.jobs.types import QUEUES
from yunhe.core.keys import api as keys
from yunhe.core.notices import api
from yunhe.core.notices.api import delivery
from yunhe.core.notices.api.contacts import _purpose
from yunhe.core.notices.errors import AddressRefused, ChannelUnavailable
from yunhe.core.notices.models import ContactRow, Dispatch
from yunhe.core.notices.types import ToPerson
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.models import User
from yunhe.kernel.clock import frozen, now

pytestmark = pytest.mark.django_db
REFUSED = AddressRefused(where="trial", reason_zh="查无此人", reason_en="no such person")
AWAY = ChannelUnavailable(where="trial", reason_zh="没有应答", reason_en="no answer")
OUT_OF_ORDER = ChannelUnavailable(where="place", reason_zh="没有应答", reason_en="no answer", rest=True)


def told_rows() -> Any:
    return Dispatch.objects.filter(announcement__isnull=False).order_by("id")


def test_one_refused_address_among_two_hundred_holds_up_nobody(cast: Cast, trial: Trial) -> None:
    users = User.objects.bulk_create(
        [User(username=f"person{n}", display_name=f"人员{n}", created_at=now(), password="!") for n in range(200)]
    )
    for user in users:
        row = ContactRow.objects.create(user=user, channel="trial", verified_at=now())
        row.sealed = sealed(row, f"{user.username}@trial")
        row.save()
    trial.errors["person100@trial"] = REFUSED
    to = [ToPerson(f"user:{user.pk}") for user in users]
    sent = api.send(to=to, kind="case.waiting", title={"zh": "一"}, text={"zh": "二"}, actor=ASKER)
    assert (sent.notices, sent.messages) == (200, 200)
    run(2)
    assert len({letter.address for letter in trial.letters}) == len(trial.letters) == 199
    (letter,) = dead()
    assert letter.error_code == "notice_undelivered"
    assert "试验没有送到" in letter.error["zh"] and "查无此人" in letter.error["zh"]
    assert "by Trial" in letter.error["en"] and "no such person" in letter.error["en"]
    assert "person100@trial" not in str(letter)
    member = organizations.get_person(username="person100")
    assert told_rows().filter(state="failed").get().user_id == member.id


def sealed(row: ContactRow, address: str) -> bytes:
    return keys.seal(purpose=_purpose(row, "address"), plaintext=address.encode())


def test_the_recipient_sees_the_reason_and_nobody_else_does(cast: Cast, told: Trial) -> None:
    told.errors["officer@trial"] = REFUSED
    tell(cast.officer, cast.clerk)
    run(2)
    (failure,) = api.list_failures(actor=cast.officer.actor)
    assert (failure.channel, failure.title["zh"]) == ("trial", "有一件待办")
    assert "查无此人" in failure.reason["zh"] and "no such person" in failure.reason["en"]
    assert api.list_failures(actor=cast.clerk.actor) == ()


def test_what_may_pass_is_tried_again_with_the_same_id(cast: Cast, told: Trial) -> None:
    told.errors["*"] = AWAY
    with frozen(now()) as clock:
        tell(cast.officer)
        run(2)
        assert told.asked == 1
        clock.advance(timedelta(seconds=2))
        run()
        assert told.asked == 2
        told.errors.clear()
        clock.advance(timedelta(seconds=4))
        run()
    (letter,) = told.letters
    row = told_rows().get()
    assert (letter.id, row.state, row.tries, row.error) == (row.pk, "sent", 3, {})
    assert dead() == []


def test_after_ten_tries_it_is_a_dead_letter_and_its_retry_hands_it_over_again(cast: Cast, told: Trial) -> None:
    told.errors["*"] = AWAY
    with frozen(now()) as clock:
        tell(cast.officer)
        for _ in range(14):
            run(2)
            clock.advance(timedelta(minutes=31))
        assert told.asked == delivery.TRIES
        (letter,) = dead()
        assert "试了 10 次" in letter.error["zh"] and "没有应答" in letter.error["zh"]
        for said in (letter.error, letter.about.error, api.list_failures(actor=cast.officer.actor)[0].reason):
            assert "系统会再试" not in said["zh"] and "不再自动重试" in said["zh"]
            assert "It is tried again" not in said["en"] and "not tried again by itself" in said["en"]
        outbox.retry_dead(delivery_id=letter.delivery_id, actor=ASKER)
        run(2)
        assert (told.asked, dead()) == (delivery.TRIES + 1, [])
        told.errors.clear()
        clock.advance(timedelta(seconds=2))
        run()
    assert [one.address for one in told.letters] == ["officer@trial"]
    assert api.list_failures(actor=cast.officer.actor) == ()


def test_a_retry_that_fails_again_is_a_dead_letter_again(cast: Cast, told: Trial) -> None:
    told.errors["*"] = REFUSED
    tell(cast.officer)
    run(2)
    for tries in (2, 3):
        (letter,) = dead()
        outbox.retry_dead(delivery_id=letter.delivery_id, actor=ASKER)
        run(3)
        assert told.asked == tries
        assert len(dead()) == 1
    assert len(api.list_failures(actor=cast.officer.actor)) == 1


def test_a_channel_that_breaks_is_given_up_without_its_text(cast: Cast, told: Trial) -> None:
    told.errors["*"] = ZeroDivisionError("officer@trial")
    tell(cast.officer)
    run(2)
    (letter,) = dead()
    assert "ZeroDivisionError" in letter.error["zh"] and "officer@trial" not in str(letter)


def test_a_place_that_does_not_answer_costs_one_try_and_not_one_per_message(cast: Cast, told: Trial) -> None:
    reach(cast.leader, "leader@trial")
    told.places.update({"officer@trial": "place", "clerk@trial": "place"})
    told.errors |= {"officer@trial": OUT_OF_ORDER, "clerk@trial": OUT_OF_ORDER}
    with frozen(now()) as clock:
        tell(cast.officer, cast.clerk, cast.leader)
        run(2)
        assert told.asked == 2  # one of the two, and the leader at another place
        assert [letter.address for letter in told.letters] == ["leader@trial"]
        told.errors.clear()
        clock.advance(delivery.REST)
        run(2)
        assert len(told.letters) == 3


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_dies_while_sending_loses_nothing(cast: Cast, told: Trial) -> None:
    tell(cast.officer)
    outbox.deliver_pending()
    assert not connection.in_atomic_block
    told.errors["*"] = SystemExit()
    with pytest.raises(SystemExit):
        jobs.run_pending()
    told.errors.clear()
    run()
    assert [letter.id for letter in told.letters] == [told_rows().get().pk]


@pytest.mark.django_db(transaction=True)
def test_killed_between_sending_and_its_mark_it_goes_twice_with_one_id(
    cast: Cast, told: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(cast.officer)
    outbox.deliver_pending()

    def killed(*_given: Any, **_more: Any) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(delivery, "_settle", killed)
        with pytest.raises(SystemExit):
            jobs.run_pending()
    assert told_rows().get().state == "waiting"
    run()
    assert [letter.id for letter in told.letters] == [told_rows().get().pk] * 2


def test_a_job_whose_worker_is_gone_is_taken_over(cast: Cast, told: Trial) -> None:
    with frozen(now()) as clock:
        tell(cast.officer)
        outbox.deliver_pending()
        assert claim_job(queues=QUEUES, holder="gone") is not None
        run()
        assert told.letters == []
        clock.advance(timedelta(minutes=1))
        jobs.reap()
        clock.advance(timedelta(minutes=1))
        run()
    assert len(told.letters) == 1


def test_what_no_job_is_on_is_picked_up(cast: Cast, told: Trial) -> None:
    with frozen(now()) as clock:
        tell(cast.officer)
        outbox.deliver_pending()
        Job.objects.update(state="cancelled")
        clock.advance(timedelta(minutes=59))
        assert delivery.pick_up_stranded() == 0
        clock.advance(timedelta(minutes=2))
        assert delivery.pick_up_stranded() == 1
        assert delivery.pick_up_stranded() == 0
        run()
    assert len(told.letters) == 1


def test_a_hand_over_that_was_dropped_is_not_picked_up_and_sent_later(
    cast: Cast, told: Trial, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(**_given: Any) -> None:
        raise OSError("disk full")

    with frozen(now()) as clock:
        tell(cast.officer)
        with monkeypatch.context() as patched:
            patched.setattr(delivery, "due_time", broken)
            for _ in range(14):
                outbox.deliver_pending()
                clock.advance(timedelta(hours=2))
        (letter,) = dead()
        assert outbox.drop_dead(delivery_ids=[letter.delivery_id], reason="已电话告知", actor=ASKER) == 1
        clock.advance(timedelta(days=1))
        assert delivery.pick_up_stranded() == 0
        run(2)
    assert told.letters == [] and told_rows().get().state == "dropped"


def test_a_message_handed_over_twice_is_sent_once(cast: Cast, told: Trial) -> None:
    tell(cast.officer)
    outbox.deliver_pending()
    Delivery.objects.update(state="open")
    run()
    Delivery.objects.update(state="open")
    run()
    assert len(told.letters) == 1
