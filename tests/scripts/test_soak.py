"""The soak resumes, rotates, stops in time, and fails when a test fails."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.soak import State, load_state, rotate, soak, units_of
from tests.architecture.graph import ROOT

UNITS = ["tests/a.py::one", "tests/a.py::two", "tests/b.py::three"]


def always(outcome: str | None):
    return lambda unit, seed, seconds: outcome


def test_a_finished_soak_leaves_nothing(tmp_path: Path) -> None:
    state = State(seed=1, code="c")
    assert soak(state, UNITS, path=tmp_path / "state.json", until=None, run=always("passed")) == []
    assert set(state.done) == set(UNITS) and state.failed == []


def test_a_failed_test_is_remembered(tmp_path: Path) -> None:
    state = State(seed=1, code="c")
    soak(state, UNITS, path=tmp_path / "s.json", until=None, run=always("failed"))
    assert state.failed == sorted(UNITS)


def test_an_interrupted_soak_resumes_with_its_seed(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    outcomes = iter(["passed", None])
    first = State(seed=7, code="c")
    left = soak(first, UNITS, path=path, until=None, run=lambda *_: next(outcomes))
    assert left == UNITS[1:]
    again = load_state(path, code="c", seed=None, fresh=False)
    assert again.seed == 7 and again.done == {UNITS[0]: "passed"}
    ran: list[str] = []
    soak(again, UNITS, path=path, until=None, run=lambda unit, *_: ran.append(unit) or "passed")
    assert ran == UNITS[1:]


@pytest.mark.parametrize(("code", "seed", "fresh"), [("other", None, False), ("c", 8, False), ("c", None, True)])
def test_other_code_another_seed_or_fresh_begins_anew(tmp_path: Path, code: str, seed: int | None, fresh: bool) -> None:
    path = tmp_path / "state.json"
    State(seed=7, code="c", done={UNITS[0]: "passed"}).save(path)
    assert load_state(path, code=code, seed=seed, fresh=fresh).done == {}


def test_a_torn_state_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    path.write_text('{"seed": 7, "co')
    assert load_state(path, code="c", seed=None, fresh=False).done == {}


def test_nothing_starts_after_the_time(tmp_path: Path) -> None:
    state = State(seed=1, code="c")
    assert soak(state, UNITS, path=tmp_path / "s.json", until=time.monotonic() - 1, run=always("passed")) == UNITS


def test_each_day_begins_elsewhere_and_none_is_lost() -> None:
    units = [f"t::{n}" for n in range(10)]
    days = [rotate(units, day) for day in range(10)]
    assert {day[0] for day in days} == set(units)
    assert all(sorted(day) == sorted(units) for day in days)
    assert rotate([], 3) == []


def test_parameters_of_a_function_run_together() -> None:
    assert units_of(["tests/a.py::one[1]", "tests/a.py::one[a::b]", "", "3 tests collected"]) == ["tests/a.py::one"]


def test_soak_sets_full_counts_and_its_seed(tmp_path: Path) -> None:
    code = "from tests.soaking import amount, seed_of; print(amount(small=3, full=300), seed_of('x'))"
    runs = {
        soaking: subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, env={"SOAK": soaking, "SOAK_SEED": "5", "PYTHONPATH": str(ROOT)},
            capture_output=True, text=True, check=True,
        ).stdout.split()
        for soaking in ("", "1")
    }  # fmt: skip
    assert runs[""][0] == "3" and runs["1"][0] == "300"
    assert runs[""][1] != runs["1"][1]


COUNTED = re.compile(r"\b(?:amount\(small|is_soaking\(\))")
TAKEN = re.compile(r"mark\.(?:soak|fault)\b|@given|@stateful|StateMachine")


def forgets_its_full_counts(text: str) -> bool:
    """Tell whether a module of tests has full counts, but nothing by which the soak would take it."""
    return bool(COUNTED.search(text)) and not TAKEN.search(text)


def test_whatever_has_full_counts_is_run_by_the_soak() -> None:
    assert forgets_its_full_counts("def test_a():\n    for n in range(amount(small=3, full=300)): ...")
    assert not forgets_its_full_counts("@pytest.mark.soak\ndef test_a():\n    amount(small=3, full=300)")
    modules = [file for file in (ROOT / "tests").rglob("test_*.py") if file != Path(__file__)]
    assert [file.name for file in modules if forgets_its_full_counts(file.read_text("utf-8"))] == []
