"""Roles (角色): named sets of rights, declared by packs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from django.db import transaction

from yunhe.core.evidence.api import append
from yunhe.core.organizations import models
from yunhe.core.organizations.errors import BadRole, RoleNotFound, SeparationBroken
from yunhe.core.organizations.rules import check_role, may_stand_together
from yunhe.core.organizations.types import RightSpec, Role, Separation
from yunhe.kernel.actor import Actor


def define_role(
    *,
    code: str,
    title: Mapping[str, str],
    rights: tuple[RightSpec, ...],
    actor: Actor,
    separation: Separation = "",
    pack: str = "",
) -> Role:
    """Create a role or replace its rights; the old and the new rights stand in the evidence.

    Raises: BadRole; SeparationBroken if a change of `separation` would let a present holder
    keep two separated roles.
    """
    actor.require("roles.manage")
    check_role(code=code, separation=separation, rights=rights)
    if not (title.get("zh") and title.get("en")):
        raise BadRole(where=f"{code}.title", expected={"zh": "zh 和 en 两种", "en": "zh and en"}, found=sorted(title))
    with transaction.atomic():
        before = find_role(code=code)
        row, _ = models.Role.objects.update_or_create(
            code=code,
            defaults={"title_zh": title["zh"], "title_en": title["en"], "separation": separation, "pack": pack},
        )
        if before is not None and before.separation != separation:
            _check_holders(row)
        row.rights.all().delete()
        models.RightTuple.objects.bulk_create([_right_row(row, right) for right in rights])
        append(
            kind="organizations.role_defined", actor=actor, subject_type="role", subject_id=code,
            facts={"separation": separation, "pack": pack, "rights": [_facts(right) for right in rights],
                   "before": [_facts(right) for right in before.rights] if before else []},
        )
    return get_role(code=code)


def find_role(*, code: str) -> Role | None:
    """Return one role with its rights, or None."""
    row = models.Role.objects.filter(code=code).prefetch_related("rights").first()
    return _role(row) if row else None


def get_role(*, code: str) -> Role:
    """Return one role with its rights. Raises: RoleNotFound."""
    found = find_role(code=code)
    if found is None:
        known = models.Role.objects.order_by("code").values_list("code", flat=True)
        raise RoleNotFound(name=code, known=", ".join(known))
    return found


def list_roles() -> tuple[Role, ...]:
    """Return every role, by code. Cost: two queries."""
    return tuple(_role(row) for row in models.Role.objects.prefetch_related("rights").order_by("code"))


def spec_of(row: models.RightTuple) -> RightSpec:
    """Return the declared right of one stored tuple."""
    return RightSpec(row.permission, tuple(row.organizations), tuple(row.regions), tuple(row.kinds))


def separation_of(row: models.Role) -> Separation:
    """Return which of the separated administrators the stored role is."""
    return cast("Separation", row.separation)


def _check_holders(role: models.Role) -> None:
    holders = models.Membership.objects.filter(role_id=role.code, valid_until__isnull=True).values_list("user_id", flat=True)
    others = models.Membership.objects.filter(user_id__in=list(holders), valid_until__isnull=True)
    for other in others.exclude(role_id=role.code).select_related("role", "user").order_by("id"):
        if not may_stand_together([separation_of(other.role)], separation_of(role)):
            raise SeparationBroken(name=other.user.username, held=other.role.title_zh, wanted=role.title_zh)


def _right_row(role: models.Role, right: RightSpec) -> models.RightTuple:
    return models.RightTuple(
        role=role, permission=right.permission, organizations=list(right.organizations),
        regions=list(right.regions), kinds=list(right.kinds),
    )


def _facts(right: RightSpec) -> dict[str, object]:
    return {
        "permission": right.permission, "organizations": right.organizations,
        "regions": right.regions, "kinds": right.kinds,
    }  # fmt: skip


def _role(row: models.Role) -> Role:
    return Role(
        code=row.code, title={"zh": row.title_zh, "en": row.title_en}, separation=separation_of(row),
        rights=tuple(spec_of(right) for right in row.rights.all()), pack=row.pack,
    )
