"""bench.case_steps: persisted human steps of a permit, with rights, validation and evidence, against SpiffWorkflow.

A case is opened with a form of 4 KB and then taken through its seven human steps (intake, three reviews side by side,
decide, seal, issue); each step loads the case, acts and commits. Both sides: SQLite, WAL, the same `synchronous`
(NORMAL; `--synchronous FULL` is what the product runs with). The peer stores the workflow as one row.
"""

from __future__ import annotations

import json
import statistics
import time
from argparse import SUPPRESS
from pathlib import Path
from typing import Any

from bench._cases import HUMAN_STEPS, SYNCHRONOUS, People, copy_node, departments, open_permit, start_node, steps_of
from bench._harness import WORK, Result, compare, interleave, parser, run_apart, show
from bench._peers import peer_python

WANTED = 4
STRETCH = 8


def run_once(home: Path, count: int, synchronous: str) -> dict[str, Any]:
    """Take `count` cases from their opening to their end; return seconds and what was done."""
    start_node(home, synchronous=synchronous)
    from yunhe.core.cases import api as cases
    from yunhe.core.cases.models import EventRecord, ObligationRecord

    people, bodies = People(), departments(3)
    way = steps_of(bodies)
    _live(0, people, bodies, way)
    opening, steps = 0.0, 0.0
    begun_processor = time.process_time()
    for number in range(1, count + 1):
        begun = time.perf_counter()
        case = open_permit(number, people, bodies)
        opened = time.perf_counter()
        for who, action, data in way:
            last = cases.act(case_id=case.case_id, action=action, data=data, actor=people[who])
        steps += time.perf_counter() - opened
        opening += opened - begun
        if last.state != "closed":
            raise SystemExit(f"case {last.number} is {last.state}")
    processor = time.process_time() - begun_processor
    events, owed = EventRecord.objects.count(), ObligationRecord.objects.filter(state="open").count()
    if events != (count + 1) * (HUMAN_STEPS + 1) or owed:
        raise SystemExit(f"{events} events, {owed} open obligations")
    return {"seconds": steps, "opening": opening, "steps": count * HUMAN_STEPS, "processor": processor}


def _live(number: int, people: People, bodies: list[str], way: list[tuple[str, str, dict[str, str]]]) -> None:
    from yunhe.core.cases import api as cases

    case = open_permit(number, people, bodies)
    for who, action, data in way:
        cases.act(case_id=case.case_id, action=action, data=data, actor=people[who])


def measure(count: int, rounds: int, synchronous: str) -> Result:
    """Run the rounds, interleaved, and return the result."""
    python, folder = peer_python("spiff"), WORK / "spiff"
    folder.mkdir(parents=True, exist_ok=True)
    mine, theirs = interleave(
        lambda: run_apart("bench.case_steps", "--once", copy_node("cases-run"), "--rows", count, "--synchronous", synchronous),
        lambda: run_apart("bench.peers.cases_spiff", "steps", folder, count, synchronous, python=python),
        rounds=rounds,
    )
    if {report["steps"] for report in (*mine, *theirs)} != {count * HUMAN_STEPS}:
        raise SystemExit("the sides did not take the same steps")

    def per_second(reports: list[dict[str, Any]], what: str = "seconds") -> int:
        return round(statistics.median(report["steps"] / report[what] for report in reports))

    def processor_ms(reports: list[dict[str, Any]], what: str) -> float:
        """Return processor time with openings, by step: what other work on the machine disturbs least."""
        return round(statistics.median(report[what] / report["steps"] for report in reports) * 1000, 3)

    also = {
        "steps_per_second": per_second(mine),
        "peer_steps_per_second": per_second(theirs),
        "peer_with_serialize_json_per_second": per_second(theirs, "documented_seconds"),
        "openings_per_second": round(statistics.median(count / report["opening"] for report in mine)),
        "peer_openings_per_second": round(statistics.median(count / report["opening"] for report in theirs)),
        "ratio_to_serialize_json": round(
            statistics.median(r["documented_seconds"] for r in theirs) / statistics.median(r["seconds"] for r in mine), 3
        ),
        "processor_ms_a_step": processor_ms(mine, "processor"),
        "peer_processor_ms_a_step": processor_ms(theirs, "processor"),
        "peer_processor_ms_a_step_with_serialize_json": processor_ms(theirs, "documented_processor"),
        "bytes_of_the_form": 4096,
        "synchronous": synchronous,
        "wanted": f"ratio >= {WANTED}, stretch {STRETCH}",
    }
    return compare("case_steps", mine, theirs, peer_name="SpiffWorkflow 3.2.0", rows=count, also=also)


def main() -> None:
    """Parse the command line and print the result, or one process's report."""
    line = parser("case_steps", rows=150, about=__doc__ or "")
    line.add_argument("--synchronous", choices=SYNCHRONOUS, default="NORMAL", help="SQLite's, on both sides")
    line.add_argument("--once", type=Path, default=None, help=SUPPRESS)
    options = line.parse_args()
    if options.once:
        print(json.dumps(run_once(options.once, options.rows, options.synchronous)))
        return
    show(measure(options.rows, options.rounds, options.synchronous), as_json=options.json)


if __name__ == "__main__":
    main()
