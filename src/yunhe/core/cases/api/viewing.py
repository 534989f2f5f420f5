"""Saved views (常用筛选): a named query of the inbox or of the list of cases, per person and membership."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from yunhe.core.cases.api import kinds
from yunhe.core.cases.api.finding import CASE_FILTERS, RUNNING, WAITING_FILTERS, waiting_condition
from yunhe.core.cases.api.listing import CASE_SORTS, find_cases, waiting_rows
from yunhe.core.cases.errors import BadSavedView
from yunhe.core.cases.models import SavedViewRecord
from yunhe.core.cases.types import CASE_STATES, SavedView
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now
from yunhe.kernel.errors import Missing
from yunhe.kernel.ids import new_id
from yunhe.kernel.pages import PageRequest

PAGES: Mapping[str, tuple[str, ...]] = {"inbox": WAITING_FILTERS, "list": CASE_FILTERS}
VIEW_QUERIES: Mapping[str, tuple[str, ...]] = {page: (*filters, "q", "sort") for page, filters in PAGES.items()}
"""What a saved view of each page may hold."""
DUE = ("overdue", "today", "week", "later", "paused")
ALLOWED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "inbox": {"due": DUE, "sort": ("due_at", "opened_at")},
    "list": {"state": (*CASE_STATES, RUNNING), "part": ("opened", "handled"), "due": (*DUE, "late"), "sort": tuple(sorted(CASE_SORTS))},
}
"""What a condition can ask for, where not everything: as the addresses of `/api/v1` take it."""
MOST_VIEWS, MOST_COUNTED, MOST_LETTERS, MOST_OF_A_NAME, MOST_NEAR = 12, 1000, 200, 40, 12


def save_view(*, page: str, name: str, query: Mapping[str, str], actor: Actor) -> SavedView:
    """Keep a query (filters, `q`, `sort`) of a page (inbox, list) under a name; the same name again replaces it.

    Raises: Missing for another page; BadSavedView without a name or a condition, beyond MOST_VIEWS, or for what cannot be asked.
    """
    if page not in PAGES:
        raise Missing(what="list", name=page)
    kept = {key: query[key] for key in VIEW_QUERIES[page] if query.get(key)}
    told = _name(name)
    for key, value in kept.items():
        _require_possible(page, key, value)
    if not kept.keys() - {"sort"}:
        raise BadSavedView(problem="请先筛选或搜索，再保存", problem_en="filter or search first, then save")
    with transaction.atomic():
        if _mine(actor).filter(page=page).exclude(name=told).count() >= MOST_VIEWS:
            problem, problem_en = f"最多保存 {MOST_VIEWS} 个，请先删除不用的", f"at most {MOST_VIEWS}; delete one that is not used"
            raise BadSavedView(problem=problem, problem_en=problem_en)
        before = _mine(actor).filter(page=page, name=told).first()
        whose = {"person": actor.id, "organization": actor.organization, "role": actor.role, "page": page, "name": told}
        fresh = {"query": kept, "made_at": now()}
        row, _ = SavedViewRecord.objects.update_or_create(**whose, defaults={"query": kept}, create_defaults={**fresh, "id": new_id()})
    return replace(_told(row, actor), replaced=before is not None and before.query != kept)


def list_views(*, page: str, actor: Actor) -> tuple[SavedView, ...]:
    """Return the actor's views of a page in this membership, the oldest first, each with its count of now.

    Cost: one query and one for each view; a count stops at MOST_COUNTED.
    """
    return tuple(_told(row, actor) for row in _mine(actor).filter(page=page)[:MOST_VIEWS])


def get_view(*, view_id: str, actor: Actor) -> SavedView:
    """Return a view of one's own. Raises: Missing."""
    return _told(_get(view_id, actor), actor)


def rename_view(*, view_id: str, name: str, actor: Actor) -> SavedView:
    """Give a view of one's own another name. Raises: BadSavedView if it is taken, Missing."""
    told = _name(name)
    with transaction.atomic():
        row = _get(view_id, actor)
        if _mine(actor).filter(page=row.page, name=told).exclude(pk=row.pk).exists():
            raise BadSavedView(problem=f"已有名为“{told}”的筛选", problem_en=f'there is one called "{told}" already')
        row.name = told
        row.save(update_fields=["name"])
    return _told(row, actor)


def delete_view(*, view_id: str, actor: Actor) -> None:
    """Forget a view of one's own. Raises: Missing."""
    _get(view_id, actor).delete()


def _mine(actor: Actor) -> Any:
    return SavedViewRecord.objects.filter(person=actor.id, organization=actor.organization, role=actor.role)


def _get(view_id: str, actor: Actor) -> SavedViewRecord:
    row: SavedViewRecord | None = _mine(actor).filter(pk=view_id).first()
    if row is None:
        raise Missing(what="saved_view", name=view_id)
    return row


def _name(name: str) -> str:
    told = " ".join(name.split())
    if not told or not told.isprintable():
        raise BadSavedView(problem="请写名称", problem_en="give it a name")
    if len(told) > MOST_OF_A_NAME:
        problem = f"名称最多 {MOST_OF_A_NAME} 个字，实际 {len(told)} 个"
        raise BadSavedView(problem=problem, problem_en=f"its name has {len(told)} letters, at most {MOST_OF_A_NAME} are kept")
    return told


def _require_possible(page: str, name: str, value: str) -> None:
    """Do nothing if the list can be asked for it. Raises: BadSavedView with the condition and what it can be."""
    if len(value) > MOST_LETTERS:
        problem = f"{name} 最多 {MOST_LETTERS} 个字，实际 {len(value)} 个"
        raise BadSavedView(problem=problem, problem_en=f"{name} has {len(value)} letters, at most {MOST_LETTERS} are kept")
    allowed = tuple(kind.code for kind in kinds.list_kinds()) if name == "kind" else ALLOWED[page].get(name, ())
    asked = value.removeprefix("-") if name == "sort" else value
    if (allowed or name == "kind") and asked not in allowed:
        near = get_close_matches(asked, allowed, n=MOST_NEAR) if len(allowed) > MOST_NEAR else allowed
        listed = list(near or allowed[:MOST_NEAR])
        problem = f"{name} 没有“{value[:80]}”，可以是：{'、'.join(listed) or '—'}"
        raise BadSavedView(problem=problem, problem_en=f'{name} cannot be "{value[:80]}"; it can be: {", ".join(listed) or "—"}')


def _told(row: SavedViewRecord, actor: Actor) -> SavedView:
    filters = {name: row.query[name] for name in PAGES[row.page] if row.query.get(name)}
    request = PageRequest(search=row.query.get("q", ""), filters=filters)
    rows: QuerySet[Any]
    if row.page == "inbox":
        rows = waiting_rows(actor).filter(waiting_condition(request))
    else:
        rows = find_cases(request, actor)
    count = rows.order_by().values("pk")[: MOST_COUNTED + 1].count()
    return SavedView(row.pk, row.page, row.name, dict(row.query), min(count, MOST_COUNTED), more=count > MOST_COUNTED)
