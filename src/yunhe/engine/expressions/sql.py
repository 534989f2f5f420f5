"""The checked tree as DuckDB SQL.

A subtree that can fault (a cast that cannot be done, a division by zero) carries its state in one number, so
that no part is written twice: 0 false, 1 fault, 2 unknown, 3 true. AND is then the least; OR is its mirror.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from yunhe.engine.expressions import literals
from yunhe.engine.expressions.errors import ExpressionRefused
from yunhe.engine.expressions.functions import FUNCTIONS
from yunhe.engine.expressions.types import Node, Value
from yunhe.engine.quoting import quote_identifier, quote_literal

MAX_SQL: Final = 200_000
_MIRROR = "[3, 1, 2, 0]"
_FAULTY: Final = frozenset({"fit", "//", "%"})
_SAFE_CASTS: Final = frozenset(
    {("integer", "string"), ("date", "string"), ("boolean", "string"), ("boolean", "integer"), ("timestamp", "date")}
)
_COMPARE: Final = {
    "=": "=", "<>": "<>", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
    "same": "IS NOT DISTINCT FROM", "differs": "IS DISTINCT FROM",
}  # fmt: skip


def to_sql(tree: Node) -> str:
    """Return SQL whose value is the expression's; a fault makes a condition false and a scalar NULL."""
    if not can_fault(tree):
        return _plain(tree)
    if tree.type == "boolean":
        return f"CASE {_state(tree)} WHEN 3 THEN TRUE WHEN 2 THEN NULL ELSE FALSE END"
    return f"CASE WHEN {_fault(tree)} THEN NULL ELSE {_value(tree)} END"


def to_fault_sql(tree: Node) -> str:
    """Return SQL that is TRUE exactly where the value could not be computed; never NULL."""
    if not can_fault(tree):
        return "FALSE"
    return f"({_state(tree)} = 1)" if tree.type == "boolean" else _fault(tree)


def can_fault(tree: Node) -> bool:
    """Tell whether any part of the tree may be impossible to compute for some row."""
    if tree.op in _FAULTY:
        return True
    if tree.op == "cast" and (tree.args[0].type, tree.type) not in _SAFE_CASTS:
        return True
    return any(can_fault(child) for child in tree.args)


