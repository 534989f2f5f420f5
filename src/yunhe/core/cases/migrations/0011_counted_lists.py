"""Parties repeat kind, state and opening time of their case, so that lists are counted by indexes alone."""

import datetime as dt

from django.db import migrations, models
from django.db.models import OuterRef, Subquery

COPIED = ("kind_code", "state", "opened_at")
NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def copy_cases(apps, schema_editor):
    """Give each party what its case says."""
    cases = apps.get_model("cases", "CaseRecord").objects.filter(pk=OuterRef("case_id"))
    apps.get_model("cases", "PartyRecord").objects.update(**{name: Subquery(cases.values(name)) for name in COPIED})


def close_parties(apps, schema_editor):
    """Mark the parties of closed cases."""
    apps.get_model("cases", "PartyRecord").objects.filter(state="closed").update(open=False)


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0010_clocks_of_cases'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='caserecord',
            name='cases_case_kind',
        ),
        migrations.RemoveIndex(
            model_name='partyrecord',
            name='cases_party_organization',
        ),
        migrations.RemoveIndex(
            model_name='partyrecord',
            name='cases_party_person',
        ),
        migrations.RemoveIndex(
            model_name='partyrecord',
            name='cases_party_open',
        ),
        migrations.AddField(
            model_name='partyrecord',
            name='kind_code',
            field=models.CharField(default='', max_length=63),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='partyrecord',
            name='state',
            field=models.CharField(default='', max_length=12),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='partyrecord',
            name='opened_at',
            field=models.DateTimeField(default=NEVER),
            preserve_default=False,
        ),
        migrations.RunPython(copy_cases, close_parties),
        migrations.RemoveField(
            model_name='partyrecord',
            name='open',
        ),
        migrations.AddIndex(
            model_name='caserecord',
            index=models.Index(fields=['kind_code', 'state', '-opened_at', '-id'], name='cases_case_kind'),
        ),
        migrations.AddIndex(
            model_name='partyrecord',
            index=models.Index(fields=['organization', 'state', 'kind_code', 'opened_at', 'case'], name='cases_party_seen'),
        ),
        migrations.AddIndex(
            model_name='partyrecord',
            index=models.Index(fields=['person', 'case', 'organization', 'state', 'kind_code', 'opened_at'], name='cases_party_person'),
        ),
    ]
