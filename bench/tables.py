"""bench.tables: a COLLECT table of 50 rules over 5 inputs, decided record by record, against GoRules' zen-engine.

Each round runs ours and the peer in fresh processes; reading and compiling the table is left out on both sides, and
all answers must be equal. Ours returns the whole Decision: inputs, outputs and the rules that hit.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import statistics
import time
from datetime import date
from pathlib import Path
from typing import Any

from bench._harness import WORK, Result, compare, interleave, parser, run_apart, show
from bench._peers import peer_python
from yunhe.engine.decisions import read_table

ON = date(2026, 1, 1)
RULES = 50
WANTED_PER_SECOND = 50_000
WANTED_RATIO = 4
INPUTS = {"age": "integer", "income": "integer", "area": "string", "kind": "string", "insured": "boolean"}
AREAS = ("鼓楼", "玄武", "秦淮", "建邺", "栖霞", "雨花台", "江宁", "浦口")
KINDS = ("in_work", "retired", "student", "jobless")


def make_rules() -> list[dict[str, tuple[str, str]]]:
    """Return 50 rules: of each input the cell as we write it and as zen does (they differ for lists of text only)."""
    dice = random.Random(20240917)
    rules = []
    for _ in range(RULES):
        low = dice.randrange(0, 80)
        age = dice.choice([f"[{low}..{low + 20}]", f">= {low}", f"< {low + 10}", "-"])
        income = dice.choice([f"<= {low * 1000 + 5000}", f"> {low * 500}", f"({low * 300}..{low * 900 + 9000})", "-"])
        areas = [json.dumps(area, ensure_ascii=False) for area in dice.sample(AREAS, 3)]
        kind = json.dumps(dice.choice(KINDS))
        area = dice.choice(
            [(", ".join(areas),) * 2, (f"not({', '.join(areas)})", f"$ not in [{', '.join(areas)}]"), ("-", "")]
        )
        insured = dice.choice(["true", "false", "-"])
        plain = {"age": age, "income": income, "kind": dice.choice([kind, "-"]), "insured": insured}
        rules.append({**{name: (cell, "" if cell == "-" else cell) for name, cell in plain.items()}, "area": area})
    return rules


def make_case(records: int) -> dict[str, Any]:
    """Return the table in both forms and the records, the same for the same count."""
    rules, dice = make_rules(), random.Random(records)
    lines = [[*(f"in:{name}" for name in INPUTS), "out:code", "out:points"]]
    lines += [[*(rule[name][0] for name in INPUTS), f"c{place}", str(place)] for place, rule in enumerate(rules)]
    csv = "\n".join(",".join('"' + cell.replace('"', '""') + '"' for cell in line) for line in lines)
    header = {"name": "bench", "hit": "collect", "inputs": INPUTS, "outputs": {"code": "string", "points": "integer"}}
    grid = {
        "hitPolicy": "collect",
        "inputs": [{"id": name, "name": name, "field": name, "type": "expression"} for name in INPUTS],
        "outputs": [{"id": name, "name": name, "field": name, "type": "expression"} for name in ("code", "points")],
        "rules": [{"_id": f"r{place}", **{name: rule[name][1] for name in INPUTS}, "code": f'"c{place}"', "points": str(place)}
                  for place, rule in enumerate(rules)],
    }  # fmt: skip
    nodes: list[dict[str, Any]] = [
        {"id": "in", "type": "inputNode"}, {"id": "table", "type": "decisionTableNode", "content": grid},
        {"id": "out", "type": "outputNode"},
    ]  # fmt: skip
    edges = [{"id": source, "type": "edge", "sourceId": source, "targetId": target}
             for source, target in (("in", "table"), ("table", "out"))]  # fmt: skip
    persons = [
        {"age": dice.randrange(100), "income": dice.randrange(90_000), "area": dice.choice(AREAS),
         "kind": dice.choice(KINDS), "insured": dice.random() < 0.5}
        for _ in range(records)
    ]  # fmt: skip
    zen = {"contentType": "application/vnd.gorules.decision", "edges": edges,
           "nodes": [{"name": node["id"], "position": {"x": 0, "y": 0}, **node} for node in nodes]}  # fmt: skip
    return {"header": header, "csv": csv, "zen": zen, "records": persons}


def run_once(file: Path) -> dict[str, Any]:
    """Decide every record once in this process and return seconds and the digest of the answers."""
    case = json.loads(file.read_text(encoding="utf-8"))
    table, records = read_table(case["header"], case["csv"]), case["records"]
    for record in records[:500]:
        table.decide(record, on=ON)
    begun, processor = time.perf_counter(), time.process_time()
    answers = [table.decide(record, on=ON) for record in records]
    seconds, processor = time.perf_counter() - begun, time.process_time() - processor
    plain = [
        [list(row) for row in zip(answer.outputs["code"], answer.outputs["points"], strict=True)] for answer in answers
    ]
    digest = hashlib.sha256(json.dumps(plain).encode()).hexdigest()
    return {"seconds": seconds, "processor": processor, "digest": digest, "hits": sum(map(len, plain))}


def measure(records: int, rounds: int) -> Result:
    """Run the rounds, interleaved, check that both sides answer alike, and return the result."""
    WORK.mkdir(exist_ok=True)
    file, python = WORK / f"tables-{records}.json", peer_python("tables_zen")
    file.write_text(json.dumps(make_case(records), ensure_ascii=False), encoding="utf-8")
    mine, theirs = interleave(
        lambda: run_apart("bench.tables", "--once", file),
        lambda: run_apart("bench.peers.tables_zen", file, python=python),
        rounds=rounds,
    )
    for report in (*mine, *theirs):
        if report["digest"] != mine[0]["digest"]:
            raise SystemExit(f"answers differ: {mine[0]} {report}")
    per_second, per_second_peer = (
        round(records / statistics.median(report["seconds"] for report in side)) for side in (mine, theirs)
    )
    also = {
        "rules": RULES,
        "per_second": per_second,
        "peer_per_second": per_second_peer,
        "wanted": f">= {WANTED_PER_SECOND} per second, ratio >= {WANTED_RATIO}",
        "hits": mine[0]["hits"],
        "processor_seconds": statistics.median(report["processor"] for report in mine),
        "peer_processor_seconds": statistics.median(report["processor"] for report in theirs),
    }
    return compare("tables", mine, theirs, peer_name="zen-engine 2.1.3", rows=records, also=also)


def main() -> None:
    """Parse the command line and print the result, or one process's report."""
    line = parser("tables", rows=50_000, about="a decision table of 50 rules against zen-engine")
    line.add_argument("--once", type=Path, default=None, help=argparse.SUPPRESS)
    options = line.parse_args()
    if options.once:
        print(json.dumps(run_once(options.once)))
        return
    show(measure(options.rows, options.rounds), as_json=options.json)


if __name__ == "__main__":
    main()
