"""A decision table as data: inputs, outputs, rules, and the decision it gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Final, Literal

CellType = Literal["string", "integer", "decimal", "date", "boolean"]
Value = str | int | Decimal | date | bool | None
HitPolicy = Literal["unique", "first", "any", "priority", "rule_order", "output_order",
                    "collect", "collect_sum", "collect_min", "collect_max", "collect_count"]  # fmt: skip

CELL_TYPES: Final = ("string", "integer", "decimal", "date", "boolean")
ORDERED: Final = ("integer", "decimal", "date")
HIT_POLICIES: Final = ("unique", "first", "any", "priority", "rule_order", "output_order",
                       "collect", "collect_sum", "collect_min", "collect_max", "collect_count")  # fmt: skip
# Those that answer with a list: the values of every hit (DMN 1.3, 8.2.10).
EVERY_HIT: Final = ("rule_order", "output_order", "collect")
# Those that go by the order of the outputs' allowed values.
BY_VALUES: Final = ("priority", "output_order")
# What a table that aggregates may hold in its one output.
AGGREGATES: Final[dict[str, tuple[str, ...]]] = {
    "collect_sum": ("integer", "decimal"), "collect_min": ORDERED, "collect_max": ORDERED, "collect_count": CELL_TYPES,
}  # fmt: skip
# The date that chooses among dated rules; no input may have this name.
ON: Final = "on"


@dataclass(frozen=True, slots=True)
class Span:
    """The values from `low` to `high`; an end of None is open to that side. One value has both ends the same."""

    low: Any
    high: Any
    low_in: bool = True
    high_in: bool = True


@dataclass(frozen=True, slots=True)
class Cell:
    """One condition. A known value meets it if it lies in a span (`negated`: in none), an unknown one if `null` is set.

    `-` has no span and is both `negated` and `null`; a negated cell other than that never meets an unknown value.
    """

    spans: tuple[Span, ...] = ()
    null: bool = False
    negated: bool = False


ANYTHING: Final = Cell(null=True, negated=True)


@dataclass(frozen=True, slots=True)
class Input:
    """One column of conditions: the field of the same name, or an expression over the table's fields.

    `values` limits what may be asked at all: anything else is refused, and analysis leaves it out.
    """

    name: str
    type: CellType
    expression: str = ""
    values: Cell = ANYTHING


@dataclass(frozen=True, slots=True)
class Output:
    """One column of results. `values` lists those allowed, for `priority` and `output_order` the most important first."""

    name: str
    type: CellType
    values: tuple[Value, ...] = ()
    default: Value = None
    has_default: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """One row: a cell per input, a value per output, the half-open time it is valid in, and the law it rests on.

    `row` counts as a spreadsheet does, the header being row 1.
    """

    row: int
    cells: tuple[Cell, ...]
    outputs: tuple[Value, ...]
    valid_from: date | None = None
    valid_until: date | None = None
    basis: str = ""
    note: str = ""

    @property
    def validity(self) -> Cell:
        """Return the dates of the rule as a condition on the date of the decision."""
        if self.valid_from is None and self.valid_until is None:
            return ANYTHING
        return Cell((Span(self.valid_from, self.valid_until, True, False),))


@dataclass(frozen=True, slots=True)
class Declaration:
    """A whole table (决策表). `fields` types what the inputs' expressions name."""

    name: str
    hit: HitPolicy
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    rules: tuple[Rule, ...]
    fields: Mapping[str, CellType] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """What a table decided, with all that is needed to show and repeat it.

    `inputs` are the values that the cells were held against. `outputs` has one value per output; under
    `rule_order`, `output_order` and `collect` it has the values of the hits, in the order of `hits`. No hits: the defaults.
    """

    table: str
    digest: str
    on: date
    inputs: Mapping[str, Value]
    outputs: Mapping[str, Any]
    hits: tuple[Rule, ...]
