"""Control data of exchange: grants and the systems that call under them."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q


class GrantRecord(models.Model):
    """One grant. It ends by its date or by revocation; rows are never deleted."""

    ACTIVE, REVOKED = "active", "revoked"

    id = models.CharField(primary_key=True, max_length=26)
    resource_code = models.CharField(max_length=80)
    resource_title = models.CharField(max_length=200)
    owner = models.CharField(max_length=18)
    consumer = models.CharField(max_length=18)
    consumer_name = models.CharField(max_length=200)
    fields = models.JSONField()
    row_filter = models.TextField(blank=True)
    purpose = models.TextField()
    legal_basis = models.TextField(blank=True)
    case_id = models.CharField(max_length=40, unique=True)
    case_number = models.CharField(max_length=60)
    valid_from = models.DateTimeField()
    valid_until = models.DateTimeField()
    state = models.CharField(max_length=10, default=ACTIVE)
    granted_by = models.CharField(max_length=120)
    granted_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)
    revoked_by = models.CharField(max_length=120, blank=True)
    revoked_reason = models.TextField(blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["resource_code", "state"], name="exchange_grant_resource"),
            models.Index(fields=["consumer", "state"], name="exchange_grant_consumer"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(valid_until__gt=F("valid_from")), name="exchange_grant_period"),
        ]


class GrantCall(models.Model):
    """Which evidence record tells of a call under which grant, so that a grant's calls can be paged.

    The ids of evidence rise with time; the newest call has the greatest.
    """

    evidence_id = models.CharField(primary_key=True, max_length=26)
    grant_id = models.CharField(max_length=26)

    class Meta:
        indexes = [models.Index(fields=["grant_id", "-evidence_id"], name="exchange_call_grant")]


class AccessSystemRecord(models.Model):
    """A calling system; the secret is sealed under the node key."""

    key_id = models.CharField(primary_key=True, max_length=40)
    name = models.CharField(max_length=120)
    organization = models.ForeignKey(
        "organizations.Organization", to_field="code", on_delete=models.PROTECT, related_name="+"
    )
    secret_sealed = models.CharField(max_length=400)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=120)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "key_id"]
