"""Evidence rows (存证): written once, never changed, never removed."""

from __future__ import annotations

from typing import Any, ClassVar, NoReturn

from django.db import models

from yunhe.core.evidence.errors import EvidenceIsAppendOnly


class AppendOnlyQuerySet(models.QuerySet["EvidenceRow"]):
    """Refuses what an append-only table refuses; no row changes after its insert."""

    def update(self, **values: Any) -> NoReturn:
        raise EvidenceIsAppendOnly(action="update")

    def bulk_update(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise EvidenceIsAppendOnly(action="update")

    def delete(self) -> NoReturn:
        raise EvidenceIsAppendOnly(action="delete")


class EvidenceRow(models.Model):
    """One act that touched data or rights."""

    id = models.CharField(max_length=26, primary_key=True)
    at = models.DateTimeField(db_index=True)
    kind = models.CharField(max_length=64)
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=100)
    actor_name = models.CharField(max_length=200)
    actor_role = models.CharField(max_length=64, blank=True, default="")
    organization = models.CharField(max_length=18, blank=True, default="")
    owner_organization = models.CharField(max_length=18, blank=True, default="")
    via = models.CharField(max_length=16, blank=True, default="")
    os_user = models.CharField(max_length=64, blank=True, default="")
    subject_type = models.CharField(max_length=64)
    subject_id = models.CharField(max_length=200)
    facts_text = models.TextField(default="{}")
    source = models.CharField(max_length=16, default="control")
    salt = models.CharField(max_length=32)
    digest = models.CharField(max_length=64)

    objects: ClassVar = AppendOnlyQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["kind", "-at"], name="evidence_kind"),
            models.Index(fields=["subject_type", "subject_id", "-at"], name="evidence_subject"),
            models.Index(fields=["organization", "-at"], name="evidence_organization"),
            models.Index(fields=["owner_organization", "-at"], name="evidence_owner"),
            models.Index(fields=["actor_id", "-at"], name="evidence_actor"),
        ]

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise EvidenceIsAppendOnly(action="update")
        kwargs["force_insert"] = True
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise EvidenceIsAppendOnly(action="delete")


class SegmentCursor(models.Model):
    """How far the gateway's segment files of one folder were read."""

    folder = models.CharField(max_length=500, primary_key=True)
    position = models.CharField(max_length=40, blank=True, default="")
    collected_at = models.DateTimeField()
    records = models.PositiveBigIntegerField(default=0)
