"""The signature of a call and its header."""

from __future__ import annotations

import hmac as standard_hmac
import string
from pathlib import Path

import pytest
from gmssl import sm3 as second_opinion
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.soaking import amount
from yunhe.crypto.errors import BadAuthorization
from yunhe.crypto.requests import SCHEME, SignedHeader, is_signed_by, parse_header, sign, string_to_sign

CALL = {
    "method": "POST",
    "path": "/v1/query",
    "query": "",
    "body": b'{"grant":"G"}',
    "time": 1767225600,
    "nonce": "n" * 16,
    "officer": "u1024",
    "case": "BJ-2026-1",
}
NAME = st.text(alphabet=string.ascii_letters + string.digits + "_-", min_size=16, max_size=64)
HEADERS = st.builds(
    SignedHeader,
    key=NAME,
    time=st.integers(0, 10**12 - 1),
    nonce=NAME,
    signature=st.text(alphabet="0123456789abcdef", min_size=64, max_size=64),
)


def test_what_is_signed_is_nine_lines() -> None:
    digest = second_opinion.sm3_hash(list(CALL["body"]))  # type: ignore[call-overload]

    text = string_to_sign(**CALL)  # type: ignore[arg-type]

    assert text.decode().split("\n") == [
        SCHEME, "POST", "/v1/query", "", digest, "1767225600", "n" * 16, "u1024", "BJ-2026-1"
    ]  # fmt: skip


def test_the_documented_vectors_hold() -> None:
    told = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")
    call = CALL | {"body": b'{"grant":"G1","keys":{"id":"11010519491231002X"}}', "nonce": "0123456789abcdef"}
    nobody = call | {"officer": "", "case": ""}
    unnamed = {name: value for name, value in call.items() if name not in ("officer", "case")}

    assert sign(secret=b"secret", **nobody) == sign(secret=b"secret", **unnamed)  # type: ignore[arg-type]
    for values in (call, nobody):
        assert sign(secret=b"secret", **values) in told  # type: ignore[arg-type]


def test_the_signature_is_hmac_sm3_over_the_nine_lines() -> None:
    class Second:
        """SM3 in the form that the standard library's HMAC takes, from another implementation."""

        digest_size, block_size = 32, 64

        def __init__(self, data: bytes = b"") -> None:
            self._data = data

        def update(self, data: bytes) -> None:
            self._data += data

        def copy(self) -> Second:
            return Second(self._data)

        def digest(self) -> bytes:
            return bytes.fromhex(second_opinion.sm3_hash(list(self._data)))

    expected = standard_hmac.new(b"secret", string_to_sign(**CALL), Second).digest().hex()  # type: ignore[arg-type]

    assert sign(secret=b"secret", **CALL) == expected  # type: ignore[arg-type]


@settings(max_examples=amount(small=60, full=2000), deadline=None)
@given(HEADERS)
def test_a_written_header_reads_back(header: SignedHeader) -> None:
    assert parse_header(header.write()) == header


@pytest.mark.parametrize("changed", ["method", "path", "query", "body", "time", "nonce", "officer", "case", "secret"])
def test_every_part_is_covered(changed: str) -> None:
    other = {
        "method": "PUT",
        "path": "/v1/query/",
        "query": "a=1",
        "body": b"{}",
        "time": 1767225601,
        "nonce": "m" * 16,
        "officer": "",
        "case": "BJ-2026-2",
    }
    signature = sign(secret=b"secret", **CALL)  # type: ignore[arg-type]
    call = {**CALL, **({changed: other[changed]} if changed != "secret" else {})}
    header = SignedHeader("AK", call.pop("time"), call.pop("nonce"), signature)  # type: ignore[arg-type]
    secret = b"other" if changed == "secret" else b"secret"

    assert not is_signed_by(header, secret=secret, **call)  # type: ignore[arg-type]


def test_the_right_signature_is_taken() -> None:
    header = SignedHeader("AK", 1767225600, "n" * 16, sign(secret=b"secret", **CALL))  # type: ignore[arg-type]

    call = {name: value for name, value in CALL.items() if name not in ("time", "nonce")} | {"method": "post"}

    assert is_signed_by(header, secret=b"secret", **call)  # type: ignore[arg-type]


GOOD = SignedHeader("AK1", 1767225600, "n" * 16, "0" * 64).write()


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("", "missing"),
        ("Bearer abc", "scheme"),
        (SCHEME, "part"),
        (GOOD.replace("key=AK1, ", ""), "key is missing"),
        (GOOD.replace("time=1767225600", "time=1e9"), "time"),
        (GOOD.replace("time=1767225600", "time=-1"), "time"),
        (GOOD.replace("time=1767225600", "time=١٧٦"), "time"),
        (GOOD.replace("time=1767225600", "time=" + "9" * 400), "time"),
        (GOOD.replace("n" * 16, "n" * 15), "nonce"),
        (GOOD.replace("n" * 16, "n" * 15 + "\n"), "nonce"),
        (GOOD.replace("0" * 64, "0" * 63 + "G"), "signature"),
        (GOOD.replace("0" * 64, "A" * 64), "signature"),
        (GOOD + ", key=AK2", "twice"),
        (GOOD + ", more=1", "part"),
        (GOOD + ",", "part"),
        (GOOD + " " * 600, "longer"),
    ],
)
def test_other_headers_are_refused_with_the_fault_named(value: str, problem: str) -> None:
    with pytest.raises(BadAuthorization) as caught:
        parse_header(value)

    assert problem in caught.value.say("en")
    assert "0" * 63 not in caught.value.say("en")


@settings(max_examples=amount(small=150, full=2000), deadline=None)
@given(
    st.text(max_size=80)
    | st.builds(lambda cut, noise: GOOD[:cut] + noise + GOOD[cut:], st.integers(0, 130), st.text(max_size=4))
)
def test_no_header_breaks_the_reader(value: str) -> None:
    try:
        parsed = parse_header(value)
    except BadAuthorization:
        return
    assert parse_header(parsed.write()) == parsed
