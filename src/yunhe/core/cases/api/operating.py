"""The generic operators: what people do with any case beside its own actions. Each is one transition with a reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NoReturn

from django.db import transaction

from yunhe.core.cases.api import folding, holding, offering, steps, store, telling
from yunhe.core.cases.api.acting import Seat, choose_seat, on_behalf_of, remember, require_version
from yunhe.core.cases.api.delegating import holders_of
from yunhe.core.cases.api.reading import require_visible
from yunhe.core.cases.api.seating import require_time
from yunhe.core.cases.errors import ActionNotOffered, CannotOperate, NotRetractable, OperatorNotAllowed
from yunhe.core.cases.models import CaseRecord
from yunhe.core.cases.rules import lengths, timing
from yunhe.core.cases.rules.course import ANY_SIGN, CANCELLED, DONE, OPEN, SUSPENDED, Course
from yunhe.core.cases.rules.fields import checked
from yunhe.core.cases.rules.going_back import go_back, pause_of, undo
from yunhe.core.cases.rules.operators import AMOUNT, BASIS, REASON
from yunhe.core.cases.rules.position import replay
from yunhe.core.cases.rules.wording import kind_named
from yunhe.core.cases.types import OPINION, Case, FieldSpec, KindSpec, Operator
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor

MOST_PARTS = 20
Work = Callable[[Course], None]


def hand_on(*, case_id: str, obligation_id: str, to: str, reason: str, actor: Actor, expected_version: int | None = None) -> Case:
    """Hand an obligation of one's own on (转办): to a colleague (`user`), or to another organisation (`@code`).

    A colleague must hold one of its roles; another organisation may take only what the kind says is transferable.
    Raises: as `act`, OperatorNotAllowed, CannotOperate, UserNotFound, OrganizationNotFound.
    """

    def work(course: Course, seat: Seat) -> None:
        username, _, code = to.partition("@")
        if code:
            if not course.kind.obligation(seat.row.name).transferable:
                _refuse(course.position["case"]["number"], "hand_on", "这类待办不能转给别的单位", "it may not go to another organisation")
            _move(course, seat.row.pk, code)
            return
        person = offering.require_colleague(username, seat.row, actor, course.position["case"]["number"])
        course.change("obligations", {seat.row.pk: {"assignee": person}})

    return _on_seat("hand_on", case_id, obligation_id, actor, {"reason": reason, "to": _name_of(to)}, work, expected_version)


def reassign(
    *, case_id: str, obligation_id: str, to: str, reason: str, actor: Actor, expected_version: int | None = None
) -> Case:
    """Give an obligation to a colleague (account name) or, with "", back to its role: for who supervises there (指派).

    One that is the applicant's own person's goes to a colleague of the applicant, so that the case goes on when that person left.
    Where nobody holds the role it goes to an organisation (`@code`) where somebody does, by who supervises both.
    Raises: Refused without cases.supervise over its organisation, OperatorNotAllowed, CannotOperate, UserNotFound.
    """
    to = to.removesuffix(offering.BACK)
    with transaction.atomic():
        row, spec = _read(case_id, actor, "reassign", expected_version)
        steps.require_open(row)
        item = row.obligations.filter(pk=obligation_id, state=OPEN).first()
        if item is None or not offering.is_assignable(item, spec):
            _refuse(row.number, "reassign", "这个待办已了结或只属于本人", "that obligation is over or belongs to one person only")
        actor.require(offering.SUPERVISE, organization=offering.answers_for(item, row), kind=row.kind_code)
        if (to or offering.BACK) not in offering.takers(item, row, actor):
            _refuse(row.number, "reassign", *offering.taker_problem(to, item))
        given = {**checked((REASON,), {"reason": reason}), "to": _name_of(to) if to else "—"}
        course = steps.begin(row, spec, "reassign" if to else "take_back", actor, values=given)
        if to.startswith("@"):
            _move(course, item.pk, to.removeprefix("@"))
        else:
            chosen = f"user:{organizations.get_person(username=to).id}" if to else ""
            own = {"organization": offering.answers_for(item, row), "person": chosen}
            course.change("obligations", {item.pk: {"assignee": chosen} if item.role else own})
        remember(row, course)
        return steps.finish(row, course, obligation_id=item.pk)


def let_go(*, case_id: str, person: str, actor: Actor) -> None:
    """Give what somebody who left was handed back to all who hold its role, and their own turn to their office.

    Where nobody there holds the role in which the case was opened, who supervises is told. For the platform itself; a
    case that is over is left alone.
    """
    with transaction.atomic():
        row, spec = steps.read_case(case_id)
        course = steps.begin(row, spec, "take_back", actor, values={"reason": "原办理人已离岗", "to": "—"})
        for item in row.obligations.filter(assignee=person, state=OPEN):
            if person not in {holder for holder, _name in offering.role_holders(item).values()}:
                course.change("obligations", {item.pk: {"assignee": ""}})
        own = row.obligations.filter(person=person, state=OPEN).exclude(name=OPINION).values_list("pk", flat=True)
        left = holding.give_to_office(course, own)
        if course.difference:
            steps.finish(row, course)
        telling.tell_left(row, course, left)


def take_back(*, case_id: str, obligation_id: str, actor: Actor, expected_version: int | None = None) -> Case:
    """Give an obligation that was handed to the actor back to all who hold its role."""

    def work(course: Course, seat: Seat) -> None:
        if not seat.row.assignee:
            _refuse(course.position["case"]["number"], "take_back", "它没有指定给您本人", "it was not handed to you")
        course.change("obligations", {seat.row.pk: {"assignee": ""}})

    return _on_seat("take_back", case_id, obligation_id, actor, {}, work, expected_version, allowed_as="hand_on")


def add_reviewer(
    *,
    case_id: str,
    obligation_id: str,
    to: Sequence[str],
    reason: str,
    actor: Actor,
    signing: str | None = None,
    expected_version: int | None = None,
) -> Case:
    """Ask people (account names) for an opinion (加签); the obligation waits until each gave it or was dropped.

    A colleague is asked as such; who belongs to other organisations only, in the first of them.
    With `signing` any (或签) the first opinion is enough and the others fall away; all is 会签.
    Raises: as `act`, OperatorNotAllowed, CannotOperate as `seat_of_reviewer`, UserNotFound.
    """

    def work(course: Course, seat: Seat) -> None:
        for username in dict.fromkeys(to):
            person, body = offering.seat_of_reviewer(username, seat.row, actor)
            opened = course.fresh_obligation(OPINION, ANY_SIGN if signing == "any" else "")
            asked = {"organization": body, "role": "", "person": person, "assignee": "", "origin_id": seat.row.pk}
            course.change("obligations", {course.moment.new_id(): {**opened, **asked, **timing.UNTIMED}})
            party = {"part": "handler", "organization": "", "person": person}
            course.change("parties", _new_party(seat.row.case, party))
        if not to:
            _refuse(course.position["case"]["number"], "add_reviewer", "请选择加签人", "name at least one reviewer")

    names = [organizations.get_person(username=username).display_name for username in dict.fromkeys(to)]
    told = {"reason": reason, "to": names, **({"signing": signing} if signing == "any" else {})}
    return _on_seat("add_reviewer", case_id, obligation_id, actor, told, work, expected_version)


def drop_reviewer(*, case_id: str, obligation_id: str, actor: Actor, expected_version: int | None = None) -> Case:
    """Take back the opinions that are still waited for (撤回加签)."""

    def work(course: Course, seat: Seat) -> None:
        waiting = [key for key in course.open_obligations(OPINION) if course.position["obligations"][key]["origin_id"] == seat.row.pk]
        if not waiting:
            _refuse(course.position["case"]["number"], "drop_reviewer", "没有还在等的意见", "no opinion is waited for")
        for key in waiting:
            course.close_obligation(key, "", CANCELLED)

    return _on_seat("drop_reviewer", case_id, obligation_id, actor, {}, work, expected_version, allowed_as="add_reviewer")


def send_back(
    *, case_id: str, obligation_id: str, phase: str, reason: str, actor: Actor, expected_version: int | None = None
) -> Case:
    """Send the case back to a phase it was in (退回): what was opened on entering it opens again, with fresh clocks.

    Nothing that was given since then counts any more, in no group; phases that were entered since then are no way back.
    The clocks stand or run as they did then, and a list of a batch that it came onto since is left.
    Raises: as `act`, OperatorNotAllowed, CannotOperate for a phase it was never in.
    """

    def work(course: Course, seat: Seat) -> None:
        case = seat.row.case
        rows = [item for item in case.obligations.order_by("opened_seq", "id") if item.name in course.kind.obligations]
        if phase not in offering.earlier_phases(case, course.kind, rows):
            _refuse(case.number, "send_back", "办件没有到过这个阶段", "it was never in that phase")
        first = next(item.opened_seq for item in rows if item.phase == phase and item.superseded_seq is None)
        events = list(case.events.filter(seq__lte=first).order_by("seq"))
        ended = course.position["obligations"].get(events[-1].obligation_id, {}).get("name", "")
        basis = pause_of(course.kind, ended, events[-1].action)
        go_back(course, phase, first, replay(folding.differences(events)), basis)
        offering.require_way_on(case, course.kind, phase, tuple(item.name for item in rows if (item.phase, item.opened_seq) == (phase, first)))

    told = {"reason": reason, "phase": phase}
    return _on_seat("send_back", case_id, obligation_id, actor, told, work, expected_version, everything=True)


def retract(*, case_id: str, reason: str, actor: Actor, expected_version: int | None = None) -> Case:
    """Take one's own last step back (撤回) while nobody went on from it and nothing of it took effect.

    Raises: NotRetractable, OperatorNotAllowed, CaseChanged.
    """
    with transaction.atomic():
        row, spec = _read(case_id, actor, "retract", expected_version)
        values = checked((REASON,), {"reason": reason})
        last = offering.last_step(row)
        events = list(row.events.filter(seq__lte=last.seq).order_by("seq"))
        problem = ("办件已中止", "it is suspended") if row.state != OPEN else offering.retract_problem(last, actor)
        if problem:
            raise NotRetractable(number=row.number, problem=problem[0], problem_en=problem[1])
        position = store.read_position(row, everything=True)
        course = steps.begin(row, spec, "retract", actor, form=(REASON,), values=values, position=position)
        undo(course, last.diff, replay(folding.differences(events[:-1])))
        return steps.finish(row, course)


def withdraw(*, case_id: str, reason: str, actor: Actor, expected_version: int | None = None) -> Case:
    """Take back what one asked for (撤回申请) while nobody decided, also while it is suspended: the case ends as its kind says.

    Raises: OperatorNotAllowed, CannotOperate, CaseChanged, and what its effects raise.
    """
    with transaction.atomic():
        row, spec = _read(case_id, actor, "withdraw", expected_version)
        if problem := offering.withdraw_problem(row, spec, actor, row.obligations.all()):
            _refuse(row.number, "withdraw", *problem)
        course = steps.begin(row, spec, "withdraw", actor, form=(REASON,), values=checked((REASON,), {"reason": reason}))
        course.run(spec.withdrawal.effects if spec.withdrawal else ())
        return steps.finish(row, course)


def remind(*, case_id: str, reason: str, actor: Actor) -> Case:
    """Remind whose turn it is (催办); at most once in an hour by one person. Raises: CannotOperate."""
    with transaction.atomic():
        row, spec = _read(case_id, actor, "remind", None)
        steps.require_open(row)
        if problem := offering.remind_problem(row, actor, row.obligations.filter(state=OPEN), holders_of(actor, row.kind_code)):
            _refuse(row.number, "remind", *problem)
        course = steps.begin(row, spec, "remind", actor, form=(REASON,), values=checked((REASON,), {"reason": reason}))
        course.change("case", {"reminders": row.reminders + 1})
        return steps.finish(row, course)


def escalate(*, case_id: str, reason: str, actor: Actor, expected_version: int | None = None) -> Case:
    """Put the case under supervision (督办). Raises: Refused without cases.supervise, CannotOperate if it is."""

    def work(course: Course) -> None:
        if course.position["case"]["supervised_at"]:
            _refuse(course.position["case"]["number"], "escalate", "它已在督办", "it is under supervision already")
        course.change("case", {"supervised_at": course.moment.at.isoformat()})

    return _supervise("escalate", case_id, actor, {"reason": reason}, (REASON,), work, expected_version)


def suspend(*, case_id: str, basis: str, reason: str, actor: Actor, expected_version: int | None = None) -> Case:
    """Suspend the case (中止) under a rule: every clock stands still until it is resumed.

    Raises: OperatorNotAllowed, ActionNotOffered unless the actor leads the case or supervises it.
    """
    with transaction.atomic():
        row, spec = _read(case_id, actor, "suspend", expected_version)
        steps.require_open(row)
        _require_lead(row, spec, actor, "suspend")
        values = checked((BASIS, REASON), {"basis": basis, "reason": reason})
        course = steps.begin(row, spec, "suspend", actor, form=(BASIS, REASON), values=values)
        course.change_clocks(lambda item: timing.pause(item, at=course.moment.at, basis=basis))
        course.change("case", {"state": SUSPENDED, "due_at": None, "estimated": False})
        remember(row, course)
        return steps.finish(row, course)


def resume(*, case_id: str, reason: str, actor: Actor, expected_version: int | None = None) -> Case:
    """Go on with a suspended case (恢复); what comes again each period does from now on.

    Raises: CannotOperate if it is not suspended, ActionNotOffered as `suspend`.
    """
    with transaction.atomic():
        row, spec = _read(case_id, actor, "resume", expected_version)
        if row.state != SUSPENDED:
            _refuse(row.number, "resume", "它没有中止", "it is not suspended")
        _require_lead(row, spec, actor, "resume")
        course = steps.begin(row, spec, "resume", actor, form=(REASON,), values=checked((REASON,), {"reason": reason}))
        course.change("case", {"state": OPEN})
        suspended = row.events.filter(action="suspend").latest("seq")
        course.ended_before = _groups_ended_since(row, suspended.seq)
        course.change_clocks(lambda item: _go_on(item, suspended.at, course))
        for key, item in course.position["obligations"].items():  # periods that began meanwhile are not owed; the one of today is
            if item.get("next_at") and datetime.fromisoformat(item["next_at"]) <= course.at:
                course.change("obligations", {key: {"next_at": course.at.isoformat()}})
        return steps.finish(row, course)


def extend(
    *, case_id: str, amount: int, basis: str, reason: str, actor: Actor, obligation_id: str = "", expected_version: int | None = None
) -> Case:
    """Make a limit longer by `amount` of its own unit (延期): of one obligation, or of the case's own clock.

    Raises: Refused without cases.supervise, CannotOperate where no limit runs or it may not be so much longer.
    """

    def work(course: Course) -> None:
        found = course.position["obligations"] if obligation_id else course.position["clocks"]
        running = [key for key, row in found.items() if row["limit_amount"] is not None and not row.get("stopped_at") and obligation_id in ("", key)]
        if not running:
            _refuse(course.position["case"]["number"], "extend", "没有可延长的时限", "no limit runs there")
        for key in running:
            left = timing.extension_left(found[key])
            if left is not None and course.moment.values["amount"] > left:
                _refuse(course.position["case"]["number"], "extend", *lengths.too_long(left, found[key]["limit_unit"]))
            changes = timing.extend(found[key], calendar=course.moment.calendar, **course.moment.values)
            course.change("obligations" if obligation_id else "clocks", {key: changes})

    given = {"amount": amount, "basis": basis, "reason": reason}
    return _supervise("extend", case_id, actor, given, (AMOUNT, BASIS, REASON), work, expected_version)


def merge(*, case_id: str, into: str, reason: str, actor: Actor, expected_version: int | None = None) -> Case:
    """End a duplicate and let another open case of its kind stand for it (并案). Returns the duplicate.

    Nobody sees more than before: who has a part in the duplicate keeps it, and no part in the other case. What
    waits for the duplicate waits for the other case's end.
    Raises: OperatorNotAllowed, CannotOperate, CaseNotFound; ActionNotOffered unless the actor leads the duplicate or supervises it.
    """
    with transaction.atomic():
        list(CaseRecord.objects.select_for_update().filter(pk__in=[case_id, into]).order_by("pk").values_list("pk"))
        master, spec = _read(into, actor, "merge", None)
        row, own = _read(case_id, actor, "merge", expected_version)
        _require_lead(row, own, actor, "merge")
        values = checked((REASON,), {"reason": reason})
        if problem := offering.merge_problem(row, master):
            _refuse(row.number, "merge", *problem)
        steps.finish(master, steps.begin(master, spec, "take_in", actor, values={"number": row.number}))
        course = steps.begin(row, own, "merge", actor, form=(REASON,), values={**values, "number": master.number})
        course.close_case("merged")
        course.change("case", {"merged_into_id": master.pk})
        return steps.finish(row, course)


def split(
    *, case_id: str, titles: Sequence[str], reason: str, actor: Actor, expected_version: int | None = None
) -> tuple[Case, ...]:
    """End a case and open one for each title from the start, with its data and clock (拆分). Returns the new ones.

    Raises: OperatorNotAllowed, CannotOperate unless 2 to 20 titles or if another case waits for its end;
    ActionNotOffered unless the actor leads it or supervises it.
    """
    with transaction.atomic():
        row, spec = _read(case_id, actor, "split", expected_version)
        steps.require_open(row)
        _require_lead(row, spec, actor, "split")
        named = [title.strip()[:300] for title in titles if title.strip()]
        if not 2 <= len(named) <= MOST_PARTS:
            _refuse(row.number, "split", f"请写 2 至 {MOST_PARTS} 个标题", f"name 2 to {MOST_PARTS} titles")
        if offering.awaited_by(row.pk):
            _refuse(row.number, "split", "别的办件在等它办结", "another case waits for its end")
        course = steps.begin(row, spec, "split", actor, form=(REASON,), values=checked((REASON,), {"reason": reason}))
        data = {f.name: row.data.get(f.name) for f in spec.fields if not f.internal}
        parts = [steps.open_part(row, spec, title, data, course) for title in named]
        course.close_case("split")
        steps.finish(row, course)
        return tuple(parts)


def _on_seat(
    name: str,
    case_id: str,
    obligation_id: str,
    actor: Actor,
    values: Mapping[str, Any],
    work: Callable[[Course, Seat], None],
    expected: int | None,
    *,
    allowed_as: Operator | None = None,
    everything: bool = False,
) -> Case:
    """Run an operator on an obligation that is the actor's turn; with `everything` it sees what is over, too."""
    with transaction.atomic():
        row, spec = _read(case_id, actor, allowed_as or name, expected)
        steps.require_open(row)
        seat = choose_seat(row, spec, actor, action="", obligation_id=obligation_id, expected=expected)
        require_time(seat.row, row.number, spec)
        if seat.row.name == OPINION and name in ("add_reviewer", "send_back"):
            raise ActionNotOffered(number=row.number, action=name)
        told = {**checked((REASON,), {"reason": values["reason"]}), **values} if "reason" in values else values
        position = store.read_position(row, everything=True) if everything else None
        course = steps.begin(row, spec, name, actor, values=told, position=position)
        work(course, seat)
        remember(row, course)
        return steps.finish(row, course, obligation_id=seat.row.pk, on_behalf=on_behalf_of(seat, actor))


