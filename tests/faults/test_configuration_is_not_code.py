"""What people write into kinds, guards, tables, texts and packs is data: bounded, refused by name, never run, never markup."""

from __future__ import annotations

import html
import json
import re
import resource
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from pydantic import ValidationError

from tests.conftest import Cast
from tests.core.cases.conftest import calendar, clock  # noqa: F401
from tests.core.cases.kinds import SIMPLE
from tests.faults.grammar import NASTY, Writer
from tests.faults.world import PERMIT, permit_text
from tests.soaking import amount, seed_of
from yunhe.core.cases import api
from yunhe.core.cases.errors import BadKind
from yunhe.core.cases.loaders import TableModel
from yunhe.core.cases.rules.conditions import compile_condition
from yunhe.core.cases.rules.guards import expression_fields, holds
from yunhe.core.cases.types import KindSpec
from yunhe.core.organizations.models import User
from yunhe.core.packs import api as packs
from yunhe.core.packs.errors import PackBroken
from yunhe.core.packs.rules import yaml_text
from yunhe.engine.decisions import TableRefused, read_table
from yunhe.kernel.actor import job_actor
from yunhe.kernel.errors import YunheError

pytestmark = [pytest.mark.soak, pytest.mark.timeout(24 * 3600)]
ROOT = Path(__file__).resolve().parents[2]
HEAD = job_actor("tests")
MOST_SECONDS, MOST_BYTES = 2.0, 256 * 1024 * 1024
AWARD = ROOT / "examples" / "award"
BASES = [SIMPLE, permit_text(), yaml.safe_load((AWARD / "cases" / "award_application.yml").read_text("utf-8"))]


def fuzz(name: str, count: int, one: Callable[[Writer], object], refused: tuple[type[Exception], ...]) -> Counter[str]:
    """Write and read `count` times: each answer is a value or a refusal, soon and small."""
    met, peak = Counter[str](), memory()
    for number in range(count):
        seed = f"{seed_of(name)}:{number}"
        started = time.process_time()
        try:
            with ended_in_time():
                one(Writer(seed))
        except TooLong:
            raise AssertionError(f"{name} {seed}: it goes on and on") from None
        except refused as error:
            met[type(error).__name__] += 1
            said = str(error)
            assert said and len(said) < 200_000, seed
        except Exception as error:
            raise AssertionError(f"{name} {seed}: {type(error).__name__}: {error}"[:2000]) from error
        else:
            met["taken"] += 1
        assert time.process_time() - started < MOST_SECONDS, seed
    assert memory() - peak < MOST_BYTES
    return met


class TooLong(BaseException):
    """Not an Exception: no door of the product takes it for a refusal."""


