"""The way back from a change is worked out from the events of its cases: what nothing wrote or read goes."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    dependencies: ClassVar = [("cases", "0020_trials")]

    operations: ClassVar = [migrations.RemoveField("migrationrecord", "inverse")]
