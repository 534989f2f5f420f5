"""The one written form of a JSON value that digests are taken over."""

from __future__ import annotations

import json
from typing import Any

from yunhe.crypto import sm3

_in_one_form = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def canonical_json(value: Any) -> bytes:
    """Return `value` as UTF-8 JSON: keys sorted, no spaces, no NaN. Equal values give equal bytes."""
    return _in_one_form(value).encode("utf-8")


def digest_of(value: Any) -> str:
    """Return the SM3 digest (hex) of the canonical JSON of `value`."""
    return sm3.hexdigest(canonical_json(value))
