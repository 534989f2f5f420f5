"""The team: who holds how much, the work behind each number, and handing over what somebody holds who leaves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as __
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from yunhe.core.cases import api
from yunhe.core.cases.api.bulk import MOST_PICKED
from yunhe.core.cases.forms.actions import HandOverForm, say
from yunhe.core.cases.panels.clocks import due_tag, light_tone
from yunhe.core.cases.panels.kinds import language
from yunhe.core.cases.rules.course import ROLE_JOIN
from yunhe.core.cases.rules.diagram import PLATFORM
from yunhe.core.cases.types import TeamLine, TeamWork, WorkItem
from yunhe.core.cases.views import picked
from yunhe.kernel.errors import Refused
from yunhe.kernel.pages import Page
from yunhe.ui.cells import Action, Column, Empty, Link, TabItem, Table, Tag
from yunhe.ui.doors import requires
from yunhe.ui.lists import Listing, export_csv, read_page_request

MEASURES = {
    "open": _("在办"), "overdue": _("已超期"), "today": _("今天到期"), "week": _("近日到期"),
    "done_7": _("近 7 天办结"), "done_30": _("近 30 天办结"), "late_30": _("近 30 天超期办结"),
}  # fmt: skip
PERSON, ROLE, JOB = "user:", "role:", "job:"


@require_safe
@requires("cases.supervise")
def team(request: HttpRequest) -> HttpResponse:
    """Show who of an organisation holds how much; every number leads to its list."""
    teams = api.list_teams(actor=request.actor)
    body = _body(request, teams)
    work = api.get_team(organization=body, actor=request.actor)
    columns = _columns(work, plain=bool(request.GET.get("export")))
    rows = (*work.lines, work.total)
    if request.GET.get("export"):
        wanted = read_page_request(request)
        return export_csv(name="team", columns=columns, wanted=wanted, take=lambda w: Page(rows, len(rows), 1, 500))
    table = Table(columns, rows, str(_("团队工作量")))
    context = {"table": table, "work": work, "teams": sorted(teams.items(), key=lambda pair: pair[1]), "body": body}
    return render(request, "cases/team.html", context)


@require_safe
@requires("cases.supervise")
def team_work(request: HttpRequest) -> HttpResponse:
    """List the work behind one number of the team's page."""
    body = _body(request, api.list_teams(actor=request.actor))
    sorts = ("due_at", "opened_at", "closed_at")
    wanted = read_page_request(request, filters=("holder", "measure"), sorts=sorts, sort="due_at")
    take = partial(api.list_team_work, organization=body, actor=request.actor)
    measure = wanted.filters.get("measure", "open")
    columns = _work_columns(done=measure.startswith("done"))
    if request.GET.get("export"):
        return export_csv(name="team-work", columns=columns, wanted=wanted, take=lambda w: take(request=w))
    listing = Listing(
        request=request, page=take(request=wanted), wanted=wanted, columns=columns, caption=MEASURES.get(measure, ""),
        search_label=_("搜索办件标题、编号、姓名、内容"), export=True, empty=Empty(_("没有这样的待办")),
    )  # fmt: skip
    tabs = [TabItem(str(title), listing.href(measure=name, page=None), name == measure) for name, title in MEASURES.items()]
    line = next((one for one in api.get_team(organization=body, actor=request.actor).lines if one.holder == wanted.filters.get("holder")), None)
    holder = _namer()(line.holder, line.name) if line else ""
    return render(request, "cases/team_work.html", {"listing": listing, "tabs": tabs, "holder": holder, "body": body})


@require_safe
@requires("cases.supervise")
def exceptions(request: HttpRequest) -> HttpResponse:
    """List what waits for nobody: each leads to its case, where it can be given to somebody."""
    called = _namer()

    def case(item: WorkItem) -> Link:
        return Link(item.case_title, reverse("cases:case", args=[item.case_id]), sub=item.number)

    columns = (
        Column(_("办件"), case, wide=True),
        Column(_("类型"), lambda i: i.kind_title),
        Column(_("待办事项"), lambda i: due_tag(i.title, light_tone(i.light))),
        Column(_("等谁"), lambda i: " ".join(filter(None, (i.organization_name, called(i.holder, i.holder_name)))), wide=True),
        Column(_("缺什么"), lambda i: Tag(str(_("不同的人不够") if i.short else _("无人可办")), "red")),
        Column(_("轮到的时间"), lambda i: i.opened_at),
        Column(_("到期"), lambda i: i.due_at),
    )
    empty = Empty(_("没有例外"), _("您监督的单位及其主办的办件里，每个待办都有人可以办。"))
    table = Table(columns, api.list_exceptions(actor=request.actor), str(_("无人可办的待办")), empty)
    return render(request, "cases/exceptions.html", {"table": table})


