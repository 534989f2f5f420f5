"""Conditional fields: not shown and not kept unless their condition holds; the server says so, everywhere alike."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api_caller import Caller
from tests.conftest import Cast
from tests.core.cases.form_kinds import form_kind, publish, text
from tests.core.cases.test_pages import signed_in
from tests.soaking import amount
from yunhe.core.cases import api
from yunhe.core.cases.errors import BadKind, FieldsInvalid
from yunhe.core.cases.rules.fields import examine
from yunhe.core.cases.types import FieldSpec

KEEPER = {"name": "has_shop", "title": "有店面", "type": "boolean"}
AREA = {"name": "area", "title": "面积", "type": "integer", "when": "form_has_shop", "required": True}
FIRE = text("fire", when="form_area >= 300", required=True)


@pytest.mark.django_db
def test_a_field_whose_condition_does_not_hold_is_neither_asked_for_nor_kept(cast: Cast) -> None:
    publish([KEEPER, AREA, FIRE])

    def opened(**data: Any) -> Any:
        case = api.open_case(kind="form_case", title="一件", data=data, actor=cast.clerk.actor, owner=cast.owner.code)
        return case.data["area"], case.data["fire"]

    assert opened() == (None, None)
    assert opened(has_shop=False, area=400, fire="有喷淋") == (None, None)  # what hangs on a dropped value is dropped, too
    assert opened(has_shop=True, area=299, fire="有喷淋") == (299, None)
    assert opened(has_shop=True, area=300, fire="有喷淋") == (300, "有喷淋")
    for data, missing in (({"has_shop": True}, "area"), ({"has_shop": True, "area": 300}, "fire")):
        with pytest.raises(FieldsInvalid) as refused:
            opened(**data)
        assert [(p.field, p.code) for p in refused.value.problems] == [(missing, "required")]


@pytest.mark.django_db
def test_an_action_s_field_can_hang_on_the_case(cast: Cast) -> None:
    fields = [text("why", when="area >= 300 and actor_role = 'data_leader'", required=True)]
    publish([{"name": "area", "title": "面积", "type": "integer"}], fields)
    for area, member, asked in ((299, cast.leader, False), (300, cast.steward, False), (300, cast.leader, True)):
        case = api.open_case(kind="form_case", title="一件", data={"area": area}, actor=cast.clerk.actor, owner=cast.owner.code)
        answer = Caller(member).post(f"/cases/{case.case_id}/actions/finish", {"data": {}})
        assert answer.status == (422 if asked else 200), (area, asked)


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ([text("a", when="form_b = 'x'"), text("b")], "fields.a"),
        ([text("a", when="form_a = 'x'")], "fields.a"),
        ([text("a"), text("b", when="form_a = 1")], "fields.b"),
        ([text("a", when="__import__('os')")], "fields.a"),
        ([text("a", internal=True, when="form_a = 'x'")], "fields.a"),
        ([text("a", source={"from": "nowhere", "key": "form.b"})], "fields.a"),
        ([text("a", element="no_such_element")], "fields.a"),
    ],
)
@pytest.mark.django_db
def test_a_condition_that_cannot_be_asked_stops_the_kind(fields: list[dict[str, Any]], where: str) -> None:
    with pytest.raises(BadKind) as refused:
        api.require_sound(form_kind(fields))
    assert where in str(refused.value)


def test_rows_hold_no_conditions() -> None:
    with pytest.raises(ValueError, match="of the form itself"):
        FieldSpec.model_validate({"name": "r", "title": "r", "type": "rows", "fields": [text("a", when="form_b = 'x'")]})


@pytest.mark.django_db
def test_the_page_asks_the_server_and_works_without_script(cast: Cast) -> None:
    publish([KEEPER, AREA, FIRE])
    client = signed_in(cast.clerk)
    first = client.get("/inbox/new/form_case/").content.decode()
    assert 'name="do-area"' not in first and 'id="slot-area"' in first and "data-steers" in first
    filled = {"do-title": "一件", "do-owner": cast.owner.code, "do-has_shop": "on", "key": "K1"}
    again = client.post("/inbox/new/form_case/", {**filled, "step": "refresh"})
    assert again.status_code == 200 and 'name="do-area"' in again.content.decode() and "yh-error" not in again.content.decode()
    assert 'value="一件"' in again.content.decode()
    refused = client.post("/inbox/new/form_case/", {**filled, "do-area": "300"})
    assert refused.status_code == 422 and 'name="do-fire"' in refused.content.decode()
    stale = client.post("/inbox/new/form_case/", {**filled, "do-has_shop": "", "do-area": "300", "do-fire": "旧的"})
    assert stale.status_code == 302
    view = api.access_case(case_id=stale["Location"].split("/")[-2], actor=cast.clerk.actor)
    assert (view.case.data["area"], view.case.data["fire"]) == (None, None)
    assert "字段fire" not in [fact.title["zh"] for fact in view.facts]


NUMBERS = st.integers(-3, 3)
COMPARED = {"=": lambda a, b: a == b, "<>": lambda a, b: a != b, "<": lambda a, b: a < b, ">=": lambda a, b: a >= b}


@st.composite
def chains(draw: Any) -> list[tuple[str, list[tuple[int, str, int]], str]]:
    """Draw a form of numbers: each field's condition compares earlier ones, joined by and / or."""
    fields = []
    for place in range(draw(st.integers(2, 7))):
        parts: list[tuple[int, str, int]] = []
        if place and draw(st.booleans()):
            one = st.tuples(st.integers(0, place - 1), st.sampled_from(sorted(COMPARED)), NUMBERS)
            parts = draw(st.lists(one, min_size=1, max_size=2))
        fields.append((f"n{place}", parts, draw(st.sampled_from(["and", "or"]))))
    return fields


def kept_by_hand(form: list[tuple[str, list[tuple[int, str, int]], str]], values: dict[str, int]) -> dict[str, int | None]:
    """The oracle: a field is kept if its condition is true of what was kept before it; unknown is not true."""
    kept: dict[str, int | None] = {}
    for name, parts, join in form:
        known = [(kept[f"n{at}"], sign, number) for at, sign, number in parts]
        verdicts = [None if held is None else COMPARED[sign](held, number) for held, sign, number in known]
        if join == "and":
            true = all(verdict is True for verdict in verdicts)
        else:
            true = not verdicts or any(verdict is True for verdict in verdicts)
        kept[name] = values.get(name) if true else None
    return kept


@settings(max_examples=amount(small=60, full=3000))
@given(chains(), st.dictionaries(st.integers(0, 6).map(lambda n: f"n{n}"), NUMBERS))
def test_what_is_kept_is_what_an_oracle_keeps(form: list[Any], values: dict[str, int]) -> None:
    specs = []
    for name, parts, join in form:
        when = f" {join} ".join(f"form_n{at} {sign} {number}" for at, sign, number in parts)
        specs.append(FieldSpec.model_validate({"name": name, "title": name, "type": "integer", "when": when}))
    known = {name: value for name, value in values.items() if name in {one.name for one in specs}}
    found = examine(specs, known)
    assert found.problems == ()
    assert found.clean == kept_by_hand(form, known)
