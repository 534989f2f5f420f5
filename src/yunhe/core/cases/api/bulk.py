"""Several at once (批量办理): what lines of the inbox have in common, and each case by itself, in its own transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NoReturn

from django.db import DatabaseError
from django.db.models import Q

from yunhe.core.cases.api import acting, kinds, offering, operating
from yunhe.core.cases.api.delegating import holders_of, seats_of
from yunhe.core.cases.api.finding import soon_now
from yunhe.core.cases.api.listing import waiting_item, waiting_rows
from yunhe.core.cases.api.reading import (
    BODY,
    offered_actions,
    options_of,
    organization_choices,
    organization_names,
    person_names,
)
from yunhe.core.cases.errors import ActionNotOffered, CannotOperate, CaseNotFound, HandOverRefused, TooManyPicked
from yunhe.core.cases.models import CaseRecord, ObligationRecord
from yunhe.core.cases.rules.course import SUSPENDED
from yunhe.core.cases.types import OPINION, ActionView, BulkOffer, FieldSpec, OperatorView, Outcome
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor
from yunhe.kernel.errors import Transient, YunheError

MOST_PICKED = 200
PER_CASE = {
    "zh": "各件可填的内容不同，请逐件办理。",
    "en": "What can be filled in differs from case to case. Do them one by one.",
}


def offer_bulk(*, obligation_ids: Sequence[str], actor: Actor) -> BulkOffer:
    """Return which of these obligations still wait for the actor, and what all of them offer alike.

    An action: same name and form on each, one obligation of one kind. Handing on: who could take every one.
    Raises: TooManyPicked.
    """
    rows = _picked(obligation_ids, actor)
    names = organization_names(row.case.organization for row in rows)
    soon, seats = soon_now(), seats_of(actor)
    items = tuple(waiting_item(row, names, soon, seats) for row in rows)
    operators = (OperatorView("hand_on", "", people),) if rows and (people := _takers(rows, actor)) else ()
    return BulkOffer(items, _common_actions(rows, actor), operators, gone=len(set(obligation_ids)) - len(rows))


def act_on_each(*, picks: Mapping[str, int | None], action: str, data: Mapping[str, Any], actor: Actor) -> tuple[Outcome, ...]:
    """Take one action with one form on each obligation (`picks`: by id, the case's version that was seen); say what became of each.

    Each case is a transaction of its own; one that is refused changes nothing and stops nothing. Raises: TooManyPicked.
    """

    def run(row: ObligationRecord) -> None:
        acting.act(
            case_id=row.case_id, action=action, data=data, actor=actor, expected_version=picks[row.pk], obligation_id=row.pk
        )

    return _each(_rows(picks), run)


def hand_on_each(*, picks: Mapping[str, int | None], to: str, reason: str, actor: Actor) -> tuple[Outcome, ...]:
    """Hand each obligation on to one colleague (转办). Raises: TooManyPicked."""

    def run(row: ObligationRecord) -> None:
        operating.hand_on(
            case_id=row.case_id, obligation_id=row.pk, to=to, reason=reason, actor=actor, expected_version=picks[row.pk]
        )

    return _each(_rows(picks), run)


def remind_each(*, case_ids: Sequence[str], reason: str, actor: Actor) -> tuple[Outcome, ...]:
    """Remind whose turn it is (催办) in each case that the actor may see. Raises: TooManyPicked."""
    _require_few(case_ids)
    rows = CaseRecord.objects.visible_to(actor).filter(pk__in=case_ids).order_by("-opened_at", "-id")
    remind = partial(operating.remind, reason=reason, actor=actor)
    return tuple(_outcome(row.pk, row, partial(remind, case_id=row.pk)) for row in rows)


def act_on_numbers(*, numbers: Sequence[str], action: str, data: Mapping[str, Any], actor: Actor) -> tuple[Outcome, ...]:
    """Take one action with one form in each of these cases; say what became of each, also of a number that is none.

    Each case is a transaction of its own, taken as it stands. Raises: TooManyPicked.
    """
    return _each_number(numbers, actor, partial(acting.act, action=action, data=data, actor=actor))


def hand_on_numbers(*, numbers: Sequence[str], to: str, reason: str, actor: Actor) -> tuple[Outcome, ...]:
    """Hand what waits for the actor in each of these cases on to one colleague (转办). As `act_on_numbers`."""

    def hand_on(*, case_id: str) -> None:
        try:
            operating.hand_on(case_id=case_id, obligation_id="", to=to, reason=reason, actor=actor)
        except ActionNotOffered as error:
            if error.facts["action"]:
                raise
            problem, problem_en = "没有等您办理的事项", "nothing of it waits for you"
            raise CannotOperate(number=error.facts["number"], operator="hand_on", problem=problem, problem_en=problem_en) from error

    return _each_number(numbers, actor, hand_on)


def remind_numbers(*, numbers: Sequence[str], reason: str, actor: Actor) -> tuple[Outcome, ...]:
    """Remind whose turn it is in each of these cases (催办). As `act_on_numbers`."""
    return _each_number(numbers, actor, partial(operating.remind, reason=reason, actor=actor))


def hand_over(*, organization: str, person: str, to: str, reason: str, actor: Actor) -> tuple[Outcome, ...]:
    """Give all that was handed to a person (`user:…`) of an organisation to a colleague (account name), or back to its role.

    `to` "" gives it back; to a colleague goes what is the person's own for the organisation, too.
    For who supervises there, when somebody leaves. At most MOST_PICKED in one go, the most urgent first.
    Raises: Refused; HandOverRefused to the same person, or where they hold nothing that can be handed over so.
    """
    actor.require(offering.SUPERVISE, organization=organization)
    name = person_names([person]).get(person, person)
    if to and f"user:{organizations.get_person(username=to).id}" == person:
        problem = f"接手的人就是{name}本人，请另选一位同事，或退还给岗位"
        raise HandOverRefused(field="to", problem=problem, problem_en=f"{name} holds it already; choose a colleague, or give it back to the role")
    handed = Q(assignee=person, organization=organization)
    own = Q(person=person, organization=organization) & ~Q(name=OPINION)
    opened = ObligationRecord.objects.filter(state="open").select_related("case")
    held = opened.filter(handed | own if to else handed)
    if not held.exists():
        _refuse_empty(name, only_own=opened.filter(own).exists())

    def run(row: ObligationRecord) -> None:
        operating.reassign(case_id=row.case_id, obligation_id=row.pk, to=to, reason=reason, actor=actor)

    return _each(held.order_by("first_due_at", "id")[:MOST_PICKED], run)


def _refuse_empty(name: str, *, only_own: bool) -> NoReturn:
    if only_own:
        problem = f"{name}手里只有属于本人的待办，没有岗位可以退还，请选择移交给哪位同事"
        problem_en = f"{name} holds only work of their own, which no role can take back; choose a colleague who takes it"
        raise HandOverRefused(field="to", problem=problem, problem_en=problem_en)
    problem = f"{name}手里没有指定给本人的待办；岗位的待办由同岗位的人办理，不必移交。请核对选的是谁"
    problem_en = f"nothing was given to {name} in person; what waits for a role stays with the others who hold it. Check whom you chose"
    raise HandOverRefused(field="person", problem=problem, problem_en=problem_en)


def _each_number(numbers: Sequence[str], actor: Actor, run: Callable[..., Any]) -> tuple[Outcome, ...]:
    wanted = tuple(dict.fromkeys(number.strip().upper() for number in numbers))
    _require_few(wanted)
    rows = {row.number: row for row in CaseRecord.objects.visible_to(actor).filter(number__in=wanted)}

    def done(number: str) -> Outcome:
        row, missing = rows.get(number), CaseNotFound(name=number)
        if row is None:
            return Outcome(number, "", number, "", missing.texts)
        return _outcome(row.pk, row, partial(run, case_id=row.pk))

    return tuple(map(done, wanted))


def _each(rows: Iterable[ObligationRecord], run: Callable[[ObligationRecord], None]) -> tuple[Outcome, ...]:
    return tuple(_outcome(row.pk, row.case, partial(run, row)) for row in rows)


def _outcome(key: str, case: CaseRecord, run: Callable[[], Any]) -> Outcome:
    outcome = Outcome(key, case.pk, case.number, case.title)
    try:
        run()
    except YunheError as error:
        return replace(outcome, refusal=error.texts)
    except DatabaseError:
        return replace(outcome, refusal={"zh": Transient().say("zh"), "en": Transient().say("en")})
    return outcome


def _require_few(picked: Sequence[str]) -> None:
    if len(picked) > MOST_PICKED:
        raise TooManyPicked(most=MOST_PICKED, found=len(picked))


def _rows(picks: Mapping[str, int | None]) -> list[ObligationRecord]:
    """Return the obligations in the order picked; whether they are the actor's each call checks for itself."""
    _require_few(tuple(picks))
    found = {row.pk: row for row in ObligationRecord.objects.filter(pk__in=picks).select_related("case")}
    return [found[key] for key in picks if key in found]


def _picked(obligation_ids: Sequence[str], actor: Actor) -> list[ObligationRecord]:
    _require_few(obligation_ids)
    rows = waiting_rows(actor).filter(pk__in=obligation_ids).exclude(case__state=SUSPENDED).select_related("case", "case__kind")
    found = {row.pk: row for row in rows}
    return [found[key] for key in dict.fromkeys(obligation_ids) if key in found]


def _common_actions(rows: list[ObligationRecord], actor: Actor) -> tuple[ActionView, ...]:
    """Return the actions that all offer with one form; one whose choices differ from case to case says so."""
    if not rows or len({(row.kind_code, row.name) for row in rows}) != 1:
        return ()
    first = rows[0]
    declared = [kinds.spec_of(row.case.kind).obligation(row.name).actions for row in rows]
    bodies = organization_choices() if any(f.format == BODY for a in declared[0].values() for f in a.fields) else {}
    shown = offered_actions(
        first.case, kinds.spec_of(first.case.kind), [first], holders_of(actor, first.kind_code), bodies
    )
    found = []
    for view in shown:
        if any(view.name not in one or one[view.name].fields != view.fields for one in declared):
            continue
        given = {_given(row, view.fields, bodies) for row in rows}
        found.append(replace(view, obligation_id="", refusal=PER_CASE if len(given) > 1 else None))
    return tuple(found)


def _given(row: ObligationRecord, fields: tuple[FieldSpec, ...], bodies: Mapping[str, str]) -> tuple[str, ...]:
    """Return what of a form comes from the case: its options and defaults."""
    data = row.case.data
    options = (repr(options_of(f, data, {})) for f in fields if f.subset_of)
    return (*options, *(repr(data.get(f.default_from.removeprefix("data."))) for f in fields if f.default_from))


def _takers(rows: list[ObligationRecord], actor: Actor) -> Mapping[str, Mapping[str, str]]:
    """Return who could take every one of these obligations on, by account name."""
    if any("hand_on" not in kinds.spec_of(row.case.kind).operators for row in rows):
        return {}
    seats = {(row.organization, row.role, row.assignee): row for row in rows}
    first, *rest = (offering.colleagues(row, actor) for row in seats.values())
    return {username: told for username, told in first.items() if all(username in other for other in rest)}
