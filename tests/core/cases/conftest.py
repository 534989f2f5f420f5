from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.conftest import Cast, load_calendar
from tests.core.cases.kinds import simple_kind
from yunhe.core.cases import api
from yunhe.core.cases.types import Case
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import FrozenClock, frozen

A_MONDAY = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


@pytest.fixture
def calendar(db: None) -> None:
    load_calendar()


@pytest.fixture
def clock() -> Iterator[FrozenClock]:
    with frozen(A_MONDAY) as standing:
        yield standing


@pytest.fixture
def note(clock: FrozenClock, cast: Cast, calendar: None, founder: Actor) -> Any:
    """Return a function that opens a case of the small kind from `other` to `owner`."""
    api.publish_kind(spec=simple_kind(), source="tests", actor=founder)

    def open_note(**given: Any) -> Case:
        data = {"amount": 1, "items": ["a", "b"], **given.pop("data", {})}
        told = {"title": "请示一件", "actor": cast.clerk.actor, "owner": cast.owner.code, **given}
        return api.open_case(kind="leave_note", data=data, **told)

    return open_note


@pytest.fixture
def unproved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Publish kinds without their proof, as if it had been wrong."""
    monkeypatch.setattr("yunhe.core.cases.rules.kinds.judge_kind", lambda spec: ())
