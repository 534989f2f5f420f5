"""SM3 digest and HMAC-SM3. Source: GB/T 32905-2016 (GM/T 0004-2012); HMAC: GB/T 15852.2-2012."""

from __future__ import annotations

from hmac import compare_digest

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.hmac import HMAC

from yunhe.crypto.errors import BadKey, NotBytes

DIGEST_BYTES = 32
BLOCK_BYTES = 64

Data = bytes | bytearray | memoryview


class Digest:
    """An SM3 digest that grows by `update`; `digest` and `hexdigest` may be asked at any time."""

    def __init__(self) -> None:
        self._hash = hashes.Hash(hashes.SM3())

    def update(self, data: Data) -> None:
        """Do add `data`. Raises: NotBytes."""
        self._hash.update(_bytes(data, "SM3"))

    def digest(self) -> bytes:
        """Return the 32 bytes over all data so far."""
        return self._hash.copy().finalize()

    def hexdigest(self) -> str:
        """Return the digest as 64 lower-case hexadecimal digits."""
        return self.digest().hex()


def new(data: Data = b"") -> Digest:
    """Return an incremental digest, begun with `data`. Raises: NotBytes."""
    started = Digest()
    started.update(data)
    return started


def digest(data: Data) -> bytes:
    """Return the SM3 digest (32 bytes) of `data`. Raises: NotBytes."""
    state = hashes.Hash(hashes.SM3())
    state.update(_bytes(data, "SM3"))
    return state.finalize()


def hexdigest(data: Data) -> str:
    """Return the SM3 digest of `data` as 64 lower-case hexadecimal digits. Raises: NotBytes."""
    return digest(data).hex()


def hmac(key: Data, data: Data) -> bytes:
    """Return HMAC-SM3 (32 bytes) of `data` under `key`. Raises: NotBytes; BadKey on an empty key."""
    secret = _bytes(key, "HMAC-SM3 key")
    if not secret:
        raise BadKey(where="HMAC-SM3", expected=">= 1", found=0)
    state = HMAC(secret, hashes.SM3())
    state.update(_bytes(data, "HMAC-SM3"))
    return state.finalize()


def same(left: bytes, right: bytes) -> bool:
    """Tell whether two digests are equal, in a time that does not say where they differ."""
    return compare_digest(_bytes(left, "digest"), _bytes(right, "digest"))


def _bytes(data: object, where: str) -> bytes:
    if isinstance(data, bytes):
        return data
    if isinstance(data, bytearray | memoryview):
        return bytes(data)
    raise NotBytes(where=where, found=type(data).__name__)
