"""The worker: one lane per queue; it outlives database restarts and stops without losing a job."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection

from yunhe.core.jobs.api import outbox
from yunhe.core.jobs.api.context import RunningJob
from yunhe.core.jobs.api.queue import (
    arm_schedules,
    claim_job,
    lease,
    reap,
    release,
    settle_cancelled,
    settle_failed,
    settle_successful,
)
from yunhe.core.jobs.api.registry import find_job_type
from yunhe.core.jobs.errors import JobCancelled, LeaseLost, WorkerStopping
from yunhe.core.jobs.models import Job
from yunhe.core.jobs.rules import may_try_again
from yunhe.core.jobs.types import QUEUES, QUICK_QUEUE, RunCount

logger = logging.getLogger("yunhe.jobs")
DATABASE_AWAY = (OperationalError, InterfaceError)
LONGEST_DATABASE_PAUSE = 5.0
SIGNAL_CHECK_SECONDS = 0.5


def run_pending(*, limit: int = 100, job_id: str = "") -> RunCount:
    """Run due jobs of every queue here and now, then deliver due messages; for the command line and tests.

    `job_id` restricts to that one job. Ends when nothing is due, or after `limit` jobs.
    """
    outcomes: Counter[str] = Counter()
    while outcomes["seen"] < limit:
        row = claim_job(queues=QUEUES, holder=_holder("here"), prefer=job_id)
        if row is None:
            break
        outcomes["seen"] += 1
        outcomes[execute(row, threaded=not connection.in_atomic_block)] += 1
    if not job_id:
        outbox.deliver_pending(limit=limit)
    return RunCount(**outcomes)


def run_worker(*, stop: threading.Event, queues: tuple[str, ...] = QUEUES, grace_seconds: float = 10) -> None:
    """Work until `stop` is set; then let each running job finish, or give it back at its next check.

    The lane of short jobs also reaps expired leases, arms the schedules and delivers messages.
    Do set `stop` from the handler of SIGTERM; after `grace_seconds` checks give jobs back.
    """
    lanes = [
        threading.Thread(target=_lane, args=(queue, stop, grace_seconds), name=f"lane-{queue}") for queue in queues
    ]
    for thread in lanes:
        thread.start()
    for thread in lanes:
        # With a time limit: a signal that another thread took runs its handler only when this one wakes.
        while thread.is_alive():
            thread.join(SIGNAL_CHECK_SECONDS)


def execute(
    row: Job, *, threaded: bool = True, stop: threading.Event | None = None, grace_seconds: float = 0
) -> str:
    """Run one claimed job and settle it.

    Returns the name of the outcome as in `RunCount`; a lost claim settles nothing.
    """
    fence = row.fence
    context: RunningJob | None = None
    try:
        job_type = find_job_type(name=row.name)
        context = RunningJob(row, job_type, stop=stop, grace=grace_seconds)
        with context.renewing() if threaded else nullcontext():
            result = job_type.run(context, **row.arguments)
    except JobCancelled:
        return _settle(lambda: settle_cancelled(row, fence=fence), "cancelled")
    except LeaseLost:
        logger.warning("job %s (%s) lost its lease, fence %d", row.pk, row.name, fence)
        return "lost"
    except WorkerStopping:
        return _settle(lambda: release(row, fence=fence), "retried")
    except Exception as error:  # noqa: BLE001  the door of every job
        return _settle_error(row, fence, error)
    except BaseException:
        release(row, fence=fence)
        raise
    if context.concluded:
        return "successful"
    return _settle(lambda: settle_successful(row, fence=fence, result=result), "successful")


def _settle_error(row: Job, fence: int, error: Exception) -> str:
    again = may_try_again(error, attempts=row.attempts, limit=row.attempts_limit) or (
        isinstance(error, DATABASE_AWAY) and row.attempts < row.attempts_limit
    )
    logger.warning("job %s (%s) attempt %d: %s", row.pk, row.name, row.attempts, type(error).__name__, exc_info=error)
    outcome = "retried" if again else "failed"
    return _settle(lambda: settle_failed(row, fence=fence, error=error, again=again), outcome)


def _settle(write: Callable[[], bool], outcome: str) -> str:
    """Write the outcome, waiting out a database that is away for at most one lease."""
    ends_at = time.monotonic() + lease().total_seconds()
    pause = 0.1
    while True:
        try:
            return outcome if write() else "lost"
        except DATABASE_AWAY:
            if connection.in_atomic_block or time.monotonic() > ends_at:
                raise
            connection.close()
            time.sleep(pause)
            pause = min(pause * 2, LONGEST_DATABASE_PAUSE)


def _lane(queue: str, stop: threading.Event, grace_seconds: float) -> None:
    lane = _Lane(queue, stop, grace_seconds)
    pause = 0.1
    try:
        while not stop.is_set():
            try:
                busy = lane.step()
                pause = 0.1
            except Exception as error:
                known = isinstance(error, DATABASE_AWAY)
                logger.warning("lane %s: %s", queue, type(error).__name__, exc_info=None if known else error)
                connection.close()
                stop.wait(pause)
                pause = min(pause * 2, LONGEST_DATABASE_PAUSE)
                continue
            if not busy:
                stop.wait(settings.YUNHE["WORKER_POLL_MS"] / 1000)
    finally:
        connection.close()


class _Lane:
    """One thread's round: housekeeping when due, then one job."""

    def __init__(self, queue: str, stop: threading.Event, grace_seconds: float) -> None:
        self.queue = queue
        self.stop = stop
        self.grace_seconds = grace_seconds
        self.holder = _holder(queue)
        self.keeps_house = queue == QUICK_QUEUE
        self.armed = False
        self.reaped_at = 0.0

    def step(self) -> bool:
        """Do one round; tell whether there was work."""
        delivered = self._keep_house() if self.keeps_house else 0
        row = claim_job(queues=(self.queue,), holder=self.holder)
        if row is not None:
            execute(row, stop=self.stop, grace_seconds=self.grace_seconds)
        return row is not None or delivered > 0

    def _keep_house(self) -> int:
        if not self.armed:
            arm_schedules()
            self.armed = True
        if time.monotonic() - self.reaped_at >= lease().total_seconds() / 3:
            reap()
            self.reaped_at = time.monotonic()
        return outbox.deliver_pending(limit=50)


def _holder(lane: str) -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{lane}"[:100]
