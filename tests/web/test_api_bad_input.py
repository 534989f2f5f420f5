"""Whatever is sent to /api/v1: a refusal with its place, never a fault, and nothing is done."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.api_caller import Answer, Caller, read
from tests.api_world import World, build
from tests.conftest import Cast, Member
from tests.data import spine
from yunhe.core.cases import api as cases
from yunhe.core.evidence.models import EvidenceRow
from yunhe.core.jobs import api as jobs
from yunhe.data.exchange import api as exchange

pytestmark = pytest.mark.django_db
DEEP: Any = json.loads("[" * 60 + "]" * 60)
HUGE = "长" * 300_000
ALWAYS_BAD = {
    "lone surrogate": "a\ud800b", "NUL": "a\x00b", "10**30": 10**30, "2**63": 2**63, "-2**63-1": -(2**63) - 1,
    "deep": DEEP, "not a number": float("nan"), "endless": float("inf"),
}  # fmt: skip
WRONG_TYPES = {"true": True, "1.5": 1.5, "number": 7, "list": [1], "none": None, "object": {"a": 1}, "huge": HUGE}
RIGHT_AFTER_ALL = {("version", "none"), ("version", "number"), ("data", "object")}


@pytest.fixture
def world(cast: Cast, tmp_path: Path, settings: Any) -> World:
    settings.YUNHE = {**settings.YUNHE, "SOURCE_ROOTS": f"*={tmp_path}"}
    return build(cast, tmp_path)


def writes(world: World, cast: Cast) -> list[tuple[Member, str, dict[str, Any]]]:
    """Every write with a body, by somebody who may, and a body that would do."""
    contract = spine.CONTRACT.format(title="另一份", provider=cast.owner.code, sharing="unconditional", basis='""', location="/a.csv", minimum=0)
    wanted = {"resource": world.code, "fields": ["uscc"], "purpose": "核对", "legal_basis": "演示", "row_filter": "", "until": ""}
    return [
        (cast.steward, "/resources", {"text": contract}),
        (cast.steward, f"/resources/{world.code}/submit", {"note": ""}),
        (cast.clerk, "/requests", wanted),
        (cast.leader, f"/cases/{world.case_id}/actions/grant", {"data": {"fields": ["uscc"]}, "version": 1, "obligation_id": ""}),
        (cast.leader, f"/grants/{world.grant_id}/revoke", {"reason": "依据变化"}),
    ]


def spoiled(body: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield (field, name of the fault, body) with one field spoiled at a time."""
    for field in body:
        for name, value in (ALWAYS_BAD | WRONG_TYPES).items():
            yield field, name, {**body, field: value}
    for name, value in ALWAYS_BAD.items():
        yield "surprise", name, {**body, "surprise": value}
    yield "surprise", "unknown field", {**body, "surprise": "x"}
    yield "a\ud800", "unknown field", {**body, "a\ud800": "x"}


def state_of(world: World, cast: Cast) -> tuple[Any, ...]:
    grant = exchange.access_grant(grant_id=world.grant_id, actor=cast.leader.actor)
    return grant, cases.get_case(case_id=world.case_id), jobs.get_job(job_id=world.job_id), EvidenceRow.objects.count()


def test_each_field_of_each_write_spoiled_in_every_way(world: World, cast: Cast) -> None:
    before, count = state_of(world, cast), 0
    for member, path, body in writes(world, cast):
        caller = Caller(member)
        for field, fault, sent in spoiled(body):
            if (field, fault) in RIGHT_AFTER_ALL:
                continue
            answer = caller.post(path, sent)
            count += 1
            assert answer.status in (400, 413, 422), (path, field, fault, answer.body)
    assert count > 150
    assert state_of(world, cast) == before


@pytest.mark.parametrize(
    ("raw", "content_type", "refusal"),
    [
        (b"", "application/json", (422, "bad_input")),
        (b"{", "application/json", (400, "bad_json")),
        (b'{"reason": "a",}', "application/json", (400, "bad_json")),
        (b"\xff\xfe\x00", "application/json", (400, "bad_json")),
        ('{"reason": "gb"}'.encode("utf-16"), "application/json", (400, "bad_json")),
        ('{"reason": "le"}'.encode("utf-16-le"), "application/json", (400, "bad_json")),
        (b"[" * 100_000, "application/json", (400, "bad_json")),
        (b'{"reason":' * 60 + b"1" + b"}" * 60, "application/json", (400, "bad_json")),
        (b'{"reason": ' + b"9" * 5000 + b"}", "application/json", (422, "bad_number")),
        (b'{"reason": 1e999}', "application/json", (422, "bad_number")),
        (b"null", "application/json", (422, "bad_input")),
        (b"[]", "application/json", (422, "bad_input")),
        (b'"text"', "application/json", (422, "bad_input")),
        (b"7", "application/json", (422, "bad_input")),
        (b'{"reason": "a"}', "text/plain", (415, "not_json")),
        (b'{"reason": "a"}', "application/xml", (415, "not_json")),
        (b"reason=a", "application/x-www-form-urlencoded", (415, "not_json")),
        (b'--x\r\nContent-Disposition: form-data; name="reason"\r\n\r\na\r\n--x--\r\n', "multipart/form-data; boundary=x", (415, "not_json")),
        (b"--x\r\nbroken", "multipart/form-data; boundary=", (400, "bad_request")),
        (b"x", "multipart/form-data", (400, "bad_request")),
        (b'{"reason": "' + b"a" * 6_000_000 + b'"}', "application/json", (400, "bad_request")),
    ],
)  # fmt: skip
def test_bodies_that_are_no_body(cast: Cast, raw: bytes, content_type: str, refusal: tuple[int, str]) -> None:
    answer = Caller(cast.leader).post("/grants/none/revoke", raw, content_type=content_type)
    assert answer.refusal == refusal, answer.body


