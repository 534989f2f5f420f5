"""Looking at a form while it is filled in: which fields it has for what is typed so far, and what shared data gave."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yunhe.core.cases.api import filling, kinds, steps
from yunhe.core.cases.api.acting import choose_seat
from yunhe.core.cases.api.receipts import Desk
from yunhe.core.cases.errors import KindNotFound
from yunhe.core.cases.rules.fields import Surroundings, examine
from yunhe.core.cases.types import FieldSpec, FormState
from yunhe.kernel.actor import Actor


def look_at_opening(*, kind: str, values: Mapping[str, Any], scope: str, actor: Actor, fetch: bool = False) -> FormState:
    """Return the opening form of a kind for what is filled in; with `fetch` sources are asked.

    Raises: KindNotFound, also when the actor may not open one.
    """
    spec = kinds.spec_of(kinds.current_kind(kind))
    if not spec.by_form or not actor.may(spec.opens.permission):
        raise KindNotFound(name=kind)
    desk = filling.opening_desk(spec, actor, scope)
    form = tuple(f for f in spec.fields if not f.internal)
    return _look(form, values, {}, desk, filling.opening_named(actor), fetch)


def look_at_action(
    *, case_id: str, obligation_id: str, action: str, values: Mapping[str, Any], actor: Actor, fetch: bool = False
) -> FormState:
    """Return the form of an action that is the actor's, for what is filled in; with `fetch` sources are asked.

    Raises: CaseNotFound, ActionNotOffered.
    """
    row, spec = steps.read_case(case_id)
    seat = choose_seat(row, spec, actor, action=action, obligation_id=obligation_id)
    desk = filling.action_desk(row, spec, actor, seat.row.pk, action)
    form = spec.obligation(seat.row.name).actions[action].fields
    return _look(form, values, row.data, desk, filling.action_named(row, spec, actor), fetch)


def _look(
    form: tuple[FieldSpec, ...],
    values: Mapping[str, Any],
    data: Mapping[str, Any],
    desk: Desk,
    named: filling.Named,
    fetch: bool,
) -> FormState:
    surroundings = Surroundings(named=named, element=desk.element, ask=desk.get if fetch else desk.find)
    typed = {spec.name: values.get(spec.name) for spec in form}
    found = examine(form, typed, context=data or typed, partial=True, around=surroundings)
    shown = [spec for spec in form if spec.name not in found.hidden]
    codes = {one.element for spec in shown for one in (spec, *spec.fields) if one.element}
    elements = {code: element for code in sorted(codes) if (element := desk.element(code))}
    return FormState(found.hidden, found.sourced, elements, bool(desk.fetched), found.problems)
