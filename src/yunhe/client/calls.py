"""A client of the gateway: keeps its connection, signs every call."""

from __future__ import annotations

import http.client
import json
import ssl
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlsplit

from yunhe.client.errors import BadAddress, CallRefused, GatewayUnreachable, NotAnAnswer
from yunhe.client.signing import authorize
from yunhe.crypto.requests import CASE_HEADER, OFFICER_HEADER

QUERY_PATH = "/v1/query"
ANSWER_BYTES = 16 * 2**20
TIMEOUT_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What the gateway gave: the granted fields of one row, or found=False; `evidence` names the call's line."""

    found: bool
    row: Mapping[str, Any] | None
    resource: str
    snapshot: str
    release: str
    evidence: str


class Client:
    """Calls one gateway with one access key. May be shared by threads: each has its own connection."""

    def __init__(
        self, base_url: str, key_id: str, secret: str, *, timeout: float = TIMEOUT_SECONDS, language: str = "zh"
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise BadAddress(where="base_url", expected="http://host:port or https://host:port", found=base_url)
        self._address = base_url.rstrip("/")
        self._tls = parts.scheme == "https"
        self._host, self._port = parts.hostname, parts.port
        self._path = parts.path.rstrip("/") + QUERY_PATH
        self._key_id, self._secret = key_id, secret
        self._timeout = timeout
        self._language = language
        self._local = threading.local()

    def query(
        self,
        *,
        grant: str,
        keys: Mapping[str, object],
        fields: Sequence[str] | None = None,
        officer: str = "",
        case: str = "",
    ) -> Answer:
        """Return the row that the keys name, as far as the grant shows it.

        `officer` and `case` say for whom and for what the call is made; the signature covers them.
        Units: key values are text, whole numbers or booleans; dates and decimals are text.
        Raises: CallRefused, GatewayUnreachable, NotAnAnswer.
        """
        content: dict[str, object] = {"grant": grant, "keys": dict(keys)}
        if fields is not None:
            content["fields"] = list(fields)
        status, body = self._post(json.dumps(content).encode("ascii"), officer, case)
        return self._read_answer(status, body)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Do close this thread's connection."""
        connection = getattr(self._local, "connection", None)
        self._local.connection = None
        if connection is not None:
            connection.close()

    def _post(self, body: bytes, officer: str, case: str) -> tuple[int, bytes]:
        reused = getattr(self._local, "connection", None) is not None
        try:
            return self._send(body, officer, case)
        except (http.client.HTTPException, OSError) as error:
            self.close()
            if not reused:
                raise self._unreachable(error) from error
        try:  # the gateway had closed the kept connection: once more on a new one, signed anew
            return self._send(body, officer, case)
        except (http.client.HTTPException, OSError) as error:
            self.close()
            raise self._unreachable(error) from error

    def _send(self, body: bytes, officer: str, case: str) -> tuple[int, bytes]:
        connection = self._connect()
        signature = authorize(
            key_id=self._key_id,
            secret=self._secret,
            method="POST",
            path=self._path,
            body=body,
            officer=officer,
            case=case,
        )
        headers = {
            "Authorization": signature,
            "Content-Type": "application/json",
            "Accept-Language": self._language,
            **{name: text for name, text in ((OFFICER_HEADER, officer), (CASE_HEADER, case)) if text},
        }
        connection.request("POST", self._path, body, headers)
        response = connection.getresponse()
        content = response.read(ANSWER_BYTES)
        if response.will_close or not response.isclosed():
            self.close()
        return response.status, content

    def _connect(self) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection | None = getattr(self._local, "connection", None)
        if connection is None:
            if self._tls:
                context = ssl.create_default_context()
                connection = http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=context)
            else:
                connection = http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
            self._local.connection = connection
        return connection

    def _read_answer(self, status: int, body: bytes) -> Answer:
        try:
            content = json.loads(body)
        except (ValueError, RecursionError) as error:
            raise NotAnAnswer(address=self._address, status=status) from error
        if not isinstance(content, dict):
            raise NotAnAnswer(address=self._address, status=status)
        if status == http.HTTPStatus.OK:
            try:
                return Answer(**{name: content[name] for name in Answer.__slots__})
            except KeyError as error:
                raise NotAnAnswer(address=self._address, status=status) from error
        if "code" not in content:
            raise NotAnAnswer(address=self._address, status=status)
        raise CallRefused(status=status, content=content)

    def _unreachable(self, error: Exception) -> GatewayUnreachable:
        return GatewayUnreachable(address=self._address, problem=type(error).__name__)
