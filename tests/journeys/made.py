"""Nodes whose home is made once by each test process and put back at its place before each journey.

Iceberg writes absolute paths into its tables, so a made home stays true only where it was made: every node of one
kind stands at one path, one after another. What a journey left there, whole or broken, is thrown away.
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from tests.databases import copied_database, fresh_database
from tests.journeys.node import Node

Make = Callable[[Node], None]


def city(node: Node) -> None:
    """Make the demonstration city of a hundred people."""
    node.accounts = {a["username"]: a["password"] for a in node.do("demo", "--people", "100")["accounts"]}


def bare(node: Node) -> None:
    """Make the node and nothing in it."""
    node.do("init")


@dataclass
class Kept:
    """A made home as it was before anybody used it: its folder, its database in the server profile, its accounts."""

    folder: Path
    database: str
    accounts: dict[str, str]


@dataclass
class MadeHomes:
    """The homes that this process has made, under `folder`; their databases go when `stack` is closed."""

    folder: Path
    stack: ExitStack
    kept: dict[str, Kept] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    @contextmanager
    def node(self, make: Make, profile: str = "embedded", **more: str) -> Iterator[Node]:
        """Yield a node as `make` leaves it, not started; it is stopped afterwards. `more` are further settings."""
        name = f"{make.__name__}-{profile}"
        assert name not in self.taken, f"{name} is in use: its place is one journey's at a time"
        self.taken.add(name)
        try:
            if name not in self.kept:
                self.kept[name] = self._keep(name, make, profile)
            with self._put_back(name, more) as node:
                yield node
        finally:
            self.taken.discard(name)

    def _keep(self, name: str, make: Make, profile: str) -> Kept:
        database = self.stack.enter_context(fresh_database("made")) if profile == "server" else ""
        node = Node(self._clear(name) / "home", _settings(database))
        make(node)
        shutil.copytree(node.home, self.folder / "kept" / name, symlinks=True)
        return Kept(self.folder / "kept" / name, database, node.accounts)

    @contextmanager
    def _put_back(self, name: str, more: dict[str, str]) -> Iterator[Node]:
        kept = self.kept[name]
        with ExitStack() as stack:
            database = stack.enter_context(copied_database("journey", kept.database)) if kept.database else ""
            home = self._clear(name) / "home"
            shutil.copytree(kept.folder, home, symlinks=True)
            node = Node(home, {**_settings(database), **more}, accounts=dict(kept.accounts))
            try:
                yield node
            finally:
                node.stop()
                for pid in node.pids():
                    with suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)

    def _clear(self, name: str) -> Path:
        place = self.folder / name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        return place


def _settings(database: str) -> dict[str, str]:
    return {"YUNHE_PROFILE": "server", "YUNHE_DATABASE": database} if database else {}
