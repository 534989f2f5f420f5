"""A decision table leaves as DMN and comes in from one, at the command line and on its page."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cast, Member
from tests.core.cases.test_pages import signed_in
from yunhe.cli.main import main
from yunhe.core.cases import api
from yunhe.core.packs import api as packs
from yunhe.engine.decisions.dmn import DMN
from yunhe.kernel.actor import Actor

pytestmark = pytest.mark.django_db
Run = Callable[..., tuple[int, Any, str]]

TABLE: dict[str, Any] = {
    "code": "desk", "title": {"zh": "分派", "en": "Who gets it"}, "hit": "output_order",
    "inputs": {"amount": {"type": "integer", "values": ">= 0"}, "area": "string"},
    "outputs": {"level": {"type": "string", "values": ["重大", "一般"]}},
}  # fmt: skip
RULES = 'in:amount,in:area,out:level,from,until,basis\n-,-,一般,,,第一条\n>= 1000,"鼓楼, ""a, b""",重大,2026-01-01,,第二条\n'
FOREIGN = f"""<definitions xmlns="{DMN}" name="d" namespace="n"><inputData id="a" name="age"/>
<businessKnowledgeModel id="b" name="helper"/>
<decision id="d1" name="Fee"><decisionTable hitPolicy="UNIQUE">
  <input><inputExpression typeRef="number"><text>age</text></inputExpression></input><output typeRef="string"/>
  <rule><inputEntry><text>&lt; 18</text></inputEntry><outputEntry><text>"a"</text></outputEntry></rule>
  <rule><inputEntry><text>&gt; 17</text></inputEntry><outputEntry><text>"b"</text></outputEntry></rule>
</decisionTable></decision></definitions>"""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    monkeypatch.setattr("yunhe.cli.main._start_django", lambda command: None)  # it is set up already

    def as_member(member: Member, *words: str) -> tuple[int, Any, str]:
        code = main([*words, "--json", "--as", f"{member.username}@{member.actor.organization}"])
        said = capsys.readouterr()
        return code, json.loads(said.out) if said.out else None, said.err

    return as_member


@pytest.fixture
def published(founder: Actor) -> None:
    api.publish_table(declaration=TABLE, rules=RULES, source="tests", actor=founder)


def test_a_table_goes_out_as_dmn_and_comes_back_the_same(published: None, cast: Cast, founder: Actor, run: Run, tmp_path: Path) -> None:
    file, folder = tmp_path / "desk.dmn", tmp_path / "pack"
    assert run(cast.data_admin, "case", "table", "export", "desk", "--out", str(file))[0] == 0
    assert 'hitPolicy="OUTPUT ORDER"' in file.read_text("utf-8")
    code, told, _ = run(cast.data_admin, "case", "table", "import", str(file), "--out", str(folder))
    held = api.list_tables()[0]
    assert (code, told["digest"], told["problems"]) == (0, held.digest, [])
    written = (folder / "tables" / "desk.yml").read_bytes()
    declaration = packs.read_declaration(data=written, file="desk.yml")
    again = api.publish_table(declaration=declaration, rules=(folder / "tables" / "desk.csv").read_text("utf-8"), source="tests", actor=founder)
    assert (again.number, again.digest, again.title) == (1, held.digest, {"zh": "分派", "en": "Who gets it"})


def test_a_foreign_file_is_checked_and_everything_is_told(cast: Cast, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "fee.dmn"
    file.write_text(FOREIGN, "utf-8")
    code, _, said = run(cast.data_admin, "case", "table", "import", str(file))
    assert code != 0 and "table_code_needed" in said and '"Fee"' in said
    code, told, _ = run(cast.data_admin, "case", "table", "import", str(file), "--code", "fee", "--out", str(tmp_path / "pack"))
    assert (code, told["rules"]) == (1, 2)
    assert any("helper" in one for one in told["problems"])
    assert any("rows 2, 3 both hold" in one for one in told["problems"])  # 17.5 is below 18 and above 17
    assert any("no row holds for age = None" in one for one in told["problems"])
    assert (tmp_path / "pack" / "tables" / "fee.csv").read_text("utf-8") == "in:age,out:Fee\n< 18,a\n> 17,b\n"


def test_what_changes_the_meaning_is_refused_with_every_place(cast: Cast, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "fee.dmn"
    file.write_text(FOREIGN.replace("&lt; 18", "? * 2 = 4").replace('>"b"<', ">age + 1<"), "utf-8")
    code, _, said = run(cast.data_admin, "case", "table", "import", str(file), "--code", "fee", "--out", str(tmp_path / "pack"))
    assert code != 0 and "fee.dmn, row 2" in said and "fee.dmn, row 3" in said
    assert not (tmp_path / "pack").exists()
    for text, told in (("<a/>", "definitions"), ("\x00", "well-formed XML")):
        file.write_text(text, "utf-8")
        code, _, said = run(cast.data_admin, "case", "table", "import", str(file))
        assert code != 0 and told in said
    file.write_bytes(b"\xff\xfe\x00")
    assert "file_unreadable" in run(cast.data_admin, "case", "table", "import", str(file))[2]
    assert "file_unreadable" in run(cast.data_admin, "case", "table", "import", str(tmp_path / "none"))[2]


def test_who_may_not_see_packs_or_cases_gets_neither(published: None, cast: Cast, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "fee.dmn"
    file.write_text(FOREIGN, "utf-8")
    assert "See packs" in run(cast.leader, "case", "table", "import", str(file), "--code", "fee")[2]
    assert '"See cases"' in run(cast.audit_admin, "case", "table", "export", "desk")[2]
    assert "decision_table_not_found" in run(cast.data_admin, "case", "table", "export", "nothing")[2]


def test_the_page_of_a_table_gives_its_dmn(published: None, cast: Cast) -> None:
    browser = signed_in(cast.leader)
    assert 'href="/inbox/rules/desk/dmn/"' in browser.get("/inbox/rules/desk/").content.decode()
    answer = browser.get("/inbox/rules/desk/dmn/")
    assert answer.headers["Content-Disposition"].endswith("desk.dmn")
    assert 'label="分派"' in answer.content.decode()
    assert browser.get("/inbox/rules/nothing/dmn/").status_code == 404
