"""The declaration of a table: a mapping, as YAML gives it.

    name: 公租房补贴
    hit: unique                     # or first, any, priority, rule_order, output_order, collect, collect_sum … (DMN 1.3)
    fields: {start: date}           # what the inputs' expressions name
    inputs:
      household: integer
      income: {type: decimal, values: ">= 0"}
      year: {type: integer, expression: "year(start)"}
    outputs:
      level: {type: string, values: [甲, 乙], default: 乙}

An input's `values` is a cell or a list and limits what may be asked; an output's lists what may be answered, for
`priority` and `output_order` the most important first. A default is the answer where no rule matches.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from yunhe.engine.decisions.cells import check_text, parse_cell, parse_value
from yunhe.engine.decisions.errors import CellRefused
from yunhe.engine.decisions.findings import Findings
from yunhe.engine.decisions.types import (
    AGGREGATES,
    ANYTHING,
    BY_VALUES,
    CELL_TYPES,
    HIT_POLICIES,
    ON,
    Cell,
    Declaration,
    Input,
    Output,
    Span,
    Value,
)
from yunhe.engine.expressions import ExpressionRefused, parse_expression

MAX_COLUMNS: Final = 64
KEYS: Final = ("name", "hit", "fields", "inputs", "outputs")
_INPUT_KEYS: Final = ("type", "expression", "values")
_OUTPUT_KEYS: Final = ("type", "values", "default")


def read_declaration(written: Mapping[str, Any], findings: Findings) -> Declaration:
    """Return the declaration, still without rules. Raises: TableRefused."""
    _check_keys(written, KEYS, "-", findings)
    name = written.get("name")
    if not isinstance(name, str) or not name.strip():
        _wrong("name", name, "表的名称", "the table's name", findings)
    else:
        findings.attempt(lambda: check_text(name), row=0, column="name")
    hit = str(written.get("hit", "unique")).strip().lower().replace(" ", "_")
    if hit not in HIT_POLICIES:
        _one_of(HIT_POLICIES, "hit", hit, findings)
    fields = {name: spec["type"] for name, spec in _columns(written, "fields", ("type",), findings).items()}
    inputs = [_input(name, spec, fields, findings)
              for name, spec in _columns(written, "inputs", _INPUT_KEYS, findings).items()]  # fmt: skip
    outputs = [_output(name, spec, findings)
               for name, spec in _columns(written, "outputs", _OUTPUT_KEYS, findings).items()]  # fmt: skip
    if not outputs:
        _wrong("outputs", "-", "至少一个结果列", "at least one output", findings)
    findings.finish()
    _check_policy(hit, outputs, findings)
    findings.finish()
    return Declaration(str(name), hit, tuple(inputs), tuple(outputs), (), fields)  # type: ignore[arg-type]


def _columns(written: Mapping[str, Any], key: str, known: tuple[str, ...], findings: Findings) -> dict[str, Any]:
    """Return name and specification of each column; a bare type is short for `{type: …}`."""
    columns = written.get(key) or {}
    if not isinstance(columns, Mapping) or len(columns) > MAX_COLUMNS:
        _wrong(
            key, columns, f"最多 {MAX_COLUMNS} 个“名称: 类型”", f"at most {MAX_COLUMNS} entries NAME: TYPE", findings
        )
        return {}
    read = {}
    for name, spec in columns.items():
        path = f"{key}.{name}"
        entry = spec if isinstance(spec, Mapping) else {"type": spec}
        _check_keys(entry, known, path, findings)
        if not isinstance(name, str) or not name.isidentifier() or name == ON:
            _wrong(path, name, f"由字母、汉字、数字和 _ 组成的名称（不能是 {ON}）",
                   f"a name of letters, digits and _ (not {ON})", findings)  # fmt: skip
        elif entry.get("type") not in CELL_TYPES:
            _one_of(CELL_TYPES, path, entry.get("type"), findings)
        else:
            read[name] = entry
    return read


def _input(name: str, spec: Mapping[str, Any], fields: Mapping[str, Any], findings: Findings) -> Input:
    kind, path = spec["type"], f"inputs.{name}"
    values = findings.attempt(lambda: _limits(spec.get("values"), kind), row=0, column=path)
    text = str(spec.get("expression") or "")
    if text:
        try:
            found = parse_expression(text, fields, boolean=False).type
        except ExpressionRefused as refused:
            findings.refuse("expression", row=0, column=path, expected=kind, found=f"{text}: {refused.say()}")
        else:
            if found != kind and (found, kind) != ("integer", "decimal"):
                findings.refuse("expression", row=0, column=path, expected=kind, found=f"{text}: {found}")
    return Input(name, kind, text, values or ANYTHING)


def _limits(written: Any, kind: Any) -> Cell:
    """Return the values an input may have: a cell's text, or a list of values."""
    if written is None:
        return ANYTHING
    if not isinstance(written, list):
        return parse_cell(_text(written), kind)
    values = [parse_value(_text(one), kind) for one in written]
    return Cell(tuple(Span(value, value) for value in values if value is not None), null=None in values)


def _output(name: str, spec: Mapping[str, Any], findings: Findings) -> Output:
    kind, path = spec["type"], f"outputs.{name}"
    written = spec.get("values") or []
    listed: list[Any] = written if isinstance(written, list) else [written]
    values = findings.attempt(lambda: tuple(parse_value(_text(one), kind) for one in listed), row=0, column=path) or ()
    if None in values:
        _wrong(path, "null", "不含空值的 values", "values without null", findings)
    default = findings.attempt(lambda: parse_value(_text(spec.get("default")), kind), row=0, column=path)
    output = Output(name, kind, values, default, "default" in spec)
    if output.has_default:
        findings.attempt(lambda: check_allowed(output, default), row=0, column=path)
    return output


def check_allowed(output: Output, value: Value) -> Value:
    """Return the value if the output allows it. Raises: CellRefused."""
    if output.values and value not in output.values:
        raise CellRefused("allowed", expected=", ".join(map(str, output.values)), found=value)
    return value


def _check_policy(hit: str, outputs: list[Output], findings: Findings) -> None:
    first = outputs[0]
    if hit in AGGREGATES and (len(outputs) > 1 or first.type not in AGGREGATES[hit]):
        _wrong("outputs", len(outputs), f"{hit} 的表恰有一个结果列，类型为 {'、'.join(AGGREGATES[hit])}",
               f"one output of type {' or '.join(AGGREGATES[hit])} for {hit}", findings)  # fmt: skip
    if hit in BY_VALUES and not any(output.values for output in outputs):
        _wrong("outputs", "-", f"{hit} 的表要有 values，最优先的在前",
               f"values, the most important first, in a table of {hit}", findings)  # fmt: skip


def _check_keys(written: Mapping[str, Any], known: tuple[str, ...], path: str, findings: Findings) -> None:
    for key in written:
        if key not in known:
            _one_of(known, path, key, findings)


def _one_of(known: tuple[str, ...], path: str, found: object, findings: Findings) -> None:
    _wrong(path, found, f"其中之一：{', '.join(known)}", f"one of {', '.join(known)}", findings)


def _wrong(path: str, found: object, zh: str, en: str, findings: Findings) -> None:
    findings.refuse("header", row=0, column=path, found=found, zh=zh, en=en)


def _text(written: Any) -> str:
    """Return a YAML scalar as the text of a cell."""
    if written is None:
        return "null"
    if isinstance(written, bool):
        return str(written).lower()
    return written.isoformat() if isinstance(written, date) else str(written)
