"""How the nodes of a BPMN picture stand: the shape, its timers, the names of what leaves it, all in one box that no line crosses.

Units: px; every measure is from the upper left corner of the box.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from yunhe.core.cases.rules.diagram import measure
from yunhe.core.cases.rules.graph import LAPSE, Place
from yunhe.core.cases.rules.layout import GRID, Node

TASK, GATEWAY, EVENT, LINE, WIDEST = (160, 80), (48, 48), (40, 40), 16, 200
Bounds = tuple[int, int, int, int]
Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Item:
    """A node of the process: the tag of its element, its name, and the band where it stands."""

    tag: str
    name: str
    band: int
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Out:
    """A flow that leaves: its name, the timer that it leaves from ("" for the node itself)."""

    flow: str
    name: str
    port: str = ""


@dataclass(frozen=True, slots=True)
class PlacedOut:
    """A flow that leaves, placed: its way to the border of the box, the bounds of its name."""

    flow: str
    port: str
    anchor: Point
    way: tuple[Point, ...]
    label: Bounds


@dataclass(frozen=True, slots=True)
class Shape:
    """A placed node. `tip`: how far inside its bounds arrows end; `note`: top and height of the note below it."""

    size: tuple[int, int]
    top: int
    width: int
    height: int
    enter: int
    tip: int
    outs: tuple[PlacedOut, ...]
    label: Bounds | None = None
    note: tuple[int, int] | None = None


def label_size(text: str, widest: int = WIDEST) -> tuple[int, int]:
    """Return how wide and how high a text is set."""
    wide = measure(text)
    width = min(widest, max(40, wide + 8))
    return width, LINE * -(-wide // max(1, width - 24 if wide > width else width))


def fan(item: Item, outs: Sequence[Out], note: str = "") -> Shape:
    """Return a node with what leaves it, one under the other."""
    if item.tag == "endEvent":
        wide, high = label_size(item.name)
        height = max(48, high)
        middle = height // 2 // GRID * GRID + 4
        return Shape(EVENT, middle - 20, 44 + wide, height, middle, 0, (), (44, max(0, middle - high // 2), wide, high))
    task = item.tag in ("userTask", "serviceTask", "callActivity")
    size = TASK if task else EVENT if item.tag == "startEvent" else GATEWAY
    begins = size[0] + (24 if task else 16)
    ordered = sorted(outs, key=lambda out: {"": 1, LAPSE: 2}.get(out.port, 0))  # a limit above, a lapse below
    sizes = [label_size(out.name) if out.name else (0, 0) for out in ordered]
    rows, down = [], 0
    for _out, (_wide, high) in zip(ordered, sizes, strict=True):
        down = _up(down + high + 4)
        rows.append(down)
        down += 2 * GRID if task else GRID
    top = 4 if item.tag == "startEvent" else 0
    if task and rows and ordered[0].port:
        top = max(0, rows[0] - 16)
    elif len(rows) == 1:  # it leaves from the middle
        top += max(0, _up(rows[0] - size[1] // 2 - top))
        rows = [top + size[1] // 2]
    placed = []
    for at, (out, row, (wide, high)) in enumerate(zip(ordered, rows, sizes, strict=True)):
        anchor = _anchor(out, size, top, row, task=task)
        turn = begins - 8 if not task else begins - 4 * (at % 2)
        way = (anchor,) if anchor[1] == row else (anchor, (turn, anchor[1]), (turn, row))
        border = begins + max((one for one, _ in sizes), default=0)
        placed.append(PlacedOut(out.flow, out.port, anchor, (*way, (border, row)), (begins, row - high - 2, wide, high)))
    width = begins + max((one for one, _ in sizes), default=0)
    height, label, below = max([top + size[1], *(row + 4 for row in rows)]), None, None
    if item.tag == "startEvent" or (item.tag.endswith("Gateway") and item.name):
        wide, high = label_size(item.name)
        label = (0, height + 4, wide, high)
        width, height = max(width, wide), height + 4 + high
    if note:
        below = (height + 16, 16 + label_size(note, size[0])[1])
        height = sum(below)
    middle = top + size[1] // 2
    return Shape(size, top, width, height, middle // GRID * GRID + 4, 0 if task else 4, tuple(placed), label, below)


def node_of(name: str, band: int, shape: Shape) -> Node:
    """Return the box of a placed node for the layout."""
    return Node(name, band, shape.width, shape.height, {out.flow: out.way[-1][1] for out in shape.outs}, shape.enter)


def _anchor(out: Out, size: tuple[int, int], top: int, row: int, *, task: bool) -> Point:
    if not task:
        return size[0], top + size[1] // 2
    if out.port:
        return size[0] + 16, row if top <= row <= top + size[1] else top + (8 if out.port != LAPSE else size[1] - 8)
    return size[0], min(max(row, top + 8), top + size[1] - 8)


def _up(value: int) -> int:
    return -(-value // GRID) * GRID
