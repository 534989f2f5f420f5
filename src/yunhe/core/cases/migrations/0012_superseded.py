"""What a send-back superseded counts in no group any more."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies: ClassVar = [("cases", "0011_counted_lists")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="obligationrecord",
            name="superseded_seq",
            field=models.PositiveIntegerField(null=True),
        ),
    ]
