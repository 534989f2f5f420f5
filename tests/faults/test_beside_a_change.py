"""While a change of procedure counts limits anew in one process, people work in another: nobody is turned away or waits long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.node import BOTH, run_program, settings_for

pytestmark = [pytest.mark.fault, pytest.mark.timeout(600)]
CASES, FEW = 150, 6


@pytest.fixture(scope="module", params=BOTH)
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with settings_for(request.param) as more:
        yield run_program("beside_process.py", tmp_path_factory.mktemp("beside") / "home", CASES, **more)


def test_nobody_waits_longer_than_a_few_transactions(found: Any) -> None:
    assert found["mover"] == 0 and found["transactions"] >= 5 and found["waits"]
    assert max(found["waits"]) <= FEW and set(found["refused"]) <= {"case_changed"}  # it moved just then


def test_no_case_is_lost_or_moved_twice(found: Any) -> None:
    assert (found["left"], found["twice"], found["unequal"]) == (0, 0, [])
    assert found["moved"] >= CASES - len(found["waits"])


def test_what_may_not_wait_for_another_is_known_as_busy(found: Any) -> None:
    assert found["busy"] is True
