"""JSON as every door reads it: bounded in depth, and nothing in it that a database could not hold."""

from __future__ import annotations

import json
from math import isfinite
from typing import Any

from yunhe.ui.errors import BadJson, BadNumber, BadText
from yunhe.ui.middleware import is_storable

LARGEST = 2**63 - 1
DEEPEST = 50


def read_json(text: str | bytes, where: str = "body") -> Any:
    """Return what a JSON text holds: no NUL, no lone surrogate, no integer beyond 64 bits, at most DEEPEST deep.

    `where` is what people are told that it stands in. Raises: BadJson, BadNumber, BadText with the path.
    """
    try:
        value = json.loads(text.decode("utf-8") if isinstance(text, bytes) else text)
    except RecursionError as error:
        raise _bad_json(where) from error
    except json.JSONDecodeError as error:
        raise _bad_json(where, error) from error
    except ValueError as error:
        too_many_digits = "integer string" in str(error)
        raise (BadNumber(where=where) if too_many_digits else _bad_json(where)) from error
    check_json(value, where)
    return value


def _bad_json(where: str, error: json.JSONDecodeError | None = None) -> BadJson:
    """Return that this is no JSON that can be used, or from which place on."""
    named = {"zh": "正文", "en": "body"} if where == "body" else {"zh": where, "en": where}
    if error is not None:
        place = {"zh": f"第 {error.lineno} 行第 {error.colno} 列起", "en": f"from line {error.lineno} column {error.colno} on"}
        named = place if where == "body" else {"zh": f"{where}，{place['zh']}", "en": f"{where}, {place['en']}"}
    return BadJson(where=named, deepest=DEEPEST)


def check_json(value: Any, where: str = "body", depth: int = 0) -> None:
    """Do nothing if the value can be stored. Raises: BadText, BadNumber, BadJson with the path."""
    if depth > DEEPEST:
        raise _bad_json(where[:60])
    if isinstance(value, str) and not is_storable(value):
        raise BadText(where=where)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > LARGEST:
        raise BadNumber(where=where)
    if isinstance(value, float) and not isfinite(value):
        raise BadNumber(where=where)
    if isinstance(value, dict):
        for key, one in value.items():
            check_json(key, where=f"{where}.?" if not is_storable(key) else where, depth=depth + 1)
            check_json(one, where=f"{where}.{key}", depth=depth + 1)
    if isinstance(value, list):
        for index, one in enumerate(value):
            check_json(one, where=f"{where}[{index}]", depth=depth + 1)