@require_http_methods(["GET", "HEAD", "POST"])
@requires("cases.supervise")
def hand_over(request: HttpRequest) -> HttpResponse:
    """Hand over what was given to a person; what became of each case has an address of its own."""
    if request.method != "POST" and request.GET.get("of"):
        kept = picked.find(request)
        return picked.nothing_kept(request, "cases:team") if kept is None else render(request, "cases/outcomes.html", picked.read(kept))
    body = _body(request, api.list_teams(actor=request.actor))
    work = api.get_team(organization=body, actor=request.actor)
    people = {line.holder: line.name for line in work.lines if line.holder.startswith(PERSON)}
    form = HandOverForm(request.POST or None, people=people, takers=api.list_takers(organization=body))
    form.initial["person"] = request.GET.get("person", "")
    context = {"form": form, "work": work, "body": body}
    if request.method == "POST":
        done = form.submit(lambda given: api.hand_over(organization=body, actor=request.actor, **given))
        if done is not None:
            kept = {"next": _team_href(body), "texts": [], "again": "", "count": 0, "more": len(done) >= MOST_PICKED}
            return redirect(picked.keep(request, "cases:hand_over", kept | {"lines": [asdict(one) for one in done]}))
    return render(request, "cases/hand_over.html", context, status=form.status)


def _body(request: HttpRequest, teams: dict[str, str]) -> str:
    """Return the organisation that the address names, else one's own. Raises: Refused for one that is not theirs."""
    wanted = request.GET.get("organization") or request.POST.get("organization") or next(iter(teams), "")
    if wanted not in teams:
        raise Refused(permission="cases.supervise")
    return wanted


def _team_href(body: str) -> str:
    return f"{reverse('cases:team')}?{urlencode({'organization': body})}"


def _columns(work: TeamWork, *, plain: bool) -> tuple[Column, ...]:
    def number(name: str) -> Column:
        return Column(MEASURES[name], lambda line: line.counts[name] if plain else _number(work, line, name), number=True)

    def hand(line: TeamLine) -> Any:
        query = urlencode({"organization": work.organization, "person": line.holder})
        held = line.holder.startswith(PERSON) and line.counts["open"]
        return Action(__("移交"), f"{reverse('cases:hand_over')}?{query}") if held else None

    called = _namer()

    def holder(line: TeamLine) -> str:
        if not line.holder:
            return __("合计")
        name = called(line.holder, line.name)
        return __("%(role)s（未指定到人）") % {"role": name} if line.holder.startswith(ROLE) else name

    columns = (Column(_("办理人或岗位"), holder, wide=True), *map(number, MEASURES), Column(_("最久的等待自"), lambda line: line.oldest_at))
    return columns if plain or not any(map(hand, work.lines)) else (*columns, Column("", hand))


def _namer() -> Callable[[str, str], str]:
    """Return a function of a holder and their name: what they are called, a role in the language of the page."""
    titles = api.role_titles(language=language())

    def called(holder: str, name: str) -> str:
        roles = holder.removeprefix(ROLE).split(ROLE_JOIN)
        if holder.startswith(ROLE):
            return " / ".join(titles.get(role, role) for role in roles)
        return say(PLATFORM) if holder.startswith(JOB) else name

    return called


def _number(work: TeamWork, line: TeamLine, name: str) -> Any:
    query = {"organization": work.organization, "measure": name} | ({"holder": line.holder} if line.holder else {})
    count = line.counts[name]
    return Link(f"{count:,}", f"{reverse('cases:team_work')}?{urlencode(query)}") if count else 0


def _work_columns(*, done: bool) -> tuple[Column, ...]:
    def case(item: WorkItem) -> Link:
        return Link(item.case_title, reverse("cases:case", args=[item.case_id]), sub=item.number)

    called = _namer()
    ends = Column(_("办结时间"), lambda i: i.closed_at, sort="closed_at") if done else Column(_("到期"), lambda i: i.due_at, sort="due_at")
    return (
        Column(_("办件"), case, wide=True, sub=_("编号")),
        Column(_("类型"), lambda i: i.kind_title),
        Column(_("待办事项"), lambda i: due_tag(i.title, "grey" if done else light_tone(i.light))),
        Column(_("办理人"), lambda i: called(i.holder, i.holder_name)),
        Column(_("轮到的时间"), lambda i: i.opened_at, sort="opened_at"),
        ends,
    )
