"""The checked tree as a Python closure over one record; no `eval`, no state, linear in the tree."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Context, Decimal
from typing import Any, Final

from yunhe.engine.expressions import literals
from yunhe.engine.expressions.functions import FUNCTIONS
from yunhe.engine.expressions.types import Fault, Node, ValueType

Record = Mapping[str, object]
Run = Callable[[Record], Any]

_CONTEXT: Final = Context(prec=90)
_CHINA = timedelta(hours=8)
_BIGINT: Final = range(-(2**63), 2**63)


def build(tree: Node) -> Run:
    """Return a function from a record to a value, None (unknown) or a Fault."""
    parts = [build(child) for child in tree.args]
    return _BUILD[tree.op](tree, parts)


def _strict(work: Callable[..., Any]) -> Callable[[Node, list[Run]], Run]:
    """Make an operator whose result is a fault if a part faults, else unknown if a part is."""

    def build_strict(tree: Node, parts: list[Run]) -> Run:
        def run(record: Record) -> Any:
            values = [part(record) for part in parts]
            for value in values:
                if isinstance(value, Fault):
                    return value
            return None if None in values else work(tree, *values)

        return run

    return build_strict


def _field(tree: Node, parts: list[Run]) -> Run:
    name = str(tree.value)

    def run(record: Record) -> Any:
        return _coerced(tree.type, record.get(name))

    return run


def _coerced(kind: ValueType, value: Any) -> Any:
    """Return a record's value as the tree counts with it; the door to a row is the only place types can lie."""
    if value is None or (type(value) is _EXACT.get(kind)):
        return value
    if kind == "decimal" and isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if kind == "timestamp" and isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo else value
    return Fault("wrong_type")


def _literal(tree: Node, parts: list[Run]) -> Run:
    return lambda record: tree.value


def _logic(decisive: bool) -> Callable[[Node, list[Run]], Run]:
    """AND stops at False, OR at True; a fault outweighs an unknown, and both wait for a decisive part."""

    def build_logic(tree: Node, parts: list[Run]) -> Run:
        def run(record: Record) -> Any:
            fault: Fault | None = None
            unknown = False
            for part in parts:
                value = part(record)
                if value is decisive:
                    return decisive
                fault = value if fault is None and isinstance(value, Fault) else fault
                unknown = unknown or value is None
            return fault or (None if unknown else not decisive)

        return run

    return build_logic


def _test(passes: Callable[[Any], bool]) -> Callable[[Node, list[Run]], Run]:
    def build_test(tree: Node, parts: list[Run]) -> Run:
        def run(record: Record) -> Any:
            value = parts[0](record)
            return value if isinstance(value, Fault) else passes(value)

        return run

    return build_test


def _null_safe(equal: bool) -> Callable[[Node, list[Run]], Run]:
    def build_same(tree: Node, parts: list[Run]) -> Run:
        def run(record: Record) -> Any:
            left, right = parts[0](record), parts[1](record)
            for value in (left, right):
                if isinstance(value, Fault):
                    return value
            return (left == right) is equal

        return run

    return build_same


def _case(tree: Node, parts: list[Run]) -> Run:
    tests, results, last = parts[:-1:2], parts[1::2], parts[-1]

    def run(record: Record) -> Any:
        for test, result in zip(tests, results, strict=True):
            decided = test(record)
            if isinstance(decided, Fault):
                return decided
            if decided is True:
                return result(record)
        return last(record)

    return run


def _coalesce(tree: Node, parts: list[Run]) -> Run:
    def run(record: Record) -> Any:
        for part in parts:
            value = part(record)
            if value is not None:
                return value
        return None

    return run


def _extreme(choose: Callable[..., Any]) -> Callable[[Node, list[Run]], Run]:
    """Return the greatest or least of those that are known, as DuckDB does."""

    def build_extreme(tree: Node, parts: list[Run]) -> Run:
        def run(record: Record) -> Any:
            values = [part(record) for part in parts]
            fault = next((value for value in values if isinstance(value, Fault)), None)
            known = [value for value in values if value is not None]
            return fault or (choose(known) if known else None)

        return run

    return build_extreme


