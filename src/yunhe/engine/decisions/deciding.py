"""A table compiled: each input finds the rules its value meets as a bit mask; what all find are the hits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal
from functools import reduce
from itertools import accumulate
from operator import xor
from typing import Any, Final

from yunhe.engine.decisions.cells import cell_text
from yunhe.engine.decisions.domains import Domain, set_bits
from yunhe.engine.decisions.errors import InputRefused, NoRuleMatched, RulesDisagree, SeveralRulesMatched
from yunhe.engine.decisions.types import (
    BY_VALUES,
    EVERY_HIT,
    ON,
    Cell,
    CellType,
    Decision,
    Declaration,
    Input,
    Rule,
    Value,
)
from yunhe.engine.expressions import parse_expression

Record = Mapping[str, Any]
Decide = Callable[[Record, date], Decision]
_EXACT: Final = Context(prec=60)
_AGGREGATES: Final[dict[str, Callable[[Sequence[Any]], Value]]] = {
    "collect_count": len,
    "collect_sum": lambda values: _sum(values) if values else None,
    "collect_min": lambda values: min(values, default=None),
    "collect_max": lambda values: max(values, default=None),
}


@dataclass(frozen=True, slots=True)
class Axis:
    """One input against the rules: `masks[e]` are the rules (bit = place in `ranked`) that element e meets."""

    name: str
    domain: Domain
    masks: tuple[int, ...]
    allowed: int


def ranked(table: Declaration) -> tuple[Rule, ...]:
    """Return the rules, the first to win first: as written, for `priority` and `output_order` by the allowed values.

    Values go in the order of the outputs; an output that lists none orders nothing, equal ones stay as written.
    """
    if table.hit not in BY_VALUES:
        return table.rules
    ranks = [{value: rank for rank, value in enumerate(output.values)} for output in table.outputs]
    return tuple(sorted(table.rules, key=lambda rule: [
        rank.get(value, len(rank)) for rank, value in zip(ranks, rule.outputs, strict=True)]))  # fmt: skip


def axes_of(table: Declaration) -> tuple[Axis, ...]:
    """Return an axis for each input and, last, one for the date the rules are valid on."""
    rules = ranked(table)
    columns = [
        _axis(entry.name, entry.type, entry.values, [rule.cells[at] for rule in rules])
        for at, entry in enumerate(table.inputs)
    ]
    known = Cell(negated=True)
    return (*columns, _axis(ON, "date", known, [rule.validity for rule in rules]))


def compile_table(table: Declaration, digest: str) -> Decide:
    """Return the function that decides one record on one date."""
    rules = ranked(table)
    *axes, days = axes_of(table)
    columns = [(entry, entry.name, _reader(table, entry), axis.domain.finder(), _met(axis))
               for entry, axis in zip(table.inputs, axes, strict=True)]  # fmt: skip
    find_day, valid = days.domain.finder(), _met(days)
    conclude = _conclusion(table)

    def decide(record: Record, on: date) -> Decision:
        alive = valid[find_day(on)]
        if alive is None:
            raise _refused(table, Input(ON, "date"), on, find_day)
        inputs = {}
        for entry, name, read, find, masks in columns:
            inputs[name] = value = read(record) if read else record.get(name)
            met = masks[find(value)]
            if met is None:
                raise _refused(table, entry, value, find)
            alive &= met
        hits = [rules[place] for place in set_bits(alive)]
        outputs, hits = conclude(hits, inputs, on)
        return Decision(table.name, digest, on, inputs, outputs, tuple(hits))

    return decide


def _axis(name: str, kind: CellType, values: Cell, cells: Sequence[Cell]) -> Axis:
    domain = Domain(kind, [*cells, values])
    turns = [0] * (domain.unknown + 2)  # by element: the rules that begin or end there
    for place, cell in enumerate(cells):
        met = domain.mask(cell)
        for element in set_bits(met ^ (met << 1)):
            turns[element] ^= 1 << place
    masks = list(accumulate(turns, xor))[:-1]
    return Axis(name, domain, tuple(masks), domain.mask(values))


def _met(axis: Axis) -> tuple[int | None, ...]:
    """Return the rules by element, None where the input refuses it; the last one, at -1, is for a value of another type."""
    return (*(mask if axis.allowed >> element & 1 else None for element, mask in enumerate(axis.masks)), None)


def _reader(table: Declaration, entry: Input) -> Callable[[Record], Any] | None:
    """Return the function that computes an expression input, None for a field."""
    if not entry.expression:
        return None
    explain = parse_expression(entry.expression, table.fields, boolean=False).explainer()

    def read(record: Record) -> Any:
        outcome = explain(record)
        if outcome.reason:
            raise InputRefused("fault", table=table.name, input=entry.name, found=outcome.reason)
        return outcome.value

    return read


def _refused(table: Declaration, entry: Input, value: Any, find: Callable[[Any], int]) -> InputRefused:
    if find(value) < 0 or entry.name == ON:
        found = type(value).__name__
        return InputRefused("type", table=table.name, input=entry.name, expected=entry.type, found=found)
    return InputRefused("values", table=table.name, input=entry.name, expected=cell_text(entry.values))


def _conclusion(table: Declaration) -> Callable[[list[Rule], Record, date], tuple[dict[str, Any], list[Rule]]]:
    """Return the function from the hits to the outputs and the rules they rest on."""
    names = [output.name for output in table.outputs]
    defaults = {output.name: output.default for output in table.outputs}
    has_default = any(output.has_default for output in table.outputs)
    aggregate = _AGGREGATES.get(table.hit)
    many = table.hit in EVERY_HIT

    def conclude(hits: list[Rule], inputs: Record, on: date) -> tuple[dict[str, Any], list[Rule]]:
        if not hits and has_default:
            return defaults.copy(), hits
        if many:
            columns = zip(*[rule.outputs for rule in hits], strict=True) if hits else [()] * len(names)
            return dict(zip(names, columns, strict=True)), hits
        if aggregate:
            return {names[0]: aggregate([rule.outputs[0] for rule in hits])}, hits
        if not hits:
            unknown = ", ".join(name for name, value in inputs.items() if value is None) or "-"
            raise NoRuleMatched(table=table.name, on=on, unknown=unknown)
        if len(hits) > 1:
            hits = _settle(table, hits)
        return dict(zip(names, hits[0].outputs, strict=True)), hits

    return conclude


def _settle(table: Declaration, hits: list[Rule]) -> list[Rule]:
    """Return the rules that several hits come to. Raises: SeveralRulesMatched, RulesDisagree."""
    first, *others = hits
    if table.hit == "unique":
        raise SeveralRulesMatched(table=table.name, first=first.row, second=others[0].row)
    if table.hit == "any":
        for other in others:
            if other.outputs != first.outputs:
                raise RulesDisagree(table=table.name, first=first.row, second=other.row)
        return hits
    return [first]


def _sum(values: Sequence[Any]) -> Value:
    whole = all(isinstance(value, int) for value in values)
    total: int | Decimal = sum(values) if whole else reduce(_EXACT.add, values, Decimal(0))
    return total
