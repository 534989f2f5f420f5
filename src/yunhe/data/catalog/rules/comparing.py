"""What differs between two contracts, in the words of a reader."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from yunhe.data.catalog.rules.writing import contract_to_body
from yunhe.data.catalog.types import Contract, Difference

LABELS: Mapping[str, tuple[str, str]] = {
    "title": ("名称", "Title"),
    "category": ("分类", "Class"),
    "provider": ("提供方", "Provider"),
    "summary": ("摘要", "Summary"),
    "legal_basis": ("法律依据", "Legal basis"),
    "sharing": ("共享类型", "Sharing"),
    "sharing_basis": ("共享条件和依据", "Basis of sharing"),
    "opening": ("开放类型", "Opening"),
    "opening_basis": ("开放条件", "Conditions of opening"),
    "update_cycle": ("更新周期", "Update cycle"),
    "grade": ("分级", "Grade"),
    "personal": ("含个人信息", "Personal data"),
    "format": ("格式", "Format"),
    "officer": ("数据责任人", "Data officer"),
    "related": ("关联资源", "Related resources"),
    "source_connector": ("数据源类型", "Kind of source"),
    "source_location": ("数据源位置", "Location of source"),
    "source_options": ("数据源选项", "Options of source"),
    "keys": ("主键", "Keys"),
    "minimum_rows": ("最少行数", "Least rows"),
    "column": ("来源列", "Column"),
    "type": ("类型", "Type"),
    "element": ("数据元", "Element"),
    "null_marks": ("空值标记", "Null marks"),
    "required": ("必填", "Required"),
    "mask": ("脱敏", "Mask"),
    "block": ("阻断", "Blocks"),
}


def compare_contracts(before: Contract, after: Contract, *, language: str = "zh") -> tuple[Difference, ...]:
    """Return every difference: of the resource, then of its fields by name, then of its rules by code; values as a language says them."""
    old, new = _body(before), _body(after)
    plain = sorted((old.keys() | new.keys()) - {"fields", "rules"})
    found = list(_differences("", plain, old, new, language))
    found += _listed("fields", "name", "title", old, new, language)
    found += _listed("rules", "code", "where", old, new, language)
    return tuple(found)


def _body(contract: Contract) -> dict[str, Any]:
    return {"title": contract.title, **contract_to_body(contract)}


def _listed(list_name: str, key: str, shown: str, old: Mapping[str, Any], new: Mapping[str, Any], language: str) -> Iterable[Difference]:
    before = {one[key]: one for one in old.get(list_name, ())}
    after = {one[key]: one for one in new.get(list_name, ())}
    for name in dict.fromkeys((*before, *after)):
        path = f"{list_name}.{name}"
        label = _label(name, name)
        if name not in after:
            yield Difference(path, label, str(before[name].get(shown, name)), "", "removed")
        elif name not in before:
            yield Difference(path, label, "", str(after[name].get(shown, name)), "added")
        else:
            keys = sorted(before[name].keys() | after[name].keys())
            yield from _differences(f"{path}.", keys, before[name], after[name], language)


def _differences(prefix: str, keys: Iterable[str], old: Mapping[str, Any], new: Mapping[str, Any], language: str) -> Iterable[Difference]:
    for key in keys:
        before, after = _text(old.get(key), language), _text(new.get(key), language)
        if before != after:
            zh, en = LABELS.get(key, (key, key))
            kind = "changed" if before and after else "added" if after else "removed"
            name = prefix.split(".")[1] if prefix else ""
            yield Difference(prefix + key, _label(f"{name} {zh}".strip(), f"{name} {en}".strip()), before, after, kind)  # type: ignore[arg-type]


def _label(zh: str, en: str) -> dict[str, str]:
    return {"zh": zh, "en": en}


def _text(value: Any, language: str) -> str:
    yes, listed, several = ("yes", ", ", "; ") if language == "en" else ("是", "、", "；")
    if value is None:
        return ""
    if isinstance(value, bool):
        return yes if value else ""
    if isinstance(value, list):
        return listed.join(_text(one, language) for one in value)
    if isinstance(value, dict):
        return several.join(f"{key}={_text(one, language)}" for key, one in value.items())
    return str(value)
