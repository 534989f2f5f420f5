"""Run the fault, matrix and property tests with their full counts; resume where an earlier run stopped.

The state lies in .soak/state.json: the seed, which code it is about, which tests are done. Changed code
begins anew. Which tests come first rotates by date, so that short runs cover all of them over the days.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import secrets
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STATE = ROOT / ".soak" / "state.json"
SELECTION = "fault or soak or property"
UNIT_SECONDS = 3600
CODE = ("src", "tests", "conftest.py", "pyproject.toml", "requirements.lock")
# Answers "passed" or "failed"; None when the time ran out before the end.
RunUnit = Callable[[str, int, float | None], str | None]


@dataclass(slots=True)
class State:
    """One soak: its seed, the code it judges, and each finished test function with its outcome."""

    seed: int
    code: str
    done: dict[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> list[str]:
        return sorted(unit for unit, outcome in self.done.items() if outcome == "failed")

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_suffix(".new")
        new.write_text(json.dumps(asdict(self), indent=1, sort_keys=True), "utf-8")
        new.replace(path)


def load_state(path: Path, *, code: str, seed: int | None, fresh: bool) -> State:
    """Return the earlier run's state if it is about the same code and seed, else a new one."""
    if not fresh:
        try:
            state = State(**json.loads(path.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            state = None
        if state is not None and state.code == code and seed in (None, state.seed):
            return state
    return State(seed=secrets.randbelow(2**31) if seed is None else seed, code=code)


def rotate(units: Sequence[str], day: int) -> list[str]:
    """Return the units, sorted, beginning at another place each day."""
    ordered = sorted(units)
    start = (day * 7919) % len(ordered) if ordered else 0  # a prime step, so that neighbours differ too
    return ordered[start:] + ordered[:start]


def units_of(node_ids: Sequence[str]) -> list[str]:
    """Return the test functions of collected tests (a function's parameters run together)."""
    return sorted({node.split("[", 1)[0] for node in node_ids if "::" in node})


def digest_of_code() -> str:
    digest = hashlib.sha256()
    for name in CODE:
        top = ROOT / name
        files = sorted(top.rglob("*.py")) if top.is_dir() else [top]
        for path in files:
            digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def pytest_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]


def collect(seed: int) -> list[str]:
    command = pytest_command("--collect-only", "-q", "-m", SELECTION)
    done = subprocess.run(command, cwd=ROOT, env=_environment(seed), capture_output=True, text=True, check=False)
    if done.returncode not in (0, 5):
        raise SystemExit(f"soak: the tests could not be collected\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    units = units_of(done.stdout.splitlines())
    if not units:
        raise SystemExit(f"soak: no test is marked {SELECTION}")
    return units


def run_unit(unit: str, seed: int, seconds: float | None) -> str | None:
    command = pytest_command(
        "-q", "--timeout", str(UNIT_SECONDS), "-m", SELECTION, f"--randomly-seed={seed}",
        "--hypothesis-profile=soak", f"--hypothesis-seed={seed}", unit,
    )  # fmt: skip
    try:
        done = subprocess.run(command, cwd=ROOT, env=_environment(seed), timeout=seconds, check=False,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True)  # fmt: skip
    except subprocess.TimeoutExpired:
        return None
    if done.returncode != 0:
        print(done.stdout[-8000:], done.stderr[-2000:], sep="\n", flush=True)
    return "passed" if done.returncode == 0 else "failed"


def _environment(seed: int) -> dict[str, str]:
    return {**os.environ, "SOAK": "1", "SOAK_SEED": str(seed)}


def soak(state: State, units: Sequence[str], *, path: Path, until: float | None, run: RunUnit = run_unit) -> list[str]:
    """Run what is not done yet, in order, saving after each; return what is left when the time is over."""
    left = [unit for unit in units if unit not in state.done]
    while left:
        seconds = None if until is None else until - time.monotonic()
        if seconds is not None and seconds <= 0:
            break
        unit = left[0]
        began = time.monotonic()
        print(f"soak: {unit} …", flush=True)
        outcome = run(unit, state.seed, seconds)
        if outcome is None:
            break
        left.pop(0)
        state.done[unit] = outcome
        state.save(path)
        print(f"soak: {outcome} {unit} ({time.monotonic() - began:.0f} s, {len(left)} left)", flush=True)
    return left


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=0, help="stop after so long; 0: until all is done")
    parser.add_argument("--seed", type=int, help="repeat a printed seed")
    parser.add_argument("--fresh", action="store_true", help="forget an earlier unfinished run")
    parser.add_argument("units", nargs="*", help="test functions (file::name); default: all")
    options = parser.parse_args(argv)
    until = time.monotonic() + options.minutes * 60 if options.minutes else None
    state = load_state(STATE, code=digest_of_code(), seed=options.seed, fresh=options.fresh)
    print(f"soak: seed {state.seed}, {len(state.done)} done before", flush=True)
    units = options.units or rotate(collect(state.seed), datetime.now(UTC).toordinal())
    state.save(STATE)
    left = soak(state, units, path=STATE, until=until)
    passed = len(state.done) - len(state.failed)
    print(f"soak: seed {state.seed}: {passed} passed, {len(state.failed)} failed, {len(left)} not reached", flush=True)
    for unit in state.failed:
        print(f"soak: again with: make soak ARGS='--fresh --seed {state.seed} {unit}'", flush=True)
    return 1 if state.failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
