"""Each hit policy of DMN 1.3, 8.2.10 over one table in which rules of unlike importance overlap."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from yunhe.engine.decisions import (
    RulesDisagree,
    SeveralRulesMatched,
    Table,
    TableNotInSql,
    declaration_of,
    read_dmn,
    read_table,
    rules_of,
    write_dmn,
)

ON = date(2026, 1, 1)
# How a factory is inspected: the graver measure first; the office that goes is of no importance.
HEADER = {
    "name": "inspection", "inputs": {"workers": "integer", "hazard": {"type": "string", "values": ["fire", "gas", "none"]}},
    "outputs": {"measure": {"type": "string", "values": ["close", "visit", "letter"]}, "office": "string"},
}  # fmt: skip
RULES = """in:workers,in:hazard,out:measure,out:office
-,none,letter,labour
>= 50,-,visit,labour
-,"fire, gas",visit,fire
>= 200,gas,close,safety
"""
MANY_AND_GAS = {"workers": 300, "hazard": "gas"}


def table(hit: str, rules: str = RULES, **changes: Any) -> Table:
    return read_table({**HEADER, "hit": hit, **changes}, rules)


def test_output_order_gives_every_hit_the_most_important_first() -> None:
    decision = table("OUTPUT ORDER").decide(MANY_AND_GAS, on=ON)
    assert decision.outputs == {"measure": ("close", "visit", "visit"), "office": ("safety", "labour", "fire")}
    assert [rule.row for rule in decision.hits] == [5, 3, 4]  # equal ones stay as they are written


def test_a_later_output_orders_what_an_earlier_one_leaves_equal() -> None:
    outputs = {**HEADER["outputs"], "office": {"type": "string", "values": ["fire", "safety", "labour"]}}  # type: ignore[dict-item]
    assert table("output order", outputs=outputs).decide(MANY_AND_GAS, on=ON).outputs["office"] == ("safety", "fire", "labour")
    only_second = {"measure": "string", "office": outputs["office"]}
    assert table("output order", outputs=only_second).decide(MANY_AND_GAS, on=ON).outputs["office"] == ("fire", "safety", "labour")


def test_no_hit_is_an_empty_answer() -> None:
    alone = table("output_order", "in:workers,in:hazard,out:measure,out:office\n>= 50,-,visit,labour\n")
    assert alone.decide({"workers": 3, "hazard": "fire"}, on=ON).outputs == {"measure": (), "office": ()}


@pytest.mark.parametrize(
    ("hit", "rows"),
    [("first", [3]), ("priority", [5]), ("rule order", [3, 4, 5]), ("output order", [5, 3, 4]), ("collect", [3, 4, 5])],
)
def test_each_policy_chooses_its_rules(hit: str, rows: list[int]) -> None:
    assert [rule.row for rule in table(hit).decide(MANY_AND_GAS, on=ON).hits] == rows


@pytest.mark.parametrize(("hit", "error"), [("unique", SeveralRulesMatched), ("any", RulesDisagree)])
def test_policies_of_one_answer_refuse_several(hit: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        table(hit).decide(MANY_AND_GAS, on=ON)
    assert table(hit).decide({"workers": 3, "hazard": "gas"}, on=ON).outputs == {"measure": "visit", "office": "fire"}


def test_a_list_is_no_sql_expression() -> None:
    with pytest.raises(TableNotInSql):
        table("output order").sql("measure", on=ON)


@pytest.mark.parametrize("hit", ["unique", "first", "any", "priority", "rule_order", "output_order", "collect"])
def test_a_policy_survives_dmn_and_the_files_of_a_pack(hit: str) -> None:
    written = table(hit)
    imported = read_dmn(write_dmn(written, labels={"zh": "检查", "en": "Inspection"}))
    assert imported.unsupported == () and imported.table is not None
    assert (imported.table.digest, imported.labels) == (written.digest, {"zh": "检查", "en": "Inspection"})
    again = read_table(declaration_of(imported.table), rules_of(imported.table))
    assert again.digest == written.digest


def test_the_files_of_a_pack_are_written_as_people_write_them() -> None:
    header = {
        "name": "t", "hit": "first", "inputs": {"area": "string", "since": "date", "n": "decimal"},
        "outputs": {"level": {"type": "string", "values": ["甲", "a, b"], "default": "甲"}, "day": "date"},
    }  # fmt: skip
    heads, first, second = "in:area,in:since,in:n,out:level,out:day,from,basis", '"鼓楼, ""a, b""",>= 2026-01-01,', "null,-,not(3),"
    rules = f'{heads}\n{first}[1.50..2),甲,2026-02-01,2026-01-01,一号文\n{second}"""a, b""",,,\n'
    text = rules_of(read_table(header, rules))
    assert text == f'{heads}\n{first}[1.5..2),甲,2026-02-01,2026-01-01,一号文\n{second}"a, b",,,\n'
    assert declaration_of(read_table(header, rules))["outputs"] == {
        "level": {"type": "string", "values": ["甲", "a, b"], "default": "甲"}, "day": "date",
    }  # fmt: skip
