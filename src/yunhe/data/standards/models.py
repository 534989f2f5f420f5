"""Control data of standards: where elements and code sets are used. The entries themselves are registers'."""

from __future__ import annotations

from django.db import models


class ElementUse(models.Model):
    """One field somewhere above that follows an element; told by the room that owns the field."""

    subject_type = models.CharField(max_length=63)
    subject_code = models.CharField(max_length=80)
    subject_title = models.CharField(max_length=200)
    organization = models.CharField(max_length=18)
    organization_name = models.CharField(max_length=200)
    field = models.CharField(max_length=63)
    field_title = models.CharField(max_length=200)
    element = models.CharField(max_length=63)
    code_set = models.CharField(max_length=63, blank=True)
    state = models.CharField(max_length=12)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subject_type", "subject_code", "field"], name="standards_use_once"),
        ]
        indexes = [
            models.Index(fields=["element", "subject_code"], name="standards_use_element"),
            models.Index(fields=["code_set", "subject_code"], name="standards_use_code_set"),
        ]
