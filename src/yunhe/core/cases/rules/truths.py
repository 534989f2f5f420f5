"""What the conditions of a kind can be while nothing of a case is known but what was chosen so far.

A comparison of one field with literals is asked by a sample of the field: each literal, what lies beside and between,
and NULL where the field may be empty. So conditions on one field are never true together that exclude one another.
What no sample decides (two fields compared, a function) is asked as a whole: true, false, unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Any

from yunhe.core.cases.rules.blocks import blocks_of
from yunhe.core.cases.rules.guards import COUNTS, expression_fields, group_fields, group_outcomes
from yunhe.core.cases.rules.values import must_be_ticked
from yunhe.core.cases.types import FieldSpec, KindSpec
from yunhe.engine.expressions import parse_expression
from yunhe.engine.expressions.closure import build
from yunhe.engine.expressions.types import Fault, Node

OTHER = "\x00"
"""A text that no condition names."""
_COMPARISONS = frozenset({"=", "<>", "<", "<=", ">", ">="})
_PLAIN = _COMPARISONS | {"field", "literal", "fit", "is_null", "is_true", "is_false", "same", "differs"}
_CASE_OWN = frozenset({"opener_id", "applicant_organization", "owner_organization"})
Ask = Callable[[str, tuple[Any, ...], frozenset[str]], Any]
"""Of what (a key), which answers there are, which fields it is about; returns one of them."""


class Truths:
    """The conditions of one kind. `empty` names further fields of the case that may hold nothing."""

    def __init__(self, kind: KindSpec, empty: frozenset[str] = frozenset()) -> None:
        self.kind = kind
        self.own = frozenset(field.name for field in kind.fields) | _CASE_OWN
        self.nullable = _nullable(kind) | empty
        self._texts: dict[tuple[str, str, tuple[FieldSpec, ...]], Node] = {}
        self._literals: dict[str, set[Any]] = {}
        for text, form, group in _conditions(kind):
            for leaf in _leaves(self.tree(text, form, group)):
                for name in _fields(leaf):
                    self._literals.setdefault(name, set()).update(_literals(leaf) if _is_plain(leaf) else ())

    def tree(self, text: str, form: tuple[FieldSpec, ...] = (), group: str = "") -> Node:
        """Return the checked tree of a condition of an action's form, or of a group's rule.

        What must be ticked before the form is taken is true in it.
        """
        if (text, group, form) not in self._texts:
            fields = {**expression_fields(self.kind, form), **(group_fields(self.kind, group) if group else {})}
            ticked = frozenset(f"form_{field.name}" for field in form if must_be_ticked(field) and not field.when)
            self._texts[text, group, form] = _with_ticks(parse_expression(text, fields).tree, ticked)
        return self._texts[text, group, form]

    def is_named(self, name: str) -> bool:
        """Tell whether any condition of the kind names this."""
        return name in self._literals

    def holds(self, tree: Node, ask: Ask, known: Callable[[str], Any]) -> bool:
        """Tell whether it is true, asking as little as decides it; `known` gives counts and the phase."""
        return self._truth(tree, ask, known) is True

    def most_counted(self, group: str, limit: int) -> int:
        """Return up to where the rules of a group tell counts apart."""
        trees = [self.tree(rule.when, (), group) for rule in self.kind.groups[group].rules]
        numbers = [value for tree in trees for value in _literals(tree) if isinstance(value, int) and not isinstance(value, bool)]
        return max(1, min(limit, 1 + max(numbers, default=0)))

    def counted_outcomes(self, group: str) -> tuple[str, ...]:
        """Return the outcomes whose number its rules can tell; "" stands for any that the kind does not name."""
        trees = [self.tree(rule.when, (), group) for rule in self.kind.groups[group].rules]
        named = frozenset().union(*map(_fields, trees))
        if named & {"done_count", "total_count"}:
            return ("", *group_outcomes(self.kind, group))
        return tuple(outcome for outcome in group_outcomes(self.kind, group) if f"count_{outcome}" in named)

    def _truth(self, node: Node, ask: Ask, known: Callable[[str], Any]) -> bool | None:
        if node.op == "not":
            inner = self._truth(node.args[0], ask, known)
            return None if inner is None else not inner
        if node.op not in ("and", "or"):
            return self._leaf(node, ask, known)
        decisive, unknown = node.op == "or", False
        for part in node.args:
            value = self._truth(part, ask, known)
            if value is decisive:
                return decisive
            unknown = unknown or value is None
        return None if unknown else not decisive

    def _leaf(self, node: Node, ask: Ask, known: Callable[[str], Any]) -> bool | None:
        names = _fields(node)
        if not names & self.own and all(map(_is_counted, names)):
            return _run(node, {name: known(name) for name in names})
        if len(names) == 1 and _is_plain(node):
            (name,) = names
            return _run(node, {name: ask(name, self._samples(name, node), names)})
        unsure = not _is_plain(node) or any(self._may_be_null(name) for name in names)
        return bool_or_none(ask(repr(node), (True, False, None) if unsure else (True, False), names))

    def _may_be_null(self, name: str) -> bool:
        return name in self.nullable

    def _samples(self, name: str, node: Node) -> tuple[Any, ...]:
        kind = next(part.type for part in _nodes(node) if part.op == "field")
        literals = sorted({value for value in self._literals.get(name, ()) if value is not None}, key=str)
        found: list[Any] = [True, False] if kind == "boolean" else _beside(literals, kind)
        choices = next((f.choices for f in self.kind.fields if f.name == name), ())
        if choices and kind == "string":
            allowed = [choice.value for choice in choices]
            found = [v for v in literals if v in allowed] + [v for v in allowed if v not in literals][:1]
        return (*found, *((None,) if self._may_be_null(name) else ()))


def bool_or_none(value: Any) -> bool | None:
    """Return an answer as a truth."""
    return value if value is True or value is False else None


@lru_cache(maxsize=512)
def _is_counted(name: str) -> bool:
    """Tell whether a name stands for what a transition knows of itself: a count of a group, or the phase."""
    return name in COUNTS or name.startswith("count_") or name == "case_phase"


def _run(node: Node, record: Mapping[str, Any]) -> bool | None:
    value = _built(node)(record)
    return False if isinstance(value, Fault) else bool_or_none(value)


@lru_cache(maxsize=4096)
def _built(node: Node) -> Callable[[Mapping[str, Any]], Any]:
    return build(node)


def _beside(literals: list[Any], kind: str) -> list[Any]:
    """Return samples that meet every region which the literals make."""
    if kind == "string":
        return [*literals, OTHER]
    step: Any = timedelta(days=1) if kind in ("date", "timestamp") else 1
    values = sorted(literals)
    if not values:
        return [date(2000, 1, 1) if kind == "date" else 0]
    between = [Decimal(a + b) / 2 for a, b in pairwise(values)] if kind == "decimal" else []
    samples = {value + shift for value in values for shift in (-step, 0 * step, step)} | set(between)
    return sorted(int(one) if kind == "integer" else one for one in samples)


@lru_cache(maxsize=4096)
def _is_plain(leaf: Node) -> bool:
    """Tell whether samples of its one field decide it: compared with literals only, texts by equality only."""
    texts = any(node.op == "field" and node.type in ("string", "timestamp") for node in _nodes(leaf))
    ordered = leaf.op in _COMPARISONS - {"=", "<>"}
    return all(node.op in _PLAIN for node in _nodes(leaf)) and not (texts and ordered)


def _with_ticks(tree: Node, ticked: frozenset[str]) -> Node:
    """Return the tree with true in place of these fields."""
    if tree.op == "field":
        return Node("literal", "boolean", value=True) if tree.value in ticked else tree
    return replace(tree, args=tuple(_with_ticks(part, ticked) for part in tree.args)) if ticked else tree


def _leaves(tree: Node) -> Iterator[Node]:
    if tree.op in ("and", "or", "not"):
        for part in tree.args:
            yield from _leaves(part)
    else:
        yield tree


def _nodes(tree: Node) -> Iterator[Node]:
    yield tree
    for part in tree.args:
        yield from _nodes(part)


@lru_cache(maxsize=4096)
def _fields(tree: Node) -> frozenset[str]:
    return frozenset(str(node.value) for node in _nodes(tree) if node.op == "field")


def _literals(leaf: Node) -> set[Any]:
    return {node.value for node in _nodes(leaf) if node.op == "literal"}


def _conditions(kind: KindSpec) -> Iterator[tuple[str, tuple[FieldSpec, ...], str]]:
    for _where, effects, form, _group in blocks_of(kind):
        yield from ((effect.when, form, "") for effect in effects if effect.when)
    for obligation in kind.obligations.values():
        for action in obligation.actions.values():
            yield from ((guard.when, action.fields, "") for guard in action.guards if guard.when)
    for name, group in kind.groups.items():
        yield from ((rule.when, (), name) for rule in group.rules)


def _nullable(kind: KindSpec) -> frozenset[str]:
    """Return the names that may stand for nothing: of the case, of forms (`form_x`), and the mean of no scores."""
    found = {field.name for field in kind.fields if field.internal or not field.required} | {"score_mean"}
    for _where, effects, form, _group in blocks_of(kind):
        found |= {f"form_{field.name}" for field in form if not field.required}
        found |= {name for effect in effects if effect.decide for name in effect.decide.into.values()}
        for spec in (effect.set_field for effect in effects if effect.set_field):
            source = spec.source.removeprefix("form.")
            given = next((field for field in form if field.name == source), None)
            if (given and not given.required) or spec.source.startswith("data.") or (not spec.source and spec.value is None):
                found.add(spec.field)
    found |= {name for obligation in kind.obligations.values() if obligation.child for name in obligation.child.results}
    scored = [a for g, o, a in _scored(kind) if g]
    return frozenset(found - {"score_mean"} if scored and all(scored) else found)


def _scored(kind: KindSpec) -> Iterator[tuple[str, str, bool]]:
    """Yield for each action of a group with a score whether its form requires the score."""
    for name, obligation in kind.obligations.items():
        group = kind.groups.get(obligation.group)
        if group and group.score:
            actions = obligation.actions.values()
            yield from ((obligation.group, name, any(f.name == group.score and f.required for f in a.fields)) for a in actions)
            if obligation.child:
                yield obligation.group, name, False
