"""What is wrong with a plan file, in words: which group, which field, what was expected there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from yunhe.core.cases.rules.wording import position_title
from yunhe.core.cases.types import KindSpec

MOST_SAID = 5
Text = Mapping[str, str]
EXPECTED: Mapping[str, tuple[str, str]] = {
    "missing": ("缺少这一项", "is missing"),
    "extra_forbidden": ("没有这样的一项", "is not known"),
    "string_type": ("应为文字", "must be a text"),
    "int_type": ("应为整数", "must be a whole number"),
    "int_from_float": ("应为整数", "must be a whole number"),
    "greater_than_equal": ("不能小于 0", "must not be less than 0"),
    "tuple_type": ("应为列表", "must be a list"),
    "dict_type": ("应为名称对照，如 {\"旧名\": \"新名\"}", 'must name new names by old ones, as {"old": "new"}'),
    "model_type": ("应为一组的内容", "must be a group with its fields"),
    "too_long": ("应为两项：待办和单位", "must be a pair: an obligation and an organisation"),
}
PAIRS = ("cancel", "add")


def say_problems(errors: Iterable[Mapping[str, Any]], told: Mapping[str, Any], kind: KindSpec | None) -> Text:
    """Return what pydantic found wrong with a plan as a sentence in each language; the first ones where there are many."""
    found = dict.fromkeys(_said(error, told, kind) for error in errors)
    first, rest = list(found)[:MOST_SAID], len(found) - MOST_SAID
    zh, en = "；".join(one[0] for one in first), "; ".join(one[1] for one in first)
    return {"zh": f"{zh}；另有 {rest} 处" if rest > 0 else zh, "en": f"{en}; {rest} more" if rest > 0 else en}


def group_named(told: Any, number: int, kind: KindSpec | None) -> Text:
    """Return what a group of a plan file is called: its number, and where its cases stand if it says so."""
    zh, en = f"第 {number} 组", f"group {number}"
    if kind is None or not isinstance(told, Mapping):
        return {"zh": zh, "en": en}
    phase, names = told.get("phase"), told.get("obligations")
    if not isinstance(phase, str) or not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        return {"zh": zh, "en": en}
    stands = position_title(kind, phase, [name for name in names if name != "*"])
    return {"zh": f"{zh}（{stands['zh']}）", "en": f"{en} ({stands['en']})"}


def _said(error: Mapping[str, Any], told: Mapping[str, Any], kind: KindSpec | None) -> tuple[str, str]:
    place: Sequence[Any] = error["loc"]
    expected = _expected(error, place)
    if len(place) < 2 or place[0] != "moves":
        return _placed({"zh": "", "en": ""}, place, expected)
    number = int(place[1])
    return _placed(group_named(told["moves"][number], number + 1, kind), place[2:], expected)


def _placed(group: Text, place: Sequence[Any], expected: tuple[str, str]) -> tuple[str, str]:
    field = ".".join(str(one + 1) if isinstance(one, int) else str(one) for one in place if one != "[key]")
    zh, en = (" ".join(filter(None, (group[language], field))) for language in ("zh", "en"))
    return f"{zh}：{expected[0]}", f"{en} {expected[1]}"


def _expected(error: Mapping[str, Any], place: Sequence[Any]) -> tuple[str, str]:
    kind = str(error["type"])
    if kind == "literal_error":
        ways = str(error["ctx"]["expected"]).replace("'", "").replace(" or ", ", ")
        return f"应为 {ways.replace(', ', '、')} 之一", f"must be one of {ways}"
    if kind in ("missing", "tuple_type", "too_long") and len(place) > 3 and place[2] in PAIRS:
        return EXPECTED["too_long"]
    return EXPECTED.get(kind, ("不是可用的内容", "cannot be used"))
