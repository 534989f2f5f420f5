"""A form whose step went to somebody else, or is not the person's any more: what was typed, and what happened meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as __

from yunhe.core.cases import api
from yunhe.core.cases.api.offering import ONLY_TOLD
from yunhe.core.cases.forms import operators, places, texts
from yunhe.core.cases.forms.actions import build_form, say, say_all
from yunhe.core.cases.forms.places import PREFIX
from yunhe.core.cases.panels.cases import facts_told, names_in, who_of
from yunhe.core.cases.types import ActionView, CaseView, Draft, Event, FormPage
from yunhe.kernel.actor import Actor
from yunhe.kernel.errors import YunheError
from yunhe.ui import cells

Texts = list[tuple[str, str]]
Keep = Callable[[Mapping[str, Any], FormPage], Draft]


@dataclass(frozen=True, slots=True)
class Left:
    """What a page says of a form that could not be handed in: what it was of, why, and what was typed, by label.

    `happened` are the steps since the page was drawn; `draft` is where the text is kept, None where it could not be.
    """

    title: str
    why: str
    texts: Texts
    happened: tuple[cells.Event, ...] = ()
    draft: Draft | None = None
    now: str = ""


def take_step(request: HttpRequest, view: CaseView, obligation_id: str, action: str) -> Left:
    """Return what was sent for a step that is not the actor's now, and keep it as a draft. Raises: ActionNotOffered."""
    step = api.describe_step(case_id=view.case.case_id, obligation_id=obligation_id, action=action, actor=request.actor)
    meanwhile = events_since(request, view)

    def keep(typed: Mapping[str, Any], page: FormPage) -> Draft:
        names = {"case_id": view.case.case_id, "obligation_id": obligation_id, "action": action}
        return api.keep_lost_action(**names, values=typed, actor=request.actor, page=page)

    typed = typed_in(request, step)
    draft = None if _is_done(typed, action, meanwhile, request.actor) else kept(request, typed, keep)
    return _left(view, step, typed, draft, meanwhile, request.actor)


def recall_step(view: CaseView, obligation_id: str, action: str, actor: Actor) -> Left | None:
    """Return what a person kept of a step that is not theirs now; None if they kept nothing."""
    scope = api.action_scope(obligation_id=obligation_id or view.case.case_id, action=action)
    draft = api.find_drafts(scope=scope, actor=actor)[0]
    if draft is None:
        return None
    step = api.describe_step(case_id=view.case.case_id, obligation_id=obligation_id, action=action, actor=actor)
    return _left(view, step, draft.values, draft, (), actor)


def take_opening(request: HttpRequest, step: ActionView | None, keep: Keep | None) -> Left:
    """Return what was sent for a form of which nothing may be shown but what was typed; `keep` keeps it, if it can be kept."""
    typed = typed_in(request, step) if step else sent_plainly(request)
    draft = kept(request, typed, keep) if keep else None
    title = say(step.obligation_title) if step else __("没有提交的表单")
    why = __("您现在没有提交这份表单的岗位或权限，或它已经停用。")
    return Left(title, why, told_texts(typed, step, request.actor, {}), draft=draft)


def take_bulk(request: HttpRequest, obligation_ids: Sequence[str], action: str) -> Left:
    """Return what was sent for several at once that none of them offers together now, kept as a draft of the first that is seen."""
    found = api.find_step(obligation_ids=obligation_ids, action=action, actor=request.actor)
    step = found[1] if found else None
    typed = typed_in(request, step) if step else sent_plainly(request)

    def keep(told: Mapping[str, Any], page: FormPage) -> Draft:
        assert found is not None and step is not None
        names = {"case_id": found[0], "obligation_id": step.obligation_id, "action": action}
        return api.keep_lost_action(**names, values=told, actor=request.actor, page=page)

    why = __("选中的待办现在没有一起这样办的：别人先办理了，或情况有变。没有办任何一件。")
    draft = kept(request, typed, keep) if found else None
    return Left(
        title_of(step) if step else "",
        why,
        told_texts(typed, step, request.actor, api.organization_choices()),
        draft=draft,
    )


def sent_plainly(request: HttpRequest) -> dict[str, Any]:
    """Return the texts of a form by the names that they were sent under."""
    sent = ((name.removeprefix(PREFIX), request.POST.getlist(name)) for name in request.POST if name.startswith(PREFIX))
    return {name: values[0] if len(values) == 1 else values for name, values in sent if any(values)}


