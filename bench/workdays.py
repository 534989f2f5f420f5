"""bench.workdays: the day on which the n-th workday after a day falls, against the plain walk with `chinesecalendar`.

Every sum of the measured set, and every sum of 1 to 30 workdays from every day of 2004 to 2026, is equal on both sides.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yunhe_packs
from bench._harness import WORK, Result, compare, interleave, parser, run_apart, show
from bench._peers import peer_python
from yunhe.kernel.workdays import read_calendar

FIRST, LAST = date(2004, 1, 1), date(2026, 12, 31)
WANTED_PER_SECOND = 300_000
MOST = 30
PEER_SHARE = 50
"""The peer sums every 50th only, so that a round ends; its seconds are multiplied."""


def make_sums(count: int) -> list[tuple[str, int]]:
    """Return days and numbers of workdays, the same for the same count."""
    dice, span = random.Random(count), (LAST - FIRST).days - 60
    return [((FIRST + timedelta(days=dice.randrange(span))).isoformat(), dice.randrange(1, MOST + 1)) for _ in range(count)]


def run_once(file: Path) -> dict[str, Any]:
    """Add once in this process; return seconds and the answers that the peer gives too."""
    sums = [(date.fromisoformat(start), number) for start, number in json.loads(file.read_text())]
    calendar = read_calendar(Path(yunhe_packs.__path__[0]) / "national" / "calendars" / "workdays.csv")
    calendar.add_workdays(*sums[0])
    begun = time.perf_counter()
    found = [calendar.add_workdays(start, number) for start, number in sums]
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "answers": [day.isoformat() for day in found[::PEER_SHARE]]}


def check_all(python: Path) -> int:
    """Compare every sum of 1 to 30 workdays from every day; return how many."""
    calendar = read_calendar(Path(yunhe_packs.__path__[0]) / "national" / "calendars" / "workdays.csv")
    theirs = run_apart("bench.peers.workdays_chinese", "all", MOST, python=python)["days"]
    count = 0
    for start, days in theirs.items():
        ours = [calendar.add_workdays(date.fromisoformat(start), number).isoformat() for number in range(1, len(days) + 1)]
        if ours != days:
            raise SystemExit(f"from {start}: {ours} {days}")
        count += len(days)
    return count


def measure(count: int, rounds: int) -> Result:
    """Run the rounds, interleaved, check the answers, and return the result."""
    WORK.mkdir(exist_ok=True)
    file, python = WORK / f"workdays-{count}.json", peer_python("workdays")
    file.write_text(json.dumps(make_sums(count)))
    mine, theirs = interleave(
        lambda: run_apart("bench.workdays", "--once", file),
        lambda: run_apart("bench.peers.workdays_chinese", "some", file, PEER_SHARE, python=python),
        rounds=rounds,
    )
    for ours, peer in zip(mine, theirs, strict=True):
        if ours.pop("answers") != peer.pop("answers"):
            raise SystemExit("the answers differ")
    also = {
        "per_second": round(count / statistics.median(report["seconds"] for report in mine)),
        "peer_per_second": round(count / statistics.median(report["seconds"] for report in theirs)),
        "equal_sums": check_all(python),
        "wanted": f">= {WANTED_PER_SECOND} per second, equal for {FIRST.year} to {LAST.year}",
    }
    return compare("workdays", mine, theirs, peer_name="chinesecalendar 1.11.0, day by day", rows=count, also=also)


def main() -> None:
    """Parse the command line and print the result, or one process's report."""
    line = parser("workdays", rows=300_000, about=__doc__ or "")
    line.add_argument("--once", type=Path, default=None, help=argparse.SUPPRESS)
    options = line.parse_args()
    if options.once:
        print(json.dumps(run_once(options.once)))
        return
    show(measure(options.rows, options.rounds), as_json=options.json)


if __name__ == "__main__":
    main()
