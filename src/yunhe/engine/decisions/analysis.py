"""What a table leaves open and where it says two things: exact for the language of the cells.

Inputs are taken as independent of each other; two expressions over one field may give combinations that never
happen. Overlaps: two rules are boxes, and boxes meet if they meet along every input. Gaps: a sweep along the inputs
(after Calvanese and others, Semantic DMN, 2016) that keeps the rules still alive, treats elements with the same rules
as one, stops where some rule covers all that follows, and remembers what it found covered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from itertools import combinations, islice
from operator import and_
from typing import Final

from yunhe.engine.decisions.deciding import Axis, axes_of, ranked
from yunhe.engine.decisions.domains import set_bits
from yunhe.engine.decisions.table import Table
from yunhe.engine.decisions.types import ON, Rule, Value

MAX_STEPS: Final = 1_000_000
MAX_FOUND: Final = 100
ONE_WINS: Final = ("first", "priority")

Witness = Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Overlap:
    """Two rules that both match `witness`; `differs` tells whether they give other outputs."""

    first: Rule
    second: Rule
    differs: bool
    witness: Witness


@dataclass(frozen=True, slots=True)
class Analysis:
    """The gaps, as examples that no rule covers, the overlaps, and the rules that never win.

    `unreached`: rules before which another one always comes; told for first and priority, where one rule wins.
    `too_large`: the work reached its limit, so that gaps, overlaps or such rules not listed may exist. `more`: the lists were
    cut at `MAX_FOUND`. With neither, the lists are complete: no gap listed means none exists.
    Shape: each witness has a value for every input, and under "on" a date.
    """

    gaps: tuple[Witness, ...]
    overlaps: tuple[Overlap, ...]
    unreached: tuple[Rule, ...]
    too_large: bool
    more: bool


class _Work:
    def __init__(self, most: int) -> None:
        self.left = most

    def spend(self, steps: int) -> bool:
        """Tell whether this much work may still be done."""
        self.left -= steps
        return self.left >= 0


def analyse(table: Table, *, on: date | None = None, most: int = MAX_STEPS) -> Analysis:
    """Return gaps, overlaps and rules that never win, on one date; without a date, of all time.

    Cost: about `most` steps at most for the gaps, for the rules, and for the overlaps, which need rules * rules / 2.
    """
    axes, rules = axes_of(table.declaration), ranked(table.declaration)
    reach = [axis.allowed & axis.domain.real for axis in axes]
    if on is not None:
        reach[-1] = 1 << axes[-1].domain.finder()(on)
    sweep, pairs, wins = _Work(most), _Work(most), _Work(most)
    gaps = list(islice(_gaps(axes, reach, len(rules), sweep), MAX_FOUND + 1))
    overlaps = list(islice(_overlaps(axes, reach, rules, pairs), MAX_FOUND + 1))
    losing = _losing(axes, reach, rules, wins) if table.declaration.hit in ONE_WINS else ()
    unreached = list(islice(losing, MAX_FOUND + 1))
    dated = {} if on is None else {ON: on}
    return Analysis(
        gaps=tuple({**_witness(axes, found), **dated} for found in gaps[:MAX_FOUND]),
        overlaps=tuple(
            Overlap(first, second, first.outputs != second.outputs, {**_witness(axes, found), **dated})
            for first, second, found in overlaps[:MAX_FOUND]
        ),
        unreached=tuple(unreached[:MAX_FOUND]),
        too_large=min(sweep.left, pairs.left, wins.left) < 0,
        more=max(len(gaps), len(overlaps), len(unreached)) > MAX_FOUND,
    )


def _gaps(axes: Sequence[Axis], reach: Sequence[int], rules: int, work: _Work) -> Iterator[list[int]]:
    """Yield an element of each axis for every combination without one of the first rules, like elements taken as one."""
    # Of each axis, one element for each set of rules that is met there.
    classes = [{axis.masks[element]: element for element in reversed(set_bits(mask))}
               for axis, mask in zip(axes, reach, strict=True)]  # fmt: skip
    covering = [(1 << rules) - 1]  # by axis: the rules that cover it and all that follow
    for masks in reversed(classes):
        covering.insert(0, reduce(and_, masks, covering[0]))
    covered: set[tuple[int, int]] = set()

    def sweep(at: int, alive: int, chosen: list[int]) -> Iterator[list[int]]:
        if not alive:
            yield chosen + [min(masks.values()) for masks in classes[at:]]
            return
        if alive & covering[at] or (at, alive) in covered or not work.spend(len(classes[at])):
            return
        clean = True
        branches = {alive & mask: element for mask, element in classes[at].items()}
        for left, element in reversed(branches.items()):
            for gap in sweep(at + 1, left, [*chosen, element]):
                clean = False
                yield gap
        if clean and work.left >= 0:
            covered.add((at, alive))

    if all(classes):
        yield from sweep(0, (1 << rules) - 1, [])


def _overlaps(
    axes: Sequence[Axis], reach: Sequence[int], rules: Sequence[Rule], work: _Work
) -> Iterator[tuple[Rule, Rule, list[int]]]:
    """Yield each pair of rules that meet, with an element of each axis where they do."""
    boxes = _boxes(axes, reach, rules)
    for (first, left), (second, right) in combinations(zip(rules, boxes, strict=True), 2):
        if not work.spend(1):
            return
        shared = [one & other for one, other in zip(left, right, strict=True)]
        if all(shared):
            yield first, second, [set_bits(mask)[0] for mask in shared]


def _losing(axes: Sequence[Axis], reach: Sequence[int], rules: Sequence[Rule], work: _Work) -> Iterator[Rule]:
    """Yield each rule in whose box, on a day that it is in force, every combination belongs to a rule before it."""
    for place, (rule, box) in enumerate(zip(rules, _boxes(axes, reach, rules), strict=True)):
        wins = next(_gaps(axes, box, place, work), None)
        if work.left < 0:
            return
        if wins is None and box[-1]:
            yield rule


def _boxes(axes: Sequence[Axis], reach: Sequence[int], rules: Sequence[Rule]) -> list[list[int]]:
    """Return the elements that each rule meets, by axis."""
    return [
        [axis.domain.mask(cell) & mask for axis, cell, mask in zip(axes, (*rule.cells, rule.validity), reach, strict=True)]
        for rule in rules
    ]


def _witness(axes: Sequence[Axis], elements: Sequence[int]) -> dict[str, Value]:
    return {
        axis.name: None if element == axis.domain.unknown else axis.domain.witnesses[element]
        for axis, element in zip(axes, elements, strict=True)
    }
