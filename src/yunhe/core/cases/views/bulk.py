"""Several at once: choose what to do with the picked lines, fill one form in, and read what became of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from yunhe.core.cases import api
from yunhe.core.cases.errors import CaseNotFound
from yunhe.core.cases.forms import operators, places
from yunhe.core.cases.forms.actions import build_form, say
from yunhe.core.cases.panels import changed, left, undone
from yunhe.core.cases.panels.cases import key_map
from yunhe.core.cases.panels.clocks import due_tag, light_tone
from yunhe.core.cases.rules.fields import checked
from yunhe.core.cases.rules.operators import REASON
from yunhe.core.cases.types import ActionView, BulkOffer, Outcome, WaitingItem
from yunhe.core.cases.views import picked
from yunhe.kernel.actor import Actor
from yunhe.ui.cells import Column, Link, Table, Tag
from yunhe.ui.doors import requires
from yunhe.ui.pages import safe_next

HAND_ON = "hand_on"


def _keep(request: HttpRequest, actor: Actor) -> changed.Kept:
    """Keep what was picked, and what was filled in for all of it, for the membership in which it was."""
    picks, action = dict(map(_pick, request.POST.getlist("pick"))), request.POST.get("act", "")
    if not picks:
        raise CaseNotFound(name="")
    found = api.find_step(obligation_ids=tuple(picks), action=action, actor=actor)
    step = found[1] if found else None
    typed = left.typed_in(request, step, actor) if step else {}
    told = {"picks": picks, "next": safe_next(request, reverse("cases:inbox")), **({"sent": _sent(request)} if request.POST.get("go") else {})}
    href = picked.keep(request, "cases:bulk", told, actor=actor) + (f"&{urlencode({'act': action})}" if action else "")
    title = left.title_of(step) if step else str(_("批量办理"))
    return changed.Kept(title, left.told_texts(typed, step, actor, api.organization_choices()), href)


@require_http_methods(["GET", "HEAD", "POST"])
@changed.keeps_seat(_keep)
@requires("cases.act", "cases.view")
def bulk(request: HttpRequest) -> HttpResponse:
    """Show what can be done with the picked lines, then the form of it, then what became of each line.

    What is picked, and what became of it, has an address of its own: a page can be read again, and gone back to.
    """
    if request.method != "POST":
        return _show(request)
    picks = dict(map(_pick, request.POST.getlist("pick")))
    back, action = safe_next(request, reverse("cases:inbox")), request.POST.get("act", "")
    if not picks:
        return redirect(back)
    offer = api.offer_bulk(obligation_ids=tuple(picks), actor=request.actor)
    if not request.POST.get("go"):
        asked = picked.keep(request, "cases:bulk", {"picks": picks, "next": back})
        return redirect(f"{asked}&{urlencode({'act': action})}" if action else asked)
    context = _drawn(offer, picks) | _ways_out(back, request.POST.get("of", ""))
    found = _chosen(offer, action)
    if found is None:
        told_at = picked.outcome_of(request, context["of"]) if not offer.items else ""
        if told_at:
            return redirect(told_at)  # the button was pressed twice
        lost = left.take_bulk(request, tuple(picks), action)
        return render(request, "cases/bulk.html", context | {"left": lost, "choices": _choices(offer)}, status=409)
    chosen, names = found
    posted = request.POST.copy()
    edited = places.edit_rows(posted, chosen)
    form = build_form(chosen, posted, names)
    context |= {"chosen": chosen, "form": form, "names": names}
    if edited:
        edited.begin_in(form)
        form.errors.clear()  # what was filled in, not yet sent
        return render(request, "cases/bulk.html", context)
    done = form.submit(lambda _: _run(request, picks, chosen, form), also=("refused",))
    if done is None:
        return render(request, "cases/bulk.html", context, status=form.status)
    lines = tuple(undone.explain(one, picks[one.key], action, request.actor) for one in done)
    sent = left.told_texts(form.values(), chosen, request.actor, names) if any(one.outcome.refusal for one in lines) else []
    return redirect(_told_at(request, "cases:bulk", lines, back, [pair for pair in sent if pair[1]]))


def _show(request: HttpRequest) -> HttpResponse:
    """Show what was picked, the form of what is to be done with it, or what became of it."""
    kept = picked.find(request)
    if kept is None:
        return picked.nothing_kept(request, "cases:inbox")
    if "lines" in kept:
        return render(request, "cases/outcomes.html", picked.read(kept))
    picks = kept["picks"]
    offer = api.offer_bulk(obligation_ids=tuple(picks), actor=request.actor)
    context = _drawn(offer, picks) | _ways_out(kept["next"], request.GET["of"])
    found = _chosen(offer, request.GET.get("act", ""))
    if found is None:
        return render(request, "cases/bulk.html", context | {"choices": _choices(offer)})
    chosen, names = found
    form = build_form(chosen, picked.filled_in(kept), names)
    if form.is_bound:
        form.errors.clear()  # what was filled in before, not yet sent again
    return render(request, "cases/bulk.html", context | {"chosen": chosen, "form": form, "names": names})


def _keep_reminder(request: HttpRequest, actor: Actor) -> changed.Kept:
    """Keep which cases were picked, and the reason, for the membership in which they were."""
    cases = list(dict.fromkeys(request.POST.getlist("pick")))
    if not cases:
        raise CaseNotFound(name="")
    told = {"picks": dict.fromkeys(cases), "next": safe_next(request, reverse("cases:list"))}
    reason = request.POST.get("do-reason", "")
    href = picked.keep(request, "cases:remind", told | ({"sent": _sent(request)} if request.POST.get("go") else {}), actor=actor)
    return changed.Kept(str(operators.LABELS["remind"]), [(say(REASON.title.as_mapping()), reason)] if reason else [], href)


@require_http_methods(["GET", "HEAD", "POST"])
@changed.keeps_seat(_keep_reminder)
@requires("cases.view")
def remind(request: HttpRequest) -> HttpResponse:
    """Remind whose turn it is in several cases of the list at once."""
    kept = picked.find(request) if request.method != "POST" else None
    if request.method != "POST" and kept is None:
        return picked.nothing_kept(request, "cases:list")
    if kept and "lines" in kept:
        return render(request, "cases/outcomes.html", picked.read(kept))
    cases = list(kept["picks"]) if kept else list(dict.fromkeys(request.POST.getlist("pick")))
    back = kept["next"] if kept else safe_next(request, reverse("cases:list"))
    if not cases:
        return redirect(back)
    if not kept and not request.POST.get("go"):
        return redirect(picked.keep(request, "cases:remind", {"picks": dict.fromkeys(cases), "next": back}))
    title = {"zh": "催办", "en": "Remind"}
    action = ActionView("", title, "remind", title, "primary", (REASON,), {}, {})
    form = build_form(action, picked.filled_in(kept) if kept else request.POST)
    of = request.GET.get("of") or request.POST.get("of", "")
    context = {"chosen": action, "form": form, "picks": cases, "key_map": key_map(), **_ways_out(back, of)}
    if kept:
        if form.is_bound:
            form.errors.clear()
        return render(request, "cases/bulk.html", context)
    done = form.submit(lambda _: api.remind_each(case_ids=cases, actor=request.actor, **form.values()))
    if done is None:
        return render(request, "cases/bulk.html", context, status=form.status)
    lines = tuple(undone.explain(one, None, "op.remind", request.actor) for one in done)
    return redirect(_told_at(request, "cases:remind", lines, back, []))


def _ways_out(back: str, of: str) -> dict[str, str]:
    """Return where one goes on after it is done, and where one goes without doing it: to the list, all picked as it was."""
    return {"next": back, "of": of, "cancel": picked.cancel_href(back, of)}


def _sent(request: HttpRequest) -> dict[str, list[str]]:
    return {name: request.POST.getlist(name) for name in request.POST if name.startswith("do-")}


def _told_at(request: HttpRequest, view: str, lines: Sequence[undone.Line], back: str, texts: left.Texts) -> str:
    """Keep what became of each line, and what can be tried again as it was filled in; return the address that tells it."""
    again, href = [one.outcome.key for one in lines if one.again], ""
    if again:
        href = picked.keep(request, view, {"picks": dict.fromkeys(again), "next": back, "sent": _sent(request)})
        href += "&" + urlencode({"act": request.POST.get("act", "")})
    told = {"lines": [asdict(one.outcome) for one in lines], "next": back, "texts": texts, "again": href, "count": len(again)}
    return picked.keep(request, view, told, of=request.POST.get("of", ""))


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


def _drawn(offer: BulkOffer, picks: Mapping[str, int | None]) -> dict[str, Any]:
    return {"offer": offer, "picks": _seen(offer, picks), "items": _items(offer), "key_map": key_map()}


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
