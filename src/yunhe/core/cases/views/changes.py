"""Pages of the change procedure: which changes there are, planning one, and leading it to its end."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import groupby
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as __
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from yunhe.core.cases import api
from yunhe.core.cases.forms.actions import say, say_all
from yunhe.core.cases.forms.changes import PlanForm, ReasonForm, key_of
from yunhe.core.cases.panels.changes import (
    STATES,
    Versions,
    change_table,
    is_plain,
    left_out_words,
    move_table,
    move_words,
    phase_title,
    position_href,
    rival_links,
    say_group,
    state_of,
    state_tag,
    versions_of,
)
from yunhe.core.cases.panels.trials import trial_groups
from yunhe.core.cases.rules.migrating import key_of as place_of
from yunhe.core.cases.types import WENT_ON, DryRun, Migration, Move, OutdatedKind, Trial
from yunhe.core.jobs import api as jobs
from yunhe.core.jobs.types import JobInfo
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now
from yunhe.ui import signs
from yunhe.ui.cells import Action, Column, Empty, Fact, Link, Progress, Step, Table
from yunhe.ui.doors import requires
from yunhe.ui.lists import Listing, export_csv, read_page_request
from yunhe.ui.pages import confirm_page

AT_ONCE = 20
"""So few cases are tried while the page is asked for; more, after it is shown."""
FRESH = timedelta(minutes=1)
"""So long a dry run holds even where cases went on meanwhile: else none would ever be shown where work is never still."""
STORED = ("drafted", "approved", "running", "done", "withdrawn")


def _columns(actor: Actor) -> tuple[Column, ...]:
    def state(change: Migration) -> Any:
        begun = change.state in ("approved", "running")
        return state_tag(change, api.find_migration_job(migration_id=change.migration_id, actor=actor) if begun else None)

    return (
        Column(_("类型"), lambda c: Link(say(c.kind_title), _href(c.migration_id), sub=c.kind), sort="kind_code", wide=True),
        Column(_("版本"), lambda c: f"{c.source_number} → {c.target_number}"),
        Column(_("状态"), state, sort="state"),
        Column(_("已移动"), lambda c: c.moved, sort="moved", number=True),
        Column(_("起草人"), lambda c: c.author_name),
        Column(_("批准人"), lambda c: c.approver_name or None),
        Column(_("起草时间"), lambda c: c.made_at, sort="made_at"),
    )


@require_safe
@requires("cases.change")
def list_changes(request: HttpRequest) -> HttpResponse:
    """List the changes of procedures, and the kinds with running cases of an older version."""
    wanted = read_page_request(
        request, filters=("kind", "state"), sorts=("kind_code", "state", "moved", "made_at"), sort="-made_at"
    )
    take = partial(api.list_migrations, actor=request.actor)
    if request.GET.get("export"):
        return export_csv(name="changes", columns=_columns(request.actor), wanted=wanted, take=lambda w: take(request=w))
    page = take(request=wanted)
    titles = {info.code: say(info.title) for info in api.list_kinds()}
    listing = Listing(
        request=request, page=page, wanted=wanted, columns=_columns(request.actor), caption=_("流程变更"),
        facet_titles={"state": _("状态"), "kind": _("办件类型")} if page.facets else {},
        choices={"state": [(code, STATES[code][0]) for code in STORED], "kind": list(titles.items())},
        search_label=_("搜索类型代码、原因、人员"), export=True,
        empty=Empty(_("还没有流程变更"), _("办件类型有了新版本、旧版本还有在办办件时，可以从上面拟定。")),
    )  # fmt: skip
    outdated = _outdated(api.list_outdated(actor=request.actor), linked=request.actor.may("cases.view"))
    context = {"listing": listing, "outdated": outdated, "packs": request.actor.may("packs.view")}
    return render(request, "cases/changes.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("cases.change")
def plan_change(request: HttpRequest, kind: str) -> HttpResponse:
    """Plan how the running cases of an older version move to the newest."""
    number = request.GET.get("from", "")
    source = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None
    return _plan_page(request, api.plan_migration(kind=kind, source_number=source, actor=request.actor))


@require_http_methods(["GET", "HEAD", "POST"])
@requires("cases.change")
def plan_back(request: HttpRequest, migration_id: str) -> HttpResponse:
    """Plan the way back from a change."""
    return _plan_page(request, api.undo_plan(migration_id=migration_id, actor=request.actor))


@require_safe
@requires("cases.change")
def show_change(request: HttpRequest, migration_id: str) -> HttpResponse:
    """Show one change: the versions, the positions, how far it is, and what this person may do with it."""
    change = api.get_migration(migration_id=migration_id, actor=request.actor)
    job = api.find_migration_job(migration_id=migration_id, actor=request.actor)
    versions, waiting = versions_of(change), change.state in ("drafted", "approved", "running")
    busy = job is not None and job.is_open
    dry, trial = _looked(request, change) if waiting and not busy else (None, None)
    known = dry if trial or change.state == "running" or (dry and dry.problems) else None  # no act before cases were tried
    context = {
        "change": change, "title": say(change.kind_title), "state": state_tag(change, job), "steps": _steps(change, state_of(change, job)),
        "facts": _facts(change), "changes": change_table(change, versions), "moves": move_table(change, versions, request.actor),
        "dry": known, "problems": _problems(dry, change, versions, request.actor),
        "trial": trial_groups(trial.dry, versions, request.actor) if trial else [], "counted": trial,
        "counting": dry.moved if dry and change.state != "running" and not (trial and _is_fresh(trial)) else 0,
        "progress": _progress(change, job) if busy and job else None,
        "failure": job.error if job and job.state == "failed" and change.state in ("approved", "running") else None,
        "stopped": state_of(change, job) == "stopped", "total": change.moved + dry.moved if dry else 0, "acts": _acts(request, change, busy, known),
        "own": change.state == "drafted" and change.author == request.actor.id, "in_the_way": say(change.in_the_way) if change.in_the_way else "",
        "rivals": rival_links(change, request.actor) if waiting else [],
    }  # fmt: skip
    return render(request, "cases/change.html", context)


@require_POST
@requires("cases.change")
def try_change(request: HttpRequest, migration_id: str) -> HttpResponse:
    """Count a change's dry run anew and keep it; the page that asked shows it."""
    change = api.get_migration(migration_id=migration_id, actor=request.actor)
    api.make_trial(plan=change, actor=request.actor)
    if request.headers.get("HX-Request"):
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return redirect("changes:change", migration_id)


