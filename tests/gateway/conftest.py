"""What every test of the gateway stands on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.world import Caller, World, build_file


@pytest.fixture(scope="session")
def serving_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_file(tmp_path_factory.mktemp("serving"))


@pytest.fixture
def world(tmp_path: Path, serving_file: Path) -> World:
    return World(home=tmp_path / "home", serving=serving_file)


@pytest.fixture
def caller(world: World) -> Iterator[Caller]:
    with world.client() as opened:
        yield opened
