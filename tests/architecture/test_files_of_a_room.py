"""A room's files are those that the house names; what one room has besides is named here with its reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.graph import SOURCE

NAMED = {
    "__init__", "api", "types", "errors", "rules", "models", "sql", "views", "forms", "urls", "templates", "panels",
    "http", "jobs", "effects", "loaders", "admin", "apps", "migrations",
}  # fmt: skip
BESIDES = {
    "organizations/middleware": "Django calls it by this name",
    "notices/channels": "one folder a channel, reached through a table",
    "exchange/sources": "fills the slot of cases for values out of shared data",
    "exchange/words": "what views and panels say of refusals, masks and reasons",
    "standards/fields": "fills the slot of cases for what elements say of fields",
}


def strangers(rooms: list[Path]) -> set[str]:
    """Return room/name of each file or package beyond the named ones."""
    names = {(room.name, entry.name.removesuffix(".py")) for room in rooms for entry in room.iterdir()}
    return {f"{room}/{name}" for room, name in names if name not in NAMED and name != "__pycache__"}


def test_a_room_has_no_other_files() -> None:
    rooms = [entry for floor in ("core", "data") for entry in (SOURCE / "yunhe" / floor).iterdir() if (entry / "apps.py").is_file()]
    assert len(rooms) > 10
    assert strangers(rooms) == set(BESIDES)


@pytest.mark.parametrize("name", ["words.py", "helpers"])
def test_a_stranger_is_found(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / "api.py").touch()
    assert strangers([tmp_path]) == {f"{tmp_path.name}/{name.removesuffix('.py')}"}
