"""The job and the subscriber of worker_process.py, which strike their own process dead at seeded points."""

from __future__ import annotations

import os
import random
import signal
import threading
import time

from django.conf import settings

from yunhe.core.evidence.api import append
from yunhe.core.jobs import api
from yunhe.core.jobs.api import outbox
from yunhe.core.jobs.types import JobContext, Message
from yunhe.kernel.actor import job_actor

ASKER = job_actor("tests")
CHANCE = float(os.environ.get("STRIKE_CHANCE", "0"))
DICE = random.Random(os.environ.get("STRIKE_SEED", ""))


def strike() -> None:
    if DICE.random() < CHANCE:
        os.kill(os.getpid(), signal.SIGKILL)


def effect(context: JobContext, number: int, seconds: float = 0) -> None:
    """One row and one message per job, in one transaction with the job's end."""
    (settings.HOME / "running").touch()
    if os.environ.get("STOP_IN_LANE"):
        # The thread that works takes the signal, as the kernel may choose; the main thread is not woken by it.
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
    strike()
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        context.check()
        time.sleep(0.05)
    with context.fenced():
        append(kind="tests.effect", actor=context.actor, subject_type="job", subject_id=str(number), facts={})
        strike()
        outbox.publish(topic="tests.effect", payload={"number": number})
        context.conclude({"number": number})
        strike()
    strike()


def told(message: Message) -> None:
    strike()
    number = str(message.payload["number"])
    append(kind="tests.told", actor=ASKER, subject_type="job", subject_id=number, facts={})
    strike()


def register() -> None:
    api.register_job(
        name="tests.effect", run=effect, title={"zh": "试验", "en": "Trial"}, permission="jobs.manage", attempts=1000
    )
    outbox.subscribe(topic="tests.effect", handler=told)
