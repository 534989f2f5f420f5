"""Addresses: one's own, proven by a code; webhooks, registered by the administrator."""

from __future__ import annotations

import secrets
from datetime import datetime
from hmac import compare_digest
from math import ceil
from typing import Any

from django.db import transaction
from django.db.models import F

from yunhe.core.evidence.api import append
from yunhe.core.keys import api as keys
from yunhe.core.notices.api.preferences import user_of
from yunhe.core.notices.api.registry import find_channel, list_channels
from yunhe.core.notices.api.sending import new_dispatch, publish
from yunhe.core.notices.errors import (
    ChannelNotReady,
    CodeExpired,
    CodeTooSoon,
    ContactNotFound,
    UnknownChannel,
    WrongCode,
)
from yunhe.core.notices.models import ContactRow, Dispatch
from yunhe.core.notices.rules import CODE_DIGITS, CODE_LIFE, CODE_PAUSE, CODE_TRIES
from yunhe.core.notices.types import WEBHOOK, Channel, Contact, NewWebhook
from yunhe.core.organizations import api as organizations
from yunhe.crypto import sm3
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now

PURPOSE = "notices.contact"
SECRET_BYTES = 32
MANAGE = "organizations.manage"


def list_contacts(*, actor: Actor) -> tuple[Contact, ...]:
    """Return the actor's own addresses, masked; webhooks registered for them among them. Raises: NoMailbox."""
    rows = ContactRow.objects.filter(user_id=user_of(actor)).exclude(sealed=b"")
    return tuple(contact_of(row) for row in rows.order_by("id"))


def propose_contact(*, channel: str, address: str, actor: Actor) -> Contact:
    """Keep an address of one's own and have a code sent to it; it is used once the code came back.

    Raises: UnknownChannel, ChannelNotReady, BadAddress, CodeTooSoon, NoMailbox.
    """
    user_id, way = user_of(actor), _own_channel(channel)
    kept = way.check(address)
    with transaction.atomic():
        row, _ = ContactRow.objects.select_for_update().get_or_create(user_id=user_id, channel=channel, organization="")
        _check_pause(row.asked_at)
        _keep(row, way, kept)
        _ask_for_code(row)
    return contact_of(row)


def resend_code(*, channel: str, actor: Actor) -> Contact:
    """Have another code sent to the address that waits for one. Raises: ContactNotFound, CodeTooSoon, NoMailbox."""
    with transaction.atomic():
        row = _own(channel, user_of(actor))
        if row.verified_at is not None:
            raise ContactNotFound()
        _check_pause(row.asked_at)
        _ask_for_code(row)
    return contact_of(row)


def verify_contact(*, channel: str, code: str, actor: Actor) -> Contact:
    """Take the code that was sent: the address is used from now on.

    A try is counted before the code is looked at, and stays counted.
    Raises: ContactNotFound, CodeExpired, WrongCode, NoMailbox. Source: 6 digits, 10 minutes, 5 tries.
    """
    user_id = user_of(actor)
    row = _own(channel, user_id)
    waiting = ContactRow.objects.filter(pk=row.pk, code_until__gt=now(), code_tries__lt=CODE_TRIES).exclude(code_digest="")
    if not waiting.update(code_tries=F("code_tries") + 1):
        raise CodeExpired(field="code")
    row.refresh_from_db()
    if not compare_digest(row.code_digest, _digest(row.pk, code.strip())):
        raise WrongCode(left=CODE_TRIES - row.code_tries, field="code")
    with transaction.atomic():
        at = now()
        proven = ContactRow.objects.filter(pk=row.pk, code_digest=row.code_digest)
        if not proven.update(verified_at=at, code_digest="", code_until=None, code_tries=0):
            raise CodeExpired(field="code")
        _record("notices.contact_verified", actor, row)
    row.refresh_from_db()
    return contact_of(row)


def remove_contact(*, channel: str, actor: Actor) -> None:
    """Forget an address of one's own. Raises: UnknownChannel, ContactNotFound, NoMailbox."""
    _own_channel(channel, ready=False)
    with transaction.atomic():
        row = _own(channel, user_of(actor))
        _forget(row)
        _record("notices.contact_removed", actor, row)


def list_webhooks(*, actor: Actor) -> tuple[Contact, ...]:
    """Return every registered webhook, masked. Raises: Refused."""
    actor.require(MANAGE)
    rows = ContactRow.objects.filter(channel=WEBHOOK).exclude(sealed=b"")
    return tuple(contact_of(row) for row in rows.order_by("id"))


