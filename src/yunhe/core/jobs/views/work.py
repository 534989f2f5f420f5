"""Pages of jobs: what runs, how far it is, what failed and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from yunhe.core.jobs import api
from yunhe.core.jobs.types import JobInfo
from yunhe.core.jobs.views.tabs import tabs_of
from yunhe.ui.cells import Action, Code, Column, Empty, Fact, Link, Meter, Progress, Tag
from yunhe.ui.doors import acting, requires
from yunhe.ui.lists import Listing, read_page_request
from yunhe.ui.templatetags.yh import spoken
from yunhe.ui.times import say_span

STATES: Mapping[str, tuple[Any, Any]] = {
    "ready": (_("排队"), "grey"),
    "running": (_("运行中"), "canal"),
    "successful": (_("成功"), "green"),
    "failed": (_("失败"), "red"),
    "cancelled": (_("已取消"), "grey"),
}
JOB_COLUMNS = (
    Column(_("作业"), lambda j: Link(str(spoken(j.title)), _href("job", j.id), sub=_about(j)), wide=True),
    Column(_("状态"), lambda j: _state(j)),
    Column(_("进度"), lambda j: _progress_cell(j)),
    Column(_("谁"), lambda j: _who(j)),
    Column(_("提交"), lambda j: j.enqueued_at),
    Column(_("结束"), lambda j: j.finished_at),
)
PANEL_COLUMNS = (JOB_COLUMNS[0], JOB_COLUMNS[1])
RESULT_TITLES: Mapping[str, Any] = {
    "seen": _("看过"), "changed": _("改动"), "skipped": _("跳过"), "failed": _("失败"), "rows_in": _("读入"),
    "kept": _("留用"), "quarantined": _("隔离"), "rejected": _("拒收"), "snapshot": _("快照"), "release": _("发布"),
    "digest": _("摘要"), "load_id": _("装载号"),
}  # fmt: skip


def _href(name: str, *parts: object) -> str:
    return reverse(f"jobs:{name}", args=parts)


def _about(job: JobInfo) -> str:
    """Say what the job is about: the subject in its key, not the key's own prefix."""
    if job.every_seconds:
        return str(_("定时"))
    return job.key.partition(":")[2] or job.key or job.id


def _who(job: JobInfo) -> str:
    return str(_("系统")) if job.actor_name == job.name else job.actor_name


def _state(job: JobInfo) -> Tag:
    if job.cancel_requested and job.state == "running":
        return Tag(_("正在取消"), "amber")
    title, tone = STATES[job.state]
    return Tag(title, tone)


def _progress_cell(job: JobInfo) -> object:
    if job.state != "running":
        return None
    return Meter(job.share, good=0, fair=0) if job.share is not None else job.progress_done


@require_safe
@requires("jobs.view")
def list_jobs(request: HttpRequest) -> HttpResponse:
    wanted = read_page_request(request, filters=("state", "name", "schedule"))
    listing = Listing(
        request=request, page=api.list_jobs(request=wanted, actor=request.actor), wanted=wanted, columns=JOB_COLUMNS,
        caption=_("作业"), facet_titles={"state": _("状态"), "schedule": _("种类")}, search_label=_("搜索作业、编号"),
        choices={
            "state": tuple((name, title) for name, (title, _tone) in STATES.items()),
            "schedule": (("no", _("一次性")), ("yes", _("定时"))),
        },
        empty=Empty(_("还没有作业"), _("装载、检测这类要花时间的事会在这里排队和运行。")),
    )  # fmt: skip
    return render(request, "jobs/list.html", {"listing": listing, "tabs": tabs_of("list", request.actor), "title": _("作业")})


@require_safe
@requires("signed_in")
def show_job(request: HttpRequest, job_id: str) -> HttpResponse:
    """Everybody may see the jobs they asked for themselves; the api decides."""
    job = api.access_job(job_id=job_id, actor=acting(request))
    context = {
        "job": job, "state": _state(job), "progress": _progress(job), "facts": _facts(job), "acts": _acts(request, job),
        "result": tuple(Fact(RESULT_TITLES.get(name, name), _plain(value)) for name, value in (job.result or {}).items()),
    }  # fmt: skip
    return render(request, "jobs/job.html", context)


def _plain(value: object) -> object:
    if isinstance(value, int) and abs(value) > 10**15:  # an id, not an amount
        return Code(str(value))
    return value if isinstance(value, str | int | float | bool) else Code(str(value)) if value is not None else None


def _progress(job: JobInfo) -> Progress | None:
    if not job.is_open:
        return None
    total = job.progress_total or None
    note = job.progress_note if job.state == "running" else str(_("在排队，工作进程空闲时开始。"))
    return Progress(str(spoken(job.title)), job.progress_done, total, note, poll=_href("progress", job.id))


@require_safe
@requires("signed_in")
def show_progress(request: HttpRequest, job_id: str) -> HttpResponse:
    job = api.access_job(job_id=job_id, actor=acting(request))
    if not job.is_open:  # the whole page has changed: its state, its result, what can be done
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "components/progress.html", {"it": _progress(job)})


def _facts(job: JobInfo) -> tuple[Fact, ...]:
    seconds = (job.finished_at - job.started_at).total_seconds() if job.finished_at and job.started_at else None
    return (
        Fact(_("编号"), Code(job.id)),
        Fact(_("种类"), Code(job.name)),
        Fact(_("提交人"), _who(job)),
        Fact(_("提交"), job.enqueued_at),
        Fact(_("开始"), job.started_at),
        Fact(_("结束"), job.finished_at),
        Fact(_("用时"), say_span(seconds) if seconds is not None and seconds >= 0 else None),
        Fact(_("尝试"), f"{job.attempts} / {job.attempts_limit}"),
        Fact(_("下次运行"), job.run_after if job.every_seconds else None),
        Fact(_("参数"), tuple(Code(f"{name}={value}") for name, value in job.arguments.items()) or None),
    )


def _acts(request: HttpRequest, job: JobInfo) -> tuple[Action, ...]:
    actor = request.actor
    if actor is None or not (actor.may("jobs.manage") or actor.id == job.actor_id):
        return ()
    if job.state == "running" or (job.state == "ready" and job.every_seconds is None):
        return (Action(_("取消作业"), _href("cancel", job.id), "danger", post=True),)
    if job.state in ("failed", "cancelled"):
        return (Action(_("重试"), _href("retry", job.id), "primary", post=True),)
    return ()


@require_POST
@requires("signed_in")
def cancel_job(request: HttpRequest, job_id: str) -> HttpResponse:
    """One's own job, or any with jobs.manage; the api decides."""
    job = api.cancel_job(job_id=job_id, actor=acting(request))
    messages.success(request, _("已要求取消，作业会在下一个检查点停下。") if job.is_open else _("作业已取消。"))
    return redirect("jobs:job", job_id)


@require_POST
@requires("signed_in")
def retry_job(request: HttpRequest, job_id: str) -> HttpResponse:
    """One's own job, or any with jobs.manage; the api decides."""
    api.retry_job(job_id=job_id, actor=acting(request))
    messages.success(request, _("作业已放回队列。"))
    return redirect("jobs:job", job_id)
