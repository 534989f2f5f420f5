"""Roll-back of a release by a case: two persons, a job, and clear words where it cannot be done any more."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cast, Member, load_national
from tests.core.cases.test_pages import signed_in
from tests.data import spine
from yunhe.core.cases import api as cases
from yunhe.core.cases.errors import ActionNotOffered
from yunhe.core.cases.types import Case
from yunhe.core.jobs import api as jobs
from yunhe.core.jobs.api import outbox
from yunhe.core.notices import api as notices
from yunhe.data.exchange import api as exchange
from yunhe.data.lake import api as lake
from yunhe.data.lake.api import releases
from yunhe.data.lake.errors import AlreadyCurrent, ReleaseMoved, RollBackUnderWay, SecondPersonNeeded, SnapshotNotKept
from yunhe.data.lake.types import Release
from yunhe.kernel.actor import job_actor
from yunhe.kernel.errors import Refused
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db(transaction=True)


class World:
    """A resource with two releases: ten rows, then twelve."""

    def __init__(self, source: Path, cast: Cast) -> None:
        self.source, self.cast = source, cast
        spine.write_csv(source, spine.rows(10))
        self.code = spine.publish(source, cast.owner.code)
        self.first = self.load(10)
        self.second = self.load(12)

    def load(self, rows: int) -> Release:
        spine.write_csv(self.source, spine.rows(rows))
        done = spine.load(self.code, self.cast.steward.actor)
        assert done.state == "successful", done.error
        return lake.current_release(code=self.code)

    def ask(self, release: Release | None = None, member: Member | None = None) -> Case:
        wanted, actor = release or self.first, (member or self.cast.steward).actor
        return lake.request_roll_back(code=self.code, release_id=wanted.release_id, reason="新版缺两行", actor=actor)

    def approve(self, case: Case, member: Member | None = None) -> Case:
        return cases.act(case_id=case.case_id, action="approve", data={}, actor=(member or self.cast.leader).actor)


@pytest.fixture
def world(db: None, tmp_path: Path, settings: Any, cast: Cast) -> World:
    settings.YUNHE = {**settings.YUNHE, "SOURCE_ROOTS": f"*={tmp_path}"}
    load_national()
    return World(tmp_path / "a.csv", cast)


def asked_by_page(world: World, cast: Cast) -> Case:
    """Ask for the roll-back as the steward by the pages; check what they show."""
    steward = signed_in(cast.steward)
    address = f"/lake/rollback/{world.first.release_id}/{world.code}/"
    assert address in steward.get(f"/lake/releases/{world.code}/").content.decode()
    assert "另一位负责人批准" in steward.get(address).content.decode()
    asked = steward.post(address, {"reason": "新版缺两行"})
    assert asked.status_code == 302 and asked["Location"].startswith("/inbox/cases/")
    page = steward.get(f"/lake/releases/{world.code}/").content.decode()
    assert "有一项在办的回退申请" in page and "待批准" in page
    assert steward.post(address, {"reason": "再来"}).status_code == 422
    inbox = signed_in(cast.leader).get("/inbox/").content.decode()
    assert "批准并回退" in inbox and "新版缺两行" in inbox
    return cases.get_case(case_id=asked["Location"].rstrip("/").rpartition("/")[2])


def run_roll_back() -> None:
    waiting = jobs.list_jobs(request=PageRequest(size=50, filters={"state": "ready"}), actor=job_actor("tests")).items
    for job in waiting:
        if job.name == "lake.roll_back":
            jobs.run_pending(limit=1, job_id=job.id)


def test_one_asks_another_approves_and_the_users_are_told(world: World, cast: Cast) -> None:
    granted = exchange.request_access(
        resource_code=world.code, fields=("uscc",), purpose="核验", legal_basis="测试", actor=cast.clerk.actor
    )
    cases.act(case_id=granted.case_id, action="grant", data={}, actor=cast.leader.actor)
    case = asked_by_page(world, cast)
    assert case.title == "示范企业：当前 #2 回退到 #1"
    with pytest.raises(ActionNotOffered):
        world.approve(case, cast.steward)
    case = world.approve(case)
    assert (case.phase, lake.current_release(code=world.code).number) == ("running", 2)
    run_roll_back()
    current = lake.current_release(code=world.code)
    assert (current.number, current.rows, current.snapshot_id) == (3, 10, world.first.snapshot_id)
    assert current.actor_name == cast.leader.actor.name
    done = cases.get_case(case_id=case.case_id)
    assert (done.outcome, done.data["new_number"]) == ("done", 3)
    assert cases.replay_case(case_id=case.case_id, actor=job_actor("tests")).equal
    outbox.deliver_pending()
    outbox.deliver_pending()
    told = [n for n in notices.list_notices(request=PageRequest(), actor=cast.clerk.actor).items if n.kind == "exchange.rolled_back"]
    assert len(told) == 1 and "#3" in told[0].text["zh"]
    run_roll_back()
    assert lake.current_release(code=world.code).number == 3


def test_what_cannot_be_done_is_told_with_the_reason(world: World, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    for member in (cast.steward, cast.data_admin):
        with pytest.raises(SecondPersonNeeded):
            lake.roll_back(code=world.code, release_id=world.first.release_id, reason="测试", actor=member.actor)
    with pytest.raises(Refused):
        world.ask(member=cast.leader)
    with pytest.raises(AlreadyCurrent):
        world.ask(world.second)
    case = world.ask(member=cast.data_admin)
    with pytest.raises(RollBackUnderWay, match=case.number):
        world.ask()
    with pytest.raises(ActionNotOffered):
        world.approve(case, cast.data_admin)
    case = world.approve(case)
    world.load(13)  # between the approval and the job: it ends with the reason
    run_roll_back()
    done = cases.get_case(case_id=case.case_id)
    assert (done.outcome, lake.current_release(code=world.code).rows) == ("failed", 13)
    told = cases.access_case(case_id=case.case_id, actor=cast.steward.actor).events[-1].facts[0].value
    assert "#2" in told and "#3" in told

    case = world.ask()
    world.load(14)  # between the request and the approval: whoever approves is told
    with pytest.raises(ReleaseMoved, match="#4"):
        world.approve(case)
    cases.act(case_id=case.case_id, action="refuse", data={"reason": "已有新版"}, actor=cast.leader.actor)

    case = world.ask()
    monkeypatch.setattr(releases, "KEPT_RELEASES", 1)
    lake.sweep_resource(code=world.code)
    with pytest.raises(SnapshotNotKept, match="#1"):
        world.approve(case)
    assert cases.get_case(case_id=case.case_id).phase == "approval"
    assert cases.act(case_id=case.case_id, action="refuse", data={"reason": "已清理"}, actor=cast.leader.actor).outcome == "refused"
    with pytest.raises(SnapshotNotKept):
        world.ask()
