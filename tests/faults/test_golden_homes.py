"""Homes of earlier versions open with today's code: everything stands where it stood, every case can be finished."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path

import pytest

from tests.faults.node import run_program

pytestmark = [pytest.mark.fault, pytest.mark.timeout(900)]
FOLDER = Path(__file__).with_name("golden")
HOMES = sorted(path.name.removesuffix(".tar.xz") for path in FOLDER.glob("*.tar.xz"))


def test_there_is_a_golden_home() -> None:
    assert HOMES and all((FOLDER / f"{name}.json").is_file() for name in HOMES)
    assert all((FOLDER / f"{name}.tar.xz").stat().st_size < 200_000 for name in HOMES)
    assert any(len(json.loads((FOLDER / f"{name}.json").read_text("utf-8")).get("holds", ())) > 12 for name in HOMES)


@pytest.mark.parametrize("name", HOMES)
def test_an_earlier_home_opens_and_every_case_in_it_is_finished(name: str, tmp_path: Path) -> None:
    told = json.loads((FOLDER / f"{name}.json").read_text("utf-8"))
    with tarfile.open(FOLDER / f"{name}.tar.xz") as archive:
        archive.extractall(tmp_path / "home", filter="data")
    (tmp_path / "home" / "keys").chmod(0o700)
    found = run_program("golden_process.py", tmp_path / "home", FOLDER / f"{name}.json")
    assert {number: found["before"]["cases"].get(number) for number in told["cases"]} == told["cases"]
    assert {what: found["before"]["counts"][what] for what in told["counts"]} == told["counts"]
    assert (found["lost"], found["unfinished"]) == ([], [])  # what it holds is there, and goes on from there
    assert (found["broken"], found["after"]) == ([], [])  # seals and events hold, before and after
    assert set(found["states"]) == {"closed"}, (found["states"], found["did"])
    assert found["waiting"] == 0 and found["did"]["resume"] > 1 and found["did"]["give_opinion"] > 0
