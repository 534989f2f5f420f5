"""Leave (请假代办): by the kind that the packs declare, which says whether somebody approves; else at once."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from yunhe.core.cases.api.acting import open_case
from yunhe.core.cases.api.delegating import delegate
from yunhe.core.cases.api.kinds import list_openable
from yunhe.core.cases.api.listing import list_cases
from yunhe.core.cases.types import Case, Delegation
from yunhe.kernel.actor import Actor
from yunhe.kernel.pages import PageRequest

LEAVE = "leave_handover"


def take_leave(
    *, to_username: str, since: date, until: date, reason: str, actor: Actor, kinds: Iterable[str] = ()
) -> Case | Delegation:
    """Hand one's seats over while away: opens a case of leave where that kind is there, else delegates at once.

    Raises: as `delegate`, `open_case`.
    """
    if not any(info.code == LEAVE for info in list_openable(actor=actor)):
        return delegate(to_username=to_username, since=since, until=until, reason=reason, kinds=kinds, actor=actor)
    data = {"delegate": to_username, "since": since, "until": until, "reason": reason, "kinds": list(kinds)}
    return open_case(kind=LEAVE, title="", data=data, actor=actor)


def list_leaves(*, actor: Actor) -> tuple[Case, ...]:
    """Return the actor's own leaves that are still to be decided."""
    request = PageRequest(size=50, filters={"kind": LEAVE, "state": "open", "part": "opened"})
    return list_cases(request=request, actor=actor).items
