"""Calls made of the API's own description, well and badly: the answer is one that the description declares."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api_caller import Caller, read
from tests.api_world import World, build
from tests.conftest import Cast
from tests.soaking import amount
from yunhe.web.http import api

SCHEMA: Any = json.loads(json.dumps(api.get_openapi_schema(path_prefix="/")))
OPERATIONS = sorted((path, method) for path, methods in SCHEMA["paths"].items() for method in methods)
TEXT = st.text(st.characters(codec=None), max_size=12) | st.sampled_from(["", "grant", "published", "2026-01-01", "长", "x" * 700])
NUMBERS = st.integers(-(2**70), 2**70) | st.sampled_from([0, 1, 2**31, 2**53, 2**63, 10**30])
SCALARS = st.none() | st.booleans() | NUMBERS | st.floats() | TEXT
ANYTHING = st.recursive(SCALARS, lambda t: st.lists(t, max_size=3) | st.dictionaries(TEXT, t, max_size=3), max_leaves=6)


def followed(schema: dict[str, Any]) -> dict[str, Any]:
    return SCHEMA["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]] if "$ref" in schema else schema


def values_of(schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Return values that the schema allows, as far as it goes into its types."""
    schema = followed(schema)
    if "anyOf" in schema:
        return st.one_of(*map(values_of, schema["anyOf"]))
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kind = schema.get("type")
    if kind == "object" and "properties" in schema:
        required = set(schema.get("required", ()))
        parts = {name: values_of(one) for name, one in schema["properties"].items()}
        sure = {name: one for name, one in parts.items() if name in required}
        return st.fixed_dictionaries(sure, optional={name: one for name, one in parts.items() if name not in required})
    if kind == "array":
        return st.lists(values_of(schema["items"]), max_size=3)
    if kind == "integer":
        return st.integers(schema.get("minimum", -(2**31)), min(schema.get("maximum", 2**31), 2**31))
    simple = {"string": st.text(max_size=min(schema.get("maxLength", 20), 20)), "boolean": st.booleans(), "null": st.none()}
    return simple.get(str(kind), ANYTHING)


@st.composite
def calls(draw: Any, names: dict[str, str]) -> tuple[str, str, str, Any]:
    """Return (template, method, address, body): each part right, or anything at all."""
    template, method = draw(st.sampled_from(OPERATIONS))
    operation = SCHEMA["paths"][template][method]
    address, query = template, []
    for one in operation.get("parameters", ()):
        if one["in"] == "path":
            name = names[one["name"]] if draw(st.booleans()) else draw(TEXT)
            address = address.replace(f"{{{one['name']}}}", quote(name.encode("utf-8", "surrogatepass"), safe="/"))
        elif one["in"] == "query" and draw(st.integers(0, 3)) == 0:
            value = draw(values_of(one["schema"]) | TEXT | NUMBERS)
            query.append((one["name"], str(value).encode("utf-8", "surrogatepass")))
    body = operation.get("requestBody")
    sent = draw(values_of(body["content"]["application/json"]["schema"]) | ANYTHING) if body else {}
    return template, method, f"{address}?{urlencode(query)}" if query else address, sent


@pytest.mark.django_db
def test_every_call_gets_a_declared_answer(cast: Cast, tmp_path: Path, settings_of_sources: Any) -> None:
    world: World = build(cast, tmp_path)
    callers = [Caller(member) for member in (cast.steward, cast.leader, cast.clerk, cast.data_admin)]
    met: set[int] = set()

    @settings(max_examples=amount(small=250, full=20_000))
    @given(call=calls(world.names), caller=st.sampled_from(callers))
    def knock(call: tuple[str, str, str, Any], caller: Caller) -> None:
        template, method, address, body = call
        path = f"/api/v1{address}"
        if method == "get":
            answer = read(caller.client.get(path))
        else:
            answer = read(caller.client.post(path, json.dumps(body).encode(), content_type="application/json"))
        met.add(answer.status)
        declared = {int(status) for status in SCHEMA["paths"][template][method]["responses"]}
        assert answer.status in declared | {405}, (call, answer.body)  # 405: an empty name makes it another address

    knock()
    assert {200, 404, 422} <= met


@pytest.fixture
def settings_of_sources(tmp_path: Path, settings: Any) -> None:
    settings.YUNHE = {**settings.YUNHE, "SOURCE_ROOTS": f"*={tmp_path}"}


def test_the_description_is_whole() -> None:
    assert SCHEMA["openapi"].startswith("3.1")
    wanted = {
        "get /resources", "post /resources", "get /resources/{code}", "post /resources/{code}/submit",
        "post /resources/{code}/loads", "get /resources/{code}/findings", "get /loads", "get /loads/{load_id}",
        "post /requests", "get /cases", "get /cases/{case_id}", "post /cases/{case_id}/actions/{action}", "get /grants",
        "get /grants/{grant_id}", "post /grants/{grant_id}/revoke", "get /evidence", "get /jobs/{job_id}", "post /jobs/{job_id}/cancel",
    }  # fmt: skip
    assert {f"{method} {path}" for path, method in OPERATIONS} >= wanted
    identifiers = [SCHEMA["paths"][path][method]["operationId"] for path, method in OPERATIONS]
    assert len(set(identifiers)) == len(identifiers)
    for path, method in OPERATIONS:
        operation = SCHEMA["paths"][path][method]
        problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
        for status in ("400", "401", "403", "404", "422"):
            assert operation["responses"][status]["content"] == problem, (path, method, status)
        token = [one for one in operation.get("parameters", ()) if one["name"] == "X-CSRFToken"]
        assert len(token) == (0 if method == "get" else 1)
        assert operation["description"] and operation["tags"]
        for one in operation.get("parameters", ()):
            assert f"{{{one['name']}}}" in path or one["in"] != "path"
