"""Every command line that the project's pages show is one that the parser takes; the help of each group names all its commands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.architecture.graph import ROOT
from yunhe.cli.main import all_commands, build_parser

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
COMMANDS = all_commands()
PATHS = {command.path for command in COMMANDS}
GROUPS = {path[:depth] for path in PATHS for depth in range(1, len(path))}
BLOCK = re.compile(r"^```(?:sh|console|bash)?\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"(?<!`)`((?:yunhe|case|bulk) [^`]+)`(?!`)")


def lines_of(page: Path) -> list[str]:
    """Return the command lines that stand in blocks, without their comments; a line that ends in \\ goes on in the next."""
    blocks = BLOCK.findall(page.read_text("utf-8"))
    lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
    return [line for line in lines if line.startswith("yunhe ")]


def words_of(line: str) -> list[str]:
    return shlex.split(line, comments=True)[1:]


def named(words: list[str]) -> bool:
    """Tell whether the first words are a command, or a group of them and nothing else."""
    plain = tuple(word for word in words if re.fullmatch(r"[a-z][a-z-]*", word))
    return any(plain[:depth] in PATHS for depth in range(1, 5)) or plain in GROUPS


SHOWN = [(page.name, line) for page in PAGES for line in lines_of(page)]


@pytest.mark.parametrize("line", [line for _page, line in SHOWN])
def test_a_command_line_of_a_page_is_taken(line: str) -> None:
    parsed = build_parser(COMMANDS, "en").parse_args(words_of(line))
    assert parsed.command.path in PATHS


def test_there_are_command_lines_on_the_pages() -> None:
    assert {"README.md", "cases.md"} <= {page for page, _line in SHOWN}


def test_a_command_named_in_a_sentence_is_one() -> None:
    texts = [(page.name, text) for page in PAGES for text in INLINE.findall(page.read_text("utf-8")) if text.startswith("yunhe ") and "|" not in text]
    assert texts
    assert [(page, text) for page, text in texts if not named(text.replace("\n", " ").split()[1:]) and "yunhe." not in text] == []


def test_the_help_of_each_group_names_its_commands(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    parser = build_parser(COMMANDS, "en")
    for group in sorted({(), *GROUPS}):
        with pytest.raises(SystemExit):
            parser.parse_args([*group, "--help"])
        shown = capsys.readouterr().out
        under = {path[len(group)] for path in PATHS if path[: len(group)] == group}
        assert under <= set(re.findall(r"^    ([a-z-]+) ", shown, re.MULTILINE)), group
