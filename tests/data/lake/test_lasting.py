"""What outlives a load: dead loads are closed, the sweep and a release never meet badly, roll-back, serving."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cast, load_national
from tests.data import spine
from yunhe.core.jobs import api as jobs
from yunhe.core.jobs.models import Job
from yunhe.core.jobs.types import JobInfo
from yunhe.data.catalog import api as catalog
from yunhe.data.lake import api as lake
from yunhe.data.lake.api import loads, performing, places, serving, sweeping
from yunhe.data.lake.errors import SetAsideSwept, SnapshotNotKept
from yunhe.data.lake.models import LoadRecord, ReleaseRecord
from yunhe.data.lake.views import _release_columns
from yunhe.data.quality.models import CheckRun
from yunhe.kernel.actor import job_actor
from yunhe.kernel.clock import now
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db(transaction=True)
BAD = ["", "无码", "2020-01-01", "329901", 1]
WRONG = ["91329900000000000X", "错码", "2020-01-01", "329901", 1]


@pytest.fixture(autouse=True)
def _national(db: None, tmp_path: Path, settings: Any) -> None:
    settings.YUNHE = {**settings.YUNHE, "SOURCE_ROOTS": f"*={tmp_path}"}
    load_national()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return spine.write_csv(tmp_path / "a.csv", [*spine.rows(9), WRONG, BAD])


@pytest.fixture
def code(cast: Cast, source: Path) -> str:
    """A resource, loaded once and served."""
    code = spine.publish(source, cast.owner.code)
    assert spine.load(code, cast.steward.actor).state == "successful"
    jobs.run_pending(limit=20)
    return code


def reload(code: str, cast: Cast, source: Path, count: int) -> JobInfo:
    spine.write_csv(source, [*spine.rows(count), WRONG, BAD])
    return spine.load(code, cast.steward.actor)


def begun(code: str, cast: Cast) -> tuple[str, str]:
    """Begin a load whose worker is then gone; return the job and the load."""
    from yunhe.core.jobs.api.context import RunningJob
    from yunhe.core.jobs.api.queue import claim_job
    from yunhe.core.jobs.api.registry import find_job_type

    job_id = lake.start_load(code=code, actor=cast.steward.actor)
    row = claim_job(queues=("default",), holder="gone", prefer=job_id)
    assert row is not None
    load = performing._begin(RunningJob(row, find_job_type(name="lake.load")), catalog.get_resource(code=code))
    return job_id, load.id


@pytest.mark.parametrize(("change", "state"), [({"attempts": 4}, "failed"), ({"cancel_requested": True}, "cancelled")])
def test_a_load_whose_worker_died_for_good_blocks_nothing(
    code: str, cast: Cast, change: dict[str, Any], state: str
) -> None:
    from yunhe.core.jobs.api.queue import reap

    job_id, load_id = begun(code, cast)
    Job.objects.filter(pk=job_id).update(lease_until=now() - timedelta(seconds=1), **change)
    reap()
    assert jobs.get_job(job_id=job_id).state == state
    assert spine.load(code, cast.steward.actor).state == "successful"
    closed = LoadRecord.objects.get(pk=load_id)
    assert (closed.state, closed.problem["code"]) == (state, "died")
    assert closed.ended_at is not None


def test_the_sweep_closes_dead_loads_and_leaves_living_ones(code: str, cast: Cast) -> None:
    job_id, load_id = begun(code, cast)
    lake.sweep_resource(code=code)
    assert LoadRecord.objects.get(pk=load_id).state == "running"
    Job.objects.filter(pk=job_id).update(state="failed")
    lake.sweep_resource(code=code)
    assert LoadRecord.objects.get(pk=load_id).state == "failed"


def test_a_load_of_an_older_claim_is_closed(code: str, cast: Cast) -> None:
    job_id, load_id = begun(code, cast)
    assert loads.close_dead_loads(code=code) == 0
    Job.objects.filter(pk=job_id).update(fence=7)
    assert loads.close_dead_loads(code=code) == 1
    assert LoadRecord.objects.get(pk=load_id).state == "failed"


def test_counts_of_a_refused_load_do_not_bring_a_closed_one_back(
    code: str, cast: Cast, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The gate counts outside the fence: it must not write over what closed the load meanwhile."""
    judge = performing._judge

    def closed_meanwhile(work: Any, snapshot: int, result: Any) -> Any:
        judged = judge(work, snapshot, result)
        LoadRecord.objects.filter(pk=work.load.id).update(state="cancelled", ended_at=now())
        return judged

    monkeypatch.setattr(performing, "_judge", closed_meanwhile)
    other = spine.publish(source, cast.owner.code, title="另一", minimum=50)
    assert spine.load(other, cast.steward.actor).error_code == "below_minimum"
    record = LoadRecord.objects.get(resource_code=other)
    assert (record.state, record.kept) == ("cancelled", None)


