"""The list of a batch: put cases on it, take them off."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as __
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from yunhe.core.cases import api
from yunhe.core.cases.forms.actions import MembersForm
from yunhe.core.cases.types import Case
from yunhe.ui.doors import requires


@require_http_methods(["GET", "HEAD", "POST"])
@requires("cases.act")
def members(request: HttpRequest, case_id: str) -> HttpResponse:
    """Choose which waiting cases stand on the list of a batch."""
    view = api.access_case(case_id=case_id, actor=request.actor)
    waiting = api.list_candidates(case_id=case_id, actor=request.actor)
    listed = [one for one in api.list_members(case_id=case_id, actor=request.actor) if one.state == "open"]
    form = MembersForm(request.POST or None, waiting=waiting, listed=listed)

    def change(told: dict[str, list[str]]) -> int:
        seen: Case | None = None
        if told["add"]:
            seen = api.add_members(case_id=case_id, numbers=told["add"], actor=request.actor)
        if told["drop"]:
            seen = api.drop_members(case_id=case_id, numbers=told["drop"], actor=request.actor)
        return len(told["add"]) + len(told["drop"]) if seen else 0

    if request.method == "POST" and (count := form.submit(change, also=("refused",))) is not None:
        messages.success(request, ngettext("清单改了 %(n)s 处。", "清单改了 %(n)s 处。", count) % {"n": count})
        return redirect(f"{reverse('cases:case', args=[case_id])}#members")
    title = __("%(title)s：清单") % {"title": view.case.title}
    context = {"form": form, "case": view.case, "title": title, "nothing": not waiting and not listed}
    return render(request, "cases/members.html", context, status=form.status)
