"""A contract file (resource/1) into a typed contract: keys, types and lines; no look at elements yet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from yunhe.data.catalog.rules.problems import Problems
from yunhe.data.catalog.rules.values import Values
from yunhe.data.catalog.rules.yamltree import Node, read_tree
from yunhe.data.catalog.types import CATEGORIES, CYCLES, FORMATS, OPENINGS, SHARINGS, TYPES
from yunhe.data.standards.types import DIMENSIONS
from yunhe.engine.types import MAX_COLUMNS, SourceSpec

FORM = "resource/1"
TITLE_LENGTH = 200  # catalogue compilation guide 2017, core metadata
NAME = r"[a-z][a-z0-9_]{0,62}"
CODE = r"[1-9][0-9A-Z]{2,31}/[0-9]{1,12}"
TOP_KEYS = (
    "yunhe", "code", "category", "title", "provider", "summary", "legal_basis", "sharing", "sharing_basis", "opening",
    "opening_basis", "update_cycle", "grade", "personal", "format", "officer", "related", "source", "keys",
    "fields", "rules", "minima",
)  # fmt: skip
FIELD_KEYS = (
    "name", "title", "column", "type", "element", "null_marks", "scale", "zone", "required", "sharing",
    "sharing_basis", "opening", "grade", "personal", "mask", "block",
)  # fmt: skip
RULE_KEYS = ("code", "kind", "where", "columns", "severity", "dimension", "title", "arguments")
SEVERITIES = {
    "block": {"zh": "阻断", "en": "Block"},
    "warn": {"zh": "告警", "en": "Warn"},
    "info": {"zh": "提示", "en": "Info"},
}
# Secrets of connections are kept by keys, never in a contract (architecture 10).
SECRET = re.compile(r"(?i)(password|passwd|secret|token|access_?key|private_?key|credential)")
USERINFO = re.compile(r"(?i)^[a-z][a-z0-9+.-]*://[^/@\s]*:[^/@\s]*@")


@dataclass(frozen=True, slots=True)
class RawField:
    """A field as written; None where the file says nothing and the element or the resource decides."""

    line: int
    name: str
    title: str
    column: str
    type: str
    element: str
    null_marks: tuple[str, ...]
    scale: int | None
    zone: str
    required: bool
    sharing: str
    sharing_basis: str
    opening: str
    grade: int | None
    personal: bool | None
    mask: str
    block: bool


@dataclass(frozen=True, slots=True)
class RawRule:
    """A rule as written."""

    line: int
    code: str
    kind: str
    where: str
    columns: tuple[str, ...]
    severity: str
    dimension: str
    title: str
    arguments: dict[str, object]


@dataclass(frozen=True, slots=True)
class RawContract:
    """A contract as written, with the line of every key."""

    texts: dict[str, str]
    grade: int | None
    personal: bool | None
    related: tuple[str, ...]
    keys: tuple[str, ...]
    source: SourceSpec
    fields: tuple[RawField, ...]
    rules: tuple[RawRule, ...]
    minimum_rows: int
    lines: dict[str, int]


def read_contract(text: str, problems: Problems) -> RawContract | None:
    """Return the contract as written; what does not fit is in `problems`."""
    root = read_tree(text, problems)
    if root is None:
        return None
    top = Values(root, "", TOP_KEYS, problems)
    if root.kind != "map":
        return None
    _check_form(top)
    return RawContract(
        texts=_texts(top),
        grade=top.number("grade", least=1, most=4),
        personal=top.flag("personal"),
        related=top.texts("related", most=60),
        keys=top.texts("keys", most=63, count=32),
        source=_source(top, problems),
        fields=tuple(_field(node, i, problems) for i, node in enumerate(_field_nodes(top))),
        rules=tuple(_rule(node, i, problems) for i, node in enumerate(top.nodes("rules", most=1000))),
        minimum_rows=_minimum_rows(top, problems),
        lines={key: node.line for key, node in top.read.items()},
    )


def _check_form(top: Values) -> None:
    written = top.text("yunhe", most=40)
    if written != FORM:
        top.problems.add(
            top.line("yunhe"), "yunhe", zh=f"“{FORM}”", en=f'"{FORM}"', found=written,
            next_zh=f"请在第一行写 yunhe: {FORM}。", next_en=f"Write yunhe: {FORM} on the first line.",
        )  # fmt: skip


def _texts(top: Values) -> dict[str, Any]:
    return {
        "code": top.text("code", most=60, pattern=CODE),
        "category": top.choice("category", CATEGORIES, default="3"),
        "title": top.text("title", most=TITLE_LENGTH, required=True),
        "provider": top.text("provider", most=200, required=True),
        "summary": top.text("summary", most=2000),
        "legal_basis": top.text("legal_basis", most=2000),
        "sharing": top.choice("sharing", SHARINGS, required=True, default="unconditional"),
        "sharing_basis": top.text("sharing_basis", most=2000),
        "opening": top.choice("opening", OPENINGS, default="closed"),
        "opening_basis": top.text("opening_basis", most=2000),
        "update_cycle": top.choice("update_cycle", CYCLES, required=True, default="irregular"),
        "format": top.choice("format", FORMATS),
        "officer": top.text("officer", most=100),
    }


def _source(top: Values, problems: Problems) -> SourceSpec:
    node = top.read.get("source")
    if node is None or node.is_empty:
        return SourceSpec("", "")
    known = tuple(node.keys) or ("connector", "location")
    values = Values(node, "source.", (*known, "connector", "location"), problems)
    options = {key: values.text(key, most=500) for key in known if key not in ("connector", "location")}
    for key in options:
        if SECRET.search(key):
            _refuse_secret(problems, values.line(key), f"source.{key}")
    location = values.text("location", most=2000)
    if USERINFO.match(location):
        _refuse_secret(problems, values.line("location"), "source.location")
        location = ""
    return SourceSpec(values.text("connector", most=40, pattern=NAME), location, {k: v for k, v in options.items() if v})


def _refuse_secret(problems: Problems, line: int, field: str) -> None:
    problems.add(
        line, field, zh="不含口令和密钥的数据源说明", en="a source without passwords and keys", found="***",
        next_zh="请把口令交给系统管理员另行保存。", next_en="Give the secret to the system administrator to keep.",
    )  # fmt: skip


def _field_nodes(top: Values) -> tuple[Node, ...]:
    nodes = top.nodes("fields", most=MAX_COLUMNS)
    if not nodes and not any(one.field == "fields" for one in top.problems.found):
        top.problems.add(top.line("fields"), "fields", zh="至少一个信息项", en="at least one field", found="")
    return nodes


def _field(node: Node, index: int, problems: Problems) -> RawField:
    values = Values(node, f"fields[{index}].", FIELD_KEYS, problems)
    return RawField(
        line=node.line,
        name=values.text("name", most=63, required=True, pattern=NAME),
        title=values.text("title", most=TITLE_LENGTH),
        column=values.text("column", most=500),
        type=values.choice("type", TYPES),
        element=values.text("element", most=63),
        null_marks=values.texts("null_marks", most=50, count=20),
        scale=values.number("scale", least=0, most=18),
        zone=values.text("zone", most=60) or "Asia/Shanghai",
        required=bool(values.flag("required", default=False)),
        sharing=values.choice("sharing", SHARINGS),
        sharing_basis=values.text("sharing_basis", most=2000),
        opening=values.choice("opening", OPENINGS),
        grade=values.number("grade", least=1, most=4),
        personal=values.flag("personal"),
        mask=values.text("mask", most=40),
        block=bool(values.flag("block", default=False)),
    )


def _rule(node: Node, index: int, problems: Problems) -> RawRule:
    values = Values(node, f"rules[{index}].", RULE_KEYS, problems)
    kind = values.text("kind", most=40) or "expression"
    return RawRule(
        line=values.line("where") if values.has("where") else node.line,
        code=values.text("code", most=63, required=True, pattern=NAME),
        kind=kind,
        where=values.text("where", most=4000, required=kind == "expression"),
        columns=values.texts("columns", most=63, count=64),
        severity=values.choice("severity", SEVERITIES, default="warn"),
        dimension=values.choice("dimension", DIMENSIONS, default="consistency"),
        title=values.text("title", most=TITLE_LENGTH),
        arguments=values.arguments("arguments"),
    )


def _minimum_rows(top: Values, problems: Problems) -> int:
    node = top.read.get("minima")
    if node is None or node.is_empty:
        return 0
    return Values(node, "minima.", ("rows",), problems).number("rows", least=0, most=10**15 - 1, default=0) or 0
