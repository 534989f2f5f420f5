"""The list of one's own notices."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from yunhe.core.notices import api
from yunhe.core.notices.types import Notice
from yunhe.core.notices.views.sections import FORMER, sections
from yunhe.core.organizations import api as organizations
from yunhe.ui.cells import Action, Column, Empty, Lines, Tag
from yunhe.ui.doors import acting, requires
from yunhe.ui.lists import Listing, read_page_request
from yunhe.ui.pages import safe_next
from yunhe.ui.templatetags.yh import spoken

STATES = (("unread", _("未读")), ("read", _("已读")))
COLUMNS = (
    Column(_("内容"), lambda n: Lines(spoken(n.title), spoken(n.text) if n.text["zh"] else ""), wide=True),
    Column(_("种类"), lambda n: spoken(n.kind_title), wide=True),
    Column(_("状态"), lambda n: Tag(_("已读"), "grey") if n.read_at else Tag(_("未读"))),
    Column(_("时间"), lambda n: n.sent_at),
    Column("", lambda n: (*_open(n), *_read(n))),
)


def _open(notice: Notice) -> tuple[Action, ...]:
    tone = "plain" if notice.read_at else "primary"
    return (Action(_("打开"), reverse("notices:open", args=[notice.id]), tone, post=True),) if notice.href else ()


def _read(notice: Notice) -> tuple[Action, ...]:
    return () if notice.read_at else (Action(_("标为已读"), reverse("notices:read", args=[notice.id]), post=True),)


@require_safe
@requires("signed_in")
def list_notices(request: HttpRequest) -> HttpResponse:
    """One's own notices; the api takes them by the actor's id."""
    wanted = read_page_request(request, filters=("kind", "state"))
    actor = acting(request)
    titles = tuple((kind.code, spoken(kind.title)) for kind in api.list_kinds())
    listing = Listing(
        request=request, page=api.list_notices(request=wanted, actor=actor), wanted=wanted, columns=COLUMNS,
        caption=_("通知"), facet_titles={"state": _("状态"), "kind": _("种类")}, search_label=_("搜索通知"),
        choices={"state": STATES, "kind": titles},
        empty=Empty(_("还没有通知"), _("有事要您知道时，会出现在这里。")),
    )  # fmt: skip
    acts = (Action(_("全部标为已读"), reverse("notices:read_all"), post=True),) if api.count_unread(actor=actor) else ()
    more = {"elsewhere": api.list_elsewhere(actor=actor), "here": request.path}
    context = {"listing": listing, "title": _("通知"), "tabs": sections(request, "list"), "acts": acts, **more}
    return render(request, "notices/list.html", context)


@require_safe
@requires("signed_in")
def list_former(request: HttpRequest) -> HttpResponse:
    """One's own notices of memberships that one has left: to be read only."""
    wanted, actor = read_page_request(request), acting(request)
    page = api.list_former(request=wanted, actor=actor)
    bodies = organizations.find_organizations(codes={one.organization for one in page.items})
    roles = {role.code: spoken(role.title) for role in organizations.list_roles()}

    def place(notice: Notice) -> Lines:
        body = bodies.get(notice.organization)
        return Lines(body.label if body else notice.organization, roles.get(notice.role, notice.role))

    columns = (
        Column(_("内容"), lambda n: spoken(n.title), wide=True), Column(_("原任职"), place, wide=True), *COLUMNS[1:4],
    )  # fmt: skip
    listing = Listing(
        request=request, page=page, wanted=wanted, columns=columns, caption=FORMER,
        empty=Empty(_("没有原任职的通知"), _("离任后，当时收到的通知会留在这里，只能看标题。")),
    )  # fmt: skip
    acts = (Action(_("全部标为已读"), reverse("notices:read_former"), post=True),) if api.count_former(actor=actor)[1] else ()
    context = {"listing": listing, "title": FORMER, "tabs": sections(request, "former"), "acts": acts}
    return render(request, "notices/list.html", context | {"note": _("这些通知发给您已经离任的岗位：只留标题，不能从这里打开办件；没办完的请告诉原单位。")})


@require_POST
@requires("signed_in")
def read_former(request: HttpRequest) -> HttpResponse:
    count = api.mark_former_read(actor=acting(request))
    messages.success(request, _t("已把 %(count)s 条通知标为已读。") % {"count": count})
    return redirect("notices:former")


@require_POST
@requires("signed_in")
def open_notice(request: HttpRequest, notice_id: str) -> HttpResponse:
    """One's own; the api says what is not found."""
    notice = api.open_notice(notice_id=notice_id, actor=acting(request))
    return redirect(notice.href or "notices:list")


@require_POST
@requires("signed_in")
def read_notice(request: HttpRequest, notice_id: str) -> HttpResponse:
    """One's own; the api says what is not found."""
    api.mark_read(ids=(notice_id,), actor=acting(request))
    return redirect(safe_next(request, reverse("notices:list")))


@require_POST
@requires("signed_in")
def read_all(request: HttpRequest) -> HttpResponse:
    count = api.mark_all_read(actor=acting(request))
    messages.success(request, _t("已把 %(count)s 条通知标为已读。") % {"count": count})
    return redirect("notices:list")
