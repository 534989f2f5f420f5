"""SpiffWorkflow's side of the measurements of cases; runs in its own environment, without ours.

The same permit as a BPMN process. Each human step reads the workflow's row, restores it, finishes the task with the
form's values, lets the engine go on, serialises and writes the row: one transaction. The process specification is kept
apart from the row and parsed once, which is faster than the documented `serialize_json` with everything in one text;
that way is timed as well and reported beside.
"""

from __future__ import annotations

import io
import json
import sqlite3
import statistics
import sys
import time
import uuid
from pathlib import Path
from typing import Any
from uuid import UUID

from SpiffWorkflow import TaskState
from SpiffWorkflow.bpmn import BpmnWorkflow
from SpiffWorkflow.bpmn.parser import BpmnParser
from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.serializer.config import DEFAULT_CONFIG
from SpiffWorkflow.bpmn.serializer.default.workflow import BpmnWorkflowConverter, WorkflowConverter
from SpiffWorkflow.bpmn.util.diff import diff_workflow, filter_tasks, migrate_workflow

BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"
Step = tuple[str, dict[str, Any]]


def permit(reviews: int = 3, *, many: bool = False) -> str:
    """Return the process: intake with a loop of corrections, reviews side by side, decide, seal, issue."""
    tasks = ["intake", "correct", "decide", "seal", "issue"]
    body = "".join(f'<userTask id="{name}" name="{name}"/>' for name in tasks)
    flows = [
        ("start", "intake", ""), ("intake", "checked", ""), ("checked", "correct", 'outcome == "asked"'),
        ("checked", "split", ""), ("correct", "intake", ""), ("join", "decide", ""), ("decide", "seal", ""),
        ("seal", "issue", ""), ("issue", "end", ""),
    ]  # fmt: skip
    if many:
        body += (
            '<userTask id="review" name="review"><multiInstanceLoopCharacteristics isSequential="false">'
            f"<loopCardinality>{reviews}</loopCardinality></multiInstanceLoopCharacteristics></userTask>"
        )
        flows += [("split", "review", ""), ("review", "join", "")]
    else:
        for number in range(reviews):
            body += f'<userTask id="review{number}" name="review{number}"/>'
            flows += [("split", f"review{number}", ""), (f"review{number}", "join", "")]
    drawn = ""
    for source, target, condition in flows:
        inner = f"<conditionExpression>{condition}</conditionExpression>" if condition else ""
        drawn += f'<sequenceFlow id="{source}_{target}" sourceRef="{source}" targetRef="{target}">{inner}</sequenceFlow>'
    return (
        f'<definitions xmlns="{BPMN}" id="d" targetNamespace="bench"><process id="permit" isExecutable="true">'
        f'<startEvent id="start"/><endEvent id="end"/>{body}<exclusiveGateway id="checked" default="checked_split"/>'
        f'<parallelGateway id="split"/><parallelGateway id="join"/>{drawn}</process></definitions>'
    )


def read_spec(text: str) -> Any:
    """Return the specification of a process."""
    parser = BpmnParser()
    parser.add_bpmn_io(io.BytesIO(text.encode()))
    return parser.get_spec("permit")


class SpecApart(BpmnWorkflowConverter):
    """Serialises a workflow without its specification, which `spec` holds."""

    spec: Any = None

    def to_dict(self, workflow: Any) -> dict[str, Any]:
        told = WorkflowConverter.to_dict(self, workflow)
        return {**told, "subprocesses": {}, "bpmn_events": []}

    def from_dict(self, dct: dict[str, Any]) -> Any:
        workflow = self.target_class(SpecApart.spec, {}, deserializing=True)
        workflow.tasks = self.mapping_from_dict(dct["tasks"], UUID, workflow=workflow)
        workflow.task_tree = workflow.tasks.get(UUID(dct["root"]))
        self.set_default_attributes(workflow, dct)
        return workflow


