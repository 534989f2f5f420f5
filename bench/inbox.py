"""bench.inbox: first page and count over a million cases, for a person allowed 170 kinds in 40 organisations.

Measured are the public calls, as a page makes them: `list_cases(state=open)` (what goes on and may be seen, with count and
facets) and `list_waiting` (whose turn it is); apart from them `list_cases()` (everything there ever was). The number of queries
must not depend on what is shown. With --database the same on PostgreSQL, in a database that is made and dropped.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from bench._cases import start_node
from bench._harness import Result, machine, note, parser, run_apart, show
from bench._inbox_data import make_rows, rows_on

WANTED_MS = 50.0
ASKED = {"cases": 60, "waiting": 60, "everything": 12}
"""How often each list is asked in a round."""
APART = "everything"
ALLOWED_KINDS, ALLOWED_BODIES = 170, 40


class Asked(NamedTuple):
    """One call: how long it took, what it cost this processor, how much there is; the queries where they were counted."""

    milliseconds: float
    processor: float
    total: int
    queries: int


def run_once(home: Path, database: str = "") -> dict[str, Any]:
    """Ask the lists again and again; return milliseconds, those of this processor, totals and numbers of queries."""
    start_node(home, database=database)
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT code FROM bench_body WHERE place < 400 ORDER BY place")
        codes = [code for (code,) in cursor.fetchall()]
    report: dict[str, Any] = {name: {} for name in ("milliseconds", "processor", "totals", "queries")}
    for name, times in ASKED.items():
        told = [ask(name, number, codes) for number in range(times)]
        queries = {one.queries for one in told if one.queries and one.total}  # an empty page asks for less
        if len(queries) != 1:
            raise SystemExit(f"{name}: {queries} queries")
        report["milliseconds"][name] = [one.milliseconds for one in told[2:] if not one.queries]
        report["processor"][name] = [one.processor for one in told[2:] if not one.queries]
        report["totals"][name], report["queries"][name] = told[-1].total, queries.pop()
    return report


def ask(name: str, number: int, codes: list[str]) -> Asked:
    """Ask one list once, as another person each time; every fourth time the queries are counted instead of the time."""
    from django.db import connection, reset_queries

    connection.force_debug_cursor = number % 4 == 1
    reset_queries()
    call = question(name, number, codes)
    begun, spent = time.perf_counter(), time.process_time()
    page = call()
    wall, spent = time.perf_counter() - begun, time.process_time() - spent
    return Asked(wall * 1000, spent * 1000, page.total, len(connection.queries_log))


def question(name: str, number: int, codes: list[str]) -> Callable[[], Any]:
    """Return the call of a list for a person who is allowed the next 40 bodies."""
    from yunhe.core.cases import api
    from yunhe.kernel.actor import Actor, Right
    from yunhe.kernel.pages import PageRequest

    kinds = frozenset(f"k{place:03}" for place in range(ALLOWED_KINDS))
    bodies = codes[number % 300 : number % 300 + ALLOWED_BODIES]
    rights = tuple(Right(right, frozenset(bodies), kinds=kinds) for right in ("cases.view", "cases.act"))
    actor = Actor("user", f"user:{900 + number}", "量", bodies[0], "", "data_steward", rights)
    if name == "waiting":
        return lambda: api.list_waiting(request=PageRequest(), actor=actor)
    return lambda: api.list_cases(request=PageRequest(filters={"state": "open"} if name == "cases" else {}), actor=actor)


def measure(cases: int, rounds: int, server: str) -> Result:
    """Run the rounds in fresh processes; p95 over the calls of each, the median of rounds."""
    if server:
        with rows_on(server, cases) as (home, address):
            return result([one_round(number, home, "--database", address) for number in range(rounds)], cases, "PostgreSQL")
    home = make_rows(cases)
    return result([one_round(number, home) for number in range(rounds)], cases, "SQLite")


def one_round(number: int, home: Path, *more: str) -> dict[str, Any]:
    """Measure in a process of its own."""
    report = run_apart("bench.inbox", "--once", home, *more)
    note(f"round {number + 1}: { {name: p95(told) for name, told in report['milliseconds'].items()} } ms")
    return report


def result(reports: list[dict[str, Any]], cases: int, database: str) -> Result:
    """Return what the rounds say together; the worse of the two lists that are held to the limit counts."""

    def told(part: str, measure: Callable[[list[float]], float]) -> dict[str, float]:
        return {name: round(statistics.median(measure(report[part][name]) for report in reports), 1) for name in ASKED}

    spread = {name: [p95(report["milliseconds"][name]) for report in reports] for name in ASKED}
    p95s = told("milliseconds", p95)
    worst = max(value for name, value in p95s.items() if name != APART)
    also: dict[str, Any] = {"p95_ms": p95s, "p50_ms": told("milliseconds", statistics.median), "database": database}
    also |= {"processor_p95_ms": told("processor", p95), "processor_p50_ms": told("processor", statistics.median)}
    also |= {name: reports[-1][name] for name in ("queries", "totals")}
    return Result("inbox", worst, WANTED_MS, "limit set", round(WANTED_MS / worst, 3), "ms", len(reports), cases, spread, machine(), also)


def p95(values: list[float]) -> float:
    """Return the 95th percentile."""
    return round(sorted(values)[int(len(values) * 0.95)], 2)


def main() -> None:
    """Parse the command line and print the result, or one process's report."""
    line = parser("inbox", rows=1_000_000, about=__doc__ or "")
    line.add_argument("--database", default="", help="address of a PostgreSQL server to measure on (default: SQLite)")
    line.add_argument("--once", type=Path, default=None, help=argparse.SUPPRESS)
    options = line.parse_args()
    if options.once:
        print(json.dumps(run_once(options.once, options.database)))
        return
    show(measure(options.rows, options.rounds, options.database), as_json=options.json)


if __name__ == "__main__":
    main()
