"""One case: its page, its actions and its generic operators."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import escape
from django.utils.translation import gettext as __
from django.views.decorators.http import require_http_methods, require_safe

from yunhe.core.cases import api
from yunhe.core.cases.errors import ActionNotOffered, CaseNotFound
from yunhe.core.cases.forms import operators, places
from yunhe.core.cases.forms.actions import say
from yunhe.core.cases.panels import changed, kinds, left
from yunhe.core.cases.panels.cases import case_context, names_in
from yunhe.core.cases.panels.elsewhere import offers_change_over
from yunhe.core.cases.types import ActionView, Case, CaseView, Draft, OperatorView
from yunhe.kernel.actor import Actor
from yunhe.ui.doors import requires
from yunhe.ui.pages import safe_next

CONFLICT = 409
"""Somebody else was quicker, or it is not the person's any more: nothing was done, nothing is lost."""


@require_safe
@offers_change_over
@requires("cases.view", "cases.act")
def show_case(request: HttpRequest, case_id: str) -> HttpResponse:
    """Show one case on a page of its own."""
    view = api.access_case(case_id=case_id, actor=request.actor)
    here = reverse("cases:case", args=[case_id])
    context = case_context(request, view, here=here, **asked(request, view)) | {"course": kinds.course_of(view)}
    return render(request, "cases/case.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@changed.keeps_seat(changed.keep_step, changed.describe_step)
@offers_change_over
@requires("cases.act", "cases.view")
def act(request: HttpRequest, case_id: str, obligation_id: str, action: str) -> HttpResponse:
    """Take an action; a refused form is shown again beside the case, and one whose step is gone with what happened meanwhile."""
    view = _seen_case(request, case_id)
    if view is None:
        return _left_alone(request)
    offered = _offered(view, obligation_id, action)
    here = reverse("cases:case", args=[case_id])
    if offered is None:
        return _left_page(request, view, obligation_id, action)
    place, names = places.ActionPlace(case_id, obligation_id, action, request.actor), names_in(view)
    if request.method != "POST":
        return _action_page(request, view, offered, places.show(offered, place, names))
    filling = places.take(request, offered, place, names)
    if filling.step in (places.SAVE, places.LEAVE):
        place.keep(filling.typed)
        return _kept(request, filling, f"{here}?ob={obligation_id}&act={action}#case")
    if filling.step != places.SUBMIT:
        return _action_page(request, view, offered, filling)
    done = places.hand_in(filling, place, partial(_do, request, view, offered, filling.form))
    if done is not None:
        messages.success(request, __("已办理：%(what)s。") % {"what": say(offered.title)})
        return redirect(safe_next(request, here))
    view = api.access_case(case_id=case_id, actor=request.actor)
    if _offered(view, obligation_id, action) is None:
        return _left_page(request, view, obligation_id, action)
    return _action_page(request, view, offered, filling)


def _seen_case(request: HttpRequest, case_id: str) -> CaseView | None:
    """Return the case; None where it is not the actor's to see and a text for it was sent. Raises: CaseNotFound."""
    try:
        return api.access_case(case_id=case_id, actor=request.actor)
    except CaseNotFound:
        if request.method == "POST" and left.sent_plainly(request):
            return None
        raise


def _left_alone(request: HttpRequest) -> HttpResponse:
    """Show a text whose case the actor does not see any more, and nothing of the case."""
    if request.POST.get("step") == places.LEAVE:
        return HttpResponse(status=204)
    told = left.take_opening(request, None, None)
    return render(request, "cases/left.html", {"left": told, "title": told.title}, status=CONFLICT)


def _left_page(request: HttpRequest, view: CaseView, obligation_id: str, action: str) -> HttpResponse:
    """Show the case with what was sent for a step that is not the actor's now; nothing was handed in. Raises: ActionNotOffered."""
    here = reverse("cases:case", args=[view.case.case_id])
    if request.method != "POST":
        api.describe_step(case_id=view.case.case_id, obligation_id=obligation_id, action=action, actor=request.actor)
        return redirect(f"{here}?ob={obligation_id}&act={action}#case")
    told = left.take_step(request, view, obligation_id, action)
    if request.POST.get("step") == places.LEAVE:
        return HttpResponse(status=204)
    context = case_context(request, view, here=here, after=safe_next(request, here), left=told)
    return render(request, "cases/case.html", context, status=CONFLICT)


def _kept(request: HttpRequest, filling: places.Filling, here: str) -> HttpResponse:
    if filling.step == places.LEAVE:
        return HttpResponse(status=204)
    for note in filling.notes:
        messages.error(request, note)
    messages.success(request, __("已保存，下次打开时继续填写。"))
    return redirect(here)


def _action_page(request: HttpRequest, view: CaseView, offered: ActionView, filling: places.Filling) -> HttpResponse:
    here = reverse("cases:case", args=[view.case.case_id])
    meanwhile = left.say_events(left.events_since(request, view), view) if filling.form.is_bound else ()
    context = case_context(request, view, here=here, after=safe_next(request, here), form=(offered, filling.form))
    context |= {"filling": filling, "meanwhile": meanwhile}
    return render(request, "cases/case.html", context, status=CONFLICT if meanwhile else filling.form.status)


@require_http_methods(["GET", "HEAD", "POST"])
@changed.keeps_seat(changed.keep_operator, changed.describe_operator)
@requires("cases.view")
def operate(request: HttpRequest, case_id: str, operator: str) -> HttpResponse:
    """Use a generic operator (转办、加签、退回…) on a case; its form comes back with what is wrong. Asked for alone it is the case."""
    if request.method != "POST":
        return redirect("cases:case", case_id)
    view = _seen_case(request, case_id)
    if view is None:
        return _left_alone(request)
    obligation_id, step = request.POST.get("ob", ""), f"{api.OPERATOR}{operator}"
    one = _operator(view, operator, obligation_id)
    if one is None:
        return _left_page(request, view, obligation_id, step)
    offered, form = operators.form_of(view, one, request.POST)

    def run(_cleaned: dict[str, Any]) -> Case:
        seen = _seen_version(request, view)
        return operators.run(one, view=view, values=form.values(), version=seen, actor=request.actor)

    here = reverse("cases:case", args=[case_id])
    if form.submit(run, also=("refused",)) is not None:
        if kept := _kept_of(view, one, request.actor):
            api.discard_draft(draft_id=kept.draft_id, actor=request.actor)
        messages.success(request, __("已办理：%(what)s。") % {"what": say(offered.title)})
        return redirect(safe_next(request, here))
    fresh = api.access_case(case_id=case_id, actor=request.actor)
    if _operator(fresh, operator, obligation_id) is None:
        return _left_page(request, fresh, obligation_id, step)
    meanwhile = left.say_events(left.events_since(request, fresh), fresh)
    context = case_context(
        request, fresh, here=here, after=safe_next(request, here), form=(offered, form), operator=one
    )
    return render(
        request, "cases/case.html", {**context, "meanwhile": meanwhile}, status=CONFLICT if meanwhile else form.status
    )


@require_safe
@requires("cases.view")
def extended(request: HttpRequest, case_id: str) -> HttpResponse:
    """Say when a limit would be due if it were made longer by so much: while the amount is typed into its form."""
    view = api.access_case(case_id=case_id, actor=request.actor)
    one = _operator(view, operators.EXTEND, request.GET.get("ob", ""))
    found = operators.limit_of(view, one) if one else None
    if found is None:
        raise ActionNotOffered(number=view.case.number, action=operators.EXTEND)
    typed = request.GET.get("do-amount", "").strip()
    amount = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 5 else 0
    return HttpResponse(escape(operators.say_extension(*found, min(amount, operators.MOST) or None)))


def asked(request: HttpRequest, view: CaseView) -> dict[str, Any]:
    """Return the form, with its filling or the operator that it is of, that the address asks for (`act` or `op`, with `ob`)."""
    named, obligation_id = request.GET.get("op", ""), request.GET.get("ob", "")
    one = _operator(view, named, obligation_id)
    if one is not None:
        kept = _kept_of(view, one, request.actor)
        return {"form": operators.form_of(view, one, values=kept.values if kept else None), "operator": one}
    if named:
        return {"form": None, "left": left.recall_step(view, obligation_id, f"{api.OPERATOR}{named}", request.actor)}
    return _asked_form(request, view)


def _kept_of(view: CaseView, one: OperatorView, actor: Actor) -> Draft | None:
    """Return what a person kept of an operator's form that could not be used when they sent it."""
    scope = api.action_scope(obligation_id=one.obligation_id or view.case.case_id, action=f"{api.OPERATOR}{one.name}")
    return api.find_drafts(scope=scope, actor=actor)[0]


def _asked_form(request: HttpRequest, view: CaseView) -> dict[str, Any]:
    """Return the form that the address asks for (`act`, `ob`) with what was kept of it; what was kept alone, if it is not offered."""
    obligation_id, action = request.GET.get("ob", ""), request.GET.get("act", "")
    found = _offered(view, obligation_id, action)
    if found is None:
        return {"form": None, "left": left.recall_step(view, obligation_id, action, request.actor) if action else None}
    if found.refusal:
        return {"form": None}
    place = places.ActionPlace(view.case.case_id, found.obligation_id, found.name, request.actor)
    filling = places.show(found, place, names_in(view))
    return {"form": (found, filling.form), "filling": filling}


def _do(request: HttpRequest, view: CaseView, offered: ActionView, form: Any, data: dict[str, Any]) -> Case:
    return api.act(
        case_id=view.case.case_id,
        action=offered.name,
        data=form.values(),
        expected_version=_seen_version(request, view),
        actor=request.actor,
        obligation_id=offered.obligation_id,
    )


def _offered(view: CaseView, obligation_id: str, action: str) -> ActionView | None:
    return next((one for one in view.actions if (one.obligation_id, one.name) == (obligation_id, action)), None)


def _seen_version(request: HttpRequest, view: CaseView) -> int:
    seen = request.POST.get("version", "")
    return int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else view.case.version


def _operator(view: CaseView, name: str, obligation_id: str) -> OperatorView | None:
    return next((one for one in view.operators if (one.name, one.obligation_id) == (name, obligation_id)), None)
