"""Tests that share what a module makes once are one piece of work; every other test is its own."""

from __future__ import annotations

from tests.sharing import LONG, ROOT, is_short, piece_of

KILL = "tests/faults/test_kill_the_cases.py"
ALONE = "tests/kernel/test_clock.py::test_days[sqlite]"


def test_a_module_that_makes_something_once_stays_together_by_database() -> None:
    assert piece_of(f"{KILL}::test_a[sqlite]") == piece_of(f"{KILL}::test_b[x-sqlite]")
    assert piece_of(f"{KILL}::test_a[sqlite]") != piece_of(f"{KILL}::test_a[postgresql]")


def test_a_shared_folder_stays_together_by_module() -> None:
    assert piece_of("tests/data/catalog/test_a.py::test_a") == "tests/data/catalog/test_a.py[]"


def test_another_test_is_its_own_piece() -> None:
    assert piece_of(ALONE) == ALONE


def test_journeys_faults_and_what_takes_long_come_first() -> None:
    assert [is_short(nodeid) for nodeid in (f"{KILL}::test_a[sqlite]", ALONE)] == [False, True]
    assert [prefix for prefix in LONG if not list(ROOT.glob(f"{prefix}*"))] == []
