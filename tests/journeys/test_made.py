"""A made home stands again at its place whatever a journey left there, and is one journey's at a time."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from tests.journeys.made import MadeHomes
from tests.journeys.node import Node


def hut(node: Node) -> None:
    """Make a home of one file."""
    node.home.mkdir()
    (node.home / "built").write_text("once", "utf-8")
    node.accounts = {"keeper": "secret"}


def spoil(homes: MadeHomes) -> None:
    """Break off a journey that left a changed home behind."""
    with suppress(RuntimeError), homes.node(hut, YUNHE_LOG="json") as node:
        (node.home / "built").write_text("spoilt", "utf-8")
        (node.home / "left").touch()
        node.accounts["keeper"] = "forgotten"
        (homes.folder / "kept" / "hut-embedded" / "mark").touch()  # a second making would not have it
        raise RuntimeError


def test_what_a_broken_journey_left_is_gone_and_the_home_is_made_once(tmp_path: Path) -> None:
    with ExitStack() as stack:
        homes = MadeHomes(tmp_path, stack)
        spoil(homes)
        with homes.node(hut) as second:
            assert second.home == tmp_path / "hut-embedded" / "home"
            assert sorted(file.name for file in second.home.iterdir()) == ["built", "mark"]
            assert (second.home / "built").read_text("utf-8") == "once"
            assert (second.accounts, second.more) == ({"keeper": "secret"}, {})


def test_a_place_in_use_is_refused(tmp_path: Path) -> None:
    with ExitStack() as stack:
        homes = MadeHomes(tmp_path, stack)
        with homes.node(hut), pytest.raises(AssertionError, match="in use"), homes.node(hut):
            pass
