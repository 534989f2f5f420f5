"""Writing many evidence rows that say nearly the same: what an act upon thousands of subjects leaves."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from django.db import connection

from yunhe.core.evidence.api.records import CONTENT, EVIDENCE, LIMITS
from yunhe.core.evidence.errors import EvidenceOutsideTransaction
from yunhe.core.evidence.rules import DOMAIN, MAX_FACTS_BYTES, AlikeText, check_text
from yunhe.crypto import sm3
from yunhe.kernel.actor import Actor
from yunhe.kernel.ids import new_id

OWN = ("id", "owner_organization", "subject_id", "facts_text")
"""The columns that differ, beside salt and digest."""
MOST = {**LIMITS, "facts_text": MAX_FACTS_BYTES}
SALT_BYTES = 16
Entry = tuple[str, str, Mapping[str, str]]
"""Subject's id, the organisation that owns it, and its own facts."""


def append_alike(
    *, kind: str, actor: Actor, at: datetime, subject_type: str, facts: Mapping[str, Any], own: tuple[str, ...], entries: list[Entry]
) -> list[str]:
    """Write a record for each entry, as `append` would, in the caller's transaction; return their ids.

    `facts` are what the records share; `own` names the further facts, texts, that each entry has for itself. None of them
    may be personal. Raises: EvidenceOutsideTransaction, BadEvidence.
    """
    if not connection.in_atomic_block:
        raise EvidenceOutsideTransaction(evidence=kind)
    shared = {
        **dict.fromkeys(CONTENT, ""), "kind": kind, "actor_kind": actor.kind, "actor_id": actor.id, "actor_name": actor.name,
        "actor_role": actor.role, "organization": actor.organization, "via": actor.door.via, "os_user": actor.door.os_user,
        "subject_type": subject_type, "source": "control",
    }  # fmt: skip
    shared = {name: value for name, value in shared.items() if name not in (*OWN, "at")}
    _check(shared)
    rows = list(_rows({**shared, "at": at.astimezone(UTC).isoformat()}, AlikeText(facts, own), entries))
    EVIDENCE.insert_alike({**shared, "at": at.astimezone(UTC)}, (*OWN, "salt", "digest"), rows)
    return [row[0] for row in rows]


def _rows(shared: Mapping[str, str], facts: AlikeText, entries: list[Entry]) -> Iterator[tuple[str, ...]]:
    """Yield of each row the columns OWN, salt and digest."""
    record, salts = AlikeText(shared, OWN), secrets.token_bytes(SALT_BYTES * len(entries))
    for number, (subject_id, owner, own) in enumerate(entries):
        salt = salts[number * SALT_BYTES : (number + 1) * SALT_BYTES]
        content = {"id": new_id(), "owner_organization": owner, "subject_id": subject_id, "facts_text": facts.of(own)}
        _check(content)
        message = DOMAIN + salt + record.of(content).encode("utf-8")
        yield (*content.values(), salt.hex(), sm3.hexdigest(message))


def _check(content: Mapping[str, str]) -> None:
    for name, value in content.items():
        check_text(value, where=name, limit=MOST[name])
