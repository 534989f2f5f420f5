"""The API: who may, what is refused, what it says of itself; and the doors for the supervisor."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Cast
from tests.web.conftest import SignIn
from yunhe.core.organizations import models
from yunhe.kernel.errors import YunheError
from yunhe.ui.strict_json import check_json


@pytest.mark.django_db
@pytest.mark.urls("tests.ui.doors_urls")
class TestRefusals:
    @pytest.fixture(autouse=True)
    def _settled(self, cast: Cast) -> None:
        models.User.objects.update(must_change_password=False)

    def test_nobody(self) -> None:
        answer = Client().get("/api/t/x/mine")
        assert (answer.status_code, json.loads(answer.content)["code"]) == (401, "not_signed_in")

    def test_without_the_permission(self, cast: Cast, sign_in: SignIn) -> None:
        answer = sign_in(cast.audit_admin).get("/api/t/x/mine")
        body = json.loads(answer.content)
        assert (answer.status_code, body["code"]) == (403, "refused")

    def test_with_the_permission(self, cast: Cast, sign_in: SignIn) -> None:
        answer = sign_in(cast.clerk).get("/api/t/x/mine")
        assert json.loads(answer.content) == {"actor": cast.clerk.actor.name}

    @pytest.mark.parametrize(
        ("body", "code"),
        [
            (b'{"text": "a\\ud800b"}', "bad_text"),
            (b'{"text": "a\\u0000b"}', "bad_text"),
            (b'{"t\\ud800": "a"}', "bad_text"),
            (b'{"text": "a", "number": 9223372036854775808}', "bad_number"),
            (b'{"text": "a", "number": ' + b"9" * 5000 + b"}", "bad_number"),
            (b'{"text": "a", "number": NaN}', "bad_number"),
            (b'{"text": "a", "number": -1e999}', "bad_number"),
            (b'{"text": "a", "number": "x"}', "bad_input"),
            (b'{"number": 1}', "bad_input"),
            (b'{"text": ', "bad_json"),
            (b"\xff\xfe", "bad_json"),
            (b"[" * 100_000, "bad_json"),
            (b'{"text":' + b"[" * 60 + b"]" * 60 + b"}", "bad_json"),
        ],
    )
    def test_bad_bodies(self, cast: Cast, sign_in: SignIn, body: bytes, code: str) -> None:
        answer = sign_in(cast.clerk).post("/api/t/x/notes", body, content_type="application/json")
        read = json.loads(answer.content)
        assert read["code"] == code
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.status_code == read["status"] == (400 if code == "bad_json" else 422)

    def test_each_wrong_field_is_named(self, cast: Cast, sign_in: SignIn) -> None:
        answer = sign_in(cast.clerk).post("/api/t/x/notes", b'{"number": "x"}', content_type="application/json")
        places = {one["where"] for one in json.loads(answer.content)["errors"]}
        assert places == {"body.text", "body.number"}

    def test_a_write_needs_the_token(self, cast: Cast) -> None:
        strict = Client(enforce_csrf_checks=True)
        strict.get("/login")
        form = {"username": cast.clerk.username, "password": cast.clerk.password}
        strict.post("/login", {**form, "csrfmiddlewaretoken": strict.cookies["csrftoken"].value})
        answer = strict.post("/api/t/x/notes", b'{"text": "a"}', content_type="application/json")
        assert (answer.status_code, json.loads(answer.content)["code"]) == (403, "csrf_failed")
        token = strict.cookies["csrftoken"].value
        answer = strict.post(
            "/api/t/x/notes", b'{"text": "a"}', content_type="application/json", headers={"X-CSRFToken": token}
        )
        assert json.loads(answer.content) == {"text": "a", "number": 0}


@pytest.mark.django_db
def test_the_description_is_for_those_who_signed_in(cast: Cast, sign_in: SignIn) -> None:
    models.User.objects.update(must_change_password=False)
    assert Client().get("/api/v1/openapi.json").status_code == 401
    schema = json.loads(sign_in(cast.clerk).get("/api/v1/openapi.json").content)
    assert schema["openapi"].startswith("3.1")
    assert schema["info"]["title"] == "Yunhe 运河"


@pytest.mark.django_db
def test_the_supervisors_doors() -> None:
    assert Client().get("/healthz").content == b"ok\n"
    assert json.loads(Client().get("/readyz").content) == {"ready": True, "checks": {"database": True}}
    text = Client().get("/metrics").content.decode()
    assert 'yunhe_requests_total{status="200"}' in text
    assert "yunhe_request_seconds_count" in text


def test_not_ready_without_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    from yunhe.web import health

    monkeypatch.setattr(health, "_database_answers", lambda: False)
    assert Client().get("/readyz").status_code == 503


scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(st.characters(codec=None), max_size=4)
trees = st.recursive(scalars, lambda t: st.lists(t, max_size=3) | st.dictionaries(st.text(max_size=3), t, max_size=3))


def storable(value: object) -> bool:
    """The oracle: what SQLite's integers and UTF-8 text without NUL can hold, said another way."""
    if isinstance(value, bool) or value is None:
        return True
    if isinstance(value, int):
        return -(2**63) < value < 2**63
    if isinstance(value, float):
        return float("-inf") < value < float("inf")
    if isinstance(value, str):
        try:
            return b"\x00" not in value.encode("utf-8") and "\ufffd" not in value
        except UnicodeEncodeError:
            return False
    if isinstance(value, dict):
        return all(storable(k) and storable(v) for k, v in value.items())
    return all(storable(one) for one in value)  # type: ignore[attr-defined]


@given(trees)
def test_json_is_taken_if_and_only_if_it_can_be_stored(value: object) -> None:
    try:
        check_json(value)
        taken = True
    except YunheError:
        taken = False
    assert taken == storable(value)
