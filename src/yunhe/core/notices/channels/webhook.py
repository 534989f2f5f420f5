"""Webhooks: a signed JSON body to an address that the system administrator registered.

`Yunhe-Id` stays the same over repeated deliveries, `Yunhe-Timestamp` is the second of this try, and
`Yunhe-Signature` is `hmac-sm3=` and the HMAC-SM3 in hexadecimal, under the address's secret, over the
id, a line feed, the timestamp, a line feed, and the body as sent.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from contextlib import suppress
from urllib.parse import urlsplit

from django.conf import settings

from yunhe.core.notices.channels.reasons import busy, unavailable
from yunhe.core.notices.errors import AddressRefused, WebhookNotAllowed
from yunhe.core.notices.rules import check_web, forbidden_reason, is_allowed, mask_web, origin_of
from yunhe.core.notices.types import WEBHOOK, Channel, Letter
from yunhe.crypto import sm3
from yunhe.kernel.clock import now

AGAIN = frozenset({408, 425, 429})  # source: RFC 9110 15.5.9, RFC 8470 5.2, RFC 6585 4
OK, REDIRECTS, FAULTS = range(200, 300), range(300, 400), range(500, 600)
AGENT = "Yunhe-Notices/1"


def deliver(letter: Letter) -> None:
    """Post a letter. Raises: ChannelUnavailable, AddressRefused, WebhookNotAllowed."""
    where = place(letter)
    check(letter.address)
    url = urlsplit(letter.address)
    port = url.port or (443 if url.scheme == "https" else 80)
    target = _resolve(url.hostname or "", port, where)
    try:
        status = _post(letter, target=target)
    except (OSError, http.client.HTTPException) as error:
        raise unavailable(where, error) from error
    _judge(status, where)


def check(address: str) -> str:
    """Return the address as it is kept. Raises: BadAddress, WebhookNotAllowed if the setting does not list it."""
    kept = check_web(address)
    if not is_allowed(kept, origins=settings.YUNHE["WEBHOOK_HOSTS"]):
        raise WebhookNotAllowed(
            origin=origin_of(kept), reason_zh="不在允许的来源里", reason_en="it is not among the allowed origins",
            field="address",
        )  # fmt: skip
    return kept


def body_of(letter: Letter) -> bytes:
    """Return the body. Shape: {id,kind,to,title,text,href,case_id,sent_at}, texts per language.

    What tells several notices together has `items` as well: {kind,title,text,href,case_id,sent_at} each.
    """
    content: dict[str, object] = {
        "id": letter.id, "kind": letter.kind, "to": letter.recipient, "title": dict(letter.titles),
        "text": dict(letter.texts), "href": letter.href, "case_id": letter.case_id, "sent_at": letter.at.isoformat(),
    }  # fmt: skip
    if letter.items:
        content["items"] = [
            {"kind": one.kind, "title": dict(one.titles), "text": dict(one.texts), "href": one.href, "case_id": one.case_id, "sent_at": one.at.isoformat()}
            for one in letter.items
        ]  # fmt: skip
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def sign(*, secret: bytes, letter_id: str, timestamp: str, body: bytes) -> str:
    """Return the value of `Yunhe-Signature`."""
    return "hmac-sm3=" + sm3.hmac(secret, f"{letter_id}\n{timestamp}\n".encode() + body).hex()


def place(letter: Letter) -> str:
    """Return the origin that is asked."""
    return origin_of(letter.address)


def is_ready() -> bool:
    """Tell whether any origin is allowed."""
    return bool(settings.YUNHE["WEBHOOK_HOSTS"].strip())


def _resolve(host: str, port: int, where: str) -> str:
    """Return the one address to connect to. Raises: WebhookNotAllowed if any of the host's is forbidden."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise unavailable(where, error) from error
    addresses = [str(one[4][0]) for one in found]
    for address in addresses:
        reason = forbidden_reason(address, port=port, is_own=_is_own(address), own_ports=own_ports())
        if reason:
            raise WebhookNotAllowed(origin=where, reason_zh=reason[0], reason_en=reason[1], field="address")
    return addresses[0]


def own_ports() -> frozenset[int]:
    """Return the ports that this node answers at."""
    return frozenset({settings.YUNHE["WEB_PORT"], settings.YUNHE["GATEWAY_PORT"]})


def _is_own(address: str) -> bool:
    """Tell whether an address is one of this machine's: only such a one can be bound to."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((address.partition("%")[0], 0))
    except OSError:
        return False
    return True


def _post(letter: Letter, *, target: str) -> int:
    """Return the status of the answer; redirects are not followed, the body is not read."""
    url, body, timestamp = urlsplit(letter.address), body_of(letter), str(int(now().timestamp()))
    headers = {
        "Content-Type": "application/json", "User-Agent": AGENT, "Yunhe-Id": letter.id, "Yunhe-Timestamp": timestamp,
        "Yunhe-Signature": sign(secret=letter.secret, letter_id=letter.id, timestamp=timestamp, body=body),
    }  # fmt: skip
    seconds = settings.YUNHE["WEBHOOK_SECONDS"]
    connection = _Connection(url.hostname or "", url.port, target=target, secure=url.scheme == "https", timeout=seconds)
    # A timeout of the socket counts anew with every byte; this one does not.
    alarm = threading.Timer(seconds, connection.cut)
    alarm.start()
    try:
        connection.request("POST", (url.path or "/") + (f"?{url.query}" if url.query else ""), body, headers)
        return connection.getresponse().status
    finally:
        alarm.cancel()
        connection.close()


class _Connection(http.client.HTTPConnection):
    """Connects to the address that was looked at, whatever the name resolves to by now."""

    def __init__(self, host: str, port: int | None, *, target: str, secure: bool, timeout: int) -> None:
        super().__init__(host, port or (443 if secure else 80), timeout=timeout)
        self._target = target
        self._secure = secure

    def connect(self) -> None:
        self.sock = socket.create_connection((self._target, self.port), self.timeout)
        if self._secure:
            context = ssl.create_default_context()
            self.sock = context.wrap_socket(self.sock, server_hostname=self.host, do_handshake_on_connect=False)
            self.sock.do_handshake()

    def cut(self) -> None:
        """End it from another thread: whoever waits for the other side gets an OSError."""
        held = self.sock
        if held is not None:
            with suppress(OSError):
                socket.socket.shutdown(held, socket.SHUT_RDWR)  # below TLS, whose own would wait


def _judge(status: int, where: str) -> None:
    if status in OK:
        return
    if status in REDIRECTS:
        raise AddressRefused(
            where=where, reason_zh=f"HTTP {status} 转向别处，不会跟随", reason_en=f"HTTP {status} redirects, which is not followed"
        )
    if status in FAULTS or status in AGAIN:
        raise busy(where, f"HTTP {status}")
    raise AddressRefused(where=where, reason_zh=f"HTTP {status}", reason_en=f"HTTP {status}")


CHANNEL = Channel(
    code=WEBHOOK, title={"zh": "系统推送", "en": "Webhook"}, deliver=deliver, check=check, mask=mask_web, place=place,
    is_ready=is_ready, waits=False, own=False,
)  # fmt: skip
