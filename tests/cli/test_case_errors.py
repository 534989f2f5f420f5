"""What people give wrongly to `yunhe case …`: told in their own language, with the place and how to mend it; nothing breaks inside."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.test_table_commands import RULES, TABLE
from tests.conftest import Cast, Member
from tests.core.cases.kinds import SIMPLE, load_national_limits, simple_kind
from tests.core.notices.conftest import Trial, reach, registering, run, tell, trial  # noqa: F401
from yunhe.cli import chinese
from yunhe.cli.case_commands import OPERATORS
from yunhe.cli.main import all_commands, build_parser, main
from yunhe.core.cases import api
from yunhe.core.cases.models import SavedViewRecord
from yunhe.core.cases.types import Case
from yunhe.core.notices.errors import AddressRefused
from yunhe.core.organizations.models import Role
from yunhe.kernel.actor import Actor

pytestmark = pytest.mark.django_db
Told = Callable[..., tuple[int, str, str]]

ENGLISH = {
    "数额": "Amount", "天数": "Days", "清单": "Items", "答复": "Answer", "办理": "At work", "办结": "Over", "同意": "Agree", "同意的": "Agreed",
    "退回": "Back", "会签": "Opinion", "已阅": "Read", "补正": "Mending", "重报": "Send again",
}  # fmt: skip
DEEP = '{"to":' + "[" * 3000 + "]" * 3000 + "}"


def titled(part: Any) -> Any:
    """Return a kind with its titles in both languages."""
    if isinstance(part, list):
        return [titled(one) for one in part]
    if not isinstance(part, dict):
        return part
    return {key: {"zh": one, "en": ENGLISH[one]} if key == "title" and isinstance(one, str) else titled(one) for key, one in part.items()}


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Told:
    """Return how a member runs a command and what it answers: the exit code, stdout, stderr."""
    monkeypatch.setattr("yunhe.cli.main._start_django", lambda command: None)  # it is set up already
    monkeypatch.delenv("LC_ALL", raising=False)

    def as_member(member: Member, *words: str, language: str = "en") -> tuple[int, str, str]:
        monkeypatch.setenv("LANG", {"en": "en_US.UTF-8", "zh": "zh_CN.UTF-8"}[language])
        code = main([*words, "--as", f"{member.username}@{member.actor.organization}"])
        said = capsys.readouterr()
        assert "Traceback" not in said.err and "Error:" not in said.err and "[broken]" not in said.err, said.err
        return code, said.out, said.err

    return as_member


@pytest.fixture
def note(cast: Cast, founder: Actor) -> Callable[..., Case]:
    api.publish_kind(spec=simple_kind(**titled(SIMPLE), by_form=True), source="tests", actor=founder)

    def opened(**data: Any) -> Case:
        given = {"amount": 1, "items": ["a"], **data}
        return api.open_case(kind="leave_note", title="请示一件", data=given, actor=cast.clerk.actor, owner=cast.owner.code)

    return opened


@pytest.fixture
def trial_of_letters(cast: Cast, trial: Trial) -> None:  # noqa: F811
    """One letter of two notices that nobody takes."""
    reach(cast.officer, "officer@trial")
    trial.errors["*"] = AddressRefused(where="trial", reason_zh="查无此人", reason_en="no such person")
    for number in (1, 2):
        tell(cast.officer, title={"zh": f"第{number}件", "en": f"No {number}"})
    run(2)


@pytest.mark.parametrize(
    "words",
    [
        ("diagram", "leave_note"), ("bpmn", "leave_note"), ("table", "export", "desk"), ("migrate", "plan", "leave_note"),
        ("migrate", "undo", "{change}"),
    ],
    ids=lambda words: " ".join(words[:2]),
)
def test_a_file_that_cannot_be_written_is_told(note: Any, cast: Cast, founder: Actor, told: Told, tmp_path: Path, words: tuple[str, ...]) -> None:
    api.publish_table(declaration=TABLE, rules=RULES, source="tests", actor=founder)
    note()
    change = ""
    if words[0] == "migrate":
        api.publish_kind(spec=simple_kind(**{**titled(SIMPLE), "by_form": True, "prefix": "QT"}), source="tests", actor=founder)
    if "undo" in words:
        plan = api.plan_migration(kind="leave_note", actor=cast.data_admin.actor)
        drafted = api.draft_migration(plan=plan, reason="试", actor=cast.data_admin.actor)
        api.approve_migration(migration_id=drafted.migration_id, actor=cast.system_admin.actor)
        change = api.apply_migration(migration_id=drafted.migration_id, actor=cast.data_admin.actor).migration_id
    called = ("case", *(word.format(change=change) for word in words), "--out")
    for place, zh, en in ((tmp_path, "它是文件夹", "it is a folder"), (tmp_path / "none" / "f", "没有这个文件或文件夹", "no such file or folder")):
        code, out, said = told(cast.data_admin, *called, str(place))
        assert (code, out) == (2, "") and "[file_not_writable]" in said and str(place) in said and en in said
        assert zh in told(cast.data_admin, *called, str(place), language="zh")[2]
    assert told(cast.data_admin, *called, str(tmp_path / "f"))[0] == 0 and (tmp_path / "f").stat().st_size


WRONG_DATA = {
    ("hand_on", '{"to": 5, "reason": "r"}'): "to: Text is expected",
    ("hand_on", '{"to": ["leader"], "reason": "r"}'): "to: Text is expected",
    ("hand_on", "{}"): 'Write --data \'{"to": "…", "reason": "…"}\'',
    ("hand_on", '{"to": "leader", "reason": "r", "why": "x"}'): "why: There is no such field",
    ("add_reviewer", '{"to": "shichang2", "reason": "r"}'): "to: A list is expected",
    ("add_reviewer", '{"to": ["steward"], "signing": "some", "reason": "r"}'): "signing: One of",
    ("split", '{"titles": 5, "reason": "r"}'): "titles: A list is expected",
    ("send_back", '{"phase": ["x"], "reason": "r"}'): "phase: Text is expected",
    ("extend", '{"amount": "many", "basis": "b", "reason": "r"}'): "amount: A whole number is expected",
}


@pytest.mark.parametrize(("name", "data"), WRONG_DATA, ids=lambda one: one[:40])
def test_what_an_operator_is_given_is_checked_before_anything_is_done(note: Any, cast: Cast, told: Told, name: str, data: str) -> None:
    case = note()
    code, _, said = told(cast.leader, "case", "do", case.number, name, "--data", data)
    assert code == 2 and "[bad_operator_data]" in said and WRONG_DATA[name, data] in said and "--data '{" in said
    assert api.get_case(case_id=case.case_id).version == case.version


def test_an_obligation_that_there_is_not_is_told_with_those_that_there_are(note: Any, cast: Cast, told: Told) -> None:
    case = note()
    (owed,) = api.access_case(case_id=case.case_id, actor=cast.leader.actor).obligations
    data = ("--data", '{"to": "steward", "reason": "r"}')
    for words in (("do", case.number, "hand_on", *data), ("act", case.number, "agree", "--data", '{"text": "ok"}')):
        code, _, said = told(cast.leader, "case", *words, "--obligation", "zzz")
        assert code == 2 and "--obligation zzz" in said and owed.obligation_id in said and "[no_such_obligation]" in said
        assert f"--obligation zzz：办件 {case.number}" in told(cast.leader, "case", *words, "--obligation", "zzz", language="zh")[2]
    assert told(cast.leader, "case", "do", case.number, "hand_on", *data, "--obligation", owed.obligation_id)[0] == 0


def test_who_has_nothing_to_hand_on_or_to_list_is_told_so(note: Any, cast: Cast, told: Told) -> None:
    case = note()
    code, _, said = told(cast.leader, "case", "members", case.number, "--add", "NOPE")
    assert code == 2 and "members_refused" in said and "there is no list to change" in said
    code, _, said = told(cast.clerk, "case", "members", case.number, "--add", "NOPE")
    assert code == 2 and "it is no batch whose list is yours to change now (NOPE)" in said
    code, _, said = told(cast.clerk, "case", "do", case.number, "hand_on", "--data", '{"to": "leader", "reason": "r"}', language="zh")
    assert code == 2 and "不能“转办”" in said and "“”" not in said
    code, out, _ = told(cast.clerk, "case", "bulk", "hand-on", case.number, "--to", "leader", "--reason", "r", language="zh")
    assert code == 1 and "没有等您办理的事项" in out and "“”" not in out


def test_an_obligation_is_given_back_to_its_role_as_before(note: Any, cast: Cast, told: Told) -> None:
    case = note()
    (owed,) = api.access_case(case_id=case.case_id, actor=cast.leader.actor).obligations
    api.hand_on(case_id=case.case_id, obligation_id=owed.obligation_id, to="steward", reason="r", actor=cast.leader.actor)
    assert told(cast.leader, "case", "do", case.number, "reassign", "--data", '{"to": "", "reason": "r"}')[0] == 0
    (owed,) = api.access_case(case_id=case.case_id, actor=cast.leader.actor).obligations
    assert not owed.assignee


@pytest.mark.parametrize("text", [DEEP, '{"a": 1e999}', '{"a": "\\ud800"}', "[]", "5", "null", "{", '{"a": 99999999999999999999}'], ids=lambda one: one[:16])
def test_json_that_cannot_be_used_is_told(note: Any, cast: Cast, told: Told, tmp_path: Path, text: str) -> None:
    case, file = note(), tmp_path / "plan.json"
    file.write_text(text, "utf-8")
    for words, place in (
        (("do", case.number, "hand_on", "--data", text), "--data"), (("act", case.number, "agree", "--data", text), "--data"),
        (("open", "leave_note", "--title", "x", "--data", text), "--data"), (("decide", "desk", "--data", text), "--data"),
        (("bulk", "act", "agree", case.number, "--data", text), "--data"), (("filter", "save", "x", "--query", text), "--query"),
        (("migrate", "draft", str(file), "--dry-run"), "plan.json"),
    ):  # fmt: skip
        member = cast.data_admin if words[0] == "migrate" else cast.leader
        code, _, said = told(member, "case", *words)
        assert code == 2 and "[bad_data_option]" in said and f"{place} is not a JSON object" in said


def test_a_filter_keeps_only_what_can_be_asked_for(note: Any, cast: Cast, told: Told) -> None:
    note()
    words = ("case", "filter", "save")
    for name, query, said_en, said_zh in (
        ("x" * 60, '{"kind": "leave_note"}', "at most 40", "最多 40 个字"),
        ("a", '{"due": "bogus"}', 'due cannot be "bogus"; it can be: overdue, today', "due 没有“bogus”，可以是：overdue、today"),
        ("a", '{"kind": "nokind"}', "it can be: leave_note", "可以是：leave_note"),
        ("a", '{"q": ["a"]}', "q of --query must be a text", "--query 的 q 须是文字"),
        ("a", '{"q": "a", "sort": "size"}', "it can be: due_at, opened_at", "sort 没有“size”"),
        ("a", json.dumps({"q": "a" * 201}), "at most 200", "最多 200 个字"),
    ):
        code, _, said = told(cast.leader, *words, name, "--query", query)
        assert code == 2 and said_en in said
        assert said_zh in told(cast.leader, *words, name, "--query", query, language="zh")[2]
    assert "part cannot be" in told(cast.leader, *words, "a", "--page", "list", "--query", '{"part": "x"}')[2]
    assert not SavedViewRecord.objects.exists()
    assert told(cast.leader, *words, "x" * 40, "--query", '{"kind": "leave_note", "due": "paused", "sort": "-opened_at"}')[0] == 0
    assert told(cast.leader, *words, "a", "--page", "list", "--query", '{"part": "opened", "due": "late", "state": "closed", "sort": "-due_at"}')[0] == 0


@pytest.mark.parametrize(
    "words", [("inbox", "--kind"), ("list", "--kind"), ("open",), ("diagram", "--out=x"), ("bpmn",), ("migrate", "plan")], ids=" ".join
)
def test_a_kind_that_there_is_not_is_told_with_those_near_it(note: Any, cast: Cast, told: Told, words: tuple[str, ...]) -> None:
    note()
    code, out, said = told(cast.data_admin, "case", *words, "leave_notes")
    assert (code, out) == (4, "") and "[no_such_kind]" in said and "leave_note (Note)" in said
    assert "相近的：leave_note（请示）" in told(cast.data_admin, "case", *words, "leave_notes", language="zh")[2]
    assert "There are: leave_note (Note)" in told(cast.data_admin, "case", *words, "zzzzz")[2]


# Every subcommand with ways to use it wrongly (or, where there is none, to ask it for anything): {n} is the number of an open case.
ASKED: dict[tuple[str, ...], tuple[tuple[str, ...], ...]] = {
    ("kinds",): ((), ("more",)),
    ("check",): ((), ("{none}",), ("{folder}",), ("{bad}",)),
    ("diagram",): ((), ("nokind", "--out", "f"), ("leave_note", "--out", "{folder}"), ("leave_note", "--out", "{none}", "--language", "fr")),
    ("bpmn",): ((), ("nokind",), ("leave_note", "--out", "{folder}"), ("leave_note", "--out", "{none}")),
    ("open",): (
        (), ("nokind",), ("leave_note",), ("leave_note", "--title", "t", "--owner", "{owner}", "--data", '{{"amount": "x", "zz": 1}}'),
        ("leave_note", "--title", "t", "--data", "{{"), ("leave_note", "--title", "t", "--owner", "NOPE", "--data", '{{"amount": 1}}'),
    ),
    ("show",): ((), ("NOPE",), ("{n}",)),
    ("act",): ((), ("NOPE", "agree"), ("{n}", "agre"), ("{n}", "agree"), ("{n}", "agree", "--data", "[]"), ("{n}", "agree", "--obligation", "zzz")),
    ("do",): (
        (), ("{n}", "nothing"), ("NOPE", "remind", "--data", '{{"reason": "r"}}'), ("{n}", "hand_on", "--data", '{{"to": 5}}'), ("{n}", "split"),
        ("{n}", "resume", "--data", '{{"reason": "r"}}'), ("{n}", "send_back", "--data", '{{"phase": "x", "reason": "r"}}'),
        ("{n}", "hand_on", "--data", '{{"to": "nobody1", "reason": "r"}}'), ("{n}", "hand_on", "--data", '{{"to": "clerk", "reason": "r"}}'),
        ("{n}", "hand_on", "--obligation", "zzz", "--data", '{{"to": "steward", "reason": "r"}}'), ("{n}", "drop_reviewer"), ("{n}", "take_back"),
        ("{n}", "retract", "--data", '{{"reason": "r"}}'), ("{n}", "withdraw", "--data", '{{"reason": "r"}}'),
        ("{n}", "merge", "--data", '{{"into": "{n}", "reason": "r"}}'), ("{n}", "merge", "--data", '{{"into": "NOPE", "reason": "r"}}'),
        ("{n}", "extend", "--data", '{{"amount": 0, "basis": "b", "reason": "r"}}'),
    ),
    ("replay",): ((), ("NOPE",), ("{n}",)),
    ("tables",): ((), ("--nothing",)),
    ("decide",): (
        (), ("none",), ("desk", "--on", "2026-02-30"), ("desk", "--data", '{{"amount": "x"}}'), ("desk", "--data", "{{"),
        ("desk", "--data", '{{"z": 1}}'),
    ),
    ("table", "export"): ((), ("none",), ("desk", "--out", "{folder}")),
    ("table", "import"): ((), ("{none}",), ("{bad}",), ("{folder}",)),
    ("members",): ((), ("NOPE",), ("{n}", "--add"), ("{n}", "--add", "NOPE"), ("{n}", "--drop", "NOPE")),
    ("migrate", "plan"): ((), ("nokind",), ("leave_note",), ("leave_note", "--source", "x"), ("leave_note", "--source", "99")),
    ("migrate", "draft"): ((), ("{none}",), ("{bad}",), ("{empty}", "--reason", "r"), ("{plan}", "--dry-run")),
    ("migrate", "approve"): ((), ("NOPE",), ("NOPE", "--dry-run")),
    ("migrate", "apply"): ((), ("NOPE",), ("NOPE", "--dry-run")),
    ("migrate", "undo"): ((), ("NOPE",), ("NOPE", "--out", "{none}")),
    ("migrate", "withdraw"): ((), ("NOPE",)),
    ("migrate", "list"): ((), ("more",)),
    ("inbox",): ((), ("--kind", "nokind"), ("--filter", "none"), ("--size", "0"), ("--page", "x"), ("--size",)),
    ("list",): ((), ("--kind", "nokind"), ("--filter", "none"), ("--size", "501"), ("--pag", "1", "--s", "2")),
    ("filter", "list"): ((), ("more",)),
    ("filter", "save"): (
        (), ("a",), ("a", "--query", "{{}}"),
        ("a", "--query", '{{"due": "bogus"}}'), ("a", "--query", '{{"kind": "nokind"}}'), (" ", "--query", '{{"q": "a"}}'),
        ("a", "--query", '{{"q": ["a"]}}'), ("a", "--query", '{{"zz": "a"}}'), ("x" * 60, "--query", '{{"q": "a"}}'), ("a", "--page", "zz", "--query", "{{}}"),
    ),
    ("filter", "delete"): ((), ("none",)),
    ("bulk", "act"): ((), ("agree",), ("agree", "{n}", "NOPE"), ("agre", "{n}"), ("agree", "{n}", "--data", "[]")),
    ("bulk", "hand-on"): (
        (), ("{n}", "--to", "nobody1", "--reason", "r"), ("{n}", "--to", "clerk", "--reason", "r"), ("NOPE", "--to", "clerk", "--reason", "r"),
    ),
    ("bulk", "remind"): ((), ("NOPE", "--reason", "r")),
    ("hand-over",): ((), ("nobody1", "--reason", "r"), ("steward", "--to", "nobody1", "--reason", "r"), ("clerk", "--reason", "r")),
}  # fmt: skip
CODES = re.compile(
    r"\[[a-z_]+\]|\[-h\].*?(?=\nyunhe: )|--[a-z-]+|'\{.*?\}'|\{\"[^}]*\}|\b[a-z]+_[a-z_]+\b|/[\w./-]+|\b[0-9A-Z]{18}\b|\b[0-9A-Z]{26}\b"
    r"|\b[0-9a-f]{16}\b|[a-z]+\.[a-z_.]+|\b[A-Z]{2}\d{8}-\d{5}\b",
    re.DOTALL,
)
NAMES = {
    "yunhe", "case", "JSON", "UTF", "YAML", "DMN", "XML", "SVG", "BPMN", "NOPE", "CASE", "KIND", "FILE", "ACTION", "TABLE", "USER", "NUMBER", "NAME", "CHANGE",
    "COMMAND",
    "operator", "true", "false", "zh", "en", "tests", "desk", "definitions",
    "to", "reason", "titles", "phase", "into", "amount", "basis", "signing", "kind", "due", "sort", "from", "moves",
    "overdue", "today", "week", "later", "paused", "late", "opened", "handled",
    *["agree", "back", "say", "resend"], *OPERATORS,
    *["did", "not", "find", "expected", "node", "content", "while", "parsing"],  # the words of the YAML reader, which has no others
}  # fmt: skip


def test_every_command_of_cases_is_asked_wrongly_below() -> None:
    assert {("case", *words) for words in ASKED} == {command.path for command in all_commands() if command.path[0] == "case"}


@pytest.mark.parametrize("words", ASKED, ids=" ".join)
def test_each_language_is_spoken_by_itself(
    note: Any, cast: Cast, founder: Actor, told: Told, tmp_path: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    api.publish_table(declaration=TABLE, rules=RULES, source="tests", actor=founder)
    bad, empty = tmp_path / "bad.txt", tmp_path / "empty.json"
    bad.write_text("{a: [", "utf-8")
    empty.write_text("{}", "utf-8")
    (tmp_path / "plan.json").write_text('{"kind": "leave_note", "from": "x", "to": 1, "moves": []}', "utf-8")
    places = {
        "plan": str(tmp_path / "plan.json"), "n": note().number, "none": str(tmp_path / "none" / "f"), "folder": str(tmp_path),
        "bad": str(bad), "empty": str(empty), "owner": cast.owner.code,
    }  # fmt: skip
    people = [cast.data_admin if words[0] in ("migrate", "check", "table") else cast.leader]
    names = {*NAMES, *(part for path in ASKED for word in path for part in word.split("-"))}
    found = []
    for given in ASKED[words]:
        asked = [one.format(**places) for one in given]
        for member in people:
            for language in ("zh", "en"):
                _code, out, err = told(member, "case", *words, *asked, language=language)
                said = foreign(out + err, language, {*names, *(part for one in asked for part in re.findall(r"[A-Za-z]+", one))}, cast)
                found += [(language, " ".join(asked), said, out + err)] if said else []
    assert not found, "\n".join(f"{one[0]} {one[1]}: {one[2]}\n    {one[3]}" for one in found)


def foreign(text: str, language: str, names: set[str], cast: Cast) -> list[str]:
    """Return the words of the other language's script that are neither codes nor names."""
    if language == "en":
        known = [one for body in (cast.bureau, cast.owner, cast.other) for one in (body.name, body.short_name)]
        known += [getattr(cast, one).actor.name for one in ("clerk", "leader", "steward", "data_admin")]
        for name in sorted({*known, "请示一件", *["第一条", "第二条", "测试", "一般", "急件", "重大"]}, key=len, reverse=True):
            text = text.replace(name, "")
        return re.findall(r"[\u3001-\u9fff\uff01-\uffee]+", text)
    return [word for word in re.findall(r"[A-Za-z]{2,}", CODES.sub(" ", text)) if word not in names]


