"""Who acts: sign-in, the chosen membership, and the Actor with its rights resolved once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.contrib.auth import login, logout
from django.db import transaction
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from yunhe.core.evidence.api import append
from yunhe.core.organizations import models
from yunhe.core.organizations.api.bodies import get_organization
from yunhe.core.organizations.api.divisions import list_regions
from yunhe.core.organizations.api.persons import list_memberships, person_of, valid_on
from yunhe.core.organizations.api.roles import spec_of
from yunhe.core.organizations.errors import (
    AmbiguousMembership,
    FirstPassword,
    MembershipNotFound,
    OperatorRefused,
    SignInBlocked,
    UserNotFound,
    WrongCredentials,
)
from yunhe.core.organizations.rules import (
    FORGET_AFTER,
    caller_address,
    is_loopback,
    is_plain,
    resolve_right,
    wait_after,
)
from yunhe.core.organizations.types import OWN, Membership, Person
from yunhe.kernel.actor import ALL, Actor, Right, job_actor
from yunhe.kernel.clock import local, now

SESSION_KEY = "membership"
BACKEND = "django.contrib.auth.backends.ModelBackend"
ADDRESS_FREE_FAILURES = 45
"""An address stands for many people behind one gateway: it may fail this much oftener."""


def authenticate(*, username: str, password: str, address: str = "") -> Person:
    """Return the person whom name and password prove.

    A failure is counted before the password is looked at, so that parallel guesses count too; by name, and by
    `address` unless that is loopback: behind a proxy of this machine it would be everybody's.
    Raises: WrongCredentials, alike for unknown names, closed accounts and wrong passwords;
    SignInBlocked after too many failures. Cost: one password hash, also for unknown names.
    """
    guards = _guards(username, address)
    for guard in guards:
        _count_attempt(guard)
    user = models.User.objects.filter(username=username).first() if is_plain(username) else None
    if user is None:
        models.User().set_password("nobody")  # costs what a check costs
    elif is_plain(password) and user.check_password(password) and user.is_active:
        models.LoginGuard.objects.filter(pk__in=[guard.key for guard in guards]).delete()
        return person_of(user)
    _record_failure(user)
    raise WrongCredentials()


def sign_in(*, request: HttpRequest, username: str, password: str) -> Person:
    """Prove the person and open their session, under the only membership if there is one.

    Raises: WrongCredentials, SignInBlocked.
    """
    person = authenticate(username=username, password=password, address=_address_of(request))
    user = models.User.objects.get(pk=person.id)
    with transaction.atomic():
        login(request, user, backend=BACKEND)
        append(
            kind="organizations.signed_in", actor=_bare_actor(user), subject_type="user", subject_id=str(user.pk),
            facts={"username": user.username},
        )
    memberships = list_memberships(user_id=user.pk)
    if len(memberships) == 1:
        request.session[SESSION_KEY] = memberships[0].id
    return person_of(user)


def sign_out(*, request: HttpRequest) -> None:
    """Close the session and forget the chosen membership."""
    user = getattr(request, "user", None)
    if isinstance(user, models.User):
        with transaction.atomic():
            append(
                kind="organizations.signed_out", actor=_bare_actor(user), subject_type="user",
                subject_id=str(user.pk), facts={},
            )
    logout(request)


def choose_membership(*, request: HttpRequest, membership_id: int) -> Actor:
    """Act in one of one's own memberships for the rest of the session. Raises: MembershipNotFound."""
    user = request.user
    if not isinstance(user, models.User):
        raise MembershipNotFound(name="", detail="")
    actor = actor_for(user_id=user.pk, membership_id=membership_id)
    request.session[SESSION_KEY] = membership_id
    return actor


def actor_for(*, user_id: int, membership_id: int) -> Actor:
    """Return the Actor of a user in one membership, rights resolved.

    The rights of other memberships are never merged in. Cost: three or four queries.
    Raises: MembershipNotFound if it is another's, not valid today, or the account is closed.
    """
    rows = models.Membership.objects.select_related("user", "organization", "role").filter(
        pk=membership_id, user_id=user_id, user__is_active=True
    )
    row = valid_on(rows, local(now()).date()).first()
    if row is None:
        raise MembershipNotFound(name=user_id, detail=f" ({membership_id})")
    return Actor(
        kind="user",
        id=f"user:{row.user_id}",
        name=row.user.display_name,
        organization=row.organization_id,
        organization_name=row.organization.short_name or row.organization.name,
        role=row.role_id,
        rights=_rights(row),
    )


