"""What data elements say of the fields of forms: the slot of cases, filled from the one register of elements."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Any

from yunhe.core.cases.types import FieldElement
from yunhe.core.cases.types.kinds import FieldType
from yunhe.data.standards import api, rules
from yunhe.data.standards.errors import CodeSetNotFound
from yunhe.data.standards.types import Element
from yunhe.kernel.clock import local, now

FIELD_TYPES: dict[str, FieldType] = {
    "string": "text", "integer": "integer", "decimal": "decimal", "date": "date", "boolean": "boolean",
}  # fmt: skip


def resolve(code: str, on: date) -> FieldElement | None:
    """Return what an element says of a field on a day, in the version of that day or, before its first, the present one.

    An element whose values no field of a form can hold (a moment in time) is none.
    """
    element = api.find_element(code=code, on=on) or api.find_element(code=code)
    if element is None or element.type not in FIELD_TYPES:
        return None
    choices = _choices(element, on)
    check = partial(_problem, element, choices)
    title = {"zh": element.title, "en": element.title_en or element.title}
    return FieldElement(code, title, FIELD_TYPES[element.type], choices, check)


def _problem(element: Element, choices: dict[str, dict[str, str]], value: Any) -> tuple[str, str] | None:
    today = local(now()).date()
    return rules.problem_of(value, element=element, rules=rules.rules_of(element), on=today, codes=choices)


def _choices(element: Element, on: date) -> dict[str, dict[str, str]]:
    """Return the codes in force on a day with their titles; where people write the word, the words."""
    if not element.code_set:
        return {}
    try:
        items = api.get_code_set(code=element.code_set, on=on).items
    except CodeSetNotFound:
        return {}
    if element.code_set_by == "code":
        return {item.code: {"zh": item.title, "en": item.title_en or item.title} for item in items}
    return {item.title: {"zh": item.title, "en": item.title_en or item.title} for item in items}
