"""bench.case_growth: what the 400th action of a case costs beside its first, in the loop of corrections; SpiffWorkflow beside.

Several cases are taken through the loop in step, so that first and last actions meet the same number of cases in the
tables; the cost of an action is the median over the cases, and first and last are medians over ten actions.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

from bench._cases import SYNCHRONOUS, People, copy_node, departments, open_permit, start_node
from bench._harness import LEAST_ROUNDS, WORK, Result, machine, note, parser, run_apart, show
from bench._peers import peer_python

ACTIONS = 400
WANTED = 1.5
WINDOW = 10


def run_once(home: Path, cases: int, synchronous: str) -> dict[str, Any]:
    """Take the cases through the loop; return what each action cost."""
    start_node(home, synchronous=synchronous)
    from yunhe.core.cases import api

    people, asked = People(), departments(3)
    keys = [open_permit(number, people, asked).case_id for number in range(cases)]
    loop = (("steward", "ask", {"missing": "请补充图纸"}), ("opener", "correct", {"place": "人民路 7 号"}))
    costs = []
    for number in range(ACTIONS):
        who, action, data = loop[number % 2]
        row = []
        for key in keys:
            begun = time.perf_counter()
            api.act(case_id=key, action=action, data=data, actor=people[who])
            row.append(time.perf_counter() - begun)
        costs.append(statistics.median(row))
    return {"costs": costs}


def growth_of(costs: list[float]) -> tuple[float, float]:
    """Return milliseconds of a first and of a last action."""
    return statistics.median(costs[:WINDOW]) * 1000, statistics.median(costs[-WINDOW:]) * 1000


def measure(cases: int, rounds: int, synchronous: str) -> Result:
    """Run ours and the peer in turns; the figure is the median of last ÷ first."""
    python, folder = peer_python("spiff"), WORK / "spiff"
    folder.mkdir(parents=True, exist_ok=True)
    ours, theirs = [], []
    for number in range(max(rounds, LEAST_ROUNDS)):
        ours.append(growth_of(run_apart("bench.case_growth", "--once", copy_node("cases-run"), "--rows", cases)["costs"]))
        peer = run_apart("bench.peers.cases_spiff", "growth", folder, 2, ACTIONS, synchronous, python=python)
        theirs.append(growth_of(peer["costs"]))
        note(f"round {number + 1}: ours {ours[-1]}, peer {theirs[-1]} ms")
    spread = {side: [round(last / first, 3) for first, last in pairs] for side, pairs in (("ours", ours), ("peer", theirs))}
    mine, other = statistics.median(spread["ours"]), statistics.median(spread["peer"])
    also = {
        "first_ms": round(statistics.median(first for first, _ in ours), 2),
        "last_ms": round(statistics.median(last for _, last in ours), 2),
        "peer_first_ms": round(statistics.median(first for first, _ in theirs), 2),
        "peer_last_ms": round(statistics.median(last for _, last in theirs), 2),
        "wanted": f"last ÷ first <= {WANTED}",
    }
    return Result(
        "case_growth", mine, other, "SpiffWorkflow 3.2.0", round(other / mine, 3), "× the first", len(ours), ACTIONS, spread,
        machine(), also,
    )  # fmt: skip


def main() -> None:
    """Parse the command line and print the result, or one process's report."""
    line = parser("case_growth", rows=10, about=__doc__ or "")
    line.add_argument("--synchronous", choices=SYNCHRONOUS, default="NORMAL", help="SQLite's, on both sides")
    line.add_argument("--once", type=Path, default=None, help=argparse.SUPPRESS)
    options = line.parse_args()
    if options.once:
        print(json.dumps(run_once(options.once, options.rows, options.synchronous)))
        return
    show(measure(options.rows, options.rounds, options.synchronous), as_json=options.json)


if __name__ == "__main__":
    main()
