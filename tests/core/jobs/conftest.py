"""A registry of the test's own: jobs registered in a test are gone after it."""

from __future__ import annotations

import pytest

from yunhe.core.jobs.api import outbox, registry


@pytest.fixture(autouse=True)
def _own_slots(monkeypatch: pytest.MonkeyPatch, starting_up: None) -> None:
    monkeypatch.setattr(registry, "_types", {})
    monkeypatch.setattr(outbox, "_subscribers", {})
