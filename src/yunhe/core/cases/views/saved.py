"""Saved views (常用筛选): chips above the inbox and the list of cases, and what is done with them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as __
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from yunhe.core.cases import api
from yunhe.core.cases.errors import BadSavedView
from yunhe.core.cases.types import SavedView
from yunhe.kernel.errors import Missing
from yunhe.ui.doors import requires
from yunhe.ui.pages import confirm_page, safe_next

PAGES = {"inbox": "cases:inbox", "list": "cases:list"}
GONE = _("这个筛选已经删除了，可能是在另一页删除的。")
NOT_KEPT = ("page", "case", "act", "ob", "op", "size", "export")


@dataclass(frozen=True, slots=True)
class Chips:
    """The saved views of a page: each with its address and whether it is what is shown; and what can be saved now."""

    page: str
    views: tuple[tuple[SavedView, str, bool], ...]
    here: str
    query: str

    @property
    def current(self) -> SavedView | None:
        """Return the saved view that is shown, if one is."""
        return next((view for view, _href, on in self.views if on), None)


def view_chips(request: HttpRequest, page: str) -> Chips:
    """Return the saved views of the page and the query that it shows now."""
    shown = {key: value for key, value in request.GET.items() if value and key not in NOT_KEPT}
    views = api.list_views(page=page, actor=request.actor)
    chips = ((view, f"{reverse(PAGES[page])}?{urlencode(view.query)}", dict(view.query) == shown) for view in views)
    query = urlencode(shown) if shown.keys() - {"sort"} else ""
    return Chips(page, tuple(chips), address_of(request), query)


def address_of(request: HttpRequest) -> str:
    """Return the address of what a page shows: what its query asks for, without what it was only told once."""
    return f"{request.path}?{request.GET.urlencode()}" if request.GET else request.path


@require_http_methods(["POST"])
@requires("cases.act", "cases.view")
def save_view(request: HttpRequest, page: str) -> HttpResponse:
    """Save the query that the page showed, under a name."""
    query = {key: value for key, value in _parsed(request.POST.get("query", "")).items() if value}
    try:
        view = api.save_view(page=page, name=request.POST.get("name", ""), query=query, actor=request.actor)
        told = __("已用现在的条件替换原来的筛选“%(name)s”。") if view.replaced else __("已保存筛选“%(name)s”。")
        messages.success(request, told % {"name": view.name})
    except BadSavedView as error:
        messages.error(request, error.say(get_language() or "zh"))
    return redirect(safe_next(request, reverse(PAGES[page])))


@require_http_methods(["POST"])
@requires("cases.act", "cases.view")
def change_view(request: HttpRequest, view_id: str) -> HttpResponse:
    """Give a saved view another name."""
    try:
        view = api.rename_view(view_id=view_id, name=request.POST.get("name", ""), actor=request.actor)
        messages.success(request, __("筛选已改名为“%(name)s”。") % {"name": view.name})
    except BadSavedView as error:
        messages.error(request, error.say(get_language() or "zh"))
    except Missing:
        messages.error(request, str(GONE))
    return redirect(safe_next(request, reverse("cases:inbox")))


@require_http_methods(["GET", "HEAD", "POST"])
@requires("cases.act", "cases.view")
def delete_view(request: HttpRequest, view_id: str) -> HttpResponse:
    """Ask, then forget a saved view."""
    back = safe_next(request, reverse("cases:inbox"))
    try:
        if request.method == "POST":
            api.delete_view(view_id=view_id, actor=request.actor)
            messages.success(request, __("筛选已删除。"))
            return redirect(back)
        view = api.get_view(view_id=view_id, actor=request.actor)
    except Missing:
        messages.error(request, str(GONE))
        return redirect(back)
    return confirm_page(
        request, title=_("删除筛选"), question=__("删除筛选“%(name)s”？") % {"name": view.name},
        consequences=(_("只删除筛选，不影响办件。"),), submit=_("删除"), cancel=back,
    )  # fmt: skip


def _parsed(text: str) -> dict[str, str]:
    return {key: str(value) for key, value in QueryDict(text[:4000]).items()}
