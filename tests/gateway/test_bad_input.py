"""Bad input: each a clear problem with its place, never a 500, always its evidence line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gateway.world import PERSON, Caller, World
from tests.soaking import amount
from yunhe.engine.evidencelog import read_segments

GOOD = {"grant": "G1", "keys": {"id": PERSON}}


def _body(**changes: object) -> bytes:
    return json.dumps({**GOOD, **changes}).encode()


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"", "$"),
        (b"{", "$"),
        (b"null", "$"),
        (b"[]", "$"),
        (b'"text"', "$"),
        (b"\xef\xbb\xbf{}", "$"),
        (b"\xff\xfe{}", "$"),
        (b'{"grant":"G1","keys":{"id":"\xff"}}', "$"),
        (b'{"grant":"G1","keys":{"id":"\\ud800"}}', "$"),
        (b'{"grant":"G1","keys":{"id":"\\udc00\\ud800"}}', "$"),
        (b'{"grant":"\\ud800","keys":{"id":"1"}}', "$"),
        (b'{"grant":"G1","keys":{"id":' + b"9" * 5000 + b"}}", "$"),
        (b'{"grant":"G1","keys":{"id":1e999}}', "$"),
        (b'{"grant":"G1","keys":{"id":NaN}}', "$"),
        (b"[" * 60000, "$"),
        (b'{"a":' * 10000, "$"),
        (_body(more=1), "$"),
        (b'{"keys":{"id":"1"}}', "$.grant"),
        (_body(grant=None), "$.grant"),
        (_body(grant=1), "$.grant"),
        (_body(grant=""), "$.grant"),
        (_body(grant="G" * 65), "$.grant"),
        (_body(grant="G1\n"), "$.grant"),
        (_body(grant="授权"), "$.grant"),
        (_body(keys=None), "$.keys"),
        (_body(keys=[]), "$.keys"),
        (_body(keys={}), "$.keys"),
        (_body(keys={"name": "x"}), "$.keys"),
        (_body(keys={"id": "1", "name": "x"}), "$.keys"),
        (_body(keys={str(number): 1 for number in range(40)}), "$.keys"),
        (_body(keys={"id": None}), "$.keys.id"),
        (_body(keys={"id": 1}), "$.keys.id"),
        (_body(keys={"id": True}), "$.keys.id"),
        (_body(keys={"id": 1.5}), "$.keys.id"),
        (_body(keys={"id": ["1"]}), "$.keys.id"),
        (_body(keys={"id": {"a": 1}}), "$.keys.id"),
        (_body(keys={"id": ""}), "$.keys.id"),
        (_body(keys={"id": "x" * 1001}), "$.keys.id"),
        (_body(keys={"id": "a\u0000b"}), "$.keys.id"),
        (_body(fields=None), "$.fields"),
        (_body(fields="name"), "$.fields"),
        (_body(fields=[]), "$.fields"),
        (_body(fields=["name", 1]), "$.fields[1]"),
        (_body(fields=[""]), "$.fields[0]"),
        (_body(fields=["x" * 201]), "$.fields[0]"),
        (_body(fields=["name"] * 5000), "$.fields"),
    ],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_bad_body_is_a_problem_with_its_place(
    caller: Caller, world: World, body: bytes, place: str, language: str
) -> None:
    answer = caller.query(body, headers={"Accept-Language": language})

    assert answer.status_code == 422, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["content-language"] == language
    problem = answer.json()
    assert (problem["code"], problem["kind"], problem["status"]) == ("bad_body", "invalid", 422)
    assert f" {place}" in problem["detail"]
    assert ("请求体" in problem["detail"]) == (language == "zh")
    (line,) = world.evidence()
    assert line["id"] == problem["trace_id"]
    assert line["facts"]["code"] == "bad_body"
    assert PERSON not in json.dumps(problem)


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("integer", [7, "7"], [True, 7.0, "7.0", "٧", 2**63, -(2**63) - 1, 10**30, "9" * 19, ""]),
        ("boolean", [True], [1, "true", None]),
        ("decimal", [], [12.5, "12.5"]),
        ("date", ["1949-12-31"], ["1949-12-32", "19491231", "1949-12-31T00:00:00", 19491231, "0000-01-01"]),
        ("timestamp", ["2024-03-01T00:00:00+08:00", "2024-02-29T16:00:00Z"],
         ["2024-03-01T00:00:00", "2024-03-01", "x", 0, "0001-01-01T00:00:00+14:00"]),
    ],
)  # fmt: skip
def test_key_values_have_the_type_of_their_column(
    world: World, tmp_path: Path, kind: str, good: list[object], bad: list[object]
) -> None:
    from yunhe.gateway.errors import BadBody
    from yunhe.gateway.policy import read_keys

    world.add_grant("G1", key_columns=("k",), field_types={"k": kind})
    read = [read_keys(world.grants["G1"], {"k": value})["k"] for value in good]
    assert len(set(read)) <= 1
    for value in bad:
        with pytest.raises(BadBody) as caught:
            read_keys(world.grants["G1"], {"k": value})
        assert "$.keys.k" in caught.value.say("zh")


def test_a_body_over_64_kib_is_refused_whatever_its_length_header_says(caller: Caller, world: World) -> None:
    exact = _body() + b" " * (65536 - len(_body()))
    assert caller.query(exact).status_code == 200

    for content in (exact + b" ", iter([exact, b" " * 10])):
        answer = caller.http.post("/v1/query", content=content, headers=world.headers(exact))
        assert (answer.status_code, answer.json()["code"]) == (422, "body_too_large")
        assert "65536" in answer.json()["detail"]
    assert [line["facts"].get("code", "") for line in world.evidence()] == ["", "body_too_large", "body_too_large"]


@pytest.mark.parametrize("name", ["officer", "case"])
@pytest.mark.parametrize("value", ["x" * 65, "a b", "测试".encode().decode("latin-1"), "a\tb", 'a"b'])
def test_a_header_of_another_form_is_refused(caller: Caller, name: str, value: str) -> None:
    answer = caller.signed(_body(), **{name: value})

    assert f"Yunhe-{name.capitalize()}" in answer.json()["detail"]
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_header")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/query", 405, "method_not_allowed"),
        ("DELETE", "/v1/query", 405, "method_not_allowed"),
        ("POST", "/healthz", 405, "method_not_allowed"),
        ("GET", "/", 404, "no_such_path"),
        ("POST", "/v1/query/", 404, "no_such_path"),
        ("GET", "/%ff%00", 404, "no_such_path"),
    ],
)
def test_other_addresses_and_methods_are_problems_too(
    caller: Caller, method: str, path: str, status: int, code: str
) -> None:
    answer = caller.http.request(method, path, follow_redirects=False)

    assert (answer.status_code, answer.json()["code"], answer.json()["status"]) == (status, code, status)
    assert answer.headers["content-type"] == "application/problem+json"


def test_what_an_address_takes_is_said(caller: Caller) -> None:
    assert caller.http.head("/healthz").status_code == 200
    for method, path, allowed in (("PUT", "/healthz", "GET, HEAD"), ("GET", "/v1/query", "POST")):
        answer = caller.http.request(method, path)
        assert (answer.headers["allow"], answer.json()["code"]) == (allowed, "method_not_allowed")
        assert allowed in answer.json()["detail"]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "zh"), ("en", "en"), ("en-US,en;q=0.9", "en"), ("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("fr", "zh"),
        ("fr, en;q=0.3", "en"), ("en;q=0.5, zh;q=0.6", "zh"), ("en;q=0", "zh"), ("*", "zh"), (";;;,q=", "zh"),
        ("en;q=9", "zh"), ("x" * 5000, "zh"),
    ],
)  # fmt: skip
def test_problems_speak_the_language_the_caller_likes_better(caller: Caller, header: str, language: str) -> None:
    answer = caller.http.get("/nowhere", headers={"Accept-Language": header})

    assert answer.headers["content-language"] == language
    assert ("网关" in answer.json()["detail"]) == (language == "zh")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
BODIES = st.one_of(
    st.binary(max_size=60),
    JSON.map(lambda value: json.dumps(value).encode()),
    st.fixed_dictionaries(
        {}, optional={"grant": JSON | st.just("G1"), "keys": JSON | st.just(GOOD["keys"]), "fields": JSON}
    ).map(lambda value: json.dumps(value).encode()),
    st.builds(lambda at, noise: _body()[:at] + noise + _body()[at:], st.integers(0, 60), st.binary(max_size=3)),
)


_read_until = [""]  # positions in the evidence log of the shared gateway


@pytest.fixture(scope="module")
def shared(serving_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Caller]:
    """One gateway for all examples."""
    with World(home=tmp_path_factory.mktemp("fuzz"), serving=serving_file).client() as opened:
        yield opened


@settings(max_examples=amount(small=80, full=2000), deadline=None)
@given(bodies=st.lists(BODIES, min_size=1, max_size=10))
def test_no_body_ever_breaks_the_door(shared: Caller, bodies: list[bytes]) -> None:
    caller, world = shared, shared.world
    world.write()  # a long soak outlives an image
    answers = [caller.query(body) for body in bodies]

    logged = list(read_segments(world.config.spool_path, _read_until[-1]))
    _read_until.append(logged[-1].position)
    assert all(answer.status_code in {200, 403, 422} for answer in answers), [answer.text for answer in answers]
    lines = [item.record for item in logged]
    assert [line["id"] for line in lines] == [
        answer.json().get("trace_id") or answer.json()["evidence"] for answer in answers
    ]
