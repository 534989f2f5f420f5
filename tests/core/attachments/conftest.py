"""A home and slots of the test's own, a subject whose room decides, and short ways to upload."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.conftest import Cast
from yunhe.core.attachments import api
from yunhe.core.attachments.api import places, registry
from yunhe.core.attachments.types import Attachment
from yunhe.kernel.actor import Actor
from yunhe.ui.po import compile_texts

compile_texts()


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder in which this test's `attachments` lie; the node key stays where it is."""
    monkeypatch.setattr(places, "root", lambda: tmp_path / "attachments")
    return tmp_path


@pytest.fixture
def readers() -> set[str]:
    """Return the ids of actors who may read what is attached to a `note`."""
    return set()


@pytest.fixture(autouse=True)
def _own_slots(monkeypatch: pytest.MonkeyPatch, readers: set[str]) -> None:
    monkeypatch.setattr(registry, "_subjects", {})
    monkeypatch.setattr(registry, "_scanners", [])
    monkeypatch.setattr(registry, "apps", SimpleNamespace(ready=False))
    api.register_subject(subject_type="note", may_read=lambda subject_id, actor: actor.id in readers)


Store = Callable[..., Attachment]


@pytest.fixture
def store(cast: Cast) -> Store:
    """Return a function that uploads a whole file, as the clerk unless told otherwise."""

    def upload(name: str, content: bytes, actor: Actor = cast.clerk.actor) -> Attachment:
        return api.store_file(name=name, size=len(content), content=io.BytesIO(content), actor=actor)

    return upload