def _divide(tree: Node, left: int, right: int) -> Any:
    """Divide towards zero, as SQL does; the remainder has the dividend's sign."""
    if right == 0:
        return Fault("zero_division")
    quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    return quotient if tree.op == "//" else left - quotient * right


def _number(name: str) -> Callable[[Node, Any, Any], Any]:
    def work(tree: Node, left: Any, right: Any) -> Any:
        if tree.type == "integer":
            return {"add": left + right, "subtract": left - right, "multiply": left * right}[name]
        return getattr(_CONTEXT, name)(Decimal(left), Decimal(right))

    return work


def _like(tree: Node, parts: list[Run]) -> Run:
    pattern, escape = tree.pattern
    elements = literals.like_parts(pattern, escape) or []

    def run(record: Record) -> Any:
        value = parts[0](record)
        return value if value is None or isinstance(value, Fault) else _matches(value, elements)

    return run


def _matches(text: str, elements: list[str | None]) -> bool:
    """Match a LIKE pattern by stepping back to the last % only. Cost: len(text) * len(pattern) at most."""
    at = element = 0
    star, resume = -1, 0
    while at < len(text):
        wanted = elements[element] if element < len(elements) else "end"
        if element < len(elements) and wanted is None:
            star, resume = element, at
            element += 1
        elif element < len(elements) and wanted in ("", text[at]):
            at, element = at + 1, element + 1
        elif star >= 0:
            resume += 1
            at, element = resume, star + 1
        else:
            return False
    return all(left is None for left in elements[element:])


def _call(tree: Node, *values: Any) -> Any:
    return FUNCTIONS[str(tree.value)].run(*values)


def _rounded(value: Decimal, width: int, scale: int) -> Any:
    rounded = value.quantize(Decimal(1).scaleb(-scale), rounding=ROUND_HALF_UP, context=_CONTEXT)
    return rounded if abs(rounded) < Decimal(10) ** (width - scale) else Fault("out_of_range")


def _cast(tree: Node, value: Any) -> Any:
    source = tree.args[0].type
    if source == "string":
        made = literals.text_to(tree.type, value, width=tree.width, scale=tree.scale)
        return Fault("cast") if made is None else made
    if tree.type == "string":
        return {"boolean": lambda: str(value).lower(), "integer": lambda: str(value)}.get(source, value.__str__)()
    if tree.type == "date":
        return (value + _CHINA).date()
    if tree.type == "decimal":
        return _rounded(Decimal(value), tree.width, tree.scale)
    whole = int(value) if source == "boolean" else int(value.quantize(Decimal(1), ROUND_HALF_UP, _CONTEXT))
    return whole if whole in _BIGINT else Fault("out_of_range")


_EXACT: Final[dict[str, type]] = {
    "string": str, "integer": int, "decimal": Decimal, "date": date, "boolean": bool,
}  # fmt: skip
_BUILD: Final[dict[str, Callable[[Node, list[Run]], Run]]] = {
    "field": _field, "literal": _literal, "and": _logic(False), "or": _logic(True), "case": _case,
    "coalesce": _coalesce, "like": _like, "same": _null_safe(True), "differs": _null_safe(False),
    "greatest": _extreme(max), "least": _extreme(min),
    "is_null": _test(lambda value: value is None),
    "is_true": _test(lambda value: value is True),
    "is_false": _test(lambda value: value is False),
    "not": _strict(lambda tree, value: not value),
    "=": _strict(lambda tree, left, right: left == right),
    "<>": _strict(lambda tree, left, right: left != right),
    "<": _strict(lambda tree, left, right: left < right),
    "<=": _strict(lambda tree, left, right: left <= right),
    ">": _strict(lambda tree, left, right: left > right),
    ">=": _strict(lambda tree, left, right: left >= right),
    "concat": _strict(lambda tree, *values: "".join(values)),
    "+": _strict(_number("add")), "-": _strict(_number("subtract")), "*": _strict(_number("multiply")),
    "//": _strict(_divide), "%": _strict(_divide),
    "negate": _strict(lambda tree, value: -value), "abs": _strict(lambda tree, value: abs(value)),
    "call": _strict(_call), "cast": _strict(_cast),
    "fit": _strict(lambda tree, value: _rounded(value, tree.width, tree.scale)),
}  # fmt: skip
