"""What a search looks through is folded: width, case, composed or not, dashes; without what is not seen."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import migrations

from yunhe.core.cases.rules.search import BREAK, fold

BATCH = 1000


def fold_words(apps: Any, schema_editor: Any) -> None:
    """Let what is there already be found as `rules.search` has it from now on; most texts are so already."""
    for name, column in (("CaseRecord", "search"), ("WordsRecord", "text")):
        rows, last = apps.get_model("cases", name).objects.order_by("pk"), None
        while some := list((rows if last is None else rows.filter(pk__gt=last)).only("pk", column)[:BATCH]):
            last, changed = some[-1].pk, []
            for row in some:
                told = getattr(row, column)
                folded = BREAK.join(map(fold, told.split(BREAK)))
                if folded != told:
                    setattr(row, column, folded)
                    changed.append(row)
            rows.bulk_update(changed, [column], batch_size=200)


class Migration(migrations.Migration):
    dependencies: ClassVar = [("cases", "0018_written_order")]

    operations: ClassVar = [migrations.RunPython(fold_words, migrations.RunPython.noop, elidable=True)]
