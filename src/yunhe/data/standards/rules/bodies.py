"""How elements and code sets lie in a register entry's body, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, cast

from yunhe.data.standards.types import CodeItem, CodeSet, Element, RuleSpec, Source

BOUNDS = frozenset({"min", "max", "digits"})
NUMBER = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,12})?")


def element_to_body(element: Element) -> dict[str, Any]:
    """Return the body of the register entry; empty parts are left out."""
    body = {
        "title_en": element.title_en,
        "definition": element.definition,
        "type": element.type,
        "notation": element.notation,
        "object_class": element.object_class,
        "unit": element.unit,
        "aliases": list(element.aliases),
        "columns": list(element.columns),
        "mask": element.mask,
        "grade": element.grade,
        "personal": element.personal,
        "sensitive": element.sensitive,
        "rules": [_rule_to_body(rule) for rule in element.rules],
        "code_set": element.code_set,
        "code_set_by": element.code_set_by,
        "source_standard": element.source.standard,
        "source_clause": element.source.clause,
    }
    return {key: value for key, value in body.items() if value not in ("", [], None)}


def element_from_body(code: str, title: str, body: Mapping[str, Any]) -> Element:
    """Return the element that a body holds; the caller adds version, state and owner."""
    return Element(
        code=code,
        title=title,
        title_en=body.get("title_en", ""),
        definition=body.get("definition", ""),
        type=body.get("type", "string"),
        notation=body.get("notation", ""),
        source=Source(body.get("source_standard", ""), body.get("source_clause", "")),
        object_class=body.get("object_class", ""),
        unit=body.get("unit", ""),
        aliases=tuple(body.get("aliases", ())),
        columns=tuple(body.get("columns", ())),
        mask=body.get("mask", "none"),
        grade=int(body.get("grade", 1)),
        personal=bool(body.get("personal", False)),
        sensitive=bool(body.get("sensitive", False)),
        rules=tuple(_rule_from_body(rule) for rule in body.get("rules", ())),
        code_set=body.get("code_set", ""),
        code_set_by=body.get("code_set_by", "code"),
    )


def code_set_to_body(code_set: CodeSet) -> dict[str, Any]:
    """Return the body of the register entry; dates as ISO text, empty parts left out."""
    body = {
        "title_en": code_set.title_en,
        "standard": code_set.standard,
        "edition": code_set.edition,
        "valid_from": _iso(code_set.valid_from),
        "valid_until": _iso(code_set.valid_until),
        "note": code_set.note,
        "items": [_item_to_body(item) for item in code_set.items],
    }
    return {key: value for key, value in body.items() if value not in ("", [], None)}


def code_set_from_body(code: str, title: str, body: Mapping[str, Any]) -> CodeSet:
    """Return the code set that a body holds; the caller adds version, state and owner."""
    return CodeSet(
        code=code,
        title=title,
        title_en=body.get("title_en", ""),
        standard=body.get("standard", ""),
        edition=body.get("edition", ""),
        items=tuple(_item_from_body(item) for item in body.get("items", ())),
        valid_from=_day(body.get("valid_from")),
        valid_until=_day(body.get("valid_until")),
        note=body.get("note", ""),
    )


def _rule_to_body(rule: RuleSpec) -> dict[str, Any]:
    body: dict[str, Any] = {"kind": rule.kind, "dimension": rule.dimension, "severity": rule.severity}
    if rule.arguments:
        body["arguments"] = {key: str(value) for key, value in rule.arguments.items()}
    return body


def _rule_from_body(body: Mapping[str, Any]) -> RuleSpec:
    arguments = {key: typed_argument(key, value) for key, value in body.get("arguments", {}).items()}
    return RuleSpec(body["kind"], body["dimension"], cast("Any", body.get("severity", "warn")), arguments)


def typed_argument(name: str, value: Any) -> object:
    """Return a rule's argument as the engine takes it: a bound written as text becomes a number."""
    if name not in BOUNDS or not isinstance(value, str) or NUMBER.fullmatch(value) is None:
        return value
    return float(value) if "." in value else int(value)


def _item_to_body(item: CodeItem) -> dict[str, Any]:
    body = {
        "code": item.code,
        "title": item.title,
        "title_en": item.title_en,
        "parent": item.parent,
        "alpha": item.alpha,
        "aliases": list(item.aliases),
        "maps": dict(item.maps),
        "valid_from": _iso(item.valid_from),
        "valid_until": _iso(item.valid_until),
        "successor": item.successor,
    }
    return {key: value for key, value in body.items() if value not in ("", [], {}, None)}


def _item_from_body(body: Mapping[str, Any]) -> CodeItem:
    return CodeItem(
        code=body["code"],
        title=body["title"],
        title_en=body.get("title_en", ""),
        parent=body.get("parent", ""),
        alpha=body.get("alpha", ""),
        aliases=tuple(body.get("aliases", ())),
        maps=dict(body.get("maps", {})),
        valid_from=_day(body.get("valid_from")),
        valid_until=_day(body.get("valid_until")),
        successor=body.get("successor", ""),
    )


def _iso(day: date | None) -> str:
    return day.isoformat() if day else ""


def _day(text: Any) -> date | None:
    return date.fromisoformat(text) if text else None
