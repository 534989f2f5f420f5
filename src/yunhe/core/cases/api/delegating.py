"""Delegation (代办): who acts in whose seats while they are away, and as whom an actor may therefore act."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

from django.db import transaction
from django.db.models import Q
from django.urls import reverse

from yunhe.core.cases.errors import BadDelegation
from yunhe.core.cases.models import DelegationRecord
from yunhe.core.cases.types import Delegation
from yunhe.core.evidence import api as evidence
from yunhe.core.notices import api as notices
from yunhe.core.notices.types import ToPerson
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.errors import MembershipNotFound
from yunhe.core.organizations.types import Membership, Person
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import local, now
from yunhe.kernel.errors import Missing
from yunhe.kernel.ids import new_id

MOST_DAYS = 366
TOLD = "cases.delegated"
Seats = tuple[tuple[Actor, tuple[str, ...]], ...]
"""As whom somebody may act, themselves first, each with the kinds (none: all)."""


@dataclass(frozen=True, slots=True)
class Absence:
    """Who stands in, from when until when (both included), why, for which kinds (none: all)."""

    to_username: str
    since: date
    until: date
    reason: str
    kinds: tuple[str, ...] = ()


def delegate(*, to_username: str, since: date, until: date, reason: str, actor: Actor, kinds: Iterable[str] = ()) -> Delegation:
    """Let a colleague of the same organisation act in the actor's seats from `since` to `until`, both included.

    `kinds` restricts to these kinds; none means all. Raises: BadDelegation, UserNotFound.
    """
    absence = Absence(to_username, since, until, reason, tuple(kinds))
    return make_delegation(own_membership(actor), absence, actor=actor)


def own_membership(actor: Actor) -> Membership:
    """Return the membership that the actor acts in. Raises: BadDelegation."""
    mine = [m for m in _memberships(actor.id) if (m.organization, m.role) == (actor.organization, actor.role)]
    if not mine:
        raise BadDelegation(problem="只有在本单位任职的人可以委托", problem_en="only a person with a membership can delegate")
    return mine[0]


def find_membership(*, person: str, membership_id: int) -> Membership:
    """Return a person's membership if it still gives rights. Raises: BadDelegation."""
    held = next((m for m in _memberships(person) if m.id == membership_id), None)
    if held is None:
        raise BadDelegation(problem="离岗人已不在这个岗位", problem_en="the person has left that position")
    return held


def check_delegation(mine: Membership, absence: Absence) -> Person:
    """Return the delegate if this membership may be handed over so. Raises: BadDelegation, UserNotFound."""
    other = organizations.get_person(username=absence.to_username)
    if other.id == mine.user_id:
        raise BadDelegation(problem="不能委托给自己", problem_en="one cannot delegate to oneself")
    if not any(m.organization == mine.organization for m in _memberships(f"user:{other.id}")):
        raise BadDelegation(problem="代办人须是本单位的人", problem_en="the delegate must belong to the same organisation")
    days = (absence.until - absence.since).days
    if not 0 <= days <= MOST_DAYS or absence.until < local(now()).date():
        problem = f"起止日期须先后有序、不在过去、不超过 {MOST_DAYS} 天"
        raise BadDelegation(problem=problem, problem_en=f"dates must be in order, not past, at most {MOST_DAYS} days apart")
    if not absence.reason.strip():
        raise BadDelegation(problem="请写明原因", problem_en="a reason is needed")
    return other


def make_delegation(mine: Membership, absence: Absence, *, actor: Actor, case_id: str = "") -> Delegation:
    """Hand the seats of a membership over; `actor` is who decided, by themselves or on a case.

    The delegate is told. Raises: as `check_delegation`.
    """
    other = check_delegation(mine, absence)
    with transaction.atomic():
        row = DelegationRecord.objects.create(
            id=new_id(), principal=f"user:{mine.user_id}", principal_name=mine.display_name, membership=mine.id,
            organization=mine.organization, delegate=f"user:{other.id}", delegate_name=other.display_name,
            kinds=sorted(set(absence.kinds)), reason=absence.reason[:500], since=absence.since, until=absence.until,
            made_by=actor.id, made_at=now(),
        )  # fmt: skip
        _record("case.delegated", row, actor, {"case": case_id} if case_id else {})
        _tell_delegate(row, actor)
    return _told(row)


def end_delegation(*, delegation_id: str, actor: Actor) -> Delegation:
    """End a delegation of one's own now. Raises: Missing."""
    with transaction.atomic():
        row = DelegationRecord.objects.filter(pk=delegation_id, principal=actor.id, ended_at__isnull=True).first()
        if row is None:
            raise Missing(what="delegation", name=delegation_id)
        row.ended_at = now()
        row.save(update_fields=["ended_at"])
        _record("case.delegation_ended", row, actor)
        _tell_delegate(row, actor)
    return _told(row)


