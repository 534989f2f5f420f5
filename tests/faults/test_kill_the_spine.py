"""kill -9 of worker, web and gateway while they work: nothing lost, nothing twice, counts reconcile."""

from __future__ import annotations

import csv
import http.client
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.journeys.browser_free import Session
from tests.journeys.made import MadeHomes, city
from tests.journeys.node import Node
from tests.journeys.test_spine_on_the_command_line import uscc
from yunhe.client import Client
from yunhe.kernel.errors import YunheError

pytestmark = [pytest.mark.fault, pytest.mark.timeout(3600)]
ROWS = 40_000


@pytest.fixture
def node(homes: MadeHomes, tmp_path: Path) -> Iterator[Node]:
    with homes.node(city, YUNHE_SOURCE_ROOTS=f"*={tmp_path}", YUNHE_LEASE_SECONDS="3", YUNHE_WORKER_POLL_MS="50") as made:
        made.start()
        yield made


def strike(node: Node, process: str) -> None:
    """kill -9 every process of one kind; the supervisor starts it again."""
    for pid in node.pids(process):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def publish_big(node: Node, folder: Path) -> str:
    source, contract = folder / "big.csv", folder / "big.yml"
    with source.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["统一社会信用代码", "企业名称", "成立日期"])
        for number in range(ROWS):
            writer.writerow([uscc(20_000_000 + number) if number % 100 else "", f"示范{number}", "2020-01-01"])
    node.do("resource", "draft", str(source), "--out", str(contract), "--provider", "市市场监管局", "--title", "示范大表")
    registered = node.do("resource", "register", str(contract), "--publish")
    assert registered["state"] == "published"
    return str(registered["code"])


def test_kill_the_worker_during_loads(node: Node, tmp_path: Path, fault_count: Callable[[int, int], int], soak_seed: int) -> None:
    dice = random.Random(soak_seed)
    code = publish_big(node, tmp_path)
    for releases in range(1, fault_count(2, 100) + 1):
        load = subprocess.Popen(
            [sys.executable, "-m", "yunhe.cli.main", "load", code, "--json"],
            env=node.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(dice.choice((1, 1, 2))):
            time.sleep(dice.uniform(0.2, 3.5))
            strike(node, "worker")
        _, err = load.communicate(timeout=240)
        assert load.returncode == 0, (releases, err.decode(), node.log_tail())
        check_whole(node, code, releases)


def check_whole(node: Node, code: str, releases: int) -> None:
    """One more release for one more load, whole, and the rows are those of the source."""
    listed = node.do("release", "list", code)["releases"]
    assert [r["number"] for r in listed] == list(range(releases, 0, -1)), listed
    assert [r["current"] for r in listed] == [True] + [False] * (releases - 1)
    count = node.do("query", f'SELECT count(*) AS n, count(DISTINCT "uscc") AS d FROM "{code}"')["rows"]
    kept = ROWS - ROWS // 100
    assert count == [[kept, kept]]


def test_kill_the_gateway_during_calls(node: Node, tmp_path: Path, fault_count: Callable[[int, int], int], soak_seed: int) -> None:
    dice = random.Random(soak_seed)
    client, grant, citizens = grant_to_consumer(node, tmp_path)
    answered: list[str] = []
    stop = threading.Event()

    def call() -> None:
        while not stop.is_set():
            try:
                answered.append(client.query(grant=grant, keys={"uscc": dice.choice(citizens)}).evidence)
            except YunheError:
                time.sleep(0.02)
        client.close()

    threads = [threading.Thread(target=call) for _ in range(3)]
    for thread in threads:
        thread.start()
    for _ in range(fault_count(2, 60)):
        time.sleep(dice.uniform(0.3, 1.5))
        strike(node, "gateway")
        node.wait_ready()
    time.sleep(0.5)
    stop.set()
    for thread in threads:
        thread.join()
    assert len(answered) > 20
    assert len(set(answered)) == len(answered)
    missing = set(answered)
    deadline = time.monotonic() + 30
    while missing and time.monotonic() < deadline:
        missing = set(answered) - {r["id"] for r in all_calls(node)}
        time.sleep(0.3)
    assert not missing
    ids = [r["id"] for r in all_calls(node)]
    assert len(ids) == len(set(ids))


def all_calls(node: Node) -> list[dict[str, Any]]:
    """Return every gateway line in the evidence, page by page."""
    found: list[dict[str, Any]] = []
    while True:
        page = node.do("evidence", "find", "--kind", "gateway.query", "--size", "500", "--page", str(len(found) // 500 + 1))
        found += page["records"]
        if len(found) >= page["total"] or not page["records"]:
            return found


def grant_to_consumer(node: Node, folder: Path) -> tuple[Client, str, list[str]]:
    code = publish_big(node, folder)
    node.do("load", code)
    key_file = folder / "key.json"
    node.do("system", "create", "接入", "市人社局", "--out", str(key_file))
    request = node.do("request", "create", code, *node.as_person("renshe"), "--fields", "uscc", "--purpose", "演练", "--basis", "演示")
    assert request["grant"], request
    deadline = time.monotonic() + 30
    key = json.loads(key_file.read_text("utf-8"))
    client = Client(node.gateway, key["key"], key["secret"])
    wanted = [uscc(20_000_000 + number) for number in range(1, 99)]
    while True:
        try:
            assert client.query(grant=request["grant"], keys={"uscc": wanted[0]}).found
            client.close()
            return client, request["grant"], wanted
        except (YunheError, AssertionError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def create_user(session: Session, name: str) -> bool:
    """Create a user through the pages; False if the page did not answer that it was done."""
    try:
        return name in session.post("/organizations/users/new/", {"username": name, "display_name": "演练"})
    except (OSError, http.client.HTTPException):
        return False


def test_kill_the_web_during_writes(node: Node, fault_count: Callable[[int, int], int], soak_seed: int) -> None:
    """Each write answered as done is there once; one that was not answered is there once or not at all."""
    dice = random.Random(soak_seed)
    session = Session(node, "xitong", node.accounts["xitong"])
    made, unsure = [], []
    for number in range(fault_count(3, 120)):
        name = f"d{number:04d}.{dice.randrange(10**6)}"
        strike_soon = threading.Timer(dice.uniform(0.0, 0.08), strike, (node, "web"))
        strike_soon.start()
        done = create_user(session, name)
        (made if done else unsure).append(name)
        strike_soon.join()
        node.wait_ready()
    users = [user["username"] for user in node.do("user", "list")["users"]]
    assert len(users) == len(set(users))
    assert set(made) <= set(users)
    records = node.do("evidence", "find", "--kind", "organizations.user_created", "--size", "500")["records"]
    proven = [record["facts"]["username"] for record in records]
    assert len(proven) == len(set(proven))
    assert {name for name in (*made, *unsure) if name in users} == {n for n in proven if n.startswith("d0")}
