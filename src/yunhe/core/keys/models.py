"""Secrets at rest: sealed under a key that the database never sees."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class Secret(models.Model):
    """One sealed secret (密文), by name."""

    name = models.CharField(max_length=200, primary_key=True)
    sealed = models.BinaryField()
    stored_at = models.DateTimeField()
    stored_by = models.CharField(max_length=100)

    class Meta:
        ordering: ClassVar = ["name"]
