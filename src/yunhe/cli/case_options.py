"""What people give to the commands of cases: JSON on the line or in a file, the name of an action."""

from __future__ import annotations

import json
from typing import Any

from yunhe.kernel.errors import Invalid


class BadJson(Invalid):
    code = "bad_data_option"
    sentences = {
        "zh": "{where} 不是 JSON 对象：{reason}。例：{{\"opinion\": \"同意\"}}",
        "en": "{where} is not a JSON object: {reason}. Example: {{\"opinion\": \"granted\"}}",
    }


class NoSuchAction(Invalid):
    code = "no_such_action"
    sentences = {
        "zh": "办件 {number} 现在没有“{action}”这个动作，您可以办理：{offered}。",
        "en": 'Case {number} offers no action "{action}" now. You may take: {offered}.',
    }


def data_option(text: str, where: str = "--data") -> dict[str, Any]:
    """Return a JSON object; `where` is what people are told that it stands in. Raises: BadJson."""
    try:
        data = json.loads(text)
    except ValueError as error:
        raise BadJson(where=where, reason=str(error)) from error
    if not isinstance(data, dict):
        raise BadJson(where=where, reason=type(data).__name__)
    return data
