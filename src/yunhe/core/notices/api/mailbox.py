"""Reading one's own notices: those of the membership in which one acts; of others only how many wait there.

What was told in a membership that one has left stays to be found, by its title alone: nothing leads from it any more.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from yunhe.core.notices.api.preferences import user_of
from yunhe.core.notices.api.registry import title_of
from yunhe.core.notices.errors import NoticeNotFound
from yunhe.core.notices.models import NoticeRow
from yunhe.core.notices.types import Elsewhere, Notice
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now
from yunhe.kernel.pages import Facet, Page, PageRequest

UNREAD, READ = "unread", "read"
MOST_AT_ONCE = 500


def list_notices(*, request: PageRequest, actor: Actor) -> Page[Notice]:
    """Return a page of the actor's own notices in the membership in which they act, the newest first.

    Shape: filters kind, state (unread, read); facets of both; search in title and text. Raises: NoMailbox.
    """
    mine = _mine(actor)
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
    """Return how many notices the actor has not read in the membership in which they act. Raises: NoMailbox."""
    return _mine(actor).filter(read_at__isnull=True).count()


def list_elsewhere(*, actor: Actor) -> tuple[Elsewhere, ...]:
    """Return in which other memberships of theirs the actor has not read how many notices; only those with some. Raises: NoMailbox.

    One that concerns any role in an organisation counts for the first of theirs there. Cost: two queries at most.
    """
    unread = NoticeRow.objects.filter(user_id=user_of(actor), read_at__isnull=True).exclude(organization="").exclude(_here(actor))
    counts = {(body, role): number for body, role, number in unread.order_by().values_list("organization", "role").annotate(number=Count("id"))}
    if not counts:
        return ()
    found = []
    for one in organizations.list_memberships(user_id=user_of(actor)):
        number = counts.pop((one.organization, one.role), 0) + counts.pop((one.organization, ""), 0)
        if number:
            place = (one.id, one.organization, one.organization_name, one.role, one.role_title)
            found.append(Elsewhere(*place, unread=number))
    return tuple(found)


def list_former(*, request: PageRequest, actor: Actor) -> Page[Notice]:
    """Return a page of the actor's notices of memberships that they have left, the newest first: titles, without text and way.

    Raises: NoMailbox.
    """
    rows = _former(actor)
    ordered = rows.select_related("announcement").order_by("-id")[request.offset : request.offset + request.limit]
    items = tuple(replace(_notice(row), text={"zh": ""}, href="", case_id="") for row in ordered)
    return Page(items=items, total=rows.count(), page=max(request.page, 1), size=request.limit)


def count_former(*, actor: Actor) -> tuple[int, int]:
    """Return how many notices the actor has of memberships that they have left: all, not read. Raises: NoMailbox."""
    told = _former(actor).order_by().aggregate(all=Count("id"), unread=Count("id", filter=Q(read_at__isnull=True)))
    return told["all"], told["unread"]


def mark_former_read(*, actor: Actor) -> int:
    """Mark the actor's notices of memberships that they have left read; return how many were not. Raises: NoMailbox."""
    with transaction.atomic():
        return _mark(_former(actor), actor)


def open_notice(*, notice_id: str, actor: Actor) -> Notice:
    """Return one of the actor's own notices, read from now on. Raises: NoticeNotFound, NoMailbox."""
    mark_read(ids=(notice_id,), actor=actor)
    return _notice(NoticeRow.objects.select_related("announcement").get(pk=notice_id))


def mark_read(*, ids: Collection[str], actor: Actor) -> int:
    """Mark the actor's own notices read; return how many were not.

    Raises: NoticeNotFound if one of them is not the actor's (nothing is marked then), NoMailbox.
    """
    wanted = set(ids)
    with transaction.atomic():
        mine = _mine(actor).filter(pk__in=wanted)
        strange = wanted - set(mine.values_list("pk", flat=True))
        if strange:
            raise NoticeNotFound(notice_id=min(strange))
        return _mark(mine, actor)


def mark_all_read(*, actor: Actor) -> int:
    """Mark every notice of the actor in this membership read; return how many were not. Raises: NoMailbox."""
    with transaction.atomic():
        return _mark(_mine(actor), actor)


def _mine(actor: Actor) -> QuerySet[NoticeRow]:
    """Return the notices that the actor reads in the membership in which they act. Raises: NoMailbox."""
    return NoticeRow.objects.filter(_here(actor), user_id=user_of(actor))


def _former(actor: Actor) -> QuerySet[NoticeRow]:
    """Return the notices of the actor that none of their memberships reads any more. Cost: a query beside the rows' own."""
    rows = NoticeRow.objects.filter(user_id=user_of(actor)).exclude(organization="")
    for one in organizations.list_memberships(user_id=user_of(actor)):
        rows = rows.exclude(organization=one.organization, role__in=("", one.role))
    return rows


def _here(actor: Actor) -> Q:
    return Q(organization="") | Q(organization=actor.organization, role__in=("", actor.role))


def _mark(rows: QuerySet[NoticeRow], actor: Actor) -> int:
    """Mark notices read, and what tells the same person the same in another membership; return how many of `rows` were not."""
    unread = list(rows.filter(read_at__isnull=True).values_list("pk", "announcement_id"))
    for start in range(0, len(unread), MOST_AT_ONCE):
        told = [announcement for _, announcement in unread[start : start + MOST_AT_ONCE]]
        NoticeRow.objects.filter(user_id=user_of(actor), announcement__in=told, read_at__isnull=True).update(read_at=now())
    return len(unread)


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
        read_at=row.read_at, organization=row.organization, role=row.role,
    )


def _texts(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en} if en else {"zh": zh}
