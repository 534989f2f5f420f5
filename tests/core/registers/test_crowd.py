"""Numbers, codes and change sequences under many writers at once, on both databases."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.databases import fresh_database
from tests.soaking import amount, is_soaking

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(__file__).with_name("crowd_process.py")
pytestmark = [pytest.mark.soak, pytest.mark.timeout(3600 if is_soaking() else 300)]
WRITERS, RACERS = 4, 50


def run_crowd(home: Path, each: int, **more: str) -> Any:
    """Let the crowd write into a database of its own; return what it reported."""
    home.mkdir()
    clean = {name: value for name, value in os.environ.items() if not name.startswith("YUNHE_")}
    paths = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
    told = {"YUNHE_HOME": str(home), "DJANGO_SETTINGS_MODULE": "yunhe.settings.django", "PYTHONPATH": paths}
    command = [sys.executable, str(PROGRAM), str(WRITERS), str(each), str(RACERS), str(amount(small=2, full=50))]
    done = subprocess.run(command, env={**clean, **told, **more}, capture_output=True, text=True, timeout=3600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service)])
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    home, each = tmp_path_factory.mktemp("crowd") / "home", amount(small=25, full=2500)
    if request.param == "sqlite":
        yield run_crowd(home, each), each * WRITERS
        return
    with fresh_database("crowd") as database:
        yield run_crowd(home, each, YUNHE_PROFILE="server", YUNHE_DATABASE=database), each * WRITERS


def test_case_numbers_are_unique_and_without_gap(outcome: Any) -> None:
    """Over three days, beside writers who give up, whose cases close, and who are killed at any moment."""
    found, total = outcome
    assert len(set(found["made_numbers"])) == len(found["made_numbers"]) >= total + 3 * amount(small=2, full=50)
    by_day: dict[str, list[int]] = {}
    for number in found["numbers"]:
        head, tail = number.rsplit("-")
        by_day.setdefault(head, []).append(int(tail))
    assert len(by_day) == 3
    assert all(sorted(tails) == list(range(1, len(tails) + 1)) for tails in by_day.values())
    assert set(found["made_numbers"]) < set(found["numbers"])  # what was told to somebody is there
    assert len(found["numbers"]) <= len(found["made_numbers"]) + 1 + amount(small=2, full=50)  # one more of each who was killed, at most
    assert all(found["replayed"])


def test_the_number_of_a_case_that_was_removed_is_never_given_again(outcome: Any) -> None:
    found, _ = outcome
    gone, following = found["removed"]["gone"], found["removed"]["next"]
    assert gone not in found["numbers"] and following not in found["numbers"]
    assert int(following.rsplit("-")[1]) == int(gone.rsplit("-")[1]) + 1


def test_codes_and_change_sequences_are_unique_and_without_gap(outcome: Any) -> None:
    found, total = outcome
    assert sorted(found["made_codes"]) == found["codes"] == sorted(f"307001/{n:04d}" for n in range(1, total + 1))
    assert found["sequences"] == list(range(1, total + 1))


def test_of_fifty_who_answer_one_wins(outcome: Any) -> None:
    found, _ = outcome
    assert found["raced"]["won"] == 1 and sum(found["raced"].values()) == RACERS
    assert found["first"] == "closed"
    assert found["most_events"] == 2
