"""What a change of procedure takes from people is told, too: whose it was is kept with the turn."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("cases", "0012_superseded")]

    operations: ClassVar = [
        migrations.AddField("turnrecord", "gone", models.BooleanField(default=False, db_default=False)),
        migrations.AddField("turnrecord", "organization", models.CharField(max_length=40, blank=True, default="", db_default="")),
        migrations.AddField("turnrecord", "role", models.CharField(max_length=200, blank=True, default="", db_default="")),
        migrations.AddField("turnrecord", "person", models.CharField(max_length=120, blank=True, default="", db_default="")),
        migrations.AddField("turnrecord", "assignee", models.CharField(max_length=120, blank=True, default="", db_default="")),
    ]
