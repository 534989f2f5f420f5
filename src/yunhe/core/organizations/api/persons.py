"""Accounts of persons (用户) and their memberships (任职)."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import date

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q, QuerySet

from yunhe.core.evidence.api import append
from yunhe.core.jobs.api import outbox
from yunhe.core.organizations import models
from yunhe.core.organizations.api.bodies import get_organization
from yunhe.core.organizations.api.roles import get_role, separation_of
from yunhe.core.organizations.errors import (
    AlreadyExists,
    BadPassword,
    BadUser,
    MembershipNotFound,
    NoPasswordYet,
    SelfGrant,
    SeparatedAccount,
    SeparationBroken,
    UserNotFound,
    WrongCredentials,
)
from yunhe.core.organizations.rules import (
    A_NAME,
    NODE_ACTORS,
    NOTHING,
    check_username,
    governors_of,
    is_plain,
    later_than,
    may_stand_together,
)
from yunhe.core.organizations.types import Membership, NewPassword, Person, Separation
from yunhe.core.statements.api import Rows
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import local, now
from yunhe.kernel.errors import Refused
from yunhe.kernel.pages import Page, PageRequest

LETTERS_AND_DIGITS = "23456789abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ"
PASSWORD_LENGTH = 16
ACCOUNTS = Rows(models.User)
ACCOUNT = ("id", "username", "display_name", "is_active", "must_change_password", "created_at", "password_changed_at", "last_login")
"""What others see of an account; the digest of its password is not read."""
TOPIC_LEFT = "organizations.left"
"""Somebody's account was closed or one of their memberships ended; the payload names the `user`."""


def create_user(*, username: str, display_name: str, actor: Actor, password: str | None = None) -> NewPassword:
    """Open an account; without a password one is generated, returned once and kept nowhere.

    A generated password must be changed at the first sign-in.
    Raises: BadUser, BadPassword, AlreadyExists.
    """
    actor.require("organizations.manage")
    user = _new_user(username, display_name)
    chosen = generate_password() if password is None else check_password(password, user)
    user.set_password(chosen)
    user.must_change_password, user.password_changed_at = password is None, user.created_at
    _keep_new(user, actor, {"generated": password is None})
    return NewPassword(person=person_of(user), password=chosen)


def create_locked_user(*, username: str, display_name: str, actor: Actor) -> Person:
    """Open an account without a password: nobody signs in with it until `set_password` gave it one.

    Raises: BadUser, AlreadyExists.
    """
    actor.require("organizations.manage")
    user = _new_user(username, display_name)
    user.set_unusable_password()
    _keep_new(user, actor, {"generated": False, "locked": True})
    return person_of(user)


def require_password(*, username: str) -> None:
    """Do nothing if the account ever got a password. Raises: UserNotFound, NoPasswordYet."""
    person = get_person(username=username)
    if not person.has_password:
        raise NoPasswordYet(name=person.username)


def set_password(*, username: str, actor: Actor, password: str | None = None) -> NewPassword:
    """Set another person's password (generated unless given); all their sessions end.

    Raises: UserNotFound, BadPassword, Refused; SeparatedAccount as `may_govern` says.
    """
    _require_governor(actor)
    with transaction.atomic():
        user = _user(username)
        _check_governed(user, actor)
        chosen = generate_password() if password is None else check_password(password, user)
        _store_password(user, chosen, must_change=password is None)
        _record("organizations.password_set", actor, user, {"generated": password is None})
    return NewPassword(person=person_of(user), password=chosen)


def change_password(*, user_id: int, old: str, new: str, actor: Actor) -> Person:
    """Change one's own password. Raises: WrongCredentials, BadPassword, BadUser if someone else's."""
    if actor.id != f"user:{user_id}":
        raise BadUser(where="user", expected={"zh": "本人的账号", "en": "one's own account"}, found={"zh": "别人的", "en": "another"})
    with transaction.atomic():
        user = models.User.objects.select_for_update().get(pk=user_id)
        if not user.is_active or not user.check_password(old):
            raise WrongCredentials()
        _store_password(user, check_password(new, user), must_change=False)
        _record("organizations.password_changed", actor, user, {})
    return person_of(user)


