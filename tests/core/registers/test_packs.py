"""The national pack brings calendar, kinds and registers; loading it again changes nothing."""

from __future__ import annotations

import pytest
import yaml

from tests.core.cases.kinds import NATIONAL
from yunhe.core.cases import api as cases
from yunhe.core.packs import api as packs
from yunhe.core.registers import api
from yunhe.core.registers.models import TypeRecord
from yunhe.core.registers.types import RegisterType
from yunhe.kernel.actor import Actor

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", sorted((NATIONAL / "registers").glob("*.yml")), ids=lambda path: path.stem)
def test_the_national_registers_hold_together(path: object) -> None:
    declared = RegisterType.model_validate(yaml.safe_load(path.read_text("utf-8")))  # type: ignore[attr-defined]
    assert declared.code == path.stem  # type: ignore[attr-defined]


def test_the_national_pack_loads_once(founder: Actor) -> None:
    first = packs.load_pack(name_or_path="national", actor=founder)
    assert first.state == "loaded", first.problems
    assert {info.code for info in cases.list_kinds()} >= {"publication", "data_request"}
    assert {declared.code for declared in api.list_types()} >= {"data_resource", "data_element", "code_set"}
    assert cases.calendar().covers(cases.calendar().days[0].on)
    rows = list(TypeRecord.objects.values_list("code", "version", "loaded_at"))
    again = packs.load_pack(name_or_path="national", actor=founder)
    assert again.state == "unchanged"
    assert list(TypeRecord.objects.values_list("code", "version", "loaded_at")) == rows


@pytest.mark.parametrize(
    ("folder", "file", "text", "said"),
    [
        ("cases", "a.yml", "code: broken\ntitle: 坏\n", "prefix"),
        ("registers", "a.yml", "code: Bad Code\ntitle: 坏\n", "code"),
        ("calendars", "a.csv", "on,kind,name,basis\n2026-01-01,holiday,元旦,\n2026-01-01,makeup,元旦,\n", "once"),
        ("calendars", "a.csv", "on,kind,name,basis\n2026-13-01,holiday,元旦,\n", "on"),
    ],
)
def test_a_broken_declaration_is_told_with_file_and_line(
    tmp_path: object, founder: Actor, folder: str, file: str, text: str, said: str
) -> None:
    home = tmp_path / "tests_pack"  # type: ignore[operator]
    (home / folder).mkdir(parents=True)
    (home / "pack.yml").write_text('name: tests_pack\nversion: "1"\ntitle: {zh: 试验}\n', "utf-8")
    (home / folder / file).write_text(text, "utf-8")
    report = packs.check_pack(path=home)
    problems = [p for p in report.problems if p.file == f"{folder}/{file}"]
    assert problems and all(p.line >= 1 for p in problems), report.problems
    assert any(said in f"{p.path} {p.say('en')}" for p in problems), [p.say("en") for p in problems]
