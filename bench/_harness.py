"""What every measurement shares: interleaved rounds, medians, the machine, one line of JSON.

A round runs ours and the peer one after the other, in turns of who begins, each in a process of
its own, so that both meet the same machine and neither inherits the other's memory.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

WORK = Path(__file__).resolve().parents[1] / ".bench"
LEAST_ROUNDS = 5


@dataclass(frozen=True, slots=True)
class Result:
    """One measurement. `ratio` says how many times better than the peer ours is: above 1 is better."""

    name: str
    ours: float
    peer: float
    peer_name: str
    ratio: float
    unit: str
    rounds: int
    rows: int
    spread: dict[str, list[float]]
    machine: dict[str, Any]
    also: dict[str, Any] = field(default_factory=dict)


def parser(name: str, *, rows: int, about: str) -> argparse.ArgumentParser:
    """Return the command line every measurement has: --json, --rows, --rounds."""
    line = argparse.ArgumentParser(prog=f"python -m bench.{name}", description=about)
    line.add_argument("--json", action="store_true", help="print one line of JSON only")
    line.add_argument("--rows", type=int, default=rows, help=f"rows of generated input (default {rows:,})")
    line.add_argument("--rounds", type=int, default=LEAST_ROUNDS, help=f"rounds, at least {LEAST_ROUNDS}")
    return line


def interleave(
    ours: Callable[[], dict[str, Any]], peer: Callable[[], dict[str, Any]], *, rounds: int
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Run both `rounds` times (at least five), the first of a round in turns; return their reports."""
    mine: list[dict[str, Any]] = []
    theirs: list[dict[str, Any]] = []
    for number in range(max(rounds, LEAST_ROUNDS)):
        sides = [(ours, mine), (peer, theirs)]
        for run, reports in sides if number % 2 == 0 else reversed(sides):
            reports.append(run())
        note(f"round {number + 1}: ours {mine[-1]['seconds']:.2f} s, peer {theirs[-1]['seconds']:.2f} s")
    return mine, theirs


def run_apart(module: str, *arguments: str | Path, python: str | Path = sys.executable) -> dict[str, Any]:
    """Run `python -m module` in its own process; return the JSON object it prints last."""
    environment = {**os.environ, "PYTHONPATH": f"{WORK.parent / 'src'}{os.pathsep}{WORK.parent}"}
    done = subprocess.run(
        [str(python), "-m", module, *map(str, arguments)],
        check=False,
        stdout=subprocess.PIPE,  # stderr goes to the reader of ours
        text=True,
        env=environment,
        cwd=WORK.parent,
    )
    if done.returncode:
        raise SystemExit(f"python -m {module} ended with {done.returncode}")
    report: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return report


def compare(
    name: str,
    mine: Sequence[dict[str, Any]],
    theirs: Sequence[dict[str, Any]],
    *,
    peer_name: str,
    rows: int,
    also: dict[str, Any] | None = None,
) -> Result:
    """Return the result by the median seconds of each side."""
    seconds = {
        side: [round(report["seconds"], 3) for report in reports]
        for side, reports in (("ours", mine), ("peer", theirs))
    }
    ours, peer = statistics.median(seconds["ours"]), statistics.median(seconds["peer"])
    ratio = round(peer / ours, 3)
    return Result(name, ours, peer, peer_name, ratio, "s", len(mine), rows, seconds, machine(), also or {})


def machine() -> dict[str, Any]:
    """Describe the machine and how busy it is."""
    model = next(
        (line.split(":", 1)[1].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    memory = next((int(line.split()[1]) for line in _lines("/proc/meminfo") if line.startswith("MemTotal")), 0)
    return {
        "cpu": model,
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**20, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": [round(load, 2) for load in os.getloadavg()],
    }


def show(result: Result, *, as_json: bool) -> None:
    """Print the result: one line of JSON, or a few lines for people."""
    if as_json:
        print(json.dumps(asdict(result), ensure_ascii=False))
        return
    print(f"{result.name}: {result.rows:,} rows, {result.rounds} rounds, median")
    print(
        f"  ours {result.ours:.2f} {result.unit}   {result.peer_name} {result.peer:.2f} {result.unit}"
        f"   ratio {result.ratio}"
    )
    for label, value in {**result.also, **result.machine}.items():
        print(f"  {label}: {value}")


def peak_mb() -> int:
    """Return the most memory this process has held, in MB, file pages mapped included."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def note(text: str) -> None:
    """Say something to people; stdout is for the result."""
    print(text, file=sys.stderr, flush=True)


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