def typed_in(request: HttpRequest, step: ActionView, actor: Actor | None = None) -> dict[str, Any]:
    """Return what was typed into the form of a step, its files stored; `actor` wrote it, else who acts now."""
    posted, writer = request.POST.copy(), actor or request.actor
    if request.POST.get("step") != places.LEAVE:
        places.store_files(request, step, posted, writer)
    typed = build_form(step, posted, {}, actor=writer).typed()
    return {name: value for name, value in typed.items() if value not in texts.NOTHING}


def told_texts(typed: Mapping[str, Any], step: ActionView | None, actor: Actor, names: Mapping[str, str]) -> Texts:
    """Return what was typed as people read it, each with the label of its field."""
    fields = {spec.name: spec for spec in step.fields} if step else {}
    labels = step.labels if step else {}
    named = {**names, **texts.file_names([typed], actor)}
    told = []
    for name, value in typed.items():
        read = {**named, **{code: say(title) for code, title in labels.get(name, {}).items()}}
        label = say(fields[name].title.as_mapping()) if name in fields else name
        told.append((label, texts.say_field(fields.get(name), value, read) or ""))
    return told


def events_since(request: HttpRequest, view: CaseView) -> tuple[Event, ...]:
    """Return the steps that the page did not know from which a form was sent; who was only told of the case moved nothing."""
    seen = request.POST.get("version", "")
    known = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 10 else view.case.version
    return steps_since(view, known)


def steps_since(view: CaseView, version: int) -> tuple[Event, ...]:
    """Return the steps of a case after a version that moved it."""
    return tuple(event for event in view.events if event.seq > version and event.action not in ONLY_TOLD)


def say_events(events: tuple[Event, ...], view: CaseView) -> tuple[cells.Event, ...]:
    """Return who did what and when, as a page shows it."""
    names = names_in(view)
    return tuple(
        cells.Event(f"{who_of(event)} {say(event.title)}", event.at, facts_told(event, names)) for event in events
    )


def why_left(view: CaseView, meanwhile: tuple[Event, ...], actor: Actor) -> str:
    """Return why a step is not the actor's to do now, after what happened meanwhile."""
    if not view.case.is_open:
        return __("这件办件已经办结。")
    if view.case.state == "suspended":
        return __("办件已中止，恢复后才能办理。")
    if meanwhile and all(event.actor_id == actor.id for event in meanwhile):
        return __("您在另一页先办理了，这一步现在不由您办理。")
    if meanwhile:
        return __("您填写的时候，别人先办理了，这一步现在不由您办理。")
    return __("这一步现在不由您办理：您的岗位或权限有变化，或它已交给别人。")


def _left(
    view: CaseView,
    step: ActionView,
    typed: Mapping[str, Any],
    draft: Draft | None,
    meanwhile: tuple[Event, ...],
    actor: Actor,
) -> Left:
    return Left(
        title_of(step),
        why_left(view, meanwhile, actor),
        told_texts(typed, step, actor, names_in(view)),
        say_events(meanwhile, view),
        draft,
        _now(view),
    )


def title_of(step: ActionView) -> str:
    """Return what a step, or a generic operator, is called."""
    return str(operators.LABELS[step.name]) if step.title["zh"] == step.name else say(step.title)


def _now(view: CaseView) -> str:
    offered = [say(one.title) for one in view.actions if not one.refusal]
    offered += list(dict.fromkeys(str(operators.LABELS[one.name]) for one in view.operators))
    if offered:
        return __("您现在可以：%(what)s。") % {"what": say_all(offered)}
    return __("这件办件现在没有您可以办理的；办到哪里见“经过”。")


def _is_done(typed: Mapping[str, Any], action: str, meanwhile: tuple[Event, ...], actor: Actor) -> bool:
    """Tell whether the same person handed the same text in already: the button was pressed twice."""
    own = [
        event for event in meanwhile if event.actor_id == actor.id and event.action == action.removeprefix(api.OPERATOR)
    ]
    held = ({fact.name: fact.value for fact in event.facts} for event in own)
    return any(all(facts.get(name) == value for name, value in typed.items()) for facts in held)


def kept(request: HttpRequest, typed: Mapping[str, Any], keep: Keep) -> Draft | None:
    """Return the draft in which what was typed is kept; None where nothing was, or it cannot be."""
    if not typed:
        return None
    try:
        return keep(typed, FormPage(request.POST.get("page", "")[:26], request.POST.get("made_from", "")[:26]))
    except YunheError:  # what cannot be kept still stands in the page
        return None