def close_user(*, username: str, actor: Actor) -> Person:
    """Close an account and end its memberships today; the person's acts stay in the evidence.

    Raises: UserNotFound, Refused; SeparatedAccount as `may_govern` says.
    """
    _require_governor(actor)
    with transaction.atomic():
        user = _user(username)
        _check_governed(user, actor)
        user.is_active = False
        user.save(update_fields=["is_active"])
        for row in _open_memberships(user.pk):
            _end(row, actor)
        _record("organizations.user_closed", actor, user, {"username": username})
        outbox.publish(topic=TOPIC_LEFT, payload={"user": user.pk})
    return person_of(user)


def may_govern(*, username: str, actor: Actor) -> bool:
    """Tell whether the actor may set this account's password and close it. Raises: UserNotFound.

    Whoever can set a password can become that person, so the separated administrators (三员) do not govern
    each other through the system administrator: rules.governors_of says who does.
    """
    return _governs(_separations(get_person(username=username).id), actor)


def get_person(*, username: str = "", user_id: int | None = None) -> Person:
    """Return one account by name or id. Raises: UserNotFound."""
    which = ("username = %s", username) if user_id is None else ("id = %s", user_id)
    for row in ACCOUNTS.records(*which, names=ACCOUNT):
        return person_of(row)
    raise UserNotFound(name=username or user_id)


def find_names(*, user_ids: Collection[int] | None = None) -> dict[int, str]:
    """Return what accounts are called, all of them unless some are named, closed ones too. Cost: one query, none for nobody."""
    rows = models.User.objects.order_by("pk")
    if user_ids is None:
        return dict(rows.values_list("pk", "display_name"))
    return dict(rows.filter(pk__in=user_ids).values_list("pk", "display_name")) if user_ids else {}


def list_persons(*, request: PageRequest, actor: Actor) -> Page[Person]:
    """Return a page of accounts, by name; search in both names; filter organization."""
    actor.require("organizations.view")
    rows = models.User.objects.order_by("username")
    if request.search:
        rows = rows.filter(Q(username__icontains=request.search) | Q(display_name__icontains=request.search))
    if request.filters.get("organization"):
        holders = models.Membership.objects.filter(
            organization_id=request.filters["organization"], valid_until__isnull=True
        )
        rows = rows.filter(pk__in=holders.values("user_id"))
    items = rows[request.offset : request.offset + request.limit]
    return Page(tuple(map(person_of, items)), total=rows.count(), page=max(request.page, 1), size=request.limit)


def add_membership(
    *,
    username: str,
    organization: str,
    role: str,
    actor: Actor,
    region: str = "",
    valid_from: date | None = None,
    valid_until: date | None = None,
) -> Membership:
    """Put a person into an organisation with a role (授予任职).

    Raises: SeparationBroken if the person would be two of the separated administrators, or an
    administrator with a business role; SelfGrant; AlreadyExists; the Missing errors of each name.
    """
    body = get_organization(code=organization)
    actor.require("roles.manage", organization=body.code)
    wanted = get_role(code=role)
    starts = valid_from or local(now()).date()
    if valid_until is not None and valid_until <= starts:
        raise BadUser(where=f"{username}.valid_until", expected=later_than(starts), found=valid_until)
    with transaction.atomic():
        user = _user(username)
        if actor.id == f"user:{user.pk}":
            raise SelfGrant()
        _check_together(user, wanted.code)
        if _open_memberships(user.pk).filter(organization_id=body.code, role_id=role).exists():
            raise AlreadyExists(what="membership", name=f"{username}@{body.label}/{role}")
        row = models.Membership.objects.create(
            user=user, organization_id=body.code, role_id=role, region=region or body.region,
            valid_from=starts, valid_until=valid_until, granted_by=actor.id, granted_at=now(),
        )
        facts = {"username": username, "role": role, "valid_from": starts, "valid_until": valid_until}
        _record("organizations.membership_added", actor, user, facts, organization=body.code)
    return membership_of(_memberships().get(pk=row.pk))


