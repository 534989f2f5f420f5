"""Organisations (机构)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import cast

from django.db import transaction
from django.db.models import Count, Q, QuerySet

from yunhe.core.evidence.api import append
from yunhe.core.organizations import models
from yunhe.core.organizations.errors import (
    AlreadyExists,
    AmbiguousOrganization,
    BadOrganization,
    OrganizationNotFound,
)
from yunhe.core.organizations.rules import A_DIVISION, check_organization, is_plain, later_than
from yunhe.core.organizations.types import ORGANIZATION_KINDS, Organization, OrganizationKind
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import local, now
from yunhe.kernel.errors import Conflict
from yunhe.kernel.pages import Facet, Page, PageRequest

SORTS = {"name": ("name", "id"), "-name": ("-name", "-id"), "code": ("code",), "-code": ("-code",)}


def create_organization(
    *,
    code: str,
    name: str,
    region: str,
    actor: Actor,
    short_name: str = "",
    kind: OrganizationKind = "department",
    parent: str = "",
    valid_from: date | None = None,
) -> Organization:
    """Add an organisation. Raises: BadOrganization, AlreadyExists, OrganizationNotFound for the parent."""
    actor.require("organizations.manage", organization=code, region=region, kind=kind)
    check_organization(code=code, name=name, kind=kind, region=region)
    with transaction.atomic():
        if models.Organization.objects.filter(code=code).exists():
            raise AlreadyExists(what="organization", name=code)
        if not models.Region.objects.filter(code=region).exists():
            raise BadOrganization(where=f"{code}.region", expected=A_DIVISION, found=region)
        row = models.Organization.objects.create(
            code=code, name=name, short_name=short_name, kind=kind, region=region,
            parent=_row(parent) if parent else None,
            valid_from=valid_from or local(now()).date(),
        )
        append(
            kind="organizations.organization_created", actor=actor, subject_type="organization", subject_id=code,
            organization=code, facts={"name": name, "short_name": short_name, "kind": kind, "region": region,
                                      "parent": parent, "valid_from": row.valid_from},
        )
    return _organization(row)


def end_organization(
    *, code: str, valid_until: date, expected_version: int, actor: Actor, successor: str = ""
) -> Organization:
    """End an organisation on a day, and name who takes over (撤销、更名、合并).

    Raises: Conflict if it changed since `expected_version`; BadOrganization on an end before its start.
    """
    actor.require("organizations.manage", organization=code)
    with transaction.atomic():
        row = _row(code)
        if valid_until <= row.valid_from:
            raise BadOrganization(where=f"{code}.valid_until", expected=later_than(row.valid_from), found=valid_until)
        heir = _row(successor) if successor else None
        changed = models.Organization.objects.filter(code=row.code, version=expected_version).update(
            valid_until=valid_until, successor=heir, version=expected_version + 1
        )
        if not changed:
            raise Conflict(what="organization", name=code)
        append(
            kind="organizations.organization_ended", actor=actor, subject_type="organization", subject_id=row.code,
            organization=row.code, facts={"valid_until": valid_until, "successor": successor},
        )
    return get_organization(code=row.code)


def get_organization(*, code: str) -> Organization:
    """Return the organisation of this credit code, short name or full name.

    Raises: OrganizationNotFound; AmbiguousOrganization if a name stands for several.
    """
    return _organization(_row(code))


def find_organization(*, code: str) -> Organization | None:
    """Return the organisation of this credit code or name, or None."""
    try:
        return _organization(_row(code))
    except OrganizationNotFound:
        return None


def find_organizations(*, codes: Collection[str]) -> dict[str, Organization]:
    """Return the organisations of these credit codes, by code; what nobody knows is left out. Cost: one query."""
    return {row.code: _organization(row) for row in models.Organization.objects.filter(code__in=codes)}


def list_organizations(*, request: PageRequest, actor: Actor, on: date | None = None) -> Page[Organization]:
    """Return a page of the organisations valid on a day (today).

    Shape: filters kind, region, parent; search in name, short name and code.
    """
    actor.require("organizations.view")
    rows = _filtered(_valid_on(on or local(now()).date()), request)
    kinds = rows.order_by().values("kind").annotate(number=Count("id")).order_by("-number", "kind")
    ordered = rows.order_by(*SORTS.get(request.sort, ("code",)))
    return Page(
        items=tuple(_organization(row) for row in ordered[request.offset : request.offset + request.limit]),
        total=rows.count(),
        page=max(request.page, 1),
        size=request.limit,
        facets=tuple(Facet("kind", k["kind"], ORGANIZATION_KINDS[k["kind"]]["zh"], k["number"]) for k in kinds),
    )


def list_names() -> list[tuple[str, str, str]]:
    """Return code, name and short name of every organisation valid today. Cost: one query."""
    return list(_valid_on(local(now()).date()).order_by("code").values_list("code", "name", "short_name"))


def _valid_on(day: date) -> QuerySet[models.Organization]:
    return models.Organization.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gt=day), valid_from__lte=day
    )


def _filtered(rows: QuerySet[models.Organization], request: PageRequest) -> QuerySet[models.Organization]:
    for name in ("kind", "region", "parent"):
        if request.filters.get(name):
            rows = rows.filter(**{name: request.filters[name]})
    if request.search:
        text = request.search
        rows = rows.filter(Q(name__icontains=text) | Q(short_name__icontains=text) | Q(code__iexact=text))
    return rows


def _row(name: str) -> models.Organization:
    if not is_plain(name):
        raise OrganizationNotFound(name=ascii(name))
    row = models.Organization.objects.filter(code=name).first()
    if row is not None:
        return row
    found = list(models.Organization.objects.filter(Q(short_name=name) | Q(name=name)).order_by("code")[:3]) if name else []
    today = local(now()).date()
    valid = [row for row in found if row.valid_until is None or row.valid_until > today] or found
    if not valid:
        raise OrganizationNotFound(name=name)
    if len(valid) > 1:
        raise AmbiguousOrganization(name=name, count=len(valid))
    return valid[0]


def _organization(row: models.Organization) -> Organization:
    return Organization(
        code=row.code, name=row.name, short_name=row.short_name, kind=cast("OrganizationKind", row.kind), region=row.region,
        parent=row.parent_id or "", valid_from=row.valid_from, valid_until=row.valid_until,
        successor=row.successor_id or "", version=row.version,
    )
