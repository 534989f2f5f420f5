"""Other changes of the same kind: which wait or run beside one, and which of them has made it stale.

A change holds for the cases that stood in its version when it was drafted. Who has them move or stay since is another change
that leads from or to that version: while it runs, and once it has moved cases after the draft, the draft cannot be approved
or begun any more. It is planned again, on what stands then.
"""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import F, Q, QuerySet

from yunhe.core.cases.api import kinds
from yunhe.core.cases.errors import CHANGE_STATES, MigrationRefused
from yunhe.core.cases.models import MigrationRecord
from yunhe.core.cases.rules.wording import kind_named

WAITING = ("drafted", "approved", "running")


def waiting_beside(kind: str, migration_id: str) -> QuerySet[MigrationRecord]:
    """Return the other changes of a kind that wait or run, newest first."""
    rows = MigrationRecord.objects.select_related("source", "target").filter(kind_code=kind, state__in=WAITING)
    return rows.exclude(pk=migration_id).order_by("-made_at", "-id")


def in_the_way(row: MigrationRecord) -> Mapping[str, str]:
    """Return in words which other change keeps this one from being approved or begun; empty if none does."""
    if row.state not in ("drafted", "approved"):
        return {}
    moved = Q(state__in=("done", "withdrawn"), moved__gt=0, done_at__gt=row.made_at)
    rows = MigrationRecord.objects.filter(Q(source=row.source) | Q(target=row.source), Q(state="running") | moved, kind_code=row.kind_code)
    other = rows.exclude(pk=row.pk).select_related("source", "target").order_by(F("done_at").desc(nulls_first=True), "-id").first()
    if other is None:
        return {}
    old, new, name, state = other.source.number, other.target.number, other.author_name, CHANGE_STATES[other.state]
    zh, en = f"{name}起草的另一项变更（第 {old} 版 → 第 {new} 版）", f"another change, drafted by {name} (version {old} to {new}),"
    if other.state == "running":
        en = f"{en} is {state['en']}: wait for it or take it back, then plan this one again"
        return {"zh": f"{zh}{state['zh']}，请等它完成，或先把它撤回，再重新拟定这一项", "en": en}
    return {
        "zh": f"{zh}在这一项起草之后移动了 {other.moved} 件（{state['zh']}），现在要移动的已不是起草时的那些办件，请撤回这一项，再重新拟定",
        "en": f"{en} has moved {other.moved} cases since this one was drafted: what would move now is not what was drafted; take this one back and plan again",
    }


def require_current(row: MigrationRecord) -> None:
    """Do nothing if no other change keeps this one from going on, in the caller's transaction. Raises: MigrationRefused."""
    list(MigrationRecord.objects.select_for_update().filter(kind_code=row.kind_code).order_by("pk").values_list("pk"))  # one begins at a time
    if found := in_the_way(row):
        titles = kind_named(kinds.spec_of(row.target), "where")
        raise MigrationRefused(where=row.pk, titles=titles, problem=found["zh"], problem_en=found["en"])
