"""Small numbers: what is hidden cannot be computed from what is shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunhe.kernel.small_numbers import is_small, largest_of, merge_small

PARTS = st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(0, 60), max_size=6)


@pytest.mark.parametrize(("count", "hidden"), [(0, False), (1, True), (9, True), (10, False), (11, False)])
def test_the_floor_itself_and_none_at_all_are_shown(count: int, hidden: bool) -> None:
    assert is_small(count, 10) is hidden
    assert largest_of(count, 10) == (9 if hidden else count)


def test_no_floor_hides_nothing() -> None:
    assert merge_small({"a": 1, "b": 2}, 0) == ({"a": 1, "b": 2}, 0)
    assert largest_of(1, 0) == 1


def test_the_next_larger_part_joins_a_lone_small_one() -> None:
    assert merge_small({"length": 3, "check_digit": 40, "alphabet": 500}, 10) == ({"alphabet": 500}, 43)
    assert merge_small({"length": 6, "alphabet": 7, "check_digit": 40}, 10) == ({"check_digit": 40}, 13)


@given(PARTS, st.integers(0, 30))
def test_total_less_what_is_shown_is_never_small(parts: dict[str, int], floor: int) -> None:
    shown, merged = merge_small(parts, floor)
    assert sum(shown.values()) + merged == sum(parts.values())
    assert all(parts[name] == count for name, count in shown.items())
    assert not any(is_small(count, floor) for count in shown.values())
    if sum(parts.values()) >= floor:
        assert not is_small(merged, floor)