class Store:
    """Workflows in SQLite, one row each."""

    def __init__(self, folder: Path, synchronous: str, *, spec: Any, apart: bool = True) -> None:
        self.spec, SpecApart.spec = spec, spec
        path = folder / f"peer-{uuid.uuid4().hex}.sqlite3"
        self.path = path
        self.database = sqlite3.connect(path, isolation_level=None)
        self.database.execute("PRAGMA journal_mode=WAL")
        self.database.execute(f"PRAGMA synchronous={synchronous}")
        self.database.execute("PRAGMA wal_autocheckpoint=8000")  # as ours
        self.database.execute("CREATE TABLE workflow (id TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL)")
        config = {**DEFAULT_CONFIG, BpmnWorkflow: SpecApart} if apart else DEFAULT_CONFIG
        self.serializer = BpmnWorkflowSerializer(BpmnWorkflowSerializer.configure(config))

    def open(self, data: dict[str, Any]) -> str:
        """Begin a workflow and store it."""
        workflow = BpmnWorkflow(self.spec)
        workflow.get_next_task(state=TaskState.READY).data.update(data)
        workflow.do_engine_steps()
        key = uuid.uuid4().hex
        self.database.execute("BEGIN IMMEDIATE")
        self.database.execute("INSERT INTO workflow VALUES (?, 1, ?)", (key, self.serializer.serialize_json(workflow)))
        self.database.execute("COMMIT")
        return key

    def act(self, key: str, step: Step) -> Any:
        """Take one human step."""
        name, values = step
        self.database.execute("BEGIN IMMEDIATE")
        version, body = self.database.execute("SELECT version, body FROM workflow WHERE id = ?", (key,)).fetchone()
        workflow = self.serializer.deserialize_json(body)
        task = next(one for one in workflow.get_tasks(state=TaskState.READY, manual=True) if one.task_spec.name.startswith(name))
        task.data.update(values)
        task.run()
        workflow.do_engine_steps()
        text = self.serializer.serialize_json(workflow)
        done = self.database.execute(
            "UPDATE workflow SET body = ?, version = ? WHERE id = ? AND version = ?", (text, version + 1, key, version)
        )
        if done.rowcount != 1:
            raise SystemExit("the row moved")
        self.database.execute("COMMIT")
        return workflow

    def close(self) -> None:
        """Remove the file."""
        self.database.close()
        for suffix in ("", "-wal", "-shm"):
            self.path.with_name(self.path.name + suffix).unlink(missing_ok=True)


