"""Rows of attachments (附件); the bytes lie in files of their own."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from yunhe.core.attachments.types import STATES
from yunhe.kernel.actor import Actor


class AttachmentQuerySet(models.QuerySet["AttachmentRow"]):
    """The only ways in which rows are picked."""

    def drafts(self) -> AttachmentQuerySet:
        """Return what belongs to nothing yet."""
        return self.filter(subject_type="")

    def uploaded_by(self, actor: Actor) -> AttachmentQuerySet:
        """Return what a person uploaded in the membership in which they act."""
        return self.filter(owner_id=actor.id, organization=actor.organization)

    def drafts_of(self, actor: Actor) -> AttachmentQuerySet:
        """Return the drafts of a person in the membership in which they act."""
        return self.uploaded_by(actor).drafts()

    def of_subject(self, subject_type: str, subject_id: str) -> AttachmentQuerySet:
        """Return what is attached to a subject, itself or by reference, in the order of handing in."""
        shared = AttachmentUse.objects.filter(subject_type=subject_type, subject_id=subject_id).values("attachment_id")
        own = Q(subject_type=subject_type, subject_id=subject_id)
        return self.filter(own | Q(pk__in=shared)).order_by("attached_at", "id")

    def unfinished(self, *, before: datetime) -> AttachmentQuerySet:
        """Return uploads that nobody went on with since."""
        return self.drafts().filter(state="receiving", touched_at__lt=before)

    def forgotten(self, *, before: datetime) -> AttachmentQuerySet:
        """Return drafts that were never handed in; what was infected stays on record."""
        return self.drafts().filter(created_at__lt=before).exclude(state__in=("receiving", "infected"))


class AttachmentRow(models.Model):
    """One file: what it is, whose it is, what it belongs to."""

    id = models.CharField(max_length=26, primary_key=True)
    name = models.CharField(max_length=120)
    declared_type = models.CharField(max_length=120, blank=True, default="")
    media_type = models.CharField(max_length=120, blank=True, default="")
    size = models.PositiveBigIntegerField()
    received = models.PositiveBigIntegerField(default=0)
    digest = models.CharField(max_length=64, blank=True, default="")
    owner_id = models.CharField(max_length=100)
    organization = models.CharField(max_length=18, blank=True, default="")
    state = models.CharField(max_length=16, default="receiving")
    error_code = models.CharField(max_length=64, blank=True, default="")
    error = models.JSONField(default=dict)
    finding = models.CharField(max_length=200, blank=True, default="")
    subject_type = models.CharField(max_length=64, blank=True, default="")
    subject_id = models.CharField(max_length=200, blank=True, default="")
    purpose = models.CharField(max_length=64, blank=True, default="")
    created_at = models.DateTimeField()
    touched_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    scanned_at = models.DateTimeField(null=True)
    attached_at = models.DateTimeField(null=True)

    objects: ClassVar = AttachmentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        indexes: ClassVar = [
            models.Index(fields=["owner_id", "subject_type", "-created_at"], name="attachments_owner"),
            models.Index(fields=["subject_type", "subject_id"], name="attachments_subject"),
            models.Index(fields=["state", "touched_at"], name="attachments_state"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(state__in=STATES), name="attachments_known_state"),
            models.CheckConstraint(condition=Q(received__lte=F("size")), name="attachments_within_size"),
            models.CheckConstraint(
                condition=Q(subject_type="", subject_id="") | (~Q(subject_type="") & ~Q(subject_id="")),
                name="attachments_whole_subject",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=("checking", "ready")) | (~Q(digest="") & Q(received=F("size"))),
                name="attachments_whole_when_ready",
            ),
        ]


class AttachmentUse(models.Model):
    """That another subject has a file as well, by reference: its bytes are kept once."""

    attachment = models.ForeignKey(AttachmentRow, on_delete=models.PROTECT, related_name="uses", db_index=False)
    subject_type = models.CharField(max_length=64)
    subject_id = models.CharField(max_length=200)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["attachment", "subject_type", "subject_id"], name="attachments_use_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["subject_type", "subject_id"], name="attachments_use_subject")]


class QuotaHolder(models.Model):
    """Whose room is counted: one row to lock, so that two who count at once do not both find room."""

    key = models.CharField(max_length=300, primary_key=True)
