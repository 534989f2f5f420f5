"""One written form of a table, and its digest: equal tables give equal digests, however they were read."""

from __future__ import annotations

import json
from typing import Any

from yunhe.crypto import sm3
from yunhe.engine.decisions.cells import cell_text, value_text
from yunhe.engine.decisions.types import Declaration, Rule


def canonical_form(table: Declaration) -> dict[str, Any]:
    """Return the table as JSON values: everything it means, nothing of the file it came from (row numbers)."""
    return {
        "name": table.name,
        "hit": table.hit,
        "fields": dict(table.fields),
        "inputs": [[entry.name, entry.type, entry.expression, cell_text(entry.values)] for entry in table.inputs],
        "outputs": [
            [
                entry.name,
                entry.type,
                [*map(value_text, entry.values)],
                value_text(entry.default) if entry.has_default else "",
            ]
            for entry in table.outputs
        ],
        "rules": [_rule(rule) for rule in table.rules],
    }


def digest_of(table: Declaration) -> str:
    """Return the SM3 digest (hex) of the canonical form."""
    text = json.dumps(canonical_form(table), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return sm3.hexdigest(text.encode("utf-8"))


def _rule(rule: Rule) -> list[Any]:
    return [
        [*map(cell_text, rule.cells)],
        [*map(value_text, rule.outputs)],
        [day.isoformat() if day else "" for day in (rule.valid_from, rule.valid_until)],
        rule.basis,
        rule.note,
    ]
