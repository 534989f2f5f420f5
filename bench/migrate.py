"""bench.migrate: 100,000 running cases moved to a changed procedure, half of them in the middle of their reviews.

The new version adds a review by the data bureau beside the departments'; the cases in the middle of theirs get it too. Each
case gets its event with its evidence. The peer moves a sample, workflow by workflow, and its time is multiplied; it refuses
those whose finished tasks the change touches (counted beside).
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench._cases import HERE, KIND, SYNCHRONOUS, People, copy_node, departments, open_permit, start_node
from bench._harness import WORK, Result, compare, interleave, parser, run_apart, show
from bench._peers import peer_python

WANTED_SECONDS = 5.0
PEER_SAMPLE = 400
DRIVEN = 10
"""So many of the moved cases are taken to their end by the api afterwards."""


def make_running(home: Path, count: int) -> dict[str, Any]:
    """Open two cases by the api, one in the middle of its reviews, and copy their rows until there are `count`."""
    start_node(home)
    from django.db import connection

    from yunhe.core.cases import api

    people, asked = People(), departments(3)
    first, second = (open_permit(number, people, asked).case_id for number in (1, 2))
    api.act(case_id=second, action="accept", data={"note": "予以受理"}, actor=people["steward"])
    api.act(case_id=second, action="agree", data={"note": "同意"}, actor=people[f"leader-{asked[0].lower()}"])
    with connection.cursor() as cursor:
        for key in (first, second):
            for table, own in (("case", "id"), ("obligation", "case_id"), ("clock", "case_id"), ("party", "case_id"), ("event", "case_id")):
                copy_rows(cursor, f"cases_{table}", own, key, count // 2 - 1)
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return {"cases": count}


def copy_rows(cursor: Any, table: str, own: str, key: str, copies: int) -> None:
    """Copy the rows of one case under ids that end in the number of the copy."""
    cursor.execute(f"SELECT name FROM pragma_table_info('{table}')")
    names = [name for (name,) in cursor.fetchall() if not (table == "cases_party" and name == "id")]
    fresh = {"id": "substr({}, 1, 3) || substr({}, -16) || printf('%07d', n)", own: "substr({}, 1, 3) || substr({}, -16) || printf('%07d', n)",
             "number": "{} || '-' || n", "obligation_id": "{}"}  # fmt: skip
    told = ", ".join(fresh.get(name, "{}").replace("{}", f't."{name}"') for name in names)
    columns = ", ".join(f'"{name}"' for name in names)
    series = f"WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {copies})"
    cursor.execute(f"INSERT INTO {table} ({columns}) {series} SELECT {told} FROM {table} t, s WHERE t.{own} = '{key}'")


def node_with(count: int) -> Path:
    """Return a fresh copy of the node with so many running cases; they are made once."""
    made, mark = WORK / f"running-{count}", WORK / f"running-{count}.mark"
    home = copy_node("cases-run")
    wanted = (WORK / "cases-node.mark").read_text() + Path(__file__).read_text()
    if not (mark.exists() and made.exists() and mark.read_text() == wanted):
        shutil.rmtree(made, ignore_errors=True)
        shutil.copytree(home, made)
        run_apart("bench.migrate", "--make", made, "--rows", count)
        mark.write_text(wanted)
    shutil.rmtree(home)
    shutil.copytree(made, home)
    return home


def run_once(home: Path, synchronous: str) -> dict[str, Any]:
    """Publish the new version, plan, approve and move; check that nobody stands still."""
    start_node(home, synchronous=synchronous)
    from yunhe.core.cases import api
    from yunhe.core.cases.models import CaseRecord, EventRecord, ObligationRecord
    from yunhe.kernel.actor import job_actor

    author, approver = job_actor("author"), job_actor("approver")
    told = api.read_kind(path=HERE / "kinds/permit.yml").model_dump(mode="json", exclude_defaults=True)
    review = told["obligations"]["review"]
    told["obligations"]["safety"] = {**review, "who": {"organization": "bureau", "roles": ["data_admin"]}}
    told["obligations"]["intake"]["actions"]["accept"]["effects"].append({"open_obligation": "safety"})
    api.publish_kind(spec=api.get_kind(code=KIND).model_validate(told), source="bench", actor=author)
    plan = api.plan_migration(kind=KIND, actor=author)
    moves = tuple(replace(move, add=(("safety", ""),)) if move.phase == "review" else move for move in plan.moves)
    drafted = api.draft_migration(plan=replace(plan, moves=moves), reason="增加安全审查", actor=author)
    api.approve_migration(migration_id=drafted.migration_id, actor=approver)
    begun, processor = time.perf_counter(), time.process_time()
    done = api.apply_migration(migration_id=drafted.migration_id, actor=approver)
    seconds, processor = time.perf_counter() - begun, time.process_time() - processor
    open_cases = CaseRecord.objects.exclude(state="closed")
    stuck = open_cases.exclude(pk__in=ObligationRecord.objects.filter(state="open").values("case_id")).count()
    left, events = open_cases.filter(kind__number=1).count(), EventRecord.objects.filter(action="migrate").count()
    added = ObligationRecord.objects.filter(name="safety", state="open").count()
    if stuck or left or events != done.moved or added != done.moved // 2:
        raise SystemExit(f"{stuck} stuck, {left} left, {events} events, {added} added of {done.moved}")
    for case in open_cases.filter(phase="review").order_by("id")[:DRIVEN]:
        drive(case.pk)
    return {"seconds": seconds, "processor": processor, "moved": done.moved, "stuck": stuck}


def drive(case_id: str) -> None:
    """Take a moved case to its end by the api, the added review included."""
    from yunhe.core.cases import api
    from yunhe.kernel.actor import Actor, Right

    people, asked = People(), departments(3)
    bureau = Actor("user", "user:990", "数据主管", "113299000032990282", "", "data_admin", (Right("cases.act"),))
    way = [
        *((people[f"leader-{code.lower()}"], "agree", {"note": "同意"}) for code in asked[1:]), (bureau, "agree", {"note": "同意"}),
        (people["leader"], "grant", {"conditions": "按图施工"}), (people["leader"], "seal", {"seal_number": "YZ-1"}),
        (people["steward"], "issue", {"note": "领取"}),
    ]  # fmt: skip
    for actor, action, data in way:
        last = api.act(case_id=case_id, action=action, data=data, actor=actor)
    if last.outcome != "issued":
        raise SystemExit(f"{last.number} ended as {last.outcome!r}")


def measure(count: int, rounds: int, synchronous: str) -> Result:
    """Run the rounds, interleaved, and return the result; the peer's seconds are those of its sample times the share."""
    python, folder = peer_python("spiff"), WORK / "spiff"
    folder.mkdir(parents=True, exist_ok=True)
    refused = []

    def peer() -> dict[str, Any]:
        report = run_apart("bench.peers.cases_spiff", "migrate", folder, PEER_SAMPLE, synchronous, python=python)
        refused.append(report["refused"])
        return {**report, "seconds": report["seconds"] * count / PEER_SAMPLE}

    mine, theirs = interleave(
        lambda: run_apart("bench.migrate", "--once", node_with(count), "--synchronous", synchronous), peer, rounds=rounds
    )
    also = {
        "wanted": f"<= {WANTED_SECONDS} s, none stuck",
        "processor_seconds": round(sorted(report["processor"] for report in mine)[len(mine) // 2], 2),
        "moved": mine[0]["moved"], "stuck": mine[0]["stuck"], "synchronous": synchronous,
        "peer_extrapolated_from": PEER_SAMPLE, "peer_refused_of_the_sample": refused[0],
    }  # fmt: skip
    return compare("migrate", mine, theirs, peer_name="SpiffWorkflow 3.2.0, extrapolated", rows=count, also=also)


def main() -> None:
    """Parse the command line and print the result, or one process's report."""
    line = parser("migrate", rows=100_000, about=__doc__ or "")
    line.add_argument("--synchronous", choices=SYNCHRONOUS, default="NORMAL", help="SQLite's, on both sides")
    line.add_argument("--once", type=Path, default=None, help=argparse.SUPPRESS)
    line.add_argument("--make", type=Path, default=None, help=argparse.SUPPRESS)
    options = line.parse_args()
    if options.make:
        print(json.dumps(make_running(options.make, options.rows)))
    elif options.once:
        print(json.dumps(run_once(options.once, options.synchronous)))
    else:
        show(measure(options.rows, options.rounds, options.synchronous), as_json=options.json)


if __name__ == "__main__":
    main()
