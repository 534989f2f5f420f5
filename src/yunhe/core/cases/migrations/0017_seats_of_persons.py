"""The seat of a person is theirs in one organisation: that for which they opened the case, or in which they were asked."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations, models
from django.db.models import Case, F, OuterRef, Subquery, Value, When


def fill(apps: Any, schema_editor: Any) -> None:
    """Name the organisation from what the events tell of who opened the case, and of who asked for an opinion."""
    cases, obligations, events = (apps.get_model("cases", name) for name in ("CaseRecord", "ObligationRecord", "EventRecord"))
    opened = events.objects.filter(case=OuterRef("pk"), seq=1).values("actor_organization")
    cases.objects.update(opened_for=models.functions.Coalesce(Subquery(opened), Value("")))
    own = obligations.objects.filter(person__startswith="user:", organization="")
    asked = events.objects.filter(case=OuterRef("case"), seq=OuterRef("opened_seq")).values("actor_organization")
    own.filter(name="_opinion").update(organization=models.functions.Coalesce(Subquery(asked), Value("")))
    told = cases.objects.filter(pk=OuterRef("case")).values(
        body=Case(When(opened_by=OuterRef("person"), then=F("opened_for")), default=F("organization"))
    )
    own.exclude(name="_opinion").update(organization=Subquery(told))


class Migration(migrations.Migration):
    dependencies: ClassVar = [("cases", "0016_words")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="caserecord",
            name="opened_for",
            field=models.CharField(blank=True, db_default="", default="", max_length=40),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
