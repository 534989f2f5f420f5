"""Tables: hit policies, dated rules, unknown values, limits, and mistakes told with their place."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from yunhe.engine.decisions import (
    InputRefused,
    NoRuleMatched,
    RulesDisagree,
    SeveralRulesMatched,
    Table,
    TableNotInSql,
    TableRefused,
    analyse,
    read_table,
)

ON = date(2026, 1, 1)


def table(hit: str, rules: str, **more: Any) -> Table:
    """Return a table from integer n to string level."""
    header = {"name": "t", "hit": hit, "inputs": {"n": "integer"}, "outputs": {"level": "string"}}
    return read_table({**header, **more}, rules)


OVERLAPPING = "in:n,out:level\n<= 5,甲\n>= 5,乙\n[3..4],甲\n"


def test_unique_gives_its_one_rule_and_names_both_where_two_match() -> None:
    unique = table("unique", OVERLAPPING)
    decision = unique.decide({"n": 6}, on=ON)
    assert decision.outputs == {"level": "乙"} and [rule.row for rule in decision.hits] == [3]
    assert (decision.table, decision.on, decision.inputs, decision.digest) == ("t", ON, {"n": 6}, unique.digest)
    with pytest.raises(SeveralRulesMatched) as several:
        unique.decide({"n": 5}, on=ON)
    assert several.value.facts == {"table": "t", "first": 2, "second": 3}


def test_first_gives_the_first_in_order() -> None:
    decision = table("FIRST", OVERLAPPING).decide({"n": 5}, on=ON)
    assert decision.outputs == {"level": "甲"} and [rule.row for rule in decision.hits] == [2]


def test_any_needs_the_hits_to_agree() -> None:
    agreeing = table("any", OVERLAPPING)
    decision = agreeing.decide({"n": 3}, on=ON)
    assert decision.outputs == {"level": "甲"} and [rule.row for rule in decision.hits] == [2, 4]
    with pytest.raises(RulesDisagree) as disagree:
        agreeing.decide({"n": 5}, on=ON)
    assert disagree.value.facts == {"table": "t", "first": 2, "second": 3}


def test_only_where_one_rule_wins_can_another_be_never_reached() -> None:
    hidden = "in:n,out:level\n-,甲\n>= 5,乙\n"
    assert [rule.row for rule in analyse(table("first", hidden)).unreached] == [3]
    outputs = {"level": {"type": "string", "values": ["乙", "甲"]}}
    assert analyse(table("priority", hidden, outputs=outputs)).unreached == ()
    assert [rule.row for rule in analyse(table("priority", "in:n,out:level\n>= 5,甲\n-,乙\n", outputs=outputs)).unreached] == [2]
    assert analyse(table("collect", hidden)).unreached == ()
    dated = "in:n,out:level,from,until\n-,甲,2026-01-01,2027-01-01\n>= 5,乙,2026-06-01,\n"
    assert analyse(table("first", dated)).unreached == ()
    assert [rule.row for rule in analyse(table("first", dated), on=date(2026, 7, 1)).unreached] == [3]
    assert analyse(table("first", dated), on=ON).unreached == ()  # not in force yet


def test_priority_gives_the_most_important_value() -> None:
    outputs = {"level": {"type": "string", "values": ["乙", "甲"]}}
    decision = table("priority", OVERLAPPING, outputs=outputs).decide({"n": 5}, on=ON)
    assert decision.outputs == {"level": "乙"} and [rule.row for rule in decision.hits] == [3]


@pytest.mark.parametrize("hit", ["RULE ORDER", "collect"])
def test_rule_order_and_collect_give_all_hits_in_order(hit: str) -> None:
    every = table(hit, OVERLAPPING)
    assert every.decide({"n": 5}, on=ON).outputs == {"level": ("甲", "乙")}
    assert every.decide({"n": None}, on=ON).outputs == {"level": ()}


@pytest.mark.parametrize(
    ("hit", "five", "none"),
    [("collect sum", Decimal("3.75"), None), ("collect_min", Decimal("1.25"), None), ("COLLECT MAX", Decimal("2.5"), None),
     ("collect count", 2, 0)],
)  # fmt: skip
def test_collect_aggregates(hit: str, five: Any, none: Any) -> None:
    rules = "in:n,out:amount\n<= 5,1.25\n>= 5,2.50\n[3..4],7\n"
    fees = table(hit, rules, outputs={"amount": "decimal"})
    assert fees.decide({"n": 5}, on=ON).outputs == {"amount": five}
    assert fees.decide({}, on=ON).outputs == {"amount": none}


def test_no_rule_is_an_error_that_names_unknown_inputs_and_no_value() -> None:
    with pytest.raises(NoRuleMatched) as missing:
        table("first", OVERLAPPING).decide({}, on=ON)
    assert missing.value.facts["unknown"] == "n"


def test_a_default_stands_where_no_rule_matches() -> None:
    decision = table("unique", OVERLAPPING, outputs={"level": {"type": "string", "default": "丙"}}).decide({}, on=ON)
    assert decision.outputs == {"level": "丙"} and decision.hits == ()


def test_unknown_meets_only_anything_and_null() -> None:
    cells = ["-", "", "null", '"null, 5"', "5", "not(5)", "not(null)", "< 5", "[1..5]"]
    every = table("collect", "in:n,out:level\n" + "\n".join(f"{cell},{row}" for row, cell in enumerate(cells)))
    for unknown in ({}, {"n": None}):
        assert every.decide(unknown, on=ON).outputs == {"level": ("0", "1", "2", "3")}


DATED = "in:n,out:level,from,until,basis\n-,旧,,2026-01-01,一号文\n-,新,2026-01-01,2027-01-01,二号文\n"


@pytest.mark.parametrize(
    ("on", "level", "basis"),
    [(date(2025, 12, 31), "旧", "一号文"), (date(2026, 1, 1), "新", "二号文"), (date(2026, 12, 31), "新", "二号文")],
)
def test_last_day_of_the_old_rule_and_first_day_of_the_new(on: date, level: str, basis: str) -> None:
    decision = table("unique", DATED).decide({"n": 1}, on=on)
    assert decision.outputs == {"level": level} and decision.hits[0].basis == basis


def test_first_day_after_the_last_rule_has_none() -> None:
    with pytest.raises(NoRuleMatched):
        table("unique", DATED).decide({"n": 1}, on=date(2027, 1, 1))


@pytest.mark.parametrize("value", ["5", 5.0, True, Decimal(5), ON])
def test_a_value_of_another_type_is_refused_and_not_told(value: Any) -> None:
    with pytest.raises(InputRefused) as refused:
        table("first", OVERLAPPING).decide({"n": value}, on=ON)
    assert refused.value.facts["problem"] == "type" and "type" in refused.value.say("en")


@pytest.mark.parametrize("on", [None, datetime(2026, 1, 1, tzinfo=None), "2026-01-01"])  # noqa: DTZ001
def test_the_date_must_be_a_date(on: Any) -> None:
    with pytest.raises(InputRefused):
        table("unique", DATED).decide({"n": 1}, on=on)


@pytest.mark.parametrize("value", [Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), 1.5])
def test_a_decimal_is_a_finite_number(value: Any) -> None:
    with pytest.raises(InputRefused):
        table("first", OVERLAPPING, inputs={"n": "decimal"}).decide({"n": value}, on=ON)


def test_values_limit_what_may_be_asked() -> None:
    limited = table("first", OVERLAPPING, inputs={"n": {"type": "integer", "values": "[0..9]"}})
    assert limited.decide({"n": 9}, on=ON).outputs == {"level": "乙"}
    for value in (10, None):
        with pytest.raises(InputRefused) as refused:
            limited.decide({"n": value}, on=ON)
        assert refused.value.facts["expected"] == "[0..9]"
    assert analyse(limited, on=ON).gaps == ()


def test_an_expression_over_fields_is_an_input() -> None:
    inputs = {"age": {"type": "integer", "expression": "full_years(born, today)"}}
    ages = table(
        "first", "in:age,out:level\n>= 60,老年\n-,其他\n", inputs=inputs, fields={"born": "date", "today": "date"}
    )
    decision = ages.decide({"born": date(1960, 1, 1), "today": ON}, on=ON)
    assert decision.outputs == {"level": "老年"} and decision.inputs == {"age": 66}


def test_an_expression_that_cannot_be_computed_is_no_unknown() -> None:
    inputs = {"n": {"type": "integer", "expression": "CAST(text AS INTEGER)"}}
    cast = table("first", "in:n,out:level\n-,甲\n", inputs=inputs, fields={"text": "string"})
    assert cast.decide({"text": None}, on=ON).outputs == {"level": "甲"}
    with pytest.raises(InputRefused) as refused:
        cast.decide({"text": "x"}, on=ON)
    assert refused.value.facts["problem"] == "fault"


def test_the_digest_is_that_of_the_meaning() -> None:
    base = table("first", OVERLAPPING)
    assert (
        table("FIRST", '\ufeffout:level , in:n\r\n甲,<=5\r\n,\r\n"""乙""", >=  5\r\n甲,[3 .. 4]\r\n').digest
        == base.digest
    )
    for other in (table("any", OVERLAPPING), table("first", OVERLAPPING.replace("乙", "丙")),
                  table("first", OVERLAPPING.replace("<=", "<")), table("first", "in:n,out:level\n>= 5,乙\n<= 5,甲\n[3..4],甲\n"),
                  table("first", OVERLAPPING, inputs={"n": {"type": "integer", "values": ">= 0"}})):  # fmt: skip
        assert other.digest != base.digest


def test_a_collecting_table_is_not_one_sql_expression() -> None:
    with pytest.raises(TableNotInSql):
        table("collect", OVERLAPPING).rule_sql(on=ON)


BAD_RULES = {
    "": [("n", 1), ("level", 1)], "in:n,out:level": [("-", 1)], "in:n,out:level,x\n1,甲,2": [("x", 1)],
    "in:n,in:n,out:level\n1,1,甲": [("in:n", 1)], "in:n,out:level\n1": [("-", 2)],
    "in:n,out:level\n1,甲\n\nx,甲\n1,乙,丙\n": [("-", 5)], "in:n,out:level\nx,甲\n>y,-": [("in:n", 2), ("in:n", 3), ("out:level", 3)],
    'in:n,out:level\n"1,甲': [("-", 2)], "in:n,out:level,from,until\n1,甲,2026-01-02,2026-01-02": [("until", 2)],
    "in:n,out:level,from\n1,甲,soon": [("from", 2)], "in:n,out:level,note\n1,甲,\x07": [("note", 2)],
}  # fmt: skip


@pytest.mark.parametrize("rules", BAD_RULES)
def test_every_mistake_is_told_with_file_row_and_column(rules: str) -> None:
    header = {"name": "t", "inputs": {"n": "integer"}, "outputs": {"level": "string"}}
    with pytest.raises(TableRefused) as refused:
        read_table(header, rules, file="tables/t.csv")
    places = [
        (each.facts["column"].removeprefix("in:").removeprefix("out:"), each.facts["row"])
        for each in refused.value.problems
    ]
    wanted = [(column.removeprefix("in:").removeprefix("out:"), row) for column, row in BAD_RULES[rules]]
    assert places == wanted
    for each in refused.value.problems:
        assert "tables/t.csv" in each.say("zh") and "tables/t.csv" in each.say("en") and "{" not in each.say("en")


BAD_HEADERS: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name"), ({"name": None}, "name"), ({"hit": "sometimes"}, "hit"), ({"hit": "output order"}, "outputs"), ({"extra": 1}, "-"),
    ({"inputs": []}, "in:n"), ({"inputs": ["n"]}, "inputs"), ({"inputs": {"n": "number"}}, "inputs.n"),
    ({"inputs": {"n": {"type": "integer", "min": 1}}}, "inputs.n"), ({"inputs": {"a b": "integer"}}, "inputs.a b"),
    ({"inputs": {"on": "date"}}, "inputs.on"), ({"inputs": {3: "date"}}, "inputs.3"),
    ({"inputs": {"n": {"type": "integer", "values": "x"}}}, "inputs.n"),
    ({"inputs": {"n": {"type": "integer", "expression": "nope + 1"}}}, "inputs.n"),
    ({"inputs": {"n": {"type": "integer", "expression": "'a'"}}}, "inputs.n"), ({"outputs": {}}, "outputs"),
    ({"outputs": {"level": {"type": "string", "values": ["甲"], "default": "乙"}}}, "outputs.level"),
    ({"outputs": {"level": {"type": "integer", "default": "乙"}}}, "outputs.level"),
    ({"outputs": {"level": {"type": "string", "values": ["丙"]}}}, "out:level"),
    ({"outputs": {"level": {"type": "string", "values": [None]}}}, "outputs.level"), ({"hit": "collect sum"}, "outputs"),
    ({"hit": "collect min", "outputs": {"level": "integer", "b": "integer"}}, "outputs"), ({"hit": "priority"}, "outputs"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "column"), BAD_HEADERS)
def test_a_bad_declaration_is_refused_with_its_place(change: dict[str, Any], column: str) -> None:
    header = {"name": "t", "inputs": {"n": "integer"}, "outputs": {"level": "string"}, **change}
    with pytest.raises(TableRefused) as refused:
        read_table(header, "in:n,out:level\n1,甲\n")
    assert refused.value.facts["column"] == column


def test_the_declaration_and_a_row_are_told_apart() -> None:
    with pytest.raises(TableRefused) as refused:
        table("nope", "in:n,out:level\n1,甲\n")
    assert 'declaration "hit"' in refused.value.say("en") and "的声明“hit”" in refused.value.say("zh")
    with pytest.raises(TableRefused) as refused:
        table("first", "in:n,out:level\nx,甲\n")
    assert 'row 2, column "in:n"' in refused.value.say("en") and "第 2 行的列“in:n”" in refused.value.say("zh")


def test_an_aggregated_result_must_have_a_value() -> None:
    with pytest.raises(TableRefused) as refused:
        table("collect sum", "in:n,out:amount\n1,\n", outputs={"amount": "integer"})
    assert refused.value.facts["problem"] == "aggregate"
