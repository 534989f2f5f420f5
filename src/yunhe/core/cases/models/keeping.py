"""What a person keeps of cases: drafts of forms, receipts of values fetched for them, views of lists."""

from __future__ import annotations

from typing import ClassVar

from django.db import models

from yunhe.core.cases.models.running import CaseRecord, ObligationRecord


class DraftRecord(models.Model):
    """A form that is not handed in yet (草稿): one person's in one organisation. `scope` names the form for its receipts too.

    `stamp` names the page that last kept it. `beside` is the scope of the form to which this is another text.
    """

    id = models.CharField(primary_key=True, max_length=26)
    person = models.CharField(max_length=120)
    organization = models.CharField(max_length=40, blank=True)
    scope = models.CharField(max_length=120)
    beside = models.CharField(max_length=120, blank=True)
    stamp = models.CharField(max_length=26)
    kind_code = models.CharField(max_length=63)
    kind_digest = models.CharField(max_length=64)
    case = models.ForeignKey(CaseRecord, null=True, on_delete=models.PROTECT, related_name="+")
    obligation = models.ForeignKey(ObligationRecord, null=True, on_delete=models.PROTECT, related_name="+")
    action = models.CharField(max_length=63, blank=True)
    values = models.JSONField()
    made_at = models.DateTimeField()
    saved_at = models.DateTimeField()

    class Meta:
        db_table = "cases_draft"
        ordering: ClassVar = ["-saved_at", "-id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["person", "organization", "scope"], name="cases_draft_once")]


class ReceiptRecord(models.Model):
    """A value from shared data, or that none was to be had (取数回执), for one field of one person's form.

    `mac` is keyed by the node and covers all that `digest` covers; with a `case` it was handed in by the event `seq`.
    """

    id = models.CharField(primary_key=True, max_length=26)
    person = models.CharField(max_length=120)
    organization = models.CharField(max_length=40, blank=True)
    scope = models.CharField(max_length=120)
    field = models.CharField(max_length=63)
    source = models.CharField(max_length=120)
    arguments = models.CharField(max_length=64)
    state = models.CharField(max_length=12)
    value = models.JSONField(null=True)
    title = models.JSONField(default=dict)
    snapshot = models.CharField(max_length=120, blank=True)
    evidence_id = models.CharField(max_length=40, blank=True)
    problem = models.JSONField(default=dict)
    at = models.DateTimeField()
    digest = models.CharField(max_length=64)
    mac = models.CharField(max_length=64)
    case = models.ForeignKey(CaseRecord, null=True, on_delete=models.PROTECT, related_name="receipts")
    seq = models.PositiveIntegerField(null=True)

    class Meta:
        db_table = "cases_receipt"
        ordering: ClassVar = ["at", "id"]
        indexes: ClassVar = [
            models.Index(fields=["person", "organization", "scope"], name="cases_receipt_scope"),
            models.Index(fields=["case", "seq"], name="cases_receipt_case"),
        ]


class SavedViewRecord(models.Model):
    """A view (常用筛选) of the inbox or of the list of cases that one person keeps for one membership."""

    id = models.CharField(primary_key=True, max_length=26)
    person = models.CharField(max_length=120)
    organization = models.CharField(max_length=40)
    role = models.CharField(max_length=63)
    page = models.CharField(max_length=10)
    name = models.CharField(max_length=40)
    query = models.JSONField()
    made_at = models.DateTimeField()

    class Meta:
        db_table = "cases_saved_view"
        ordering: ClassVar = ["made_at", "id"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["person", "organization", "role", "page", "name"], name="cases_view_once")]
