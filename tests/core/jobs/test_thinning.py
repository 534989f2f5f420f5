"""What ended long ago goes; what is open, scheduled, dead or recent stays."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from yunhe.core.jobs import api
from yunhe.core.jobs.api import outbox, thinning
from yunhe.core.jobs.errors import JobCancelled
from yunhe.core.jobs.models import Delivery, Job, OutboxEntry
from yunhe.core.jobs.types import Message
from yunhe.kernel.actor import job_actor
from yunhe.kernel.clock import frozen, now
from yunhe.kernel.errors import Invalid

pytestmark = pytest.mark.django_db
ASKER = job_actor("tests")
TITLE = {"zh": "试验", "en": "Trial"}


def done(number: int) -> str:
    job_id = api.enqueue(name="trial", arguments={"n": number}, actor=ASKER)
    api.run_pending(job_id=job_id)
    return job_id


def thin() -> dict[str, int]:
    return thinning.thin_out(check=lambda: None)


def test_ended_jobs_go_after_their_days_and_no_other(settings: Any) -> None:
    settings.YUNHE = {**settings.YUNHE, "KEEP_DAYS": 30}
    api.register_job(name="trial", run=lambda context, n: {"n": n}, title=TITLE, permission="jobs.manage")
    api.register_job(name="daily", run=lambda context: None, title=TITLE, permission="jobs.manage", every_seconds=5)
    at = now()
    with frozen(at - timedelta(days=31)):
        old = [done(n) for n in range(3)]
        waiting = api.enqueue(name="trial", arguments={"n": 9}, actor=ASKER)
        Job.objects.filter(pk=done(10)).update(every_seconds=5, state="ready")  # a schedule keeps its row
    with frozen(at - timedelta(days=29)):
        recent = done(4)
    with frozen(at):
        assert thin() == {"jobs": 3, "messages": 0}
        assert thin() == {"jobs": 0, "messages": 0}
    left = set(Job.objects.values_list("pk", flat=True))
    assert not left & set(old)
    assert {waiting, recent} <= left
    assert Job.objects.filter(every_seconds=5).count() == 1


def test_delivered_messages_go_open_and_dead_ones_stay(settings: Any) -> None:
    settings.YUNHE = {**settings.YUNHE, "KEEP_DAYS": 30}

    def refuse(message: Message) -> None:
        if message.payload["n"] == 1:
            raise Invalid(what="n")

    outbox.subscribe(topic="topic", handler=refuse)
    at = now()
    with frozen(at - timedelta(days=40)), transaction.atomic():
        ids = [outbox.publish(topic="topic", payload={"n": n}) for n in range(2)]
    with frozen(at - timedelta(days=40)):
        outbox.deliver_pending()
        open_one = outbox.publish(topic="topic", payload={"n": 2})
    assert sorted(Delivery.objects.values_list("state", flat=True)) == ["dead", "done", "open"]
    with frozen(at):
        assert thin() == {"jobs": 0, "messages": 1}
    assert set(OutboxEntry.objects.values_list("pk", flat=True)) == {ids[1], open_one}


def test_it_goes_by_batches_and_stops_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    api.register_job(name="trial", run=lambda context, n: None, title=TITLE, permission="jobs.manage")
    at = now()
    with frozen(at - timedelta(days=3650)):
        for number in range(5):
            done(number)
    monkeypatch.setattr(thinning, "BATCH", 2)
    batches = iter([None, JobCancelled(job_id="x")])

    def check() -> None:
        error = next(batches)
        if error is not None:
            raise error

    with pytest.raises(JobCancelled):
        thinning.thin_out(check=check)
    assert Job.objects.count() == 3
    assert thin()["jobs"] == 3
