"""Small numbers (小数): counts so low that they could point at a person, told only as "fewer than the floor".

Nothing derived from a hidden count may give it back, so what is computed on (shares, sums) takes the
largest value that it may have. Source: GB/T 37964-2019 (de-identification), aggregation of small groups.
"""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["is_small", "largest_of", "merge_small"]


def is_small(count: int, floor: int) -> bool:
    """Tell whether a count is hidden: above none and under the floor. A floor of 0 hides nothing."""
    return 0 < count < floor


def largest_of(count: int, floor: int) -> int:
    """Return the count, or the largest that a hidden count may be."""
    return floor - 1 if is_small(count, floor) else count


def merge_small(parts: Mapping[str, int], floor: int) -> tuple[dict[str, int], int]:
    """Return the parts that may be shown, and the sum of those that may not.

    The sum is 0 or at least the floor, if the parts' sum is: where the small parts alone stay under it, the
    next larger part joins them, for a total less what is shown would tell them otherwise.
    """
    shown, merged = dict(parts), 0
    for name in sorted(parts, key=lambda name: (parts[name], name)):
        if not is_small(parts[name], floor) and not is_small(merged, floor):
            continue
        merged += shown.pop(name)
    return shown, merged
