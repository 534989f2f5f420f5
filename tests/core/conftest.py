"""Slots close with the end of Django's start-up; a test that registers something asks for an open start-up."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from yunhe.core.jobs.api import outbox
from yunhe.core.jobs.api import registry as job_slots
from yunhe.core.packs.api import registry as pack_slots


@pytest.fixture
def starting_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The slots of jobs, outbox and packs take registrations until the test ends."""
    for slots in (job_slots, outbox, pack_slots):
        monkeypatch.setattr(slots, "apps", SimpleNamespace(ready=False))
