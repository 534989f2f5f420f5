"""Rules out of elements, stored shapes, and the matching of columns."""

from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yunhe.data.standards import rules
from yunhe.data.standards.types import CodeItem, CodeSet, Element, RuleSpec, Source
from yunhe.engine.types import ColumnProfile

ON = date(2026, 11, 22)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True)
WORDS = st.text(alphabet="身份证号码姓名日期企业登记abc", min_size=1, max_size=12)


def element(**given_parts: object) -> Element:
    parts: dict[str, object] = {
        "code": "x", "title": "某项", "title_en": "Some", "definition": "定义", "type": "string", "notation": "an..10",
        "source": Source("GB/T 1"), **given_parts,
    }  # fmt: skip
    return Element(**parts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("notation", "good", "bad"),
    [("n6", "320902", "32090"), ("n..4", "12", "12345"), ("a2", "CN", "C1"), ("an9", "A12345678", "A1234567")],
)
def test_notation_says_the_form(notation: str, good: str, bad: str) -> None:
    (rule,) = rules.notation_rules(element(notation=notation))
    pattern = str(rule.arguments["pattern"])
    assert re.fullmatch(pattern, good)
    assert not re.fullmatch(pattern, bad)


@given(st.sampled_from(["a", "n", "an"]), st.booleans(), st.integers(1, 99), st.text(alphabet="aZ09", max_size=110))
def test_notation_agrees_with_a_plain_reading(letters: str, upto: bool, size: int, value: str) -> None:
    found = rules.notation_rules(element(notation=f"{letters}{'..' if upto else ''}{size}"))
    (rule,) = found
    if rule.kind == "length":
        passes = len(value) <= int(str(rule.arguments["max"]))
        expected = len(value) <= size
    else:
        passes = re.fullmatch(str(rule.arguments["pattern"]), value) is not None
        allowed = {"a": str.isalpha, "n": str.isdigit, "an": str.isalnum}[letters]
        expected = all(map(allowed, value)) and (1 <= len(value) <= size if upto else len(value) == size)
    assert passes == expected


@pytest.mark.parametrize("notation", ["an..ul", "d8", "dt14", "n..18,2", "bl", "?"])
def test_notation_without_a_text_form_says_nothing(notation: str) -> None:
    assert rules.notation_rules(element(notation=notation)) == ()


def test_a_written_form_silences_the_notation() -> None:
    written = RuleSpec("pattern", "normativity", "warn", {"pattern": "^x$"})
    assert rules.rules_of(element(notation="n6", rules=(written,))) == (written,)


def test_a_code_set_gives_one_rule_by_code_or_by_word() -> None:
    by_code = rules.rules_of(element(code_set="gender", notation="n1"))
    by_word = rules.rules_of(element(code_set="gender", code_set_by="title"))
    assert [r.arguments["code_set"] for r in (*by_code, *by_word)] == ["gender", "gender:title"]


def test_accepted_values_by_word_take_short_names_too() -> None:
    items = (CodeItem("1", "男性", aliases=("男",)), CodeItem("2", "女性", valid_until=date(2030, 1, 1)))
    found = CodeSet("gender", "性别", "Sex", "GB/T 2261.1-2003", "2003", items)
    assert rules.accepted_values(found) == (("1", None, None), ("2", None, "2030-01-01"))
    assert [row[0] for row in rules.accepted_values(found, by="title")] == ["男性", "男", "女性"]


specs = st.builds(
    RuleSpec,
    st.sampled_from(["length", "range", "pattern"]),
    st.just("normativity"),
    st.sampled_from(["warn", "info", "block"]),
    st.fixed_dictionaries({}, optional={"min": st.integers(-99, 99), "max": st.integers(100, 999), "pattern": st.just("^[0-9]+$")}),
)
elements = st.builds(
    Element, code=NAMES, title=WORDS, title_en=st.text("ab ", max_size=5).map(str.strip), definition=WORDS,
    type=st.sampled_from(["string", "integer", "date"]), notation=st.just("an..10"), source=st.builds(Source, WORDS, WORDS),
    aliases=st.lists(WORDS, max_size=3).map(tuple), columns=st.lists(NAMES, max_size=3).map(tuple),
    grade=st.integers(1, 4), personal=st.booleans(), rules=st.lists(specs, max_size=3).map(tuple),
    code_set=st.sampled_from(["", "gender"]),
)  # fmt: skip