def end_membership(*, membership_id: int, actor: Actor) -> Membership:
    """End a membership today; it gives no rights from this moment on. Raises: MembershipNotFound."""
    with transaction.atomic():
        row = _memberships().select_for_update(of=("self",)).filter(pk=membership_id).first()
        if row is None:
            raise MembershipNotFound(name=membership_id, detail="")
        actor.require("roles.manage", organization=row.organization_id)
        _end(row, actor)
        outbox.publish(topic=TOPIC_LEFT, payload={"user": row.user_id})
    return membership_of(row)


def list_memberships(*, username: str = "", user_id: int | None = None) -> tuple[Membership, ...]:
    """Return a person's memberships that give rights today, the oldest first; none for a closed account."""
    today = local(now()).date()
    rows = _memberships().filter(user__is_active=True).filter(user_id=user_id) if user_id is not None else (
        _memberships().filter(user__is_active=True, user__username=username)
    )
    return tuple(membership_of(row) for row in valid_on(rows, today).order_by("id"))


def list_members(*, organization: str, role: str = "") -> tuple[Membership, ...]:
    """Return who belongs to an organisation today, in one role or in any; none with a closed account."""
    rows = _memberships().filter(user__is_active=True, organization_id=organization, **({"role_id": role} if role else {}))
    return tuple(membership_of(row) for row in valid_on(rows, local(now()).date()).order_by("id"))


def list_members_of(*, organizations: Collection[str]) -> dict[str, list[Membership]]:
    """Return who belongs to each of these organisations today, as `list_members` does. Cost: one query."""
    rows = _memberships().filter(user__is_active=True, organization_id__in=organizations)
    found: dict[str, list[Membership]] = {code: [] for code in organizations}
    for row in valid_on(rows, local(now()).date()).order_by("id"):
        found[row.organization_id].append(membership_of(row))
    return found


def list_holders(*, role: str) -> tuple[Membership, ...]:
    """Return who holds a role today in any organisation; none with a closed account."""
    rows = _memberships().filter(user__is_active=True, role_id=role)
    return tuple(membership_of(row) for row in valid_on(rows, local(now()).date()).order_by("id"))


def find_holders(
    *, organizations: Collection[str] = (), roles: Collection[str] = (), anywhere: Collection[str] = ()
) -> frozenset[tuple[str, str, int]]:
    """Return who holds one of the roles in one of the organisations today, or one of the roles `anywhere`.

    Shape: (organisation, role, user id) of each; none with a closed account. Cost: one query.
    """
    asked = Q(organization_id__in=organizations, role_id__in=roles) | Q(role_id__in=anywhere)
    rows = valid_on(models.Membership.objects.filter(asked, user__is_active=True), local(now()).date())
    return frozenset((row.organization_id, row.role_id, row.user_id) for row in rows.order_by().only("organization_id", "role_id", "user_id"))


def find_employed(*, user_ids: Collection[int]) -> frozenset[tuple[int, str]]:
    """Return in which organisations these people have a membership that gives rights today: (user id, organisation). Cost: one query."""
    rows = models.Membership.objects.filter(user_id__in=user_ids, user__is_active=True)
    found = valid_on(rows, local(now()).date()).order_by().only("user_id", "organization_id")
    return frozenset((row.user_id, row.organization_id) for row in found)


def valid_on(rows: QuerySet[models.Membership], day: date) -> QuerySet[models.Membership]:
    """Return the memberships in force on a day: their own period holds it, and the organisation has not ended."""
    return rows.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gt=day),
        Q(organization__valid_until__isnull=True) | Q(organization__valid_until__gt=day),
        valid_from__lte=day,
    )


def generate_password() -> str:
    """Return a random password. Shape: 16 of 54 letters and digits that are not mistaken for others (92 bits)."""
    return "".join(secrets.choice(LETTERS_AND_DIGITS) for _ in range(PASSWORD_LENGTH))


def check_password(password: str, user: models.User) -> str:
    """Return the password if it may be used. Raises: BadPassword with the reasons."""
    if not is_plain(password):
        raise BadPassword(reasons="NUL, U+D800–U+DFFF ✗.")
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise BadPassword(reasons=" ".join(error.messages)) from None
    return password