@contextmanager
def ended_in_time() -> Iterator[None]:
    """Let the work be broken off, wherever it is, when it has used up its time of the processor."""

    def ring(*_: object) -> None:
        raise TooLong

    before = signal.signal(signal.SIGVTALRM, ring)
    signal.setitimer(signal.ITIMER_VIRTUAL, MOST_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def test_guards_are_expressions_and_nothing_else() -> None:
    kind = KindSpec.model_validate(SIMPLE)
    fields = expression_fields(kind, kind.obligation("answer").actions["agree"].fields)
    values = {name: {"string": "x", "integer": 3, "decimal": None, "date": None, "boolean": True}[told] for name, told in fields.items()}

    def one(writer: Writer) -> None:
        assert holds(writer.expression(), fields, values) in (True, False)
        compile_condition.cache_clear()

    met = fuzz("guards", amount(small=900, full=500_000), one, (YunheError,))
    assert met["taken"] > 20 and met["ExpressionRefused"] > 300, met


@pytest.mark.django_db
def test_kinds_are_refused_by_name_or_can_be_run() -> None:
    def one(writer: Writer) -> None:
        told = writer.mutated(json.loads(json.dumps(writer.dice.choice(BASES))))
        api.require_sound(KindSpec.model_validate(told))

    met = fuzz("kinds", amount(small=250, full=200_000), one, (BadKind, ValidationError))
    assert met["taken"] > 10 and met["BadKind"] > 10 and met["ValidationError"] > 50, met


def test_files_of_kinds_are_read_within_bounds(tmp_path: Path) -> None:
    file = tmp_path / "kind.yml"
    texts = [PERMIT.read_text("utf-8"), (AWARD / "cases" / "award_application.yml").read_text("utf-8")]

    def one(writer: Writer) -> None:
        file.write_bytes(writer.bytes_of(writer.dice.choice(texts)))
        api.read_kind(path=file)

    met = fuzz("files", amount(small=40, full=50_000), one, (BadKind,))
    assert met["taken"] > 2 and met["BadKind"] > 10, met


BOMB = "a0: &a0 {name: x, title: x, type: rows, fields: [{name: y, title: y}]}\n" + "".join(
    f"a{n}: &a{n} {{name: x, title: x, type: rows, fields: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 9)
)


@pytest.mark.parametrize(
    "text",
    [BOMB, "[" * 100_000, "{a: " * 5_000, "a: 2026-13-45", "a: " + "9" * 5000, "? [a]\n: b", "!!python/object/apply:os.getcwd []",
     "&a [*a]", "\x00", "", "- 1", "a: 1\na: 2", "%YAML 9.9\n---\n", "a: !!binary x", "a: .inf", "--- 1\n--- 2"],
)  # fmt: skip
def test_a_file_that_is_a_bomb_is_refused_at_once(text: str, tmp_path: Path) -> None:
    file = tmp_path / "kind.yml"
    file.write_text(text, "utf-8")
    fuzz("bomb", 1, lambda _: api.read_kind(path=file), (BadKind,))
    with pytest.raises(BadKind):
        api.read_kind(path=file)


@pytest.mark.parametrize("nested", [lambda depth: "[" * depth + "]" * depth, lambda depth: "{a: " * depth + "1" + "}" * depth], ids=["lists", "maps"])
def test_depth_has_an_end(nested: Callable[[int], str]) -> None:
    packs.read_declaration(data=nested(yaml_text.MAX_DEPTH).encode(), file="deep.yml")
    for depth in (yaml_text.MAX_DEPTH + 1, 900):
        with pytest.raises(PackBroken) as caught:
            packs.read_declaration(data=nested(depth).encode(), file="deep.yml")
        assert f"{yaml_text.MAX_DEPTH} levels" in caught.value.say("en")


def test_a_reader_without_an_end_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_text, "MAX_DEPTH", 10**9)
    monkeypatch.setattr(yaml_text, "MAX_VALUES", 10**9)
    with pytest.raises(AssertionError, match="on and on"):
        fuzz("bomb", 1, lambda _: packs.read_declaration(data=b"[" * 100_000, file="deep.yml"), (YunheError,))


def test_decision_tables_are_cells_and_not_code() -> None:
    told = yaml.safe_load((AWARD / "tables" / "award_amount.yml").read_text("utf-8"))
    rules = (AWARD / "tables" / "award_amount.csv").read_text("utf-8")

    def one(writer: Writer) -> None:
        header = writer.mutated(told) if writer.dice.random() < 0.4 else told
        written = json.dumps(header).encode("utf-8", "surrogatepass")
        header = TableModel.model_validate(packs.read_declaration(data=written, file="t.yml")).model_dump(mode="json")
        lines = rules.splitlines()
        at = writer.dice.randrange(1, len(lines))
        lines[at] = ",".join(writer.nasty() if writer.dice.random() < 0.4 else cell for cell in lines[at].split(","))
        read_table(header, "\n".join(lines) if writer.dice.random() < 0.8 else writer.bytes_of(rules).decode("utf-8", "replace"))

    met = fuzz("tables", amount(small=300, full=200_000), one, (TableRefused, ValidationError, YunheError))
    assert sum(met.values()) - met["taken"] > 50, met


@pytest.mark.django_db
def test_packs_stay_in_their_folder(tmp_path: Path) -> None:
    files = {str(path.relative_to(AWARD)): path.read_text("utf-8") for path in AWARD.rglob("*") if path.is_file()}
    outside = tmp_path / "outside.txt"
    outside.write_text("secret", "utf-8")

    def one(writer: Writer) -> None:
        folder = tmp_path / "pack"
        victim = writer.dice.choice(sorted(files))
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(writer.bytes_of(text) if name == victim else text.encode())
        link = folder / "cases" / "out.yml"
        link.unlink(missing_ok=True)
        if writer.dice.random() < 0.2:
            link.symlink_to(outside)
        report = packs.check_pack(path=folder)
        assert "secret" not in str(report)

    met = fuzz("packs", amount(small=25, full=20_000), one, (YunheError,))
    assert sum(met.values()) > 20


