"""One value against an element's rules: the same words as a column is checked with, for a form that is being filled in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from yunhe.data.standards.types import Element, RuleSpec
from yunhe.kernel.check_digits import (
    CheckResult,
    check_citizen_id,
    check_licence_id,
    check_organization_code,
    check_uscc,
)

Sentence = tuple[str, str]
IDENTIFIERS: Mapping[str, Callable[[str, date], CheckResult]] = {
    "citizen_id": lambda value, on: check_citizen_id(value, on=on),
    "uscc": lambda value, _on: check_uscc(value),
    "organization_code": lambda value, _on: check_organization_code(value),
    "licence_id": lambda value, _on: check_licence_id(value),
}
REASONS: Mapping[str, Sentence] = {
    "old_form": ("这是旧的 15 位编码，请填现行的 18 位编码。", "This is the old form of 15 characters. Give the present one of 18."),
    "length": ("位数不对，请核对有没有漏填或多填。", "The number of characters is wrong. Check for one left out or typed twice."),
    "alphabet": ("含有不该有的字符，请核对（字母须大写、半角）。", "It holds a character that does not belong. Capitals, no full-width forms."),
    "birth_date": ("其中的出生日期不存在或在今天之后，请核对。", "Its date of birth does not exist or lies in the future. Check it."),
    "check_digit": ("校验码不对，请逐位核对。", "Its check character is wrong. Compare it character by character."),
}
LONGEST_MATCHED = 2000


def problem_of(
    value: Any, *, element: Element, rules: Iterable[RuleSpec], on: date, codes: Mapping[str, object]
) -> Sentence | None:
    """Return what is wrong with a clean value (text, int, bool, ISO date, decimal as text), or None.

    `codes` are those in force, where the element has a code set. A rule over several columns does not bind one field.
    """
    for rule in rules:
        if rule.kind in IDENTIFIERS:
            reason = IDENTIFIERS[rule.kind](str(value), on).reason
            if reason:
                return REASONS[reason]
        elif rule.kind in CHECKS and (said := CHECKS[rule.kind](value, rule.arguments, on)):
            return _named(said, element)
        elif rule.kind == "in_code_set" and value not in codes:
            said = ("不是现行代码，请从“{title}”的代码中选。", 'Not a code in force. Choose one of "{title_en}".')
            return _named(said, element)
    return None


def _named(said: Sentence, element: Element) -> Sentence:
    facts = {"title": element.title, "title_en": element.title_en or element.title, "standard": element.source.standard}
    return said[0].format_map(facts), said[1].format_map(facts)


def _pattern(value: Any, arguments: Mapping[str, object], _on: date) -> Sentence | None:
    text = str(value)
    fits = len(text) <= LONGEST_MATCHED and re.fullmatch(str(arguments["pattern"]), text) is not None and not text.endswith("\n")
    return None if fits else ("不符合“{title}”的格式（{standard}）。", 'Not in the form of "{title_en}" ({standard}).')


def _length(value: Any, arguments: Mapping[str, object], _on: date) -> Sentence | None:
    low, high, size = arguments.get("min"), arguments.get("max"), len(str(value))
    if low is not None and size < int(str(low)):
        return f"至少 {low} 个字符，实际 {size} 个。", f"At least {low} characters, found {size}."
    if high is not None and size > int(str(high)):
        return f"最多 {high} 个字符，实际 {size} 个。", f"At most {high} characters, found {size}."
    return None


def _range(value: Any, arguments: Mapping[str, object], _on: date) -> Sentence | None:
    low, high, number = arguments.get("min"), arguments.get("max"), Decimal(str(value))
    if low is not None and number < Decimal(str(low)):
        return f"不能小于 {low}。", f"At least {low}."
    return (f"不能大于 {high}。", f"At most {high}.") if high is not None and number > Decimal(str(high)) else None


def _date_range(value: Any, arguments: Mapping[str, object], _on: date) -> Sentence | None:
    low, high = arguments.get("min"), arguments.get("max")
    if low is not None and str(value) < str(low):
        return f"不能早于 {low}。", f"Not before {low}."
    return (f"不能晚于 {high}。", f"Not after {high}.") if high is not None and str(value) > str(high) else None


def _not_future(value: Any, _arguments: Mapping[str, object], on: date) -> Sentence | None:
    return ("不能晚于今天。", "It cannot lie in the future.") if str(value) > on.isoformat() else None


CHECKS: Mapping[str, Callable[[Any, Mapping[str, object], date], Sentence | None]] = {
    "pattern": _pattern,
    "length": _length,
    "range": _range,
    "date_range": _date_range,
    "not_future": _not_future,
}
