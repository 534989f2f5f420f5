from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from yunhe.core.cases.rules.fields import LARGEST_INTEGER, check_values, is_bounded_json
from yunhe.core.cases.types import FieldSpec

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)) | st.binary(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=12,
)
EVERY_TYPE = tuple(
    FieldSpec.model_validate({"name": kind, "title": kind, "type": kind, **more})
    for kind, more in (
        ("text", {"max_length": 10}),
        ("integer", {"minimum": -5}),
        ("decimal", {"maximum": 9}),
        ("date", {}),
        ("boolean", {}),
        ("choice", {"choices": [{"value": "a", "title": "a"}]}),
        ("list", {"max_items": 3}),
        ("rows", {"fields": [{"name": "n", "title": "n"}]}),
        ("map", {"max_items": 3}),
        ("json", {}),
    )
)


def spec(**given: Any) -> FieldSpec:
    return FieldSpec.model_validate({"name": "x", "title": "某项", **given})


def check(field: FieldSpec, value: Any, **context: Any) -> tuple[Any, list[str]]:
    clean, problems = check_values((field,), {"x": value}, context=context)
    return clean["x"], [problem.code for problem in problems]


@given(st.dictionaries(st.sampled_from([s.name for s in EVERY_TYPE] + ["other"]), ANYTHING))
def test_whatever_comes_the_answer_is_clean_json_or_a_problem(values: dict[str, Any]) -> None:
    clean, problems = check_values(EVERY_TYPE, values)
    assert set(clean) == {s.name for s in EVERY_TYPE}
    for problem in problems:
        assert problem.zh and problem.en and "{" not in problem.zh + problem.en
    if not problems:
        told = json.dumps(clean, allow_nan=False).encode("utf-8")
        assert json.loads(told) == clean
        assert json.dumps(clean, ensure_ascii=False).encode("utf-8")
        again, none = check_values(EVERY_TYPE, clean)
        assert (again, none) == (clean, ())


@given(st.integers())
def test_integers_are_kept_exactly_or_refused(number: int) -> None:
    kept, problems = check(spec(type="integer"), number)
    if abs(number) <= LARGEST_INTEGER:
        assert (kept, problems) == (number, [])
    else:
        assert kept is None and problems


@given(st.text(st.characters(codec=None), max_size=40))
def test_text_can_always_be_stored(text: str) -> None:
    kept, problems = check(spec(), text)
    storable = not any(c in "\x00\x7f" or (c < " " and c not in "\t\n\r") or "\ud800" <= c <= "\udfff" for c in text)
    if not text.strip():
        assert kept is None and not problems
    else:
        assert bool(problems) != storable
        assert storable == (kept is not None)


@pytest.mark.parametrize(
    ("field", "value", "kept"),
    [
        ({"type": "decimal"}, "1.50", "1.50"),
        ({"type": "decimal"}, 2, "2"),
        ({"type": "date"}, " 2026-02-28 ", "2026-02-28"),
        ({"type": "boolean"}, "on", True),
        ({"type": "integer"}, " 7 ", 7),
        ({"type": "list"}, [" a ", "b"], ["a", "b"]),
        ({"type": "map"}, {" a ": "b"}, {"a": "b"}),
        ({}, "a\r\nb", "a\nb"),
        ({"format": "uscc"}, "91320000MA1MQ2JU3K", None),
    ],
)
def test_a_good_value_becomes_its_one_form(field: dict[str, Any], value: Any, kept: Any) -> None:
    clean, problems = check(spec(**field), value)
    assert clean == kept and bool(problems) == (kept is None)


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ({"type": "decimal"}, "NaN", "not_decimal"),
        ({"type": "decimal"}, "1e999", "not_decimal"),
        pytest.param({"type": "decimal"}, 10**5000, "not_decimal", id="huge"),
        ({"type": "date"}, "2026-02-30", "not_date"),
        ({"type": "date"}, "２０２６-01-01", "not_date"),
        ({"type": "boolean"}, "maybe", "not_boolean"),
        ({"type": "list"}, "a", "not_list"),
        ({"type": "list", "max_items": 1}, ["a", "b"], "too_many"),
        ({"type": "rows", "fields": [{"name": "n", "title": "n"}]}, {"a": 1}, "not_list"),
        ({"type": "map"}, ["a"], "not_map"),
        ({"format": "identifier"}, "1a; drop", "bad_format"),
        ({"format": "code"}, "../x", "bad_format"),
        ({"type": "json"}, 2**53, "not_json"),
        ({"type": "json"}, [[[[[[[[[[[[[["deep"]]]]]]]]]]]]]], "not_json"),
    ],
)
def test_a_bad_value_is_named(field: dict[str, Any], value: Any, code: str) -> None:
    assert check(spec(**field), value) == (None, [code])


def test_rows_name_the_row_and_its_field() -> None:
    field = spec(type="rows", fields=[{"name": "n", "title": "n", "required": True}])
    _, problems = check_values((field,), {"x": [{"n": "a"}, {}, {"m": 1, "n": "b"}]})
    assert [(p.field, p.code) for p in problems] == [("x[1].n", "required"), ("x[2].m", "unknown")]


def test_a_subset_stays_within_the_cases_list_whatever_that_holds() -> None:
    field = spec(type="list", subset_of="all")
    assert check(field, ["a"], all=["a", "b"]) == (["a"], [])
    assert check(field, ["c"], all=["a", "b"]) == (None, ["not_subset"])
    for odd in (None, 5, "abc", [{}], {"a": 1}):
        assert check(field, ["a"], all=odd) == (None, ["not_subset"])


@given(ANYTHING)
def test_bounded_json_is_what_every_reader_keeps(value: Any) -> None:
    if is_bounded_json(value):
        assert json.loads(json.dumps(value, allow_nan=False)) == value


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "choice"},
        {"choices": [{"value": "a", "title": "a"}]},
        {"type": "rows"},
        {"subset_of": "y"},
        {"name": "Big"},
        {"unheard": 1},
        {"format": "regex"},
    ],
)
def test_a_declaration_that_contradicts_itself_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        spec(**broken)
