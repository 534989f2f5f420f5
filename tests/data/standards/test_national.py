"""The elements and code sets of the national pack, as a node loads them."""

from __future__ import annotations

from datetime import date

import pytest

from tests.conftest import Cast
from yunhe.core.packs import api as packs
from yunhe.data.standards import api
from yunhe.data.standards.errors import CodeSetNotFound, ElementNotFound
from yunhe.data.standards.types import DIMENSIONS, Binding
from yunhe.engine import checks
from yunhe.engine.masks import MASKS
from yunhe.engine.types import Column, Rule
from yunhe.kernel.actor import job_actor
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db


def test_loading_again_changes_nothing(national: None) -> None:
    assert packs.load_pack(name_or_path="national", actor=job_actor("tests")).state == "unchanged"


def test_every_element_has_a_source_a_known_mask_and_rules_that_compile(national: None) -> None:
    found = api.get_elements()
    assert len(found) >= 40
    for one in found.values():
        specs = api.element_rules(element=one)
        keys = [str(spec.arguments["code_set"]) for spec in specs if spec.kind == "in_code_set"]
        made = [
            Rule(f"{at}", spec.kind, spec.dimension, spec.severity, (one.code,), spec.arguments)
            for at, spec in enumerate(specs)
        ]
        checks.compile_rules(made, (Column(one.code, one.type),), api.get_accepted_values(keys=keys))
        assert one.source.standard and one.definition and one.mask in MASKS, one.code
        assert {spec.dimension for spec in specs} <= set(DIMENSIONS), one.code
        assert all(spec.severity == "warn" for spec in specs), one.code


def test_dimensions_are_those_the_engine_counts() -> None:
    assert set(DIMENSIONS) == set(checks.FORMULAS)


def test_masked_elements_are_personal_or_say_why(national: None) -> None:
    for one in api.get_elements().values():
        if one.grade >= 3 or one.sensitive:
            assert one.personal, one.code


@pytest.mark.parametrize(
    ("code", "count", "value", "title"),
    [
        ("gender", 4, "1", "男性"),  # GB/T 2261.1-2003
        ("ethnic_group", 58, "15", "土家族"),  # GB/T 3304-1991: 56, and two of practice
        ("marital_status", 8, "40", "离婚"),  # GB/T 2261.2-2003
        ("education", 40, "21", "大学本科毕业"),  # GB/T 4658-2006
        ("industry_section", 20, "S", "公共管理、社会保障和社会组织"),  # GB/T 4754-2017
        ("identity_document", 17, "414", "普通护照"),
        ("update_cycle", 9, "daily", "每日"),
        ("sharing_type", 3, "refused", "不予共享"),
    ],
)
def test_code_sets_hold_the_standard_values(national: None, code: str, count: int, value: str, title: str) -> None:
    found = api.get_code_set(code=code)
    assert len(found.items) == count
    assert {item.code: item.title for item in found.items}[value] == title
    assert found.standard and found.edition


def test_industry_sections_cover_the_divisions_without_a_gap(national: None) -> None:
    spans = [item.maps["divisions"] for item in api.get_code_set(code="industry_section").items]
    numbers = [n for span in spans for n in range(int(span[:2]), int(span[-2:]) + 1)]
    assert numbers == list(range(1, 98))


@pytest.mark.parametrize(
    ("column", "code"),
    [
        ("统一社会信用代码", "uscc"), ("企业名称", "organization_name"), ("注册日期", "registered_on"),
        ("企业类型", "enterprise_type"), ("注册资金", "registered_capital"), ("经营范围", "scope"),
        ("地区", "region_name"), ("注册地址", "address"), ("GMSFHM", "citizen_id"), ("CSRQ", "birth_date"),
        ("手机号码", "mobile"), ("zip_code", "postcode"), ("法定代表人", "person_name"), ("更新时间", "updated_at"),
    ],
)  # fmt: skip
def test_usual_columns_are_recognised(national: None, column: str, code: str) -> None:
    found = api.find_element_for(name=column, title=column)
    assert found[0].element.code == code
    assert found[0].confidence >= 0.9
    assert found[0].reasons[0].say("en") != found[0].reasons[0].say("zh")


def test_an_ambiguous_title_names_no_single_element(national: None) -> None:
    assert api.find_element_by_title(title="性别") is None
    one = api.find_element_by_title(title="经营范围")
    assert one is not None and one.code == "scope"


def test_a_missing_element_names_the_nearest(national: None) -> None:
    with pytest.raises(ElementNotFound) as caught:
        api.get_element(code="citizenid")
    assert "citizen_id" in caught.value.say("zh")
    with pytest.raises(CodeSetNotFound):
        api.get_code_set(code="nothing")


def test_a_code_set_answers_as_of_a_day(national: None) -> None:
    assert len(api.get_code_set(code="gender", on=date(1990, 1, 1)).items) == 4
    assert api.get_accepted_values(keys=["gender:title"])["gender:title"][0] == ("未知的性别", None, None)


def test_where_used_follows_the_last_word_of_the_room_above(national: None) -> None:
    told = {
        "subject_type": "data_resource", "subject_code": "300001/0001", "subject_title": "甲", "organization": "A",
        "organization_name": "甲局", "state": "published",
    }  # fmt: skip
    api.record_bindings(**told, bindings=(Binding("a", "甲", "uscc"), Binding("b", "乙", "gender", "gender")))
    assert [u.field for u in api.where_used(code_set="gender").items] == ["b"]
    api.record_bindings(**told, bindings=(Binding("a", "甲", "uscc"),))
    assert api.where_used(code_set="gender").total == 0
    assert api.count_uses(elements=["uscc", "gender"]) == {"uscc": 1}
    api.record_bindings(**{**told, "state": "withdrawn"}, bindings=(Binding("a", "甲", "uscc"),))
    assert api.where_used(element="uscc").total == 0


def test_lists_are_for_those_who_may_see_standards(national: None, cast: Cast) -> None:
    page = api.list_elements(request=PageRequest(search="身份"), actor=cast.officer.actor)
    assert "citizen_id" in {one.code for one in page.items}
    assert api.list_elements(request=PageRequest(), actor=cast.audit_admin.actor).total == 0
    assert api.list_code_sets(request=PageRequest(), actor=cast.officer.actor).total >= 12
