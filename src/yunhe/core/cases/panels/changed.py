"""A form that was filled in as one membership of a person and sent as another: kept for the one it was written in, with the way back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from yunhe.core.cases import api
from yunhe.core.cases.forms import opening, places
from yunhe.core.cases.forms.actions import say
from yunhe.core.cases.panels import left
from yunhe.core.cases.panels.cases import names_in
from yunhe.core.cases.panels.drafts import form_href
from yunhe.core.cases.types import ActionView, Draft, FormPage
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.types import Membership
from yunhe.kernel.actor import Actor
from yunhe.kernel.errors import YunheError
from yunhe.kernel.ids import new_id
from yunhe.ui.doors import View
from yunhe.ui.templatetags.yh import spoken

SEAT = "seat"
"""The hidden field that says in which membership a form was drawn: organisation and role."""
CONFLICT, MOST_SEAT = 409, 100


@dataclass(frozen=True, slots=True)
class Kept:
    """What was sent: of what, as its writer reads it, the draft that keeps it, and where one goes on with it."""

    title: str
    texts: left.Texts
    href: str
    draft: Draft | None = None


Keeper = Callable[..., Kept]
Describe = Callable[..., ActionView]
"""Returns what a form asks for, by the names of its fields, whoever reads it."""


def keeps_seat(keep: Keeper, describe: Describe | None = None) -> Callable[[View], View]:
    """Have a form that was drawn in another membership of the person's kept by `keep` for that one, and nothing done.

    Where that one ended meanwhile, or has no part in it any more, it cannot be kept: the page shows what was typed, under the
    labels that `describe` gives.
    """

    def mark(view: View) -> View:
        @wraps(view)
        def keeping(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            seat = _seat_told(request)
            if not seat:
                answer: HttpResponse = view(request, *args, **kwargs)
                return answer
            place = next((one for one in organizations.list_memberships(user_id=request.user.pk) if seat_of(one) == seat), None)
            kept = (_kept(request, place, keep, args, kwargs) if place else None) or _not_kept(request, describe, args, kwargs)
            if request.POST.get("step") == places.LEAVE:
                return HttpResponse(status=204)
            context = {"kept": kept, "place": place.id if place else "", "was": _title(place) or _named(seat), "now": _title(_here(request))}
            return render(request, "cases/changed.html", context, status=CONFLICT)

        return keeping

    return mark


def keep_step(request: HttpRequest, actor: Actor, case_id: str, obligation_id: str, action: str) -> Kept:
    """Keep the form of a step for who wrote it. Raises: CaseNotFound, ActionNotOffered for what they never had."""
    view = api.access_case(case_id=case_id, actor=actor)
    named = {"case_id": case_id, "obligation_id": obligation_id, "action": action, "actor": actor}
    step = api.describe_step(**named)
    typed = left.typed_in(request, step, actor)
    draft = left.kept(request, typed, lambda told, page: api.keep_lost_action(**named, values=told, page=page))
    operator = action.removeprefix(api.OPERATOR)
    asked = {"ob": obligation_id, **({"act": action} if operator == action else {"op": operator})}
    href = form_href(draft) if draft else f"{reverse('cases:case', args=[case_id])}?{urlencode(asked)}#case"
    return Kept(left.title_of(step), left.told_texts(typed, step, actor, names_in(view)), href, draft)


def describe_step(request: HttpRequest, actor: Actor, case_id: str, obligation_id: str, action: str) -> ActionView:
    """Return what a step asks for. Raises: CaseNotFound, ActionNotOffered."""
    return api.describe_step(case_id=case_id, obligation_id=obligation_id, action=action, actor=actor)


def describe_operator(request: HttpRequest, actor: Actor, case_id: str, operator: str) -> ActionView:
    """Return what a generic operator asks for, as `describe_step`."""
    return describe_step(request, actor, case_id, request.POST.get("ob", ""), f"{api.OPERATOR}{operator}")


def describe_opening(request: HttpRequest, actor: Actor, kind: str) -> ActionView:
    """Return what the form asks for that opens a case of a kind. Raises: KindNotFound."""
    return opening.offer_of(kind, actor)[0]


def keep_operator(request: HttpRequest, actor: Actor, case_id: str, operator: str) -> Kept:
    """Keep the form of a generic operator, as `keep_step`."""
    return keep_step(request, actor, case_id, request.POST.get("ob", ""), f"{api.OPERATOR}{operator}")


def keep_opening(request: HttpRequest, actor: Actor, kind: str) -> Kept:
    """Keep the form that opens a case of a kind. Raises: KindNotFound."""
    api.get_kind(code=kind)
    step, names = opening.offer_of(kind, actor)
    typed, scope = left.typed_in(request, step, actor), request.POST.get("key", "")[:100] or new_id()

    def keep(told: Mapping[str, Any], page: FormPage) -> Draft:
        return api.keep_lost_opening(kind=kind, scope=scope, values=told, actor=actor, page=page)

    draft = left.kept(request, typed, keep)
    href = form_href(draft) if draft else reverse("cases:open", args=[kind])
    return Kept(say(step.obligation_title), left.told_texts(typed, step, actor, names), href, draft)


def _kept(request: HttpRequest, place: Membership, keep: Keeper, args: Any, kwargs: Any) -> Kept | None:
    """Return what was kept; None where that membership has no part in it (any more)."""
    try:
        return keep(request, organizations.actor_for(user_id=place.user_id, membership_id=place.id), *args, **kwargs)
    except YunheError:
        return None


def _not_kept(request: HttpRequest, describe: Describe | None, args: Any, kwargs: Any) -> Kept:
    """Return what was sent, as it was sent: there is nobody to keep it for."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    try:
        step = describe(request, actor, *args, **kwargs) if describe else None
    except YunheError:
        step = None
    return Kept("", left.told_texts(left.sent_plainly(request), step, actor, {}), reverse("cases:inbox"))


def _seat_told(request: HttpRequest) -> str:
    """Return in which membership a form was drawn, where it is another than the person acts in now."""
    told = request.POST.get(SEAT, "")[:MOST_SEAT] if request.method == "POST" else ""
    here: Actor | None = getattr(request, "actor", None)
    return "" if here is None or told == seat_of(here) or not request.user.is_authenticated else told


def _named(seat: str) -> str:
    """Return what a membership is called that is the person's no more."""
    body, _, role = seat.partition("/")
    found = organizations.find_organization(code=body)
    titles = {one.code: spoken(one.title) for one in organizations.list_roles()}
    return f"{found.label} · {titles[role]}" if found and role in titles else ""


def _here(request: HttpRequest) -> Membership | None:
    mine = organizations.list_memberships(user_id=request.user.pk or 0)
    return next((one for one in mine if seat_of(one) == seat_of(request.actor)), None)  # type: ignore[attr-defined]


def seat_of(one: Actor | Membership) -> str:
    """Return what the hidden field says of an actor, or of a membership."""
    return f"{one.organization}/{one.role}"


def _title(place: Membership | None) -> str:
    return f"{place.organization_name} · {spoken(place.role_title)}" if place else ""
