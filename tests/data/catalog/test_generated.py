"""Rules out of a contract, freshness, differences between contracts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.catalog.contracts import enterprises, persons
from yunhe.data.catalog import api, rules
from yunhe.data.catalog.rules.freshness import add_months
from yunhe.data.catalog.types import CYCLES
from yunhe.engine import checks
from yunhe.engine.types import Rule

ON = date(2026, 11, 22)


def rules_of(text: str) -> dict[str, Rule]:
    contract = api.parse_contract(text=text, file="a.yml")
    found = api.rules_for(resource=contract)
    checks.compile_rules(found, contract.columns, api.code_sets_for(rules=found))  # the engine takes every one
    assert len({rule.code for rule in found}) == len(found)
    return {rule.code: rule for rule in found}


@pytest.mark.django_db
def test_elements_and_the_contract_give_rules_that_warn(national: None) -> None:
    found = rules_of(enterprises())
    assert list(found) == [
        "uscc.required", "uscc.uscc", "company.length", "registered_on.not_future", "registered_on.date_range", "founded",
    ]  # fmt: skip
    assert {rule.severity for code, rule in found.items() if code != "founded"} == {"warn"}
    assert found["founded"].columns == ("registered_on",)


@pytest.mark.django_db
def test_a_field_that_says_block_blocks(national: None) -> None:
    found = rules_of(persons())
    assert found["born_on.not_future"].severity == "block"
    assert found["id.citizen_id"].severity == "warn"


@pytest.mark.django_db
def test_id_birth_date_sex_and_region_are_held_against_each_other(national: None) -> None:
    found = rules_of(persons())
    assert found["id.id_birth_date"].columns == ("id", "born_on")
    assert found["id.id_gender"].columns == ("id", "sex")
    assert (found["id.id_region"].columns, found["id.id_region"].severity) == (("id", "region"), "info")
    assert {found[f"id.id_{kind}"].dimension for kind in ("birth_date", "gender", "region")} == {"consistency"}


@pytest.mark.django_db
def test_words_for_sex_are_understood(national: None) -> None:
    found = rules_of(persons().replace("element: gender,", "element: gender_name,"))
    assert found["id.id_gender"].arguments["male"] == ("男", "男性")
    assert found["sex.in_code_set"].arguments["code_set"] == "gender:title"


@pytest.mark.django_db
def test_two_persons_in_one_row_are_paired_by_their_prefix(national: None) -> None:
    fields = "".join(
        f"  - {{name: {who}_id, element: citizen_id, column: {zh}身份证号}}\n  - {{name: {who}_born, element: birth_date, column: {zh}出生日期}}\n"
        for who, zh in (("husband", "男方"), ("wife", "女方"))
    )
    text = persons().split("fields:", maxsplit=1)[0].replace("keys: [id]", "keys: [wife_id]") + "fields:\n" + fields
    found = rules_of(text)
    assert found["husband_id.id_birth_date"].columns == ("husband_id", "husband_born")
    assert found["wife_id.id_birth_date"].columns == ("wife_id", "wife_born")
    plain = text.replace("husband_born", "b1").replace("wife_born", "b2").replace("男方出生", "出生").replace("女方出生", "诞生")
    assert not any(rule.kind == "id_birth_date" for rule in rules_of(plain).values())


@pytest.mark.django_db
def test_a_date_kept_as_text_is_still_checked(national: None) -> None:
    found = rules_of(enterprises().replace("element: registered_on", "element: registered_on, type: string").split("rules:")[0])
    assert found["registered_on.readable"].kind == "expression"
    assert "1800-01-01" in str(found["registered_on.readable"].arguments["where"])


@pytest.mark.django_db
def test_a_code_set_rule_brings_its_values(national: None) -> None:
    found = tuple(rules_of(persons()).values())
    assert set(api.code_sets_for(rules=found)) == {"gender"}


def test_due_days_of_each_cycle() -> None:
    start = date(2026, 1, 31)
    due = {cycle: rules.next_due(cycle, start) for cycle in CYCLES}
    assert due == {
        "realtime": date(2026, 2, 1), "daily": date(2026, 2, 1), "weekly": date(2026, 2, 7), "monthly": date(2026, 2, 28),
        "quarterly": date(2026, 4, 30), "half_yearly": date(2026, 7, 31), "yearly": date(2027, 1, 31),
        "irregular": None, "static": None,
    }  # fmt: skip


def test_last_day_of_the_cycle_is_in_time_and_the_next_is_late() -> None:
    fresh = rules.freshness_on(cycle="weekly", last_on=date(2026, 11, 15), on=ON)
    late = rules.freshness_on(cycle="weekly", last_on=date(2026, 11, 14), on=ON)
    assert (fresh.state, late.state, late.days_late) == ("fresh", "late", 1)
    assert rules.freshness_on(cycle="weekly", last_on=None, on=ON).state == "never"
    assert rules.freshness_on(cycle="static", last_on=date(1990, 1, 1), on=ON).state == "unbound"


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 48))
def test_months_are_added_as_by_counting_days(day: date, months: int) -> None:
    year, month = day.year, day.month
    for _ in range(months):
        month += 1
        if month == 13:
            year, month = year + 1, 1
    wanted = day.day
    while True:
        try:
            expected = date(year, month, wanted)
            break
        except ValueError:
            wanted -= 1
    assert add_months(day, months) == expected


@given(st.sampled_from(sorted(CYCLES)), st.dates(date(2000, 1, 1), date(2050, 1, 1)), st.integers(0, 800))
def test_once_late_a_resource_stays_late_and_grows_later(cycle: str, last: date, days: int) -> None:
    on = last + timedelta(days=days)
    today, tomorrow = (rules.freshness_on(cycle=cycle, last_on=last, on=d) for d in (on, on + timedelta(days=1)))
    if today.state == "late":
        assert (tomorrow.state, tomorrow.days_late) == ("late", today.days_late + 1)


@pytest.mark.django_db
def test_differences_name_field_and_part(national: None) -> None:
    before = api.parse_contract(text=enterprises(), file="a.yml")
    changed = replace(before.fields[1], grade=2)
    after = replace(before, summary="新摘要", grade=2, fields=(before.fields[0], changed, before.fields[3]), rules=())
    found = {one.path: one for one in rules.compare_contracts(before, after)}
    assert set(found) == {"grade", "summary", "fields.company.grade", "fields.registered_on", "rules.founded"}
    assert found["fields.registered_on"].kind == "removed"
    assert found["fields.company.grade"].after == "2"
    assert rules.compare_contracts(after, after) == ()
