"""Lay a graph out in bands from left to right: boxes in columns, lines only between columns and above or below all boxes.

Lines to one target share their way; lines to different targets cross but never lie on one another, and no line crosses
a box: boxes stand on a grid of 8, lines leave on the grid and arrive half a step beside it. Units: px.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

GRID, GAP, LANE, MARGIN = 8, 24, 10, 16
Point = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Node:
    """A box to be placed. `exits`: how far below its top lines leave, by port; `enter`: where lines arrive."""

    name: str
    band: int
    width: int
    height: int
    exits: Mapping[str, int]
    enter: int = 12


@dataclass(frozen=True, slots=True)
class Line:
    """A line to be drawn from a port of one box to another box."""

    source: str
    port: str
    target: str


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything stands: the corner of each box, the way of each line, the left and right of each band."""

    corners: Mapping[str, Point]
    ways: Mapping[Line, tuple[Point, ...]]
    bands: Mapping[int, tuple[int, int]]
    width: int
    height: int
    nodes: Mapping[str, Node] = field(default_factory=dict)


def lay_out(nodes: Sequence[Node], lines: Sequence[Line], *, head: int = 32) -> Layout:
    """Return the layout; the same graph gives the same one. `head` is left free above for the names of bands."""
    column = _columns(nodes, lines)
    known = {node.name: node for node in nodes}
    above = _tracks(line for line in lines if column[line.target] > column[line.source] + 1)
    below = _tracks(line for line in lines if column[line.target] <= column[line.source])
    lanes = _lanes(lines, column)
    top = head + GRID + _up(len(above) * LANE, GRID)
    lefts = _lefts(nodes, column, lanes)
    corners: dict[str, Point] = {}
    bottoms: dict[int, int] = defaultdict(lambda: top)
    for node in nodes:
        at = column[node.name]
        corners[node.name] = lefts[at], bottoms[at]
        bottoms[at] += _up(node.height, GRID) + GAP
    floor = max(bottoms.values(), default=top)
    track = {name: head + GRID + at * LANE for name, at in above.items()}
    deep = {name: floor + at * LANE for name, at in below.items()}

    def lane(at: int, target: str) -> int:
        return lefts[at] - MARGIN - LANE * (len(lanes[at]) - 1 - lanes[at].index(target))

    ways: dict[Line, tuple[Point, ...]] = {}
    for line in lines:
        source, target = known[line.source], known[line.target]
        x, y = corners[line.source]
        out, into = (x + source.width, y + source.exits[line.port]), (corners[line.target][0], corners[line.target][1] + target.enter)
        leave, arrive = column[line.source] + 1, column[line.target]
        x_out, x_in = lane(leave, line.target), lane(arrive, line.target)
        if leave == arrive:
            ways[line] = out, (x_out, out[1]), (x_out, into[1]), into
        else:
            level = track[line.target] if arrive > leave else deep[line.target]
            ways[line] = out, (x_out, out[1]), (x_out, level), (x_in, level), (x_in, into[1]), into
    last = max(column.values(), default=0)
    return Layout(corners, ways, _bands(nodes, column, lefts), lefts[last + 1], floor + len(below) * LANE + GRID, known)


def _columns(nodes: Sequence[Node], lines: Sequence[Line]) -> dict[str, int]:
    """Return the column of each box: its band's, and inside a band after those that lead to it (loops left aside)."""
    order = _visited(nodes, lines)
    band = {node.name: node.band for node in nodes}
    before: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        if band[line.source] == band[line.target] and order[line.source] < order[line.target]:
            before[line.target].append(line.source)
    rank: dict[str, int] = {}
    for name in sorted(order, key=lambda one: order[one]):
        rank[name] = max((rank[one] + 1 for one in before[name]), default=0)
    starts, at = {}, 0
    for number in sorted(set(band.values())):
        starts[number] = at
        at += 1 + max(rank[name] for name in band if band[name] == number)
    return {name: starts[band[name]] + rank[name] for name in band}


def _visited(nodes: Sequence[Node], lines: Sequence[Line]) -> dict[str, int]:
    """Return in which order a walk from the first box meets the others; what it does not meet comes last."""
    after: dict[str, list[str]] = defaultdict(list)
    for line in lines:
        after[line.source].append(line.target)
    order: dict[str, int] = {}
    for node in nodes:
        waiting = [node.name]
        while waiting:
            name = waiting.pop(0)
            if name not in order:
                order[name] = len(order)
                waiting += after[name]
    return order


def _tracks(lines: Iterable[Line]) -> dict[str, int]:
    """Return which track each target has."""
    targets = dict.fromkeys(line.target for line in lines)
    return {target: at for at, target in enumerate(targets)}


def _lanes(lines: Sequence[Line], column: Mapping[str, int]) -> dict[int, list[str]]:
    """Return for each space left of a column the targets whose lines run there."""
    found: dict[int, list[str]] = defaultdict(list)
    for line in lines:
        for at in (column[line.source] + 1, column[line.target]):
            if line.target not in found[at]:
                found[at].append(line.target)
    return found


def _lefts(nodes: Sequence[Node], column: Mapping[str, int], lanes: Mapping[int, list[str]]) -> dict[int, int]:
    """Return where each column begins, and after the last one where everything ends."""
    lefts, x = {}, 0
    for at in range(max(column.values(), default=0) + 2):
        x += 2 * MARGIN + LANE * max(0, len(lanes.get(at, ())) - 1)
        lefts[at] = x
        x += max((node.width for node in nodes if column[node.name] == at), default=0)
    return lefts


def _bands(nodes: Sequence[Node], column: Mapping[str, int], lefts: Mapping[int, int]) -> dict[int, tuple[int, int]]:
    found = {}
    for number in sorted({node.band for node in nodes}):
        inside = [node for node in nodes if node.band == number]
        first = min(column[node.name] for node in inside)
        found[number] = lefts[first] - GRID, max(lefts[column[node.name]] + node.width for node in inside) + GRID
    return found


def _up(value: int, step: int) -> int:
    return -(-value // step) * step