def register_webhook(*, address: str, actor: Actor, username: str = "", organization: str = "") -> NewWebhook:
    """Have a person's or an organisation's notices sent to an address; over an older one of theirs.

    Raises: Refused, BadAddress, WebhookNotAllowed, UserNotFound, OrganizationNotFound.
    """
    owner = organizations.get_organization(code=organization).code if not username else ""
    actor.require(MANAGE, organization=owner or None)
    way = find_channel(code=WEBHOOK)
    kept, secret = way.check(address), secrets.token_hex(SECRET_BYTES)
    whose: dict[str, Any] = {"user_id": organizations.get_person(username=username).id if username else None}
    with transaction.atomic():
        row, _ = ContactRow.objects.select_for_update().get_or_create(organization=owner, channel=WEBHOOK, **whose)
        _keep(row, way, kept)
        row.secret = keys.seal(purpose=_purpose(row, "secret"), plaintext=secret.encode())
        row.verified_at = now()
        row.save()
        _record("notices.webhook_registered", actor, row, origin=row.masked)
    return NewWebhook(contact=contact_of(row), secret=secret)


def remove_webhook(*, contact_id: int, actor: Actor) -> None:
    """Send nothing there any more. Raises: ContactNotFound, Refused."""
    with transaction.atomic():
        row = ContactRow.objects.select_for_update().filter(pk=contact_id, channel=WEBHOOK).exclude(sealed=b"").first()
        if row is None:
            raise ContactNotFound()
        actor.require(MANAGE, organization=row.organization or None)
        _forget(row)
        _record("notices.webhook_removed", actor, row)


def make_code(row: ContactRow) -> str:
    """Return a fresh code for an address, of which the digest alone is kept; an older one holds no more."""
    code = f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}"
    ContactRow.objects.filter(pk=row.pk).update(
        code_digest=_digest(row.pk, code), code_until=now() + CODE_LIFE, code_tries=0
    )
    return code


def open_address(row: ContactRow) -> str:
    """Return the address itself, for the channel alone. Raises: CannotUnseal."""
    return keys.unseal(purpose=_purpose(row, "address"), sealed=bytes(row.sealed)).decode()


def open_secret(row: ContactRow) -> bytes:
    """Return what signs the messages to a webhook; empty for other channels. Raises: CannotUnseal."""
    return keys.unseal(purpose=_purpose(row, "secret"), sealed=bytes(row.secret)) if row.secret else b""


def contact_of(row: ContactRow) -> Contact:
    """Return an address as people see it."""
    return Contact(
        id=row.pk, channel=row.channel, masked=row.masked, verified_at=row.verified_at,
        code_until=row.code_until, user_id=row.user_id, organization=row.organization,
        resend_at=row.asked_at + CODE_PAUSE if row.asked_at else None,
    )


def _own_channel(code: str, *, ready: bool = True) -> Channel:
    way = find_channel(code=code)
    if not way.own:
        raise UnknownChannel(name=code, known=", ".join(one.code for one in list_channels() if one.own))
    if ready and not way.is_ready():
        raise ChannelNotReady(channel_zh=way.title["zh"], channel_en=way.title["en"])
    return way


def _own(channel: str, user_id: int) -> ContactRow:
    row = ContactRow.objects.filter(user_id=user_id, channel=channel).exclude(sealed=b"").first()
    if row is None:
        raise ContactNotFound()
    return row


def _check_pause(asked_at: datetime | None) -> None:
    left = CODE_PAUSE - (now() - asked_at) if asked_at else None
    if left is not None and left.total_seconds() > 0:
        raise CodeTooSoon(wait_seconds=ceil(left.total_seconds()))


def _keep(row: ContactRow, way: Channel, address: str) -> None:
    row.sealed = keys.seal(purpose=_purpose(row, "address"), plaintext=address.encode())
    row.masked = way.mask(address)
    row.verified_at = row.code_until = None
    row.code_digest, row.code_tries = "", 0
    row.save()


def _ask_for_code(row: ContactRow) -> None:
    """Have the worker make and send a code: it is never written down, not even in the outbox."""
    at = now()
    row.asked_at = at
    row.save(update_fields=["asked_at"])
    Dispatch.objects.filter(contact=row, state="waiting").update(state="dropped", ended_at=at)
    made = new_dispatch(channel=row.channel, at=at, contact=row, user_id=row.user_id)
    made.save(force_insert=True)
    publish((made,))


def _forget(row: ContactRow) -> None:
    row.sealed = row.secret = b""
    row.masked = row.code_digest = ""
    row.verified_at = row.code_until = None
    row.save()


def _purpose(row: ContactRow, part: str) -> str:
    return f"{PURPOSE}:{row.pk}:{part}"


def _digest(contact_id: int, code: str) -> str:
    """Return the keyed digest of a code: with a million of them, an unkeyed one would be no secret."""
    return sm3.hmac(keys.derive("notices.code"), f"{contact_id}:{code}".encode()).hex()


def _record(kind: str, actor: Actor, row: ContactRow, **facts: str) -> None:
    owner = ("user", str(row.user_id)) if row.user_id else ("organization", row.organization)
    append(
        kind=kind, actor=actor, subject_type=owner[0], subject_id=owner[1], organization=row.organization,
        facts={"channel": row.channel, **facts},
    )
