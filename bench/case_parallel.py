"""bench.case_parallel: 400 obligations of one case side by side, each fulfilled by another department, one by one."""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

from bench._cases import DEPARTMENTS, SYNCHRONOUS, People, copy_node, departments, open_permit, start_node
from bench._harness import WORK, Result, compare, interleave, parser, run_apart, show
from bench._peers import peer_python

WANTED_SECONDS = 1.0


def run_once(home: Path, count: int, synchronous: str) -> dict[str, Any]:
    """Open a case with that many departments and let each of them agree."""
    start_node(home, synchronous=synchronous)
    from yunhe.core.cases import api

    people, codes = People(), departments(count)
    actors = [people[f"leader-{code.lower()}"] for code in codes]
    case = open_permit(1, people, codes)
    api.act(case_id=case.case_id, action="accept", data={"note": "予以受理"}, actor=people["steward"])
    begun, processor = time.perf_counter(), time.process_time()
    for actor in actors:
        last = api.act(case_id=case.case_id, action="agree", data={"note": "同意"}, actor=actor)
    seconds, processor = time.perf_counter() - begun, time.process_time() - processor
    if last.phase != "decision":
        raise SystemExit(f"after {count} reviews the case is in {last.phase}")
    return {"seconds": seconds, "processor": processor, "steps": count}


def measure(count: int, rounds: int, synchronous: str) -> Result:
    """Run the rounds, interleaved, and return the result."""
    python, folder = peer_python("spiff"), WORK / "spiff"
    folder.mkdir(parents=True, exist_ok=True)
    mine, theirs = interleave(
        lambda: run_apart("bench.case_parallel", "--once", copy_node("cases-run"), "--rows", count, "--synchronous", synchronous),
        lambda: run_apart("bench.peers.cases_spiff", "parallel", folder, count, synchronous, python=python),
        rounds=rounds,
    )
    processor = sorted(report["processor"] for report in mine)[len(mine) // 2]
    also = {"wanted": f"<= {WANTED_SECONDS} s", "processor_seconds": round(processor, 2), "synchronous": synchronous}
    return compare("case_parallel", mine, theirs, peer_name="SpiffWorkflow 3.2.0", rows=count, also=also)


def main() -> None:
    """Parse the command line and print the result, or one process's report."""
    line = parser("case_parallel", rows=DEPARTMENTS, about=__doc__ or "")
    line.add_argument("--synchronous", choices=SYNCHRONOUS, default="NORMAL", help="SQLite's, on both sides")
    line.add_argument("--once", type=Path, default=None, help=argparse.SUPPRESS)
    options = line.parse_args()
    if options.once:
        print(json.dumps(run_once(options.once, options.rows, options.synchronous)))
        return
    show(measure(options.rows, options.rounds, options.synchronous), as_json=options.json)


if __name__ == "__main__":
    main()
