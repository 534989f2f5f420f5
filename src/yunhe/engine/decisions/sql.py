"""A table as one DuckDB CASE expression over a whole population; it agrees with the closure.

Where the closure raises, the SQL has no row: NULL for an input that is refused or cannot be computed, 0 where no
rule matches, -1 where several do under `unique`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, Final

from yunhe.engine.casts import DUCK_TYPES
from yunhe.engine.decisions.cells import holds
from yunhe.engine.decisions.deciding import ranked
from yunhe.engine.decisions.errors import TableNotInSql
from yunhe.engine.decisions.types import ANYTHING, Cell, Declaration, Input, Output, Rule, Span
from yunhe.engine.expressions import parse_expression
from yunhe.engine.expressions.sql import literal
from yunhe.engine.expressions.types import MAX_DIGITS
from yunhe.engine.quoting import quote_identifier

IN_SQL: Final = ("unique", "first", "priority")
NO_RULE: Final = 0
SEVERAL_RULES: Final = -1


def rule_sql(table: Declaration, on: date) -> str:
    """Return SQL for the row of the rule that decides on that date.

    Raises: TableNotInSql if the hit policy is none of unique, first, priority.
    """
    return _decided(table, on, lambda rule: str(rule.row), str(NO_RULE), str(SEVERAL_RULES))


def output_sql(table: Declaration, output: Output, on: date) -> str:
    """Return SQL for one output on that date: the deciding rule's value, or the default. Raises: TableNotInSql."""
    at = table.outputs.index(output)
    decided = _decided(table, on, lambda rule: literal(rule.outputs[at]), literal(output.default), "NULL")
    return f"CAST({decided} AS {_type(table, at)})"


def _decided(table: Declaration, on: date, result: Callable[[Rule], str], none: str, several: str) -> str:
    if table.hit not in IN_SQL:
        raise TableNotInSql(table=table.name, expected=", ".join(IN_SQL), found=table.hit)
    subjects = [_Subject(table, at) for at in range(len(table.inputs))]
    tests = {rule: _matches(subjects, rule) for rule in ranked(table) if holds(rule.validity, on)}
    chosen = _case([f"WHEN {test} THEN {result(rule)}" for rule, test in tests.items()], none)
    if table.hit == "unique":
        rows = [f"WHEN {test} THEN {rule.row}" for rule, test in tests.items()]
        first, last = _case(rows, str(NO_RULE)), _case(rows[::-1], str(NO_RULE))
        chosen = f"CASE WHEN {first} = {last} THEN {chosen} ELSE {several} END"
    return _case([f"WHEN {text} THEN NULL" for subject in subjects for text in subject.refusals()], chosen)


class _Subject:
    """One input's SQL, computed exactly enough to compare with every literal of its column."""

    def __init__(self, table: Declaration, at: int) -> None:
        self.input: Input = table.inputs[at]
        text = self.input.expression or quote_identifier(self.input.name)
        fields = table.fields if self.input.expression else {self.input.name: self.input.type}
        self.expression = parse_expression(text, fields, boolean=False)
        cells = [rule.cells[at] for rule in table.rules]
        self.sql = f"({self.expression.to_sql()})"
        if self.input.type == "decimal":
            self.sql = f"CAST({self.sql} AS {self._width(table, cells)})"

    def refusals(self) -> list[str]:
        """Return the conditions under which the input is not held against the rules at all."""
        fault = self.expression.to_fault_sql()
        allowed = self.meets(self.input.values)
        return [*([fault] if fault != "FALSE" else []), *([f"({allowed}) IS NOT TRUE"] if allowed != "TRUE" else [])]

    def meets(self, cell: Cell) -> str:
        """Return the condition of one cell; NULL counts as not met."""
        if cell == ANYTHING:
            return "TRUE"
        tests = [f"{self.sql} IS NULL"] if cell.null else []
        listed = [literal(span.low) for span in cell.spans if span.low == span.high]
        tests += [f"{self.sql} IN ({', '.join(listed)})"] if listed else []
        tests += [self._between(span) for span in cell.spans if span.low != span.high]
        met = f"({' OR '.join(tests) or 'FALSE'})"
        return f"({self.sql} IS NOT NULL AND NOT {met})" if cell.negated else met

    def _between(self, span: Span) -> str:
        ends = ((span.low, ">", span.low_in), (span.high, "<", span.high_in))
        tests = [
            f"{self.sql} {sign}{'=' if inside else ''} {literal(end)}" for end, sign, inside in ends if end is not None
        ]
        return f"({' AND '.join(tests)})"

    def _width(self, table: Declaration, cells: Sequence[Cell]) -> str:
        """Return the decimal type that holds the input and every literal without rounding."""
        ends = [end for cell in (*cells, self.input.values) for span in cell.spans for end in (span.low, span.high)]
        tree = self.expression.tree
        scale = max(tree.scale, _scale(*ends))
        width = max(tree.width - tree.scale, 18) + scale
        if width > MAX_DIGITS:
            raise TableNotInSql(table=table.name, expected=f"{MAX_DIGITS} digits", found=f"{width} digits")
        return f"DECIMAL({width}, {scale})"


def _matches(subjects: Sequence[_Subject], rule: Rule) -> str:
    tests = [subject.meets(cell) for subject, cell in zip(subjects, rule.cells, strict=True) if cell != ANYTHING]
    return " AND ".join(tests) or "TRUE"


def _case(arms: Sequence[str], otherwise: str) -> str:
    return f"CASE {' '.join(arms)} ELSE {otherwise} END" if arms else otherwise


def _type(table: Declaration, at: int) -> str:
    if table.outputs[at].type != "decimal":
        return DUCK_TYPES[table.outputs[at].type]
    return f"DECIMAL({MAX_DIGITS}, {_scale(table.outputs[at].default, *(rule.outputs[at] for rule in table.rules))})"


def _scale(*values: Any) -> int:
    """Return how many decimals hold all of these numbers, some of which may be None."""
    return max((-int(value.as_tuple().exponent) for value in values if value is not None), default=0)
