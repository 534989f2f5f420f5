"""Whose turn it is: the seat of an open obligation, and as whom an actor may take it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from yunhe.core.cases.api import store
from yunhe.core.cases.errors import GuardRefused, TimeIsOver
from yunhe.core.cases.models import ANY_BUREAU, ObligationRecord
from yunhe.core.cases.rules.course import OPEN, ROLE_JOIN
from yunhe.core.cases.types import KindSpec
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import local, now


def has_seat(item: ObligationRecord, actor: Actor) -> bool:
    """Tell whether this open obligation is the actor's to fulfil; the twin of `waiting_for`."""
    if item.person:
        own = item.person == actor.id and item.organization in ("", actor.organization)
        return own and actor.may("cases.act", kind=item.kind_code)
    if item.organization not in (actor.organization, ANY_BUREAU) or item.assignee not in ("", actor.id):
        return False
    if not actor.role or actor.role not in item.role.split(ROLE_JOIN):
        return False
    organization = None if item.organization in ("", ANY_BUREAU) else item.organization
    return actor.may("cases.act", organization=organization, kind=item.kind_code)


def require_distinct(item: ObligationRecord, case_id: str, spec: KindSpec, *people: Actor) -> None:
    """Do nothing unless each of a group's obligations wants another person and one of these fulfilled one already.

    Raises: GuardRefused.
    """
    group = spec.groups.get(item.group)
    if group and group.distinct and store.signers(case_id, item.group) & {person.id for person in people}:
        raise GuardRefused(message_zh="同一组的事项须由不同的人办理。", message_en="Each of the group takes another person.")


def require_time(item: ObligationRecord, number: str, spec: KindSpec) -> None:
    """Do nothing unless the time of the obligation is over and its kind says what happens then. Raises: TimeIsOver."""
    told = spec.obligation(item.name).on_due
    if not told or not item.lapse_at:
        return
    over = datetime.fromisoformat(str(item.lapse_at))
    if over < now():
        titles = told.title.as_mapping()
        raise TimeIsOver(number=number, due=f"{local(over):%Y-%m-%d %H:%M}", title=titles["zh"], title_en=titles["en"])


def holder_of(item: ObligationRecord, holders: Iterable[Actor]) -> Actor | None:
    """Return the first of the holders whose open obligation it is; None if it is over or nobody's of them."""
    return next((who for who in holders if has_seat(item, who)), None) if item.state == OPEN else None
