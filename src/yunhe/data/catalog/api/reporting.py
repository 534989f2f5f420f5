"""What rooms above tell the catalogue: releases, quality of fields, uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Count, F

from yunhe.core.organizations import api as organizations
from yunhe.data.catalog import rules
from yunhe.data.catalog.errors import ResourceNotFound
from yunhe.data.catalog.models import Holding, ReleaseNote, UseRecord
from yunhe.data.catalog.types import FieldQuality
from yunhe.kernel.clock import local


def record_release(
    *,
    code: str,
    release_id: str,
    snapshot_id: int,
    rows: int,
    at: datetime,
    counts: Mapping[str, int] | None = None,
    load_id: str = "",
) -> None:
    """Note that a snapshot became the resource's current release; the same release again changes nothing.

    `counts` may hold checked and failed (value checks), failing_keys, `below` (counts under it are hidden) and the
    fates of rows; `load_id` names the load that brought it.
    Raises: ResourceNotFound.
    """
    told = dict(counts or {})
    with transaction.atomic():
        holding = _holding(code)
        ReleaseNote.objects.update_or_create(
            holding=holding,
            release_id=release_id,
            defaults={"snapshot_id": snapshot_id, "rows": rows, "at": at, "counts": told, "load_id": load_id},
        )
        checked = told.get("checked", 0)
        Holding.objects.filter(pk=holding.pk).update(
            release_id=release_id,
            snapshot_id=snapshot_id,
            rows=rows,
            released_at=at,
            due_on=rules.next_due(holding.update_cycle, local(at).date()),
            counts=told,
            share=1 - told.get("failed", 0) / checked if checked else None,
            failing_rows=told.get("failing_keys"),
            judged_at=at if checked else None,
            field_quality={},
        )


def record_quality(*, code: str, snapshot_id: int, fields: Mapping[str, FieldQuality], at: datetime) -> None:
    """Note what a judgement says of each field, if the snapshot is still the current one."""
    told = {name: asdict(one) for name, one in fields.items()}
    Holding.objects.filter(pk=code, snapshot_id=snapshot_id).update(field_quality=told, judged_at=at)


def record_use(*, code: str, consumer: str, channel: str, at: datetime, calls: int = 1, purpose: str = "") -> None:
    """Count one use of a resource by a consumer (organisation code) over a channel.

    A caller without an organisation (operator, job) is not a user. Raises: ResourceNotFound.
    """
    if not consumer:
        return
    changes = {"calls": F("calls") + calls, "last_at": at, **({"purpose": purpose} if purpose else {})}
    uses = UseRecord.objects.filter(holding_id=code, consumer=consumer, channel=channel)
    if uses.update(**changes):
        return
    with transaction.atomic():
        holding = _holding(code)
        found = organizations.find_organization(code=consumer)
        try:
            with transaction.atomic():
                UseRecord.objects.create(
                    holding=holding, consumer=consumer, consumer_name=found.label if found else consumer,
                    channel=channel, purpose=purpose, calls=calls, first_at=at, last_at=at,
                )  # fmt: skip
        except IntegrityError:  # another caller was first; its row is there now
            uses.update(**changes)
        users = UseRecord.objects.filter(holding=holding).aggregate(n=Count("consumer", distinct=True))["n"]
        Holding.objects.filter(pk=code).update(users=users)


def _holding(code: str) -> Holding:
    holding = Holding.objects.filter(pk=code).first()
    if holding is None:
        raise ResourceNotFound(name=code)
    return holding
