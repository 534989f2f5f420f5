"""How far a change is: one total of what it moves, also after it was stopped, and one state, with its job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.conftest import Cast
from tests.core.cases.test_change_pages import permit, publish  # noqa: F401
from tests.core.cases.test_migrating import drafted
from tests.core.cases.test_pages import signed_in
from yunhe.core.cases import api
from yunhe.core.cases.api import pacing
from yunhe.core.cases.types import Case
from yunhe.core.jobs import api as jobs

pytestmark = pytest.mark.django_db
Permit = Callable[[], Case]


@pytest.fixture
def stopped(permit: Permit, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> str:  # noqa: F811
    """Return a change of three cases that was stopped after the first."""
    for _ in range(3):
        permit()
    publish(title="第二版")
    key = drafted(cast).migration_id
    api.approve_migration(migration_id=key, actor=cast.system_admin.actor)
    monkeypatch.setattr(pacing, "MOST", 1)

    def stop(done: int, _total: int) -> None:
        if done == 1:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        api.apply_migration(migration_id=key, actor=cast.data_admin.actor, progress=stop)
    return key


def test_what_was_moved_before_it_was_stopped_counts_on(stopped: str, cast: Cast) -> None:
    seen: list[tuple[int, int]] = []
    api.apply_migration(migration_id=stopped, actor=cast.data_admin.actor, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_a_stopped_change_says_one_state_and_one_total(stopped: str, cast: Cast) -> None:
    client = signed_in(cast.data_admin)
    page = client.get(f"/changes/{stopped}/").content.decode()
    assert "已停下：移动了 3 件中的 <b" in page and "还将移动 <b" in page
    assert ">已停下<" in page and ">执行中<" not in page
    assert ">已停下<" in client.get("/changes/").content.decode()


def test_a_change_that_waits_for_its_job_is_queued(stopped: str, cast: Cast) -> None:
    client: Any = signed_in(cast.data_admin)
    page = client.post(f"/changes/{stopped}/apply/", follow=True).content.decode()
    assert "已交给后台执行" in page and ">排队中<" in page
    assert not [word for word in (">待执行<", ">执行中<", ">已停下<") if word in page]
    progress = client.get(f"/changes/{stopped}/progress/").content.decode()
    assert '<span class="num">1' in progress
    jobs.run_pending()
    done = client.get(f"/changes/{stopped}/").content.decode()
    assert ">已完成<" in done
