"""Pages of lake: loads and releases."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as __
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yunhe.core.jobs import api as jobs
from yunhe.core.jobs.types import JobInfo
from yunhe.data.catalog import api as catalog
from yunhe.data.catalog.types import Resource
from yunhe.data.lake import api
from yunhe.data.lake.types import ROW_REASONS, Load, Release
from yunhe.kernel.actor import Actor
from yunhe.kernel.pages import PageRequest
from yunhe.ui.cells import Action, Code, Column, Empty, Fact, Kpi, Link, Progress, Tag
from yunhe.ui.doors import requires
from yunhe.ui.forms import YunheForm
from yunhe.ui.lists import Listing, export_csv, read_page_request
from yunhe.ui.pages import confirm_page
from yunhe.ui.templatetags.yh import spoken

STATES = {
    "running": (_("装载中"), "amber"),
    "released": (_("已发布"), "green"),
    "failed": (_("未完成"), "red"),
    "cancelled": (_("已取消"), "grey"),
}
STAGES = {
    "source": _("读取数据源"),
    "table": _("写入数据湖"),
    "quality": _("质量检测"),
    "release": _("发布"),
}


class ReasonForm(YunheForm):
    reason = forms.CharField(label=_("理由"), max_length=500, help_text=_("本次操作记入存证。"))


def _title(code: str) -> str:
    resource = catalog.find_resource(code=code)
    return resource.title if resource else code


def _state(load: Load) -> Tag:
    text, tone = STATES[load.state]
    return Tag(text, tone)


COLUMNS = (
    Column(_("资源"), lambda r: Link(_title(r.resource_code), reverse("lake:load", args=[r.load_id]), sub=r.resource_code), wide=True, sub=_("代码")),
    Column(_("状态"), _state),
    Column(_("读入"), lambda r: r.rows_in, number=True),
    Column(_("保留"), lambda r: r.kept, number=True),
    Column(_("隔离"), lambda r: r.quarantined, number=True),
    Column(_("拒收"), lambda r: r.rejected, number=True),
    Column(_("开始"), lambda r: r.started_at),
    Column(_("经办"), lambda r: r.actor_name),
)


@require_safe
@requires("lake.view")
def list_loads(request: HttpRequest) -> HttpResponse:
    wanted = read_page_request(request, filters=("state", "resource"))
    take = partial(api.list_loads, actor=request.actor)
    if request.GET.get("export"):
        return export_csv(name="loads", columns=COLUMNS, wanted=wanted, take=lambda w: take(request=w))
    listing = Listing(
        request=request,
        page=take(request=wanted),
        wanted=wanted,
        columns=COLUMNS,
        caption=_("装载记录"),
        facet_titles={"state": _("状态")},
        choices={"state": [(code, text) for code, (text, _tone) in STATES.items()]},
        search_label=_("搜索资源代码、经办人"),
        export=True,
        empty=Empty(
            _("还没有装载记录"), _("在资源页点“装载”，每一行的去向都会列在这里。"), _("打开一本账"), reverse("catalog:list")
        ),
    )
    return render(request, "lake/list.html", {"listing": listing})


@require_safe
@requires("lake.view")
def load_page(request: HttpRequest, load_id: str) -> HttpResponse:
    load = api.get_load(load_id=load_id, actor=request.actor)
    resource = catalog.access_resource(code=load.resource_code, actor=request.actor)
    context = {
        "load": load,
        "resource": resource,
        "state": _state(load),
        "numbers": _fates(load),
        "facts": _receipt(load),
        "quarantine_reasons": _reasons(load.quarantine_reasons, resource),
        "rejected_reasons": _reasons(load.rejected_reasons, resource),
        "progress": _progress(load) if load.state == "running" else None,
        "returned": api.find_return(load_id=load_id),
        "return_act": _return_act(request, load),
    }
    return render(request, "lake/load.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("lake.load")
def return_records(request: HttpRequest, load_id: str) -> HttpResponse:
    """Return the set-aside records of a load to the department of its source."""
    load = api.get_load(load_id=load_id, actor=request.actor)
    form = ReasonForm(request.POST or None)
    if request.method == "POST":
        case = form.submit(lambda data: api.return_to_source(load_id=load_id, reason=data["reason"], actor=request.actor))
        if case is not None:
            messages.success(request, __("已退回数源，办件编号 %(number)s。") % {"number": case.number})
            return redirect("cases:case", case.case_id)
    return confirm_page(
        request,
        title=_("退回数源"),
        question=__("把隔离的 %(quarantined)s 条、拒收的 %(rejected)s 条记录退回数源部门核实？")
        % {"quarantined": load.quarantined or 0, "rejected": load.rejected or 0},
        consequences=[
            _("数源部门的数据专员须在 10 个工作日内更正或说明。"),
            _("办件只写原因和条数，不含记录内容；记录在装载页查看。"),
            _("下一次装载没有这些记录时，办件自动办结。"),
        ],
        submit=_("退回数源"),
        cancel=reverse("lake:load", args=[load_id]),
        form=form,
        tone="primary",
    )


def _return_act(request: HttpRequest, load: Load) -> Action | None:
    may = request.actor.may("lake.load", organization=load.owner) and bool(load.quarantined or load.rejected)
    return Action(_("退回数源"), reverse("lake:return", args=[load.load_id]), "primary") if may else None


@require_safe
@requires("lake.view")
def load_progress(request: HttpRequest, load_id: str) -> HttpResponse:
    load = api.get_load(load_id=load_id, actor=request.actor)
    return render(request, "components/progress.html", {"it": _progress(load)})


@require_POST
@requires("lake.load")
def start(request: HttpRequest, code: str) -> HttpResponse:
    job_id = api.start_load(code=code, actor=request.actor)
    messages.success(request, _("已开始装载，完成后自动发布。"))
    return redirect("jobs:job", job_id)


@require_safe
@requires("lake.view")
def releases(request: HttpRequest, code: str) -> HttpResponse:
    resource = catalog.access_resource(code=code, actor=request.actor)
    wanted = read_page_request(request)
    may = request.actor.may("lake.load", organization=resource.owner)
    listing = Listing(
        request=request,
        page=api.list_releases(code=code, actor=request.actor, request=wanted),
        wanted=wanted,
        columns=_release_columns(code, may=may),
        caption=_("发布记录"),
        empty=Empty(_("还没有发布"), _("装载成功后自动发布。")),
    )
    context = {"listing": listing, "resource": resource, "asked": api.find_roll_back(code=code)}
    return render(request, "lake/releases.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("lake.load")
def rollback(request: HttpRequest, release_id: str, code: str) -> HttpResponse:
    form = ReasonForm(request.POST or None)
    if request.method == "POST":
        asked = form.submit(
            lambda data: api.request_roll_back(code=code, release_id=release_id, reason=data["reason"], actor=request.actor)
        )
        if asked is not None:
            messages.success(request, __("已提出回退申请 %(number)s，批准后自动回退。") % {"number": asked.number})
            return redirect("cases:case", asked.case_id)
    return confirm_page(
        request,
        title=_("申请回退发布"),
        question=_("申请把这个较早的快照重新设为当前版本？"),
        consequences=[
            _("由本单位另一位负责人批准，批准后自动回退。"),
            _("所有使用方随即改用这个版本，并收到通知。"),
            _("现在的版本保留，可再次切换。"),
        ],
        submit=_("提出申请"),
        cancel=reverse("lake:releases", args=[code]),
        form=form,
        tone="primary",
    )


def _release_columns(code: str, *, may: bool) -> tuple[Column, ...]:
    def act(row: Release) -> object:
        if row.current or not may:
            return Tag(_("当前"), "green") if row.current else None
        if not row.kept:
            return Tag(_("快照已清理"), "grey")
        return Link(_("申请回退到此"), reverse("lake:rollback", args=[row.release_id, code]))

    return (
        Column(_("发布"), lambda r: f"#{r.number}"),
        Column(_("行数"), lambda r: r.rows, number=True),
        Column(_("时间"), lambda r: r.at),
        Column(_("经办"), lambda r: r.actor_name),
        Column(_("快照"), lambda r: Code(str(r.snapshot_id)), wide=True),
        Column("", act),
    )


def _fates(load: Load) -> list[Kpi]:
    if load.rows_in is None:
        return []
    rows = reverse("exchange:rows", args=[load.resource_code])
    keep = f"{rows}?source=current" if load.release_id else ""
    return [
        Kpi(_("读入"), load.rows_in, note=_("按逻辑记录计")),
        Kpi(_("保留"), load.kept, href=keep, note=_("不合格的附问题清单")),
        Kpi(
            _("隔离"),
            load.quarantined,
            href=f"{rows}?source=quarantine&load={load.load_id}" if load.quarantined and load.aside_kept else "",
            note=_("退回数源核实"),
            state="warn" if load.quarantined else "",
        ),
        Kpi(
            _("拒收"),
            load.rejected,
            href=f"{rows}?source=rejected&load={load.load_id}" if load.rejected and load.aside_kept else "",
            note=_("无法按记录读取"),
            state="missed" if load.rejected else "",
        ),
    ]


def _receipt(load: Load) -> list[Fact]:
    return [
        Fact(_("经办"), load.actor_name),
        Fact(_("开始"), load.started_at),
        Fact(_("结束"), load.ended_at),
        Fact(_("内容摘要"), Code(load.digest) if load.digest else None),
        Fact(_("算法"), load.algorithm or None),
        Fact(_("文件 SM3"), Code(load.file_digest) if load.file_digest else None),
        Fact(_("快照"), Code(str(load.snapshot_id)) if load.snapshot_id else None),
        Fact(_("作业"), Link(load.job_id, reverse("jobs:job", args=[load.job_id]))),
    ]


def _reasons(reasons: object, resource: Resource) -> list[Fact]:
    found = dict(reasons) if isinstance(reasons, dict) else {}
    titles = {field.name: field.title for field in resource.contract.fields}
    return [Fact(_reason(name, titles), count) for name, count in sorted(found.items(), key=lambda pair: -pair[1])]


def _reason(name: str, titles: Mapping[str, str]) -> str:
    head, _sep, rest = name.partition(":")
    said = str(spoken(ROW_REASONS.get(head, head)))
    return __("%(name)s：%(value)s") % {"name": said, "value": titles.get(rest, rest)} if rest else said


def _progress(load: Load) -> Progress:
    job: JobInfo = jobs.get_job(job_id=load.job_id)
    poll = reverse("lake:progress", args=[load.load_id]) if load.state == "running" else ""
    note = STAGES.get(load.stage, load.stage)
    return Progress(str(_("装载进度")), job.progress_done, job.progress_total or None, str(note), poll)


def latest_load(actor: Actor, *, code: str) -> dict[str, object] | None:
    """Return the context of the panel beside a resource: its newest load and the button to load."""
    resource = catalog.access_resource(code=code, actor=actor)
    if not actor.may("lake.view", organization=resource.owner):
        return None
    page = api.list_loads(request=PageRequest(size=1, filters={"resource": code}), actor=actor)
    release = api.find_current_release(code=code)
    can = resource.is_published and actor.may("lake.load", organization=resource.owner)
    return {
        "load": page.items[0] if page.items else None,
        "state": _state(page.items[0]) if page.items else None,
        "release": release,
        "start": Action(_("装载"), reverse("lake:start", args=[code]), post=True) if can else None,
        "loads_href": f"{reverse('lake:list')}?resource={code}",
        "releases_href": reverse("lake:releases", args=[code]),
    }
