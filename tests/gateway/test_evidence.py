"""No evidence, no data: the line is durable before the answer, or there is no answer."""

from __future__ import annotations

import asyncio
import errno
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.world import Caller, World, process
from yunhe.engine import evidencelog
from yunhe.engine.evidencelog import SpoolInUse, SpoolUnavailable
from yunhe.gateway import nonces
from yunhe.gateway.app import make_app


def test_the_line_can_be_read_when_the_answer_arrives(caller: Caller, world: World) -> None:
    for number in range(5):
        answer = caller.query()
        assert world.evidence()[number]["id"] == answer.json()["evidence"]


def test_a_failing_disk_refuses_and_recovers_alone(
    caller: Caller, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "no room")

    with monkeypatch.context() as broken:
        broken.setattr(evidencelog, "_sync", fail)
        answer = caller.query(headers={"Accept-Language": "en"})
        refusal = caller.query(grant="G9")

    assert (answer.status_code, answer.json()["code"]) == (503, "evidence_unavailable")
    assert "ENOSPC" in answer.json()["detail"]
    assert "row" not in answer.json()
    assert refusal.json()["code"] == "evidence_unavailable"
    assert caller.query().status_code == 200
    assert len(world.evidence()) == 1


def test_a_full_spool_refuses(world: World) -> None:
    from dataclasses import replace

    from tests.gateway.in_process import TestClient

    with TestClient(make_app(replace(world.config, spool_bytes=700))) as http:
        caller = Caller(world, http)  # type: ignore[arg-type]
        codes = [caller.query().status_code for _ in range(3)]
        ready = http.get("/readyz")

    assert codes[0] == 200
    assert codes[-1] == 503
    assert len(world.evidence()) == codes.count(200)
    assert ready.status_code in {200, 503}


async def _gathered(one: Callable[[int], Coroutine[Any, Any, Any]], number: int, leaving: int) -> list[Any]:
    """Run `number` waits together, of which one is given up at once."""
    waits = [asyncio.create_task(one(at)) for at in range(number)]
    await asyncio.sleep(0)
    waits[leaving].cancel()
    return await asyncio.gather(*waits, return_exceptions=True)


@pytest.mark.parametrize("fails", [False, True])
def test_a_caller_who_leaves_takes_no_other_of_the_group_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: bool
) -> None:
    def sync(descriptor: int) -> None:
        time.sleep(0.05)  # the others wait and go into one group
        if fails:
            raise OSError(errno.EIO, "no disk")

    monkeypatch.setattr(evidencelog, "_sync", sync)
    writer = evidencelog.SegmentWriter(tmp_path)
    results = asyncio.run(_gathered(lambda at: writer.append_async({"n": at}), 20, leaving=7))
    writer.close()
    kept = [type(result) for at, result in enumerate(results) if at != 7]
    assert isinstance(results[7], asyncio.CancelledError)
    assert set(kept) == {SpoolUnavailable if fails else type(None)}


def test_of_claims_in_one_group_each_learns_its_own_answer(tmp_path: Path) -> None:
    store = nonces.NonceStore(tmp_path / "nonces.sqlite3")
    results = asyncio.run(
        _gathered(lambda at: store.claim(key="K", nonce=f"n{at % 10}", expires_at=2**40), 20, leaving=7)
    )
    store.close()
    assert isinstance(results[7], asyncio.CancelledError)
    assert results[:7] + results[8:10] == [True] * 9
    assert results[10:] == [False] * 10


def test_unwritable_nonces_refuse_with_an_evidence_line(
    caller: Caller, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nonces.NonceStore, "_commit", lambda self, group: [None] * len(group))
    answer = caller.query()

    assert (answer.status_code, answer.json()["code"]) == (503, "replay_guard_unavailable")
    assert world.evidence()[0]["facts"]["code"] == "replay_guard_unavailable"


def test_what_breaks_inside_is_a_problem_with_a_trace_id_and_shows_nothing(
    caller: Caller, world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fall(*args: object, **kwargs: object) -> None:
        raise RuntimeError("测试甲 13800000000")

    monkeypatch.setattr("yunhe.gateway.policy.show_row", fall)
    answer = caller.query()

    assert (answer.status_code, answer.json()["code"]) == (500, "broken")
    (line,) = world.evidence()
    assert line["id"] == answer.json()["trace_id"]
    logged = capsys.readouterr().err
    assert line["id"] in logged
    assert "RuntimeError" in logged
    assert "13800000000" not in logged + answer.text


def test_two_gateways_on_one_home_are_refused(caller: Caller, world: World) -> None:
    with pytest.raises(SpoolInUse):
        make_app(world.config)


def test_every_handler_declares_its_permission(world: World) -> None:
    app = make_app(world.config)
    found = {route.path: route.endpoint.permission for route in app.routes}  # type: ignore[attr-defined]

    assert found == {"/v1/query": "grant", "/healthz": "public", "/readyz": "public", "/metrics": "public"}


def test_metrics_count_calls_by_code_and_name_nobody(caller: Caller, world: World) -> None:
    caller.query()
    caller.query(grant="G9")
    text = caller.http.get("/metrics").text

    assert 'yunhe_gateway_calls_total{code="found"} 1' in text
    assert 'yunhe_gateway_calls_total{code="not_your_grant"} 1' in text
    assert "yunhe_gateway_evidence_records_total 2" in text
    assert world.key_id not in text


def test_a_real_process_answers_and_stops_when_told(world: World) -> None:
    with process(world) as (running, caller):
        assert caller.http.get("/readyz").json() == {"status": "ready", "rights_version": world.version}
        answer = caller.query()
        assert answer.status_code == 200
        running.terminate()
        running.wait(20)

    assert [line["id"] for line in world.evidence()] == [answer.json()["evidence"]]
