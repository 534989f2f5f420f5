"""Control data of the lake: loads, releases, and the one pointer per resource."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class LoadRecord(models.Model):
    """One load. Counts are set together or not at all."""

    RUNNING, RELEASED, FAILED, CANCELLED = "running", "released", "failed", "cancelled"

    id = models.CharField(primary_key=True, max_length=26)
    resource_code = models.CharField(max_length=80)
    owner = models.CharField(max_length=18)
    state = models.CharField(max_length=12, default=RUNNING)
    stage = models.CharField(max_length=40, blank=True)
    job_id = models.CharField(max_length=40)
    fence = models.BigIntegerField(default=0)
    actor_id = models.CharField(max_length=80)
    actor_name = models.CharField(max_length=120)
    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    rows_in = models.BigIntegerField(null=True)
    kept = models.BigIntegerField(null=True)
    quarantined = models.BigIntegerField(null=True)
    rejected = models.BigIntegerField(null=True)
    algorithm = models.CharField(max_length=60, blank=True)
    digest = models.CharField(max_length=64, blank=True)
    file_digest = models.CharField(max_length=64, blank=True)
    source_bytes = models.BigIntegerField(null=True)
    snapshot_id = models.BigIntegerField(null=True)
    contract_version = models.PositiveIntegerField(default=0)
    release_id_text = models.CharField(max_length=26, blank=True)
    quarantine_file = models.TextField(blank=True)
    rejected_file = models.TextField(blank=True)
    quarantine_reasons = models.JSONField(default=dict)
    rejected_reasons = models.JSONField(default=dict)
    problem = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["resource_code", "-started_at"], name="lake_load_latest")]
        constraints = [
            models.UniqueConstraint(
                fields=["resource_code"], condition=Q(state="running"), name="lake_one_running_load"
            ),
            models.CheckConstraint(
                condition=Q(rows_in__isnull=True)
                | Q(rows_in=models.F("kept") + models.F("quarantined") + models.F("rejected")),
                name="lake_three_fates_add_up",
            ),
        ]


class ReleaseRecord(models.Model):
    """One released snapshot; numbers count up per resource."""

    PENDING, READY, FAILED = "pending", "ready", "failed"

    id = models.CharField(primary_key=True, max_length=26)
    resource_code = models.CharField(max_length=80)
    owner = models.CharField(max_length=18)
    number = models.PositiveIntegerField()
    snapshot_id = models.BigIntegerField()
    load = models.ForeignKey(LoadRecord, on_delete=models.PROTECT, related_name="+")
    columns = models.JSONField(default=list)
    keys = models.JSONField(default=list)
    rows = models.BigIntegerField()
    at = models.DateTimeField()
    actor_id = models.CharField(max_length=80)
    actor_name = models.CharField(max_length=120)
    serving_path = models.TextField(blank=True)
    serving_state = models.CharField(max_length=10, default=PENDING)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["resource_code", "number"], name="lake_release_numbered_once"),
        ]
        indexes = [models.Index(fields=["resource_code", "-at"], name="lake_release_latest")]


class ReleasePointer(models.Model):
    """Which release of a resource is current; changed by compare-and-set only."""

    resource_code = models.CharField(primary_key=True, max_length=80)
    release = models.ForeignKey(ReleaseRecord, on_delete=models.PROTECT, related_name="+")
    version = models.BigIntegerField(default=1)
