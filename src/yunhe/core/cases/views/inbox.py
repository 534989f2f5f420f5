"""The inbox: what waits for the actor by due time, and the chosen case beside it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from yunhe.core.cases import api
from yunhe.core.cases.panels.cases import case_context, key_map
from yunhe.core.cases.panels.clocks import due_tag, light_tone
from yunhe.core.cases.views import picked
from yunhe.core.cases.views.case import asked
from yunhe.core.cases.views.saved import view_chips
from yunhe.kernel.pages import Page
from yunhe.ui.cells import TabItem
from yunhe.ui.doors import requires
from yunhe.ui.lists import Listing, read_page_request

SIZES = (25, 50, 100, 200)
LINE = "#line"
"""The chosen line: the browser gives it the focus, with and without script."""
DUE_TABS = (("", _("全部")), ("overdue", _("已超期")), ("today", _("今天到期")), ("week", _("近日到期")), ("later", _("以后")), ("paused", _("已暂停")))


@require_safe
@requires("cases.act", "cases.view")
def inbox(request: HttpRequest) -> HttpResponse:
    """Show what waits for the actor by due time, and the chosen case beside it."""
    size, picks = page_size(request), picked.recall(request, "cases:bulk")
    wanted = read_page_request(request, filters=("kind", "due"), sorts=("due_at", "-opened_at"), sort="due_at", size=size)
    page = api.list_waiting(request=wanted, actor=request.actor)
    listing = Listing(request=request, page=page, wanted=wanted, columns=(), caption=_("待办"))
    chosen = request.GET.get("case") or (page.items[0].case_id if page.items else "")
    context: dict[str, Any] = {
        "listing": listing,
        "lines": [_line(item, listing, chosen, picks) for item in page.items],
        "tabs": _due_tabs(page, listing),
        "kind_links": _kind_links(page, listing),
        "sizes": size_links(listing),
        "size": size,
        "back": listing.href(case=None, act=None, ob=None, op=None) + LINE,
        "views": view_chips(request, "inbox"),
        "chosen": bool(chosen),
        "asked": bool(request.GET.get("case")),
        "drafts": len(api.list_drafts(actor=request.actor)),
        "supervises": request.actor.may("cases.supervise"),
        "key_map": key_map(),
    }
    if chosen:
        view = api.access_case(case_id=chosen, actor=request.actor)
        here, after = listing.href(case=chosen, act=None, ob=None, op=None), _after(page, listing, chosen)
        context |= case_context(request, view, here=here, after=after, **asked(request, view))
    return render(request, "cases/inbox.html", context)


def page_size(request: HttpRequest) -> int:
    """Return how many lines a page is asked to have: one of SIZES."""
    return next((size for size in SIZES if request.GET.get("size") == str(size)), SIZES[0])


def size_links(listing: Listing) -> list[tuple[int, str]]:
    """Return the sizes that a page of the list can have, each with its address; none where all fits the smallest."""
    return [(size, listing.href(size=str(size), page=None)) for size in SIZES] if listing.page.total > SIZES[0] else []


def _after(page: Page[Any], listing: Listing, chosen: str) -> str:
    """Return where one comes after acting: at the next line of the list, else the one before, else the list itself."""
    cases = [item.case_id for item in page.items]
    rest = cases[len(cases) - cases[::-1].index(chosen) :] if chosen in cases else cases
    other = next((one for one in (*rest, *reversed(cases)) if one != chosen), None)
    return listing.href(case=other, act=None, ob=None, op=None) + (LINE if other else "")


def _line(item: Any, listing: Listing, chosen: str, picks: Collection[str]) -> dict[str, Any]:
    return {
        "item": item,
        "href": listing.href(case=item.case_id, act=None, ob=None, op=None) + "#case",
        "current": item.case_id == chosen,
        "overdue": item.light in ("overdue", "today"),
        "tag": due_tag(item.title, light_tone(item.light)),
        "pick": f"{item.obligation_id}.{item.version}",
        "picked": item.obligation_id in picks,
    }


def _kind_links(page: Page[Any], listing: Listing) -> list[tuple[Any, Any, str]]:
    titles = {info.code: info.title for info in api.list_kinds()}
    facets = [facet for facet in page.facets if facet.name == "kind"]
    return [(facet, titles[facet.value], listing.href(kind=facet.value, page=None, case=None)) for facet in facets]


def _due_tabs(page: Page[Any], listing: Listing) -> list[TabItem]:
    counts = {facet.value: facet.count for facet in page.facets if facet.name == "due"}
    counts[""] = sum(count for due, count in counts.items() if due != "today")  # what is due today is due soon, too
    here = listing.wanted.filters.get("due", "")
    return [
        TabItem(str(title), listing.href(due=due or None, page=None, case=None), due == here, counts.get(due))
        for due, title in DUE_TABS
    ]
