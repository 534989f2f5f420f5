"""DMN 1.3: what is written reads back; what other tools write is taken over or listed."""

from __future__ import annotations

from datetime import date

import pytest

from yunhe.engine.decisions import Imported, TableRefused, read_dmn, read_table, write_dmn
from yunhe.engine.decisions.dmn import DMN

ON = date(2026, 1, 1)
HEADER = {
    "name": "公租房补贴", "hit": "first", "fields": {"born": "date", "today": "date"},
    "inputs": {"age": {"type": "integer", "expression": "full_years(born, today)", "values": ">= 0"},
               "income": "decimal", "area": {"type": "string", "values": ["鼓楼", "a, \"b\""]}},
    "outputs": {"level": {"type": "string", "values": ["甲", "乙"], "default": "乙"}, "since": "date"},
}  # fmt: skip
RULES = '''in:age,in:income,in:area,out:level,out:since,from,until,basis,note
>= 60,<= 1500.50,鼓楼,甲,2026-01-01,2026-01-01,,〔2026〕1号,"两行
<说明> & ""引号"""
-,null,not(鼓楼),乙,,,2027-01-01,,
'''


def test_everything_a_table_means_survives_the_round_trip() -> None:
    table = read_table(HEADER, RULES)
    imported = read_dmn(write_dmn(table))
    assert imported.unsupported == () and imported.table is not None
    assert imported.table.declaration == table.declaration
    assert imported.table.digest == table.digest


FOREIGN = f"""<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="{DMN}" xmlns:di="https://www.omg.org/spec/DMN/20191111/DMNDI/" name="d" namespace="n">
  <inputData id="a" name="age"><variable name="age" typeRef="number"/></inputData>
  <businessKnowledgeModel id="b" name="helper"/>
  <decision id="d1" name="Fee">
    <variable name="Fee" typeRef="feel:string"/>
    <knowledgeRequirement><requiredKnowledge href="#b"/></knowledgeRequirement>
    <decisionTable hitPolicy="HIT">
      <input><inputExpression typeRef="number"><text>EXPRESSION</text></inputExpression></input>
      <output><defaultOutputEntry><text>"c"</text></defaultOutputEntry></output>
      <annotation name="who"/>
      <rule><description>why</description><inputEntry><text>&lt; 18, ]60..70[</text></inputEntry>
        <outputEntry><text>"a"</text></outputEntry><annotationEntry><text>me</text></annotationEntry></rule>
      <rule><inputEntry><text>CELL</text></inputEntry>
        <outputEntry><text>VALUE</text></outputEntry><annotationEntry><text/></annotationEntry></rule>
    </decisionTable>
  </decision>
  <di:DMNDI/>
</definitions>"""


def foreign(*, hit: str = "UNIQUE", expression: str = "age", cell: str = "18", value: str = '"b"') -> Imported:
    """Import the foreign table with some of its parts changed."""
    text = FOREIGN.replace("HIT", hit).replace("EXPRESSION", expression).replace("CELL", cell).replace("VALUE", value)
    return read_dmn(text, file="fee.dmn")


def test_a_foreign_table_is_taken_over_and_what_is_not_is_listed() -> None:
    imported = foreign()
    assert [each.facts["found"] for each in imported.unsupported] == [
        "helper", "{https://www.omg.org/spec/DMN/20191111/DMNDI/}DMNDI", "knowledgeRequirement", "who"]  # fmt: skip
    assert imported.table is not None
    decisions = [imported.table.decide({"age": age}, on=ON).outputs["Fee"] for age in (17, 18, 60, 61, 99)]
    assert decisions == ["a", "b", "c", "a", "c"]
    assert imported.table.declaration.rules[0].note == "why"


def test_a_not_that_means_more_elsewhere_is_told() -> None:
    imported = foreign(cell="not(18, &lt; 5)")
    assert imported.table is not None and imported.table.declaration.rules[1].cells[0].null is False
    assert "not(18, < 5)" in {each.facts["found"] for each in imported.unsupported}
    assert "<text>not(null, 18, &lt; 5)</text>" in write_dmn(imported.table)
    again = foreign(cell="not(null, 18, &lt; 5)")
    assert again.table is not None and again.table.digest == imported.table.digest
    assert "not(null, 18, < 5)" not in {each.facts["found"] for each in again.unsupported}


def test_names_with_spaces_become_fields_and_the_change_is_told() -> None:
    text = FOREIGN.replace('name="age"', 'name="Age in years"').replace('name="Fee"', 'name="Fee/class"')
    for part, to in (("HIT", "UNIQUE"), ("EXPRESSION", "Age in years"), ("CELL", "18"), ("VALUE", '"b"')):
        text = text.replace(part, to)
    imported = read_dmn(text.replace(DMN, "http://www.omg.org/spec/DMN/20151101/dmn.xsd"))
    assert imported.table is not None
    assert imported.table.decide({"Age_in_years": 18}, on=ON).outputs == {"Fee_class": "b"}
    assert {"Age in years → Age_in_years", "Fee/class → Fee_class"} <= {
        each.facts["found"] for each in imported.unsupported
    }


@pytest.mark.parametrize(
    ("part", "text", "row"),
    [("hit", "SOMETIMES", 0), ("hit", "OUTPUT ORDER", 0), ("expression", "age + 1", 1), ("expression", "on", 1), ("cell", "? &gt; 5", 3),
     ("cell", "limit", 3), ("value", "age * 2", 3), ("value", "b", 3)],
)  # fmt: skip
def test_a_part_that_changes_the_meaning_leaves_no_table(part: str, text: str, row: int) -> None:
    imported = foreign(**{part: text})
    assert imported.table is None
    assert row in {each.facts["row"] for each in imported.unsupported}
    assert all("fee.dmn" in each.say("zh") for each in imported.unsupported)


@pytest.mark.parametrize(
    ("change", "to"),
    [('typeRef="number"><text>EX', 'typeRef="tMoney"><text>EX'), ("<rule><inputEntry>", "<rule><inputEntry/><inputEntry>"),
     ("<inputEntry><text>CELL", '<inputEntry expressionLanguage="javascript"><text>CELL'),
     ("<output>", "<output/><output>")],
)  # fmt: skip
def test_a_shape_we_do_not_read_leaves_no_table(change: str, to: str) -> None:
    assert change in FOREIGN
    text = (
        FOREIGN.replace(change, to)
        .replace("HIT", "ANY")
        .replace("EXPRESSION", "age")
        .replace("CELL", "1")
        .replace("VALUE", '"b"')
    )
    imported = read_dmn(text)
    assert imported.table is None and imported.unsupported


BOMB = '<!DOCTYPE d [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + FOREIGN.split("\n", 1)[1]


@pytest.mark.parametrize("text", ["", "x", "<a/>", "<a", FOREIGN[:500], BOMB, f'<definitions xmlns="{DMN}"/>', "\x00"])
def test_what_is_no_dmn_is_refused(text: str) -> None:
    with pytest.raises(TableRefused) as refused:
        read_dmn(text)
    assert "。" in refused.value.say("zh")


def test_a_table_is_chosen_by_name() -> None:
    with pytest.raises(TableRefused):
        read_dmn(FOREIGN, name="Other")
