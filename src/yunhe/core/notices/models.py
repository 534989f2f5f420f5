"""What was told, to whom, by which way, and what each person has chosen."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q


class Announcement(models.Model):
    """What one act told its recipients: kept once, whoever it went to. `about`: the ids of what is to be done, parted by blanks."""

    id = models.CharField(max_length=26, primary_key=True)
    kind = models.CharField(max_length=64)
    key = models.CharField(max_length=200, blank=True, default="")
    title_zh = models.CharField(max_length=200)
    title_en = models.CharField(max_length=200, blank=True, default="")
    text_zh = models.TextField(blank=True, default="")
    text_en = models.TextField(blank=True, default="")
    href = models.CharField(max_length=500, blank=True, default="")
    case_id = models.CharField(max_length=64, blank=True, default="")
    about = models.TextField(blank=True, default="", db_default="")
    is_urgent = models.BooleanField(default=False, db_default=False)
    actor_id = models.CharField(max_length=100)
    sent_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["kind", "key"], condition=~Q(key=""), name="announcement_key_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["sent_at"], name="announcement_sent")]


class NoticeRow(models.Model):
    """One person's notice (通知), for the membership in which it concerns them: of an organisation, there in one role or ("") in any.

    Without an organisation it is the person's, in whatever membership they act.
    """

    id = models.CharField(max_length=26, primary_key=True)
    announcement = models.ForeignKey("Announcement", on_delete=models.PROTECT, related_name="notices")
    user = models.ForeignKey("organizations.User", on_delete=models.PROTECT, related_name="+")
    organization = models.CharField(max_length=18, blank=True, default="", db_default="")
    role = models.CharField(max_length=64, blank=True, default="", db_default="")
    read_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "notices_notice"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["announcement", "user", "organization", "role"], name="notice_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-id"], name="notice_of"),
            models.Index(fields=["user"], condition=Q(read_at__isnull=True), name="notice_unread"),
            models.Index(fields=["read_at"], condition=Q(read_at__isnull=False), name="notice_read"),
        ]


class ContactRow(models.Model):
    """An address of a person or of an organisation for one channel; sealed, and used once it is verified.

    An empty `sealed` keeps when a code was last asked for, after the address itself was removed.
    """

    user = models.ForeignKey("organizations.User", null=True, on_delete=models.PROTECT, related_name="+")
    organization = models.CharField(max_length=18, blank=True, default="")
    channel = models.CharField(max_length=32)
    sealed = models.BinaryField(default=b"")
    secret = models.BinaryField(default=b"")
    masked = models.CharField(max_length=200, blank=True, default="")
    verified_at = models.DateTimeField(null=True)
    asked_at = models.DateTimeField(null=True)
    code_digest = models.CharField(max_length=64, blank=True, default="")
    code_until = models.DateTimeField(null=True)
    code_tries = models.PositiveSmallIntegerField(default=0)

    class Meta:
        db_table = "notices_contact"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "channel"], condition=Q(organization=""), name="contact_of_user"),
            models.UniqueConstraint(
                fields=["organization", "channel"], condition=Q(user__isnull=True), name="contact_of_organization"
            ),
            models.CheckConstraint(
                condition=Q(user__isnull=False, organization="") | (Q(user__isnull=True) & ~Q(organization="")),
                name="contact_of_one",
            ),
        ]


class Dispatch(models.Model):
    """One message to one recipient by one channel: waiting, sent, failed, or dropped as no longer wanted.

    `rounds` counts how often it was given up, `noted` up to which of them the outbox holds the dead letter.
    Without an announcement it carries the code that verifies `contact`. `within`: the one with which it goes, in one
    message; its own id once that is on its way.
    """

    id = models.CharField(max_length=26, primary_key=True)
    announcement = models.ForeignKey("Announcement", null=True, on_delete=models.PROTECT, related_name="dispatches")
    contact = models.ForeignKey("ContactRow", null=True, on_delete=models.CASCADE, related_name="+")
    user = models.ForeignKey("organizations.User", null=True, on_delete=models.PROTECT, related_name="+")
    organization = models.CharField(max_length=18, blank=True, default="")
    channel = models.CharField(max_length=32)
    within = models.CharField(max_length=26, blank=True, default="", db_default="")
    state = models.CharField(max_length=8, default="waiting")
    made_at = models.DateTimeField()
    due_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    rounds = models.PositiveIntegerField(default=0)
    noted = models.PositiveIntegerField(default=0)
    error_code = models.CharField(max_length=64, blank=True, default="")
    error = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            models.Index(fields=["due_at"], condition=Q(state="waiting"), name="dispatch_waiting"),
            models.Index(fields=["user", "-ended_at"], condition=Q(state="failed"), name="dispatch_failed"),
            models.Index(fields=["ended_at"], name="dispatch_ended"),
            models.Index(fields=["user", "channel"], condition=Q(state="waiting"), name="dispatch_together"),
            models.Index(fields=["within"], condition=~Q(within=""), name="dispatch_within"),
        ]


class Choice(models.Model):
    """Where a person differs from the default of a kind: this channel on or off."""

    user = models.ForeignKey("organizations.User", on_delete=models.PROTECT, related_name="+")
    kind = models.CharField(max_length=64)
    channel = models.CharField(max_length=32)
    is_on = models.BooleanField()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "kind", "channel"], name="choice_once"),
        ]


class Habit(models.Model):
    """A person's quiet hours (免打扰时段) in wall time of China, whether what is urgent leaves in them, and their language."""

    user = models.OneToOneField("organizations.User", primary_key=True, on_delete=models.PROTECT, related_name="+")
    quiet_from = models.TimeField(null=True)
    quiet_until = models.TimeField(null=True)
    urgent_through = models.BooleanField(default=False, db_default=False)
    language = models.CharField(max_length=2, default="zh")