def find_actor(*, username: str, organization: str | None = None) -> Actor:
    """Return the Actor of `USER` or `USER@ORG` or `USER@ORG/ROLE`; `organization` is what stands behind @.

    Raises: UserNotFound, MembershipNotFound, AmbiguousMembership.
    """
    if not is_plain(username) or not models.User.objects.filter(username=username).exists():
        raise UserNotFound(name=username)
    body, _, role = (organization or "").partition("/")
    code = get_organization(code=body).code if body else ""
    found = [m for m in list_memberships(username=username) if _matches(m, code, role)]
    if not found:
        zh, en = (f"（{organization}）", f" ({organization})") if organization else ("", "")
        raise MembershipNotFound(name=username, detail_zh=zh, detail_en=en)
    if len(found) > 1:
        choices = ", ".join(f"{m.organization_name}/{m.role}" for m in found)
        raise AmbiguousMembership(name=username, count=len(found), choices=choices)
    return actor_for(user_id=found[0].user_id, membership_id=found[0].id)


def prove_actor(*, username: str, password: str, organization: str | None = None) -> Actor:
    """Return the Actor that `find_actor` returns, once the password proves the person: a sign-in without a session.

    Raises: WrongCredentials, SignInBlocked as `authenticate`; FirstPassword; then as `find_actor`.
    """
    person = authenticate(username=username, password=password)
    if person.must_change_password:
        raise FirstPassword(name=username)
    actor = find_actor(username=username, organization=organization)
    with transaction.atomic():
        append(
            kind="organizations.signed_in", actor=actor, subject_type="user", subject_id=str(person.id),
            facts={"username": username},
        )
    return actor


def operator_actor() -> Actor:
    """Return the local operator (本机操作员): all rights, for whoever can read YUNHE_HOME.

    Raises: OperatorRefused outside the embedded profile.
    """
    if settings.YUNHE["PROFILE"] != "embedded":
        raise OperatorRefused()
    return Actor(kind="operator", id="operator", name="本机操作员", rights=(Right(ALL),))


@dataclass(frozen=True, slots=True)
class _Guard:
    key: str
    allowance: int


def _address_of(request: HttpRequest) -> str:
    return caller_address(
        peer=request.META.get("REMOTE_ADDR", ""),
        forwarded=request.headers.get("X-Forwarded-For", ""),
        trusted=settings.YUNHE["TRUSTED_PROXIES"].split(","),
    )


def _guards(username: str, address: str) -> tuple[_Guard, ...]:
    named = [_Guard(_guard_key("user", username), 0)]
    if address and not is_loopback(address):
        named.append(_Guard(_guard_key("address", address), ADDRESS_FREE_FAILURES))
    return tuple(sorted(named, key=lambda guard: guard.key))


def _guard_key(kind: str, value: str) -> str:
    text = f"{kind}:{value}".encode("utf-8", "backslashreplace").decode()
    return salted_hmac("yunhe.organizations.sign_in", text, algorithm="sha256").hexdigest()


def _count_attempt(guard: _Guard) -> None:
    """Count one failure ahead; raise SignInBlocked while blocked. Committed by itself."""
    at = now()
    with transaction.atomic(durable=True):
        models.LoginGuard.objects.get_or_create(key=guard.key, defaults={"failed_at": at})
        row = models.LoginGuard.objects.select_for_update().get(key=guard.key)
        if row.blocked_until and row.blocked_until > at:
            raise SignInBlocked(wait_seconds=_seconds(row.blocked_until, at))
        if row.failed_at + FORGET_AFTER < at:
            row.failures = 0
        row.failures += 1
        row.failed_at = at
        wait = wait_after(row.failures - guard.allowance)
        row.blocked_until = at + wait if wait else None
        row.save()


def _seconds(until: datetime, at: datetime) -> int:
    return max(1, round((until - at).total_seconds()))


def _record_failure(user: models.User | None) -> None:
    """Write the failed attempt down; an unknown name is not kept (it may be a mistyped password)."""
    with transaction.atomic():
        append(
            kind="organizations.sign_in_failed", actor=job_actor("sign_in"), subject_type="user",
            subject_id=str(user.pk) if user else "", facts={},
        )


def _matches(membership: Membership, organization: str, role: str) -> bool:
    return organization in ("", membership.organization) and role in ("", membership.role)


def _rights(row: models.Membership) -> tuple[Right, ...]:
    stored = models.RightTuple.objects.filter(role_id=row.role.pk).order_by("id")
    extra = models.RightTuple.objects.filter(membership_id=row.pk).order_by("id")
    specs = [spec_of(right) for right in (*stored, *extra)]
    regions = _own_regions(row.region) if any(OWN in spec.regions for spec in specs) else frozenset()
    return tuple(resolve_right(spec, organization=row.organization_id, regions=regions) for spec in specs)


def _own_regions(code: str) -> frozenset[str]:
    """Return a division and everything under it today."""
    children: dict[str, list[str]] = {}
    for region in list_regions():
        children.setdefault(region.parent, []).append(region.code)
    found, waiting = {code}, [code]
    while waiting:
        fresh = [child for child in children.get(waiting.pop(), []) if child not in found]
        found.update(fresh)
        waiting.extend(fresh)
    return frozenset(found)


def _bare_actor(user: models.User) -> Actor:
    return Actor(kind="user", id=f"user:{user.pk}", name=user.display_name)
