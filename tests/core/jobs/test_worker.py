"""The worker as a process: struck dead at seeded points, stopped, cut off from its database."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.conf import settings
from django.db import OperationalError

from tests.databases import SERVER, fresh_database
from yunhe.core.jobs.api import worker

SCRIPT = Path(__file__).with_name("worker_process.py")
ROOT = Path(__file__).resolve().parents[3]
PATIENCE_SECONDS = 120


class Node:
    """A home of its own with a control database, and the worker processes on it."""

    def __init__(self, home: Path, database: str) -> None:
        self.database = database
        self.running = home / "running"
        self.processes: list[subprocess.Popen[bytes]] = []
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith("YUNHE_")} | {
            "YUNHE_HOME": str(home),
            "YUNHE_LEASE_SECONDS": "3",
            "YUNHE_WORKER_POLL_MS": "20",
            "YUNHE_LOG": "text",
            "DJANGO_SETTINGS_MODULE": settings.SETTINGS_MODULE,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT), os.environ.get("PYTHONPATH", "")]),
        }
        if database:
            self.environment |= {"YUNHE_PROFILE": "server", "YUNHE_DATABASE": database}

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, str(SCRIPT), *arguments], env=self.environment, capture_output=True, text=True, check=False,
            timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def setup(self, count: int, seconds: float = 0) -> None:
        self.run("setup", str(count), str(seconds))

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.run("report"))
        return found

    def start(self, **environment: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, str(SCRIPT), "work"], env=self.environment | environment,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.processes.append(process)
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        return process

    def end(self) -> None:
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.wait()

    def wait_for(self, state: str, count: int) -> dict[str, Any]:
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while (found := self.report())["states"].get(state, 0) < count or found["deliveries"].get("open"):
            assert time.monotonic() < ends_at, found
            time.sleep(0.2)
        return found


    def wait_until_running(self) -> None:
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while not self.running.exists():
            assert time.monotonic() < ends_at, "no job began"
            time.sleep(0.02)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.service)])
def node(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Node]:
    home = tmp_path / "home"
    home.mkdir()
    if request.param == "sqlite":
        made = Node(home, "")
        yield made
        made.end()
        return
    with fresh_database("worker") as address:
        made = Node(home, address)
        try:
            yield made
        finally:
            made.end()


def stop(process: subprocess.Popen[bytes]) -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(timeout=PATIENCE_SECONDS)


@pytest.mark.fault
def test_killed_at_seeded_points_each_effect_happens_exactly_once(
    node: Node, fault_count: Callable[[int, int], int], soak_seed: int
) -> None:
    jobs, strikes = fault_count(12, 120), fault_count(4, 60)
    node.setup(jobs)
    killed = 0
    for number in range(strikes):
        process = node.start(STRIKE_SEED=f"{soak_seed}:{number}", STRIKE_CHANCE="0.15")
        try:
            killed += process.wait(timeout=8) == -signal.SIGKILL
        except subprocess.TimeoutExpired:
            process.kill()  # all done, or waiting for a lease to run out: a strike while idle
            process.wait()
    assert killed, "no strike fell; the test would prove nothing"
    process = node.start()
    found = node.wait_for("successful", jobs)
    assert stop(process) == 0
    once = {str(number): 1 for number in range(jobs)}
    assert found["effects"] == once
    assert found["told"] == once
    assert found["deliveries"] == {"done": jobs}


@pytest.mark.fault
def test_two_workers_share_the_jobs_and_none_runs_twice(node: Node) -> None:
    node.setup(30)
    processes = [node.start(), node.start()]
    found = node.wait_for("successful", 30)
    assert [stop(process) for process in processes] == [0, 0]
    assert set(found["effects"].values()) == {1}
    assert found["attempts"] == [1] * 30


@pytest.mark.fault
def test_a_long_job_outlives_its_lease_because_it_is_renewed(node: Node) -> None:
    node.setup(1, seconds=5)
    processes = [node.start(), node.start()]
    found = node.wait_for("successful", 1)
    assert [stop(process) for process in processes] == [0, 0]
    assert (found["effects"], found["attempts"]) == ({"0": 1}, [1])


@pytest.mark.fault
@pytest.mark.parametrize(("grace", "state"), [("30", "successful"), ("0", "ready")])
def test_a_stopped_worker_finishes_or_gives_its_job_back(node: Node, grace: str, state: str) -> None:
    node.setup(1, seconds=2)
    process = node.start(GRACE=grace)
    node.wait_until_running()
    assert stop(process) == 0
    found = node.report()
    assert found["states"] == {state: 1}
    assert found["attempts"] == [1 if state == "successful" else 0]


@pytest.mark.fault
def test_a_stop_that_another_thread_takes_is_heard(node: Node) -> None:
    node.setup(1, seconds=30)
    process = node.start(GRACE="0", STOP_IN_LANE="1")
    assert process.wait(timeout=20) == 0
    assert node.report()["states"] == {"ready": 1}


@pytest.mark.fault
def test_a_worker_outlives_a_database_that_goes_away(node: Node) -> None:
    """PostgreSQL: every connection is cut again and again. SQLite: the file is locked for a while."""
    node.setup(6, seconds=0.3)
    process = node.start()
    node.wait_until_running()
    if node.database:
        name = urlsplit(node.database).path.lstrip("/")
        with psycopg.connect(SERVER, autocommit=True) as connection:
            for _ in range(5):
                time.sleep(0.4)
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
                )
    else:
        with sqlite3.connect(Path(node.environment["YUNHE_HOME"]) / "control.sqlite3", isolation_level=None) as locker:
            for _ in range(3):
                locker.execute("BEGIN EXCLUSIVE")
                time.sleep(0.7)
                locker.execute("ROLLBACK")
                time.sleep(0.1)
        locker.close()
    found = node.wait_for("successful", 6)
    assert stop(process) == 0
    assert set(found["effects"].values()) == {1}


def test_a_lane_goes_on_after_whatever_a_step_meets(monkeypatch: pytest.MonkeyPatch) -> None:
    stop_event = threading.Event()
    met = [OperationalError("away"), KeyError("broken"), None]

    def step(lane: object) -> bool:
        error = met.pop(0)
        if error is not None:
            raise error
        stop_event.set()
        return False

    monkeypatch.setattr(worker._Lane, "step", step)
    monkeypatch.setattr(worker, "connection", type("Closed", (), {"close": staticmethod(lambda: None)}))
    worker._lane("default", stop_event, 0)
    assert not met
