"""What others must be told later: written with the act, delivered by the worker."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q


class OutboxEntry(models.Model):
    """A message (发件) written in the transaction of the act that it tells of."""

    id = models.CharField(max_length=26, primary_key=True)
    topic = models.CharField(max_length=64)
    key = models.CharField(max_length=200, blank=True, default="")
    payload = models.JSONField(default=dict)
    published_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["topic", "key"], condition=~Q(key=""), name="outbox_key_once"),
        ]


class Delivery(models.Model):
    """One message to one subscriber: open, done, dead (死信), or dropped: a dead one that somebody gave up, with a reason.

    `words` is what a dead one is found by. `done_at` is when it was taken, or last tried.
    """

    entry = models.ForeignKey("OutboxEntry", on_delete=models.CASCADE, related_name="deliveries")
    subscriber = models.CharField(max_length=200)
    state = models.CharField(max_length=8, default="open")
    tries = models.PositiveIntegerField(default=0)
    next_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True)
    error_code = models.CharField(max_length=64, blank=True, default="")
    error = models.JSONField(default=dict)
    words = models.TextField(blank=True, default="", db_default="")
    decided_by = models.CharField(max_length=200, blank=True, default="", db_default="")
    decided_at = models.DateTimeField(null=True)
    reason = models.CharField(max_length=500, blank=True, default="", db_default="")

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["entry", "subscriber"], name="delivery_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["next_at", "id"], condition=Q(state="open"), name="delivery_due"),
            models.Index(fields=["id"], condition=Q(state="dead"), name="delivery_dead"),
        ]