def test_every_help_is_in_chinese_where_chinese_is_spoken() -> None:
    parser = build_parser(all_commands(), "en")
    texts = {action.help for one in parsers_of(parser) for action in one._actions if action.help}
    texts -= {command.help["en"] for command in all_commands()}
    assert [text for text in texts if not re.search(r"[\u4e00-\u9fff]", chinese.in_chinese(text)) and "SELECT" not in text] == []


def parsers_of(parser: Any) -> list[Any]:
    """Return a parser with those of all its subcommands."""
    inner = [one for action in parser._actions if isinstance(getattr(action, "choices", None), dict) for one in action.choices.values()]
    return [parser, *(found for one in inner for found in parsers_of(one))]


def test_a_refusal_names_the_permission_as_people_know_it(note: Any, cast: Cast, told: Told) -> None:
    case = note()
    for words in (("case", "migrate", "list"), ("case", "migrate", "plan", "leave_note")):
        assert "“变更在办办件的流程”" in told(cast.leader, *words, language="zh")[2]
        code, _, said = told(cast.leader, *words)
        assert code == 3 and '"Change the procedure of running cases"' in said and "cases.change" not in said
    _, out, _ = told(cast.officer, "case", "bulk", "act", "agree", case.number, "--data", '{"text": "好"}')
    assert "cases.act" not in out


