"""Names of drafted fields: readable, valid, each once."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from yunhe.data.catalog.rules import name_fields


def test_elements_name_fields_and_the_rest_become_initials() -> None:
    columns = ("统一社会信用代码", "企业名称", "Phone No.", "2024年", "——", "备注")
    assert name_fields(columns, ("uscc", "", "", "", "", "")) == ("uscc", "qymc", "phone_no", "c_2024n", "c_field", "bz")


def test_a_number_that_another_column_bears_is_passed_over() -> None:
    assert name_fields(("a", "a_2", "A", "a"), ("",) * 4) == ("a", "a_2", "a_3", "a_4")


@given(st.lists(st.tuples(st.text(max_size=70), st.sampled_from(["", "uscc", "citizen_id"])), max_size=12))
def test_names_are_valid_and_distinct(columns: list[tuple[str, str]]) -> None:
    names = name_fields([one for one, _ in columns], [element for _, element in columns])
    assert len(set(names)) == len(columns)
    assert all(re.fullmatch("[a-z][a-z0-9_]*", name) for name in names)