PATHS = (
    "/resources/{}", "/resources/{}/1", "/resources/1/{}/findings", "/loads/{}", "/cases/{}", "/grants/{}", "/jobs/{}",
)  # fmt: skip
NAMES = ("%00", "a%00b", "%ed%a0%80", "%ff", "..", "%2e%2e%2fx", "'; DROP TABLE x", "9" * 400, "x" * 3000, "长", "%25", "-1")


@pytest.mark.parametrize("path", PATHS)
def test_names_that_are_no_name(cast: Cast, path: str) -> None:
    caller = Caller(cast.steward)
    for name in NAMES:
        answer = caller.get(path.format(name))
        assert answer.status in (400, 404, 422), (path, name, answer.body)


QUERIES = ("page", "size", "q", "sort", "state", "kind", "resource", "since", "until", "personal", "grade", "unheard")
VALUES = (
    "", "\x00", "a\x00b", "\ud800", str(10**30), str(2**63), "-1", "0", "1.5", "NaN", "9" * 5000, "x" * 5000, "[]", "{}", "%", "_", "\\",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-01-01", "2026-01-01T00:00:00Z", "null", "true", "长",
)  # fmt: skip


@pytest.mark.parametrize("path", ["/resources", "/loads", "/cases", "/grants", "/evidence"])
def test_queries_that_are_no_query(cast: Cast, path: str) -> None:
    caller = Caller(cast.steward)
    for name in QUERIES:
        for value in VALUES:
            raw = f"{name}={value}".encode("utf-8", "surrogatepass")
            answer = read(caller.client.get(f"/api/v1{path}?" + "".join(f"%{byte:02x}" if byte != 61 else "=" for byte in raw)))
            assert answer.status in (200, 422), (path, name, value[:30], answer.body)
            if name == "unheard" or "\x00" in value or "\ud800" in value:
                assert answer.status == 422, (name, value)


def test_a_wrong_value_is_never_sent_back(world: World, cast: Cast) -> None:
    secret = "320902199003070000"
    for member, path, body in writes(world, cast):
        for field in body:
            answer = Caller(member).post(path, {**body, field: [secret]})
            if answer.code == "bad_input":
                assert secret not in str(answer.body)


def test_the_sentence_says_where_and_what_in_both_languages(cast: Cast) -> None:
    said = {
        "zh-hans": "body.reason：必填。共 1 处，请改正后重新提交。",
        "en": "body.reason: Field required. 1 in all; mend and submit again.",
    }
    for language, sentence in said.items():
        answer = Caller(cast.leader, language=language).post("/grants/none/revoke", {})
        assert answer.refusal == (422, "bad_input")
        assert answer.body["detail"] == sentence
        assert answer.body["errors"][0]["where"] == "body.reason"


@pytest.mark.parametrize(
    ("raw", "zh", "en"),
    [
        (b'{"reason": "a",}', "第 1 行第 ", "from line 1 column "),
        (b'{"reason":' * 60 + b"1" + b"}" * 60, "body.reason", "body.reason"),
        (b"\xff\xfe\x00", "（正文）", "(body)"),
    ],
)
def test_what_is_no_json_is_told_in_one_language(cast: Cast, raw: bytes, zh: str, en: str) -> None:
    said = Caller(cast.leader, language="zh-hans").post("/grants/none/revoke", raw, content_type="application/json").body["detail"]
    assert zh in said and "line" not in said and "column" not in said
    said = Caller(cast.leader, language="en").post("/grants/none/revoke", raw, content_type="application/json").body["detail"]
    assert en in said and said.isascii()


def test_every_write_needs_the_token(world: World, cast: Cast) -> None:
    before = state_of(world, cast)
    plain = [(cast.steward, f"/resources/{world.code}/loads", {}), (cast.steward, f"/jobs/{world.job_id}/cancel", {})]
    for member, path, body in [*writes(world, cast), *plain]:
        assert Caller(member, strict=True).post(path, body).refusal == (403, "csrf_failed")
        assert Caller(member, strict=True).post(path, body, **{"X-CSRFToken": "a" * 64}).refusal == (403, "csrf_failed")
        assert Caller(None).post(path, body).refusal == (401, "not_signed_in")
    assert state_of(world, cast) == before


def test_the_token_of_the_pages_will_do(world: World, cast: Cast) -> None:
    caller = Caller(cast.steward, strict=True)
    token = caller.client.get("/account").cookies["csrftoken"].value
    answer = caller.post(f"/jobs/{world.job_id}/cancel", **{"X-CSRFToken": token})
    assert answer.body["state"] == "cancelled"


def test_wrong_methods_and_addresses(cast: Cast) -> None:
    client = Caller(cast.steward).client
    for method, path, status in (
        ("put", "/resources", 405), ("delete", "/grants/x", 405), ("put", "/cases", 405), ("get", "/requests", 405),
        ("patch", "/jobs/x", 405), ("get", "/nothing", 404), ("get", "/resources/", 404), ("get", "/", 404), ("options", "/loads", 405),
    ):  # fmt: skip
        answer: Answer = read(getattr(client, method)(f"/api/v1{path}"))
        assert answer.status == status, (method, path, answer.body)
