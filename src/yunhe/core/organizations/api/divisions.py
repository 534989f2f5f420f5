"""Divisions (行政区划) and their history."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import cast

from django.db import transaction
from django.db.models import Q, QuerySet

from yunhe.core.evidence.api import append
from yunhe.core.organizations import models
from yunhe.core.organizations.errors import AlreadyExists, BadRegion, RegionNotFound
from yunhe.core.organizations.rules import A_DIVISION, check_region, overlaps
from yunhe.core.organizations.types import Region, RegionLevel
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import local, now


def create_region(*, region: Region, actor: Actor) -> Region:
    """Add one period of a division.

    Raises: BadRegion on a malformed code, period or parent; AlreadyExists if the period overlaps
    another of the same code.
    """
    actor.require("organizations.manage", region=region.code)
    check_region(region)
    with transaction.atomic():
        _check_history(region)
        models.Region.objects.create(**asdict(region))
        append(
            kind="organizations.region_created", actor=actor, subject_type="region", subject_id=region.code,
            facts=asdict(region),
        )
    return region


def get_region(*, code: str, on: date | None = None) -> Region:
    """Return the division that the code means on a day (today). Raises: RegionNotFound."""
    day = on or local(now()).date()
    row = _valid_on(day).filter(code=code).first()
    if row is None:
        raise RegionNotFound(name=code, on=day.isoformat())
    return _region(row)


def list_regions(*, parent: str | None = None, on: date | None = None) -> tuple[Region, ...]:
    """Return the divisions valid on a day (today), by code; under one parent if given ("" = top)."""
    rows = _valid_on(on or local(now()).date())
    if parent is not None:
        rows = rows.filter(parent=parent)
    return tuple(_region(row) for row in rows.order_by("code", "id"))


def list_region_history(*, code: str) -> tuple[Region, ...]:
    """Return every period of a code, the oldest first."""
    rows = models.Region.objects.filter(code=code)
    return tuple(sorted(map(_region, rows), key=lambda r: (r.valid_from or date.min, r.valid_until or date.max)))


def _valid_on(day: date) -> QuerySet[models.Region]:
    return models.Region.objects.filter(
        Q(valid_from__isnull=True) | Q(valid_from__lte=day),
        Q(valid_until__isnull=True) | Q(valid_until__gt=day),
    )


def _check_history(region: Region) -> None:
    for other in list_region_history(code=region.code):
        if overlaps(region, other):
            raise AlreadyExists(what="region", name=f"{region.code} {region.valid_from or ''}")
    if region.parent and not models.Region.objects.filter(code=region.parent).exists():
        raise BadRegion(where=f"{region.code}.parent", expected=A_DIVISION, found=region.parent)


def _region(row: models.Region) -> Region:
    return Region(
        code=row.code, name=row.name, level=cast("RegionLevel", row.level), parent=row.parent, valid_from=row.valid_from,
        valid_until=row.valid_until, successor=row.successor, basis=row.basis,
    )