@require_safe
@requires("cases.change")
def show_progress(request: HttpRequest, migration_id: str) -> HttpResponse:
    """Show how far a change is; the whole page changes when its job ends."""
    change = api.get_migration(migration_id=migration_id, actor=request.actor)
    job = api.find_migration_job(migration_id=migration_id, actor=request.actor)
    if job is None or not job.is_open:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    return render(request, "components/progress.html", {"it": _progress(change, job)})


@require_http_methods(["GET", "HEAD", "POST"])
@requires("cases.change")
def approve_change(request: HttpRequest, migration_id: str) -> HttpResponse:
    """Ask, then approve a drafted change as the second person."""
    change = api.get_migration(migration_id=migration_id, actor=request.actor)
    if request.method == "POST":
        api.approve_migration(migration_id=migration_id, actor=request.actor)
        messages.success(request, __("已批准，可以执行。"))
        return redirect("changes:change", migration_id)
    told = [__("起草人 %(name)s：%(reason)s") % {"name": change.author_name, "reason": change.reason}, *_consequences(request, change)]
    question = __("批准“%(name)s”的流程变更？") % {"name": say(change.kind_title)}
    return _confirm(request, change, _("批准流程变更"), question, told, _("批准"), tone="primary")


@require_http_methods(["GET", "HEAD", "POST"])
@requires("cases.change")
def apply_change(request: HttpRequest, migration_id: str) -> HttpResponse:
    """Ask, then move the cases in the background."""
    change = api.get_migration(migration_id=migration_id, actor=request.actor)
    if request.method == "POST":
        api.start_migration(migration_id=migration_id, actor=request.actor)
        messages.success(request, __("已交给后台执行。"))
        return redirect("changes:change", migration_id)
    told = [*_consequences(request, change), __("可以随时停下，再从停下的地方继续。"), __("完成后可以拟定返回旧流程的方案。")]
    question = __("现在移动“%(name)s”的在办办件？") % {"name": say(change.kind_title)}
    return _confirm(request, change, _("执行流程变更"), question, told, _("执行"), tone="primary")


