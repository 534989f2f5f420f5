"""The Authorization header of a call."""

from __future__ import annotations

import secrets
from datetime import datetime

from yunhe.crypto.requests import SignedHeader, sign
from yunhe.kernel import clock

NONCE_BYTES = 16


def authorize(
    *,
    key_id: str,
    secret: str,
    method: str,
    path: str,
    body: bytes,
    query: str = "",
    officer: str = "",
    case: str = "",
    at: datetime | None = None,
    nonce: str = "",
) -> str:
    """Return the header's value for one call; time and nonce are taken now unless given.

    `path` and `query` as they go over the wire, `officer` and `case` as their headers say. Raises: BadKey on an empty secret.
    """
    time = int((at or clock.now()).timestamp())
    nonce = nonce or secrets.token_hex(NONCE_BYTES)
    signature = sign(
        secret=secret.encode(),
        method=method,
        path=path,
        query=query,
        body=body,
        time=time,
        nonce=nonce,
        officer=officer,
        case=case,
    )
    return SignedHeader(key_id, time, nonce, signature).write()
