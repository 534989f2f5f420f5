"""Resource codes and names under concurrent registration: each once, none left out, nothing half entered."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import transaction

from tests.conftest import Cast
from tests.data.catalog.contracts import persons
from tests.soaking import amount
from yunhe.data.catalog import api
from yunhe.kernel.actor import Actor

ROOT = Path(__file__).resolve().parents[3]
PROGRAM = Path(__file__).with_name("crowd_process.py")
THREADS = 8


@pytest.mark.soak
def test_codes_of_many_who_register_at_once_are_one_row_without_gap(tmp_path: Path) -> None:
    each = amount(small=4, full=125)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("YUNHE_")}
    paths = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
    told = {"YUNHE_HOME": str(tmp_path), "DJANGO_SETTINGS_MODULE": "yunhe.settings.django", "PYTHONPATH": paths}
    command = [sys.executable, str(PROGRAM), str(THREADS), str(each)]
    done = subprocess.run(command, env={**clean, **told}, capture_output=True, text=True, timeout=1500, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert sorted(found["codes"]) == [f"300001/{number:04d}" for number in range(1, THREADS * each + 1)]
    assert found["same"] == {"won": 1, "taken": THREADS - 1}
    assert found["entries"] == found["listed"] == THREADS * each + 1


def register_then_fail(actor: Actor) -> None:
    with transaction.atomic():
        api.register_resource(contract=api.parse_contract(text=persons()), actor=actor)
        raise ZeroDivisionError


@pytest.mark.django_db
def test_a_registration_that_fails_takes_no_code(national: None, cast: Cast) -> None:
    with pytest.raises(ZeroDivisionError):
        register_then_fail(cast.steward.actor)
    done = api.register_resource(contract=api.parse_contract(text=persons()), actor=cast.steward.actor)
    assert done.code == "300001/0001"
