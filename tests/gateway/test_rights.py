"""The rights image on disk and the sealed secrets in it."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest

from tests.gateway.world import NODE_SECRET, World
from yunhe.crypto.errors import SealBroken
from yunhe.gateway.errors import BrokenImage
from yunhe.gateway.rights import AccessKeyRow, open_secret, read_image, seal_secret, write_image


def test_an_image_reads_back_as_written_and_only_for_its_owner(world: World) -> None:
    path = world.config.rights_path
    image = read_image(path)

    assert dict(image.grants) == world.grants
    assert dict(image.keys) == world.keys
    assert path.stat().st_mode & 0o077 == 0
    assert world.secret not in path.read_text("utf-8")


def test_a_failed_write_leaves_the_old_image_and_no_rubbish(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    path = world.config.rights_path
    before = path.read_bytes()

    def fail(descriptor: int) -> None:
        raise OSError(28, "no room")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(OSError, match="no room"):
        write_image(path, read_image(path))
    assert path.read_bytes() == before
    assert sorted(file.name for file in path.parent.iterdir()) == ["rights.json"]


@pytest.mark.parametrize(
    "damage",
    [
        lambda image: b"",
        lambda image: b"{}",
        lambda image: b"\xff",
        lambda image: json.dumps(image | {"version": "x"}).encode(),
        lambda image: json.dumps(image | {"written_at": "2026-01-01T00:00:00"}).encode(),
        lambda image: json.dumps(image | {"grants": {"G1": {}}}).encode(),
    ],
)
def test_a_damaged_image_is_said_to_be_broken(world: World, damage) -> None:  # type: ignore[no-untyped-def]
    path = world.config.rights_path
    path.write_bytes(damage(json.loads(path.read_bytes())))

    with pytest.raises(BrokenImage) as caught:
        read_image(path)
    assert str(path) in caught.value.say("en")


def test_a_naive_time_in_a_grant_is_broken(world: World) -> None:
    world.add_grant("G1", valid_until=datetime(2030, 1, 1))  # noqa: DTZ001
    world.write()
    with pytest.raises(BrokenImage):
        read_image(world.config.rights_path)


def test_no_image_is_said_to_be_broken(tmp_path: Path) -> None:
    with pytest.raises(BrokenImage):
        read_image(tmp_path / "absent.json")


def test_a_sealed_secret_opens_under_its_key_id_and_node_only() -> None:
    sealed = seal_secret(node_secret=NODE_SECRET, key_id="AKA", secret="secret")

    assert open_secret(node_secret=NODE_SECRET, key=AccessKeyRow("AKA", "s", "o", sealed)) == b"secret"
    for secret, key_id, text in ((NODE_SECRET, "AKB", sealed), (bytes(32), "AKA", sealed), (NODE_SECRET, "AKA", "xyz")):
        with pytest.raises(SealBroken):
            open_secret(node_secret=secret, key=AccessKeyRow(key_id, "s", "o", text))