@require_http_methods(["GET", "HEAD", "POST"])
@requires("cases.change")
def withdraw_change(request: HttpRequest, migration_id: str) -> HttpResponse:
    """Ask, then take a change back that is not done."""
    change = api.get_migration(migration_id=migration_id, actor=request.actor)
    if request.method == "POST":
        api.withdraw_migration(migration_id=migration_id, actor=request.actor)
        messages.success(request, __("已撤回。"))
        return redirect("changes:change", migration_id)
    moved = [__("已移动的 %(n)s 件不会移回；其余办件留在原版本。") % {"n": change.moved}] if change.moved else []
    question = __("撤回这项流程变更？")
    return _confirm(request, change, _("撤回流程变更"), question, [*moved, __("撤回后不能再执行，需要时请重新拟定。")], _("撤回"))


@require_POST
@requires("cases.change")
def stop_change(request: HttpRequest, migration_id: str) -> HttpResponse:
    """Stop moving cases between two transactions; what was moved stays so."""
    job = api.find_migration_job(migration_id=migration_id, actor=request.actor)
    if job is not None and job.is_open:
        jobs.cancel_job(job_id=job.id, actor=request.actor)
        messages.success(request, __("已要求停下，正在移动的一批办完后停止。"))
    return redirect("changes:change", migration_id)


def _looked(request: HttpRequest, change: Migration) -> tuple[DryRun, Trial | None]:
    """Return what stands in the way now, and the dry run that is kept; few cases are tried at once."""
    dry = api.check_plan(plan=change, actor=request.actor)
    trial = api.find_trial(plan=change, actor=request.actor) if change.state != "running" else None
    if change.state != "running" and not (trial and trial.is_current) and dry.moved <= AT_ONCE:
        trial = api.make_trial(plan=change, actor=request.actor)
    if trial is None:
        return dry, None
    return (trial.dry if trial.is_current else replace(dry, groups=trial.dry.groups)), trial


def _is_fresh(trial: Trial) -> bool:
    return trial.is_current or now() - trial.made_at < FRESH


def _tried(request: HttpRequest, plan: Migration, *, anew: bool) -> Trial:
    """Return the dry run of a plan as it was filled in; the one that was just made holds unless a new one is asked for."""
    kept = None if anew else api.find_trial(plan=plan, actor=request.actor)
    return kept if kept and _is_fresh(kept) else api.make_trial(plan=plan, actor=request.actor)


def _href(migration_id: str, name: str = "change") -> str:
    return reverse(f"changes:{name}", args=[migration_id])


def _outdated(found: tuple[OutdatedKind, ...], *, linked: bool) -> Table:
    def running(one: OutdatedKind) -> Any:
        href = f"{reverse('cases:list')}?{urlencode({'kind': one.kind, 'state': 'running', 'version': one.source_number})}"
        return Link(f"{one.cases:,}", href) if linked else one.cases

    columns = (
        Column(_("类型"), lambda o: say(o.title), wide=True),
        Column(_("版本"), lambda o: __("第 %(old)s 版，最新第 %(new)s 版") % {"old": o.source_number, "new": o.target_number}),
        Column(_("在办"), running, number=True),
        Column(_("操作"), lambda o: Action(__("拟定变更"), f"{reverse('changes:plan', args=[o.kind])}?from={o.source_number}", "primary")),
    )
    return Table(columns, found, str(_("旧版本的在办办件")), Empty(_("在办办件都在最新版本上")))