def list_delegations(*, actor: Actor) -> tuple[Delegation, ...]:
    """Return the delegations that the actor gave or received, newest first."""
    rows = DelegationRecord.objects.filter(principal=actor.id) | DelegationRecord.objects.filter(delegate=actor.id)
    return tuple(_told(row) for row in rows.order_by("-made_at", "-id")[:200])


def list_colleagues(*, actor: Actor) -> dict[str, str]:
    """Return the other people of the actor's organisation: name by account, for choosing a delegate."""
    found = organizations.list_members(organization=actor.organization) if actor.organization else ()
    return {m.username: m.display_name for m in found if f"user:{m.user_id}" != actor.id}


def list_own_team(*, actor: Actor) -> dict[str, str]:
    """Return the people of the actor's organisation, oneself included: name by id (`user:…`)."""
    found = organizations.list_members(organization=actor.organization) if actor.organization else ()
    return dict(sorted(((f"user:{m.user_id}", m.display_name) for m in found), key=lambda pair: pair[1]))


def holders_of(actor: Actor, kind: str) -> tuple[Actor, ...]:
    """Return as whom the actor may act on cases of a kind: themselves, then each absent principal."""
    return tuple(holder for holder, kinds in seats_of(actor) if not kinds or kind in kinds)


def absent_principals(actor: Actor, kind: str) -> Iterator[Actor]:
    """Yield each absent principal as whom the actor may act on cases of a kind; asks only when it is read."""
    yield from holders_of(actor, kind)[1:]


def seats_of(actor: Actor) -> Seats:
    """Return as whom the actor may act: themselves, then each absent principal; with the kinds (none: all).

    A principal's rights are those of the one membership that was delegated, as they are today.
    """
    if actor.kind != "user":
        return ((actor, ()),)
    today = local(now()).date()
    rows = DelegationRecord.objects.filter(
        delegate=actor.id, organization=actor.organization, since__lte=today, until__gte=today, ended_at__isnull=True
    )
    found: list[tuple[Actor, tuple[str, ...]]] = [(actor, ())]
    for row in rows.order_by("made_at", "id"):
        try:
            principal = organizations.actor_for(user_id=_number(row.principal), membership_id=row.membership)
        except MembershipNotFound:
            continue  # the principal left: nothing is left to act for
        found.append((principal, tuple(row.kinds)))
    return tuple(found)


def standing_in(
    *, kind: str, on: date, persons: Iterable[str] = (), organization: str = "", memberships: Iterable[int] = ()
) -> tuple[ToPerson, ...]:
    """Return who stands in on a day for any of these persons in the organisation ("": any), or of these memberships, on cases of a kind.

    Each in the organisation for which they do.
    """
    running = DelegationRecord.objects.filter(since__lte=on, until__gte=on, ended_at__isnull=True)
    there = Q(organization=organization) if organization else Q()
    rows = running.filter((Q(principal__in=list(persons)) & there) | Q(membership__in=list(memberships))).order_by("made_at", "id")
    return tuple(ToPerson(row.delegate, row.organization) for row in rows if not row.kinds or kind in row.kinds)


def _memberships(person: str) -> tuple[Membership, ...]:
    return organizations.list_memberships(user_id=_number(person)) if person.startswith("user:") else ()


def _number(person: str) -> int:
    return int(person.removeprefix("user:"))


def _tell_delegate(row: DelegationRecord, actor: Actor) -> None:
    """Tell the delegate that they stand in, or that it ended before its last day."""
    days = f"{row.since.isoformat()} – {row.until.isoformat()}"
    said = ("请您代办", "You stand in for", TOLD) if row.ended_at is None else ("代办已结束", "You no longer stand in for", f"{TOLD}:ended")
    notices.send(
        to=[ToPerson(row.delegate, row.organization)],
        kind=TOLD,
        title={"zh": f"{said[0]}：{row.principal_name}", "en": f"{said[1]} {row.principal_name}"},
        text={"zh": f"{days}：{row.reason}", "en": f"{days}: {row.reason}"},
        href=reverse("cases:absences"),
        key=f"{row.pk}:{said[2]}",
        actor=actor,
    )


def _record(kind: str, row: DelegationRecord, actor: Actor, more: Mapping[str, str] = MappingProxyType({})) -> None:
    facts: dict[str, object] = {"delegate": row.delegate, "since": row.since.isoformat(), "until": row.until.isoformat()}
    facts |= {"kinds": row.kinds, **more}
    evidence.append(
        kind=kind, actor=actor, subject_type="delegation", subject_id=row.pk, facts=facts, organization=row.organization
    )


def _told(row: DelegationRecord) -> Delegation:
    return Delegation(
        delegation_id=row.pk,
        principal=row.principal,
        principal_name=row.principal_name,
        delegate=row.delegate,
        delegate_name=row.delegate_name,
        kinds=tuple(row.kinds),
        reason=row.reason,
        since=row.since,
        until=row.until,
        ended_at=row.ended_at,
    )
