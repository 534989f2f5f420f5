"""bench.inbox: first page and count over a million cases, for a person allowed 170 kinds in 40 organisations.

Measured are the public calls, as a page makes them: `list_cases(state=open)` (what goes on and may be seen, with count and
facets) and `list_waiting` (whose turn it is). The number of queries must not depend on what is shown.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

from bench._cases import start_node
from bench._harness import Result, machine, note, parser, run_apart, show
from bench._inbox_data import make_rows

WANTED_MS = 50.0
CALLS = 60
ALLOWED_KINDS, ALLOWED_BODIES = 170, 40


def run_once(home: Path) -> dict[str, Any]:
    """Ask both lists again and again; return milliseconds, totals and numbers of queries."""
    start_node(home)
    from django.db import connection, reset_queries

    from yunhe.core.cases import api
    from yunhe.kernel.actor import Actor, Right
    from yunhe.kernel.pages import PageRequest

    with connection.cursor() as cursor:
        cursor.execute("SELECT code FROM bench_body WHERE place < 400 ORDER BY place")
        codes = [code for (code,) in cursor.fetchall()]
    kinds = frozenset(f"k{number:03}" for number in range(ALLOWED_KINDS))
    report: dict[str, Any] = {"milliseconds": {"cases": [], "waiting": []}, "queries": {"cases": set(), "waiting": set()}, "totals": {}}
    for number in range(CALLS):
        bodies = codes[number % 300 : number % 300 + ALLOWED_BODIES]
        rights = tuple(Right(name, frozenset(bodies), kinds=kinds) for name in ("cases.view", "cases.act"))
        actor = Actor("user", f"user:{900 + number}", "量", bodies[0], "", "data_steward", rights)
        asked = {
            "cases": lambda actor=actor: api.list_cases(request=PageRequest(filters={"state": "open"}), actor=actor),
            "waiting": lambda actor=actor: api.list_waiting(request=PageRequest(), actor=actor),
        }
        for name, ask in asked.items():
            connection.force_debug_cursor = number % 10 == 9
            reset_queries()
            begun = time.perf_counter()
            page = ask()
            report["milliseconds"][name].append((time.perf_counter() - begun) * 1000)
            report["totals"][name] = page.total
            if number % 10 == 9:
                report["queries"][name].add(len(connection.queries_log))
    for name, counts in report["queries"].items():
        if len(counts) != 1:
            raise SystemExit(f"{name}: {counts} queries")
        report["queries"][name] = counts.pop()
    report["milliseconds"] = {name: told[2:] for name, told in report["milliseconds"].items()}
    return report


def measure(cases: int, rounds: int) -> Result:
    """Run the rounds in fresh processes; p95 over the calls of each, the median of rounds."""
    home = make_rows(cases)
    reports = []
    for number in range(rounds):
        reports.append(run_apart("bench.inbox", "--once", home))
        note(f"round {number + 1}: {[p95(reports[-1]['milliseconds'][name]) for name in ('cases', 'waiting')]} ms")
    spread = {name: [p95(report["milliseconds"][name]) for report in reports] for name in ("cases", "waiting")}
    middle = {name: round(statistics.median(statistics.median(r["milliseconds"][name]) for r in reports), 1) for name in spread}
    p95s = {name: round(statistics.median(told), 1) for name, told in spread.items()}
    worst = max(p95s.values())
    also = {"p95_ms": p95s, "p50_ms": middle, "queries": reports[-1]["queries"], "totals": reports[-1]["totals"], "database": "SQLite"}
    return Result("inbox", worst, WANTED_MS, "limit set", round(WANTED_MS / worst, 3), "ms", len(reports), cases, spread, machine(), also)


def p95(values: list[float]) -> float:
    """Return the 95th percentile."""
    return round(sorted(values)[int(len(values) * 0.95)], 2)


def main() -> None:
    """Parse the command line and print the result, or one process's report."""
    line = parser("inbox", rows=1_000_000, about=__doc__ or "")
    line.add_argument("--once", type=Path, default=None, help=argparse.SUPPRESS)
    options = line.parse_args()
    if options.once:
        print(json.dumps(run_once(options.once)))
        return
    show(measure(options.rows, options.rounds), as_json=options.json)


if __name__ == "__main__":
    main()
