"""A table as the declaration and the CSV that `read_table` reads: what a pack holds. Reading it gives the same digest."""

from __future__ import annotations

import csv
import io
from typing import Any

from yunhe.engine.decisions.cells import cell_text, plain_text, plain_value
from yunhe.engine.decisions.table import Table
from yunhe.engine.decisions.types import ANYTHING, Input, Output


def declaration_of(table: Table) -> dict[str, Any]:
    """Return the declaration of a table, in the order and the short forms in which people write it."""
    declared = table.declaration
    fields = {"fields": dict(declared.fields)} if declared.fields else {}
    inputs = {entry.name: _input(entry) for entry in declared.inputs}
    outputs = {entry.name: _output(entry) for entry in declared.outputs}
    return {"name": declared.name, "hit": declared.hit, **fields, "inputs": inputs, "outputs": outputs}


def rules_of(table: Table) -> str:
    """Return the rules of a table as CSV, with the columns of dates, basis and note that some rule fills."""
    declared = table.declaration
    names = [*(f"in:{entry.name}" for entry in declared.inputs), *(f"out:{entry.name}" for entry in declared.outputs)]
    rows = []
    for rule in declared.rules:
        cells = [plain_text(cell, entry.type) for cell, entry in zip(rule.cells, declared.inputs, strict=True)]
        values = [plain_value(value, entry.type) for value, entry in zip(rule.outputs, declared.outputs, strict=True)]
        extras = {"from": rule.valid_from, "until": rule.valid_until, "basis": rule.basis, "note": rule.note}
        rows.append(dict(zip(names, (*cells, *values), strict=True)) | {name: str(told) for name, told in extras.items() if told})
    used = [name for name in ("from", "until", "basis", "note") if any(name in row for row in rows)]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [*names, *used], restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _input(entry: Input) -> Any:
    told: dict[str, Any] = {"type": entry.type}
    told |= {"expression": entry.expression} if entry.expression else {}
    told |= {"values": cell_text(entry.values)} if entry.values != ANYTHING else {}
    return entry.type if len(told) == 1 else told


def _output(entry: Output) -> Any:
    told: dict[str, Any] = {"type": entry.type}
    told |= {"values": [plain_value(value, entry.type) for value in entry.values]} if entry.values else {}
    told |= {"default": plain_value(entry.default, entry.type)} if entry.has_default else {}
    return entry.type if len(told) == 1 else told
