"""Who calls: the access key, its signature, the clock and the nonce of one call."""

from __future__ import annotations

from dataclasses import dataclass

from yunhe.crypto.requests import SignedHeader, is_signed_by
from yunhe.gateway.errors import BadSignature, ClockSkew, KeyRevoked, ReplayedNonce, UnknownKey
from yunhe.gateway.nonces import NonceStore
from yunhe.gateway.rights import AccessKeyRow, RightsImage
from yunhe.kernel import clock


@dataclass(frozen=True, slots=True)
class SignedCall:
    """The parts of a request that its signature covers, as they came over the wire; a missing header is empty."""

    header: SignedHeader
    method: str
    path: str
    query: str
    body: bytes
    officer: str = ""
    case: str = ""


def find_key(image: RightsImage, key_id: str) -> AccessKeyRow:
    """Return the access key of the image. Raises: UnknownKey."""
    key = image.keys.get(key_id)
    if key is None:
        raise UnknownKey
    return key


async def authenticate(
    call: SignedCall, key: AccessKeyRow, *, secret: bytes, nonces: NonceStore, skew_seconds: int
) -> None:
    """Do nothing if the call is truly and freshly the key holder's; its nonce is then used up.

    Raises: BadSignature, KeyRevoked, ClockSkew, ReplayedNonce, NoncesUnavailable.
    """
    if not is_signed_by(
        call.header,
        secret=secret,
        method=call.method,
        path=call.path,
        query=call.query,
        body=call.body,
        officer=call.officer,
        case=call.case,
    ):
        raise BadSignature
    if key.revoked:
        raise KeyRevoked(key=key.key_id)
    difference = abs(int(clock.now().timestamp()) - call.header.time)
    if difference > skew_seconds:
        raise ClockSkew(difference=difference, limit=skew_seconds)
    expires_at = call.header.time + skew_seconds + 1
    if not await nonces.claim(key=key.key_id, nonce=call.header.nonce, expires_at=expires_at):
        raise ReplayedNonce
