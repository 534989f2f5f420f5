"""What a command is: a path of words, a declared permission, a parser and a run."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from yunhe.kernel.actor import Actor


@dataclass(frozen=True, slots=True)
class Context:
    """What a command's run gets besides its arguments."""

    actor: Callable[[], Actor]
    as_json: bool
    language: str

    def note(self, text: str) -> None:
        """Say something to the person; never on stdout."""
        print(text, file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True)
class Output:
    """A command's answer: `data` is the one JSON line, `lines` what a person reads.

    `exit_code` is not 0 where the answer itself tells of something that scripts must not pass over.
    """

    data: Mapping[str, Any]
    lines: tuple[str, ...] = ()
    exit_code: int = 0


Run = Callable[[Context, argparse.Namespace], Output]
Configure = Callable[[argparse.ArgumentParser], None]


def _no_arguments(parser: argparse.ArgumentParser) -> None:
    """The command takes no arguments."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `permission` is checked by the api it calls; "operator" needs YUNHE_HOME only."""

    path: tuple[str, ...]
    permission: str
    help: Mapping[str, str]
    run: Run
    configure: Configure = field(default=_no_arguments)
    needs_node: bool = True


def print_output(output: Output, *, as_json: bool) -> None:
    """Print JSON as one line, or the lines for a person."""
    if as_json:
        print(json.dumps(output.data, ensure_ascii=False, default=_plain), flush=True)
        return
    for line in output.lines:
        print(line, flush=True)


def _plain(value: object) -> str:
    """Return what JSON has no form for: a moment as ISO 8601 with its zone, anything else as text."""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def table_lines(headings: Iterable[str], rows: Iterable[Iterable[object]]) -> tuple[str, ...]:
    """Return aligned text columns; Chinese characters count two cells."""
    grid = [[str(h) for h in headings], *[[("" if c is None else str(c)) for c in row] for row in rows]]
    widths = [max(_cells(row[i]) for row in grid) for i in range(len(grid[0]))]
    return tuple("  ".join(c + " " * (w - _cells(c)) for c, w in zip(row, widths, strict=True)).rstrip() for row in grid)


def _cells(text: str) -> int:
    return sum(2 if ord(char) > 0x2E7F else 1 for char in text)
