"""SM3 and HMAC-SM3: the standard's vectors, and a pure-Python implementation as second opinion."""

from __future__ import annotations

import pytest
from gmssl import sm3 as second_opinion
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.soaking import amount
from yunhe.crypto import sm3
from yunhe.crypto.errors import BadKey, NotBytes


def _gmssl(data: bytes) -> bytes:
    return bytes.fromhex(second_opinion.sm3_hash(list(data)))


def test_the_vectors_of_the_standard() -> None:
    assert sm3.hexdigest(b"abc") == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert sm3.hexdigest(b"abcd" * 16) == "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"


@settings(max_examples=amount(small=40, full=2000), deadline=None)
@given(st.binary(max_size=300))
def test_digests_agree_with_the_second_opinion(data: bytes) -> None:
    assert sm3.digest(data) == _gmssl(data)
    assert sm3.digest(bytearray(data)) == sm3.digest(memoryview(data)) == sm3.digest(data)


@settings(max_examples=amount(small=40, full=2000), deadline=None)
@given(st.lists(st.binary(max_size=100), max_size=6))
def test_parts_make_the_same_digest_as_the_whole(parts: list[bytes]) -> None:
    growing = sm3.new()
    for part in parts:
        growing.update(part)
        growing.hexdigest()  # asking in between changes nothing

    assert growing.digest() == sm3.digest(b"".join(parts))
    assert growing.hexdigest() == sm3.hexdigest(b"".join(parts))


@settings(max_examples=amount(small=40, full=2000), deadline=None)
@given(st.binary(min_size=1, max_size=150), st.binary(max_size=200))
def test_hmac_agrees_with_its_definition_over_the_second_opinion(key: bytes, data: bytes) -> None:
    block = (key if len(key) <= 64 else _gmssl(key)).ljust(64, b"\0")
    inner = _gmssl(bytes(b ^ 0x36 for b in block) + data)

    assert sm3.hmac(key, data) == _gmssl(bytes(b ^ 0x5C for b in block) + inner)


@pytest.mark.parametrize("wrong", ["text", None, 7, [1, 2]])
def test_what_is_not_bytes_is_refused_without_showing_it(wrong: object) -> None:
    for call in (
        sm3.digest,
        sm3.hexdigest,
        sm3.new,
        sm3.new().update,
        lambda d: sm3.hmac(b"k", d),
        lambda d: sm3.hmac(d, b""),
    ):
        with pytest.raises(NotBytes) as caught:
            call(wrong)  # type: ignore[operator]
        assert type(wrong).__name__ in caught.value.say("en")
        assert "text" not in caught.value.say("en")


def test_an_empty_key_is_refused() -> None:
    with pytest.raises(BadKey):
        sm3.hmac(b"", b"data")


def test_same_tells_equal_from_other() -> None:
    assert sm3.same(b"abc", b"abc")
    assert not sm3.same(b"abc", b"abd")
    assert not sm3.same(b"abc", b"ab")
