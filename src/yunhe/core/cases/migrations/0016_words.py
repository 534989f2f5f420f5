"""A search finds what was written in steps, the labels of choices, bodies by name, and the whole of long texts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import django.db.models
from django.db import migrations

BATCH = 500


def fill_words(apps: Any, editor: Any) -> None:
    """Let what is there already be found as `rules.search` has it from now on."""
    kinds = {row.pk: row.body for row in apps.get_model("cases", "KindRecord").objects.all()}
    digests = {row.digest: row.body for row in apps.get_model("cases", "KindRecord").objects.all()}
    cases, events = apps.get_model("cases", "CaseRecord"), apps.get_model("cases", "EventRecord")
    names = apps.get_model("cases", "ObligationRecord").objects
    words = apps.get_model("cases", "WordsRecord")
    last = ""
    while rows := list(cases.objects.filter(pk__gt=last).order_by("pk")[:BATCH]):
        keys = [row.pk for row in rows]
        owed = dict(names.filter(case__in=keys).values_list("pk", "name"))
        for row in rows:
            row.search = f"{row.search.partition(chr(10))[0]}\n{_joined(_words(kinds[row.kind_id]['fields'], row.data))}"
        cases.objects.bulk_update(rows, ["search"], batch_size=200)
        steps = events.objects.filter(case__in=keys).exclude(action="open").only("case_id", "seq", "obligation_id", "action", "values", "kind_digest")
        told = ((step, _step(step, digests.get(step.kind_digest), owed.get(step.obligation_id, ""))) for step in steps)
        words.objects.bulk_create(
            [words(case_id=s.case_id, seq=s.seq, obligation_id=s.obligation_id, text=text) for s, text in told if text], batch_size=BATCH
        )
        last = rows[-1].pk


def _step(step: Any, kind: Any, obligation: str) -> str:
    """Return the words of one event: those of the form of its action, else the reason or basis of an operator."""
    declared = (kind or {}).get("obligations", {}).get(obligation, {}).get("actions", {}).get(step.action)
    if declared is None:
        return _joined(str(step.values[name]) for name in ("reason", "basis", "opinion") if step.values.get(name))
    return _joined(_words(declared.get("fields", ()), step.values))


def _words(fields: Any, values: Any) -> Iterator[str]:
    for field in fields:
        value, kind = values.get(field["name"]), field.get("type", "text")
        if not field.get("shown", True) or value in (None, "", [], {}):
            continue
        if kind == "map":
            yield from (f"{name} {told}" for name, told in value.items())
        elif kind in ("text", "list", "choice"):
            for one in value if isinstance(value, list) else [value]:
                yield from _told(field, one)


def _told(field: Any, value: Any) -> list[str]:
    if field.get("format", "") == "organization":
        return [f"⟦{str(value).lower()}⟧"]
    title = next((choice["title"] for choice in field.get("choices", ()) if choice["value"] == value), None)
    return list(dict.fromkeys((title["zh"], title.get("en") or title["zh"]))) if title else [str(value)]


def _joined(parts: Iterator[str]) -> str:
    return " ".join(" ".join(parts).split()).lower()


class Migration(migrations.Migration):
    dependencies: ClassVar = [("cases", "0015_drafts_beside")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="WordsRecord",
            fields=[
                ("id", django.db.models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("seq", django.db.models.PositiveIntegerField()),
                ("obligation_id", django.db.models.CharField(blank=True, max_length=26)),
                ("text", django.db.models.TextField()),
                (
                    "case",
                    django.db.models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="cases.caserecord"
                    ),
                ),
            ],
            options={
                "db_table": "cases_words",
                "ordering": ["case_id", "seq"],
                "constraints": [django.db.models.UniqueConstraint(fields=("case", "seq"), name="cases_words_once")],
            },
        ),
        migrations.RunPython(fill_words, migrations.RunPython.noop),
    ]
