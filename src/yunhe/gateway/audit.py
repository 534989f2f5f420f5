"""The one evidence line of each call (refusals.py counts those of nobody in particular). It names keys, grants and fields, never a value of a row or a key.

The person or body that a call was about is named by a subject token only: keyed, so that nobody without
the node's secret can try out identity numbers against it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

import msgspec

from yunhe.crypto import sm3
from yunhe.gateway.refusals import NOBODY
from yunhe.gateway.rights import AccessKeyRow, GrantRow
from yunhe.kernel import clock
from yunhe.kernel.ids import new_id

KIND = "gateway.query"


@dataclass(slots=True)
class Call:
    """What is known of one call so far; it grows as the call is judged.

    `outcome`: found, not_found, refused. `code`: of the refusal. `key`: set once the caller proved to hold it;
    before, nothing the caller says names an organisation or an actor. `claimed_key`: the key id that an
    unproved call names, if the rights image knows it; any other text is kept as `claimed_token` only.
    """

    id: str = field(default_factory=new_id)
    at: datetime = field(default_factory=clock.now)
    peer: str = ""
    key: AccessKeyRow | None = None
    claimed_key: str = ""
    claimed_token: str = ""
    grant: GrantRow | None = None
    officer: str = ""
    case: str = ""
    nonce: str = ""
    fields: tuple[str, ...] = ()
    refused_field: str = ""
    subject: str = ""
    outcome: str = "refused"
    code: str = ""

    def line(self) -> dict[str, Any]:
        """Return the evidence line, in the shape of an evidence record."""
        key, grant = self.key, self.grant
        key_id = key.key_id if key else NOBODY
        return {
            "id": self.id,
            "at": self.at.isoformat(timespec="microseconds"),
            "kind": KIND,
            "actor_kind": "system",
            "actor_id": f"system:{key_id}",
            "actor_name": key.system if key else NOBODY,
            "actor_role": "",
            "organization": key.organization if key else "",
            "owner_organization": grant.owner if grant else "",
            "subject_type": "data_resource" if grant else "access_key",
            "subject_id": grant.resource if grant else key_id,
            "facts": self._facts(),
        }

    def _facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = {
            "outcome": self.outcome,
            "code": self.code,
            "key": self.key.key_id if self.key else "",
            "claimed_key": "" if self.key else self.claimed_key,
            "claimed_token": "" if self.key else self.claimed_token,
            "nonce": self.nonce,
            "peer": self.peer,
            "officer": self.officer,
            "case": self.case,
            "fields": list(self.fields),
            "refused_field": self.refused_field,
            "subject": self.subject,
        }
        if self.grant is not None:
            facts |= _grant_facts(self.grant)
        return {name: value for name, value in facts.items() if value not in ("", [])}


def subject_token(*, node_secret: bytes, values: Iterable[object]) -> str:
    """Return the token (64 hexadecimal digits) of the key values that a call asked for.

    `values` in the order of the grant's key columns; the names do not count, so that the same identity
    number has the same token in every resource. `node_secret` is GatewayConfig.node_secret.
    """
    text = msgspec.json.encode([str(value) for value in values])
    return sm3.hmac(_token_key(node_secret), text).hex()


def claimed_token(*, node_secret: bytes, key_id: str) -> str:
    """Return the token (64 hexadecimal digits) of a key id that nobody knows: it may be anything, also a name."""
    return sm3.hmac(_claim_key(node_secret), key_id.encode("utf-8", "surrogatepass")).hex()


@lru_cache(maxsize=4)
def _token_key(node_secret: bytes) -> bytes:
    return sm3.hmac(node_secret, b"yunhe/gateway/subject-token")


@lru_cache(maxsize=4)
def _claim_key(node_secret: bytes) -> bytes:
    return sm3.hmac(node_secret, b"yunhe/gateway/claimed-key")


def _grant_facts(grant: GrantRow) -> dict[str, Any]:
    return {
        "grant": grant.grant_id,
        "resource": grant.resource,
        "snapshot": grant.snapshot_id,
        "release": grant.release_id,
        "purpose": grant.purpose,
        "granted_case": grant.case_number,
    }
