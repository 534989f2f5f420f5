"""Control data of the catalogue: a flat row per resource for lists, and what rooms above reported.

The contract and its versions are a register entry; `Holding` repeats what lists filter and sort by.
"""

from __future__ import annotations

from django.db import models


class Holding(models.Model):
    """One resource (数据资源) as the ledger lists it."""

    code = models.CharField(primary_key=True, max_length=80)
    entry = models.OneToOneField("registers.EntryRecord", on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=200)
    summary = models.TextField(blank=True)
    owner = models.CharField(max_length=18)
    owner_name = models.CharField(max_length=200)
    sharing = models.CharField(max_length=16)
    opening = models.CharField(max_length=16)
    update_cycle = models.CharField(max_length=16)
    grade = models.PositiveSmallIntegerField()
    personal = models.BooleanField()
    format = models.CharField(max_length=20, blank=True)
    field_count = models.PositiveIntegerField()
    digest = models.CharField(max_length=64)
    search = models.TextField()
    is_out = models.BooleanField(default=False)
    release_id = models.CharField(max_length=40, blank=True)
    snapshot_id = models.BigIntegerField(null=True)
    rows = models.BigIntegerField(null=True)
    released_at = models.DateTimeField(null=True)
    due_on = models.DateField(null=True)
    counts = models.JSONField(default=dict)
    share = models.FloatField(null=True)
    failing_rows = models.BigIntegerField(null=True)
    judged_at = models.DateTimeField(null=True)
    field_quality = models.JSONField(default=dict)
    users = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = [
            models.Index(fields=["owner", "code"], name="catalog_by_owner"),
            models.Index(fields=["title", "code"], name="catalog_by_title"),
            models.Index(fields=["-released_at", "code"], name="catalog_by_release"),
        ]
        constraints = [
            # Core metadata of 2017: a resource's name is unique inside its provider.
            models.UniqueConstraint(
                fields=["owner", "title"], condition=models.Q(is_out=False), name="catalog_title_once_per_provider"
            ),
        ]


class ReleaseNote(models.Model):
    """One release that lake told of, for the update calendar (更新日历)."""

    holding = models.ForeignKey(Holding, on_delete=models.PROTECT, related_name="releases")
    release_id = models.CharField(max_length=40)
    snapshot_id = models.BigIntegerField()
    rows = models.BigIntegerField()
    at = models.DateTimeField()
    load_id = models.CharField(max_length=40, default="")
    counts = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["holding", "release_id"], name="catalog_release_once")]
        indexes = [models.Index(fields=["holding", "-at"], name="catalog_release_latest")]


class UseRecord(models.Model):
    """One consumer's use by one channel (使用方), told by exchange."""

    holding = models.ForeignKey(Holding, on_delete=models.PROTECT, related_name="uses")
    consumer = models.CharField(max_length=80)
    consumer_name = models.CharField(max_length=200)
    channel = models.CharField(max_length=20)
    purpose = models.TextField(blank=True)
    calls = models.BigIntegerField(default=0)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["holding", "consumer", "channel"], name="catalog_use_once")]
        indexes = [models.Index(fields=["holding", "-last_at"], name="catalog_use_latest")]
