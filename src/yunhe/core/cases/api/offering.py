"""Which generic operators (转办、加签、退回…) an actor may use on a case now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from yunhe.core.cases.api.delegating import list_colleagues
from yunhe.core.cases.api.seating import holder_of
from yunhe.core.cases.errors import CannotOperate
from yunhe.core.cases.models import CaseRecord, EventRecord, ObligationRecord
from yunhe.core.cases.rules.course import CLOSED, DONE, OPEN, ROLE_JOIN
from yunhe.core.cases.rules.verdicts import judge_class
from yunhe.core.cases.types import OPINION, KindSpec, OperatorView
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor

SUPERVISE = "cases.supervise"
ONLY_TOLD = ("remind", "warn", "escalate")
"""Events after which the case stands where it stood."""
Choices = Mapping[str, Mapping[str, str]]


def offered_operators(
    row: CaseRecord, spec: KindSpec, obligations: list[ObligationRecord], holders: tuple[Actor, ...]
) -> tuple[OperatorView, ...]:
    """Return the operators that the case allows the first of the holders, first those on their own obligations."""
    if row.state == CLOSED:
        return ()
    actor = holders[0]
    allowed, supervises = allowed_operators(spec), may_supervise(row, actor)
    mine, leading = [item for item in obligations if holder_of(item, holders)], may_lead(row, spec, obligations, holders)
    found: list[OperatorView] = []
    if row.state == OPEN:
        for item in mine:
            found += _on_obligation(row, spec, item, obligations, allowed, actor)
        found += [OperatorView("merge")] if "merge" in allowed and leading else []
        found += [OperatorView("split")] if "split" in allowed and leading and not awaited_by(row.pk) else []
        found += [OperatorView("retract")] if "retract" in allowed and last_step_is_mine(row, actor) else []
        found += [OperatorView("withdraw")] if withdraw_problem(row, spec, actor, obligations) is None else []
        found += [OperatorView("remind")] if "remind" in allowed and not mine else []
        found += [OperatorView("suspend")] if "suspend" in allowed and leading else []
        found += [OperatorView("extend")] if "extend" in allowed and supervises and has_limit(row, obligations) else []
    else:
        found += [OperatorView("resume")] if leading else []
        found += [OperatorView("withdraw")] if withdraw_problem(row, spec, actor, obligations) is None else []
    if "escalate" in allowed and supervises and row.supervised_at is None:
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


def colleagues(item: ObligationRecord, actor: Actor) -> Choices:
    """Return who else could take an obligation on: holders of its roles in its organisation, by account name."""
    holders = role_holders(item).items()
    return _choices({name: told for name, (person, told) in holders if person not in (item.assignee, actor.id)})


def role_holders(item: ObligationRecord) -> dict[str, tuple[str, str]]:
    """Return who holds a role of an obligation in its organisation: id and name, by account name."""
    roles = set(filter(None, item.role.split(ROLE_JOIN)))
    found = organizations.list_members(organization=item.organization) if roles and item.organization else ()
    return {m.username: (f"user:{m.user_id}", m.display_name) for m in found if m.role in roles}


def _choices(named: Mapping[str, str]) -> Choices:
    """Return people to choose from, by account name, sorted by what they are called."""
    return {username: {"zh": name, "en": name} for username, name in sorted(named.items(), key=lambda pair: pair[1])}


def last_step(row: CaseRecord) -> EventRecord:
    """Return the last event that moved the case; who was only reminded or warned of it went nowhere."""
    return row.events.exclude(action__in=ONLY_TOLD).latest("seq")


def last_step_is_mine(row: CaseRecord, actor: Actor) -> bool:
    """Tell whether the actor took the last step of the case and it reached nobody outside."""
    last = last_step(row)
    return retract_problem(last.actor_id, actor, last.action, last.obligation_id, last.calls) is None


def retract_problem(
    actor_id: str, actor: Actor, action: str, obligation_id: str, calls: list[str]
) -> tuple[str, str] | None:
    """Return why a last step cannot be taken back (Chinese, English), or None."""
    if actor_id != actor.id:
        return "它不是您办的", "it is not yours"
    if not obligation_id or action in ("child_closed", "hand_on", "take_back"):
        return "它不是一步办理", "it is no step of the way"
    if calls:
        return "它已经生效", "it has taken effect already"
    return None


def withdraw_problem(
    row: CaseRecord, spec: KindSpec, actor: Actor, obligations: Iterable[ObligationRecord]
) -> tuple[str, str] | None:
    """Return why the actor cannot take back what was asked for (Chinese, English), or None."""
    told = spec.withdrawal
    if told is None or row.parent_id or row.opened_by != actor.id:
        return "只有提出人可以撤回，子办件随主办件撤回", "only who opened it may, and a sub-case goes with the case above"
    done = any(item.state == DONE and item.name != OPINION for item in obligations)
    if row.phase not in told.phases if told.phases else done:
        return "它已有人办理，请联系现在的办理人", "it has been dealt with already; ask whose turn it is"
    return None


def has_limit(row: CaseRecord, obligations: list[ObligationRecord]) -> bool:
    """Tell whether anything of the case runs against a limit."""
    timed = any(item.state == OPEN and item.limit_amount is not None for item in obligations)
    return timed or row.clocks.filter(stopped_at=None).exists()


def _on_obligation(
    row: CaseRecord,
    spec: KindSpec,
    item: ObligationRecord,
    obligations: list[ObligationRecord],
    allowed: frozenset[str],
    actor: Actor,
) -> list[OperatorView]:
    found = []
    if "hand_on" in allowed and item.role and (people := colleagues(item, actor)):
        found.append(OperatorView("hand_on", item.pk, people))
    if item.assignee:
        found.append(OperatorView("take_back", item.pk))
    if "add_reviewer" in allowed and item.name != OPINION:
        found.append(OperatorView("add_reviewer", item.pk, _choices(list_colleagues(actor=actor))))
        if any(other.origin_id == item.pk and other.state == OPEN for other in obligations):
            found.append(OperatorView("drop_reviewer", item.pk))
    if "send_back" in allowed and item.name != OPINION and (phases := earlier_phases(row, spec, obligations)):
        found.append(OperatorView("send_back", item.pk, phases))
    return found
