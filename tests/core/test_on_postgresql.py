"""The tests of the rooms once more with PostgreSQL as the control database: the same tests, in processes of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.databases import SERVER, fresh_database
from tests.soaking import amount

ROOT = Path(__file__).resolve().parents[2]
# What leans most on what the two databases do differently: order in JSON, search, locks, lists.
SMALL = ("core/cases/test_kinds.py", "core/cases/test_tables.py", "core/cases/test_search.py", "core/cases/test_inbox_views.py")
ROOMS = ("core/cases", "core/attachments", "core/organizations", "core/registers", "core/notices", "core/packs",
         "core/evidence", "core/statements", "data/catalog", "data/standards", "data/quality", "data/exchange", "web")  # fmt: skip
# Small counts there, and settings that the process makes itself.
NOT_HANDED_ON = ("PYTEST_", "YUNHE_", "DJANGO_", "SOAK")


@pytest.mark.service
@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", amount(small=("small",), full=ROOMS))
def test_what_passes_on_sqlite_passes_on_postgresql(part: str) -> None:
    with fresh_database("found"):  # skips, or fails, where none answers
        kept = {name: value for name, value in os.environ.items() if not name.startswith(NOT_HANDED_ON)}
        told = {**kept, "TESTS_ON": "postgresql", "TEST_DATABASE": SERVER}
        places = [str(ROOT / "tests" / name) for name in (SMALL if part == "small" else (part,))]
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:randomly", "-m", "not service and not journey", *places]
        done = subprocess.run(command, cwd=ROOT, env=told, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert "on postgresql" in done.stdout
