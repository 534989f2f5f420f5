"""Which generic operators (转办、加签、退回…) an actor may use on a case now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Any

from yunhe.core.cases.api import kinds
from yunhe.core.cases.api.seating import holder_of
from yunhe.core.cases.errors import CannotOperate
from yunhe.core.cases.models import ANY_BUREAU, CaseRecord, EventRecord, ObligationRecord
from yunhe.core.cases.rules import timing
from yunhe.core.cases.rules.course import BATCH, CLOSED, DONE, OPEN, ROLE_JOIN
from yunhe.core.cases.rules.verdicts import judge_class
from yunhe.core.cases.types import OPINION, KindSpec, OperatorView
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.types import Membership
from yunhe.kernel.actor import ALL, Actor
from yunhe.kernel.clock import now

SUPERVISE = "cases.supervise"
ONLY_TOLD = ("remind", "warn", "escalate", "recount", "retitle")
"""Events after which the case stands where it stood; a step that is taken back has its times counted anew."""
REMIND_EVERY = timedelta(hours=1)
BACK = "@"
"""Stands among the people to whom work may be given for all who hold its role."""
Choices = Mapping[str, Mapping[str, str]]
Staff = Mapping[str, list[Membership]]


@dataclass(frozen=True)
class _Around:
    """What offers on any of the actor's own obligations are made from; asked once, however many these are."""

    staff: Staff
    able: Callable[[], list[Membership]]
    elsewhere: Callable[[str, str], Choices]
    phases: Choices

    @staticmethod
    def of(
        row: CaseRecord, spec: KindSpec, obligations: list[ObligationRecord], mine: list[ObligationRecord], actor: Actor
    ) -> _Around:
        bodies = {item.organization for item in mine if item.role} - {"", ANY_BUREAU}
        return _Around(
            staff=organizations.list_members_of(organizations=bodies) if bodies else {},
            able=cache(lambda: _able_colleagues(actor, row.kind_code)),
            elsewhere=cache(_bodies_able),
            phases=earlier_phases(row, spec, obligations) if mine else {},
        )


def offered_operators(
    row: CaseRecord, spec: KindSpec, obligations: list[ObligationRecord], holders: tuple[Actor, ...]
) -> tuple[OperatorView, ...]:
    """Return the operators that the case allows the first of the holders, first those on their own obligations."""
    if row.state == CLOSED:
        return ()
    actor, allowed = holders[0], allowed_operators(spec)
    leading, found = may_lead(row, spec, obligations, holders), list[OperatorView]()
    if row.state == OPEN:
        mine = [item for item in obligations if holder_of(item, holders)]
        around = _Around.of(row, spec, obligations, mine, actor)
        for item in mine:
            found += _on_obligation(spec, item, obligations, allowed, actor, around)
        found += [OperatorView("merge")] if "merge" in allowed and leading else []
        found += [OperatorView("split")] if "split" in allowed and leading and not awaited_by(row.pk) else []
        found += [OperatorView("retract")] if "retract" in allowed and retract_problem(last_step(row), actor) is None else []
        found += [OperatorView("withdraw")] if withdraw_problem(row, spec, actor, obligations) is None else []
        found += [OperatorView("remind")] if "remind" in allowed and remind_problem(row, actor, obligations, holders) is None else []
        found += [OperatorView("suspend")] if "suspend" in allowed and leading else []
        found += _by_supervisors(row, spec, obligations, allowed, actor)
    else:
        found += [OperatorView("resume")] if leading and "suspend" in allowed else []
        found += [OperatorView("withdraw")] if withdraw_problem(row, spec, actor, obligations) is None else []
    if "escalate" in allowed and row.supervised_at is None and may_supervise(row, actor):
        found.append(OperatorView("escalate"))
    return tuple(found)


def allowed_operators(spec: KindSpec) -> frozenset[str]:
    """Return the generic operators that a kind allows its cases."""
    return frozenset((*spec.operators, "withdraw") if spec.withdrawal else spec.operators)


