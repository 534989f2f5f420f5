"""Reading one's own notices."""

from __future__ import annotations

from collections.abc import Collection

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from yunhe.core.notices.api.preferences import user_of
from yunhe.core.notices.api.registry import title_of
from yunhe.core.notices.errors import NoticeNotFound
from yunhe.core.notices.models import NoticeRow
from yunhe.core.notices.types import Notice
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now
from yunhe.kernel.pages import Facet, Page, PageRequest

UNREAD, READ = "unread", "read"


def list_notices(*, request: PageRequest, actor: Actor) -> Page[Notice]:
    """Return a page of the actor's own notices, the newest first.

    Shape: filters kind, state (unread, read); facets of both; search in title and text. Raises: NoMailbox.
    """
    mine = NoticeRow.objects.filter(user_id=user_of(actor))
    rows = _filtered(mine, request)
    ordered = rows.select_related("announcement").order_by("-id")
    return Page(
        items=tuple(_notice(row) for row in ordered[request.offset : request.offset + request.limit]),
        total=rows.count(),
        page=max(request.page, 1),
        size=request.limit,
        facets=_facets(mine),
    )


def count_unread(*, actor: Actor) -> int:
    """Return how many notices the actor has not read. Raises: NoMailbox."""
    return NoticeRow.objects.filter(user_id=user_of(actor), read_at__isnull=True).count()


def open_notice(*, notice_id: str, actor: Actor) -> Notice:
    """Return one of the actor's own notices, read from now on. Raises: NoticeNotFound, NoMailbox."""
    mark_read(ids=(notice_id,), actor=actor)
    return _notice(NoticeRow.objects.select_related("announcement").get(pk=notice_id))


def mark_read(*, ids: Collection[str], actor: Actor) -> int:
    """Mark the actor's own notices read; return how many were not.

    Raises: NoticeNotFound if one of them is not the actor's (nothing is marked then), NoMailbox.
    """
    user_id, wanted = user_of(actor), set(ids)
    with transaction.atomic():
        mine = NoticeRow.objects.filter(user_id=user_id, pk__in=wanted)
        strange = wanted - set(mine.values_list("pk", flat=True))
        if strange:
            raise NoticeNotFound(notice_id=min(strange))
        return mine.filter(read_at__isnull=True).update(read_at=now())


def mark_all_read(*, actor: Actor) -> int:
    """Mark every notice of the actor read; return how many were not. Raises: NoMailbox."""
    return NoticeRow.objects.filter(user_id=user_of(actor), read_at__isnull=True).update(read_at=now())


def _filtered(rows: QuerySet[NoticeRow], request: PageRequest) -> QuerySet[NoticeRow]:
    if request.filters.get("kind"):
        rows = rows.filter(announcement__kind=request.filters["kind"])
    if request.filters.get("state") in (UNREAD, READ):
        rows = rows.filter(read_at__isnull=request.filters["state"] == UNREAD)
    if request.search:
        found = Q()
        for name in ("title_zh", "title_en", "text_zh", "text_en"):
            found |= Q(**{f"announcement__{name}__icontains": request.search})
        rows = rows.filter(found)
    return rows


def _facets(mine: QuerySet[NoticeRow]) -> tuple[Facet, ...]:
    kinds = mine.order_by().values("announcement__kind").annotate(number=Count("id"))
    unread = Count("id", filter=Q(read_at__isnull=True))
    counts = mine.order_by().aggregate(unread=unread, all=Count("id"))
    counted = {one["announcement__kind"]: one["number"] for one in kinds}
    states = {UNREAD: counts["unread"], READ: counts["all"] - counts["unread"]}
    return (
        *(Facet("state", state, state, number) for state, number in states.items() if number),
        *(Facet("kind", code, code, counted[code]) for code in sorted(counted)),
    )


def _notice(row: NoticeRow) -> Notice:
    told = row.announcement
    return Notice(
        id=row.pk, kind=told.kind, kind_title=title_of(told.kind), title=_texts(told.title_zh, told.title_en),
        text=_texts(told.text_zh, told.text_en), href=told.href, case_id=told.case_id, sent_at=told.sent_at,
        read_at=row.read_at,
    )


def _texts(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en} if en else {"zh": zh}
