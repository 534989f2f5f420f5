"""Delegations: who acts for whom while they are away."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as __
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from yunhe.core.cases import api
from yunhe.core.cases.forms.actions import AbsenceForm, say, say_all
from yunhe.core.cases.panels import changed
from yunhe.core.cases.panels.cases import absence_columns, leave_table
from yunhe.core.cases.types import Case
from yunhe.kernel.actor import Actor
from yunhe.ui.cells import Empty, Table
from yunhe.ui.doors import requires


def _keep(request: HttpRequest, actor: Actor) -> changed.Kept:
    """Return what was filled in for another membership; whose work is handed over and to whom is for that one alone."""
    form = _form(actor)
    typed = ((str(field.label), request.POST.getlist(name)) for name, field in form.fields.items())
    told = {**api.list_colleagues(actor=actor), **{info.code: say(info.title) for info in api.list_kinds()}}
    texts = [(label, say_all(told.get(one, one) for one in values if one)) for label, values in typed if any(values)]
    return changed.Kept(str(_("委托代办")), texts, reverse("cases:absences"))


def _form(actor: Actor, data: Any = None) -> AbsenceForm:
    kinds = {info.code: say(info.title) for info in api.list_kinds()}
    return AbsenceForm(data, colleagues=api.list_colleagues(actor=actor), kinds=kinds)


@require_http_methods(["GET", "HEAD", "POST"])
@changed.keeps_seat(_keep)
@requires("cases.act")
def absences(request: HttpRequest) -> HttpResponse:
    """Show and ask for delegations: who acts for the actor while they are away, and for whom the actor does."""
    colleagues = api.list_colleagues(actor=request.actor)
    form = _form(request.actor, request.POST or None)
    if request.method == "POST":
        done = form.submit(lambda told: api.take_leave(**told, actor=request.actor))
        if isinstance(done, Case) and done.is_open:
            messages.success(request, __("已提出请假，批准后 %(name)s 可以代办。") % {"name": colleagues[form.cleaned_data["to_username"]]})
            return redirect("cases:absences")
        if done is not None:
            messages.success(request, __("已委托 %(name)s 代办。") % {"name": colleagues[form.cleaned_data["to_username"]]})
            return redirect("cases:absences")
    table = Table(absence_columns(request), api.list_delegations(actor=request.actor), str(_("代办")), Empty(_("没有代办")))
    return render(request, "cases/absences.html", {"form": form, "table": table, "leaves": leave_table(request.actor)}, status=form.status)


@require_http_methods(["POST"])
@requires("cases.act")
def end_absence(request: HttpRequest, delegation_id: str) -> HttpResponse:
    """End a delegation of one's own now."""
    api.end_delegation(delegation_id=delegation_id, actor=request.actor)
    messages.success(request, __("代办已结束。"))
    return redirect("cases:absences")
