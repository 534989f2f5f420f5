"""SM4 in Galois/counter mode. Source: GB/T 32907-2016; GCM: GB/T 36624-2018, RFC 8998."""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from yunhe.crypto.errors import BadKey, NotBytes, SealBroken

KEY_BYTES = 16
NONCE_BYTES = 12
TAG_BYTES = 16


def encrypt_gcm(*, key: bytes, plaintext: bytes, associated: bytes = b"") -> bytes:
    """Return nonce (12 bytes) || ciphertext || tag (16 bytes); the nonce is fresh and random.

    `associated` is bound to the text, not hidden: name the use there, so that a sealed text cannot
    be moved to another place. One key may seal up to 2^32 texts.
    Raises: NotBytes, BadKey.
    """
    _require(key=key, plaintext=plaintext, associated=associated)
    nonce = secrets.token_bytes(NONCE_BYTES)
    encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(associated)
    ciphertext = encryptor.update(plaintext) + encryptor.finalize()
    return nonce + ciphertext + encryptor.tag


def decrypt_gcm(*, key: bytes, sealed: bytes, associated: bytes = b"") -> bytes:
    """Return the plaintext of what `encrypt_gcm` made. Raises: NotBytes, BadKey, SealBroken."""
    _require(key=key, sealed=sealed, associated=associated)
    if len(sealed) < NONCE_BYTES + TAG_BYTES:
        raise SealBroken(bytes=len(sealed))
    nonce, ciphertext, tag = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:-TAG_BYTES], sealed[-TAG_BYTES:]
    decryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce, tag)).decryptor()
    decryptor.authenticate_additional_data(associated)
    try:
        return decryptor.update(ciphertext) + decryptor.finalize()
    except InvalidTag as error:
        raise SealBroken(bytes=len(sealed)) from error


def _require(*, key: bytes, **others: bytes) -> None:
    for name, value in {"key": key, **others}.items():
        if not isinstance(value, bytes):
            raise NotBytes(where=f"SM4-GCM {name}", found=type(value).__name__)
    if len(key) != KEY_BYTES:
        raise BadKey(where="SM4-GCM", expected=KEY_BYTES, found=len(key))
