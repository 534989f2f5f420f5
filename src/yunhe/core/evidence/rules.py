"""What a record's digest is made of: pure functions over plain values."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from json.encoder import encode_basestring
from typing import Any

from yunhe.core.evidence.errors import BadEvidence
from yunhe.core.evidence.types import Personal

MAX_FACTS_BYTES = 64 * 1024
DOMAIN = b"yunhe.evidence.record.v1\x00"
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

_in_one_form = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode

Commit = Callable[[str, str], str]
"""(path of the fact, personal value) -> hexadecimal commitment."""


def plain_facts(facts: Mapping[str, Any], *, commit: Commit) -> dict[str, Any]:
    """Return the facts as JSON values, each Personal replaced by its commitment.

    Raises: BadEvidence on a value that JSON cannot hold.
    """
    return {key: _plain(value, path=key, commit=commit) for key, value in facts.items()}


def facts_text(facts: Mapping[str, Any], *, commit: Commit) -> str:
    """Return the canonical text of the facts, each Personal replaced by its commitment.

    Raises: BadEvidence on a value that JSON cannot hold, a lone surrogate, or facts over 64 KiB.
    """
    text = canonical(plain_facts(facts, commit=commit))
    if len(text) > MAX_FACTS_BYTES:
        raise BadEvidence(where="facts", expected=f"at most {MAX_FACTS_BYTES} bytes", found=f"{len(text)} bytes")
    return text.decode("utf-8")


def canonical(value: Any) -> bytes:
    """Return the one JSON text of a value: keys sorted, no spaces, UTF-8."""
    text = _in_one_form(value)
    check_text(text, where="facts", limit=None)
    return text.encode("utf-8")


def check_text(value: str, *, where: str, limit: int | None) -> None:
    """Do nothing if every database can hold the text. Raises: BadEvidence."""
    if limit is not None and len(value) > limit:
        raise BadEvidence(where=where, expected=f"at most {limit} characters", found=f"{len(value)}")
    if _UNSTORABLE.search(value):
        raise BadEvidence(where=where, expected="text without NUL or lone surrogates", found="one")


def record_message(record: Mapping[str, Any], *, salt: bytes) -> bytes:
    """Return the bytes whose SM3 is the record's digest: domain, salt, canonical record."""
    return DOMAIN + salt + canonical(dict(record))


def _plain(value: Any, *, path: str, commit: Commit) -> Any:
    match value:
        case Personal():
            return {"commitment": commit(path, value.value)}
        case Mapping():
            return {str(key): _plain(item, path=f"{path}.{key}", commit=commit) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            items = sorted(value) if isinstance(value, set | frozenset) else value
            return [_plain(item, path=f"{path}.{n}", commit=commit) for n, item in enumerate(items)]
        case datetime() | date():
            return value.isoformat()
        case None | bool() | int() | str():
            return value
        case float() if math.isfinite(value):
            return value
    raise BadEvidence(where=f"facts.{path}", expected="a JSON value", found=type(value).__name__)


class AlikeText:
    """The canonical JSON of objects that agree in all but some texts: only those are written anew for each."""

    def __init__(self, shared: Mapping[str, Any], own: Iterable[str]) -> None:
        known = {name: canonical(value).decode("utf-8").replace("%", "%%") for name, value in shared.items()}
        self._own = sorted(own)
        parts = (f'"{name}":{known.get(name, "%s")}' for name in sorted((*known, *self._own)))
        self._text = "{" + ",".join(parts) + "}"

    def of(self, own: Mapping[str, str]) -> str:
        """Return the text of the object with these; each is a text that `check_text` lets pass."""
        return self._text % tuple([encode_basestring(own[name]) for name in self._own])
