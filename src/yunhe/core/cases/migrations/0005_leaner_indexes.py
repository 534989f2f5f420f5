"""Indexes of what is open only, since every step writes them all; parties know whether their case goes on."""

import django.db.models.deletion
from django.db import migrations, models


def close_parties(apps, schema_editor):
    """Mark the parties of closed cases."""
    closed = apps.get_model("cases", "CaseRecord").objects.filter(state="closed")
    apps.get_model("cases", "PartyRecord").objects.filter(case__in=closed).update(open=False)


class Migration(migrations.Migration):

    dependencies = [
        ('cases', '0004_tables_limits_batches'),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name='eventrecord',
            name='cases_event_at',
        ),
        migrations.RemoveIndex(
            model_name='obligationrecord',
            name='cases_obligation_seat',
        ),
        migrations.RemoveIndex(
            model_name='obligationrecord',
            name='cases_obligation_person',
        ),
        migrations.RemoveIndex(
            model_name='obligationrecord',
            name='cases_obligation_assignee',
        ),
        migrations.RemoveIndex(
            model_name='obligationrecord',
            name='cases_obligation_case',
        ),
        migrations.RemoveIndex(
            model_name='obligationrecord',
            name='cases_obligation_group',
        ),
        migrations.RemoveIndex(
            model_name='obligationrecord',
            name='cases_obligation_due',
        ),
        migrations.RemoveIndex(
            model_name='obligationrecord',
            name='cases_obligation_warn',
        ),
        migrations.AddField(
            model_name='partyrecord',
            name='open',
            field=models.BooleanField(default=True),
        ),
        migrations.AlterField(
            model_name='caserecord',
            name='batch',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='members', to='cases.caserecord'),
        ),
        migrations.AlterField(
            model_name='caserecord',
            name='kind',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cases.kindrecord'),
        ),
        migrations.AlterField(
            model_name='caserecord',
            name='merged_into',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cases.caserecord'),
        ),
        migrations.AlterField(
            model_name='caserecord',
            name='parent',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='cases.caserecord'),
        ),
        migrations.AlterField(
            model_name='clockrecord',
            name='case',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='clocks', to='cases.caserecord'),
        ),
        migrations.AlterField(
            model_name='eventrecord',
            name='case',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='events', to='cases.caserecord'),
        ),
        migrations.AlterField(
            model_name='obligationrecord',
            name='case',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='obligations', to='cases.caserecord'),
        ),
        migrations.AlterField(
            model_name='obligationrecord',
            name='child',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cases.caserecord'),
        ),
        migrations.AlterField(
            model_name='obligationrecord',
            name='origin',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='cases.obligationrecord'),
        ),
        migrations.AlterField(
            model_name='partyrecord',
            name='case',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='parties', to='cases.caserecord'),
        ),
        migrations.AddIndex(
            model_name='calendardayrecord',
            index=models.Index(fields=['loaded_at'], name='cases_calendar_loaded'),
        ),
        migrations.AddIndex(
            model_name='caserecord',
            index=models.Index(condition=models.Q(('parent__isnull', False)), fields=['parent'], name='cases_case_parent'),
        ),
        migrations.AddIndex(
            model_name='caserecord',
            index=models.Index(condition=models.Q(('merged_into__isnull', False)), fields=['merged_into'], name='cases_case_merged'),
        ),
        migrations.AddIndex(
            model_name='caserecord',
            index=models.Index(condition=models.Q(('batch__isnull', False)), fields=['batch'], name='cases_case_batch'),
        ),
        migrations.AddIndex(
            model_name='obligationrecord',
            index=models.Index(fields=['case', 'state', 'group', 'outcome'], name='cases_obligation_case'),
        ),
        migrations.AddIndex(
            model_name='obligationrecord',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['organization', 'role', 'due_at'], name='cases_obligation_seat'),
        ),
        migrations.AddIndex(
            model_name='obligationrecord',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['person', 'due_at'], name='cases_obligation_person'),
        ),
        migrations.AddIndex(
            model_name='obligationrecord',
            index=models.Index(condition=models.Q(('state', 'open')), fields=['due_at'], name='cases_obligation_due'),
        ),
        migrations.AddIndex(
            model_name='obligationrecord',
            index=models.Index(condition=models.Q(('state', 'open'), ('warn_at__isnull', False)), fields=['warn_at'], name='cases_obligation_warn'),
        ),
        migrations.AddIndex(
            model_name='obligationrecord',
            index=models.Index(condition=models.Q(('origin__isnull', False)), fields=['origin'], name='cases_obligation_origin'),
        ),
        migrations.AddIndex(
            model_name='obligationrecord',
            index=models.Index(condition=models.Q(('child__isnull', False)), fields=['child'], name='cases_obligation_child'),
        ),
        migrations.AddIndex(
            model_name='obligationrecord',
            index=models.Index(condition=models.Q(('next_at__isnull', False)), fields=['case'], name='cases_obligation_again'),
        ),
        migrations.AddIndex(
            model_name='partyrecord',
            index=models.Index(condition=models.Q(('open', True)), fields=['organization', 'case'], name='cases_party_open'),
        ),
        migrations.RunPython(close_parties, migrations.RunPython.noop),
    ]
