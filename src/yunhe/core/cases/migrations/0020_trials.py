"""The last dry run of each plan of a change is kept."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("cases", "0019_folded_words")]

    operations: ClassVar = [
        migrations.CreateModel(
            name="TrialRecord",
            fields=[
                ("id", models.CharField(max_length=64, primary_key=True, serialize=False)),
                ("kind_code", models.CharField(max_length=63)),
                ("made_at", models.DateTimeField()),
                ("stands", models.CharField(max_length=100)),
                ("told", models.JSONField()),
            ],
            options={"db_table": "cases_trial", "ordering": ["-made_at", "id"]},
        ),
    ]
