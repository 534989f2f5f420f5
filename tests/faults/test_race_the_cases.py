"""Many at the same moment: one wins, the others are told; nothing happens twice, nobody waits for ever."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.node import BOTH, run_program, settings_for
from tests.soaking import amount

pytestmark = [pytest.mark.fault, pytest.mark.soak, pytest.mark.timeout(3600)]
TOLD = {"action_not_offered", "cannot_operate", "case_changed", "case_suspended", "done", "guard_refused", "not_retractable"}


@pytest.fixture(scope="module", params=BOTH)
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, int]]:
    many = amount(small=10, full=50)
    with settings_for(request.param) as more:
        yield run_program("race_process.py", tmp_path_factory.mktemp("race") / "home", many, **more), many


def test_whatever_happened_the_laws_hold_and_everyone_was_told_why(found: Any) -> None:
    races, _ = found
    assert races.pop("laws") == []
    assert {word for race in races.values() for word in race["told"]} - {"left over"} <= TOLD


def test_of_many_who_do_one_thing_one_does_it(found: Any) -> None:
    races, many = found
    assert races["same_submission"] == {"told": {"done": many}, "cases": 1}
    one = races["same_obligation"]
    assert (one["told"]["done"], sum(one["told"].values()), one["events"]) == (1, many, 2)
    assert one["open"] == ["opinion", "opinion"]
    assert races["everything_at_once"]["told"]["done"] >= races["everything_at_once"]["version"] - 1 > 1


def test_what_was_read_before_another_wrote_is_not_written(found: Any) -> None:
    races, many = found
    lost = {"case_changed": many - 1}
    assert (races["seen_before"]["told"], races["seen_before"]["version"]) == ({"done": 1, **lost}, 1)
    assert races["seen_before"]["any"]["done"] > 0  # the step itself stays possible: it is the version that was refused
    assert races["read_before"] == {"told": {"done": 1, **lost}, "version": 1, "reminders": 1}


def test_two_departments_that_end_at_once_open_one_decision(found: Any) -> None:
    races, _ = found
    assert all(opened == ["decide"] for opened in races["last_of_two"]["open"])


def test_two_cases_do_not_swallow_each_other(found: Any) -> None:
    told = found[0]["crossing"]["told"]
    assert told["left over"] == told["done"]


def test_what_time_does_is_done_once_by_many_workers(found: Any) -> None:
    warned, delivered = found[0]["warned_by_many"], found[0]["delivered_by_many"]
    assert (warned["told"], warned["twice"]) == ({"done": 4}, 0) and warned["rungs"] > 1
    assert (delivered["told"], delivered["twice"], delivered["waiting"]) == ({"done": 4}, 0, 0)
    assert delivered["left"] > 2 and delivered["sent"] > 5


def test_what_was_queued_for_a_case_that_is_over_does_nothing(found: Any) -> None:
    over = found[0]["over"]
    assert over["changed"] == [] and over["told"]["done"] == 4