def may_supervise(row: CaseRecord, actor: Actor) -> bool:
    """Tell whether the actor supervises (督办) cases of this kind of one of its organisations."""
    bodies = {row.owner, row.organization} - {""}
    return any(actor.may(SUPERVISE, organization=body, kind=row.kind_code) for body in bodies)


def awaited_by(case_id: str) -> set[str]:
    """Return the cases that cannot end before this one: it, or what went into it, is a sub-case of theirs or of such a case."""
    waiting, seen, front = set[str](), set[str](), {case_id}
    while front:
        seen |= front
        above = set(ObligationRecord.objects.filter(child__in=front, state=OPEN).values_list("case_id", flat=True))
        doubles = set(CaseRecord.objects.filter(merged_into__in=front).values_list("pk", flat=True))
        waiting, front = waiting | above, (above | doubles) - seen
    return waiting


def may_lead(row: CaseRecord, spec: KindSpec, obligations: Iterable[ObligationRecord], holders: tuple[Actor, ...]) -> bool:
    """Tell whether the first of the holders answers for the whole case: supervises it, or has a seat of those who lead it."""
    held = (item for item in obligations if leads(spec, item.name) and holder_of(item, holders))
    return may_supervise(row, holders[0]) or next(held, None) is not None


def leads(spec: KindSpec, name: str) -> bool:
    """Tell whether whoever owes an obligation leads the case: not who is asked beside others, nor who applied.

    A single organisation that a field names leads; the applicant's offices do where no other organisation is asked.
    """
    who = spec.obligation(name).who
    single = {field.name for field in spec.fields if field.type != "list" or field.max_items == 1}
    applicant = who.organization == "applicant" and not spec.asks_owner
    return who.organization in ("owner", "bureau") or applicant or who.each in single


def earlier_phases(row: CaseRecord, spec: KindSpec, obligations: list[ObligationRecord]) -> Choices:
    """Return the phases that the case was in before and had work in, by code, in the order of the kind.

    What it was sent back from is not before.
    """
    been = {item.phase for item in obligations if item.name in spec.obligations and item.superseded_seq is None} - {row.phase}
    return {phase.code: phase.title.as_mapping() for phase in spec.phases if phase.code in been}


def require_way_on(row: CaseRecord, spec: KindSpec, phase: str, names: tuple[str, ...]) -> None:
    """Do nothing if a case that changed its version could still end from there; the kind's proof knows only its own.

    Raises: CannotOperate.
    """
    if row.events.filter(action="migrate").exists():
        problem = judge_class(spec, phase, names, frozenset(field.name for field in spec.fields))
        if problem:
            raise CannotOperate(number=row.number, operator="send_back", problem=problem[0], problem_en=problem[1])


def colleagues(item: ObligationRecord, actor: Actor, staff: Staff | None = None) -> Choices:
    """Return who else could take an obligation on: holders of its roles in its organisation, by account name."""
    holders = role_holders(item, staff).items()
    return _choices({name: told for name, (person, told) in holders if person not in (item.assignee, actor.id)})


def require_colleague(username: str, item: Any, actor: Actor, number: str) -> str:
    """Return the id of a colleague to whom the actor may hand an obligation on. Raises: UserNotFound, CannotOperate."""
    told = organizations.get_person(username=username)
    person = f"user:{told.id}"
    if username not in colleagues(item, actor):
        problem = ("不能转给自己", "nobody hands it on to themselves") if person == actor.id else taker_problem(username, item)
        raise CannotOperate(number=number, operator="hand_on", problem=problem[0], problem_en=problem[1])
    return person