def form(number: int) -> dict[str, Any]:
    """Return a form of 4 KB, of the same shape as ours."""
    values: dict[str, Any] = {
        "place": f"人民路 {number % 900 + 1} 号", "area": 100 + number % 900, "begins": "2026-03-02", "cost": "125000.50",
        "uses": "shop", "departments": [f"1199999900000{n:04}X" for n in range(3)],
        "papers": [{"name": f"材料 {place}", "number": f"WH-{number}-{place}", "pages": place} for place in range(1, 13)],
        "statement": "", "outcome": "",
    }  # fmt: skip
    short = 4096 - len(json.dumps(values, ensure_ascii=False).encode())
    values["statement"] = "situation " * (max(short, 10) // 10)
    return values


WAY: list[Step] = [
    ("intake", {"outcome": "accepted", "intake_note": "材料齐全，予以受理"}),
    *((f"review{n}", {f"review{n}_note": "同意，无其他意见"}) for n in range(3)),
    ("decide", {"conditions": "按图施工，按期报验"}), ("seal", {"seal_number": "YZ-2026-0001"}), ("issue", {"issue_note": "窗口领取"}),
]  # fmt: skip


def steps(folder: Path, count: int, synchronous: str) -> dict[str, Any]:
    """Take cases from their opening to their end."""
    spec = read_spec(permit())
    report: dict[str, Any] = {"steps": count * len(WAY)}
    for apart in (True, False):
        store = Store(folder, synchronous, spec=spec, apart=apart)
        _live(store, 0)
        opening = seconds = 0.0
        processor = time.process_time()
        for number in range(1, count + 1):
            begun = time.perf_counter()
            key = store.open(form(number))
            opened = time.perf_counter()
            for step in WAY:
                last = store.act(key, step)
            seconds += time.perf_counter() - opened
            opening += opened - begun
            if not last.is_completed():
                raise SystemExit(f"case {number} did not end")
        processor = time.process_time() - processor
        apart_told = {"seconds": seconds, "opening": opening, "processor": processor}
        report |= apart_told if apart else {"documented_seconds": seconds, "documented_processor": processor}
        store.close()
    return report


def _live(store: Store, number: int) -> None:
    key = store.open(form(number))
    for step in WAY:
        store.act(key, step)


def growth(folder: Path, cases: int, actions: int, synchronous: str) -> dict[str, Any]:
    """Take the loop of corrections over and over; return what each action cost."""
    store = Store(folder, synchronous, spec=read_spec(permit()))
    keys = [store.open(form(number)) for number in range(cases)]
    loop: list[Step] = [("intake", {"outcome": "asked"}), ("correct", {"place": "人民路 7 号"})]
    costs = [[_cost(store, key, loop[number % 2]) for key in keys] for number in range(actions)]
    size = store.database.execute("SELECT max(length(body)) FROM workflow").fetchone()[0]
    store.close()
    return {"seconds": sum(map(sum, costs)), "costs": [statistics.median(row) for row in costs], "bytes": size}


def _cost(store: Store, key: str, step: Step) -> float:
    begun = time.perf_counter()
    store.act(key, step)
    return time.perf_counter() - begun


def parallel(folder: Path, obligations: int, synchronous: str) -> dict[str, Any]:
    """Finish many reviews side by side, one by one."""
    store = Store(folder, synchronous, spec=read_spec(permit(obligations, many=True)))
    key = store.open(form(1))
    store.act(key, WAY[0])
    begun = time.perf_counter()
    for _ in range(obligations):
        workflow = store.act(key, ("review", {"note": "同意"}))
    seconds = time.perf_counter() - begun
    names = [task.task_spec.name for task in workflow.get_tasks(state=TaskState.READY, manual=True)]
    store.close()
    if names != ["decide"]:
        raise SystemExit(f"after the reviews: {names}")
    return {"seconds": seconds, "steps": obligations}


def migrate(folder: Path, cases: int, synchronous: str) -> dict[str, Any]:
    """Move stored cases to a changed process, those that can be; half of them stand in the middle of the reviews."""
    old, new = read_spec(permit(3)), read_spec(permit(4))
    store = Store(folder, synchronous, spec=old, apart=False)
    keys = [store.open(form(number)) for number in range(cases)]
    for key in keys[: cases // 2]:
        store.act(key, WAY[0])
        store.act(key, WAY[1])
    begun = time.perf_counter()
    moved = 0
    for key in keys:
        store.database.execute("BEGIN IMMEDIATE")
        body = store.database.execute("SELECT body FROM workflow WHERE id = ?", (key,)).fetchone()[0]
        workflow = store.serializer.deserialize_json(body)
        difference, _ = diff_workflow(store.serializer.registry, workflow, new, {})
        touched = filter_tasks(difference.changed + difference.removed, state=TaskState.COMPLETED | TaskState.STARTED)
        if not touched:
            migrate_workflow(difference, workflow, new)
            text = store.serializer.serialize_json(workflow)
            store.database.execute("UPDATE workflow SET body = ? WHERE id = ?", (text, key))
            moved += 1
        store.database.execute("COMMIT")
    seconds = time.perf_counter() - begun
    store.close()
    return {"seconds": seconds, "cases": cases, "moved": moved, "refused": cases - moved}


def main() -> None:
    """Run one part and print its report."""
    part, folder = sys.argv[1], Path(sys.argv[2])
    numbers, synchronous = [int(text) for text in sys.argv[3:-1]], sys.argv[-1]
    parts = {"steps": steps, "growth": growth, "parallel": parallel, "migrate": migrate}
    print(json.dumps(parts[part](folder, *numbers, synchronous)))


if __name__ == "__main__":
    main()
