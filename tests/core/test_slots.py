"""Slots are filled while start-up runs, and by nobody afterwards."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from yunhe.core.jobs import api as jobs
from yunhe.core.jobs.api import outbox
from yunhe.core.jobs.errors import SlotsClosed as JobSlotsClosed
from yunhe.core.packs import api as packs
from yunhe.core.packs.errors import SlotsClosed as PackSlotsClosed
from yunhe.core.packs.types import Strict
from yunhe.kernel.errors import YunheError


def nothing(*given: Any) -> None:
    """What would be registered."""


LATE: dict[str, tuple[type[YunheError], Callable[[], object]]] = {
    "job": (
        JobSlotsClosed,
        lambda: jobs.register_job(name="late", run=nothing, title={"zh": "晚", "en": "Late"}, permission="jobs.view"),
    ),
    "subscriber": (JobSlotsClosed, lambda: outbox.subscribe(topic="late", handler=nothing)),
    "loader": (
        PackSlotsClosed,
        lambda: packs.register_loader(section="late", model=Strict, plan=nothing, apply=nothing, order=99),
    ),
}


@pytest.mark.parametrize("what", LATE)
def test_after_start_up_nothing_is_registered(what: str) -> None:
    refused, register = LATE[what]
    with pytest.raises(refused, match="Start-up is over"):
        register()
    assert "late" not in {job.name for job in jobs.list_job_types()} | {one.section for one in packs.list_loaders()}
    assert "late" not in outbox._subscribers
