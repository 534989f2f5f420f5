"""Reading contracts: good ones whole, bad ones with file, line, field, what was expected and the next step."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.data.catalog.contracts import enterprises, persons
from yunhe.data.catalog import api, rules
from yunhe.data.catalog.errors import ColumnsMissing, ContractBroken
from yunhe.data.catalog.rules.yamltree import read_tree
from yunhe.data.catalog.types import Contract, ContractField, ContractRule
from yunhe.engine.types import MAX_COLUMNS, Shape, SourceSpec

pytestmark = pytest.mark.django_db


def broken(text: str) -> ContractBroken:
    with pytest.raises(ContractBroken) as caught:
        api.parse_contract(text=text, file="a.yml")
    return caught.value


def test_elements_fill_what_the_file_leaves_open(national: None) -> None:
    contract = api.parse_contract(text=persons(), file="a.yml")
    by_name = {one.name: one for one in contract.fields}
    assert (contract.grade, contract.personal, contract.opening) == (3, True, "closed")
    assert by_name["id"].mask == "citizen_id"
    assert by_name["born_on"].type == "date"
    assert [one.sharing for one in contract.fields] == ["conditional", "refused", *["conditional"] * 3]
    assert by_name["sex"].title == "性别"


def test_open_resources_keep_their_personal_fields_closed(national: None) -> None:
    text = enterprises().replace("  - {name: capital", "  - {name: owner, element: person_name, column: 法人}\n  - {name: capital")
    found = api.parse_contract(text=text, file="a.yml")
    assert {one.name: one.opening for one in found.fields}["owner"] == "closed"
    assert (found.grade, found.personal) == (2, True)


def test_a_relative_location_is_beside_the_file(national: None, tmp_path: Path) -> None:
    file = tmp_path / "people.yml"
    file.write_text(persons(), "utf-8")
    found = api.parse_contract(text=persons(), file=str(file))
    assert found.source.location == str(tmp_path / "people.csv")
    assert api.parse_contract(text=persons(), file=str(file), beside=False).source.location == "people.csv"


def test_the_engine_gets_columns_with_their_sources(national: None) -> None:
    columns = api.parse_contract(text=enterprises(), file="a.yml").columns
    assert (columns[0].name, columns[0].source, columns[0].type) == ("uscc", "统一社会信用代码", "string")
    assert columns[0].null_marks == ("N/A",)
    assert columns[3].scale == 2


CHANGES = [
    ("yunhe: resource/1", "yunhe: resource/9", 1, "yunhe", "resource/1"),
    ("title: 企业登记信息", "titel: 企业登记信息", 3, "titel", "title"),
    ("provider: 市市场监管局", "provider:", 4, "provider", "∅"),
    ("sharing: unconditional", "sharing: maybe", 7, "sharing", "maybe"),
    ("sharing: unconditional", "sharing: conditional", 7, "sharing_basis", "∅"),
    ("sharing: unconditional", "sharing: refused", 7, "sharing_basis", "∅"),
    ("update_cycle: daily", "update_cycle: sometimes", 9, "update_cycle", "sometimes"),
    ("keys: [uscc]", "keys: [usc]", 11, "keys", "uscc"),
    ("keys: [uscc]", "keys: [uscc, uscc]", 11, "keys[1]", "uscc"),
    ("element: uscc", "element: uscx", 13, "fields[0].element", "uscc"),
    ("required: true", "required: maybe", 13, "fields[0].required", "maybe"),
    ("name: company", "name: 企业", 14, "fields[1].name", "企业"),
    ("name: company", "name: uscc", 14, "fields[1].name", "uscc"),
    ("element: registered_on", "element: registered_on, type: boolean", 15, "fields[2].type", "boolean"),
    ("scale: 2", "scale: 99", 16, "fields[3].scale", "99"),
    ("scale: 2", "scale: 2, mask: veil", 16, "fields[3].mask", "veil"),
    ("scale: 2", "scale: 2, zone: Mars/Base", 16, "fields[3].zone", "Mars"),
    ("registered_on > DATE", "founded_on > DATE", 18, "rules[0].where", "founded_on"),
    ("severity: info", "severity: loud", 18, "rules[0].severity", "loud"),
    ("severity: info", "severity: info, kind: guess", 18, "rules[0].kind", "guess"),
    ("minima: {rows: 1}", "minima: {rows: many}", 19, "minima.rows", "many"),
    ("location: /data", "password: x, location: /data", 10, "source.password", "***"),
    ("location: /data/enterprises.csv", "location: 'ftp://a:b@c/d'", 10, "source.location", "***"),
    ("opening: open", "opening: open\ngrade: 9", 9, "grade", "9"),
    ('code: ""', "code: 企业", 2, "code", "企业"),
]


@pytest.mark.parametrize(("old", "new", "line", "field", "said"), CHANGES)
def test_each_mistake_names_its_place(national: None, old: str, new: str, line: int, field: str, said: str) -> None:
    text = enterprises().replace(old, new, 1)
    assert text != enterprises()
    first = next(one for one in broken(text).problems if one.field == field)
    assert (first.file, first.line) == ("a.yml", line)
    assert said in first.say("zh") + first.say("en")
    assert first.next_step["zh"] and first.next_step["en"]


def test_a_higher_field_raises_the_grade_unless_it_is_denied(national: None) -> None:
    higher = enterprises().replace("scale: 2", "scale: 2, grade: 4").replace("opening: open", "opening: closed")
    assert api.parse_contract(text=higher, file="a.yml").grade == 4
    error = broken(higher.replace("sharing: unconditional", "sharing: unconditional\ngrade: 2"))
    assert error.problems[0].field == "grade"
    assert "二级" not in error.say("zh") and "四级" in error.say("zh")


def test_personal_data_cannot_be_denied(national: None) -> None:
    error = broken(persons().replace("keys: [id]", "keys: [id]\npersonal: false"))
    assert [one.field for one in error.problems] == ["personal"]
    error = broken(persons().replace("column: 身份证号", "column: 身份证号, personal: false"))
    assert error.problems[0].field == "fields[0].personal"


def test_grades_3_and_4_and_personal_data_are_not_open(national: None) -> None:
    error = broken(persons().replace("column: 身份证号", "column: 身份证号, opening: open"))
    assert error.problems[0].field == "fields[0].opening"


def test_a_refused_resource_has_no_shared_field(national: None) -> None:
    error = broken(persons().replace("sharing: conditional", "sharing: refused").replace("column: 性别", "column: 性别, sharing: conditional"))
    assert error.problems[0].field == "fields[3].sharing"


def test_every_problem_is_told_in_order(national: None) -> None:
    error = broken("yunhe: resource/1\nfields: []\nextra: 1\n")
    assert {one.field for one in error.problems} >= {"title", "provider", "sharing", "update_cycle", "fields", "extra"}
    assert [one.line for one in error.problems] == sorted(one.line for one in error.problems)
    assert f"另有 {len(error.problems) - 1} 处" in error.say("zh")
    assert error.exit_code == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "一份约定"),
        ("a: [1, 2", "YAML"),
        ("- a\n- b\n", "键: 值"),
        ("x", "键: 值"),
        ("a: &x 1\nb: *x\n", "引用"),
        ("a: !!python/object:os.system x\n", "类型标记"),
        ("title: a\ntitle: b\n", "只写一次"),
        ("a: 1\n---\nb: 2\n", "一份约定"),
        ("? [a]\n: b\n", "文字作键名"),
        ("title: \ud800\n", "UTF-8"),
        ("title: a\x00b\n", "YAML"),
        ("a: " + "[" * 20 + "]" * 20, "8 层"),
    ],
)
def test_broken_yaml_is_told_and_nothing_runs(text: str, said: str) -> None:
    error = broken(text)
    assert said in error.say("zh")


def test_a_file_too_large_is_told() -> None:
    assert "4000000" in broken("a: " + "x" * 4_000_001).say("zh")


def test_as_many_fields_as_the_engine_takes_and_no_more(national: None) -> None:
    def many(count: int) -> str:
        head = persons().split("fields:", maxsplit=1)[0].replace("keys: [id]", "keys: [c0]")
        return head + "fields:\n" + "".join(f"  - {{name: c{n}, type: string}}\n" for n in range(count))

    assert len(api.parse_contract(text=many(MAX_COLUMNS), file="a.yml").fields) == MAX_COLUMNS
    assert "4096" in broken(many(MAX_COLUMNS + 1)).say("zh")


@given(st.text(max_size=300))
def test_any_text_is_read_or_told(text: str) -> None:
    problems = rules.Problems("a.yml")
    raw = rules.read_contract(text, problems)
    assert raw is not None or problems.found
    for one in problems.found:
        assert one.say("zh") and one.say("en")


PLAIN = st.text(alphabet="企业登记abc: #-'\"{}[]*&!%@,?|>~ 1", min_size=1, max_size=20).map(lambda t: " ".join(t.split())).filter(bool)
WORD = st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True)


@given(st.dictionaries(PLAIN, st.one_of(PLAIN, st.lists(PLAIN, max_size=3)), max_size=5))
def test_the_tree_says_what_a_plain_yaml_reader_says(value: dict[str, object]) -> None:
    import yaml

    problems = rules.Problems("a.yml")
    tree = read_tree(yaml.safe_dump(value, allow_unicode=True), problems)
    assert tree is not None and not problems.found
    assert {k: [one.text for one in n.items] if n.kind == "list" else n.text for k, n in tree.keys.items()} == value


@st.composite
def contracts(draw: st.DrawFn) -> Contract:
    names = draw(st.lists(WORD, min_size=1, max_size=4, unique=True))
    sharing = draw(st.sampled_from(["unconditional", "conditional"]))
    basis = draw(PLAIN) if sharing == "conditional" else ""
    fields = tuple(
        ContractField(
            name=name, title=draw(PLAIN), column=draw(PLAIN), type=draw(st.sampled_from(["string", "integer", "date"])),
            null_marks=tuple(draw(st.lists(PLAIN, max_size=2))), required=draw(st.booleans()),
            scale=draw(st.one_of(st.none(), st.integers(0, 18))), sharing=sharing, opening="closed",  # type: ignore[arg-type]
            grade=draw(st.integers(1, 4)), personal=draw(st.booleans()), mask=draw(st.sampled_from(["none", "name", "hide"])),
            block=draw(st.booleans()),
        )
        for name in names
    )  # fmt: skip
    own = tuple(
        ContractRule(code=f"rule_{at}", where=f'"{name}" IS NOT NULL', columns=(name,), title=draw(PLAIN))
        for at, name in enumerate(names[:2])
    )
    return Contract(
        title=draw(PLAIN), provider=draw(PLAIN), sharing=sharing, sharing_basis=basis, update_cycle="weekly",  # type: ignore[arg-type]
        fields=fields, summary=draw(st.one_of(st.just(""), PLAIN)), grade=max(one.grade for one in fields),
        personal=any(one.personal for one in fields), keys=(names[0],), rules=own, minimum_rows=draw(st.integers(0, 9)),
        source=SourceSpec("csv", draw(PLAIN.filter(lambda t: "://" not in t)), {"encoding": "auto"}),
        related=tuple(draw(st.lists(WORD, max_size=2))),
    )  # fmt: skip


@given(contracts())
def test_a_contract_written_and_read_is_the_same(contract: Contract) -> None:
    problems = rules.Problems("a.yml")
    raw = rules.read_contract(rules.render_contract(contract), problems)
    assert raw is not None
    again = rules.resolve_contract(raw, {}, problems)
    assert problems.found == []
    assert again == contract
    assert rules.contract_digest(again) == rules.contract_digest(contract)


@pytest.mark.parametrize("scale", [None, 0, 2])
def test_the_scale_of_a_decimal_is_kept(national: None, scale: int | None) -> None:
    found = api.parse_contract(text=enterprises().replace("scale: 2", f"scale: {'' if scale is None else scale}"), file="a.yml")
    assert found.columns[3].scale == scale
    assert rules.contract_from_body("", found.title, rules.contract_to_body(found)).columns[3].scale == scale


@given(contracts())
def test_a_contract_comes_back_from_its_entry(contract: Contract) -> None:
    assert rules.contract_from_body(contract.code, contract.title, rules.contract_to_body(contract)) == contract


@given(contracts(), st.integers(0, 3))
def test_the_digest_tells_contracts_apart(contract: Contract, which: int) -> None:
    changes = ({"title": contract.title + "x"}, {"minimum_rows": 99}, {"keys": ()}, {"fields": contract.fields[1:]})
    assert rules.contract_digest(replace(contract, **changes[which])) != rules.contract_digest(contract)  # type: ignore[arg-type]
    assert rules.contract_digest(replace(contract, code="300001/0001", file="b")) == rules.contract_digest(contract)


def test_columns_that_are_gone_are_named_and_new_ones_told(national: None) -> None:
    contract = api.parse_contract(text=enterprises(), file="a.yml")
    columns = ("统一社会信用代码", "企业名称", "注册日期", "注册资金", "电话")
    assert api.check_columns(contract=contract, shape=Shape(columns, "utf-8", ",", 10)).unbound == ("电话",)
    with pytest.raises(ColumnsMissing) as caught:
        api.check_columns(contract=contract, shape=("统一社会信用代码", "企业名称", "注册日期（新）", "注册资金"))
    (problem,) = caught.value.problems
    assert (problem.line, problem.field, problem.found) == (15, "fields[2].column", "注册日期")
    assert "注册日期（新）" in problem.say("zh")
