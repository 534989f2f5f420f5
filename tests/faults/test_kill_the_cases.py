"""Killed at a statement of the database, cut off from it, or out of disk: after restart no half step, nothing twice.

Forty steps of a story (open, act, every operator, sub-cases, warnings, a changed calendar, a change procedure,
delivery) are struck on copies of the database. Each whole step happened or did not; asked for again, the end is
the one of an undisturbed run: every obligation, number, message and piece of evidence once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.node import BOTH, run_program, settings_for
from tests.soaking import amount, seed_of

pytestmark = [pytest.mark.fault, pytest.mark.soak, pytest.mark.timeout(6 * 3600)]
EVERY = 0


@pytest.fixture(scope="module", params=BOTH)
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    strikes = amount(small={"sqlite": 8, "postgresql": 4}[request.param], full=EVERY)
    with settings_for(request.param) as more:
        yield run_program("kill_process.py", tmp_path_factory.mktemp("kill") / "home", strikes, seed_of("kill"), **more)


def test_a_step_happened_or_did_not_and_asked_again_ends_the_same(report: Any) -> None:
    assert report["wrong"] == []
    assert report["strikes"] >= 4 and report["statements"] > 60
    assert report["again"] > 0  # some strikes undid their step


def test_a_step_that_is_no_transaction_is_found_out(report: Any) -> None:
    """The judge sees what is there to see: a row committed before the rest of its step leaves halves."""
    assert any("half a step" in line for line in report["planted"]), report
