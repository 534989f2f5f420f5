"""One row per job; a scheduled job keeps one row for ever and is armed again after each run."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

OPEN_STATES = ("ready", "running")


class JobQuerySet(models.QuerySet["Job"]):
    """The only ways in which the queue's rows are picked."""

    def due(self, *, at: datetime, queues: tuple[str, ...]) -> JobQuerySet:
        """Return the jobs that may be claimed now, the most urgent first."""
        found = self.filter(state="ready", run_after__lte=at, queue__in=queues)
        return found.order_by("-priority", "run_after", "id")

    def held(self, *, job_id: str, fence: int) -> JobQuerySet:
        """Return the row only while this claim of it is still the current one."""
        return self.filter(pk=job_id, fence=fence, state="running")

    def expired(self, *, at: datetime) -> JobQuerySet:
        """Return the jobs whose holder has not renewed its lease in time."""
        return self.filter(state="running", lease_until__lte=at).order_by("lease_until", "id")


class Job(models.Model):
    """A piece of work (作业) that a worker does outside the request."""

    id = models.CharField(max_length=26, primary_key=True)
    name = models.CharField(max_length=64)
    queue = models.CharField(max_length=32, default="default")
    key = models.CharField(max_length=200, blank=True, default="")
    arguments = models.JSONField(default=dict)
    actor = models.JSONField()
    actor_id = models.CharField(max_length=100)
    organization = models.CharField(max_length=18, blank=True, default="")
    state = models.CharField(max_length=16, default="ready")
    priority = models.SmallIntegerField(default=0)
    every_seconds = models.PositiveIntegerField(null=True)
    enqueued_at = models.DateTimeField()
    run_after = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    attempts = models.PositiveIntegerField(default=0)
    attempts_limit = models.PositiveIntegerField(default=5)
    runs = models.PositiveBigIntegerField(default=0)
    fence = models.PositiveBigIntegerField(default=0)
    holder = models.CharField(max_length=100, blank=True, default="")
    lease_until = models.DateTimeField(null=True)
    cancel_requested = models.BooleanField(default=False)
    progress_done = models.BigIntegerField(default=0)
    progress_total = models.BigIntegerField(default=0)
    progress_note = models.CharField(max_length=200, blank=True, default="")
    result = models.JSONField(null=True)
    error_code = models.CharField(max_length=64, blank=True, default="")
    error = models.JSONField(default=dict)

    objects: ClassVar = JobQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-enqueued_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["name", "key"],
                condition=Q(state__in=OPEN_STATES) & ~Q(key=""),
                name="job_key_once_open",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                F("queue"), F("priority").desc(), F("run_after"), F("id"),
                condition=Q(state="ready"), name="job_due",
            ),
            models.Index(fields=["lease_until"], condition=Q(state="running"), name="job_leases"),
            models.Index(fields=["actor_id", "-enqueued_at"], name="job_actor"),
            models.Index(fields=["organization", "-enqueued_at"], name="job_organization"),
        ]
