"""What happened to a case that was picked with others and could not be done: who did what meanwhile, and whether it can be tried again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.utils.translation import get_language, override
from django.utils.translation import gettext as __

from yunhe.core.cases import api
from yunhe.core.cases.forms.actions import say
from yunhe.core.cases.panels.cases import facts_told, names_in, who_of
from yunhe.core.cases.panels.left import steps_since, why_left
from yunhe.core.cases.types import CaseView, Event, Outcome
from yunhe.kernel import clock
from yunhe.kernel.actor import Actor
from yunhe.kernel.errors import YunheError

MOST_TOLD = 3


@dataclass(frozen=True, slots=True)
class Line:
    """What became of one case, and whether the same can be tried again there."""

    outcome: Outcome
    again: bool = False


def explain(outcome: Outcome, seen: int | None, action: str, actor: Actor) -> Line:
    """Return the outcome with what happened since the actor saw the case as it stood at version `seen`."""
    if not outcome.refusal:
        return Line(outcome)
    try:
        view = api.access_case(case_id=outcome.case_id, actor=actor)
    except YunheError:  # not to be seen any more: nothing of it is told
        return Line(outcome)
    again, held_back = _is_offered(view, outcome.key, action), _held_back(view, outcome.key, action)
    meanwhile = steps_since(view, seen) if seen is not None else ()
    if not meanwhile and (again or held_back or action == "op.remind"):
        return Line(outcome, again)
    return Line(replace(outcome, refusal={code: _say(code, view, meanwhile, actor, again=again) for code in ("zh", "en")}), again)


def _say(language: str, view: CaseView, meanwhile: tuple[Event, ...], actor: Actor, *, again: bool) -> str:
    with override("zh-hans" if language == "zh" else "en"):
        told = [_say_event(event, view, actor) for event in meanwhile[-MOST_TOLD:]]
        told.append(__("现在仍可以办：核对后请重试。") if again else why_left(view, meanwhile, actor))
        return ("" if (get_language() or "zh").startswith("zh") else " ").join(told)


def _say_event(event: Event, view: CaseView, actor: Actor) -> str:
    """Return who did what, and when; one's own act in another page is one's own."""
    who = __("您") if event.actor_id == actor.id and not event.on_behalf else who_of(event)
    at = f"{clock.local(event.at):%m-%d %H:%M}"  # no 今天: the page can be read again on another day
    facts = {"who": who, "what": say(event.title), "at": at, "facts": facts_told(event, names_in(view))}
    if facts["facts"]:
        return __("%(who)s %(at)s %(what)s（%(facts)s）。") % facts
    return __("%(who)s %(at)s %(what)s。") % facts


def _is_offered(view: CaseView, key: str, action: str) -> bool:
    """Tell whether the case offers the actor the same now; an operator on the whole case has no obligation."""
    operator = action.removeprefix("op.")
    if operator != action:
        return any(one.name == operator and one.obligation_id in ("", key) for one in view.operators)
    return any((one.name, one.obligation_id) == (action, key) and not one.refusal for one in view.actions)


def _held_back(view: CaseView, key: str, action: str) -> bool:
    """Tell whether the step is the actor's, and a guard holds it back: the refusal says why."""
    return any((one.name, one.obligation_id) == (action, key) and one.refusal for one in view.actions)
