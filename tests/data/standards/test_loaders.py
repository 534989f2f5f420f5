"""Packs with broken elements and code sets: each a sentence with its place, and nothing loaded."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from yunhe.core.packs import api as packs
from yunhe.core.packs.errors import PackBroken
from yunhe.data.standards import api
from yunhe.kernel.actor import job_actor
from yunhe.kernel.errors import Invalid

pytestmark = pytest.mark.django_db

GOOD = """code: {code}
title: 某项
definition: 某项的定义
type: string
notation: an..10
source: {{standard: 地方标准}}
"""
SET = """code: colour
title: 颜色
standard: 地方标准
edition: "1"
items:
"""


def load(folder: Path, name: str, section: str, text: str) -> None:
    (folder / section).mkdir(parents=True, exist_ok=True)
    head = f'name: {name}\nversion: "1"\ntitle: {{zh: 试验}}\nneeds: [national]\n'
    (folder / "pack.yml").write_text(head, "utf-8")
    (folder / section / "a.yml").write_text(text, "utf-8")
    packs.load_pack(name_or_path=folder, actor=job_actor("tests"))


@pytest.mark.parametrize(
    ("section", "text"),
    [
        ("elements", GOOD.format(code="local_thing") + "mask: nonsense\n"),
        ("elements", GOOD.format(code="local_thing") + "code_set: nowhere\n"),
        ("elements", GOOD.format(code="local_thing") + "rules: [{kind: nonsense, dimension: accuracy}]\n"),
        ("elements", GOOD.format(code="local_thing") + "rules: [{kind: pattern, dimension: nonsense, arguments: {pattern: a}}]\n"),
        ("code_sets", SET + "  - {code: a, title: A, parent: z}\n"),
        ("code_sets", SET + "  - {code: a, title: A}\n  - {code: a, title: A}\n"),
        ("code_sets", SET + "  - {code: a, title: A, valid_from: 2024-02-01, valid_until: 2024-01-01}\n"),
    ],
)
def test_what_is_wrong_is_told_in_one_language(national: None, tmp_path: Path, section: str, text: str) -> None:
    with pytest.raises(PackBroken) as caught:
        load(tmp_path / "bad", "bad", section, text)
    said = caught.value.problems[0]
    assert not [letter for letter in said.say("en") if "\u4e00" <= letter <= "\u9fff"], said.say("en")
    assert not [word for word in ("one of", "Value error", "expected", "found", "no ") if word in said.say("zh")], said.say("zh")


def test_a_local_element_is_found_beside_the_national_ones(national: None, tmp_path: Path) -> None:
    load(tmp_path / "local", "local", "elements", GOOD.format(code="local_thing") + "aliases: [本地事项]\n")
    assert api.find_element_for(name="本地事项")[0].element.code == "local_thing"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("rules: [{kind: nonsense, dimension: accuracy}]", "rules"),
        ("rules: [{kind: pattern, dimension: accuracy, arguments: {pattern: '('}}]", "rules"),
        ("rules: [{kind: length, dimension: taste}]", "dimension"),
        ("mask: secret", "mask"),
        ("grade: 5", "grade"),
        ("code_set: nothing", "nothing"),
        ("colour: red", "colour"),
    ],
)
def test_a_broken_element_is_refused_with_its_place(national: None, tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(Invalid) as caught:
        load(tmp_path / "local", "local", "elements", GOOD.format(code="local_thing") + line + "\n")
    assert said in caught.value.say("zh")
    assert api.find_element(code="local_thing") is None


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ('  - {code: "1", title: 红}\n  - {code: "1", title: 绿}\n', "1"),
        ('  - {code: "1", title: 红, parent: "9"}\n', "9"),
        ('  - {code: "1", title: 红, valid_from: 2020-01-01, valid_until: 2019-01-01}\n', "2019"),
        ("  - {code: 1, title: 红}\n", "items"),
    ],
)
def test_a_code_set_that_contradicts_itself_is_refused(national: None, tmp_path: Path, items: str, said: str) -> None:
    with pytest.raises(PackBroken) as caught:
        load(tmp_path / "local", "local", "code_sets", SET + items)
    assert said in caught.value.say("zh")


def test_a_code_may_stand_twice_at_different_times(national: None, tmp_path: Path) -> None:
    items = '  - {code: "1", title: 红, valid_until: 2020-01-01}\n  - {code: "1", title: 朱红, valid_from: 2020-01-01}\n'
    load(tmp_path / "local", "local", "code_sets", SET + items)
    assert [i.title for i in api.get_code_set(code="colour", on=date(2019, 12, 31)).items] == ["红"]
    assert [i.title for i in api.get_code_set(code="colour", on=date(2020, 1, 1)).items] == ["朱红"]