def person_of(row: models.User) -> Person:
    """Return the account as others see it."""
    return Person(
        id=row.pk, username=row.username, display_name=row.display_name, is_active=row.is_active,
        must_change_password=row.must_change_password, created_at=row.created_at, last_login_at=row.last_login,
        has_password=row.password_changed_at is not None,
    )


def membership_of(row: models.Membership) -> Membership:
    """Return the membership as others see it; the row was read with its relations."""
    return Membership(
        id=row.pk, user_id=row.user_id, username=row.user.username, display_name=row.user.display_name,
        organization=row.organization_id, organization_name=row.organization.short_name or row.organization.name,
        role=row.role_id, role_title={"zh": row.role.title_zh, "en": row.role.title_en},
        region=row.region, valid_from=row.valid_from, valid_until=row.valid_until,
    )


def _memberships() -> QuerySet[models.Membership]:
    return models.Membership.objects.select_related("user", "organization", "role")


def _new_user(username: str, display_name: str) -> models.User:
    check_username(username)
    if not display_name.strip():
        raise BadUser(where=f"{username}.display_name", expected=A_NAME, found=NOTHING)
    return models.User(username=username, display_name=display_name.strip(), created_at=now())


def _keep_new(user: models.User, actor: Actor, facts: dict[str, object]) -> None:
    with transaction.atomic():
        if models.User.objects.filter(username=user.username).exists():
            raise AlreadyExists(what="user", name=user.username)
        user.save()
        _record("organizations.user_created", actor, user, {"username": user.username, **facts})


def _open_memberships(user_id: int) -> QuerySet[models.Membership]:
    today = local(now()).date()
    return _memberships().filter(Q(valid_until__isnull=True) | Q(valid_until__gt=today), user_id=user_id).order_by("id")


def _user(username: str) -> models.User:
    found = models.User.objects.select_for_update().filter(username=username)
    row = found.first() if is_plain(username) else None
    if row is None:
        raise UserNotFound(name=username)
    return row


def _require_governor(actor: Actor) -> None:
    if not actor.may("roles.manage"):
        actor.require("organizations.manage")


def _check_governed(user: models.User, actor: Actor) -> None:
    held = _separations(user.pk)
    if _governs(held, actor):
        return
    if not held:
        raise Refused(permission="organizations.manage")
    raise SeparatedAccount(name=user.username, held=", ".join(sorted(held.values())))


def _governs(held: Collection[Separation], actor: Actor) -> bool:
    return actor.kind in NODE_ACTORS or any(actor.may(permission) for permission in governors_of(held))


def _separations(user_id: int) -> dict[Separation, str]:
    """Return which separated administrators the account is, or is to be from a later day, with the role's title."""
    rows = [row for row in _open_memberships(user_id) if row.role.separation]
    return {separation_of(row.role): row.role.title_zh for row in rows}


def _check_together(user: models.User, role_code: str) -> None:
    wanted = models.Role.objects.get(code=role_code)
    for row in _open_memberships(user.pk):
        if not may_stand_together([separation_of(row.role)], separation_of(wanted)):
            raise SeparationBroken(name=user.username, held=row.role.title_zh, wanted=wanted.title_zh)


def _store_password(user: models.User, password: str, *, must_change: bool) -> None:
    user.set_password(password)
    user.must_change_password = must_change
    user.password_changed_at = now()
    user.save(update_fields=["password", "must_change_password", "password_changed_at"])


def _end(row: models.Membership, actor: Actor) -> None:
    row.valid_until = max(local(now()).date(), row.valid_from)
    row.save(update_fields=["valid_until"])
    facts = {"username": row.user.username, "role": row.role_id, "valid_until": row.valid_until}
    _record("organizations.membership_ended", actor, row.user, facts, organization=row.organization_id)


def _record(kind: str, actor: Actor, user: models.User, facts: dict[str, object], organization: str = "") -> None:
    append(
        kind=kind, actor=actor, subject_type="user", subject_id=str(user.pk), facts=facts, organization=organization
    )
