"""A table as DMN 1.3 XML and back. What cannot be taken over is listed, never dropped in silence.

What DMN cannot say stands in attributes of our own namespace: `type` (DMN knows only `number`), `field` (an input of
expressions, not of the table), `validity` (the input that is the rules' dates), `en` (the English label). An input's expression is SQL and says
so. One difference of meaning: `not(x)` never meets an unknown value here, in FEEL it does; we write `not(null, x)`,
and a foreign `not(x)` is listed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast
from xml.etree import ElementTree as ET

from yunhe.engine.decisions.cells import cell_text, parse_cell, parse_value, value_text
from yunhe.engine.decisions.declaring import read_declaration
from yunhe.engine.decisions.errors import CellRefused, TableRefused
from yunhe.engine.decisions.findings import Findings
from yunhe.engine.decisions.reading import build_table
from yunhe.engine.decisions.table import Table
from yunhe.engine.decisions.types import ANYTHING, CELL_TYPES, ON, CellType, Span

DMN: Final = "https://www.omg.org/spec/DMN/20191111/MODEL/"
OURS: Final = "urn:yunhe:decisions"
LANGUAGE: Final = "urn:yunhe:expression"
MAX_CHARACTERS: Final = 5_000_000
# Versions 1.1 to 1.5: a decision table reads the same in all of them.
_FAMILY = re.compile(r"\{https?://www\.omg\.org/spec/DMN/[^}]*(?:/MODEL/|/dmn\.xsd)")
_READ: Final = (
    "inputData",
    "decisionTable",
    "variable",
    "informationRequirement",
    "input",
    "output",
    "annotation",
    "rule",
)
_NOT: Final = re.compile(r"not\s*\((?!\s*null\s*[,)])")


@dataclass(frozen=True, slots=True)
class Imported:
    """The table, None if some of its parts cannot be taken over, and everything that was not; `labels` name it for people."""

    table: Table | None
    unsupported: tuple[TableRefused, ...]
    labels: Mapping[str, str] = field(default_factory=dict)


def write_dmn(table: Table, *, labels: Mapping[str, str] | None = None) -> str:
    """Return the table as a DMN 1.3 document; dated rules have their dates in one more input, `on`.

    `labels` are the table's names for people, by language ("zh", "en").
    """
    ET.register_namespace("", DMN)
    ET.register_namespace("yunhe", OURS)
    declared = table.declaration
    dated = any(rule.validity != ANYTHING for rule in declared.rules)
    root = ET.Element(_tag("definitions"), id="definitions", name=declared.name, namespace=OURS, exporter="yunhe")
    told = labels or {}
    named = {"label": told.get("zh", ""), _ours("en"): told.get("en", "")}
    attributes = {name: text for name, text in named.items() if text}
    decision = ET.Element(_tag("decision"), {"id": "decision", "name": declared.name, **attributes})
    _write_data(table, root, decision, dated)
    root.append(decision)
    hit, _, aggregation = declared.hit.partition("collect_")
    grid = _add(decision, "decisionTable", hitPolicy=(hit or "collect").upper().replace("_", " "),
                **({"aggregation": aggregation.upper()} if aggregation else {}))  # fmt: skip
    _write_columns(table, grid, dated)
    for rule in declared.rules:
        row = _add(grid, "rule", id=f"rule_{rule.row}")
        for cell in (*rule.cells, *([rule.validity] if dated else [])):
            _text(
                _add(row, "inputEntry"),
                _NOT.sub("not(null, ", cell_text(cell), count=1) if cell.negated else cell_text(cell),
            )
        for value in rule.outputs:
            _text(_add(row, "outputEntry"), value_text(value))
        for remark in (rule.basis, rule.note):
            _text(_add(row, "annotationEntry"), remark)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def read_dmn(text: str, *, name: str = "", file: str = "-") -> Imported:
    """Return the decision table of that name (else the first) and all that was not taken over.

    A document type is refused, and with it every entity: nothing is expanded or fetched.
    Raises: TableRefused if the text is no DMN or has no such table.
    """
    findings = Findings(file)
    root = findings.attempt(lambda: _parse(text), row=0, column="definitions")
    findings.finish()
    assert root is not None
    tables = [found for found in _all(root, "decision") if _one(found, "decisionTable") is not None]
    chosen = next((found for found in tables if name in ("", found.get("name"))), None)
    if chosen is None:
        cause = CellRefused("dmn", zh="一张决策表", en="a decision table", found=name or "-")
        raise TableRefused(cause, file=file, row=0, column="decision")
    passed_over = Findings(file)
    for part in (*root, *chosen, *_all(chosen, "decisionTable")[0]):
        if part is not chosen and _local(part) not in _READ:
            _unsupported(passed_over, 0, _local(part), part.get("name") or _local(part))
    table = _read_table(root, chosen, findings, passed_over)
    labels: dict[str, str] = {"zh": chosen.get("label") or chosen.get("name") or "", "en": chosen.get(_ours("en")) or ""}
    return Imported(table, (*findings.problems, *passed_over.problems), {tongue: text for tongue, text in labels.items() if text})


def _read_table(root: ET.Element, decision: ET.Element, findings: Findings, passed_over: Findings) -> Table | None:
    grid = _one(decision, "decisionTable")
    assert grid is not None
    known = {entry.get("name") for entry in _all(root, "inputData")}
    names: list[str] = []
    inputs: dict[str, dict[str, Any]] = {}
    for clause in _all(grid, "input"):
        column, spec = _read_input(clause, known, findings, passed_over)
        _check_once(f"in:{column}", names, findings)
        names.append(f"in:{column}")
        if column != ON:
            inputs[column] = spec
    outputs: dict[str, dict[str, Any]] = {}
    for clause in _all(grid, "output"):
        column, spec = _read_output(clause, decision, findings, passed_over)
        outputs[column] = spec
        _check_once(f"out:{column}", names, findings)
        names.append(f"out:{column}")
    remarks = [remark.get("name", "") for remark in _all(grid, "annotation")]
    for remark in remarks:
        if remark not in ("basis", "note"):
            _unsupported(passed_over, 1, "annotation", remark)
    fields = {entry.get("name", ""): _type(variable, findings) for entry in _all(root, "inputData")
              for variable in _all(entry, "variable") if variable.get(_ours("field"))}  # fmt: skip
    hit = f"{grid.get('hitPolicy', 'UNIQUE')} {grid.get('aggregation', '')}"
    header = {"name": decision.get("name", ""), "hit": hit, "fields": fields, "inputs": inputs, "outputs": outputs}
    rows = [(number, _read_rule(rule, number, [*names, *remarks], findings, passed_over))
            for number, rule in enumerate(_all(grid, "rule"), start=2)]  # fmt: skip
    try:
        findings.finish()
        return build_table(read_declaration(header, findings), rows, findings, plain=False)
    except TableRefused:
        return None


def _check_once(name: str, names: list[str], findings: Findings) -> None:
    if name in names:
        findings.refuse("columns", row=1, column=name, zh="这一列恰好一次", en="this column once", found=name)


def _read_input(
    clause: ET.Element, known: set[str | None], findings: Findings, passed_over: Findings
) -> tuple[str, dict[str, Any]]:
    """Return name and specification of an input: a FEEL name, or an expression of ours under its label."""
    expression = _one(clause, "inputExpression")
    text = _text_of(expression)
    ours = expression is not None and expression.get("expressionLanguage") == LANGUAGE
    if not ours and (_is_foreign(expression) or not (text.isidentifier() or text in known)):
        _unsupported(findings, 1, "inputExpression", text)
    column = _name(clause.get("label") or "" if ours else text, passed_over)
    if column == ON and not clause.get(_ours("validity")):
        _unsupported(findings, 1, "inputExpression", ON)
    kind = _type(clause if clause.get(_ours("type")) else expression, findings)
    spec: dict[str, Any] = {"type": kind, "expression": text if ours else ""}
    if limits := _text_of(_one(clause, "inputValues")):
        cell = findings.attempt(lambda: parse_cell(limits, kind, plain=False), row=1, column=column)
        spec["values"] = cell_text(cell or ANYTHING)
    return column, spec


def _read_output(
    clause: ET.Element, decision: ET.Element, findings: Findings, passed_over: Findings
) -> tuple[str, dict[str, Any]]:
    column = _name(clause.get("name") or decision.get("name") or "", passed_over)
    variable = _one(decision, "variable")
    kind = _type(clause if clause.get("typeRef") or variable is None else variable, findings)
    spec: dict[str, Any] = {"type": kind}
    if written := _text_of(_one(clause, "outputValues")):
        cell = findings.attempt(lambda: parse_cell(written, kind, plain=False), row=1, column=column) or ANYTHING
        if cell.negated or cell.null or any(span.low != span.high for span in cell.spans):
            _unsupported(findings, 1, "outputValues", written)
        spec["values"] = [value_text(span.low) for span in cell.spans]
    if default := _text_of(_one(clause, "defaultOutputEntry")):
        value = findings.attempt(lambda: parse_value(default, kind, plain=False), row=1, column=column)
        spec["default"] = value_text(value)
    return column, spec


def _read_rule(
    rule: ET.Element, row: int, names: list[str], findings: Findings, passed_over: Findings
) -> dict[str, str]:
    """Return the texts of one rule by column name."""
    parts = [part for tag in ("inputEntry", "outputEntry", "annotationEntry") for part in _all(rule, tag)]
    if len(parts) != len(names):
        findings.refuse("csv", row=row, column="rule", expected=len(names), found=len(parts))
        return {}
    for part in parts:
        if _is_foreign(part):
            _unsupported(findings, row, _local(part), part.get("expressionLanguage", ""))
    texts = {name: _text_of(part) for name, part in zip(names, parts, strict=True)}
    for part in _all(rule, "inputEntry"):
        if _NOT.match(_text_of(part)):
            passed_over.refuse("dmn", row=row, column="inputEntry", zh="not(null, …)：这里 not(…) 从不含空值",
                               en="not(null, …): here not(…) never meets null", found=_text_of(part))  # fmt: skip
    for description in _all(rule, "description"):
        texts["note"] = " ".join(filter(None, (texts.get("note"), (description.text or "").strip())))
    validity = findings.attempt(lambda: parse_cell(texts.pop(f"in:{ON}", "-"), "date"), row=row, column=ON) or ANYTHING
    if (
        len(validity.spans) == 1
        and not validity.negated
        and validity.spans[0].low_in
        and not _closed(validity.spans[0])
    ):
        texts |= {"from": value_text(validity.spans[0].low), "until": value_text(validity.spans[0].high)}
    elif validity != ANYTHING:
        _unsupported(findings, row, ON, cell_text(validity))
    return texts


def _name(written: str, passed_over: Findings) -> str:
    """Return a name as a field has it; FEEL allows spaces and signs, and the change is told."""
    made = re.sub(r"\W+", "_", written)
    name = made if made.isidentifier() else f"_{made}"
    if name != written:
        passed_over.refuse("dmn", row=1, column=written, zh="由字母、汉字、数字和 _ 组成的名称",
                           en="a name of letters, digits and _", found=f"{written} → {name}")  # fmt: skip
    return name


def _is_foreign(element: ET.Element | None) -> bool:
    """Tell whether an expression says that it is written in another language than FEEL."""
    language = None if element is None else element.get("expressionLanguage")
    return bool(language) and not str(language).endswith("/FEEL/")


def _closed(span: Span) -> bool:
    return span.high is not None and span.high_in


def _parse(text: str) -> ET.Element:
    if len(text) > MAX_CHARACTERS:
        raise CellRefused("too_long", expected=MAX_CHARACTERS, found=len(text))
    if "<!DOCTYPE" in text:
        raise CellRefused("dmn", zh="没有 DOCTYPE 的 DMN 文件", en="DMN without a DOCTYPE", found="<!DOCTYPE")
    try:
        root = ET.fromstring(text)  # noqa: S314 - without a document type there are no entities
    except (ET.ParseError, ValueError) as error:
        found = ":".join(map(str, error.position)) if isinstance(error, ET.ParseError) else error
        raise CellRefused("dmn", zh="格式正确的 XML（给出行:列）", en="well-formed XML (line:column)", found=found) from None
    if _local(root) != "definitions":
        raise CellRefused("dmn", zh=f"DMN 的 definitions（{DMN}）", en=f"definitions of DMN ({DMN})", found=root.tag)
    return root


def _write_data(table: Table, root: ET.Element, decision: ET.Element, dated: bool) -> None:
    """Name what the decision needs: its plain inputs, the fields of its expressions, the date."""
    declared = table.declaration
    data: list[tuple[str, CellType, str]] = [(name, kind, "true") for name, kind in declared.fields.items()]
    data += [(entry.name, entry.type, "") for entry in declared.inputs if not entry.expression]
    data += [(ON, "date", "")] if dated else []
    for number, (name, kind, of_expression) in enumerate(data):
        entry = _add(root, "inputData", id=f"data_{number}", name=name)
        _add(entry, "variable", name=name, **_typed(kind), **({_ours("field"): of_expression} if of_expression else {}))
        _add(_add(decision, "informationRequirement"), "requiredInput", href=f"#data_{number}")


def _write_columns(table: Table, grid: ET.Element, dated: bool) -> None:
    for number, entry in enumerate(table.declaration.inputs):
        clause = _add(grid, "input", id=f"input_{number}", label=entry.name, **{_ours("type"): entry.type})
        language = {"expressionLanguage": LANGUAGE} if entry.expression else {}
        _text(_add(clause, "inputExpression", typeRef=_feel(entry.type), **language), entry.expression or entry.name)
        if entry.values != ANYTHING:
            _text(_add(clause, "inputValues"), cell_text(entry.values))
    if dated:
        clause = _add(grid, "input", id="input_on", label=ON, **{_ours("validity"): "true"})
        _text(_add(clause, "inputExpression", typeRef="date"), ON)
    for number, output in enumerate(table.declaration.outputs):
        clause = _add(grid, "output", id=f"output_{number}", name=output.name, **_typed(output.type))
        if output.values:
            _text(_add(clause, "outputValues"), ", ".join(map(value_text, output.values)))
        if output.has_default:
            _text(_add(clause, "defaultOutputEntry"), value_text(output.default))
    for name in ("basis", "note"):
        _add(grid, "annotation", name=name)


def _unsupported(findings: Findings, row: int, column: str, found: str) -> None:
    findings.refuse("dmn", row=row, column=column, zh="支持的 DMN 写法", en="a supported part of DMN", found=found)


def _type(element: ET.Element | None, findings: Findings) -> CellType:
    """Return the type that an element names; an unknown one is kept as a mistake."""
    written = "" if element is None else element.get(_ours("type")) or element.get("typeRef", "").rpartition(":")[2]
    kind = "decimal" if written == "number" else written
    if kind not in CELL_TYPES:
        _unsupported(findings, 1, "typeRef", kind or "-")
        return "string"
    return cast(CellType, kind)


def _typed(kind: CellType) -> dict[str, str]:
    return {"typeRef": _feel(kind), _ours("type"): kind}


def _feel(kind: CellType) -> str:
    return "number" if kind in ("integer", "decimal") else kind


def _tag(name: str) -> str:
    return f"{{{DMN}}}{name}"


def _ours(name: str) -> str:
    return f"{{{OURS}}}{name}"


def _local(element: ET.Element) -> str:
    """Return the name of an element of DMN, of any other the whole tag."""
    space, _, name = element.tag.rpartition("}")
    return name if _FAMILY.fullmatch(space) else element.tag


def _all(element: ET.Element, name: str) -> list[ET.Element]:
    return [child for child in element if _local(child) == name]


def _one(element: ET.Element, name: str) -> ET.Element | None:
    return next(iter(_all(element, name)), None)


def _add(parent: ET.Element, tag: str, /, **attributes: str) -> ET.Element:
    return ET.SubElement(parent, _tag(tag), attributes)


def _text(element: ET.Element, text: str) -> None:
    _add(element, "text").text = text


def _text_of(element: ET.Element | None) -> str:
    """Return what stands in the element's `text`."""
    inner = None if element is None else _one(element, "text")
    return "" if inner is None else (inner.text or "").strip()
