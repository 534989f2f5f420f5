"""The command line's help: every command in both languages, exit codes, nothing but answers on stdout."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.graph import SOURCE
from yunhe.cli.commands import spoken
from yunhe.cli.main import all_commands, build_parser, main

COMMANDS = all_commands()
# The words that scripts rely on (architecture 11); one taken away or renamed breaks somebody's script.
PROMISED = (
    "call", "demo", "doctor", "init", "load", "pack check", "pack load", "quality findings", "query",
    "resource draft", "resource list", "resource register", "resource show", "up",
)  # fmt: skip
PROMISED_GROUPS = ("grant", "request", "user")


def help_of(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert main([*words, "--help"]) == 0
    said = capsys.readouterr()
    assert said.err == ""
    return said.out


@pytest.mark.parametrize("words", [command.path for command in COMMANDS], ids=" ".join)
@pytest.mark.parametrize("language", ["zh_CN.UTF-8", "en_US.UTF-8"])
def test_every_command_helps_in_both_languages(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], language: str
) -> None:
    monkeypatch.delenv("LC_ALL", raising=False)
    monkeypatch.setenv("LANG", language)
    monkeypatch.setenv("COLUMNS", "200")
    command = next(command for command in COMMANDS if command.path == words)
    text = help_of(capsys, *words)
    assert command.help[language[:2]] in text
    assert "--json" in text and "--as" in text
    assert ("选项：\n" in text and "项:" not in text and "数:" not in text) if language.startswith("zh") else "options:\n" in text


def test_the_promised_words_are_there() -> None:
    paths = {" ".join(command.path) for command in COMMANDS}
    assert set(PROMISED) - paths == set()
    assert all(any(path.startswith(group + " ") for path in paths) for group in PROMISED_GROUPS)


def test_every_first_word_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    listed = set(re.findall(r"^    ([a-z-]+) ", help_of(capsys), re.MULTILINE))
    assert {command.path[0] for command in COMMANDS} - listed == set()


def test_paths_are_unique_words() -> None:
    paths = [command.path for command in COMMANDS]
    assert len(paths) == len(set(paths))
    assert all(re.fullmatch(r"[a-z][a-z-]*", word) for path in paths for word in path)


@pytest.mark.parametrize("arguments", [[], ["no-such-command"], ["load"], ["demo", "--people", "many"]])
def test_bad_input_exits_with_2_and_keeps_stdout_empty(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == "" and "yunhe" in said.err


def test_as_and_json_may_stand_anywhere() -> None:
    parser = build_parser(COMMANDS, "zh")
    for arguments in (["--json", "--as", "li@x", "doctor"], ["doctor", "--json", "--as", "li@x"]):
        parsed = parser.parse_args(arguments)
        assert parsed.as_json and parsed.as_user == "li@x"


@pytest.mark.parametrize("arguments", [["--help"], ["load", "--help"], ["doctor", "--settings", "--json"]], ids=" ".join)
def test_the_command_line_starts_on_its_own(tmp_path: Path, arguments: list[str]) -> None:
    """Here Django is set up already; a process of its own shows that commands do not need that."""
    environment = {"PATH": os.environ["PATH"], "YUNHE_HOME": str(tmp_path), "PYTHONPATH": str(SOURCE), "LANG": "C.UTF-8"}
    done = subprocess.run(
        [sys.executable, "-m", "yunhe.cli.main", *arguments],
        env=environment, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "zh"), ({"LANG": "C.UTF-8"}, "zh"), ({"LANG": "en_US.UTF-8"}, "en"), ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "zh_CN.UTF-8"}, "zh"), ({"LANG": "zh_CN.UTF-8", "LC_ALL": "en_GB"}, "en"),
        ({"LANG": "zh_CN.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, "en"), ({"LANG": "en_US.UTF-8", "LC_ALL": ""}, "en"),
    ],
)  # fmt: skip
def test_the_language_is_the_first_that_the_environment_names(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], language: str) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert spoken() == language
