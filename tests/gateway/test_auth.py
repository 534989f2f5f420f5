"""Who may call: signature, clock, nonce, key."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from tests.gateway.world import NODE_SECRET, PERSON, Caller, World
from yunhe.gateway.audit import subject_token
from yunhe.gateway.rights import AccessKeyRow, new_secret, seal_secret
from yunhe.kernel import clock


def _refused(answer: httpx.Response, code: str) -> None:
    assert (answer.status_code, answer.json()["code"]) == (403, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    "signing",
    [
        {"secret": "another"},
        {"method": "GET"},
        {"path": "/v1/Query"},
        {"query": "a=1"},
    ],
)
def test_a_wrong_signature_is_refused(caller: Caller, world: World, signing: dict[str, str]) -> None:
    _refused(caller.signed(world.body(), **signing), "bad_signature")

    (line,) = world.evidence()
    assert line["facts"]["code"] == "bad_signature"
    assert (line["actor_id"], line["actor_name"], line["organization"], line["subject_id"]) == ("system:-", "-", "", "-")
    assert line["facts"]["claimed_key"] == world.key_id
    assert not {"key", "nonce", "officer", "case"} & line["facts"].keys()


def test_a_changed_body_is_refused(caller: Caller, world: World) -> None:
    signed = world.headers(world.body())

    _refused(caller.http.post("/v1/query", content=world.body() + b" ", headers=signed), "bad_signature")


def test_a_changed_query_string_is_refused_and_a_signed_one_taken(caller: Caller, world: World) -> None:
    body = world.body()
    _refused(caller.http.post("/v1/query?a=1", content=body, headers=world.headers(body)), "bad_signature")
    assert caller.http.post("/v1/query?a=1", content=body, headers=world.headers(body, query="a=1")).status_code == 200


@pytest.mark.parametrize("header", ["Yunhe-Officer", "Yunhe-Case"])
def test_officer_and_case_stand_only_as_signed(caller: Caller, world: World, header: str) -> None:
    plain, named = world.headers(world.body()), world.headers(world.body(), officer="u1", case="c1")
    for headers in (plain | {header: "u2"}, named | {header: "u2"}, {k: v for k, v in named.items() if k != header}):
        _refused(caller.http.post("/v1/query", content=world.body(), headers=headers), "bad_signature")
    assert caller.signed(world.body(), officer="u1", case="c1").status_code == 200

    assert [line["facts"].get("officer") for line in world.evidence()] == [None, None, None, "u1"]


def test_an_unknown_key_is_refused_with_its_evidence(caller: Caller, world: World) -> None:
    _refused(caller.signed(world.body(), key_id="AKNOBODY"), "unknown_key")

    (line,) = world.evidence()
    assert (line["actor_id"], line["organization"]) == ("system:-", "")
    assert len(line["facts"]["claimed_token"]) == 64
    assert "AKNOBODY" not in json.dumps(line)


def test_an_identity_number_sent_as_key_id_is_kept_and_answered_nowhere(
    caller: Caller, world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    answers = [caller.signed(world.body(), key_id=PERSON, nonce=PERSON) for _ in range(2)]

    lines = world.evidence()
    assert PERSON not in json.dumps(lines) + "".join(answer.text for answer in answers) + capfd.readouterr().err
    tokens = {line["facts"]["claimed_token"] for line in lines}
    assert len(tokens) == 1
    assert tokens != {subject_token(node_secret=NODE_SECRET, values=[PERSON])}


def test_what_an_unproved_caller_writes_into_headers_is_not_kept(caller: Caller, world: World) -> None:
    headers = world.headers(world.body(), secret="another", officer=PERSON, case=PERSON)
    _refused(caller.http.post("/v1/query", content=world.body(), headers=headers), "bad_signature")
    assert PERSON not in json.dumps(world.evidence())


def test_a_revoked_key_is_refused_once_it_proved_itself(world: World) -> None:
    world.add_key(world.key_id, world.secret, revoked=True)
    world.write()
    with world.client() as caller:
        _refused(caller.query(), "key_revoked")
        _refused(caller.signed(world.body(), secret="another"), "bad_signature")


def test_a_key_is_noticed_as_revoked_while_running(caller: Caller, world: World) -> None:
    assert caller.query().status_code == 200
    world.add_key(world.key_id, world.secret, revoked=True)
    world.write()
    deadline = time.monotonic() + 10
    while caller.query().status_code == 200:
        assert time.monotonic() < deadline

    _refused(caller.query(), "key_revoked")


@pytest.mark.parametrize(
    ("seconds", "status"), [(-31, 403), (-30, 200), (0, 200), (30, 200), (31, 403), (10**9, 403), (-(10**9), 403)]
)
def test_the_clock_may_differ_by_the_skew_and_no_second_more(world: World, seconds: int, status: int) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    with world.client() as caller, clock.frozen(now):
        answer = caller.signed(world.body(), at=now + timedelta(seconds=seconds))

    assert answer.status_code == status, answer.text
    if status != 200:
        assert answer.json()["code"] == "clock_skew"


def test_a_replayed_call_is_refused(caller: Caller, world: World) -> None:
    body = world.body()
    headers = world.headers(body)
    assert caller.http.post("/v1/query", content=body, headers=headers).status_code == 200

    _refused(caller.http.post("/v1/query", content=body, headers=headers), "replayed_nonce")
    assert [line["facts"].get("code", "") for line in world.evidence()] == ["", "replayed_nonce"]


def test_a_nonce_belongs_to_its_key(world: World) -> None:
    other = new_secret()
    world.add_key("AKSECOND", other)
    world.write()
    with world.client() as caller:
        assert caller.signed(world.body(), nonce="n" * 16).status_code == 200
        assert caller.signed(world.body(), nonce="n" * 16, key_id="AKSECOND", secret=other).status_code == 200


def test_a_refused_call_uses_up_its_nonce_but_a_badly_signed_one_does_not(caller: Caller, world: World) -> None:
    body = world.body()
    caller.signed(body, nonce="a" * 16, secret="another")
    assert caller.signed(body, nonce="a" * 16).status_code == 200
    assert caller.signed(world.body(grant="G9"), nonce="b" * 16).json()["code"] == "not_your_grant"
    _refused(caller.signed(body, nonce="b" * 16), "replayed_nonce")


def test_nonces_are_forgotten_only_after_the_skew_refuses_their_time(world: World) -> None:
    then = datetime.now(UTC).replace(microsecond=0)
    body = world.body()
    headers = world.headers(body, at=then)
    with clock.frozen(then) as still:
        with world.client() as caller:
            assert caller.http.post("/v1/query", content=body, headers=headers).status_code == 200
        for seconds in (1, 29):
            still.advance(timedelta(seconds=seconds))
            with world.client() as caller:  # a restart sweeps
                _refused(caller.http.post("/v1/query", content=body, headers=headers), "replayed_nonce")
        still.advance(timedelta(seconds=1))
        with world.client() as caller:
            _refused(caller.http.post("/v1/query", content=body, headers=headers), "clock_skew")


@pytest.mark.parametrize(
    "value",
    [None, "", "Bearer x", "YUNHE-HMAC-SM3", "YUNHE-HMAC-SM3 key=AK", "YUNHE-HMAC-SM3 " + "x" * 5000, b"\xff\xfe"],
)
def test_a_header_that_cannot_be_read_is_refused(caller: Caller, world: World, value: str | bytes | None) -> None:
    headers = {} if value is None else {"Authorization": value}

    _refused(caller.http.post("/v1/query", content=world.body(), headers=headers), "bad_authorization")
    assert world.evidence()[0]["actor_id"] == "system:-"


def test_a_secret_sealed_for_another_key_opens_for_none(world: World) -> None:
    other = new_secret()
    sealed = seal_secret(node_secret=bytes(range(32)), key_id="AKA", secret=other)
    world.keys["AKB"] = AccessKeyRow("AKB", "s", "o", sealed)
    world.write()
    with world.client() as caller:
        answer = caller.signed(world.body(), key_id="AKB", secret=other)

    assert answer.json()["code"] == "seal_broken"
    assert other not in answer.text