def test_a_sweep_beside_a_load_leaves_its_snapshot(
    code: str, cast: Cast, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The load commits after the sweep looked for running loads: the worst moment for what is decided too early."""
    release = performing._release

    def swept_before(*arguments: Any) -> Any:
        lake.sweep_resource(code=code)
        return release(*arguments)

    monkeypatch.setattr(performing, "_release", swept_before)
    assert reload(code, cast, source, 5).state == "successful"
    current = lake.current_release(code=code)
    assert current.rows == 6
    assert lake.release_files(release=current)
    assert CheckRun.objects.filter(resource_code=code, snapshot_id=current.snapshot_id).exists()


def test_what_to_keep_is_decided_under_the_lock(
    code: str, cast: Cast, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A load that starts, ends and releases just before the lock is taken is seen."""
    the_lake = places.the_lake
    late: list[bool] = []

    def load_first() -> Any:
        if not late:
            late.append(True)
            assert reload(code, cast, source, 4).state == "successful"
        return the_lake()

    monkeypatch.setattr(sweeping.places, "the_lake", load_first)
    lake.sweep_resource(code=code)
    assert lake.release_files(release=lake.current_release(code=code))


def test_a_snapshot_that_is_gone_is_not_released(
    code: str, cast: Cast, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = lake.current_release(code=code)
    gate = performing._gate

    def then_lost(work: Any, *rest: Any) -> None:
        gate(work, *rest)
        with places.the_lake() as held:
            held.sweep(code, {before.snapshot_id})

    monkeypatch.setattr(performing, "_gate", then_lost)
    done = reload(code, cast, source, 5)
    assert done.error_code == "snapshot_swept"
    assert lake.current_release(code=code) == before


def test_rolling_back_to_what_was_swept_is_refused_with_what_is_kept(code: str, cast: Cast, source: Path) -> None:
    first = lake.current_release(code=code)
    for count in range(2, 8):
        reload(code, cast, source, count)
    lake.sweep_resource(code=code)
    current = lake.current_release(code=code)
    with pytest.raises(SnapshotNotKept, match="#3, #4, #5, #6, #7"):
        lake.roll_back(code=code, release_id=first.release_id, reason="演示", actor=job_actor("tests"))
    assert lake.current_release(code=code) == current
    page = lake.list_releases(code=code, actor=cast.steward.actor, request=PageRequest(size=50))
    assert [r.number for r in page.items if r.kept] == [7, 6, 5, 4, 3]
    offered = [str(_release_columns(code, may=True)[-1].value(release)) for release in page.items]
    assert ["rollback" in one for one in offered] == [False, True, True, True, True, False, False]
    for release in page.items:
        if release.kept:
            assert lake.release_files(release=release)
    lake.roll_back(code=code, release_id=page.items[4].release_id, reason="演示", actor=job_actor("tests"))
    assert lake.current_release(code=code).snapshot_id == page.items[4].snapshot_id


def test_the_ledger_follows_a_roll_back(code: str, cast: Cast, source: Path) -> None:
    first, noted = lake.current_release(code=code), catalog.get_resource(code=code)
    reload(code, cast, source, 3)
    assert catalog.get_resource(code=code).rows == 4
    again = lake.roll_back(code=code, release_id=first.release_id, reason="演示", actor=job_actor("tests"))
    ledger = catalog.get_resource(code=code)
    assert (ledger.release_id, ledger.rows) == (again.release_id, first.rows)
    assert noted.share is not None
    assert (ledger.share, ledger.failing_rows) == (noted.share, noted.failing_rows)


def test_the_gateway_answers_from_the_release_before_until_the_next_is_served(
    code: str, cast: Cast, source: Path
) -> None:
    first = lake.current_release(code=code)
    reload(code, cast, source, 3)
    between = lake.serving_releases(codes=(code,))[code]
    assert (between.release_id, between.snapshot_id, between.current) == (first.release_id, first.snapshot_id, False)
    assert between.columns
    assert between.keys == ("uscc",)
    _age(between.serving_path)
    lake.sweep_resource(code=code)
    assert Path(between.serving_path).is_file()
    assert lake.serving_releases(codes=(code,))[code] == between
    jobs.run_pending(limit=20)
    served = lake.serving_releases(codes=(code,))[code]
    assert served.release_id == lake.current_release(code=code).release_id
    lake.sweep_resource(code=code)
    assert Path(between.serving_path).is_file()  # the gateway has a moment to move over
    _age(served.serving_path)
    lake.sweep_resource(code=code)
    assert not Path(between.serving_path).is_file()
    assert lake.serving_releases(codes=(code, "no/such")) == {code: served}


def _age(file: str) -> None:
    at = now().timestamp() - 2 * sweeping.SETTLING_SECONDS
    os.utime(file, (at, at))


def test_a_serving_job_that_gives_up_is_told_and_asked_for_again(
    code: str, cast: Cast, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise OSError("no such device")

    with monkeypatch.context() as patch:
        patch.setattr(serving, "_build", broken)
        reload(code, cast, source, 3)
        jobs.run_pending(limit=20)
        assert lake.current_release(code=code).serving_state == "failed"
    jobs.run_pending(limit=20)
    assert lake.current_release(code=code).serving_state == "failed"
    lake.sweep_resource(code=code)
    lake.sweep_resource(code=code)
    assert jobs.count_open(name="lake.serving") == 1
    jobs.run_pending(limit=20)
    assert lake.current_release(code=code).serving_state == "ready"


def test_a_serving_file_that_vanished_comes_back(code: str) -> None:
    Path(lake.current_release(code=code).serving_path).unlink()
    lake.sweep_resource(code=code)
    jobs.run_pending(limit=20)
    assert Path(lake.current_release(code=code).serving_path).is_file()


def test_serving_files_are_built_in_a_lane_of_their_own(code: str, cast: Cast, source: Path) -> None:
    reload(code, cast, source, 3)
    page = jobs.list_jobs(request=PageRequest(filters={"name": "lake.serving"}), actor=job_actor("tests"))
    assert {job.queue for job in page.items} == {"serving"}


def test_personal_data_of_old_loads_goes(code: str, cast: Cast, source: Path) -> None:
    first = LoadRecord.objects.get(resource_code=code)
    folders = (places.loads_folder(first.id), places.findings_folder(first.id))
    assert (folders[1] / "keys.parquet").is_file()
    for count in range(2, 8):
        reload(code, cast, source, count)
    assert lake.sweep_resource(code=code) > 0
    assert not any(folder.exists() for folder in folders)
    kept = set(ReleaseRecord.objects.order_by("-number").values_list("load_id", flat=True)[:5])
    for root in ("loads", "findings"):
        left = {folder.name for folder in (places.home() / root).iterdir()}
        ours = left & set(LoadRecord.objects.filter(resource_code=code).values_list("id", flat=True))
        assert ours == kept
    with pytest.raises(SetAsideSwept):
        lake.set_aside(code=code, source="quarantine", load_id=first.id)
    newest = lake.set_aside(code=code, source="quarantine")
    assert newest.records
    assert Path(newest.file).is_file()
    assert lake.get_load(load_id=first.id, actor=cast.steward.actor).aside_kept is False
    assert lake.sweep_resource(code=code) == 0


def test_a_resource_that_never_released_is_swept_too(cast: Cast, source: Path) -> None:
    code = spine.publish(source, cast.owner.code, title="门槛过高", minimum=500)
    for _ in range(7):
        assert spine.load(code, cast.steward.actor).error_code == "below_minimum"
    assert code in lake.swept_resources()
    lake.sweep_resource(code=code)
    ids = LoadRecord.objects.filter(resource_code=code).order_by("-started_at").values_list("id", flat=True)
    assert [places.loads_folder(one).exists() for one in ids] == [True] * 5 + [False] * 2
    assert not any(places.findings_folder(one).exists() for one in ids)
    with places.the_lake() as held:
        assert [snapshot.summary.get("yunhe.load") for snapshot in held.snapshots(code)] == [None]
    assert lake.sweep_resource(code=code) == 0
