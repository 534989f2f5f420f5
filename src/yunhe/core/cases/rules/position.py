"""Where a case stands, as plain JSON-ready data, and how a difference changes it.

Shape of a position: {"case": {field: value}, "data": {field: value}, "obligations": {id: {field:
value}}, "clocks": {id: {field: value}}, "parties": {key: {field: value}}}. A difference has the same
shape and holds only what changed; folding the differences of all events gives the rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

PARTS = ("case", "data", "obligations", "clocks", "parties")
FLAT = ("case", "data")
Position = dict[str, dict[str, Any]]


def empty_position() -> Position:
    """Return the position of a case that is not there yet."""
    return {part: {} for part in PARTS}


def apply_difference(position: Position, difference: Mapping[str, Mapping[str, Any]]) -> Position:
    """Return the position after the difference; the given one is left as it is."""
    after = {part: dict(position[part]) for part in PARTS}
    for part, changes in difference.items():
        for name, value in changes.items():
            after[part][name] = value if part in FLAT else {**after[part].get(name, {}), **value}
    return after


def replay(differences: Iterable[Mapping[str, Mapping[str, Any]]]) -> Position:
    """Return the position that the differences give, in order, from nothing."""
    position = empty_position()
    for difference in differences:
        position = apply_difference(position, difference)
    return position


def list_differences(expected: Position, found: Position) -> tuple[str, ...]:
    """Return where two positions differ, as paths; empty when they are equal."""
    paths = []
    for part in PARTS:
        for name in sorted(expected[part].keys() | found[part].keys()):
            one, other = expected[part].get(name), found[part].get(name)
            if part in FLAT or one is None or other is None:
                paths += [f"{part}.{name}"] if one != other else []
            else:
                paths += [f"{part}.{name}.{key}" for key in sorted(one.keys() | other.keys()) if one.get(key) != other.get(key)]
    return tuple(paths)
