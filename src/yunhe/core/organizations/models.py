"""Regions, organisations, persons, roles and memberships, with their history."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q


class Region(models.Model):
    """A division (行政区划) during one period; a code may stand in several periods."""

    code = models.CharField(max_length=12)
    name = models.CharField(max_length=100)
    level = models.CharField(max_length=16)
    parent = models.CharField(max_length=12, blank=True, default="")
    valid_from = models.DateField(null=True)
    valid_until = models.DateField(null=True)
    successor = models.CharField(max_length=12, blank=True, default="")
    basis = models.CharField(max_length=200, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["code", "-valid_until", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["code", "valid_from"], name="region_once_from"),
            models.UniqueConstraint(
                fields=["code"], condition=Q(valid_until__isnull=True), name="region_one_current"
            ),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True) | Q(valid_until__isnull=True) | Q(valid_from__lt=models.F("valid_until")),
                name="region_period",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["parent"], name="region_parent")]


class Organization(models.Model):
    """An organisation (机构); its code is the unified social credit code (统一社会信用代码)."""

    code = models.CharField(max_length=18, unique=True)
    name = models.CharField(max_length=200, db_index=True)
    short_name = models.CharField(max_length=60, blank=True, default="", db_index=True)
    kind = models.CharField(max_length=32)
    region = models.CharField(max_length=12)
    parent = models.ForeignKey(
        "self", to_field="code", null=True, on_delete=models.PROTECT, related_name="+"
    )
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)
    successor = models.ForeignKey(
        "self", to_field="code", null=True, on_delete=models.PROTECT, related_name="+"
    )
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering: ClassVar = ["code"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_from__lt=models.F("valid_until")),
                name="organization_period",
            ),
        ]


class UserManager(BaseUserManager["User"]):
    """Finds a user by name; creation goes through the api only."""


class User(AbstractBaseUser):
    """A person who signs in (用户). Rights come from memberships, never from the user."""

    username = models.CharField(max_length=64, unique=True)
    display_name = models.CharField(max_length=100)
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    password_changed_at = models.DateTimeField(null=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        ordering: ClassVar = ["username"]


class LoginGuard(models.Model):
    """Failed sign-ins of one name or address; the key is a keyed digest, never the name typed."""

    key = models.CharField(max_length=64, primary_key=True)
    failures = models.PositiveIntegerField(default=0)
    failed_at = models.DateTimeField()
    blocked_until = models.DateTimeField(null=True)


class Role(models.Model):
    """A named set of rights (角色). `separation` marks one of the three administrators (三员)."""

    code = models.CharField(max_length=64, unique=True)
    title_zh = models.CharField(max_length=100)
    title_en = models.CharField(max_length=100)
    separation = models.CharField(max_length=16, blank=True, default="")
    pack = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        ordering: ClassVar = ["code"]


class Membership(models.Model):
    """A user in one organisation with one role, for a period (任职)."""

    user = models.ForeignKey("User", on_delete=models.PROTECT, related_name="memberships")
    organization = models.ForeignKey(
        "Organization", to_field="code", on_delete=models.PROTECT, related_name="+"
    )
    role = models.ForeignKey("Role", to_field="code", on_delete=models.PROTECT, related_name="+")
    region = models.CharField(max_length=12, blank=True, default="")
    valid_from = models.DateField()
    valid_until = models.DateField(null=True)
    granted_by = models.CharField(max_length=100)
    granted_at = models.DateTimeField()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "organization", "role"],
                condition=Q(valid_until__isnull=True),
                name="membership_one_open",
            ),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_from__lte=models.F("valid_until")),
                name="membership_period",
            ),
        ]


class RightTuple(models.Model):
    """One right of a role, or an extra one of a membership; sets are lists of codes.

    In `organizations` and `regions`, `own` stands for the membership's own, `*` for all.
    """

    role = models.ForeignKey("Role", null=True, on_delete=models.CASCADE, related_name="rights")
    membership = models.ForeignKey("Membership", null=True, on_delete=models.CASCADE, related_name="rights")
    permission = models.CharField(max_length=64)
    organizations = models.JSONField(default=list)
    regions = models.JSONField(default=list)
    kinds = models.JSONField(default=list)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(role__isnull=False, membership__isnull=True)
                | Q(role__isnull=True, membership__isnull=False),
                name="right_of_one_holder",
            ),
        ]