def test_dead_letters_are_listed_with_what_each_is_about(told: Told, cast: Cast, trial_of_letters: None) -> None:
    code, out, _ = told(cast.system_admin, "letter", "list")
    assert code == 0 and "Waiting: 2" in out and "No 1" in out and "No 2" in out
    said = told(cast.system_admin, "letter", "list", language="zh")[1]
    assert "待办提醒：2 条" in said and said.split()[:6] == ["死信", "状态", "事项", "事由", "收件人", "渠道"]


def test_limits_are_listed_with_their_unit_in_words(told: Told, cast: Cast) -> None:
    load_national_limits()
    assert " 个工作日 " in told(cast.leader, "case", "tables", language="zh")[1]
    assert " working days " in told(cast.leader, "case", "tables")[1]


def test_a_role_that_there_is_not_is_told_with_those_that_there_are(told: Told, cast: Cast, tmp_path: Path) -> None:
    kind = copy.deepcopy(SIMPLE)
    kind["obligations"]["answer"]["who"]["roles"] = ["zzz"]
    (tmp_path / "kind.yml").write_text(yaml.safe_dump(kind), "utf-8")
    said = told(cast.leader, "case", "check", str(tmp_path / "kind.yml"))[2]
    assert 'there is no role "zzz"; there are' in said and "、" not in said


def test_a_change_is_told_in_words(note: Any, cast: Cast, founder: Actor, told: Told, tmp_path: Path) -> None:
    """What differs, whose work it is and how far the change is; codes stay in what a plan file is written with."""
    note()
    api.publish_kind(spec=simple_kind(**{**titled(SIMPLE), "by_form": True, "prefix": "QT"}), source="tests", actor=founder)
    Role.objects.update(title_zh="某岗位", title_en="Some role")
    plan = str(tmp_path / "plan.json")
    assert "改动 类型 prefix" in told(cast.data_admin, "case", "migrate", "plan", "leave_note", "--out", plan, language="zh")[1]
    assert "changed kind prefix" in told(cast.data_admin, "case", "migrate", "plan", "leave_note", "--out", plan)[1]
    for language, role, state in (("zh", "某岗位", "待批准"), ("en", "Some role", "waiting for approval")):
        tried = told(cast.data_admin, "case", "migrate", "draft", plan, "--dry-run", language=language)[1]
        assert role in tried and "data_leader" not in tried
        assert state in told(cast.data_admin, "case", "migrate", "draft", plan, "--reason", "试", language=language)[1]
