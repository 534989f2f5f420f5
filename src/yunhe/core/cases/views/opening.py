"""Opening a case: which kinds there are, the form of one, and forms that were not handed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as __
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from yunhe.core.cases import api
from yunhe.core.cases.errors import KindNotFound
from yunhe.core.cases.forms import opening, places, texts
from yunhe.core.cases.forms.actions import say
from yunhe.core.cases.panels import changed, left
from yunhe.core.cases.panels.drafts import drafts_table, form_href
from yunhe.core.cases.types import ActionView, Draft, FormPage
from yunhe.kernel.ids import new_id
from yunhe.ui.cells import Column, Empty, Link, Table
from yunhe.ui.doors import requires
from yunhe.ui.pages import confirm_page


@require_safe
@requires("cases.act")
def list_new(request: HttpRequest) -> HttpResponse:
    """List the kinds of which the actor may open a case, and the forms that they have not handed in."""
    table = Table(
        (
            Column(_("类型"), lambda k: Link(say(k.title), reverse("cases:open", args=[k.code]))),
            Column(_("用途"), lambda k: say(k.about) if k.about else None, wide=True),
        ),
        api.list_openable(actor=request.actor),
        str(_("可以提出的办件")),
        Empty(_("没有可以提出的办件"), _("能力包装入新的办件类型后，会列在这里。")),
    )
    drafts = api.list_drafts(actor=request.actor)
    return render(request, "cases/new.html", {"table": table, "drafts": drafts_table(drafts) if drafts else None})


@require_http_methods(["GET", "HEAD", "POST"])
@changed.keeps_seat(changed.keep_opening, changed.describe_opening)
@requires("cases.act", "cases.view")
def open_case(request: HttpRequest, kind: str) -> HttpResponse:
    """Open a case of a kind by the form of its fields; keep the form, or look at it again, as its button says."""
    info = next((one for one in api.list_openable(actor=request.actor) if one.code == kind), None)
    if info is None:
        return _left_page(request, kind)
    place = places.OpeningPlace(kind, _scope(request), request.actor)
    offered, names = opening.offer_of(kind, request.actor)
    if request.method != "POST":
        filling = places.show(offered, place, names)
        return _opening_page(request, info, filling, place, newer=bool(filling.draft and filling.draft.kind_digest != info.digest))
    filling = places.take(request, offered, place, names)
    if filling.step in (places.SAVE, places.LEAVE):
        return _kept(request, place.keep(filling.typed), filling)
    if filling.step == places.SUBMIT:
        done = places.hand_in(filling, place, lambda _: opening.run(kind, filling.form.values(), request.actor, place.scope))
        if done is not None:
            messages.success(request, __("已提出：%(number)s。") % {"number": done.number})
            return redirect("cases:case", done.case_id)
    return _opening_page(request, info, filling, place)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("cases.act")
def discard_draft(request: HttpRequest, draft_id: str) -> HttpResponse:
    """Ask, then delete a form that was not handed in."""
    draft = api.access_draft(draft_id=draft_id, actor=request.actor)
    if request.method == "POST":
        api.discard_draft(draft_id=draft_id, actor=request.actor)
        messages.success(request, __("草稿已删除。"))
        return redirect("cases:new")
    name = draft.title or say(draft.kind_title)
    return confirm_page(
        request, title=_("删除草稿"), question=__("删除没有提交的“%(name)s”？") % {"name": name},
        consequences=(_("已填写的内容和已上传的文件不能恢复。"),), submit=_("删除草稿"), cancel=reverse("cases:new"),
    )  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@requires("cases.act")
def show_draft(request: HttpRequest, draft_id: str) -> HttpResponse:
    """Show what stands beside a form and how it differs from it; take it into the form, if so chosen."""
    draft = api.access_draft(draft_id=draft_id, actor=request.actor)
    if request.method == "POST":
        taken = api.take_draft(draft_id=draft_id, actor=request.actor)
        messages.success(request, __("表单里现在是这一份。"))
        return redirect(form_href(taken))
    own, _beside = api.find_drafts(scope=draft.beside or draft.scope, actor=request.actor)
    fields, labels = texts.fields_of(draft, request.actor)
    other = own if own and own.draft_id != draft.draft_id else None
    told = texts.compare(draft.values, other.values if other else {}, fields, actor=request.actor, names=api.organization_choices(), labels=labels)
    context: dict[str, Any] = {"draft": draft, "own": other, "differences": told, "form_href": form_href(other or draft)}
    if other is None:
        step = ActionView(
            draft.obligation_id,
            draft.kind_title,
            draft.action,
            draft.kind_title,
            "",
            tuple(fields.values()),
            {},
            {},
            labels=labels,
        )
        context["texts"] = left.told_texts(draft.values, step, request.actor, api.organization_choices())
    return render(request, "cases/draft.html", {**context, "title": draft.title or say(draft.kind_title)})


def _left_page(request: HttpRequest, kind: str) -> HttpResponse:
    """Show what was sent, or kept, of the form of a kind that is not the actor's to open now. Raises: KindNotFound, DraftNotFound."""
    if request.method != "POST" and "draft" in request.GET:
        return redirect("cases:draft", api.access_draft(draft_id=request.GET["draft"], actor=request.actor).draft_id)
    if request.method != "POST" or not left.sent_plainly(request):
        raise KindNotFound(name=kind)
    known = any(info.code == kind for info in api.list_kinds())
    scope = request.POST.get("key", "")[:100] or new_id()

    def keep(typed: Mapping[str, Any], page: FormPage) -> Draft:
        return api.keep_lost_opening(kind=kind, scope=scope, values=typed, actor=request.actor, page=page)

    told = left.take_opening(
        request, opening.offer_of(kind, request.actor)[0] if known else None, keep if known else None
    )
    if request.POST.get("step") == places.LEAVE:
        return HttpResponse(status=204)
    return render(request, "cases/left.html", {"left": told, "title": told.title}, status=409)


def _scope(request: HttpRequest) -> str:
    """Return the key of the form: the page's, or that of the draft that the address names. Raises: DraftNotFound."""
    if request.method == "POST":
        return request.POST.get("key", "")[:100] or new_id()
    asked = request.GET.get("draft")
    return api.access_draft(draft_id=asked, actor=request.actor).scope if asked else new_id()


def _kept(request: HttpRequest, draft: Any, filling: places.Filling) -> HttpResponse:
    if filling.step == places.LEAVE:
        return HttpResponse(status=204)
    for note in filling.notes:
        messages.error(request, note)
    if draft.beside:
        return redirect("cases:draft", draft.draft_id)
    messages.success(request, __("已保存，可在“提出办件”里继续填写。"))
    return redirect(form_href(draft))


def _opening_page(
    request: HttpRequest, info: Any, filling: places.Filling, place: places.OpeningPlace, *, newer: bool = False
) -> HttpResponse:
    about = say(info.about) if info.about else ""
    context = {"filling": filling, "form": filling.form, "about": about, "title": say(info.title), "kind": info.code, "key": place.scope, "newer": newer}
    return render(request, "cases/open.html", context, status=filling.form.status)
