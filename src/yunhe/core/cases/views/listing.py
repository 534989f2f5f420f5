"""The list of all cases that one may see: searched, filtered, saved, exported; several can be reminded at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as __
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from yunhe.core.cases import api
from yunhe.core.cases.errors import KindNotFound
from yunhe.core.cases.forms.actions import FindForm, say
from yunhe.core.cases.panels.cases import key_map, role_titles, say_holder, state_tag
from yunhe.core.cases.panels.changes import say_position
from yunhe.core.cases.types import CASE_STATES, Case, Holder
from yunhe.core.cases.views import picked
from yunhe.core.cases.views.inbox import DUE_TABS, page_size, size_links
from yunhe.core.cases.views.saved import address_of, view_chips
from yunhe.kernel.clock import now
from yunhe.kernel.pages import Page, PageRequest
from yunhe.ui import signs, times
from yunhe.ui.cells import Column, Empty, Lines, Link, Tag
from yunhe.ui.doors import requires
from yunhe.ui.lists import Listing, export_csv, read_page_request

FILTERS = ("kind", "state", "part", "due", "phase", "organization", "person", "obligation", "version", "open")
SORTS = ("title", "kind_code", "phase", "opened_at", "due_at", "number")


def _due(case: Case) -> Any:
    """Return when a case is due, marked where that is over; of one that stands still since when, and under which rule."""
    if case.paused_at is None:
        late = case.is_open and case.due_at is not None and case.due_at <= now()
        return (case.due_at, Tag(__("已超期"), "red")) if late else case.due_at if case.is_open else None
    stands = say(CASE_STATES["suspended"]) if case.state == "suspended" else __("时限已暂停")
    return Lines(stands, __("%(since)s 起，%(basis)s") % {"since": times.say_time(case.paused_at), "basis": case.pause_basis})


COLUMNS = (
    Column(_("办件"), lambda c: Link(c.title, reverse("cases:case", args=[c.case_id]), sub=c.number), sort="title", wide=True),
    Column(_("类型"), lambda c: c.kind_title, sort="kind_code", wide=True),
    Column(_("环节"), state_tag, sort="phase"),
    Column(_("到期"), _due, sort="due_at"),
    Column(_("提出人和时间"), lambda c: Lines(c.opened_by_name, c.opened_at), sort="opened_at"),
    Column(_("办结时间"), lambda c: c.closed_at),
)


def _export(request: HttpRequest, wanted: PageRequest) -> HttpResponse:
    """Return the list as a file, each thing in a column of its own."""
    holders: dict[str, tuple[Holder, ...]] = {}
    late: set[str] = set()
    bodies, titles = api.organization_choices(), role_titles()

    def take(asked: PageRequest) -> Page[Case]:
        page = api.list_cases(request=asked, actor=request.actor)
        holders.update(api.list_holders(cases=page.items))
        late.update(api.list_late(cases=page.items))
        return page

    columns = (
        Column(_("编号"), lambda c: c.number),
        Column(_("办件"), lambda c: c.title),
        Column(_("类型"), lambda c: c.kind_title),
        Column(_("类型代码"), lambda c: c.kind),
        Column(_("环节"), lambda c: c.phase_title),
        Column(_("状态"), lambda c: say(CASE_STATES[c.state])),
        Column(_("中止或暂停自"), lambda c: c.paused_at),
        Column(_("中止或暂停的依据"), lambda c: c.pause_basis),
        Column(_("结果"), lambda c: None if c.is_open else c.outcome_title),
        Column(_("结果代码"), lambda c: "" if c.is_open else c.outcome),
        Column(_("到期"), lambda c: c.due_at if c.is_open else None),
        Column(_("已超期"), lambda c: c.case_id in late),
        Column(_("办理人"), lambda c: signs.listed(dict.fromkeys(say_holder(one, c, titles) for one in holders.get(c.case_id, ())))),
        Column(_("申请单位"), lambda c: bodies.get(c.organization, c.organization)),
        Column(_("办理单位"), lambda c: bodies.get(c.owner, c.owner)),
        Column(_("提出人"), lambda c: c.opened_by_name),
        Column(_("提出时间"), lambda c: c.opened_at),
        Column(_("办结时间"), lambda c: c.closed_at),
    )
    return export_csv(name="cases", columns=columns, wanted=wanted, take=take)


def _box(case: Case, picks: Collection[str] = ()) -> SafeString:
    """Return the box that picks a case for the form of the page; only what is open can be reminded."""
    told = __("选中 %(title)s %(number)s") % {"title": case.title, "number": case.number}
    box = '<input type="checkbox" class="form-check-input" form="bulk" name="pick" value="{}" aria-label="{}"{}>'
    chosen = SafeString(" checked" if case.case_id in picks else "")
    return format_html(box, case.case_id, told, chosen) if case.is_open else SafeString("")


@require_safe
@requires("cases.view")
def list_cases(request: HttpRequest) -> HttpResponse:
    """List the cases that the actor may see."""
    picks = picked.recall(request, "cases:remind")
    wanted = read_page_request(request, filters=FILTERS, sorts=SORTS, sort="-opened_at", size=page_size(request))
    take = partial(api.list_cases, actor=request.actor)
    if request.GET.get("export"):
        return _export(request, wanted)
    kinds = api.list_kinds()
    kind = next((info.code for info in kinds if info.code == wanted.filters.get("kind")), "")
    page = take(request=wanted)
    stood_in = api.list_stood_in(cases=page.items, actor=request.actor)

    def stage(case: Case) -> Any:
        tag, name = state_tag(case), stood_in.get(case.case_id)
        return (tag, Tag(__("代 %(name)s（请假）") % {"name": name}, "grey")) if name else tag

    due = replace(COLUMNS[3], wide=any(case.paused_at for case in page.items))
    listing = Listing(
        request=request,
        page=page,
        wanted=wanted,
        columns=(Column("", partial(_box, picks=picks)), *COLUMNS[:2], Column(_("环节"), stage, sort="phase", wide=bool(stood_in)), due, *COLUMNS[4:]),
        caption=_("办件"),
        facet_titles={"kind": _("类型"), "state": _("状态"), "part": _("我的")},
        choices={
            "kind": [(info.code, info.title) for info in kinds],
            "state": [(state, say(titles)) for state, titles in CASE_STATES.items()],
            "part": [("opened", _("我提出的")), ("handled", _("我办过的"))],
        },
        search_label=_("标题、编号、单位、姓名、内容、意见"),
        export=True,
        find=FindForm.of(wanted=wanted.filters, choices=_choices(request, kind)),
        find_help="" if kind else _("先选类型，就能按环节和待办筛选。"),
        empty=Empty(_("还没有办件"), _("提交审核或申请数据后，办件会列在这里。")),
    )
    more = {"position": _position(wanted.filters), "views": view_chips(request, "list"), "key_map": key_map()}
    sizes = {"sizes": size_links(listing), "size": wanted.size}
    context = {"listing": listing, "here": address_of(request), "remind": reverse("cases:remind"), **more, **sizes}
    return render(request, "cases/list.html", context)


def _choices(request: HttpRequest, kind: str) -> dict[str, dict[str, str]]:
    """Return what each further filter can be; phases and obligations belong to the chosen kind."""
    spec = api.get_kind(code=kind) if kind else None
    return {
        "due": {**{name: str(title) for name, title in DUE_TABS if name}, "late": __("有超期办结的")},
        "organization": api.organization_choices(),
        "person": api.list_own_team(actor=request.actor),
        "phase": {phase.code: say(phase.title.as_mapping()) for phase in spec.phases} if spec else {},
        "obligation": {name: say(one.title.as_mapping()) for name, one in spec.obligations.items()} if spec else {},
    }


def _position(filters: Mapping[str, str]) -> str:
    """Return in words what the address asks for and no filter of the page shows: what goes on, a version, a position in it."""
    told = [__("在办")] if filters.get("state") == "running" else []
    if not filters.get("kind") or not filters.get("version", "").isdecimal():
        return signs.listed(told)
    if not filters.get("phase") or not filters.get("open"):
        return signs.listed([*told, __("第 %(n)s 版") % {"n": int(filters["version"][:9])}])
    number, names = int(filters["version"][:9]), filters["open"].strip("-").split(",")
    try:
        spec = api.get_kind(code=filters["kind"], number=number)
    except KindNotFound:
        return ""
    position = say_position(spec, filters["phase"], filter(None, names))
    return __("第 %(n)s 版，%(position)s") % {"n": number, "position": position}
