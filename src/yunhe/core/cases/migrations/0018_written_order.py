"""The texts of kinds and tables keep the order in which they were written, on PostgreSQL too."""

from __future__ import annotations

from typing import ClassVar

from django.db import migrations

import yunhe.core.cases.models.texts


class Migration(migrations.Migration):
    dependencies: ClassVar = [("cases", "0017_seats_of_persons")]

    operations: ClassVar = [
        migrations.AlterField(model_name="kindrecord", name="body", field=yunhe.core.cases.models.texts.WrittenJSONField()),
        migrations.AlterField(model_name="tablerecord", name="declaration", field=yunhe.core.cases.models.texts.WrittenJSONField()),
    ]