def _supervise(
    name: str, case_id: str, actor: Actor, given: Mapping[str, Any], form: tuple[FieldSpec, ...], work: Work, expected: int | None
) -> Case:
    with transaction.atomic():
        row, spec = _read(case_id, actor, name, expected)
        if not offering.may_supervise(row, actor):
            actor.require(offering.SUPERVISE, organization=row.owner or row.organization, kind=row.kind_code)
        if name == "extend":
            steps.require_open(row)
        course = steps.begin(row, spec, name, actor, form=form, values=checked(form, given))
        work(course)
        remember(row, course)
        return steps.finish(row, course)


def _read(case_id: str, actor: Actor, operator: str, expected: int | None) -> tuple[CaseRecord, KindSpec]:
    """Return the case for an operator that its kind allows, if the actor may see it and it goes on."""
    row, spec = steps.read_case(case_id)
    require_visible(row, actor)
    if {"resume": "suspend", "reassign": "hand_on"}.get(operator, operator) not in offering.allowed_operators(spec):
        raise OperatorNotAllowed(kind_code=spec.code, operator=operator, titles=kind_named(spec))
    require_version(row, expected)
    if row.state not in (OPEN, SUSPENDED):
        _refuse(row.number, operator, "它已办结", "it is over")
    return row, spec


