"""The signature of a call to the gateway: one form, shared by the caller and the gateway.

What is signed is nine lines joined by line feeds: scheme, method, path, query, the SM3 of the body
in hexadecimal, the Unix time in seconds, the nonce, the officer and the case as their headers say
(empty without the header). The key is the access key's secret.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from yunhe.crypto import sm3
from yunhe.crypto.errors import BadAuthorization

SCHEME = "YUNHE-HMAC-SM3"
OFFICER_HEADER, CASE_HEADER = "Yunhe-Officer", "Yunhe-Case"
HEADER_LIMIT = 512
_PARTS = {
    "key": re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII),
    "time": re.compile(r"[0-9]{1,12}", re.ASCII),
    "nonce": re.compile(r"[A-Za-z0-9_-]{16,64}", re.ASCII),
    "signature": re.compile(r"[0-9a-f]{64}", re.ASCII),
}


@dataclass(frozen=True, slots=True)
class SignedHeader:
    """What the Authorization header of a signed call says. `time` in Unix seconds."""

    key: str
    time: int
    nonce: str
    signature: str

    def write(self) -> str:
        """Return the header's value."""
        return f"{SCHEME} key={self.key}, time={self.time}, nonce={self.nonce}, signature={self.signature}"


def string_to_sign(
    *, method: str, path: str, query: str, body: bytes, time: int, nonce: str, officer: str = "", case: str = ""
) -> bytes:
    """Return the bytes that are signed. `path` and `query` as they go over the wire, without the "?"."""
    lines = (SCHEME, method.upper(), path, query, sm3.hexdigest(body), str(time), nonce, officer, case)
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def sign(
    *,
    secret: bytes,
    method: str,
    path: str,
    query: str,
    body: bytes,
    time: int,
    nonce: str,
    officer: str = "",
    case: str = "",
) -> str:
    """Return the signature in hexadecimal. Raises: NotBytes, BadKey."""
    text = string_to_sign(
        method=method, path=path, query=query, body=body, time=time, nonce=nonce, officer=officer, case=case
    )
    return sm3.hmac(secret, text).hex()


def is_signed_by(
    header: SignedHeader,
    *,
    secret: bytes,
    method: str,
    path: str,
    query: str,
    body: bytes,
    officer: str = "",
    case: str = "",
) -> bool:
    """Tell whether `header` signs this very request under `secret`; compares in constant time."""
    right = sign(
        secret=secret,
        method=method,
        path=path,
        query=query,
        body=body,
        time=header.time,
        nonce=header.nonce,
        officer=officer,
        case=case,
    )
    return sm3.same(right.encode(), header.signature.encode())


def parse_header(value: str) -> SignedHeader:
    """Return what an Authorization header says. Raises: BadAuthorization, which names the first fault."""
    if not value:
        raise BadAuthorization(problem="header is missing")
    if len(value) > HEADER_LIMIT:
        raise BadAuthorization(problem=f"header is longer than {HEADER_LIMIT}")
    scheme, _, rest = value.partition(" ")
    if scheme != SCHEME:
        raise BadAuthorization(problem=f"scheme is not {SCHEME}")
    found: dict[str, str] = {}
    for part in rest.split(","):
        name, equals, text = part.strip(" ").partition("=")
        if not equals or name not in _PARTS:
            raise BadAuthorization(problem="a part is not key, time, nonce or signature")
        if name in found:
            raise BadAuthorization(problem=f"{name} is given twice")
        if not _PARTS[name].fullmatch(text):
            raise BadAuthorization(problem=f"{name} is malformed")
        found[name] = text
    for name in _PARTS:
        if name not in found:
            raise BadAuthorization(problem=f"{name} is missing")
    return SignedHeader(found["key"], int(found["time"]), found["nonce"], found["signature"])
