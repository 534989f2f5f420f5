"""What a message asks for, whether it is urgent, and with which other one it goes."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies: ClassVar = [("notices", "0002_memberships")]

    operations: ClassVar = [
        migrations.AddField("announcement", "about", models.TextField(blank=True, default="", db_default="")),
        migrations.AddField("announcement", "is_urgent", models.BooleanField(default=False, db_default=False)),
        migrations.AddField("habit", "urgent_through", models.BooleanField(default=False, db_default=False)),
        migrations.AddField("dispatch", "within", models.CharField(max_length=26, blank=True, default="", db_default="")),
        migrations.AddIndex(
            "dispatch", models.Index(fields=["user", "channel"], condition=Q(state="waiting"), name="dispatch_together")
        ),
        migrations.AddIndex("dispatch", models.Index(fields=["within"], condition=~Q(within=""), name="dispatch_within")),
    ]