def _plan_page(request: HttpRequest, plan: Migration) -> HttpResponse:
    """Show the plan's form with what a dry run says; draft it when asked to and nothing stands in the way."""
    posted = request.POST if request.method == "POST" else None
    versions = versions_of(plan)
    form = PlanForm(plan, versions, posted)
    drafting = posted is not None and posted.get("step") == "draft"
    reason = ReasonForm(posted if drafting else None, initial={"reason": posted.get("reason", "") if posted else ""})
    told, fresh, dry, trial = form.read(), form.fresh, None, None
    if told is not None:
        trial = None if posted is None else _tried(request, told, anew=not drafting)
        dry, form = trial.dry if trial else api.check_plan(plan=told, actor=request.actor), PlanForm(told, versions)
    if told is not None and drafting and dry is not None and dry.is_sound and not fresh:
        done = reason.submit(lambda data: api.draft_migration(plan=told, reason=data["reason"], actor=request.actor))
        if done is not None:
            messages.success(request, __("已起草，等第二人批准。"))
            return redirect("changes:change", done.migration_id)
    held = told is None or fresh or (dry is not None and not dry.is_sound)
    context = {
        "plan": plan, "title": say(plan.kind_title), "changes": change_table(plan, versions), "dry": dry, "reason": reason,
        "trial": trial_groups(dry, versions, request.actor) if dry else [], "rivals": rival_links(plan, request.actor),
        "phases": _phases(form, versions, dry, fresh, request), "held": held, "asked": posted is not None,
        "problems": _problems(dry, told or plan, versions, request.actor), "counted": trial,
    }  # fmt: skip
    return render(request, "cases/plan.html", context, status=422 if drafting and (held or reason.errors) else 200)


def _phases(form: PlanForm, versions: Versions, dry: DryRun | None, fresh: frozenset[str], request: HttpRequest) -> list[dict[str, Any]]:
    """Return the parts of the form by phase, in the order of the kind's phases."""
    order = {phase.code: place for place, phase in enumerate(versions.old.phases)}
    linked, plan = request.actor.may("cases.view") and not form.plan.undoes, form.plan
    found = []
    for phase, parts in groupby(sorted(form.forms, key=lambda f: order.get(f.move.phase, 0)), key=lambda f: f.move.phase):
        groups = [
            {
                "form": part, "title": say_group(versions, part.move), "cases": part.move.cases,
                "href": position_href(plan.kind, plan.source_number, phase, part.move.obligations) if linked else "",
                "problems": [say(one) for one in dry.problems.get(place_of(part.move), ())] if dry else [],
                "went_on": part.move.origin == WENT_ON, "left_out": left_out_words(part.move, versions),
                "fresh": part.prefix in fresh, "words": say_all(move_words(part.move, versions)),
            }
            for part in parts
        ]  # fmt: skip
        found.append({"title": phase_title(versions.old, phase), "groups": groups, "whole": form.whole(phase) if len(groups) > 1 else None})
    return found


def _problems(dry: DryRun | None, plan: Migration, versions: Versions, actor: Actor) -> list[dict[str, str]]:
    """Return each group that cannot be moved so: its name, where to look at it, and what stands in the way."""
    known, here, linked = {place_of(move): move for move in plan.moves}, not plan.migration_id, actor.may("cases.view")
    found = []
    for (phase, names, origin), problems in dry.problems.items() if dry else ():
        move = known.get((phase, names, origin)) or Move(phase, names, origin=origin and WENT_ON)
        href = position_href(plan.kind, plan.source_number, phase, names) if linked and not plan.undoes else ""
        href = f"#{key_of(move)}-title" if here else href
        found.append({"title": say_group(versions, move), "href": href, "what": say_all(say(one) for one in problems)})
    return found


def _steps(change: Migration, state: str) -> list[Step]:
    """Return the four steps with who did them, and how far the third is."""
    place = {"drafted": 1, "approved": 2, "running": 2, "done": 4, "withdrawn": 1 if not change.approver_name else 2}[change.state]
    notes = [change.author_name, change.approver_name, _carried_out(state), ""]
    found = []
    for number, title in enumerate((__("起草"), __("第二人批准"), __("执行"), __("完成"))):
        here = "failed" if change.state == "withdrawn" else "now"
        note = notes[number] if number < place or number == 2 else ""
        found.append(Step(title, "done" if number < place else here if number == place else "next", note))  # type: ignore[arg-type]
    return found


