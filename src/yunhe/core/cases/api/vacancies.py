"""Tell who supervises of what came to wait for nobody (例外) without a step: somebody left, a role ran out, a body ended."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from django.db import transaction

from yunhe.core.cases.api import kinds, telling
from yunhe.core.cases.api.offering import answers_for
from yunhe.core.cases.api.team import list_exceptions
from yunhe.core.cases.models import ObligationRecord
from yunhe.core.cases.types import WorkItem
from yunhe.core.notices import api as notices
from yunhe.kernel.actor import Actor

MOST_TOLD = 2000


def tell_exceptions(*, actor: Actor, check: Callable[[], None] = lambda: None) -> int:
    """Tell who supervises, where it waits and at the owner, of each case in which something waits for nobody; return of how many.

    Each is told once: not again while what waits came before the last notice of its case. `check` runs between cases and may raise.
    """
    found: dict[str, list[WorkItem]] = defaultdict(list)
    for item in list_exceptions(actor=actor, most=MOST_TOLD):
        found[item.case_id].append(item)
    told = notices.last_sent(kind=telling.VACANT, case_ids=found.keys())
    fresh = {case: [one for one in items if case not in told or one.opened_at > told[case]] for case, items in found.items()}
    fresh = {case: items for case, items in fresh.items() if items}
    for items in fresh.values():
        check()
        _tell(items, actor)
    return len(fresh)


def _tell(items: list[WorkItem], actor: Actor) -> None:
    keys = [one.obligation_id for one in items]
    with transaction.atomic():
        rows = list(ObligationRecord.objects.select_related("case", "case__kind").filter(pk__in=keys, state="open").order_by("pk"))
        if not rows:
            return  # done meanwhile
        case = rows[0].case
        bodies = dict.fromkeys(filter(None, (*(answers_for(row, case) for row in rows), case.owner or case.organization)))
        said = {one.obligation_id: one for one in items}
        zh = "".join(dict.fromkeys(f"“{_title(said[row.pk], 'zh')}”{_place(said[row.pk])}没有（或不够）人办。" for row in rows))
        en = " ".join(dict.fromkeys(f'Nobody, or too few, can do "{_title(said[row.pk], "en")}"{_place(said[row.pk], en=True)}.' for row in rows))
        telling.send_vacant(case, kinds.spec_of(case.kind), list(bodies), key=f"{case.pk}:{rows[0].pk}:exception", text=(
            f"{zh}请打开办件指派，或先在该单位授予角色。", f"{en} Open the case and assign it, or have the role given there.",
        ), actor=actor)  # fmt: skip


def _title(item: WorkItem, language: str) -> str:
    return item.title.get(language) or item.title["zh"]


def _place(item: WorkItem, *, en: bool = False) -> str:
    if not item.organization_name:
        return ""
    return f" at {item.organization_name}" if en else f"在{item.organization_name}"