def literal(value: Value) -> str:
    """Return a value as an SQL literal."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, datetime):
        return f"TIMESTAMP '{value.isoformat(sep=' ')}'"
    if isinstance(value, date):
        return f"DATE '{value.isoformat()}'"
    if isinstance(value, (int, Decimal)):
        return f"({value:f})" if isinstance(value, Decimal) else (f"({value})" if value < 0 else str(value))
    return quote_literal(value)


def _plain(tree: Node) -> str:
    """Return the value of a subtree that cannot fault."""
    return _bounded(_EMIT[tree.op](tree, [_plain(child) for child in tree.args]))


def _value(tree: Node) -> str:
    """Return the value where there is no fault (any value where there is one)."""
    if not can_fault(tree):
        return _plain(tree)
    if tree.type == "boolean":
        return f"CASE {_state(tree)} WHEN 3 THEN TRUE WHEN 0 THEN FALSE END"
    if tree.op == "case":
        tests = [f"({_state(child)} = 3)" if index % 2 == 0 and index < len(tree.args) - 1 else _value(child)
                 for index, child in enumerate(tree.args)]  # fmt: skip
        return _bounded(_case(tree, tests))
    return _bounded(_EMIT[tree.op](tree, [_value(child) for child in tree.args]))


def _fault(tree: Node) -> str:
    """Return a condition, never NULL, that is true where a scalar could not be computed."""
    if not can_fault(tree):
        return "FALSE"
    if tree.type == "boolean":
        return f"({_state(tree)} = 1)"
    if tree.op == "case":
        return _case_fault(tree)
    if tree.op == "coalesce":
        return _coalesce_fault(tree.args)
    own = _OWN_FAULT.get(tree.op, _no_fault)(tree)
    inner = [_fault(child) for child in tree.args if can_fault(child)]
    return _bounded("(" + " OR ".join([*inner, *([own] if own else [])]) + ")")


def _state(tree: Node) -> str:
    """Return the number 0..3 of a condition."""
    if not can_fault(tree):
        return f"coalesce(CAST({_plain(tree)} AS TINYINT) * 3, 2)"
    children = tree.args
    if tree.op == "not":
        return _bounded(f"{_MIRROR}[{_state(children[0])} + 1]")
    if tree.op == "and":
        return _bounded(f"least({', '.join(_state(child) for child in children)})")
    if tree.op == "or":
        mirrored = ", ".join(f"{_MIRROR}[{_state(child)} + 1]" for child in children)
        return _bounded(f"{_MIRROR}[least({mirrored}) + 1]")
    if tree.op == "case":
        return _bounded(_case_state(tree))
    if tree.op == "coalesce":
        faults, values = _coalesce_fault(children), ", ".join(_value(child) for child in children)
        return _bounded(f"CASE WHEN {faults} THEN 1 ELSE coalesce(CAST(coalesce({values}) AS TINYINT) * 3, 2) END")
    faults = " OR ".join(_fault(child) for child in children if can_fault(child)) or "FALSE"
    if own := _OWN_FAULT.get(tree.op, _no_fault)(tree):
        faults = f"{faults} OR {own}"
    value = _EMIT[tree.op](tree, [_value(child) for child in children])
    return _bounded(f"CASE WHEN {faults} THEN 1 ELSE coalesce(CAST({value} AS TINYINT) * 3, 2) END")


def _case_state(tree: Node) -> str:
    arms = []
    for test, result in zip(tree.args[:-1:2], tree.args[1::2], strict=True):
        arms.append(f"CASE {_state(test)} WHEN 1 THEN 1 WHEN 3 THEN {_state(result)} ELSE ")
    return "".join(arms) + _state(tree.args[-1]) + " END" * len(arms)


def _case_fault(tree: Node) -> str:
    arms = []
    for test, result in zip(tree.args[:-1:2], tree.args[1::2], strict=True):
        arms.append(f"CASE {_state(test)} WHEN 1 THEN TRUE WHEN 3 THEN {_fault(result)} ELSE ")
    return _bounded("(" + "".join(arms) + _fault(tree.args[-1]) + " END" * len(arms) + ")")


def _coalesce_fault(children: tuple[Node, ...]) -> str:
    """A later branch counts only where the earlier ones are NULL."""
    first, *rest = children
    if not rest:
        return _fault(first)
    later = _coalesce_fault(tuple(rest))
    return _bounded(f"CASE WHEN {_fault(first)} THEN TRUE WHEN {_value(first)} IS NULL THEN {later} ELSE FALSE END")


def _no_fault(tree: Node) -> str:
    return ""


def _cast_fault(tree: Node) -> str:
    (child,) = tree.args
    if tree.op == "cast" and (child.type, tree.type) in _SAFE_CASTS:
        return ""
    return f"(({_value(child)}) IS NOT NULL AND ({_EMIT[tree.op](tree, [_value(child)])}) IS NULL)"


def _division_fault(tree: Node) -> str:
    left, right = (_value(child) for child in tree.args)
    return f"(({left}) IS NOT NULL AND coalesce(({right}) = 0, FALSE))"  # nothing divided by zero is unknown


def _field(tree: Node, args: list[str]) -> str:
    return quote_identifier(str(tree.value))


def _constant(tree: Node, args: list[str]) -> str:
    return literal(tree.value)  # type: ignore[arg-type]


def _joined(word: str) -> Callable[[Node, list[str]], str]:
    def emit(tree: Node, args: list[str]) -> str:
        return "(" + f" {word} ".join(args) + ")"

    return emit


def _or(tree: Node, args: list[str]) -> str:
    """Write an OR; one field against constants becomes an IN."""
    subjects = {child.args[0] for child in tree.args if child.op == "=" and child.args}
    items = [child.args[1] for child in tree.args if child.op == "="]
    plain = all(item.op == "literal" and item.type != "decimal" for item in items)
    if len(subjects) == 1 and len(items) == len(tree.args) and plain and not _has_decimal(tree):
        return f"({_plain(next(iter(subjects)))} IN ({', '.join(_plain(item) for item in items)}))"
    return "(" + " OR ".join(args) + ")"


def _has_decimal(tree: Node) -> bool:
    return any(side.type == "decimal" for child in tree.args for side in child.args) or any(
        child.op == "field" for child in tree.args
    )


def _compare(tree: Node, args: list[str]) -> str:
    left, right = tree.args
    first, second = args
    if "decimal" in (left.type, right.type):
        scale = max(left.scale, right.scale)
        width = max(left.width - left.scale, right.width - right.scale) + scale
        first, second = (f"CAST({side} AS DECIMAL({width}, {scale}))" for side in args)
    return f"({first} {_COMPARE[tree.op]} {second})"


def _arithmetic(tree: Node, args: list[str]) -> str:
    if tree.type == "integer":
        wide = [f"CAST({side} AS HUGEINT)" for side in args]
        return f"({wide[0]} {tree.op} {wide[1]})"
    if tree.op == "*":
        sides = [
            f"CAST({text} AS DECIMAL({side.width}, {side.scale}))" for text, side in zip(args, tree.args, strict=True)
        ]
        return f"({sides[0]} * {sides[1]})"
    size = f"DECIMAL({tree.width}, {tree.scale})"
    return f"CAST(CAST({args[0]} AS {size}) {tree.op} CAST({args[1]} AS {size}) AS {size})"


def _signed(tree: Node, args: list[str]) -> str:
    inner = f"CAST({args[0]} AS HUGEINT)" if tree.type == "integer" else args[0]
    return f"(- {inner})" if tree.op == "negate" else f"abs({inner})"


def _branch(tree: Node, text: str) -> str:
    return f"CAST({text} AS DECIMAL({tree.width}, {tree.scale}))" if tree.type == "decimal" else text


def _case(tree: Node, args: list[str]) -> str:
    arms = "".join(f" WHEN {test} THEN {_branch(tree, result)}"
                   for test, result in zip(args[:-1:2], args[1::2], strict=True))  # fmt: skip
    return f"CASE{arms} ELSE {_branch(tree, args[-1])} END"


def _listed(tree: Node, args: list[str]) -> str:
    return f"{tree.op}({', '.join(_branch(tree, text) for text in args)})"


def _like(tree: Node, args: list[str]) -> str:
    pattern, escape = tree.pattern
    ending = f" ESCAPE {quote_literal(escape)}" if escape else ""
    return f"({args[0]} LIKE {quote_literal(pattern)}{ending})"


def _call(tree: Node, args: list[str]) -> str:
    return FUNCTIONS[str(tree.value)].sql.format(*args)


def _fit(tree: Node, args: list[str]) -> str:
    return f"TRY_CAST({args[0]} AS DECIMAL({tree.width}, {tree.scale}))"


def _cast(tree: Node, args: list[str]) -> str:
    (text,) = args
    source = tree.args[0].type
    if source == "string":
        return _CAST_TEXT[tree.type](tree, text)
    if (source, tree.type) == ("timestamp", "date"):
        return f"CAST({text} + INTERVAL 8 HOUR AS DATE)"
    size = f"DECIMAL({tree.width}, {tree.scale})" if tree.type == "decimal" else ""
    return f"TRY_CAST({text} AS {size or {'string': 'VARCHAR', 'integer': 'BIGINT'}[tree.type]})"


def _matching(text: str, pattern: str, then: str = "") -> str:
    return f"CASE WHEN regexp_full_match({text}, {quote_literal(pattern)}) THEN {then or text} END"


def _text_to_date(tree: Node, text: str) -> str:
    parts = f"left({text}, 4) || '-' || substr({text}, 5, 2) || '-' || substr({text}, 7, 2)"
    written = f"CASE WHEN contains({text}, '-') THEN {text} ELSE {parts} END"
    return f"TRY_CAST(CASE WHEN left({text}, 4) <> '0000' THEN {_matching(text, literals.DATE_PATTERN, written)} END AS DATE)"


def _text_to_timestamp(tree: Node, text: str) -> str:
    written = _matching(text, literals.TIMESTAMP_PATTERN, f"replace({text}, 'T', ' ')")
    return f"(TRY_CAST(CASE WHEN left({text}, 4) >= '0002' THEN {written} END AS TIMESTAMP) - INTERVAL 8 HOUR)"


def _text_to_boolean(tree: Node, text: str) -> str:
    return f"CASE {text} WHEN 'true' THEN TRUE WHEN '1' THEN TRUE WHEN 'false' THEN FALSE WHEN '0' THEN FALSE END"


def _text_to_number(tree: Node, text: str) -> str:
    if tree.type == "integer":
        return f"TRY_CAST({_matching(text, literals.INTEGER_PATTERN)} AS BIGINT)"
    pattern = literals.decimal_pattern(tree.width, tree.scale)
    return f"TRY_CAST({_matching(text, pattern)} AS DECIMAL({tree.width}, {tree.scale}))"


def _bounded(sql: str) -> str:
    if len(sql) > MAX_SQL:
        raise ExpressionRefused("too_long", limit=MAX_SQL)
    return sql


_OWN_FAULT: Final[dict[str, Callable[[Node], str]]] = {
    "cast": _cast_fault, "fit": _cast_fault, "//": _division_fault, "%": _division_fault,
}  # fmt: skip
_CAST_TEXT: Final[dict[str, Callable[[Node, str], str]]] = {
    "integer": _text_to_number, "decimal": _text_to_number, "date": _text_to_date,
    "timestamp": _text_to_timestamp, "boolean": _text_to_boolean,
}  # fmt: skip
_EMIT: Final[dict[str, Callable[[Node, list[str]], str]]] = {
    "field": _field, "literal": _constant, "and": _joined("AND"), "or": _or, "concat": _joined("||"),
    "not": lambda tree, args: f"(NOT {args[0]})",
    "is_null": lambda tree, args: f"({args[0]} IS NULL)",
    "is_true": lambda tree, args: f"({args[0]} IS TRUE)",
    "is_false": lambda tree, args: f"({args[0]} IS FALSE)",
    "like": _like, "case": _case, "coalesce": _listed, "greatest": _listed, "least": _listed,
    "negate": _signed, "abs": _signed, "call": _call, "cast": _cast, "fit": _fit,
    **dict.fromkeys(_COMPARE, _compare), **dict.fromkeys(("+", "-", "*", "//", "%"), _arithmetic),
}  # fmt: skip