SCRIPTS = (
    *(text for text in NASTY if text.isprintable() and text.strip() and len(text) < 200),
    "</textarea><script>1</script>", "<svg/onload=1>", "&lt;b&gt;", "<b>zq</b>", "' autofocus onfocus='x",
)  # fmt: skip
MARKS = re.compile(r"<script>alert|<img src=x|<svg/onload|<b>zq|onfocus='x|root:x:0", re.IGNORECASE)


def decorated(value: Any, words: list[str]) -> Any:
    """Return a kind whose every text that people read is one of the words."""
    if isinstance(value, dict):
        told = {key: decorated(part, words) for key, part in value.items()}
        for key in told.keys() & {"title", "message", "help"}:
            word = words.pop(0)
            words.append(word)
            told[key] = {"zh": f"{word} 标题", "en": f"{word} title"}
        return {**told, **({"basis": f"{words[0]} 依据"} if "basis" in told else {})}
    return [decorated(one, words) for one in value] if isinstance(value, list) else value


@pytest.mark.django_db
def test_no_text_of_a_kind_or_a_case_becomes_markup(clock: Any, cast: Cast, calendar: None) -> None:  # noqa: F811
    told = decorated(permit_text(), list(SCRIPTS))
    api.publish_kind(spec=KindSpec.model_validate(told), source="tests", actor=HEAD)
    User.objects.update(must_change_password=False)
    browsers = {name: Client() for name in ("clerk", "steward", "leader")}
    for name, client in browsers.items():
        member = getattr(cast, name)
        assert client.post("/login", {"username": member.username, "password": member.password, "next": "/"}).status_code == 302
    everything, seen = " ".join(SCRIPTS), 0
    for words in chunks(SCRIPTS, 190)[: amount(small=2, full=10**6)]:
        data = {"place": words, "area": 3, "departments": [cast.owner.code]}
        case_id = api.open_case(kind="permit", title=words, data=data, actor=cast.clerk.actor, owner=cast.owner.code).case_id
        api.remind(case_id=case_id, reason=everything, actor=cast.clerk.actor)
        api.act(case_id=case_id, action="accept", data={"departments": [cast.owner.code]}, actor=cast.steward.actor)
        api.suspend(case_id=case_id, basis=words, reason=everything, actor=cast.leader.actor)
        seen += sum(looked_at(client, language, case_id, words) for client, language in zip(browsers.values(), ("zh-hans", "en", "en"), strict=True))
        api.resume(case_id=case_id, reason=everything, actor=cast.leader.actor)
        seen += looked_at(browsers["leader"], "zh-hans", case_id, words)
    assert seen > 8  # the words were on the pages


def looked_at(client: Client, language: str, case_id: str, words: str) -> int:
    """Return how many of the pages about a case show the words, none of them as markup."""
    client.cookies["yunhe_language"] = language
    shown = 0
    for address in (f"/inbox/cases/{case_id}/", f"/inbox/?case={case_id}", "/inbox/cases/", "/inbox/new/permit/", "/notices/"):
        answer = client.get(address)
        text = answer.content.decode()
        assert answer.status_code in (200, 404), (address, answer.status_code)
        assert not MARKS.search(text), (words, address, MARKS.search(text))
        shown += words in html.unescape(text)
    return shown


def chunks(words: tuple[str, ...], most: int) -> list[str]:
    """Return the words joined into texts of at most so many characters."""
    made = [""]
    for word in words:
        if len(made[-1]) + len(word) + 1 > most:
            made.append("")
        made[-1] = f"{made[-1]} {word}".strip()[:most]
    return made


def test_a_page_that_does_not_escape_is_found() -> None:
    assert all(MARKS.search(text) for text in ("<p><b>zq</b></p>", '<a x="<img src=x onerror=alert(1)>">'))
    assert not MARKS.search(html.escape("<b>zq</b><script>alert(1)</script>"))
