"""What a running job holds: its claim, the lease that a thread renews, and the fence."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction
from django.db.models import F

from yunhe.core.jobs.api.queue import lease, settle_successful
from yunhe.core.jobs.errors import JobCancelled, JobOutOfTime, LeaseLost, OutsideTransaction, WorkerStopping
from yunhe.core.jobs.models import Job
from yunhe.core.jobs.rules import NOTE_LENGTH, actor_from_json
from yunhe.core.jobs.types import JobType
from yunhe.kernel.clock import now

logger = logging.getLogger("yunhe.jobs")
PROGRESS_EVERY_SECONDS = 1.0


class RunningJob:
    """The `types.JobContext` of one claim."""

    def __init__(self, row: Job, job_type: JobType, *, stop: threading.Event | None = None, grace: float = 0) -> None:
        self.job_id: str = row.pk
        self.fence: int = row.fence
        self.attempt: int = row.attempts
        self.actor = actor_from_json(row.actor)
        self.concluded = False
        self._row = row
        self._type = job_type
        self._stop = stop
        self._grace = grace
        self._stopping_since: float | None = None
        self._cancelled = False
        self._lost = False
        self._ends_at = time.monotonic() + job_type.limit_seconds
        self._renewed_at = time.monotonic()
        self._progress_at = 0.0

    def progress(self, done: int, total: int = 0, note: str = "") -> None:
        """Tell how far the work is. Cost: at most one small write per second."""
        at = time.monotonic()
        if at - self._progress_at < PROGRESS_EVERY_SECONDS and (total <= 0 or done < total):
            return
        self._progress_at = at
        self._held().update(progress_done=done, progress_total=total, progress_note=note[:NOTE_LENGTH])

    def check(self) -> None:
        """Go on, or raise JobCancelled, LeaseLost, JobOutOfTime or WorkerStopping; renews the lease."""
        if time.monotonic() - self._renewed_at >= lease().total_seconds() / 3:
            self.renew()
        if self._lost:
            raise self._lease_lost()
        if time.monotonic() > self._ends_at:
            raise JobOutOfTime(name=self._type.name, limit_seconds=self._type.limit_seconds)
        if self._cancelled or self._held().filter(cancel_requested=True).exists():
            raise JobCancelled(job_id=self.job_id)
        if self._must_stop():
            raise WorkerStopping(job_id=self.job_id)

    @contextmanager
    def fenced(self) -> Iterator[None]:
        """Open a transaction that commits only while this claim is the current one."""
        with transaction.atomic():
            # The update locks the row to the end of the transaction, so no reaper comes between.
            if not self._held().update(fence=F("fence")):
                raise self._lease_lost()
            yield

    def conclude(self, result: Mapping[str, Any] | None = None) -> None:
        """Mark the job successful inside the open transaction, together with its effect.

        Raises: LeaseLost (roll back), OutsideTransaction.
        """
        if not connection.in_atomic_block:
            raise OutsideTransaction(what="conclude")
        if not settle_successful(self._row, fence=self.fence, result=result):
            raise self._lease_lost()
        self.concluded = True

    def renew(self) -> None:
        """Hold the lease for its full time again, unless the claim was lost or ran out of time."""
        if time.monotonic() > self._ends_at:
            return
        if not self._held().update(lease_until=now() + lease()):
            self._lost = not self.concluded
            return
        self._renewed_at = time.monotonic()
        self._cancelled = self._held().filter(cancel_requested=True).exists()

    @contextmanager
    def renewing(self) -> Iterator[None]:
        """Renew the lease every third of it from a thread of its own while the job runs."""
        done = threading.Event()
        thread = threading.Thread(target=self._renew_until, args=(done,), name=f"lease-{self.job_id}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _renew_until(self, done: threading.Event) -> None:
        try:
            while not done.wait(lease().total_seconds() / 3) and not self._lost:
                try:
                    self.renew()
                except (OperationalError, InterfaceError):
                    # The next round tries again; what was lost meanwhile the fence tells.
                    logger.warning("lease of job %s could not be renewed yet", self.job_id)
                    connection.close()
        finally:
            connection.close()

    def _must_stop(self) -> bool:
        if self._stop is None or not self._stop.is_set():
            return False
        if self._stopping_since is None:
            self._stopping_since = time.monotonic()
        return time.monotonic() - self._stopping_since >= self._grace

    def _held(self) -> Any:
        return Job.objects.held(job_id=self.job_id, fence=self.fence)

    def _lease_lost(self) -> LeaseLost:
        return LeaseLost(job_id=self.job_id, fence=self.fence)
