"""Calling systems: a key id, a secret shown once, a revocation."""

from __future__ import annotations

from django.db import transaction

from yunhe.core.evidence import api as evidence
from yunhe.core.keys import api as keys
from yunhe.core.organizations import api as organizations
from yunhe.data.exchange.api.rights_image import rights_changed
from yunhe.data.exchange.errors import AlreadyRevoked
from yunhe.data.exchange.models import AccessSystemRecord
from yunhe.data.exchange.types import AccessSystem, NewSystem
from yunhe.gateway.rights import new_key_id, new_secret, seal_secret
from yunhe.kernel.actor import ALL, Actor
from yunhe.kernel.clock import now
from yunhe.kernel.errors import Missing
from yunhe.kernel.pages import Page, PageRequest

GATEWAY_PURPOSE = "gateway"


def gateway_secret() -> bytes:
    """Return the secret that this node shares with its gateway process only (32 bytes)."""
    return keys.derive(GATEWAY_PURPOSE)


def create_system(*, name: str, organization: str, actor: Actor) -> NewSystem:
    """Make a system of a department and its HMAC-SM3 secret (43 characters, 256 random bits), shown this once.

    Raises: Refused without exchange.systems over the organisation; Missing if it does not exist.
    """
    owner = organizations.get_organization(code=organization)
    actor.require("exchange.systems", organization=owner.code)
    secret, key_id = new_secret(), new_key_id()
    with transaction.atomic():
        record = AccessSystemRecord.objects.create(
            key_id=key_id,
            name=name,
            organization_id=owner.code,
            secret_sealed=seal_secret(node_secret=gateway_secret(), key_id=key_id, secret=secret),
            created_at=now(),
            created_by=actor.name,
        )
        _prove("exchange.system_created", record, actor)
        rights_changed(reason=f"system {key_id}")
    return NewSystem(system=_system(record, owner.name), secret=secret)


def revoke_system(*, key_id: str, actor: Actor) -> AccessSystem:
    """Take a system's key back; the gateway refuses it from its next look at the rights image."""
    with transaction.atomic():
        record = AccessSystemRecord.objects.select_for_update().filter(key_id=key_id).first()
        if record is None or not actor.may("exchange.systems", organization=record.organization_id):
            raise Missing(what="system", name=key_id)
        if record.revoked_at:
            raise AlreadyRevoked(what="system", name=key_id, at=record.revoked_at.isoformat())
        record.revoked_at = now()
        record.save(update_fields=["revoked_at"])
        _prove("exchange.system_revoked", record, actor)
        rights_changed(reason=f"system {key_id}")
    return _system(record, record.organization.name)


def list_systems(*, request: PageRequest, actor: Actor) -> Page[AccessSystem]:
    """Return the systems of the organisations that the actor manages."""
    actor.require("exchange.systems")
    rows = AccessSystemRecord.objects.select_related("organization").order_by("-created_at", "key_id")
    mine = actor.organizations_for("exchange.systems")
    if ALL not in mine:
        rows = rows.filter(organization_id__in=mine)
    if request.search:
        rows = rows.filter(name__icontains=request.search)
    page = rows[request.offset : request.offset + request.limit]
    items = tuple(_system(record, record.organization.name) for record in page)
    return Page(items, rows.count(), request.page, request.limit)


def _prove(kind: str, record: AccessSystemRecord, actor: Actor) -> None:
    evidence.append(
        kind=kind,
        actor=actor,
        subject_type="access_system",
        subject_id=record.key_id,
        facts={"name": record.name},
        organization=record.organization_id,
    )


def _system(record: AccessSystemRecord, organization_name: str) -> AccessSystem:
    return AccessSystem(
        key_id=record.key_id,
        name=record.name,
        organization=record.organization_id,
        organization_name=organization_name,
        created_at=record.created_at,
        created_by=record.created_by,
        revoked_at=record.revoked_at,
    )