def _move(course: Course, obligation_id: str, code: str) -> None:
    """Give an obligation to all of another organisation who hold its role."""
    body = organizations.get_organization(code=code)
    course.change("obligations", {obligation_id: {"organization": body.code, "assignee": ""}})


def _name_of(to: str) -> str:
    username, _, code = to.partition("@")
    if code:
        return organizations.get_organization(code=code).label
    return organizations.get_person(username=username).display_name


def _groups_ended_since(row: CaseRecord, seq: int) -> set[str]:
    """Return the groups of which a sub-case ended while the case stood still; their rules were not asked then."""
    return set(row.obligations.filter(state=DONE, closed_seq__gt=seq).values_list("group", flat=True))


def _go_on(item: Mapping[str, Any], suspended_at: datetime, course: Course) -> dict[str, Any]:
    """Return what changes of a clock that the suspension stopped; what stood still before it goes on standing."""
    if item["paused_at"] != suspended_at.isoformat():
        return {}
    return timing.resume(item, at=course.moment.at, calendar=course.moment.calendar)


def _require_lead(row: CaseRecord, spec: KindSpec, actor: Actor, operator: str) -> None:
    if not offering.may_lead(row, spec, row.obligations.filter(state=OPEN), holders_of(actor, row.kind_code)):
        raise ActionNotOffered(number=row.number, action=operator)


def _new_party(row: CaseRecord, party: Mapping[str, str]) -> dict[str, Mapping[str, str]]:
    return {} if row.parties.filter(**party).exists() else {store.party_key(party): dict(party)}


def _refuse(number: str, operator: str, problem: str, problem_en: str) -> NoReturn:
    raise CannotOperate(number=number, operator=operator, problem=problem, problem_en=problem_en)
