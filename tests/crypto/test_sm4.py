"""SM4-GCM: the block vector, a GCM written here over another SM4, and every way to break a seal."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from gmssl.sm4 import SM4_ENCRYPT, CryptSM4
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.soaking import amount
from yunhe.crypto import sm4
from yunhe.crypto.errors import BadKey, NotBytes, SealBroken

KEY = bytes.fromhex("0123456789abcdeffedcba9876543210")


def _block(key: bytes, data: bytes) -> bytes:
    cipher = CryptSM4(padding_mode=0)
    cipher.set_key(key, SM4_ENCRYPT)
    return bytes(cipher.one_round(cipher.sk, list(data)))


def _times(x: int, y: int) -> int:
    z = 0
    for bit in range(127, -1, -1):
        z ^= y * ((x >> bit) & 1)
        y = (y >> 1) ^ (0xE1 << 120 if y & 1 else 0)
    return z


def _gcm_by_hand(key: bytes, nonce: bytes, plaintext: bytes, associated: bytes) -> bytes:
    """NIST SP 800-38D with a 96-bit nonce, over the second SM4."""
    h = int.from_bytes(_block(key, bytes(16)))
    text = b""
    for at in range(0, len(plaintext), 16):
        stream = _block(key, nonce + (at // 16 + 2).to_bytes(4))
        text += bytes(a ^ b for a, b in zip(plaintext[at : at + 16], stream, strict=False))
    blocks = associated + bytes(-len(associated) % 16) + text + bytes(-len(text) % 16)
    blocks += (len(associated) * 8).to_bytes(8) + (len(text) * 8).to_bytes(8)
    ghash = 0
    for at in range(0, len(blocks), 16):
        ghash = _times(ghash ^ int.from_bytes(blocks[at : at + 16]), h)
    first = _block(key, nonce + (1).to_bytes(4))
    return nonce + text + bytes(a ^ b for a, b in zip(first, ghash.to_bytes(16), strict=True))


def test_the_block_vector_of_the_standard_holds_in_both_implementations() -> None:
    expected = bytes.fromhex("681edf34d206965e86b3e94f536e4246")
    encryptor = Cipher(algorithms.SM4(KEY), modes.ECB()).encryptor()

    assert encryptor.update(KEY) + encryptor.finalize() == expected
    assert _block(KEY, KEY) == expected


@settings(max_examples=amount(small=25, full=2000), deadline=None)
@given(st.binary(min_size=16, max_size=16), st.binary(max_size=70), st.binary(max_size=40))
def test_seals_agree_with_gcm_by_hand_over_a_second_sm4(key: bytes, plaintext: bytes, associated: bytes) -> None:
    sealed = sm4.encrypt_gcm(key=key, plaintext=plaintext, associated=associated)

    assert sealed == _gcm_by_hand(key, sealed[:12], plaintext, associated)
    assert sm4.decrypt_gcm(key=key, sealed=sealed, associated=associated) == plaintext


def test_each_seal_has_its_own_nonce() -> None:
    assert len({sm4.encrypt_gcm(key=KEY, plaintext=b"same")[:12] for _ in range(200)}) == 200


@settings(max_examples=amount(small=60, full=2000), deadline=None)
@given(st.binary(max_size=40), st.data())
def test_one_changed_bit_breaks_the_seal(plaintext: bytes, data: st.DataObject) -> None:
    sealed = bytearray(sm4.encrypt_gcm(key=KEY, plaintext=plaintext, associated=b"use"))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8

    with pytest.raises(SealBroken):
        sm4.decrypt_gcm(key=KEY, sealed=bytes(sealed), associated=b"use")


def test_another_use_another_key_and_a_cut_seal_are_broken() -> None:
    sealed = sm4.encrypt_gcm(key=KEY, plaintext=b"secret", associated=b"one use")
    with pytest.raises(SealBroken):
        sm4.decrypt_gcm(key=KEY, sealed=sealed, associated=b"another use")
    with pytest.raises(SealBroken):
        sm4.decrypt_gcm(key=KEY[::-1], sealed=sealed, associated=b"one use")
    for length in range(len(sealed)):
        with pytest.raises(SealBroken):
            sm4.decrypt_gcm(key=KEY, sealed=sealed[:length], associated=b"one use")


@pytest.mark.parametrize("key", [b"", KEY[:15], KEY + b"x", KEY * 2])
def test_a_key_of_another_length_is_refused(key: bytes) -> None:
    with pytest.raises(BadKey):
        sm4.encrypt_gcm(key=key, plaintext=b"")
    with pytest.raises(BadKey):
        sm4.decrypt_gcm(key=key, sealed=bytes(40))


def test_what_is_not_bytes_is_refused() -> None:
    for arguments in ({"key": "k" * 16, "plaintext": b""}, {"key": KEY, "plaintext": "text"},
                      {"key": KEY, "plaintext": b"", "associated": None}):  # fmt: skip
        with pytest.raises(NotBytes):
            sm4.encrypt_gcm(**arguments)  # type: ignore[arg-type]
    with pytest.raises(NotBytes):
        sm4.decrypt_gcm(key=KEY, sealed=bytearray(40))  # type: ignore[arg-type]