def role_holders(item: ObligationRecord, staff: Staff | None = None) -> dict[str, tuple[str, str]]:
    """Return who holds a role of an obligation in its organisation, the bureau's in any: id and name, by account name."""
    roles = set(filter(None, item.role.split(ROLE_JOIN)))
    if item.organization == ANY_BUREAU:
        found = [m for role in sorted(roles) for m in organizations.list_holders(role=role)]
    else:
        found = _members(item.organization, staff) if roles and item.organization else []
    return {m.username: (f"user:{m.user_id}", m.display_name) for m in found if m.role in roles}


def _members(code: str, staff: Staff | None) -> list[Membership]:
    return staff[code] if staff and code in staff else list(organizations.list_members(organization=code))


def _choices(named: Mapping[str, str]) -> Choices:
    """Return people to choose from, by account name, sorted by what they are called."""
    return {username: {"zh": name, "en": name} for username, name in sorted(named.items(), key=lambda pair: pair[1])}


def has_moved(row: CaseRecord, since: int) -> bool:
    """Tell whether a case stands elsewhere than at the version `since`, or never was at it."""
    return since > row.version or row.events.filter(seq__gt=since).exclude(action__in=ONLY_TOLD).exists()


def last_step(row: CaseRecord) -> EventRecord:
    """Return the last event that moved the case; who was only reminded or warned of it, or counted its times anew, went nowhere."""
    return row.events.exclude(action__in=ONLY_TOLD).latest("seq")


def retract_problem(last: EventRecord, actor: Actor) -> tuple[str, str] | None:
    """Return why the last step of an open case cannot be taken back (Chinese, English), or None."""
    if (last.actor_id, last.actor_organization) != (actor.id, actor.organization):
        return "它不是您办的", "it is not yours"
    if not last.obligation_id or last.action in ("child_closed", "take_back"):
        return "它不是一步办理", "it is no step of the way"
    if last.calls:
        return "它已经生效", "it has taken effect already"
    if any(change.get("child_id") for change in last.diff.get("obligations", {}).values()):
        return "它开启了子办件", "it opened a sub-case"
    return None


def remind_problem(
    row: CaseRecord, actor: Actor, obligations: Iterable[ObligationRecord], holders: tuple[Actor, ...]
) -> tuple[str, str] | None:
    """Return why the actor cannot remind anybody of an open case (Chinese, English), or None."""
    if not any(item.state == OPEN and not holder_of(item, holders) for item in obligations):
        return "现在没有等别人办理的", "nothing waits for anybody else"
    if row.events.filter(action="remind", actor_id=actor.id, at__gt=now() - REMIND_EVERY).exists():
        return "一小时内已经催办过", "you reminded within the last hour"
    return None


def withdraw_problem(
    row: CaseRecord, spec: KindSpec, actor: Actor, obligations: Iterable[ObligationRecord]
) -> tuple[str, str] | None:
    """Return why the actor cannot take back what was asked for (Chinese, English), or None."""
    told = spec.withdrawal
    awaited = row.parent_id and ObligationRecord.objects.filter(child=row.pk).exists()  # a part of a split case has a parent, too
    if told is None or awaited or (row.opened_by, row.opened_for) != (actor.id, actor.organization):
        return "只有提出人可以撤回，子办件随主办件撤回", "only who opened it may, and a sub-case goes with the case above"
    done = any(item.state == DONE and item.name != OPINION for item in obligations)
    if row.phase not in told.phases if told.phases else done:
        return "它已有人办理，请联系现在的办理人", "it has been dealt with already; ask whose turn it is"
    return None


def is_assignable(item: ObligationRecord, spec: KindSpec) -> bool:
    """Tell whether who supervises may say who does an open obligation: not what a room, a batch or one person's opinion ends."""
    return item.name != OPINION and item.person != BATCH and kinds.is_for_people(spec, item.name)


def answers_for(item: ObligationRecord, row: CaseRecord) -> str:
    """Return the organisation whose supervisors say who does an obligation: its own, or the applicant's where it names none."""
    return item.organization or row.organization


