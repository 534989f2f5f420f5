"""What pydantic expected of a value, said in the language of who sent it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# pydantic's error types (its documentation, "Validation Errors"); what is not here is said as pydantic says it.
EXPECTED = {
    "missing": "必填",
    "extra_forbidden": "没有这个字段，请删去",
    "string_type": "应为文字",
    "string_too_long": "最多 {max_length} 个字符",
    "string_too_short": "至少 {min_length} 个字符",
    "string_pattern_mismatch": "格式不符，应为 {pattern}",
    "int_type": "应为整数",
    "int_parsing": "应为整数",
    "int_parsing_size": "应为整数，且数字太大",
    "int_from_float": "应为整数",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "greater_than_equal": "不小于 {ge}",
    "less_than_equal": "不大于 {le}",
    "list_type": "应为列表",
    "dict_type": "应为对象（名称与值）",
    "model_attributes_type": "应为对象（名称与值）",
    "model_type": "应为对象（名称与值）",
    "too_long": "最多 {max_length} 项",
    "too_short": "至少 {min_length} 项",
    "literal_error": "只能是 {expected}",
}


def say_expected(error: Mapping[str, Any], language: str) -> str:
    """Return what one of pydantic's errors expected; the value sent is never repeated."""
    said = str(error.get("msg", ""))
    if language == "en" or error.get("type") not in EXPECTED:
        return said
    try:
        return EXPECTED[str(error["type"])].format_map(error.get("ctx") or {})
    except KeyError:
        return said
