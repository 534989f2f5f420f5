"""The expression that other rooms hold: parsed once, run as a closure or as SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from yunhe.engine.expressions import closure, sql
from yunhe.engine.expressions.errors import ExpressionRefused
from yunhe.engine.expressions.parse import parse_tree
from yunhe.engine.expressions.types import TYPE_NAMES, Fault, Node, ValueType


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an expression gives for one record; `reason` says why it could not be computed, or is empty."""

    value: Any
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Expression:
    """One checked expression (表达式). `fields` are those it names, in order of first appearance."""

    text: str
    type: ValueType
    fields: tuple[str, ...]
    tree: Node = field(repr=False)

    def to_sql(self) -> str:
        """Return DuckDB SQL made from the checked tree; columns are quoted names.

        A part that cannot be computed makes a condition FALSE and a scalar NULL, never an error.
        """
        return sql.to_sql(self.tree)

    @property
    def has_null(self) -> bool:
        """Tell whether a NULL is written in it (or a CASE has no ELSE): it may be unknown with every field present."""
        return any(node.type == "null" and node.op == "literal" for node in _nodes(self.tree))

    def to_fault_sql(self) -> str:
        """Return SQL that is TRUE where the value could not be computed, FALSE elsewhere."""
        return sql.to_fault_sql(self.tree)

    def closure(self) -> Callable[[Mapping[str, object]], Any]:
        """Return a function of one record that agrees with `to_sql`: True, False or None, or a scalar."""
        explain = self.explainer()
        return lambda record: explain(record).value

    def explainer(self) -> Callable[[Mapping[str, object]], Outcome]:
        """Return a function of one record that gives the value and, where there is a fault, its reason."""
        run = closure.build(self.tree)
        broken = False if self.type == "boolean" else None

        def explain(record: Mapping[str, object]) -> Outcome:
            value = run(record)
            return Outcome(broken, value.reason) if isinstance(value, Fault) else Outcome(value)

        return explain

    def explain_value(self, record: Mapping[str, object]) -> Outcome:
        """Return the value for one record and why it could not be computed, if so."""
        return self.explainer()(record)


def parse_expression(text: str, fields: Mapping[str, str], *, boolean: bool = True) -> Expression:
    """Return the checked expression over `fields` (name -> string integer decimal date timestamp boolean).

    A decimal field may be given as `decimal(p,s)`; else it counts with 13 digits before and 6 after the point.
    Integer and decimal arithmetic is exact and proved at parse not to exceed 38 digits. With `boolean` (the
    default) the whole must be a condition; otherwise any scalar is allowed.
    Raises: ExpressionRefused with line, column and the next step.
    """
    tree = parse_tree(text, fields)
    if boolean and tree.type != "boolean":
        raise ExpressionRefused("not_boolean", found=TYPE_NAMES[tree.type][1])
    expression = Expression(text, tree.type, _field_names(tree), tree)
    expression.to_sql(), expression.to_fault_sql()  # refused now if it grows too long, not when it runs
    return expression


def _field_names(tree: Node) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(node.value) for node in _nodes(tree) if node.op == "field"))


def _nodes(tree: Node) -> Iterator[Node]:
    """Yield every node, a parent before its parts, left before right."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(reversed(node.args))