def takers(item: ObligationRecord, row: CaseRecord, actor: Actor, staff: Staff | None = None) -> Choices:
    """Return to whom who supervises may give an obligation: people by account, its role, or, where nobody holds that, organisations."""
    if not item.role:
        members = _members(answers_for(item, row), staff)
        return _choices({m.username: m.display_name for m in members if f"user:{m.user_id}" != item.person})
    holders = role_holders(item, staff)
    back = {BACK: {"zh": "退还给本岗位", "en": "Back to its role"}} if item.assignee else {}
    people = _choices({name: told for name, (person, told) in holders.items() if person != item.assignee})
    elsewhere = {} if holders else _bodies_able(item.role, item.organization, lambda code: actor.may(SUPERVISE, organization=code, kind=row.kind_code))
    return {**back, **people, **elsewhere}


def taker_problem(to: str, item: ObligationRecord) -> tuple[str, str]:
    """Return why who supervises cannot give an obligation to an account, an organisation (`@code`) or, "" for that, its role."""
    if not to:
        return "它没有指定给谁，本来就由本岗位办理", "it was given to nobody and waits for its role already"
    if to.startswith("@"):
        if role_holders(item):
            return "本单位有人可以办理它，不必改由别的单位办理", "somebody in its own organisation can take it, so no other is needed"
        return "该单位没有人担任办理它的岗位，或不由您监督", "nobody there holds one of its roles, or it is not yours to supervise"
    told = organizations.get_person(username=to)
    if f"user:{told.id}" in (item.assignee, item.person):
        return f"它已由{told.display_name}办理，请另选一人", f"{told.display_name} has it already; choose somebody else"
    name = told.display_name
    return f"{name}没有办理它的岗位，请另选一人，或先为其授予岗位", f"{name} holds none of its roles; choose somebody else, or have a role given first"


def merge_problem(row: CaseRecord, master: CaseRecord) -> tuple[str, str] | None:
    """Return why a case cannot go into another (Chinese, English), or None."""
    if master.pk == row.pk:
        return "不能并入它自己，请填写另一件的编号", "it cannot go into itself; give the number of another case"
    if master.kind_code != row.kind_code:
        return f"{master.number} 不是同类办件，只能并入同类的在办件", f"{master.number} is of another kind; it can only go into an open case of its own"
    for one in (row, master):
        if one.state != OPEN:
            return f"{one.number} 已中止，请先恢复办理", f"{one.number} is suspended; resume it first"
    if master.pk in awaited_by(row.pk) or row.pk in awaited_by(master.pk):
        return f"它和 {master.number} 中有一件在等另一件办结", f"it waits for {master.number} to end, or the other way round"
    return None


def _bodies_able(role: str, organization: str, allowed: Callable[[str], bool] = lambda code: True) -> Choices:
    """Return the organisations other than an obligation's in which somebody holds a role of it, as `@code`."""
    held = organizations.find_holders(anywhere=role.split(ROLE_JOIN))
    codes = {code for code, _role, _user in held if code != organization and allowed(code)}
    return _choices({f"@{code}": body.label for code, body in organizations.find_organizations(codes=codes).items()})


def _by_supervisors(
    row: CaseRecord, spec: KindSpec, obligations: list[ObligationRecord], allowed: frozenset[str], actor: Actor
) -> list[OperatorView]:
    """Return what who supervises may do: give work to somebody, make a limit longer."""
    opened = [item for item in obligations if item.state == OPEN]
    theirs = [
        item for item in opened
        if "hand_on" in allowed and is_assignable(item, spec) and actor.may(SUPERVISE, organization=answers_for(item, row), kind=row.kind_code)
    ]  # fmt: skip
    staff = organizations.list_members_of(organizations={answers_for(item, row) for item in theirs}) if theirs else {}
    found = [OperatorView("reassign", item.pk, people) for item in theirs if (people := takers(item, row, actor, staff))]
    if "extend" in allowed and may_supervise(row, actor):
        clocks = row.clocks.filter(stopped_at=None)
        found += [OperatorView("extend")] if any(may_extend(one.limit_amount, one.extend_most, one.extensions) for one in clocks) else []
        found += [OperatorView("extend", o.pk) for o in opened if may_extend(o.limit_amount, o.extend_most, o.extensions)]
    return found


