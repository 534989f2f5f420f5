"""A table from its declaration and the CSV of its rules; every mistake is told with file, row and column.

The header row names columns `in:NAME` and `out:NAME` for each input and output, in any order, and where wanted
`from`, `until` (the first day a rule is no longer valid), `basis` (the law) and `note`. Blank rows are passed over.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any, Final

from yunhe.engine.decisions.cells import check_text, parse_cell, parse_value
from yunhe.engine.decisions.declaring import check_allowed, read_declaration
from yunhe.engine.decisions.errors import CellRefused
from yunhe.engine.decisions.findings import Findings
from yunhe.engine.decisions.table import Table
from yunhe.engine.decisions.types import AGGREGATES, ANYTHING, Declaration, Output, Rule, Value

MAX_RULES: Final = 5000
EXTRAS: Final = ("from", "until", "basis", "note")


def read_table(declaration: Mapping[str, Any], rules: str, *, file: str = "-") -> Table:
    """Return the table of a declaration and of the CSV text of its rules.

    Raises: TableRefused; its `problems` hold every mistake.
    """
    findings = Findings(file)
    header = read_declaration(declaration, findings)
    rows = _read_csv(rules, findings)
    names = [name.strip() for name in rows.pop(1, [])]
    _check_names(header, names, findings)
    return build_table(header, [(row, dict(zip(names, cells, strict=True))) for row, cells in rows.items()], findings)


def build_table(
    header: Declaration, rows: list[tuple[int, dict[str, str]]], findings: Findings, *, plain: bool = True
) -> Table:
    """Return the table of these rows: text by column name. Raises: TableRefused."""
    if not 1 <= len(rows) <= MAX_RULES:
        findings.refuse("rules", row=1, column="-", expected=MAX_RULES, found=len(rows))
    findings.finish()
    rules = tuple(_Row(header, row, cells, findings, plain).rule() for row, cells in rows)
    findings.finish()
    return Table(replace(header, rules=rules))


class _Row:
    """Reads one row; a mistake is kept, and something harmless stands in for the cell."""

    def __init__(self, header: Declaration, row: int, cells: dict[str, str], findings: Findings, plain: bool) -> None:
        self._header, self._row, self._cells, self._findings, self._plain = header, row, cells, findings, plain

    def rule(self) -> Rule:
        """Return the rule."""
        cells = tuple(
            self._read(f"in:{entry.name}", lambda text, kind=entry.type: parse_cell(text, kind, plain=self._plain))
            or ANYTHING
            for entry in self._header.inputs
        )
        outputs = tuple(self._read(f"out:{entry.name}", lambda text, entry=entry: self._value(text, entry))
                        for entry in self._header.outputs)  # fmt: skip
        valid_from, valid_until = self._read("from", _day), self._read("until", _day)
        if valid_from and valid_until and valid_until <= valid_from:
            self._findings.refuse("dates", row=self._row, column="until", found=f"{valid_from} {valid_until}")
        basis, note = (self._read(name, check_text) or "" for name in ("basis", "note"))
        return Rule(self._row, cells, outputs, valid_from, valid_until, basis.strip(), note.strip())

    def _read(self, column: str, parse: Any) -> Any:
        text = self._cells.get(column, "")
        return self._findings.attempt(lambda: parse(text), row=self._row, column=column)

    def _value(self, text: str, output: Output) -> Value:
        value = parse_value(text, output.type, plain=self._plain)
        if value is None and self._header.hit in AGGREGATES and self._header.hit != "collect_count":
            raise CellRefused("aggregate", found=text)
        return check_allowed(output, value)


def _day(text: str) -> date | None:
    try:
        found = parse_value(text, "date")
    except CellRefused:
        raise CellRefused("dates", found=text) from None
    assert found is None or isinstance(found, date)
    return found


def _read_csv(text: str, findings: Findings) -> dict[int, list[str]]:
    """Return the cells of each row that is not blank, by row number. Raises: TableRefused."""
    lines = csv.reader(io.StringIO(text.removeprefix("\ufeff").replace("\r\n", "\n"), newline=""), strict=True)
    rows: dict[int, list[str]] = {}
    number = width = 0
    try:
        for number, cells in enumerate(lines, start=1):
            width = width or len(cells)
            if len(rows) > MAX_RULES + 1:
                break
            if any(cell.strip() for cell in cells) or number == 1:
                rows[number] = cells
            if number in rows and len(cells) != width:
                findings.refuse("csv", row=number, column="-", expected=width, found=len(cells))
    except csv.Error as error:
        findings.refuse("csv", row=number + 1, column="-", expected=width, found=error)
    findings.finish()
    return rows


def _check_names(header: Declaration, names: list[str], findings: Findings) -> None:
    """Keep a mistake for each column that is missing, unknown or there twice."""
    wanted = [f"in:{entry.name}" for entry in header.inputs] + [f"out:{entry.name}" for entry in header.outputs]
    for name in dict.fromkeys((*wanted, *names)):
        count = names.count(name)
        if name in wanted and count != 1:
            findings.refuse("columns", row=1, column=name, zh="这一列恰好一次", en="this column once", found=count)
        elif name not in wanted and (name not in EXTRAS or count > 1):
            findings.refuse("columns", row=1, column=name, zh=f"其中之一，各一次：{', '.join((*wanted, *EXTRAS))}",
                            en=f"one of these, once: {', '.join((*wanted, *EXTRAS))}", found=name)  # fmt: skip
    findings.finish()
