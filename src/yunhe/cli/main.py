"""The command line: parse, one api call, print, exit code from the error (architecture 11)."""

from __future__ import annotations

import argparse
import getpass
import os
import pwd
import sys
from functools import cache
from pathlib import Path
from typing import NoReturn

from yunhe.cli import chinese
from yunhe.cli.commands import Command, Context, print_output, say, spoken
from yunhe.cli.files import reasons
from yunhe.kernel.actor import INSIDE, Actor, Door, coming_through
from yunhe.kernel.errors import Invalid, Terminal, YunheError
from yunhe.kernel.ids import new_id
from yunhe.kernel.traces import describe

SERVERS = frozenset({("up",), ("web",), ("worker",), ("gateway",)})
"""Commands that act for others: what they write did not come by the command line."""
LONGEST_LINE = 1000


class _Parser(argparse.ArgumentParser):
    """argparse exits with 2 on bad input, as we do; help goes to stdout, errors to stderr."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        print(f"yunhe: {say(chinese.complaint(message), message)}", file=sys.stderr)
        raise SystemExit(2)


def all_commands() -> tuple[Command, ...]:
    """Return every command of the command line, by path."""
    from yunhe.cli import (
        case_change_commands,
        case_commands,
        case_work_commands,
        data_commands,
        node_commands,
        people_commands,
        sharing_commands,
    )

    modules = (node_commands, data_commands, sharing_commands, people_commands, case_commands, case_change_commands, case_work_commands)
    return tuple(sorted((c for m in modules for c in m.COMMANDS), key=lambda c: c.path))


def build_parser(commands: tuple[Command, ...], language: str) -> argparse.ArgumentParser:
    """Return the parser of all commands; `--as`, `--password-file` and `--json` may stand anywhere."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--as", dest="as_user", metavar="USER[@ORG]", default=argparse.SUPPRESS)
    common.add_argument("--password-file", metavar="FILE", default=argparse.SUPPRESS, help="first line: the password of --as; - is stdin")
    common.add_argument("--json", dest="as_json", action="store_true", default=argparse.SUPPRESS)
    root = _Parser(prog="yunhe", parents=[common])
    groups: dict[tuple[str, ...], argparse._SubParsersAction[argparse.ArgumentParser]] = {}
    groups[()] = root.add_subparsers(dest="word0", metavar="COMMAND", required=True, parser_class=_Parser)
    for command in commands:
        for depth in range(1, len(command.path)):
            prefix = command.path[:depth]
            if prefix not in groups:
                words = dict.fromkeys(c.path[depth] for c in commands if c.path[:depth] == prefix)
                parent = groups[prefix[:-1]].add_parser(prefix[-1], parents=[common], help=", ".join(words))
                groups[prefix] = parent.add_subparsers(
                    dest=f"word{depth}", metavar="COMMAND", required=True, parser_class=_Parser
                )
        leaf = groups[command.path[:-1]].add_parser(
            command.path[-1], parents=[common], help=command.help[language], description=command.help[language]
        )
        command.configure(leaf)
        leaf.set_defaults(command=command)
    if language == "zh":
        chinese.speak(root)
        for group in groups.values():
            for one in group.choices.values():
                chinese.speak(one)
    return root


def main(argv: list[str] | None = None) -> int:
    """Run one command line; return its exit code."""
    language = spoken()
    arguments = sys.argv[1:] if argv is None else argv
    try:
        parsed = build_parser(all_commands(), language).parse_args(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)
    return _run(parsed, language)


def _run(parsed: argparse.Namespace, language: str) -> int:
    command: Command = parsed.command
    as_json = getattr(parsed, "as_json", False)
    try:
        _start_django(command)
        context = Context(actor=cache(lambda: _actor(parsed)), as_json=as_json, language=language)
        with coming_through(INSIDE if command.path in SERVERS else Door("cli", _os_user())):
            output = command.run(context, parsed)
        print_output(output, as_json=as_json)
        return output.exit_code
    except YunheError as error:
        print(f"yunhe: {error.say(language)}  [{error.code}]", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("yunhe: 已中止。" if language == "zh" else "yunhe: stopped.", file=sys.stderr)
        return 130
    except Exception as error:  # noqa: BLE001  the door of every command
        if (known := _busy(error)) is not None:
            print(f"yunhe: {known.say(language)}  [{known.code}]", file=sys.stderr)
            return known.exit_code
        trace_id = new_id()
        print(describe(error), file=sys.stderr)
        print(f"yunhe: {YunheError().say(language)}  [{trace_id}]", file=sys.stderr)
        return 1


def _busy(error: Exception) -> YunheError | None:
    """Return what is said of a database that was not free in time; None for any other fault."""
    from yunhe.ui.errors import DatabaseBusy
    from yunhe.ui.problems import error_of

    known = error_of(error)
    return known if isinstance(known, DatabaseBusy) else None


def _start_django(command: Command) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "yunhe.settings.django")
    from yunhe.settings.table import read_settings

    settings = read_settings()
    if command.needs_node and not (settings["HOME"] / "keys" / "node.key").exists():
        raise NoNode(home=str(settings["HOME"]))
    import django

    django.setup()


def _actor(parsed: argparse.Namespace) -> Actor:
    """Return who acts: the operator, or USER, whom a password proves unless reading YUNHE_HOME proves enough."""
    from django.conf import settings

    from yunhe.core.organizations import api as organizations

    as_user, file = getattr(parsed, "as_user", ""), getattr(parsed, "password_file", "")
    if not as_user:
        return organizations.operator_actor()
    username, _, organization = as_user.partition("@")
    if settings.YUNHE["PROFILE"] == "embedded" and not file:
        return organizations.find_actor(username=username, organization=organization or None)
    password = _read_password(file) if file else _ask_password(username)
    return organizations.prove_actor(username=username, password=password, organization=organization or None)


def _read_password(file: str) -> str:
    try:
        if file == "-":
            line = sys.stdin.readline(LONGEST_LINE)
        else:
            with Path(file).open(encoding="utf-8") as opened:
                line = opened.readline(LONGEST_LINE)
    except (OSError, ValueError) as error:
        raise BadPasswordFile(file=file, **reasons(error)) from error
    return line.rstrip("\r\n")


def _ask_password(username: str) -> str:
    if not sys.stdin.isatty():
        raise NoProof(name=username)
    try:
        return getpass.getpass(say(f"{username} 的密码：", f"password of {username}: "))
    except EOFError:
        raise NoProof(name=username) from None


def _os_user() -> str:
    """Return whose process this is: the operating system's word, never the environment's."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    return name.encode("utf-8", "backslashreplace").decode()[:64]


class NoProof(Terminal):
    code = "proof_missing"
    kind = "refused"
    sentences = {
        "zh": "server 模式下以“{name}”的身份办理须凭其密码。请在终端里运行并输入，或加 --password-file 文件（“-”为标准输入）。",
        "en": 'Acting as "{name}" takes that user\'s password in the server profile. Run this in a terminal and type it, '
        "or add --password-file FILE (- is standard input).",
    }


class BadPasswordFile(Invalid):
    code = "bad_password_file"
    sentences = {
        "zh": "密码文件 {file} 读不了：{reason}。密码写在第一行，UTF-8。",
        "en": "Cannot read the password file {file}: {reason_en}. The password is its first line, UTF-8.",
    }


class NoNode(Invalid):
    code = "node_missing"
    sentences = {
        "zh": "{home} 里还没有节点。请先运行 yunhe init（或 make demo）。",
        "en": "There is no node in {home} yet. Run yunhe init (or make demo) first.",
    }


if __name__ == "__main__":
    raise SystemExit(main())