def _carried_out(state: str) -> str:
    return {"queued": str(STATES["queued"][0]), "running": __("正在移动"), "stopped": str(STATES["stopped"][0])}.get(state, "")


def _facts(change: Migration) -> list[Fact]:
    back = Link(__("返回的变更"), _href(change.undoes)) if change.undoes else None
    undone = Link(__("返回旧流程的变更"), _href(change.undone_by)) if change.undone_by else None
    facts = [
        Fact(__("版本"), __("第 %(old)s 版 → 第 %(new)s 版") % {"old": change.source_number, "new": change.target_number}),
        Fact(__("原因"), change.reason),
        Fact(__("起草人"), (change.author_name, change.made_at)),
        Fact(__("批准人"), (change.approver_name, change.approved_at) if change.approved_at else None),
        Fact(__("已移动"), change.moved),
        Fact(__("结束"), change.done_at),
    ]
    return facts + [Fact(__("相关变更"), link) for link in (back, undone) if link]


def _consequences(request: HttpRequest, change: Migration) -> list[str]:
    """Return in words what happens to each position, by a dry run of now."""
    versions, dry = versions_of(change), api.check_plan(plan=change, actor=request.actor)
    told = [__("移动 %(moved)s 件，留在原版本 %(kept)s 件。") % {"moved": dry.moved, "kept": dry.kept}]
    changing = (move for move in change.moves if not is_plain(move) and move.choice == "move")
    told += [__("同一类型还有一项变更：%(what)s。") % {"what": link.text} for link in rival_links(change, request.actor)]
    told += [say(change.in_the_way)] if change.in_the_way else []
    told += [signs.pair(say_group(versions, m), say_all(move_words(m, versions))) for m in changing]
    told += [signs.pair(say_group(versions, m), " ".join(words)) for m in change.moves if (words := left_out_words(m, versions))]
    return told + [signs.pair(one["title"], one["what"]) for one in _problems(dry, change, versions, request.actor)]


def _confirm(request: HttpRequest, change: Migration, title: Any, question: str, told: list[str], submit: Any, tone: str = "danger") -> HttpResponse:
    cancel = _href(change.migration_id)
    return confirm_page(request, title=title, question=question, consequences=told, submit=submit, cancel=cancel, tone=tone)


def _progress(change: Migration, job: JobInfo) -> Progress:
    running = job.state == "running"
    note = __("正在停下") if job.cancel_requested else "" if running else __("在排队，工作进程空闲时开始。")
    title = __("移动在办办件")
    done = max(job.progress_done, change.moved)  # what was moved before it was stopped counts from the first moment on
    return Progress(title, done, job.progress_total or None, note, poll=_href(change.migration_id, "progress"))


def _acts(request: HttpRequest, change: Migration, busy: bool, dry: DryRun | None) -> list[Action]:
    """Return what this person may do with the change now."""
    key, sound = change.migration_id, dry is not None and dry.is_sound and not change.in_the_way
    found = []
    if busy:
        return [Action(__("停下"), _href(key, "stop"), "danger", post=True)]
    if change.state == "drafted" and change.author != request.actor.id and sound:
        found.append(Action(__("批准"), _href(key, "approve"), "primary"))
    if change.state in ("approved", "running") and sound:
        found.append(Action(__("执行") if change.state == "approved" else __("继续执行"), _href(key, "apply"), "primary"))
    if change.in_the_way:
        found.append(Action(__("重新拟定"), f"{reverse('changes:plan', args=[change.kind])}?from={change.source_number}", "primary"))
    if change.state in ("drafted", "approved", "running"):
        found.append(Action(__("撤回"), _href(key, "withdraw"), "danger"))
    if change.state in ("done", "withdrawn") and change.moved and not change.undone_by:
        found.append(Action(__("返回旧流程"), _href(key, "back")))
    return found
