"""One case: its page, its actions and its generic operators."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as __
from django.views.decorators.http import require_http_methods, require_safe

from yunhe.core.cases import api
from yunhe.core.cases.errors import ActionNotOffered
from yunhe.core.cases.forms import operators, places
from yunhe.core.cases.forms.actions import build_form, say
from yunhe.core.cases.panels import kinds
from yunhe.core.cases.panels.cases import case_context, names_in
from yunhe.core.cases.types import ActionView, Case, CaseView, OperatorView
from yunhe.ui.doors import requires
from yunhe.ui.pages import safe_next


@require_safe
@requires("cases.view", "cases.act")
def show_case(request: HttpRequest, case_id: str) -> HttpResponse:
    """Show one case on a page of its own."""
    view = api.access_case(case_id=case_id, actor=request.actor)
    here = reverse("cases:case", args=[case_id])
    context = case_context(request, view, here=here, **asked(request, view)) | {"course": kinds.course_of(view)}
    return render(request, "cases/case.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("cases.act")
def act(request: HttpRequest, case_id: str, obligation_id: str, action: str) -> HttpResponse:
    """Take an action; a refused form is shown again beside the case."""
    view = api.access_case(case_id=case_id, actor=request.actor)
    offered = _offered(view, obligation_id, action)
    here = reverse("cases:case", args=[case_id])
    place, names = places.ActionPlace(case_id, obligation_id, action, request.actor), names_in(view)
    if request.method != "POST":
        return _action_page(request, view, offered, places.show(offered, place, names))
    filling = places.take(request, offered, place, names)
    if filling.step in (places.SAVE, places.LEAVE):
        place.keep(filling.typed)
        return _kept(request, filling, f"{here}?ob={obligation_id}&act={action}#case")
    if filling.step == places.SUBMIT:
        done = places.hand_in(filling, place, partial(_do, request, view, offered, filling.form))
        if done is not None:
            messages.success(request, __("已办理：%(what)s。") % {"what": say(offered.title)})
            return redirect(safe_next(request, here))
    return _action_page(request, view, offered, filling)


def _kept(request: HttpRequest, filling: places.Filling, here: str) -> HttpResponse:
    if filling.step == places.LEAVE:
        return HttpResponse(status=204)
    for note in filling.notes:
        messages.error(request, note)
    messages.success(request, __("已保存，下次打开时继续填写。"))
    return redirect(here)


def _action_page(request: HttpRequest, view: CaseView, offered: ActionView, filling: places.Filling) -> HttpResponse:
    here = reverse("cases:case", args=[view.case.case_id])
    context = case_context(request, view, here=here, after=safe_next(request, here), form=(offered, filling.form))
    return render(request, "cases/case.html", {**context, "filling": filling}, status=filling.form.status)


@require_http_methods(["POST"])
@requires("cases.view")
def operate(request: HttpRequest, case_id: str, operator: str) -> HttpResponse:
    """Use a generic operator (转办、加签、退回…) on a case; its form comes back with what is wrong."""
    view = api.access_case(case_id=case_id, actor=request.actor)
    one = _operator(view, operator, request.POST.get("ob", ""))
    offered = operators.offer_of(view, one)
    form = build_form(offered, request.POST, names=operators.names_of(one))

    def run(_cleaned: dict[str, Any]) -> Case:
        seen = _seen_version(request, view)
        return operators.run(one, view=view, values=form.values(), version=seen, actor=request.actor)

    if form.submit(run, also=("refused",)) is not None:
        messages.success(request, __("已办理：%(what)s。") % {"what": say(offered.title)})
        return redirect(safe_next(request, reverse("cases:case", args=[case_id])))
    here = reverse("cases:case", args=[case_id])
    context = case_context(request, view, here=here, after=safe_next(request, here), form=(offered, form), operator=one)
    return render(request, "cases/case.html", context, status=form.status)


def asked(request: HttpRequest, view: CaseView) -> dict[str, Any]:
    """Return the form, with its filling or the operator that it is of, that the address asks for (`act` or `op`, with `ob`)."""
    named = request.GET.get("op", "")
    one = next((o for o in view.operators if (o.name, o.obligation_id) == (named, request.GET.get("ob", ""))), None)
    if one is None:
        return _asked_form(request, view)
    offered = operators.offer_of(view, one)
    return {"form": (offered, build_form(offered, names=operators.names_of(one))), "operator": one}


def _asked_form(request: HttpRequest, view: CaseView) -> dict[str, Any]:
    """Return the form that the address asks for (`act`, `ob`), if the action is offered, with what was kept of it."""
    asked = (request.GET.get("ob"), request.GET.get("act"))
    found = next((a for a in view.actions if (a.obligation_id, a.name) == asked and not a.refusal), None)
    if found is None:
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


def _offered(view: CaseView, obligation_id: str, action: str) -> ActionView:
    for offered in view.actions:
        if (offered.obligation_id, offered.name) == (obligation_id, action):
            return offered
    raise ActionNotOffered(number=view.case.number, action=action)


def _seen_version(request: HttpRequest, view: CaseView) -> int:
    seen = request.POST.get("version", "")
    return int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else view.case.version


def _operator(view: CaseView, name: str, obligation_id: str) -> OperatorView:
    """Return the operator if it is offered. Raises: ActionNotOffered."""
    for one in view.operators:
        if (one.name, one.obligation_id) == (name, obligation_id):
            return one
    raise ActionNotOffered(number=view.case.number, action=str(operators.LABELS.get(name, name)))
