"""Lists go by what is due first, the clock of the case included, and that clock is warned of, too; limits say how far they extend."""

from datetime import datetime, timedelta

from django.db import migrations, models
from django.db.models import F, Q

LADDER = [{"percent": 80}, {"percent": 100}]


def fill(apps, schema_editor):
    """Note of what is open when it is due first, and of running clocks when they are warned of next."""
    opened = apps.get_model("cases", "ObligationRecord").objects.filter(state="open")
    opened.update(first_due_at=F("due_at"), first_estimated=F("estimated"))
    clocks = apps.get_model("cases", "ClockRecord").objects.filter(stopped_at=None, due_at__isnull=False)
    for clock in clocks.select_related("case__kind").iterator():
        later = opened.filter(Q(due_at=None) | Q(due_at__gt=clock.due_at), case=clock.case)
        later.update(first_due_at=clock.due_at, first_estimated=clock.estimated)
        stood = sum((until - since for since, until in map(ends, clock.pauses)), timedelta())
        percent = min((rung["percent"] for rung in clock.case.kind.body.get("ladder", LADDER)), default=None)
        if percent is not None:
            clock.warn_at = clock.due_at - (clock.due_at - clock.started_at - stood) * (100 - percent) / 100
            clock.save(update_fields=["warn_at"])


def ends(pause):
    return datetime.fromisoformat(pause["since"]), datetime.fromisoformat(pause["until"])


class Migration(migrations.Migration):

    dependencies = [
        ("cases", "0006_turns"),
    ]

    operations = [
        migrations.RemoveIndex(model_name="obligationrecord", name="cases_obligation_seat"),
        migrations.RemoveIndex(model_name="obligationrecord", name="cases_obligation_person"),
        migrations.RemoveIndex(model_name="obligationrecord", name="cases_obligation_due"),
        migrations.AddField(model_name="obligationrecord", name="first_due_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="obligationrecord", name="first_estimated", field=models.BooleanField(default=False)),
        migrations.AddField(model_name="clockrecord", name="warn_at", field=models.DateTimeField(null=True)),
        migrations.AddField(model_name="clockrecord", name="warned", field=models.PositiveSmallIntegerField(null=True)),
        *(
            migrations.AddField(model_name=name, name="extend_most", field=models.PositiveIntegerField(null=True))
            for name in ("obligationrecord", "clockrecord", "limitrecord")
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
        migrations.AddIndex(
            model_name="obligationrecord",
            index=models.Index(condition=models.Q(("state", "open")), fields=["organization", "role", "first_due_at"], name="cases_obligation_seat"),
        ),
        migrations.AddIndex(
            model_name="obligationrecord",
            index=models.Index(condition=models.Q(("state", "open")), fields=["person", "first_due_at"], name="cases_obligation_person"),
        ),
        migrations.AddIndex(
            model_name="obligationrecord",
            index=models.Index(condition=models.Q(("state", "open")), fields=["first_due_at"], name="cases_obligation_due"),
        ),
        migrations.AddIndex(
            model_name="clockrecord",
            index=models.Index(condition=models.Q(("stopped_at", None), ("warn_at__isnull", False)), fields=["warn_at"], name="cases_clock_warn"),
        ),
    ]
