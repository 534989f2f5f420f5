"""The tables of registers: types, entries, versions, facet values, changes, series."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q

from yunhe.kernel.actor import ALL, Actor


class TypeRecord(models.Model):
    """One register (名录) as a pack declares it; `body` is the typed declaration."""

    code = models.CharField(primary_key=True, max_length=63)
    body = models.JSONField()
    digest = models.CharField(max_length=64)
    version = models.PositiveIntegerField(default=1)
    source = models.CharField(max_length=120)
    loaded_at = models.DateTimeField()
    loaded_by = models.CharField(max_length=120)

    class Meta:
        db_table = "registers_register_type"
        ordering: ClassVar = ["code"]


class EntryQuerySet(models.QuerySet["EntryRecord"]):
    """The only ways into the table of entries for a list."""

    def visible_to(self, actor: Actor, permissions: tuple[str, str, str]) -> EntryQuerySet:
        """Entries whose published version the actor may view, or that the actor may edit or publish."""
        view, edit, publish = permissions
        seen = _covered(actor, (view,)) & Q(state__in=["published", "withdrawn"])
        return self.filter(seen | _covered(actor, (edit, publish)))


class EntryRecord(models.Model):
    """One entry (条目) of a register. `edit` rises with each write: the compare-and-set.

    `state` is what the world sees; `open_state` is that of a version being written beside it.
    """

    id = models.CharField(primary_key=True, max_length=26)
    type = models.ForeignKey(TypeRecord, on_delete=models.PROTECT, related_name="+")
    code = models.CharField(max_length=80)
    owner = models.CharField(max_length=40)
    region = models.CharField(max_length=12, blank=True)
    title = models.CharField(max_length=300)
    state = models.CharField(max_length=12)
    open_state = models.CharField(max_length=12, blank=True)
    edit = models.PositiveIntegerField(default=1)
    published_number = models.PositiveIntegerField(null=True)
    latest_number = models.PositiveIntegerField(default=1)
    parent = models.ForeignKey("self", null=True, on_delete=models.PROTECT, related_name="+")
    node = models.CharField(max_length=40, blank=True)
    source = models.CharField(max_length=120, blank=True)
    search = models.TextField()
    created_by = models.CharField(max_length=120)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    published_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    objects: ClassVar = EntryQuerySet.as_manager()

    class Meta:
        db_table = "registers_entry"
        ordering: ClassVar = ["type_id", "code"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["type", "code"], name="registers_entry_code")]
        indexes: ClassVar = [
            models.Index(fields=["type", "state", "-updated_at"], name="registers_entry_state"),
            models.Index(fields=["type", "owner", "state"], name="registers_entry_owner"),
            models.Index(fields=["type", "title"], name="registers_entry_title"),
        ]


class VersionRecord(models.Model):
    """One version of an entry. Once published its title and body never change."""

    id = models.CharField(primary_key=True, max_length=26)
    entry = models.ForeignKey(EntryRecord, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=12)
    title = models.CharField(max_length=300)
    body = models.JSONField()
    digest = models.CharField(max_length=64)
    note = models.TextField(blank=True)
    author_id = models.CharField(max_length=120)
    author_name = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    case_id = models.CharField(max_length=26, blank=True)
    published_at = models.DateTimeField(null=True)
    published_by = models.CharField(max_length=120, blank=True)
    waived = models.BooleanField(default=False)
    valid_from = models.DateField(null=True)
    valid_until = models.DateField(null=True)

    class Meta:
        db_table = "registers_entry_version"
        ordering: ClassVar = ["entry_id", "number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["entry", "number"], name="registers_version_number"),
            models.UniqueConstraint(
                fields=["entry"], condition=Q(state__in=["draft", "in_review"]), name="registers_version_one_draft"
            ),
            models.CheckConstraint(
                condition=Q(valid_until__isnull=True) | Q(valid_from__lte=models.F("valid_until")),
                name="registers_version_period",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["entry", "state", "valid_from"], name="registers_version_as_of")]


class FacetRecord(models.Model):
    """One value by which a list can be narrowed, of the version that lists show."""

    entry = models.ForeignKey(EntryRecord, on_delete=models.CASCADE, related_name="facets")
    name = models.CharField(max_length=63)
    value = models.CharField(max_length=200)

    class Meta:
        db_table = "registers_facet"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["entry", "name", "value"], name="registers_facet_once"),
        ]
        indexes: ClassVar = [models.Index(fields=["name", "value"], name="registers_facet_value")]


class ChangeRecord(models.Model):
    """One line of an owner's change feed; append-only, numbered without gap."""

    owner = models.CharField(max_length=40)
    sequence = models.PositiveBigIntegerField()
    at = models.DateTimeField()
    action = models.CharField(max_length=12)
    entry = models.ForeignKey(EntryRecord, on_delete=models.PROTECT, related_name="changes")
    type_code = models.CharField(max_length=63)
    code = models.CharField(max_length=80)
    version = models.PositiveIntegerField()
    body_digest = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    evidence_id = models.CharField(max_length=40)

    class Meta:
        db_table = "registers_change"
        ordering: ClassVar = ["owner", "sequence"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "sequence"], name="registers_change_sequence"),
        ]


class SeriesRecord(models.Model):
    """The last number of one series: codes of a register, serials of owners, changes of an owner."""

    name = models.CharField(primary_key=True, max_length=200)
    last = models.PositiveBigIntegerField(default=0)

    class Meta:
        db_table = "registers_series"


def _covered(actor: Actor, permissions: tuple[str, ...]) -> Q:
    """The entries that one of the actor's rights covers, by owner, register and region."""
    allowed = Q(pk__in=[])
    for right in actor.rights:
        if right.permission not in (*permissions, ALL):
            continue
        within = Q(pk__isnull=False)
        for column, codes in (("owner", right.organizations), ("type_id", right.kinds), ("region", right.regions)):
            if ALL not in codes:
                within &= Q(**{f"{column}__in": list(codes)})
        allowed |= within
    return allowed
