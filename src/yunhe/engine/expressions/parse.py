"""Read a text in DuckDB's dialect by sqlglot, and rebuild it as our own checked and typed tree.

Nothing of sqlglot's tree goes on: a node that no row of the tables below names is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import ParseError, SqlglotError

from yunhe.engine.expressions import literals
from yunhe.engine.expressions.errors import ExpressionRefused
from yunhe.engine.expressions.functions import FUNCTIONS, SPECIAL, Function
from yunhe.engine.expressions.tokens import MAX_DEPTH, check_tokens, line_column
from yunhe.engine.expressions.types import (
    DECIMAL_SCALE,
    DECIMAL_WIDTH,
    INTEGER_DIGITS,
    MAX_DIGITS,
    TYPE_NAMES,
    Node,
    ValueType,
)

SqlNode = Any  # a node of sqlglot's tree: its releases name the base class differently

_COMPARE: Final[dict[Any, str]] = {
    exp.EQ: "=", exp.NEQ: "<>", exp.LT: "<", exp.LTE: "<=", exp.GT: ">", exp.GTE: ">=",
    exp.NullSafeEQ: "same", exp.NullSafeNEQ: "differs",
}  # fmt: skip
_ARITHMETIC: Final[dict[Any, str]] = {
    exp.Add: "+", exp.Sub: "-", exp.Mul: "*", exp.IntDiv: "//", exp.Mod: "%",
}  # fmt: skip
_CALLS: Final[dict[Any, str]] = {
    exp.Length: "length", exp.Upper: "upper", exp.Lower: "lower", exp.Trim: "trim", exp.Substring: "substr",
    exp.Left: "left", exp.Right: "right", exp.Replace: "replace", exp.StartsWith: "starts_with",
    exp.EndsWith: "ends_with", exp.Contains: "contains", exp.Year: "year", exp.Month: "month", exp.Day: "day",
}  # fmt: skip
_CAST_TYPES: Final[dict[Any, ValueType]] = {
    exp.DataType.Type.INT: "integer", exp.DataType.Type.BIGINT: "integer", exp.DataType.Type.DECIMAL: "decimal",
    exp.DataType.Type.DATE: "date", exp.DataType.Type.TIMESTAMP: "timestamp",
    exp.DataType.Type.TIMESTAMPNTZ: "timestamp", exp.DataType.Type.BOOLEAN: "boolean",
    exp.DataType.Type.TEXT: "string", exp.DataType.Type.VARCHAR: "string",
}  # fmt: skip
# (from, to): every conversion there is; those not listed are refused at parse.
_CASTS: Final = frozenset({
    ("string", "integer"), ("string", "decimal"), ("string", "date"), ("string", "timestamp"),
    ("string", "boolean"), ("integer", "string"), ("integer", "decimal"), ("decimal", "integer"),
    ("date", "string"), ("timestamp", "date"), ("boolean", "string"), ("boolean", "integer"),
})  # fmt: skip
_DECIMAL_FIELD = re.compile(r"decimal\((\d{1,2}),\s*(\d{1,2})\)")


def parse_tree(text: str, fields: Mapping[str, str]) -> Node:
    """Return the checked tree of `text` over `fields` (name -> type; `decimal(p,s)` fixes a decimal's width).

    Raises: ExpressionRefused with line and column.
    """
    check_tokens(text)
    try:
        trees = sqlglot.parse(text, read="duckdb")
    except ParseError as error:
        raise _syntax(error) from None
    except (SqlglotError, RecursionError, ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        raise ExpressionRefused("syntax", found=type(error).__name__) from None
    if len(trees) != 1 or trees[0] is None:
        raise ExpressionRefused("several" if len(trees) > 1 else "empty")
    try:
        tree = _Reader(text, fields).read(trees[0])
    except RecursionError:
        raise ExpressionRefused("too_deep", limit=MAX_DEPTH) from None
    if tree.depth() > MAX_DEPTH:
        raise ExpressionRefused("too_deep", limit=MAX_DEPTH)
    return tree


def _syntax(error: ParseError) -> ExpressionRefused:
    first: Mapping[str, Any] = error.errors[0] if error.errors else {}
    highlight = str(first.get("highlight") or "")
    column = max(1, int(first.get("col") or 1) - len(highlight) + 1)
    return ExpressionRefused("syntax", line=int(first.get("line") or 1), column=column, found=highlight or "…")


class _Reader:
    """Turns sqlglot's nodes into ours, one method for each family."""

    def __init__(self, text: str, fields: Mapping[str, str]) -> None:
        self._text = text
        self._fields = fields

    def read(self, node: SqlNode) -> Node:
        for family, reader in _FAMILIES:
            if isinstance(node, family):
                return reader(self, node)
        for table, combine in ((_COMPARE, self._compare), (_ARITHMETIC, self._arithmetic)):
            if name := table.get(type(node)):
                return combine(node, name)
        raise self.refuse("not_allowed", node, found=_label(node), allowed=_allowed())

    def refuse(self, problem: str, node: SqlNode, **facts: Any) -> ExpressionRefused:
        starts = [n.meta["start"] for n in node.walk() if "start" in n.meta]
        line, column = line_column(self._text, min(starts, default=0))
        return ExpressionRefused(problem, line=line, column=column, **facts)

    def need(self, node: SqlNode, *types: ValueType) -> Node:
        """Read a child that must be of one of `types`; NULL fits each."""
        tree = self.read(node)
        if tree.type not in types and tree.type != "null":
            raise self._mismatch(node, types, tree.type)
        return tree

    def _mismatch(self, node: SqlNode, wanted: Sequence[ValueType], found: ValueType) -> ExpressionRefused:
        expected = " / ".join(TYPE_NAMES[name][1] for name in wanted)
        return self.refuse("type", node, expected=expected, found=TYPE_NAMES[found][1])

    def field(self, node: SqlNode) -> Node:
        name = node.name
        if node.args.get("table") or name not in self._fields or not isinstance(node.this, exp.Identifier):
            found = ".".join(part.name for part in getattr(node, "parts", ())) or name
            raise self.refuse("unknown_field", node, found=found, allowed=", ".join(self._fields))
        declared = self._fields[name]
        if declared == "integer":
            return Node("field", "integer", value=name, width=INTEGER_DIGITS)
        if match := _DECIMAL_FIELD.fullmatch(declared):
            return _fitted(name, int(match[1]), int(match[2]))
        if declared == "decimal":
            return _fitted(name, DECIMAL_WIDTH, DECIMAL_SCALE)
        if declared not in ("string", "date", "timestamp", "boolean"):
            raise self.refuse("type", node, expected="string integer decimal date timestamp boolean", found=declared)
        return Node("field", declared, value=name)  # type: ignore[arg-type]

    def literal(self, node: SqlNode) -> Node:
        if node.is_string:
            return Node("literal", "string", value=node.name)
        made = literals.number(node.name)
        if made is None:
            raise self.refuse("literal", node, found=node.name, expected="number", example="12, 0.5")
        return made

    def constant(self, node: SqlNode) -> Node:
        return Node("literal", "boolean", value=bool(node.this))

    def null(self, node: SqlNode) -> Node:
        return Node("literal", "null")

    def paren(self, node: SqlNode) -> Node:
        return self.read(node.this)

    def logic(self, node: SqlNode) -> Node:
        op, kind = ("and", exp.And) if isinstance(node, exp.And) else ("or", exp.Or)
        parts: list[SqlNode] = []
        waiting: list[SqlNode] = [node]
        while waiting:  # a long chain is left-deep: walk it without recursion
            part = waiting.pop()
            waiting.extend((part.expression, part.this) if isinstance(part, kind) else ())
            parts.extend(() if isinstance(part, kind) else (part,))
        return Node(op, "boolean", tuple(self.need(part, "boolean") for part in parts))

    def negation(self, node: SqlNode) -> Node:
        return Node("not", "boolean", (self.need(node.this, "boolean"),))

    def test(self, node: SqlNode) -> Node:
        """Read `x IS NULL`, `x IS TRUE`, `x IS FALSE`."""
        right = node.expression
        if isinstance(right, exp.Null):
            return Node("is_null", "boolean", (self.read(node.this),))
        if isinstance(right, exp.Boolean):
            return Node("is_true" if right.this else "is_false", "boolean", (self.need(node.this, "boolean"),))
        raise self.refuse("not_allowed", node, found="IS", allowed="IS NULL, IS TRUE, IS FALSE")

    def between(self, node: SqlNode) -> Node:
        low = self._compared(node, ">=", node.this, node.args["low"])
        high = self._compared(node, "<=", node.this, node.args["high"])
        return Node("and", "boolean", (low, high))

    def membership(self, node: SqlNode) -> Node:
        if node.args.get("query") or node.args.get("unnest") or not node.expressions:
            raise self.refuse("not_allowed", node, found="IN (SELECT …)", allowed="IN ('1', '2')")
        tests = tuple(self._compared(node, "=", node.this, item) for item in node.expressions)
        return Node("or", "boolean", tests)

    def like(self, node: SqlNode) -> Node:
        escape, inner = "", node
        if isinstance(node, exp.Escape):
            escape, inner = node.expression.name, node.this
        pattern = inner.expression
        usable = isinstance(inner, exp.Like) and isinstance(pattern, exp.Literal) and pattern.is_string
        if not usable or len(escape) > 1 or (escape and not node.expression.is_string):
            raise self.refuse("constant", node, expected="LIKE 'abc%' [ESCAPE '!']")
        if literals.like_parts(pattern.name, escape) is None:
            raise self.refuse("literal", pattern, found=pattern.name, expected="LIKE pattern", example="'abc%'")
        return Node("like", "boolean", (self.need(inner.this, "string"),), value=(pattern.name, escape))

    def case(self, node: SqlNode) -> Node:
        """Read CASE with and without a subject, and IF(condition, then, else)."""
        arms = [node] if isinstance(node, exp.If) else node.args["ifs"]
        subject = None if isinstance(node, exp.If) else node.this
        last = node.args.get("false") if isinstance(node, exp.If) else node.args.get("default")
        conditions = [self._compared(arm, "=", subject, arm.this) if subject else self.need(arm.this, "boolean")
                      for arm in arms]  # fmt: skip
        results = self._alike(node, [*(arm.args["true"] for arm in arms), *([last] if last else [])])
        if not last:
            results.append(Node("literal", "null"))
        pairs = [item for pair in zip(conditions, results, strict=False) for item in pair]
        return self._widest("case", results, (*pairs, results[-1]))

    def coalesce(self, node: SqlNode) -> Node:
        results = self._alike(node, [node.this, *node.expressions])
        return self._widest("coalesce", results, tuple(results))

    def extreme(self, node: SqlNode) -> Node:
        op = "greatest" if isinstance(node, exp.Greatest) else "least"
        results = self._alike(node, [node.this, *node.expressions])
        return self._widest(op, results, tuple(results))

    def nullif(self, node: SqlNode) -> Node:
        left = self.read(node.this)
        same = self._compared(node, "=", node.this, node.expression)
        return Node("case", left.type, (same, Node("literal", "null"), left), width=left.width, scale=left.scale)

    def absolute(self, node: SqlNode) -> Node:
        inner = self.need(node.this, "integer", "decimal")
        return Node("abs", inner.type, (inner,), width=inner.width, scale=inner.scale)

    def minus(self, node: SqlNode) -> Node:
        inner = self.need(node.this, "integer", "decimal")
        if inner.op == "literal" and isinstance(inner.value, (int, Decimal)):
            return Node("literal", inner.type, value=-inner.value, width=inner.width, scale=inner.scale)
        return Node("negate", inner.type, (inner,), width=inner.width, scale=inner.scale)

    def division(self, node: SqlNode) -> Node:
        raise self.refuse("division", node)

    def joined(self, node: SqlNode) -> Node:
        return Node("concat", "string", (self.need(node.this, "string"), self.need(node.expression, "string")))

    def days(self, node: SqlNode) -> Node:
        if node.text("unit").upper() != "DAY":
            raise self.refuse(
                "not_allowed", node, found="date_diff", allowed="date_diff('day', a, b), full_years(a, b)"
            )
        return self._call(node, FUNCTIONS["days_between"], [node.expression, node.this])

    def named(self, node: SqlNode) -> Node:
        """Read a function by sqlglot's class, or by the name somebody wrote."""
        name = node.name.lower() if isinstance(node, exp.Anonymous) else _CALLS[type(node)]
        if name not in FUNCTIONS:
            raise self.refuse("not_allowed", node, found=node.name, allowed=_allowed())
        if isinstance(node, exp.Anonymous):
            return self._call(node, FUNCTIONS[name], node.expressions)
        return self._call(node, FUNCTIONS[name], [node.args[key] for key in node.arg_types if node.args.get(key)])

    def _call(self, node: SqlNode, function: Function, args: Sequence[SqlNode]) -> Node:
        extra = [key for key, value in node.args.items() if isinstance(value, str) and key not in ("this", "unit")]
        if len(args) != len(function.takes) or extra or not all(hasattr(arg, "walk") for arg in args):
            raise self.refuse("arguments", node, found=function.name, expected=len(function.takes),
                              signature=function.signature)  # fmt: skip
        read = tuple(self.need(arg, kind) for arg, kind in zip(args, function.takes, strict=True))
        for index in function.constants:
            if read[index].op != "literal" or read[index].type == "null":
                raise self.refuse("constant", args[index], expected=function.signature)
        if function.check and (wanted := function.check(read)):
            raise self.refuse("constant", node, expected=f"{function.signature}, {wanted}")
        return Node("call", function.gives, read, value=function.name, width=function.width)

    def cast(self, node: SqlNode) -> Node:
        target = _CAST_TYPES.get(node.to.this)
        if target is None or isinstance(node, exp.TryCast):
            raise self.refuse("not_allowed", node, found=node.sql("duckdb")[:40], allowed="CAST(… AS DATE)")
        sizes = [int(size.name) for size in node.to.expressions]
        width, scale = (*sizes, 0)[:2] if sizes and target == "decimal" else _plain_size(target)
        if node.this.is_string and target in ("date", "timestamp"):
            return self._dated(node, target)
        inner = self.read(node.this)
        if inner.type in (target, "null") and not sizes:
            return inner
        if (inner.type, target) not in _CASTS and not (inner.type == target == "decimal"):
            raise self._mismatch(node, (target,), inner.type)
        if (not 1 <= width <= MAX_DIGITS and target in ("integer", "decimal")) or scale > width:
            raise self.refuse("too_large", node)
        return Node("cast", target, (inner,), width=width, scale=scale)

    def _dated(self, node: SqlNode, target: ValueType) -> Node:
        value = literals.text_to(target, node.this.name)
        if value is None:
            example = "DATE '2026-01-31'" if target == "date" else "TIMESTAMP '2026-01-31 08:30:00'"
            raise self.refuse("literal", node, found=node.this.name, expected=TYPE_NAMES[target][1], example=example)
        return Node("literal", target, value=value)

    def _compare(self, node: SqlNode, op: str) -> Node:
        return self._compared(node, op, node.this, node.expression)

    def _compared(self, node: SqlNode, op: str, left: SqlNode, right: SqlNode) -> Node:
        first, second = self.read(left), self.read(right)
        for side, tree in ((left, first), (right, second)):
            if tree.type == "null" and op not in ("same", "differs"):
                raise self.refuse("null_compare", side)
        if first.type != second.type and not {first.type, second.type} <= {"integer", "decimal", "null"}:
            raise self._mismatch(right, (first.type,), second.type)
        if "decimal" in (first.type, second.type) and _common(first, second)[0] > MAX_DIGITS:
            raise self.refuse("too_large", node)
        return Node(op, "boolean", (first, second))

    def _arithmetic(self, node: SqlNode, op: str) -> Node:
        whole: tuple[ValueType, ...] = ("integer",) if op in ("//", "%") else ("integer", "decimal")
        left, right = self.need(node.this, *whole), self.need(node.expression, *whole)
        kind: ValueType = "decimal" if "decimal" in (left.type, right.type) else "integer"
        width, scale = _common(left, right)
        if op == "*":
            width, scale = left.width + right.width, left.scale + right.scale
        elif op in "+-":
            width += 1
        if width > MAX_DIGITS:
            raise self.refuse("too_large", node)
        return Node(op, kind, (left, right), width=width, scale=scale)

    def _alike(self, node: SqlNode, items: Sequence[SqlNode]) -> list[Node]:
        """Read branches that must agree in type (numbers mix, NULL fits)."""
        read = [self.read(item) for item in items]
        kinds = {tree.type for tree in read} - {"null"}
        if len(kinds) > 1 and not kinds <= {"integer", "decimal"}:
            first = next(tree.type for tree in read if tree.type != "null")
            index = next(i for i, tree in enumerate(read) if tree.type not in (first, "null"))
            raise self._mismatch(items[index], (first,), read[index].type)
        return read

    def _widest(self, op: str, results: Sequence[Node], args: tuple[Node, ...]) -> Node:
        kinds = {tree.type for tree in results} - {"null"}
        kind: ValueType = "decimal" if "decimal" in kinds else next(iter(kinds), "null")
        whole = max((tree.width - tree.scale for tree in results), default=0)
        scale = max((tree.scale for tree in results), default=0)
        if whole + scale > MAX_DIGITS:
            raise ExpressionRefused("too_large")
        return Node(op, kind, args, width=whole + scale, scale=scale)


def _fitted(name: str, width: int, scale: int) -> Node:
    """Return a decimal field narrowed to the digits that arithmetic counts with."""
    field = Node("field", "decimal", value=name, width=MAX_DIGITS, scale=scale)
    return Node("fit", "decimal", (field,), width=width, scale=scale)


def _plain_size(target: ValueType) -> tuple[int, int]:
    return {"integer": (INTEGER_DIGITS, 0), "decimal": (DECIMAL_WIDTH, DECIMAL_SCALE)}.get(target, (0, 0))


def _common(left: Node, right: Node) -> tuple[int, int]:
    scale = max(left.scale, right.scale)
    return max(left.width - left.scale, right.width - right.scale) + scale, scale


def _label(node: SqlNode) -> str:
    return node.name if isinstance(node, exp.Anonymous) else type(node).__name__.upper()


def _allowed() -> str:
    return ", ".join((*FUNCTIONS, *SPECIAL))


_Read = Callable[[_Reader, Any], Node]
_FAMILIES: Final[tuple[tuple[Any, _Read], ...]] = (
    (exp.Column, _Reader.field),
    (exp.Literal, _Reader.literal),
    (exp.Boolean, _Reader.constant),
    (exp.Null, _Reader.null),
    (exp.Paren, _Reader.paren),
    ((exp.And, exp.Or), _Reader.logic),
    (exp.Not, _Reader.negation),
    (exp.Is, _Reader.test),
    (exp.Between, _Reader.between),
    (exp.In, _Reader.membership),
    ((exp.Like, exp.Escape), _Reader.like),
    ((exp.Case, exp.If), _Reader.case),
    (exp.Coalesce, _Reader.coalesce),
    ((exp.Greatest, exp.Least), _Reader.extreme),
    (exp.Nullif, _Reader.nullif),
    (exp.Abs, _Reader.absolute),
    (exp.Neg, _Reader.minus),
    (exp.Div, _Reader.division),
    (exp.DPipe, _Reader.joined),
    (exp.DateDiff, _Reader.days),
    (exp.Cast, _Reader.cast),
    ((*_CALLS, exp.Anonymous), _Reader.named),
)
