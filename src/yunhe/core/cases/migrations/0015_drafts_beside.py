"""A draft names the page that last kept it; what an older page keeps stands beside it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations, models
from django.db.models import F


def stamp_each(apps: Any, schema_editor: Any) -> None:
    apps.get_model("cases", "DraftRecord").objects.update(stamp=F("id"))


class Migration(migrations.Migration):
    dependencies: ClassVar = [("cases", "0013_turns_gone")]

    operations: ClassVar = [
        migrations.AddField(model_name="draftrecord", name="beside", field=models.CharField(blank=True, default="", max_length=120), preserve_default=False),
        migrations.AddField(model_name="draftrecord", name="stamp", field=models.CharField(default="", max_length=26), preserve_default=False),
        migrations.RunPython(stamp_each, migrations.RunPython.noop),
    ]