@given(elements)
def test_an_element_comes_back_from_its_body(one: Element) -> None:
    assert rules.element_from_body(one.code, one.title, rules.element_to_body(one)) == one


days = st.one_of(st.none(), st.dates(date(1990, 1, 1), date(2020, 1, 1)))
items = st.builds(CodeItem, code=NAMES, title=WORDS, parent=st.just(""), aliases=st.lists(WORDS, max_size=2).map(tuple), valid_from=days)


@given(st.builds(CodeSet, NAMES, WORDS, st.just("x"), WORDS, WORDS, st.lists(items, min_size=1, max_size=4).map(tuple), days))
def test_a_code_set_comes_back_from_its_body(one: CodeSet) -> None:
    assert rules.code_set_from_body(one.code, one.title, rules.code_set_to_body(one)) == one


@given(days, st.one_of(st.none(), st.dates(date(2021, 1, 1), date(2030, 1, 1))), st.dates(date(1980, 1, 1), date(2040, 1, 1)))
def test_a_value_is_valid_from_its_first_day_to_the_day_before_its_last(since: date | None, until: date | None, on: date) -> None:
    item = CodeItem("1", "一", valid_from=since, valid_until=until)
    outside = (since is not None and on < since) or (until is not None and on >= until)
    assert item.is_valid_on(on) is not outside


CITIZEN = element(
    code="citizen_id", title="公民身份号码", aliases=("身份证号",), columns=("sfzh",), notation="an18",
    rules=(RuleSpec("citizen_id", "accuracy"),),
)  # fmt: skip
GENDER = element(code="gender", title="性别代码", aliases=("性别",), columns=("xb",), notation="n1", code_set="gender")
GENDER_NAME = element(code="gender_name", title="性别名称", aliases=("性别",), columns=("xb",), code_set="gender", code_set_by="title")
ALL = (CITIZEN, GENDER, GENDER_NAME)
ACCEPTED = {"gender": frozenset({"1", "2"}), "gender:title": frozenset({"男", "女"})}


def best(name: str, title: str = "", values: tuple[str, ...] = (), profile: ColumnProfile | None = None) -> str:
    found = rules.rank_elements(name=name, title=title, elements=ALL, evidence=rules.Evidence(values, profile, ACCEPTED, ON))
    return found[0].element.code if found else ""


def test_a_column_is_known_by_name_title_and_other_names() -> None:
    assert best("SFZH") == "citizen_id"
    assert best("nf_sfzh", "男方公民身份号码") == "citizen_id"
    assert best("c1", "身份证号（必填）") == "citizen_id"
    assert best("c1", "备注") == ""


def test_the_sample_tells_words_from_codes() -> None:
    assert best("性别", values=("男", "女", "女")) == "gender_name"
    assert best("性别", values=("1", "2", "1")) == "gender"


def test_a_profile_tells_them_as_well() -> None:
    words = ColumnProfile("性别", 9, 9, 2, 1, 1, {"string": 9}, {"digits": 0})
    codes = ColumnProfile("性别", 9, 9, 2, 1, 1, {"string": 9}, {"digits": 9})
    assert best("性别", profile=words) == "gender_name"
    assert best("性别", profile=codes) == "gender"


def test_an_identifier_is_known_by_its_values_alone_and_no_reason_shows_one() -> None:
    values = ("11010519491231002X", "440524188001010014", "11010519491231002X")
    (found,) = rules.rank_elements(name="c7", title="", elements=ALL, evidence=rules.Evidence(values, None, ACCEPTED, ON))
    assert found.element.code == "citizen_id"
    assert not any(value in reason.zh + reason.en for value in values for reason in found.reasons)


def test_values_that_do_not_fit_push_an_element_down() -> None:
    assert best("sfzh", values=("甲", "乙", "丙")) == ""


@given(st.text(max_size=20), st.text(max_size=20), st.lists(st.text(max_size=20), max_size=5))
def test_matching_takes_any_text_and_its_confidence_is_a_share(name: str, title: str, values: list[str]) -> None:
    evidence = rules.Evidence(tuple(v.strip() for v in values if v.strip()), None, ACCEPTED, ON)
    for found in rules.rank_elements(name=name, title=title, elements=ALL, evidence=evidence):
        assert 0.4 <= found.confidence <= 0.99
        assert found.reasons
