from __future__ import annotations

from typing import Any, ClassVar

import django.db.models
from django.db import migrations

BATCH = 1000


def fill_search(apps: Any, editor: Any) -> None:
    """Let cases of before be found by names and shown texts, too, as `rules.search` has it from now on."""
    case = apps.get_model("cases", "CaseRecord")
    bodies = apps.get_model("organizations", "Organization").objects.values_list("code", "short_name", "name")
    names = {code: short or name for code, short, name in bodies}
    shown = {row.pk: _searched(row.body) for row in apps.get_model("cases", "KindRecord").objects.all()}
    last = ""
    while rows := list(case.objects.filter(pk__gt=last).order_by("pk")[:BATCH]):
        for row in rows:
            row.search = _text(row, names.get(row.organization, ""), shown[row.kind_id])
        case.objects.bulk_update(rows, ["search"], batch_size=200)
        last = rows[-1].pk


def _searched(body: Any) -> list[str]:
    fields = (f for f in body["fields"] if f.get("shown", True) and f.get("type", "text") in ("text", "list"))
    return [f["name"] for f in fields if f.get("format", "") != "organization"]


def _text(row: Any, applicant: str, fields: list[str]) -> str:
    head = f"{row.number} {row.title} {row.opened_by_name} {applicant}".split()
    held = (row.data.get(name) for name in fields)
    told = " ".join(" ".join(map(str, value)) if isinstance(value, list) else str(value) for value in held if value)
    return "\n".join((" ".join(head), " ".join(told.split()))).lower()[:4000]


class Migration(migrations.Migration):
    dependencies: ClassVar = [("cases", "0001_initial"), ("organizations", "0001_initial")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="SavedViewRecord",
            fields=[
                ("id", django.db.models.CharField(max_length=26, primary_key=True, serialize=False)),
                ("person", django.db.models.CharField(max_length=120)),
                ("organization", django.db.models.CharField(max_length=40)),
                ("role", django.db.models.CharField(max_length=63)),
                ("page", django.db.models.CharField(max_length=10)),
                ("name", django.db.models.CharField(max_length=40)),
                ("query", django.db.models.JSONField()),
                ("made_at", django.db.models.DateTimeField()),
            ],
            options={
                "db_table": "cases_saved_view",
                "ordering": ["made_at", "id"],
                "constraints": [
                    django.db.models.UniqueConstraint(
                        fields=("person", "organization", "role", "page", "name"), name="cases_view_once"
                    )
                ],
            },
        ),
        migrations.RunPython(fill_search, migrations.RunPython.noop),
    ]
