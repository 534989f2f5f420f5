"""kill -9 of the gateway: no answered call without its line, no used nonce forgotten."""

from __future__ import annotations

import threading
from collections import Counter

import httpx
import pytest

from tests.gateway.world import World, process
from tests.soaking import amount, seed_of


@pytest.mark.fault
@pytest.mark.parametrize("round_number", range(amount(small=3, full=40)))
def test_kill_9_during_calls_loses_no_line_of_an_answered_call(world: World, round_number: int) -> None:
    wanted = 15 + (seed_of("kill gateway") + 53 * round_number) % 150
    answered: list[str] = []
    enough = threading.Event()

    def call(base_url: httpx.URL) -> None:
        with httpx.Client(base_url=base_url, timeout=20) as http:
            while True:
                body = world.body()
                try:
                    answer = http.post("/v1/query", content=body, headers=world.headers(body))
                except httpx.HTTPError:
                    return
                answered.append(answer.json()["evidence"])
                if len(answered) >= wanted:
                    enough.set()

    with process(world) as (running, caller):
        threads = [threading.Thread(target=call, args=(caller.http.base_url,)) for _ in range(6)]
        for thread in threads:
            thread.start()
        assert enough.wait(60)
        running.kill()
        for thread in threads:
            thread.join(60)

    lines = Counter(line["id"] for line in world.evidence())
    assert len(answered) >= wanted
    assert [identity for identity in answered if lines[identity] != 1] == []
    assert max(lines.values()) == 1


@pytest.mark.fault
def test_after_kill_9_and_a_restart_a_replayed_call_is_still_refused(world: World) -> None:
    body = world.body()
    headers = world.headers(body)
    with process(world) as (running, caller):
        assert caller.http.post("/v1/query", content=body, headers=headers).status_code == 200
        running.kill()
        running.wait()
    with process(world) as (running, caller):
        answer = caller.http.post("/v1/query", content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (403, "replayed_nonce")
        assert caller.query().status_code == 200
