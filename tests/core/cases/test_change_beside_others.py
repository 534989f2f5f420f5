"""A change of procedure beside those who work, and beside other changes: short transactions, and none that is stale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection

from tests.conftest import Cast
from tests.core.cases.test_change_of_times import TEN, Publish, note, owed, publish  # noqa: F401
from tests.core.cases.test_pages import signed_in
from yunhe.core.cases import api
from yunhe.core.cases.api import migrating, pacing
from yunhe.core.cases.errors import MigrationRefused
from yunhe.core.cases.models import CaseRecord, EventRecord
from yunhe.core.cases.types import Migration
from yunhe.kernel.actor import job_actor
from yunhe.kernel.clock import FrozenClock

pytestmark = pytest.mark.django_db


def drafted(cast: Cast, by: Any = None, **told: Any) -> Migration:
    author = by or cast.data_admin
    plan = api.plan_migration(kind="leave_note", source_number=1, actor=author.actor)
    moves = tuple(replace(move, **(told if move.obligations == ("answer",) else {})) for move in plan.moves)
    return api.draft_migration(plan=replace(plan, moves=moves), reason="改", actor=author.actor)


def approved(cast: Cast, **told: Any) -> Migration:
    draft = drafted(cast, **told)
    return api.approve_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)


class SlowClock:
    """A clock by which each case takes a tenth of a second; rests are noted."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.rests = 0.0, list[tuple[float, float]]()
        monkeypatch.setattr(pacing, "time", SimpleNamespace(monotonic=lambda: self.now, sleep=self.sleep))
        move = migrating.move_cases

        def slowly(change: Any, ids: Sequence[str]) -> int:
            self.now += 0.1 * len(ids)
            return move(change, ids)

        monkeypatch.setattr(migrating, "move_cases", slowly)

    def sleep(self, seconds: float) -> None:
        self.rests.append((self.now, seconds))


def test_a_transaction_of_slow_cases_ends_when_its_time_is_over(
    publish: Publish, cast: Cast, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:
    publish()
    cases = [note(cast) for _ in range(40)]
    publish(limits=TEN)
    change = approved(cast, limits="recount")
    slow, steps = SlowClock(monkeypatch), list[int]()
    done = api.apply_migration(migration_id=change.migration_id, actor=cast.data_admin.actor, progress=lambda done, total: steps.append(done))
    sizes = [after - before for before, after in pairwise(steps)]
    piece = -(-pacing.FIRST // pacing.PIECES)
    assert done.moved == 40 and max(sizes) <= piece and sizes[:3] == [piece] * 3
    assert EventRecord.objects.filter(action="migrate").count() == 40 and {owed(case).limit_amount for case in cases} == {10}
    if not connection.features.has_select_for_update:
        long = [at for at, seconds in slow.rests if seconds > 0.1]  # as long as a waiting process needs to ask again
        assert long and max(after - before for before, after in pairwise([0.0, *long])) <= pacing.REST_AFTER_SECONDS + 1


def test_a_case_acted_on_between_its_reckoning_and_the_transaction_is_found_again(
    publish: Publish, cast: Cast, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:
    publish()
    stays, goes, sent = note(cast), note(cast), note(cast)
    api.act(case_id=sent.case_id, action="back", data={}, actor=cast.leader.actor)
    publish(limits=TEN)
    change, prepare, acted = approved(cast, limits="recount"), migrating.prepare, list[str]()

    def act_meanwhile(one: Any, ids: Sequence[str]) -> None:
        prepare(one, ids)
        if goes.case_id in ids and not acted:
            acted.append(goes.case_id)
            clock.advance(timedelta(minutes=1))
            api.act(case_id=goes.case_id, action="back", data={}, actor=cast.leader.actor)

    monkeypatch.setattr(migrating, "prepare", act_meanwhile)
    done = api.apply_migration(migration_id=change.migration_id, actor=cast.data_admin.actor)
    assert acted and done.moved == 3 and set(CaseRecord.objects.values_list("kind__number", flat=True)) == {2}
    for case in (stays, goes, sent):
        assert api.replay_case(case_id=case.case_id, actor=job_actor("tests")).equal
        times = list(EventRecord.objects.filter(case_id=case.case_id).order_by("seq").values_list("at", flat=True))
        assert times == sorted(times)


def test_a_change_that_another_one_overtook_is_planned_again(publish: Publish, cast: Cast, clock: FrozenClock) -> None:  # noqa: F811
    publish()
    kept, sent = note(cast), note(cast)
    api.act(case_id=sent.case_id, action="back", data={}, actor=cast.leader.actor)
    publish(limits=TEN)
    first, second = drafted(cast, choice="keep"), drafted(cast, by=cast.system_admin)
    third = drafted(cast)
    client = signed_in(cast.data_admin)
    pages = ("/changes/new/leave_note/?from=1", f"/changes/{second.migration_id}/", f"/changes/{second.migration_id}/approve/")
    for page in pages:
        told = client.get(page).content.decode()
        assert f"{cast.data_admin.actor.name}起草的变更，第 1 版 → 第 2 版，待批准" in told, page
    api.approve_migration(migration_id=first.migration_id, actor=cast.system_admin.actor)
    api.approve_migration(migration_id=second.migration_id, actor=cast.data_admin.actor)
    assert "待执行" in client.get(f"/changes/{second.migration_id}/apply/").content.decode()
    clock.advance(timedelta(minutes=1))
    assert api.apply_migration(migration_id=first.migration_id, actor=cast.data_admin.actor).moved == 1
    told = client.get(f"/changes/{second.migration_id}/").content.decode()
    assert "移动了 1 件" in told and "重新拟定" in told and "/changes/new/leave_note/?from=1" in told and "/apply/" not in told
    assert client.post(f"/changes/{second.migration_id}/apply/").status_code == 422
    with pytest.raises(MigrationRefused) as caught:
        api.apply_migration(migration_id=second.migration_id, actor=cast.data_admin.actor)
    assert "重新拟定" in caught.value.say("zh") and "plan again" in caught.value.say("en") and second.migration_id not in caught.value.say("zh")
    with pytest.raises(MigrationRefused):
        api.approve_migration(migration_id=third.migration_id, actor=cast.system_admin.actor)
    assert CaseRecord.objects.get(pk=kept.case_id).kind.number == 1
    again = approved(cast)
    assert api.apply_migration(migration_id=again.migration_id, actor=cast.data_admin.actor).moved == 1


def test_one_change_of_a_version_runs_at_a_time(publish: Publish, cast: Cast) -> None:  # noqa: F811
    publish()
    note(cast)
    publish(limits=TEN)
    first, second = approved(cast), approved(cast)

    def stop(done: int, total: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        api.apply_migration(migration_id=first.migration_id, actor=cast.data_admin.actor, progress=stop)
    with pytest.raises(MigrationRefused) as caught:
        api.apply_migration(migration_id=second.migration_id, actor=cast.data_admin.actor)
    assert "执行中" in caught.value.say("zh")
    assert api.apply_migration(migration_id=first.migration_id, actor=cast.data_admin.actor).moved == 1
