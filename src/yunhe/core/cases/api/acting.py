"""Writes: open a case, act on it, waive the second person. One transition is one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from types import SimpleNamespace
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction

from yunhe.core.cases.api import choices, filling, kinds, steps, store
from yunhe.core.cases.api.delegating import absent_principals
from yunhe.core.cases.api.offering import has_moved
from yunhe.core.cases.api.reading import case_of, require_visible
from yunhe.core.cases.api.receipts import fetching
from yunhe.core.cases.api.seating import has_seat, require_distinct, require_time
from yunhe.core.cases.errors import (
    ActionNotOffered,
    AmbiguousAction,
    CaseChanged,
    CaseNotFound,
    FieldProblem,
    FieldsInvalid,
    OpinionsOpen,
    WaiverRefused,
)
from yunhe.core.cases.models import CaseRecord
from yunhe.core.cases.rules.books import Others
from yunhe.core.cases.rules.course import CANCELLED, OPEN, Course
from yunhe.core.cases.rules.fields import OPENER_NAME, checked, heading_of
from yunhe.core.cases.rules.operators import REASON, TITLE
from yunhe.core.cases.rules.position import Position
from yunhe.core.cases.rules.wording import step_named
from yunhe.core.cases.types import Case, KindSpec
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.types import Organization
from yunhe.kernel.actor import Actor
from yunhe.kernel.ids import new_id


@dataclass(frozen=True, slots=True)
class Seat:
    """An open obligation and as whom the actor fulfils it: themselves, or somebody who is away."""

    row: Any
    holder: Actor


def open_case(
    *,
    kind: str,
    title: str,
    data: Mapping[str, Any],
    actor: Actor,
    organization: str = "",
    owner: str = "",
    region: str = "",
    subject_type: str = "",
    subject_id: str = "",
    request_key: str = "",
    draft: str = "",
) -> Case:
    """Open a case (办件) of the newest version of a kind and run its start.

    `organization` applies (by default the actor's own), `owner` is the organisation asked. A kind with a
    `heading` makes the title. The same `request_key` again returns the case that was opened with it, for its opener.
    `draft` is the scope under which the form was kept and its receipts were fetched.
    Raises: KindNotFound, OrganizationNotFound, Refused, FieldsInvalid, NobodyInSeat, StuckCase, NotAttachable, and what
    the effects raise.
    """
    kind_row = kinds.current_kind(kind)
    spec = kinds.spec_of(kind_row)
    applicant = organization or actor.organization
    if applicant != actor.organization:
        applicant = organizations.get_organization(code=applicant).code
    asked_body = _asked(spec, owner)
    owner = asked_body.code if asked_body else ""
    actor.require(spec.opens.permission, organization=owner if spec.opens.over == "owner" else applicant, kind=spec.code)
    asked = tuple(f for f in spec.fields if not f.internal)
    form, given_data = (asked, dict(data)) if spec.heading else ((TITLE, *asked), {**data, "title": title})
    desk = filling.opening_desk(spec, actor, draft or new_id())
    surroundings = filling.around(desk, filling.opening_named(actor))
    values = fetching(lambda: checked(form, given_data, around=surroundings))
    told_title = heading_of(spec, {**values, OPENER_NAME: actor.name}, choices.say_value) if spec.heading else str(values.pop("title"))
    body = asked_body or organizations.find_organization(code=applicant)
    given = {
        "id": new_id(), "title": told_title, "organization": applicant, "owner": owner,
        "region": region or (body.region if body else ""), "subject_type": subject_type, "subject_id": subject_id,
    }  # fmt: skip
    if request_key and (known := _opened_before(request_key, actor)):
        return known
    try:
        with transaction.atomic():
            row = steps.open_new(kind_row, steps.begin_new(kind_row, actor, values), given, request_key=request_key)
            filling.hand_in(desk, form, values, case_id=row.pk, seq=row.version, actor=actor)
    except IntegrityError:  # the same submission, at the same moment
        if request_key and (known := _opened_before(request_key, actor)):
            return known
        raise
    return case_of(row, spec)


def act(
    *,
    case_id: str,
    action: str,
    data: Mapping[str, Any],
    actor: Actor,
    expected_version: int | None = None,
    obligation_id: str = "",
) -> Case:
    """Take an action of an open obligation that is the actor's, or of somebody's who is away (代办).

    `expected_version` is the version that the actor saw; None takes it as it is now. Two who act at
    once: one wins, the other is told. Whoever acts for another is bound by the guards of both.
    Raises: CaseNotFound, CaseChanged, CaseSuspended, ActionNotOffered, AmbiguousAction, GuardRefused,
    TimeIsOver, OpinionsOpen, FieldsInvalid, NotAttachable, StuckCase.
    """

    def step() -> Case:
        row, spec = steps.read_case(case_id)
        position, others = steps.near(row, spec, actor)
        if others and not any(has_seat(item, actor) for item in offering(spec, standing(row, position), action)):
            position, others = steps.position_of(row, spec, whole=False), None
        opened = standing(row, position)
        seat = choose_seat(row, spec, actor, action=action, obligation_id=obligation_id, expected=expected_version, opened=opened)
        require_version(row, expected_version)
        return _take(row, spec, seat, action, data, actor, position, others)

    return fetching(step)


def report_event(*, case_id: str, action: str, data: Mapping[str, Any], actor: Actor) -> Case:
    """Report what a case waits for: take the `by_room` action of its open obligation. Nobody's seat is asked.

    For rooms, which know what happened and answer for it. Raises: CaseNotFound, CaseSuspended, FieldsInvalid,
    StuckCase; ActionNotOffered where the case does not wait for it (any more).
    """

    def step() -> Case:
        row, spec = steps.read_case(case_id)
        position = steps.position_of(row, spec, whole=False)
        opened = sorted(standing(row, position), key=lambda one: str(one.pk))
        item = next(iter(offering(spec, opened, action, by_room=True)), None)
        if item is None:
            raise ActionNotOffered(number=row.number, action=action, titles=step_named(spec, action))
        return _take(row, spec, Seat(item, actor), action, data, actor, position)

    return fetching(step)


def waive(*, case_id: str, reason: str, actor: Actor) -> Case:
    """Record the operator's waiver of the second person and let it take effect (免除第二人审核).

    It stays visible: an event "waiver" with the reason, in the timeline and in the evidence.
    Raises: WaiverRefused unless the actor is the operator of an embedded node and the kind allows it.
    """
    if actor.kind != "operator" or settings.YUNHE["PROFILE"] != "embedded":
        raise WaiverRefused()
    values = checked((REASON,), {"reason": reason})
    with transaction.atomic():
        row, spec = steps.read_case(case_id)
        if spec.waiver is None or row.state != OPEN:
            raise WaiverRefused()
        course = steps.begin(row, spec, "waiver", actor, form=(REASON,), values=values)
        for open_id in course.open_obligations():
            course.close_obligation(open_id, "waived", CANCELLED)
        course.run(spec.waiver.effects)
        return steps.finish(row, course, waived=True)


def choose_seat(
    row: CaseRecord,
    spec: KindSpec,
    actor: Actor,
    *,
    action: str,
    obligation_id: str = "",
    expected: int | None = None,
    opened: Iterable[Any] | None = None,
) -> Seat:
    """Return the one open obligation that offers the action to the actor; one's own seat before another's.

    An `action` of "" is any: a generic operator. `opened` are the case's open obligations, read here if not given.
    Raises: AmbiguousAction, CaseNotFound, CaseChanged, ActionNotOffered.
    """
    if opened is None:
        opened = store.OBLIGATIONS.records(store.OPEN_ONES, row.pk)
    asked = [item for item in offering(spec, opened, action) if obligation_id in ("", item.pk)]
    for holder in chain([actor], absent_principals(actor, row.kind_code)):
        held = [item for item in asked if has_seat(item, holder)]
        if len(held) == 1:
            return Seat(held[0], holder)
        if len(held) > 1:
            raise AmbiguousAction(number=row.number, action=action, titles=step_named(spec, action))
    require_visible(row, actor)
    require_version(row, expected)
    raise ActionNotOffered(number=row.number, action=action, titles=step_named(spec, action))


def require_version(row: CaseRecord, expected: int | None) -> None:
    """Do nothing if the case stands where the actor saw it, whoever was told of it since. Raises: CaseChanged."""
    if expected is not None and row.version != expected and has_moved(row, expected):
        raise CaseChanged(what="case", name=row.number, expected=expected)


def standing(row: CaseRecord, position: Position) -> list[SimpleNamespace]:
    """Return the open obligations of a position, as `has_seat` asks them."""
    rows = position["obligations"].items()
    return [SimpleNamespace(pk=key, kind_code=row.kind_code, **item) for key, item in rows if item["state"] == OPEN]


def require_opinions(row: CaseRecord, obligation_id: str, position: Position) -> None:
    """Do nothing unless added reviewers of this obligation still owe their opinion. Raises: OpinionsOpen."""
    rows = position["obligations"].values()
    count = sum(item["origin_id"] == obligation_id and item["state"] == OPEN for item in rows)
    if count:
        raise OpinionsOpen(number=row.number, count=count)


def remember(row: CaseRecord, course: Course) -> None:
    """Note who acted as a party, so that they find the case again."""
    actor = course.moment.actor
    if not store.PARTIES.plain(("id",), store.BY_PERSON, row.pk, actor.id, actor.organization):
        party = {"part": "handler", "organization": actor.organization, "person": actor.id}
        course.change("parties", {store.party_key(party): party})


def on_behalf_of(seat: Seat, actor: Actor) -> str:
    """Return for whom the actor acts, "" for themselves."""
    return "" if seat.holder is actor else f"{seat.holder.id} {seat.holder.name}"[:120]


def offering(spec: KindSpec, opened: Iterable[Any], action: str, *, by_room: bool = False) -> list[Any]:
    """Return those of the open obligations that offer an action; all of them for "", any."""
    return [item for item in opened if not action or _offers(spec, item.name, action, by_room=by_room)]


def _offers(spec: KindSpec, name: str, action: str, *, by_room: bool) -> bool:
    offered = spec.obligation(name).actions.get(action)
    return offered is not None and offered.by_room == by_room


def _take(
    row: CaseRecord,
    spec: KindSpec,
    seat: Seat,
    action: str,
    data: Mapping[str, Any],
    actor: Actor,
    position: Position,
    others: Others | None = None,
) -> Case:
    """Take an action of the obligation in a seat: guards of who acts and of whose seat it is, then its effects."""
    steps.require_open(row)
    offered = spec.obligation(seat.row.name).actions[action]
    desk = filling.action_desk(row, spec, actor, seat.row.pk, action)
    surroundings = filling.around(desk, filling.action_named(row, spec, actor))
    values = checked(offered.fields, data, row.data, surroundings)
    course = steps.begin(row, spec, action, actor, form=offered.fields, values=values, position=position, others=others)
    course.check_guards(offered)
    if seat.holder is not actor:
        course.check_guards(offered, seat.holder)
    if not offered.by_room:
        require_time(seat.row, row.number, spec)
        require_distinct(seat.row, row.pk, spec, actor, seat.holder)
    require_opinions(row, seat.row.pk, position)
    course.take(seat.row.pk, offered)
    if not offered.by_room:
        remember(row, course)
    filling.hand_in(desk, offered.fields, values, case_id=row.pk, seq=course.moment.seq, actor=actor)
    return steps.finish(row, course, obligation_id=seat.row.pk, on_behalf=on_behalf_of(seat, actor))


def _asked(spec: KindSpec, owner: str) -> Organization | None:
    """Return the organisation that a case is put to; a kind whose work is the owner's needs one."""
    if not owner and spec.asks_owner:
        raise FieldsInvalid([FieldProblem("owner", "required", "请写明办理单位。", "Name the organisation that handles it.")])
    return organizations.get_organization(code=owner) if owner else None


def _opened_before(request_key: str, actor: Actor) -> Case | None:
    row = CaseRecord.objects.select_related("kind").filter(request_key=request_key).first()
    if row is None:
        return None
    if (row.opened_by, row.opened_for) != (actor.id, actor.organization):
        raise CaseNotFound(name=request_key)
    return case_of(row, kinds.spec_of(row.kind))
