"""The contracts of pyproject.toml hold, and each of them can break."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.graph import ROOT, SOURCE
from tests.architecture.laws import FLOORS

BREACHES = {
    "floors": ("kernel/ids.py", "import yunhe.web.urls"),
    "data": ("data/catalog/api.py", "import yunhe.data.exchange.api"),
    "core": ("core/keys/api.py", "import yunhe.core.jobs.api"),
    "no-django": ("gateway/app.py", "import django"),
    "client": ("client/signing.py", "import yunhe.engine.masks"),
    "duckdb": ("data/lake/api.py", "import duckdb"),
}


def run_linter(source: Path, cache: Path, *contracts: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    command += ["--config", str(ROOT / "pyproject.toml"), "--cache-dir", str(cache)]
    for contract in contracts:
        command += ["--contract", contract]
    environment = {**os.environ, "PYTHONPATH": str(source), "PYTHONUTF8": "1"}
    # From a folder without `yunhe`, so that only `source` is judged.
    return subprocess.run(command, env=environment, cwd=cache, capture_output=True, text=True, timeout=120, check=False)


def test_the_contracts_hold(tmp_path: Path) -> None:
    done = run_linter(SOURCE, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("contract", BREACHES)
def test_a_contract_breaks(tmp_path: Path, contract: str) -> None:
    source, cache = tmp_path / "src", tmp_path / "cache"
    cache.mkdir()
    for name in ("core", "data", *(floor.replace(".", "/") for floor in FLOORS)):
        (source / "yunhe" / name).mkdir(parents=True, exist_ok=True)
    for name in ("web/urls", "data/exchange/api", "core/jobs/api", "engine/masks"):
        (source / "yunhe" / f"{name}.py").touch()
    for folder in [source / "yunhe", *(path for path in (source / "yunhe").rglob("*") if path.is_dir())]:
        (folder / "__init__.py").touch()
    whole = run_linter(source, cache, contract)
    assert whole.returncode == 0, whole.stdout + whole.stderr
    where, text = BREACHES[contract]
    (source / "yunhe" / where).write_text(text + "\n")
    broken = run_linter(source, cache, contract)
    assert broken.returncode == 1 and "BROKEN" in broken.stdout, broken.stdout + broken.stderr
