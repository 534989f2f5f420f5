"""Which packs are loaded, and every load there was."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class LoadedPack(models.Model):
    """The pack as it was loaded last (已装入的能力包)."""

    name = models.CharField(max_length=64, primary_key=True)
    version = models.CharField(max_length=32)
    digest = models.CharField(max_length=64)
    sections = models.JSONField(default=list)
    title = models.JSONField(default=dict)
    grants = models.JSONField(default=list)
    loaded_at = models.DateTimeField()
    loaded_by = models.CharField(max_length=100)

    class Meta:
        ordering: ClassVar = ["name"]


class PackLoad(models.Model):
    """One load that changed something, for the history of a pack."""

    pack = models.ForeignKey("LoadedPack", on_delete=models.PROTECT, related_name="loads")
    version = models.CharField(max_length=32)
    digest = models.CharField(max_length=64)
    loaded_at = models.DateTimeField()
    loaded_by = models.CharField(max_length=100)
    changes = models.JSONField(default=list)

    class Meta:
        ordering: ClassVar = ["-loaded_at", "-id"]
