"""What was picked to be done at once, and what became of it: kept in the session, each under an address of its own."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from yunhe.core.cases.forms.actions import say
from yunhe.core.cases.panels.cases import key_map
from yunhe.core.cases.types import Outcome
from yunhe.kernel.actor import Actor
from yunhe.kernel.ids import new_id
from yunhe.ui.cells import Column, Link, Table, Tag

KEPT, MOST_KEPT, OF = "picked", 12, "of"


def keep(request: HttpRequest, view: str, told: Mapping[str, Any], of: str = "", actor: Actor | None = None) -> str:
    """Keep what a page shows, for who acts now or `actor`; return its address. `of` names what was picked, of which this is the outcome."""
    key, held = new_id(), dict(request.session.get(KEPT, {}))
    if of in held:
        held[of] = {**held[of], "done": key}
    held[key] = {**told, "view": view, "seat": _seat(actor or request.actor)}
    request.session[KEPT] = {name: held[name] for name in sorted(held)[-MOST_KEPT:]}
    return _address(view, key)


def find(request: HttpRequest) -> dict[str, Any] | None:
    """Return what the address of a page names; None if it is not kept any more, or was another seat's."""
    return _find(request, request.GET.get(OF, ""), request.resolver_match.view_name if request.resolver_match else "")


def cancel_href(back: str, key: str) -> str:
    """Return where one goes back to the list with what was picked still picked, at the button that was pressed."""
    if not key:
        return back
    path, query = urlsplit(back).path, parse_qsl(urlsplit(back).query)
    return f"{path}?{urlencode([*(pair for pair in query if pair[0] != OF), (OF, key)])}#picked"


def recall(request: HttpRequest, view: str) -> Collection[str]:
    """Return what was picked in a list before one went back to it; its address does not go on in the links of the page."""
    if OF not in request.GET:
        return ()
    rest = request.GET.copy()
    found = _find(request, str(rest.pop(OF)[-1]), view)
    request.GET = rest  # type: ignore[assignment]
    return tuple(found.get("picks", ())) if found else ()


def outcome_of(request: HttpRequest, key: str) -> str:
    """Return the address that tells what became of what was picked; "" if it was not sent yet."""
    found = _find(request, key, "cases:bulk")
    return _address("cases:bulk", found["done"]) if found and "done" in found else ""


def filled_in(kept: Mapping[str, Any]) -> QueryDict | None:
    """Return what was sent before, as a form takes it."""
    if "sent" not in kept:
        return None
    told = QueryDict(mutable=True)
    for name, values in kept["sent"].items():
        told.setlist(name, values)
    return told


def read(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a page says of an outcome that was kept."""
    outcomes = tuple(Outcome(**one) for one in kept["lines"])
    return told(outcomes) | {"more": False, **{name: kept[name] for name in ("next", "texts", "again", "count", "more") if name in kept}}


def nothing_kept(request: HttpRequest, to: str) -> HttpResponse:
    """Lead to where one picks, and say why an address tells nothing any more."""
    if request.GET.get("of"):
        messages.warning(request, _("选中的已不再保留：登录变了，或之后又选过几次。请重新选中。"))
    return redirect(to)


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


def _find(request: HttpRequest, key: str, view: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = request.session.get(KEPT, {}).get(key)
    return found if found and (found["view"], found["seat"]) == (view, _seat(request.actor)) else None


def _seat(actor: Actor) -> str:
    return f"{actor.id} {actor.organization} {actor.role}"


def _address(view: str, key: str) -> str:
    return f"{reverse(view)}?{urlencode({OF: key})}"
