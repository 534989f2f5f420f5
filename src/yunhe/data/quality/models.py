"""Control data of quality: one run per judged snapshot, one row per rule of it."""

from __future__ import annotations

from django.db import models


class CheckRun(models.Model):
    """One judged snapshot of one resource."""

    id = models.CharField(primary_key=True, max_length=26)
    resource_code = models.CharField(max_length=80)
    snapshot_id = models.BigIntegerField()
    at = models.DateTimeField()
    rows = models.BigIntegerField()
    nulls = models.JSONField(default=dict)
    keys_file = models.TextField(blank=True)
    failing_keys = models.BigIntegerField(default=0)

    class Meta:
        indexes = [models.Index(fields=["resource_code", "-at"], name="quality_run_latest")]
        constraints = [
            models.UniqueConstraint(fields=["resource_code", "snapshot_id"], name="quality_run_once_a_snapshot")
        ]


class RuleResult(models.Model):
    """What one rule counted in one run."""

    run = models.ForeignKey(CheckRun, on_delete=models.CASCADE, related_name="results")
    position = models.PositiveIntegerField()
    rule = models.CharField(max_length=200)
    title = models.JSONField(default=dict)
    columns = models.JSONField(default=list)
    dimension = models.CharField(max_length=40)
    severity = models.CharField(max_length=10)
    checked = models.BigIntegerField()
    failed = models.BigIntegerField()
    reasons = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "rule"], name="quality_result_once_a_rule"),
            models.CheckConstraint(condition=models.Q(failed__lte=models.F("checked")), name="quality_failed_in_checked"),
        ]
