"""Who may see which rows: the decision that every door asks, and what a grant opens today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from yunhe.data.catalog.types import Resource
from yunhe.data.exchange.errors import FieldNotGranted, GrantNotInForce, NoDoor, UnknownFields
from yunhe.data.exchange.models import GrantRecord
from yunhe.data.exchange.rules import effective_mask
from yunhe.data.exchange.types import RowSource
from yunhe.data.lake.types import Release
from yunhe.engine.types import Column
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now

MASKED_FROM_GRADE = 3  # standards 4.2: grade 3 is masked by default on display


@dataclass(frozen=True, slots=True)
class Policy:
    """What one decision lets out: fields with masks in order, and a row filter."""

    masks: Mapping[str, str]
    row_filter: str
    ground: str
    case: str


def decide(
    *, actor: Actor, resource: Resource, fields: tuple[str, ...], source: RowSource, grant_id: str = ""
) -> Policy:
    """Return what the actor may see of the resource's rows, or raise why not.

    A grant opens the released rows only. What was set aside, and failing keys, are for who mends them:
    quality.keys over the owner.
    """
    if source != "current":
        if grant_id or not actor.may("quality.keys", organization=resource.owner):
            raise NoDoor(resource=resource.code)
        return Policy({}, "", "quality", "")
    if grant_id:
        return _by_grant(actor, resource, fields, grant_id)
    own = actor.organization == resource.owner or actor.kind in ("operator", "job")
    if own and actor.may("lake.view", organization=resource.owner):
        return Policy(_own_masks(resource, fields), "", "owner", "")
    grant = _grant_in_force(actor, resource.code)
    if grant is None:
        raise NoDoor(resource=resource.code)
    return _by_grant(actor, resource, fields, grant.id)


def _grant_in_force(actor: Actor, code: str) -> GrantRecord | None:
    if not actor.organization or not actor.may("exchange.view", organization=actor.organization):
        return None
    at = now()
    rows = GrantRecord.objects.filter(
        resource_code=code,
        consumer=actor.organization,
        state=GrantRecord.ACTIVE,
        valid_from__lte=at,
        valid_until__gt=at,
    )
    return rows.order_by("-granted_at", "-id").first()


def _by_grant(actor: Actor, resource: Resource, fields: tuple[str, ...], grant_id: str) -> Policy:
    record = GrantRecord.objects.filter(pk=grant_id, resource_code=resource.code).first()
    if record is None or record.consumer != actor.organization:
        raise NoDoor(resource=resource.code)
    if not actor.may("exchange.view", organization=record.consumer):
        raise NoDoor(resource=resource.code)
    at = now()
    if record.state != GrantRecord.ACTIVE or not record.valid_from <= at < record.valid_until:
        raise GrantNotInForce(grant=record.id, state=record.state, until=record.valid_until.isoformat())
    if not resource.is_published:
        raise GrantNotInForce(grant=record.id, state=resource.state, until=record.valid_until.isoformat())
    masks = granted_masks(record, resource)
    beyond = [name for name in fields if name not in masks]
    if beyond:
        raise FieldNotGranted(grant=record.id, fields=", ".join(beyond), granted=", ".join(masks))
    chosen = {name: mask for name, mask in masks.items() if not fields or name in fields}
    return Policy(chosen, record.row_filter, f"grant {record.id}", record.case_number)


def granted_masks(record: GrantRecord, resource: Resource) -> dict[str, str]:
    """Return the fields that a grant opens today with their masks, in the grant's order.

    The contract of today still binds: a field that it refuses or no longer has is out, and its mask holds.
    """
    contract = {f.name: f for f in resource.contract.fields if (f.sharing or resource.contract.sharing) != "refused"}
    return {
        f["name"]: effective_mask(granted=f["mask"], contract=contract[f["name"]].mask)
        for f in record.fields
        if f["name"] in contract
    }


def _own_masks(resource: Resource, fields: tuple[str, ...]) -> dict[str, str]:
    known = {f.name: f for f in resource.contract.fields}
    unknown = [name for name in fields if name not in known]
    if unknown:
        raise UnknownFields(resource=resource.code, fields=", ".join(unknown), known=", ".join(known))
    return {
        name: field.mask if (field.grade or 1) >= MASKED_FROM_GRADE else "none"
        for name, field in known.items()
        if not fields or name in fields
    }


def held_columns(release: Release, policy: Policy) -> dict[str, Column]:
    """Return the policy's fields that the released snapshot holds; a newer contract may name others."""
    held = {column.name: column for column in release.columns}
    return {name: held[name] for name in policy.masks if name in held}