def may_extend(amount: int | None, most: int | None, extensions: list[Any]) -> bool:
    """Tell whether a limit runs and may still be made longer."""
    left = timing.extension_left({"extend_most": most, "extensions": extensions})
    return amount is not None and (left is None or left > 0)


def _reviewers(item: ObligationRecord, obligations: list[ObligationRecord], actor: Actor, able: list[Membership]) -> Choices:
    """Return who of the able colleagues may be asked for an opinion: others, and who does not owe one here already."""
    asked = {other.person for other in obligations if other.origin_id == item.pk and other.state == OPEN and other.name == OPINION}
    out = asked | {actor.id}
    return _choices({m.username: m.display_name for m in able if f"user:{m.user_id}" not in out})


def _able_colleagues(actor: Actor, kind: str) -> list[Membership]:
    staff, roles = organizations.list_members(organization=actor.organization) if actor.organization else (), roles_that_act(kind)
    return [one for one in staff if one.role in roles]


def roles_that_act(kind: str) -> frozenset[str]:
    """Return the roles whose holders may act on cases of a kind. Cost: two queries."""
    return frozenset(
        role.code for role in organizations.list_roles()
        if any(right.permission in ("cases.act", ALL) and {kind, ALL} & {*right.kinds} for right in role.rights)
    )  # fmt: skip


def seat_of_reviewer(username: str, item: ObligationRecord, actor: Actor) -> tuple[str, str]:
    """Return the id of whom an opinion is asked, and the organisation in which: the actor's own before the first of others.

    Raises: CannotOperate for oneself, for who owes an opinion here already, who left, or who may not act on such cases.
    """
    told = organizations.get_person(username=username)
    person, name, able = f"user:{told.id}", told.display_name, roles_that_act(item.kind_code)
    held = organizations.list_memberships(username=username)
    bodies = [one.organization for one in held if one.role in able]
    problem = None
    if person == actor.id:
        problem = "不能请自己加签", "nobody asks their own opinion"
    elif not held:
        problem = f"{name}已离岗", f"{name} has left"
    elif not bodies:
        problem = f"{name}没有办理这类办件的岗位", f"{name} has no role that acts on such cases"
    elif ObligationRecord.objects.filter(case=item.case_id, origin_id=item.pk, person=person, state=OPEN, name=OPINION).exists():
        problem = f"已请{name}提意见，还没有提交", f"{name} was asked already and has not answered"
    if problem:
        raise CannotOperate(number=item.case.number, operator="add_reviewer", problem=problem[0], problem_en=problem[1])
    return person, actor.organization if actor.organization in bodies else bodies[0]


def _on_obligation(
    spec: KindSpec,
    item: ObligationRecord,
    obligations: list[ObligationRecord],
    allowed: frozenset[str],
    actor: Actor,
    around: _Around,
) -> list[OperatorView]:
    found = []
    if "hand_on" in allowed and item.role:
        elsewhere = around.elsewhere(item.role, item.organization) if spec.obligation(item.name).transferable else {}
        if people := {**colleagues(item, actor, around.staff), **elsewhere}:
            found.append(OperatorView("hand_on", item.pk, people))
    if "hand_on" in allowed and item.assignee:
        found.append(OperatorView("take_back", item.pk))
    if "add_reviewer" in allowed and item.name != OPINION:
        found.append(OperatorView("add_reviewer", item.pk, _reviewers(item, obligations, actor, around.able())))
        if any(other.origin_id == item.pk and other.state == OPEN for other in obligations):
            found.append(OperatorView("drop_reviewer", item.pk))
    if "send_back" in allowed and item.name != OPINION and around.phases:
        found.append(OperatorView("send_back", item.pk, around.phases))
    return found
