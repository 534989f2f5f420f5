"""Check one value against its declared field; say in each language what is wrong and where."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from yunhe.core.cases.errors import FieldProblem
from yunhe.core.cases.types import MOST_FILES, FieldElement, FieldSpec
from yunhe.kernel.check_digits import check_uscc
from yunhe.kernel.ids import is_id

# RFC 7493 (I-JSON) 2.2: beyond this, JSON readers disagree about the number.
LARGEST_INTEGER = 2**53 - 1
MOST_DIGITS = 38
MOST_NESTED = 12
SAYINGS: dict[str, tuple[str, str]] = {
    "required": ("必填。", "This is required."),
    "unknown": ("没有这个字段。", "There is no such field."),
    "not_text": ("需要文字。", "Text is expected."),
    "bad_character": ("含有不成对的代理字符或控制字符，请删去后重填。", "It holds a lone surrogate or a control character."),
    "too_long": ("最多 {limit} 个字符，实际 {found} 个。", "At most {limit} characters, found {found}."),
    "not_integer": ("需要整数。", "A whole number is expected."),
    "too_big": ("不能大于 {limit}。", "At most {limit}."),
    "too_small": ("不能小于 {limit}。", "At least {limit}."),
    "not_decimal": ("需要数字，最多 38 位。", "A number of at most 38 digits is expected."),
    "not_date": ("需要日期，写作 2026-01-31。", "A date is expected, written 2026-01-31."),
    "not_boolean": ("需要是或否。", "Yes or no is expected."),
    "not_ticked": ("必须勾选（是）才能提交。", "This must be ticked (yes)."),
    "not_choice": ("只能是：{limit}。", "One of: {limit}."),
    "not_list": ("需要列表。", "A list is expected."),
    "not_map": ("需要名称与值的对照。", "Names with values are expected."),
    "too_many": ("最多 {limit} 项，实际 {found} 项。", "At most {limit} items, found {found}."),
    "repeated": ("有重复项。", "An item is repeated."),
    "not_subset": ("只能从所申请的项目中选取。", "Only items that were asked for can be chosen."),
    "not_json": (
        "不是可以保存的内容（嵌套过深、数字过大或含有不能保存的字符）。",
        "Not a value that can be kept: too deep, a number too large, or a character that cannot be stored.",
    ),
    "bad_format": ("格式不符：{limit}。", "Not in the expected form: {limit}."),
    "element_gone": ("数据标准里已没有数据元“{limit}”，请告诉管理员。", 'The standards no longer hold the element "{limit}". Tell the administrator.'),
    "not_attachment": ("不是已上传的文件。", "Not a file that was uploaded."),
    "source_waits": ("内容由共享数据取得，请先填写：{limit}。", "The value comes from shared data. First fill in: {limit}."),
    "reason_needed": ("手工填写须说明理由。", "A value filled in by hand needs a reason."),
}
FORMATS: dict[str, Callable[[str], bool]] = {
    "code": lambda text: re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/\-]{0,79}", text) is not None,
    "identifier": lambda text: re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,62}", text) is not None,
    "organization": lambda text: re.fullmatch(r"[0-9A-Z]{1,40}", text) is not None,
    "uscc": lambda text: check_uscc(text).ok,
    "username": lambda text: re.fullmatch(r"[a-z][a-z0-9._\-]{1,63}", text) is not None,
    "person": lambda text: re.fullmatch(r"[a-z][a-z0-9._\-]{1,63}", text) is not None,
    "role": lambda text: re.fullmatch(r"[a-z][a-z0-9_]{1,63}", text) is not None,
    "kind": lambda text: re.fullmatch(r"[a-z][a-z0-9_]{0,62}", text) is not None,
}
FORMAT_WORDS: dict[str, tuple[str, str]] = {
    "code": ("A-Z a-z 0-9 . _ / -", "A-Z a-z 0-9 . _ / -"),
    "identifier": ("字母开头，由字母、数字和下划线组成", "letters, digits and _, a letter or _ first"),
    "organization": ("机构代码", "the code of an organisation"),
    "uscc": ("统一社会信用代码", "a unified social credit code"),
    "username": ("2–64 个 a-z 0-9 . _ -", "2–64 of a-z 0-9 . _ -"),
    "person": ("用户名", "a user name"),
    "role": ("角色代码", "the code of a role"),
    "kind": ("办件类型代码", "the code of a case kind"),
}
# Lone surrogates cannot be stored as UTF-8; NUL cannot be stored in PostgreSQL; other C0 marks are never meant.
_BAD_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
_INTEGER = re.compile(r"[+-]?[0-9]{1,20}")


def must_be_ticked(spec: FieldSpec) -> bool:
    """Tell whether a field takes nothing but yes, as a pledge does."""
    return spec.type == "boolean" and spec.required and spec.shown


class ValueChecker:
    """Checks values one by one and gathers what is wrong with them. `context` is the case's data."""

    def __init__(self, context: Mapping[str, Any], partial: bool, element: Callable[[str], FieldElement | None]) -> None:
        self.context = context
        self.partial = partial
        self.element = element
        self.problems: list[FieldProblem] = []

    def check_all(self, specs: Sequence[FieldSpec], values: Mapping[str, Any], path: str) -> dict[str, Any]:
        self.refuse_unknown(specs, values, path)
        return {spec.name: self.check(spec, values.get(spec.name), path + spec.name) for spec in specs}

    def check(self, spec: FieldSpec, value: Any, path: str) -> Any:
        if _is_empty(value) and spec.default_from:
            value = self.context.get(spec.default_from.removeprefix("data."))
        if _is_empty(value):
            if spec.required and not self.partial:
                self.note(path, "required")
            return None
        check: Callable[[FieldSpec, Any, str], Any] = getattr(self, f"_{spec.type}")
        clean = check(spec, value, path)
        if clean is False and must_be_ticked(spec) and not self.partial:
            return self.note(path, "not_ticked")
        return self._by_element(spec, clean, path) if spec.element and clean is not None else clean

    def _by_element(self, spec: FieldSpec, clean: Any, path: str) -> Any:
        element = self.element(spec.element)
        if element is None:
            return self.note(path, "element_gone", spec.element)
        problem = element.problem(clean)
        if problem is not None:
            self.problems.append(FieldProblem(path, "element", *problem))
            return None
        return clean

    def _text(self, spec: FieldSpec, value: Any, path: str) -> str | None:
        if not isinstance(value, str):
            return self.note(path, "not_text")
        if _BAD_CHARACTER.search(value):
            return self.note(path, "bad_character")
        text = value.replace("\r\n", "\n").replace("\r", "\n").strip()
        if len(text) > spec.max_length:
            return self.note(path, "too_long", spec.max_length, len(text))
        if spec.format and not FORMATS[spec.format](text):
            return self.note(path, "bad_format", FORMAT_WORDS[spec.format])
        return text or None

    def _integer(self, spec: FieldSpec, value: Any, path: str) -> int | None:
        if isinstance(value, str) and _INTEGER.fullmatch(value.strip()):
            value = int(value)
        if isinstance(value, str) and re.fullmatch(r"\s*[+-]?[0-9]+\s*", value):
            return self.note(path, "too_big", LARGEST_INTEGER)
        if not isinstance(value, int) or isinstance(value, bool):
            return self.note(path, "not_integer")
        low = -LARGEST_INTEGER if spec.minimum is None else spec.minimum
        high = LARGEST_INTEGER if spec.maximum is None else spec.maximum
        if value > high:
            return self.note(path, "too_big", high)
        return self.note(path, "too_small", low) if value < low else value

    def _decimal(self, spec: FieldSpec, value: Any, path: str) -> str | None:
        if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
            return self.note(path, "not_decimal")
        if (isinstance(value, int) and abs(value) >= 10**MOST_DIGITS) or (isinstance(value, str) and len(value) > 60):
            return self.note(path, "not_decimal")
        try:
            number = Decimal(str(value).strip())
        except InvalidOperation:
            return self.note(path, "not_decimal")
        if not number.is_finite() or len(number.as_tuple().digits) > MOST_DIGITS or abs(number.adjusted()) > MOST_DIGITS:
            return self.note(path, "not_decimal")
        if spec.maximum is not None and number > spec.maximum:
            return self.note(path, "too_big", spec.maximum)
        if spec.minimum is not None and number < spec.minimum:
            return self.note(path, "too_small", spec.minimum)
        return format(number, "f")

    def _date(self, spec: FieldSpec, value: Any, path: str) -> str | None:
        if isinstance(value, date):
            return date(value.year, value.month, value.day).isoformat()
        if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value.strip(), re.ASCII):
            return self.note(path, "not_date")
        try:
            return date.fromisoformat(value.strip()).isoformat()
        except ValueError:
            return self.note(path, "not_date")

    def _boolean(self, spec: FieldSpec, value: Any, path: str) -> bool | None:
        if isinstance(value, bool):
            return value
        words = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}
        if isinstance(value, str) and value.lower() in words:
            return words[value.lower()]
        return self.note(path, "not_boolean")

    def _choice(self, spec: FieldSpec, value: Any, path: str) -> str | None:
        allowed = [choice.value for choice in spec.choices]
        if isinstance(value, str) and value in allowed:
            return value
        return self.note(path, "not_choice", _choices(spec))

    def _list(self, spec: FieldSpec, value: Any, path: str) -> list[str] | None:
        items = self._items(spec, value, path)
        if items is None:
            return None
        clean = [self._text(spec, item, f"{path}[{place}]") for place, item in enumerate(items)]
        texts = [text for text in clean if text is not None]
        if len(set(texts)) != len(texts):
            return self.note(path, "repeated")
        return self._within(spec, texts, path) and texts

    def _map(self, spec: FieldSpec, value: Any, path: str) -> dict[str, str] | None:
        if not isinstance(value, Mapping):
            return self.note(path, "not_map")
        if len(value) > spec.max_items:
            return self.note(path, "too_many", spec.max_items, len(value))
        allowed = {choice.value for choice in spec.choices}
        clean: dict[str, str] = {}
        for place, (name, item) in enumerate(value.items()):
            key = self._text(spec.model_copy(update={"format": ""}), name, f"{path}[{place}]")
            text = self._text(spec, item, f"{path}[{place}]")
            if text is not None and allowed and text not in allowed:
                self.note(f"{path}[{place}]", "not_choice", _choices(spec))
            elif key is not None and text is not None:
                clean[key] = text
        return clean if self._within(spec, list(clean), path) is not None else None

    def _rows(self, spec: FieldSpec, value: Any, path: str) -> list[dict[str, Any]] | None:
        items = self._items(spec, value, path)
        if items is None:
            return None
        rows = []
        for place, item in enumerate(items):
            if isinstance(item, Mapping):
                rows.append(self.check_all(spec.fields, item, f"{path}[{place}]."))
            else:
                self.note(f"{path}[{place}]", "not_map")
        return rows

    def _attachments(self, spec: FieldSpec, value: Any, path: str) -> list[str] | None:
        items = self._items(spec, value, path)
        if items is None:
            return None
        if not all(isinstance(item, str) and is_id(item) for item in items):
            return self.note(path, "not_attachment")
        return list(items) if len(set(items)) == len(items) else self.note(path, "repeated")

    def _json(self, spec: FieldSpec, value: Any, path: str) -> Any:
        return value if is_bounded_json(value) else self.note(path, "not_json")

    def _items(self, spec: FieldSpec, value: Any, path: str) -> Sequence[Any] | None:
        if not isinstance(value, list | tuple):
            return self.note(path, "not_list")
        most = min(spec.max_items, MOST_FILES) if spec.type == "attachments" else spec.max_items
        if len(value) > most:
            return self.note(path, "too_many", most, len(value))
        return value

    def _within(self, spec: FieldSpec, texts: list[str], path: str) -> list[str] | None:
        allowed = self.context.get(spec.subset_of)
        known = {item.strip() for item in allowed if isinstance(item, str)} if isinstance(allowed, list | tuple) else set()
        if spec.subset_of and not set(texts) <= known:
            return self.note(path, "not_subset")
        return texts

    def note(self, path: str, code: str, limit: object = "", found: object = "") -> None:
        """Note a problem; a `limit` that is a pair is said in each language by its own."""
        zh, en = SAYINGS[code]
        limits = limit if isinstance(limit, tuple) else (limit, limit)
        said_zh, said_en = zh.format(limit=limits[0], found=found), en.format(limit=limits[1], found=found)
        self.problems.append(FieldProblem(path, code, said_zh, said_en))

    def refuse_unknown(self, specs: Sequence[FieldSpec], values: Mapping[str, Any], path: str) -> None:
        known = {spec.name for spec in specs}
        for name in values:
            if name not in known:
                self.note(path + (name if isinstance(name, str) and name.isidentifier() else "?"), "unknown")


def is_bounded_json(value: Any, depth: int = MOST_NESTED) -> bool:
    """Tell whether a value is JSON that every reader keeps alike: types, depth, numbers, characters."""
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, str):
        return not _BAD_CHARACTER.search(value)
    if isinstance(value, int):
        return abs(value) <= LARGEST_INTEGER
    if isinstance(value, float):
        return math.isfinite(value)
    if depth == 0:
        return False
    if isinstance(value, Mapping):
        return all(isinstance(k, str) and is_bounded_json(k) and is_bounded_json(v, depth - 1) for k, v in value.items())
    return isinstance(value, list | tuple) and all(is_bounded_json(item, depth - 1) for item in value)


def _choices(spec: FieldSpec) -> tuple[str, str]:
    """Return what can be chosen, each with its code for programs, in both languages."""
    told = [(one.value, one.title.as_mapping()) for one in spec.choices[:20]]
    return "、".join(f"{title['zh']}（{code}）" for code, title in told), ", ".join(f"{title['en']} ({code})" for code, title in told)


def _is_empty(value: Any) -> bool:
    if isinstance(value, str):
        return not value.strip()
    return value is None or (isinstance(value, list | tuple | dict) and not value)
