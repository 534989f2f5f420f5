"""A program of these tests on a node of its own, on SQLite or PostgreSQL."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.databases import fresh_database

ROOT = Path(__file__).resolve().parents[2]
BOTH = ["sqlite", pytest.param("postgresql", marks=pytest.mark.service)]


def run_program(name: str, home: Path, *arguments: object, **more: str) -> Any:
    """Run a program of this folder in an empty home; return what it reported."""
    home.mkdir(exist_ok=True)
    clean = {key: value for key, value in os.environ.items() if not key.startswith("YUNHE_")}
    paths = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
    told = {"YUNHE_HOME": str(home), "DJANGO_SETTINGS_MODULE": "yunhe.settings.django", "PYTHONPATH": paths, **more}
    command = [sys.executable, str(Path(__file__).with_name(name)), *map(str, arguments)]
    done = subprocess.run(command, env={**clean, **told}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


@contextmanager
def settings_for(database: str) -> Iterator[dict[str, str]]:
    """Yield the settings of a node on that kind of database."""
    if database == "sqlite":
        yield {}
        return
    with fresh_database("faults") as address:
        yield {"YUNHE_PROFILE": "server", "YUNHE_DATABASE": address}
