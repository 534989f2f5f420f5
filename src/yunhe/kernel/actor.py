"""Who acts: every act in the house names one Actor (architecture 10)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal

from yunhe.kernel.errors import Refused

ActorKind = Literal["user", "citizen", "system", "job", "operator"]
Via = Literal["", "web", "api", "cli"]
ALL = "*"


@dataclass(frozen=True, slots=True)
class Right:
    """One tuple of a right: a permission over organisations, regions and kinds.

    `{"*"}` in a set means every one. The tuples of one Actor are OR-ed; the sets of different
    tuples are never merged.
    """

    permission: str
    organizations: frozenset[str] = frozenset({ALL})
    regions: frozenset[str] = frozenset({ALL})
    kinds: frozenset[str] = frozenset({ALL})

    def covers(self, *, organization: str | None, region: str | None, kind: str | None) -> bool:
        """Tell whether this tuple covers the place; None means "any place will do"."""
        return (
            _within(organization, self.organizations)
            and _within(region, self.regions)
            and _within(kind, self.kinds)
        )


@dataclass(frozen=True, slots=True)
class Door:
    """How an act came; `os_user` is who typed a command, as the operating system says. Empty: from inside."""

    via: Via = ""
    os_user: str = ""


INSIDE = Door()
_door: ContextVar[Door] = ContextVar("yunhe_door", default=INSIDE)


@contextmanager
def coming_through(door: Door) -> Iterator[None]:
    """Have every Actor that this thread makes inside carry the door."""
    token = _door.set(door)
    try:
        yield
    finally:
        _door.reset(token)


@dataclass(frozen=True, slots=True)
class Actor:
    """A user in one chosen membership, a citizen, a system, the operator, or a named job.

    `id` is stable (`user:12`, `system:AK…`, `job:load`), `name` is for people. `organization`
    and `role` are codes; both empty for jobs and the operator. `door` is told by the evidence and
    changes nothing about who acts.
    """

    kind: ActorKind
    id: str
    name: str
    organization: str = ""
    organization_name: str = ""
    role: str = ""
    rights: tuple[Right, ...] = field(default=())
    door: Door = field(default_factory=_door.get, compare=False)

    def may(
        self,
        permission: str,
        *,
        organization: str | None = None,
        region: str | None = None,
        kind: str | None = None,
    ) -> bool:
        """Tell whether one right tuple holds `permission` over the named place."""
        return any(
            right.permission in (permission, ALL)
            and right.covers(organization=organization, region=region, kind=kind)
            for right in self.rights
        )

    def require(
        self,
        permission: str,
        *,
        organization: str | None = None,
        region: str | None = None,
        kind: str | None = None,
    ) -> None:
        """Do nothing if `may`, else raise Refused."""
        if not self.may(permission, organization=organization, region=region, kind=kind):
            raise Refused(permission=permission)

    def organizations_for(self, permission: str) -> frozenset[str]:
        """Return the organisation codes over which the permission holds; `{"*"}` for all."""
        codes: set[str] = set()
        for right in self.rights:
            if right.permission in (permission, ALL):
                codes |= right.organizations
        return frozenset({ALL}) if ALL in codes else frozenset(codes)


def job_actor(name: str) -> Actor:
    """Return the Actor of a named job of the platform itself; it holds every permission."""
    return Actor(kind="job", id=f"job:{name}", name=name, rights=(Right(ALL),))


def _within(wanted: str | None, allowed: frozenset[str]) -> bool:
    return wanted is None or ALL in allowed or wanted in allowed
