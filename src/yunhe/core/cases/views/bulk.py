"""Several at once: choose what to do with the picked lines, fill one form in, and read what became of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from yunhe.core.cases import api
from yunhe.core.cases.forms import operators, places
from yunhe.core.cases.forms.actions import build_form, say
from yunhe.core.cases.panels import left
from yunhe.core.cases.panels.cases import key_map
from yunhe.core.cases.panels.clocks import due_tag, light_tone
from yunhe.core.cases.rules.fields import checked
from yunhe.core.cases.rules.operators import REASON
from yunhe.core.cases.types import ActionView, BulkOffer, Outcome, WaitingItem
from yunhe.ui.cells import Column, Link, Table, Tag
from yunhe.ui.doors import requires
from yunhe.ui.pages import safe_next

HAND_ON = "hand_on"


@require_http_methods(["POST"])
@requires("cases.act", "cases.view")
def bulk(request: HttpRequest) -> HttpResponse:
    """Show what can be done with the picked lines, then the form of it, then what became of each line."""
    picks = dict(map(_pick, request.POST.getlist("pick")))
    if not picks:
        return redirect(safe_next(request, reverse("cases:inbox")))
    offer = api.offer_bulk(obligation_ids=tuple(picks), actor=request.actor)
    action = request.POST.get("act", "")
    context = {"offer": offer, "picks": _seen(offer, picks), "items": _items(offer), "key_map": key_map()}
    context["next"] = safe_next(request, reverse("cases:inbox"))
    if not action:
        return render(request, "cases/bulk.html", context | {"choices": _choices(offer)})
    found = _chosen(offer, action)
    if found is None:
        lost = left.take_bulk(request, tuple(picks), action)
        return render(request, "cases/bulk.html", context | {"left": lost, "choices": _choices(offer)}, status=409)
    chosen, names = found
    posted = request.POST.copy()
    edited = places.edit_rows(posted, chosen)
    form = build_form(chosen, posted if posted.get("go") or posted.get("again") else None, names)
    context |= {"chosen": chosen, "form": form, "names": names}
    if edited:
        edited.begin_in(form)
    if edited or not posted.get("go"):
        if form.is_bound:
            form.errors.clear()  # what was filled in before, not yet sent again
        return render(request, "cases/bulk.html", context)
    done = form.submit(lambda _: _run(request, picks, chosen, form), also=("refused",))
    if done is None:
        return render(request, "cases/bulk.html", context, status=form.status)
    sent = left.told_texts(form.values(), chosen, request.actor, names) if any(one.refusal for one in done) else []
    again = {"kept": _kept(request), "again": reverse("cases:bulk"), "texts": [pair for pair in sent if pair[1]]}
    return render(request, "cases/outcomes.html", context | told(done) | again)


@require_http_methods(["POST"])
@requires("cases.view")
def remind(request: HttpRequest) -> HttpResponse:
    """Remind whose turn it is in several cases of the list at once."""
    picked = list(dict.fromkeys(request.POST.getlist("pick")))
    back = safe_next(request, reverse("cases:list"))
    if not picked:
        return redirect(back)
    title = {"zh": "催办", "en": "Remind"}
    action = ActionView("", title, "remind", title, "primary", (REASON,), {}, {})
    form = build_form(action, request.POST if request.POST.get("go") else None)
    context = {"chosen": action, "form": form, "picks": picked, "next": back, "key_map": key_map()}
    if not request.POST.get("go"):
        return render(request, "cases/bulk.html", context)
    done = form.submit(lambda _: api.remind_each(case_ids=picked, actor=request.actor, **form.values()))
    if done is None:
        return render(request, "cases/bulk.html", context, status=form.status)
    return render(request, "cases/outcomes.html", context | told(done) | {"kept": _kept(request), "again": reverse("cases:remind")})


def told(outcomes: tuple[Outcome, ...]) -> dict[str, Any]:
    """Return what a page says of the outcomes; what was refused comes first."""
    columns = (
        Column(_("办件"), lambda o: Link(o.title, reverse("cases:case", args=[o.case_id]), sub=o.number), wide=True),
        Column(_("结果"), lambda o: Tag(str(_("没有办")), "red") if o.refusal else Tag(str(_("已办理")), "green")),
        Column(_("原因"), lambda o: say(o.refusal) if o.refusal else None, wide=True),
    )
    refused = [one for one in outcomes if one.refusal]
    rows = sorted(outcomes, key=lambda one: one.refusal is None)
    table = Table(columns, rows, str(_("每一件的结果")))
    return {"outcomes": table, "refused": refused, "done": len(outcomes) - len(refused), "key_map": key_map()}


def _run(request: HttpRequest, picks: Mapping[str, int | None], chosen: ActionView, form: Any) -> tuple[Outcome, ...]:
    if chosen.name == HAND_ON and not chosen.obligation_title:
        return api.hand_on_each(picks=picks, actor=request.actor, **form.values())
    values = form.values()
    plain = tuple(field for field in chosen.fields if not field.subset_of)
    checked(plain, {field.name: values[field.name] for field in plain})  # what is wrong for all comes back to the form
    return api.act_on_each(picks=picks, action=chosen.name, data=values, actor=request.actor)


def _pick(text: str) -> tuple[str, int | None]:
    """Return what a box names: an obligation, and the case's version as it was seen."""
    key, _dot, version = text.partition(".")
    return key[:26], int(version) if version.isascii() and version.isdigit() and len(version) < 10 else None


def _seen(offer: BulkOffer, picks: Mapping[str, int | None]) -> list[str]:
    return [f"{item.obligation_id}.{picks[item.obligation_id] or item.version}" for item in offer.items]


def _choices(offer: BulkOffer) -> list[tuple[str, str, str, str]]:
    """Return what can be chosen: its name, what it is called, its style, and why not."""
    found = [(a.name, say(a.title), a.style, say(a.refusal) if a.refusal else "") for a in offer.actions]
    return found + [(f"op.{one.name}", str(operators.LABELS[one.name]), "normal", "") for one in offer.operators]


def _chosen(offer: BulkOffer, name: str) -> tuple[ActionView, Mapping[str, str]] | None:
    """Return the chosen action, or operator (`op.`), with what people read for its options; None if it is not offered now."""
    for one in offer.operators:
        if name == f"op.{one.name}":
            return operators.offer_among(one), {}
    found = next((a for a in offer.actions if a.name == name and not a.refusal), None)
    if found is None:
        return None
    return found, api.organization_choices() if any(f.format == "organization" for f in found.fields) else {}


def _items(offer: BulkOffer) -> Table:
    columns = (
        Column(_("办件"), lambda i: Link(i.case_title, reverse("cases:case", args=[i.case_id]), sub=i.number), wide=True),
        Column(_("类型"), lambda i: i.kind_title),
        Column(_("待办事项"), _state),
        Column(_("到期"), lambda i: i.due_at),
    )
    return Table(columns, offer.items, str(_("选中的待办")))


def _state(item: WaitingItem) -> Tag:
    return due_tag(item.title, light_tone(item.light))


def _kept(request: HttpRequest) -> list[tuple[str, str]]:
    """Return what was filled in, so that what was refused can be tried again."""
    return [(name, value) for name in request.POST if name.startswith("do-") or name == "act" for value in request.POST.getlist(name)]
