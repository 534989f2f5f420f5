"""The values of one input, cut into elements within which every value meets the same cells.

The ends named by the cells are the points p0 < p1 < …; element 2i + 1 is the point pi alone, element 2i what lies
before it (2n: behind the last), and the last element is the unknown value. For text, element 0 is any text that
no cell names; for booleans both values are points. An element without a value (no integer lies between 1 and 2)
stays numbered and is not `real`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from decimal import Context, Decimal
from itertools import count
from typing import Any, Final

from yunhe.engine.decisions.types import ORDERED, Cell, CellType, Value

_CONTEXT: Final = Context(prec=60)  # an end has 18 digits: the middle of two is exact
_SOME_DAY: Final = date(2000, 1, 1)
_PYTHON: Final[dict[CellType, type]] = {
    "string": str,
    "integer": int,
    "decimal": Decimal,
    "date": date,
    "boolean": bool,
}


class Domain:
    """The elements of one input under a set of cells; a set of elements is a bit mask."""

    def __init__(self, kind: CellType, cells: Iterable[Cell]) -> None:
        ends = {end for cell in cells for span in cell.spans for end in (span.low, span.high) if end is not None}
        self.kind = kind
        self.points: list[Any] = [False, True] if kind == "boolean" else sorted(ends)
        self.unknown = 2 * len(self.points) + 1
        self._place = {point: 2 * index + 1 for index, point in enumerate(self.points)}
        self.witnesses: tuple[Value, ...] = tuple(map(self._witness, range(self.unknown)))
        self.real = 1 << self.unknown
        for element, witness in enumerate(self.witnesses):
            self.real |= (witness is not None) << element

    def mask(self, cell: Cell) -> int:
        """Return the elements whose values meet the cell."""
        known = (1 << self.unknown) - 1
        met = 0
        for span in cell.spans:
            first = 0 if span.low is None else self._place[span.low] + (not span.low_in)
            last = self.unknown - 1 if span.high is None else self._place[span.high] - (not span.high_in)
            met |= (1 << (last + 1)) - (1 << first) if first <= last else 0
        return (known & ~met if cell.negated else met) | (cell.null << self.unknown)

    def finder(self) -> Callable[[Any], int]:
        """Return a function from a value to its element; it gives -1 for a value of another type."""
        expected, place, unknown, points = _PYTHON[self.kind], self._place, self.unknown, self.points

        def find_listed(value: Any) -> int:
            if type(value) is expected:
                return place.get(value, 0)
            return unknown if value is None else -1

        def find_ordered(value: Any) -> int:
            if type(value) is expected:
                return place.get(value) or 2 * bisect_left(points, value)
            return unknown if value is None else -1

        def find_decimal(value: Any) -> int:
            if type(value) is int or (type(value) is Decimal and value.is_finite()):
                return place.get(value) or 2 * bisect_left(points, value)
            return unknown if value is None else -1

        return find_decimal if expected is Decimal else find_ordered if self.kind in ORDERED else find_listed

    def _witness(self, element: int) -> Value:
        """Return a value of a known element, None if it has none."""
        if element % 2:
            return self.points[element // 2]  # type: ignore[no-any-return]
        if self.kind not in ORDERED:
            return self._other_text() if self.kind == "string" and element == 0 else None
        low = self.points[element // 2 - 1] if element else None
        high = self.points[element // 2] if element < self.unknown - 1 else None
        return _BETWEEN[self.kind](low, high)

    def _other_text(self) -> str:
        return next(text for text in ("?" * length for length in count(1)) if text not in self._place)


def set_bits(mask: int) -> list[int]:
    """Return the places of the bits that are set, the lowest first."""
    places = []
    while mask:
        lowest = mask & -mask
        places.append(lowest.bit_length() - 1)
        mask ^= lowest
    return places


def _integer_between(low: Any, high: Any) -> Value:
    if low is None:
        return 0 if high is None else int(high) - 1
    return int(low) + 1 if high is None or high - low > 1 else None


def _decimal_between(low: Any, high: Any) -> Value:
    if low is None:
        return Decimal(0) if high is None else _CONTEXT.subtract(high, Decimal(1))
    return _CONTEXT.add(low, Decimal(1)) if high is None else _CONTEXT.divide(_CONTEXT.add(low, high), Decimal(2))


def _date_between(low: Any, high: Any) -> Value:
    if low is None and high is None:
        return _SOME_DAY
    try:
        found: date = high - timedelta(1) if low is None else low + timedelta(1)
    except OverflowError:  # the calendar ends here
        return None
    return found if low is None or high is None or found < high else None


_BETWEEN: Final[dict[CellType, Callable[[Any, Any], Value]]] = {
    "integer": _integer_between, "decimal": _decimal_between, "date": _date_between,
}  # fmt: skip
