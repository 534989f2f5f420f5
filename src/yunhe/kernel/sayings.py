"""What pydantic expected of a value, said in the language of who sent it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# pydantic's error types (its documentation, "Validation Errors").
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
    "enum": "只能是 {expected}",
    "tuple_type": "应为列表",
    "greater_than": "大于 {gt}",
    "less_than": "小于 {lt}",
    "float_type": "应为数字",
    "float_parsing": "应为数字",
    "decimal_type": "应为数字",
    "decimal_parsing": "应为数字",
    "date_type": "应为日期，写作 2026-01-31",
    "date_parsing": "应为日期，写作 2026-01-31",
    "date_from_datetime_parsing": "应为日期，写作 2026-01-31",
    "date_from_datetime_inexact": "应为日期，写作 2026-01-31",
    "datetime_type": "应为时间",
    "datetime_parsing": "应为时间",
    "datetime_from_date_parsing": "应为时间",
}
OTHERWISE = "内容不合要求"


class Unfit(ValueError):
    """What a declaration's own rule finds wrong, in both languages; raised from its validators."""

    def __init__(self, zh: str, en: str) -> None:
        self.said = {"zh": zh, "en": en}
        super().__init__(en)


def say_expected(error: Mapping[str, Any], language: str) -> str:
    """Return what one of pydantic's errors expected; the value sent is never repeated."""
    facts = dict(error.get("ctx") or {})
    own = facts.get("error")
    if isinstance(own, Unfit):
        return own.said["en" if language == "en" else "zh"]
    if language == "en":
        return str(error.get("msg", ""))
    if "expected" in facts:
        facts["expected"] = str(facts["expected"]).replace(" or ", "、").replace(", ", "、")
    try:
        return EXPECTED.get(str(error.get("type")), OTHERWISE).format_map(facts)
    except KeyError:
        return OTHERWISE
