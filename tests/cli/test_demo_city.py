"""The demonstration city through the command line: what was planted is what the platform finds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.graph import SOURCE
from yunhe.cli.demo.generate import CityTruth, read_truth, sources_folder

pytestmark = pytest.mark.journey
# Which finding (rule, sub-reason) each planted error of a kept row must give, and no other.
EXPECTED = {
    "population": {
        ("citizen_id.citizen_id", "check_digit"): "citizen_id_check_digit",
        ("citizen_id.citizen_id", "old_form"): "citizen_id_old_form",
        ("gender.in_code_set", "unknown_code"): "gender_unknown_code",
        ("mobile.pattern", "pattern"): "mobile_short",
        ("citizen_id.id_birth_date", "birth_date_differs"): "birth_date_mismatch",
        ("citizen_id.id_gender", "gender_differs"): "gender_mismatch",
    },
    "enterprises": {
        ("uscc.uscc", "check_digit"): "uscc_check_digit",
        ("uscc.uscc", "old_form"): "uscc_old_form",
        ("enterprise_name.required", "missing"): "name_missing",
        ("registered_on.not_future", "future"): "registered_on_future",
    },
    "marriages": {
        ("husband_id.citizen_id", "check_digit"): "husband_id_check_digit",
        ("wife_id.required", "missing"): "wife_id_missing",
        ("registered_on.not_future", "future"): "registered_on_future",
        ("two_persons", "not_met"): "same_person",
    },
}
TITLES = {"户籍人口基本信息": "population", "企业登记基本信息": "enterprises", "婚姻登记信息": "marriages"}
PEOPLE, SEED = "1000", "11"


def yunhe(home: Path, *arguments: str) -> Any:
    """Run one command as a process of its own and return its JSON."""
    environment = {"PATH": os.environ["PATH"], "YUNHE_HOME": str(home), "PYTHONPATH": str(SOURCE), "LANG": "C.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-m", "yunhe.cli.main", *arguments, "--json"],
        env=environment, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str], CityTruth]:
    """The home, the resources' codes by source, and the truth."""
    home = tmp_path_factory.mktemp("home")
    made = yunhe(home, "demo", "--people", PEOPLE, "--seed", SEED)
    assert len({account["password"] for account in made["accounts"]}) == len(made["accounts"]) > 8
    codes = {TITLES[resource["title"]]: resource["code"] for resource in made["resources"]}
    return home, codes, read_truth(sources_folder(home))


@pytest.mark.parametrize("source", EXPECTED)
def test_every_record_has_the_fate_it_was_planted_for(city: tuple[Path, dict[str, str], CityTruth], source: str) -> None:
    home, codes, truth = city
    loaded = yunhe(home, "load", codes[source])
    wanted = truth.sources[source]
    assert (loaded["rows_in"], loaded["kept"], loaded["quarantined"], loaded["rejected"]) == (
        wanted.rows, wanted.kept, wanted.quarantined, wanted.rejected,
    )  # fmt: skip


@pytest.mark.parametrize("source", EXPECTED)
def test_the_findings_are_what_was_planted(city: tuple[Path, dict[str, str], CityTruth], source: str) -> None:
    home, codes, truth = city
    found: Counter[tuple[str, str]] = Counter()
    for rule in yunhe(home, "quality", "findings", codes[source])["rules"]:
        for reason, count in rule["reasons"].items():
            found[(rule["rule"], reason)] += count
    planted = truth.sources[source].planted
    assert found == {finding: planted[kind] for finding, kind in EXPECTED[source].items()}


def test_a_second_run_makes_nothing_and_shows_no_password(city: tuple[Path, dict[str, str], CityTruth]) -> None:
    home, codes, _ = city
    again = yunhe(home, "demo", "--people", PEOPLE, "--seed", SEED)
    assert again["accounts"] == []
    assert {resource["code"] for resource in again["resources"]} == set(codes.values())
