"""Filling in a form: what surrounds it, and what goes with it when it is handed in."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

from yunhe.core.attachments import api as attachments
from yunhe.core.cases.api import slots, store
from yunhe.core.cases.api.receipts import Desk
from yunhe.core.cases.models import CaseRecord
from yunhe.core.cases.rules import guards
from yunhe.core.cases.rules.fields import Surroundings
from yunhe.core.cases.types import Case, FieldElement, FieldSpec, KindSpec
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import local, now

CASE = "case"
Named = Callable[[], tuple[Mapping[str, str], Mapping[str, Any]]]
"""Types and values of what conditions can name beside the form's own fields."""


def opening_desk(spec: KindSpec, actor: Actor, scope: str) -> Desk:
    """Return the desk of an opening form; its elements are those of today."""
    on = partial(element_on, local(now()).date())
    return Desk(actor, scope, purpose=f"填写{spec.title.zh}", case=f"draft {scope}", element=on)


def action_desk(row: CaseRecord, spec: KindSpec, actor: Actor, obligation_id: str, action: str) -> Desk:
    """Return the desk of an action's form; its elements are those of the day on which the case was opened."""
    on = partial(element_on, local(row.opened_at).date())
    scope = action_scope(obligation_id, action)
    return Desk(actor, scope, purpose=f"办理{spec.title.zh}", case=row.number, element=on)


def action_scope(obligation_id: str, action: str) -> str:
    """Return the scope of an action's form."""
    return f"{obligation_id}:{action}"


def around(desk: Desk, named: Named) -> Surroundings:
    """Return what surrounds a form that is being handed in."""
    return Surroundings(named=named, element=desk.element, ask=desk.need)


def opening_surroundings(spec: KindSpec, actor: Actor) -> Surroundings:
    """Return what surrounds a form that a step fills in: a sub-case's. No source is asked; its field is then by hand."""
    return Surroundings(named=opening_named(actor), element=opening_desk(spec, actor, "").element)


def opening_named(actor: Actor) -> Named:
    """Return what conditions of an opening form can name beside its own fields: who fills it in."""
    return lambda: (dict.fromkeys(guards.BUILT_IN, "string"), guards.built_in(actor, {}))


def action_named(
    row: CaseRecord, spec: KindSpec, actor: Actor
) -> Named:
    """Return what conditions of an action's form can name beside its own fields: the case, and who acts."""

    def named() -> tuple[Mapping[str, str], Mapping[str, Any]]:
        case = {name: getattr(row, name) for name in ("opened_by", "organization", "owner", "phase")}
        known = guards.expression_values(spec, (), data=row.data, values={}, built_in=guards.built_in(actor, case))
        return guards.expression_fields(spec), known

    return named


def element_on(on: date, code: str) -> FieldElement | None:
    """Return what an element says on a day."""
    return slots.resolve_element(code, on)


def hand_in(
    desk: Desk, form: Sequence[FieldSpec], values: Mapping[str, Any], *, case_id: str, seq: int, actor: Actor
) -> None:
    """Give the case what came with its form: files, receipts; the draft is done. In the caller's transaction.

    Raises: NotAttachable, QuotaUsedUp.
    """
    files = [one for spec in form if spec.type == "attachments" for one in values.get(spec.name) or ()]
    if files:
        attachments.attach(ids=files, subject_type=CASE, subject_id=case_id, actor=actor)
    if any(spec.source for spec in form):
        desk.hand_in(case_id, seq)
    store.DRAFTS.delete("person = %s AND organization = %s AND scope = %s", actor.id, actor.organization, desk.scope)


def share_files(spec: KindSpec, data: Mapping[str, Any], *, holder_id: str, case_id: str, actor: Actor) -> None:
    """Give a sub-case or a part the files that its data took over from the case above, by reference."""
    ids = [one for field in spec.fields if field.type == "attachments" for one in data.get(field.name) or ()]
    if ids:
        attachments.share(ids=ids, subject_type=CASE, holder_id=holder_id, subject_id=case_id, actor=actor)


def has_files(spec: KindSpec) -> bool:
    """Tell whether a form of the kind takes files."""
    forms = (spec.fields, *(a.fields for o in spec.obligations.values() for a in o.actions.values()))
    return any(field.type == "attachments" for form in forms for field in form)


def read_files(case: Case, spec: KindSpec, actor: Actor) -> tuple[Any, ...]:
    """Return what is attached to a case that the actor sees."""
    return attachments.list_for(subject_type=CASE, subject_id=case.case_id, actor=actor) if has_files(spec) else ()
