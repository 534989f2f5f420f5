"""A notice is read in the membership that it concerns."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations, models
from django.db.models import Count, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce


def fill(apps: Any, schema_editor: Any) -> None:
    """Name the organisation of what was sent before: the only one of its reader, else the one that has a part in the case.

    What tells of no case, to somebody who was in several, stays theirs in each of them.
    """
    notices, memberships = apps.get_model("notices", "NoticeRow"), apps.get_model("organizations", "Membership")
    theirs = memberships.objects.values("user").annotate(bodies=Count("organization", distinct=True)).order_by()
    first = memberships.objects.filter(user=OuterRef("user")).order_by("valid_from", "id").values("organization")[:1]
    one_body = theirs.filter(bodies=1).values("user")
    notices.objects.filter(user__in=one_body).update(organization=Coalesce(Subquery(first), Value("")))
    parties = apps.get_model("cases", "PartyRecord")
    for user in theirs.filter(bodies__gt=1).values_list("user", flat=True):
        held = memberships.objects.filter(user=user).order_by("valid_from", "id").values_list("organization", flat=True)
        bodies = list(dict.fromkeys(held))
        about = notices.objects.filter(user=user).exclude(announcement__case_id="")
        for case_id in set(about.values_list("announcement__case_id", flat=True)):
            had = parties.objects.filter(case=case_id, organization__in=bodies)
            own = set(had.filter(person=f"user:{user}").values_list("organization", flat=True))
            part = own or set(had.values_list("organization", flat=True))
            body = next((one for one in bodies if one in part), bodies[0])
            about.filter(announcement__case_id=case_id).update(organization=body)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("notices", "0001_initial"), ("organizations", "0001_initial"), ("cases", "0017_seats_of_persons")]

    operations: ClassVar = [
        migrations.AddField(
            model_name="noticerow",
            name="organization",
            field=models.CharField(blank=True, db_default="", default="", max_length=18),
        ),
        migrations.AddField(
            model_name="noticerow",
            name="role",
            field=models.CharField(blank=True, db_default="", default="", max_length=64),
        ),
        migrations.RemoveConstraint(model_name="noticerow", name="notice_once"),
        migrations.AddConstraint(
            model_name="noticerow",
            constraint=models.UniqueConstraint(fields=("announcement", "user", "organization", "role"), name="notice_once"),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
