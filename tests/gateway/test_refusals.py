"""Callers who prove nothing cannot fill the evidence; those who prove a key have every call written."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.gateway.world import PERSON, Caller, World
from yunhe.gateway.refusals import LINES, OTHERS, PERIOD, RefusalMeter, peer_group
from yunhe.kernel import clock

START = datetime(2026, 1, 1, tzinfo=UTC)


def _kinds(lines: list[dict[str, Any]]) -> Counter[str]:
    return Counter(line["kind"] for line in lines)


def test_refusals_without_a_key_are_answered_and_counted_in_one_line(world: World) -> None:
    calls = LINES + 25
    with clock.frozen(datetime.now(UTC)), world.client() as caller:
        answers = [caller.http.post("/v1/query", content=b"{}") for _ in range(calls - 5)]
        answers += [caller.signed(world.body(), secret="another") for _ in range(5)]

    assert {answer.status_code for answer in answers} == {403}
    lines = world.evidence()
    assert _kinds(lines) == {"gateway.query": LINES, "gateway.refused": 1}
    facts = lines[-1]["facts"]
    assert (facts["count"], facts["codes"]) == (25, {"bad_authorization": 20, "bad_signature": 5})
    assert facts["peer"] == lines[0]["facts"]["peer"]
    assert (lines[-1]["actor_id"], lines[-1]["organization"]) == ("system:-", "")


def test_the_count_is_written_when_the_minute_is_over(world: World) -> None:
    with clock.frozen(datetime.now(UTC)) as still, world.client() as caller:
        for _ in range(LINES + 3):
            caller.http.post("/v1/query", content=b"{}")
        assert _kinds(world.evidence()) == {"gateway.query": LINES}
        still.advance(PERIOD)
        world.write()
        caller.http.post("/v1/query", content=b"{}")
        kinds = _wait_for_count(world)

    assert kinds == {"gateway.query": LINES + 1, "gateway.refused": 1}


def _wait_for_count(world: World) -> Counter[str]:
    import time

    deadline = time.monotonic() + 10
    while not (kinds := _kinds(world.evidence()))["gateway.refused"] and time.monotonic() < deadline:
        time.sleep(0.02)
    return kinds


def test_every_authenticated_call_has_its_line_beside_a_flood(caller: Caller, world: World) -> None:
    written = []
    for _ in range(LINES * 3):
        caller.http.post("/v1/query", content=b"{}")
        written.append(caller.query().json()["evidence"])
        written.append(caller.query(grant="G9").json()["trace_id"])

    proved = [line["id"] for line in world.evidence() if line["actor_id"] == f"system:{world.key_id}"]
    assert proved == written
    assert sum(line["actor_id"] == "system:-" for line in world.evidence()) == LINES


def test_a_recorded_call_sent_again_and_again_does_not_fill_the_evidence(caller: Caller, world: World) -> None:
    headers = world.headers(world.body())
    answers = [caller.http.post("/v1/query", content=world.body(), headers=headers) for _ in range(LINES * 2)]

    assert Counter(answer.status_code for answer in answers) == {200: 1, 403: LINES * 2 - 1}
    assert len(world.evidence()) == 1 + LINES
    assert PERSON not in str(world.evidence())


def test_a_count_that_cannot_be_written_waits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio
    from dataclasses import replace

    from yunhe.gateway.app import Gateway

    gateway = Gateway(replace(world.config, spool_bytes=1))
    try:
        for _ in range(LINES + 4):
            gateway.refusals.admit(peer="10.0.0.1", code="bad_signature", at=START)
        asyncio.run(gateway.write_counts(everything=True))
        assert world.evidence() == []
        monkeypatch.setattr(gateway.spool, "_spool_bytes", 10**6)
        asyncio.run(gateway.write_counts())
        asyncio.run(gateway.write_counts())
    finally:
        gateway.close()
    assert [line["facts"]["count"] for line in world.evidence()] == [4]


STEPS = st.lists(st.tuples(st.sampled_from("abcdefgh"), st.sampled_from(["x", "y"]), st.integers(0, 40)), max_size=120)


@given(steps=STEPS, drains=st.sets(st.integers(0, 120)))
def test_no_refusal_is_lost_and_no_peer_writes_more_than_its_share(
    steps: list[tuple[str, str, int]], drains: set[int]
) -> None:
    meter = RefusalMeter(lines=3, peers=4)
    at, written, counted = START, Counter[str](), Counter[str]()
    stamps: dict[str, list[datetime]] = {}
    for number, (peer, code, seconds) in enumerate(steps):
        at += timedelta(seconds=seconds)
        if meter.admit(peer=peer, code=code, at=at):
            written[code] += 1
            stamps.setdefault(peer, []).append(at)
        if number in drains:
            for held in meter.due(at=at):
                counted += held.codes
                meter.settle(held)
    for held in meter.due(at=at, everything=True):
        assert held.since <= held.until
        counted += held.codes
        meter.settle(held)
    assert written + counted == Counter(code for _, code, _ in steps)
    assert meter.due(at=at, everything=True) == []
    for own in stamps.values():  # a minute may begin anew once in any minute: twice the share at most
        assert all(sum(one <= other < one + PERIOD for other in own) <= 2 * 3 for one in own)


def test_past_a_number_of_peers_the_rest_are_one(world: World) -> None:
    meter = RefusalMeter(lines=1, peers=2)
    own = [meter.admit(peer=f"10.0.0.{number}", code="x", at=START) for number in range(20)]
    assert sum(own) == 3
    (held,) = meter.due(at=START + PERIOD)
    assert (held.peer, held.codes) == (OTHERS, {"x": 17})


@pytest.mark.parametrize(
    ("peer", "group"),
    [
        ("10.0.0.1", "10.0.0.1"), ("::ffff:10.0.0.1", "10.0.0.1"), ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:1", "2001:db8::/64"), ("testclient", "testclient"), ("", ""), ("x" * 500, "x" * 64),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)  # fmt: skip
def test_what_counts_as_one_peer(peer: str, group: str) -> None:
    assert peer_group(peer) == group
