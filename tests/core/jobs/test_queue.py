"""Asking for jobs, running, retrying, cancelling, and what the fence guards."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from logging.config import DictConfigurator
from typing import Any

import pytest
from django.conf import settings
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Cast
from yunhe.core.jobs import api
from yunhe.core.jobs.api import queue as rows
from yunhe.core.jobs.api.context import RunningJob
from yunhe.core.jobs.errors import (
    BadJob,
    JobAlreadyOpen,
    JobCancelled,
    JobNotFound,
    JobNotInState,
    JobOutOfTime,
    LeaseLost,
    OutsideTransaction,
    SlotTaken,
    UnknownJob,
)
from yunhe.core.jobs.models import Job
from yunhe.core.jobs.rules import actor_from_json, actor_to_json, error_facts, pause_after, plain_arguments
from yunhe.core.jobs.types import QUEUES
from yunhe.kernel.actor import Actor, Door, Right, job_actor
from yunhe.kernel.clock import frozen, now
from yunhe.kernel.errors import Invalid, Refused, Transient
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
TITLE = {"zh": "试验", "en": "Trial"}
ASKER = job_actor("tests")


def register(run: Callable[..., Any], name: str = "trial", **more: Any) -> None:
    api.register_job(name=name, run=run, title=TITLE, permission="jobs.manage", **more)


def claim(job_id: str = "") -> RunningJob:
    row = rows.claim_job(queues=QUEUES, holder="test", prefer=job_id)
    assert row is not None
    return RunningJob(row, api.find_job_type(name=row.name))


def test_a_job_runs_with_its_arguments_and_keeps_its_counts() -> None:
    seen = []
    register(lambda context, **given: seen.append((context.actor.id, given)) or {"seen": 3, "failed": 0})
    job_id = api.enqueue(name="trial", arguments={"code": "甲", "n": 3}, actor=ASKER)
    assert dict(api.run_pending())["successful"] == 1
    job = api.get_job(job_id=job_id)
    assert seen == [("job:tests", {"code": "甲", "n": 3})]
    assert (job.state, job.result, job.attempts, job.title) == ("successful", {"seen": 3, "failed": 0}, 1, TITLE)


@pytest.mark.parametrize("form", ["json", "text"])
def test_the_workers_log_of_a_broken_job_holds_no_row(caplog: pytest.LogCaptureFixture, form: str) -> None:
    def break_down(context: Any) -> None:
        raise IntegrityError("DETAIL:  Key (id)=(11010519491231002X) already exists.")

    register(break_down)
    api.enqueue(name="trial", arguments={}, actor=ASKER)
    assert dict(api.run_pending())["failed"] == 1
    formatter = DictConfigurator({"version": 1}).configure_formatter(dict(settings.LOGGING["formatters"][form]))
    text = "\n".join(formatter.format(record) for record in caplog.records)
    assert "IntegrityError" in text and "break_down" in text
    assert "11010519491231002X" not in text


def test_a_job_falls_with_the_transaction_that_asked_for_it() -> None:
    register(lambda context: None)
    with pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012
        api.enqueue(name="trial", arguments={}, actor=ASKER)
        raise ZeroDivisionError
    assert not Job.objects.exists()


def test_unknown_jobs_and_missing_rights_are_refused(cast: Cast) -> None:
    register(lambda context: None)
    with pytest.raises(UnknownJob, match="trial"):
        api.enqueue(name="none", arguments={}, actor=ASKER)
    with pytest.raises(Refused):
        api.enqueue(name="trial", arguments={}, actor=cast.clerk.actor)


def test_a_key_is_unique_while_open_and_free_afterwards() -> None:
    register(lambda context: None)
    first = api.enqueue(name="trial", arguments={}, actor=ASKER, key="K")
    with pytest.raises(JobAlreadyOpen) as caught, transaction.atomic():
        api.enqueue(name="trial", arguments={}, actor=ASKER, key="K")
    assert caught.value.facts["job_id"] == first
    assert api.count_open(name="trial", key="K") == 1
    api.run_pending()
    assert api.enqueue(name="trial", arguments={}, actor=ASKER, key="K") != first


def test_a_transient_failure_is_tried_again_later_and_at_last_fails() -> None:
    def fail(context: RunningJob) -> None:
        raise Transient

    register(fail, attempts=3)
    job_id = api.enqueue(name="trial", arguments={}, actor=ASKER)
    with frozen(now()) as clock:
        for pause in (2, 4):
            assert dict(api.run_pending())["retried"] == 1
            assert dict(api.run_pending())["seen"] == 0
            assert api.get_job(job_id=job_id).run_after == now() + timedelta(seconds=pause)
            clock.advance(timedelta(seconds=pause))
        assert dict(api.run_pending())["failed"] == 1
    assert (api.get_job(job_id=job_id).state, api.get_job(job_id=job_id).error_code) == ("failed", "unavailable")


@pytest.mark.parametrize(
    ("error", "code"), [(Invalid(where="第3行", expected="甲", found="乙"), "invalid"), (KeyError("13800000000"), "broken")]
)
def test_a_terminal_or_foreign_failure_is_not_tried_again(error: Exception, code: str) -> None:
    def fail(context: RunningJob) -> None:
        raise error

    register(fail)
    job_id = api.enqueue(name="trial", arguments={}, actor=ASKER)
    api.run_pending()
    job = api.get_job(job_id=job_id)
    assert (job.state, job.error_code, job.error["kind"], job.attempts) == ("failed", code, code, 1)
    assert "13800000000" not in str(job)
    with pytest.raises(JobNotInState):
        api.cancel_job(job_id=job_id, actor=ASKER)
    assert api.retry_job(job_id=job_id, actor=ASKER).attempts == 0


def test_a_waiting_job_is_cancelled_at_once_and_a_running_one_at_its_next_check() -> None:
    register(lambda context: context.check())
    waiting = api.enqueue(name="trial", arguments={}, actor=ASKER)
    assert api.cancel_job(job_id=waiting, actor=ASKER).state == "cancelled"
    running = api.enqueue(name="trial", arguments={}, actor=ASKER)
    context = claim(running)
    assert api.cancel_job(job_id=running, actor=ASKER).state == "running"
    with pytest.raises(JobCancelled):
        context.check()


def test_a_running_job_that_sees_the_cancellation_ends_cancelled() -> None:
    def run(context: RunningJob) -> None:
        api.cancel_job(job_id=context.job_id, actor=ASKER)
        context.check()

    register(run)
    job_id = api.enqueue(name="trial", arguments={}, actor=ASKER)
    assert dict(api.run_pending())["cancelled"] == 1
    assert api.get_job(job_id=job_id).state == "cancelled"
    with pytest.raises(JobNotInState):
        api.cancel_job(job_id=job_id, actor=ASKER)


def test_others_jobs_are_not_seen_nor_cancelled(cast: Cast) -> None:
    api.register_job(name="trial", run=lambda context: None, title=TITLE, permission="lake.load")
    job_id = api.enqueue(name="trial", arguments={}, actor=cast.steward.actor)
    with pytest.raises(JobNotFound):
        api.access_job(job_id=job_id, actor=cast.clerk.actor)
    with pytest.raises(JobNotFound):
        api.cancel_job(job_id=job_id, actor=cast.officer.actor)
    assert api.list_jobs(request=PageRequest(), actor=cast.clerk.actor).total == 0
    assert api.list_jobs(request=PageRequest(filters={"state": "ready"}), actor=cast.steward.actor).total == 1
    with pytest.raises(Refused):
        api.cancel_job(job_id=job_id, actor=cast.audit_admin.actor)
    assert api.cancel_job(job_id=job_id, actor=cast.data_admin.actor).state == "cancelled"


def test_the_job_acts_with_the_rights_of_its_asker(cast: Cast) -> None:
    acting: list[Actor] = []
    api.register_job(name="trial", run=lambda context: acting.append(context.actor), title=TITLE, permission="lake.load")
    api.enqueue(name="trial", arguments={}, actor=cast.steward.actor)
    api.run_pending()
    assert acting == [cast.steward.actor]


def test_every_claim_raises_the_fence_and_the_old_claim_writes_nothing_more() -> None:
    register(lambda context: None)
    job_id = api.enqueue(name="trial", arguments={}, actor=ASKER)
    with frozen(now()) as clock:
        old = claim()
        clock.advance(rows.lease())
        assert api.reap() == 1
        clock.advance(timedelta(seconds=2))
        new = claim()
        assert (old.fence, new.fence) == (1, 2)
        old.renew()
        with pytest.raises(LeaseLost):
            old.check()
        with pytest.raises(LeaseLost), old.fenced():
            pytest.fail("the old claim came in")
        with pytest.raises(LeaseLost), transaction.atomic():
            old.conclude()
        assert not rows.settle_successful(old._row, fence=old.fence, result=None)
        assert not rows.settle_failed(old._row, fence=old.fence, error=Transient(), again=True)
        assert not rows.release(old._row, fence=old.fence)
        old.progress(5, 5)
        assert api.get_job(job_id=job_id).progress_done == 0
        with new.fenced():
            new.conclude({"n": 1})
    assert api.get_job(job_id=job_id).state == "successful"


def test_a_renewed_lease_is_not_reaped() -> None:
    register(lambda context: None)
    api.enqueue(name="trial", arguments={}, actor=ASKER)
    with frozen(now()) as clock:
        context = claim()
        for _ in range(5):
            clock.advance(rows.lease() / 3)
            context.renew()
            assert api.reap() == 0
        clock.advance(rows.lease() - timedelta(microseconds=1))
        assert api.reap() == 0
        clock.advance(timedelta(microseconds=1))
        assert api.reap() == 1


def test_a_job_whose_worker_dies_each_time_fails_at_last() -> None:
    register(lambda context: None, attempts=3)
    job_id = api.enqueue(name="trial", arguments={}, actor=ASKER)
    with frozen(now()) as clock:
        for _ in range(3):
            claim()
            clock.advance(rows.lease())
            assert api.reap() == 1
            clock.advance(timedelta(hours=1))
    job = api.get_job(job_id=job_id)
    assert (job.state, job.error_code, job.attempts) == ("failed", "job_interrupted", 3)


def test_conclude_belongs_into_the_effects_transaction() -> None:
    register(lambda context: None)
    api.enqueue(name="trial", arguments={}, actor=ASKER)
    context = claim()
    if not connection.in_atomic_block:
        with pytest.raises(OutsideTransaction):
            context.conclude()
    with pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012
        context.conclude()
        raise ZeroDivisionError
    assert api.get_job(job_id=context.job_id).state == "running"


def test_a_concluded_job_stays_successful_even_if_its_tidying_up_fails() -> None:
    def run(context: RunningJob) -> None:
        with transaction.atomic():
            context.conclude({"n": 1})
        raise KeyError

    register(run)
    job_id = api.enqueue(name="trial", arguments={}, actor=ASKER)
    api.run_pending()
    assert (api.get_job(job_id=job_id).state, api.get_job(job_id=job_id).result) == ("successful", {"n": 1})


def test_past_its_limit_a_job_is_told_and_its_lease_no_longer_renewed(monkeypatch: pytest.MonkeyPatch) -> None:
    register(lambda context: None, limit_seconds=1)
    api.enqueue(name="trial", arguments={}, actor=ASKER)
    context = claim()
    until = Job.objects.get().lease_until
    monkeypatch.setattr(context, "_ends_at", 0.0)
    context.renew()
    assert Job.objects.get().lease_until == until
    with pytest.raises(JobOutOfTime):
        context.check()


def test_progress_is_kept_and_shared() -> None:
    def run(context: RunningJob) -> None:
        context.progress(1, 4, "读取")
        context.progress(2, 4)
        context.progress(4, 4, "完成")

    register(run)
    job_id = api.enqueue(name="trial", arguments={}, actor=ASKER)
    api.run_pending()
    job = api.get_job(job_id=job_id)
    assert (job.progress_done, job.progress_total, job.progress_note, job.share) == (4, 4, "完成", 1.0)


def test_urgent_jobs_first_then_the_oldest() -> None:
    order: list[int] = []
    register(lambda context, n: order.append(n))
    for n, priority in enumerate((0, 5, 0, 5)):
        api.enqueue(name="trial", arguments={"n": n}, actor=ASKER, priority=priority)
    api.enqueue(name="trial", arguments={"n": 9}, actor=ASKER, run_after=now() + timedelta(minutes=1))
    api.run_pending()
    assert order == [1, 3, 0, 2]


def test_a_schedule_keeps_one_row_and_is_armed_again() -> None:
    ran: list[int] = []
    register(lambda context: ran.append(context.fence), every_seconds=60)
    with frozen(now()) as clock:
        rows.arm_schedules()
        rows.arm_schedules()
        for _ in range(3):
            assert dict(api.run_pending())["successful"] == 1
            assert dict(api.run_pending())["seen"] == 0
            clock.advance(timedelta(seconds=60))
    assert ran == [1, 2, 3]
    job = Job.objects.get()
    assert (job.state, job.runs, job.every_seconds) == ("ready", 3, 60)


def test_a_failing_schedule_goes_on_and_shows_its_last_error() -> None:
    def fail(context: RunningJob) -> None:
        raise KeyError

    register(fail, every_seconds=60)
    rows.arm_schedules()
    api.run_pending()
    job = Job.objects.get()
    assert (job.state, job.error_code, job.attempts) == ("ready", "broken", 0)


def test_a_schedule_that_is_no_longer_registered_as_one_is_disarmed() -> None:
    run: Callable[..., None] = lambda context: None  # noqa: E731
    register(run, every_seconds=60)
    rows.arm_schedules()
    register(run)
    rows.arm_schedules()
    assert Job.objects.get().state == "cancelled"


def test_slots_are_filled_once() -> None:
    register(lambda context: None)
    with pytest.raises(SlotTaken):
        register(lambda context: None)
    with pytest.raises(BadJob):
        register(lambda context: None, name="other", queue="nowhere")


@pytest.mark.parametrize(
    "arguments", [{"x": object()}, {"x": float("nan")}, {"x": "\ud800"}, {"x": "a\x00"}, {"x": "y" * 70_000}]
)
def test_arguments_must_fit_into_json(arguments: dict[str, Any]) -> None:
    register(lambda context, **given: None)
    with pytest.raises(BadJob):
        api.enqueue(name="trial", arguments=arguments, actor=ASKER)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text("abc", min_size=1), JSON, max_size=4))
def test_arguments_come_back_as_they_went_in(arguments: dict[str, Any]) -> None:
    assert plain_arguments(arguments, where="trial") == arguments


@given(st.lists(st.builds(Right, st.text("ab.", min_size=1), *[st.frozensets(st.text("x*", max_size=2), max_size=3)] * 3), max_size=4))
def test_an_actor_comes_back_as_it_went_in(rights: list[Right]) -> None:
    actor = Actor("user", "user:1", "某", "甲", "乙", "丙", tuple(rights), Door("cli", "li"))
    back = actor_from_json(actor_to_json(actor))
    assert (back, back.door) == (actor, actor.door)


@given(st.integers(0, 10_000))
def test_pauses_double_and_end_at_half_an_hour(attempts: int) -> None:
    assert pause_after(attempts).total_seconds() == min(2 * 2 ** max(attempts - 1, 0), 1800)


def test_the_text_of_a_foreign_error_is_not_kept() -> None:
    assert "320902199001011234" not in str(error_facts(ValueError("320902199001011234")))
