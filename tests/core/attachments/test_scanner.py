"""The virus check: after the upload, in a job; a scanner that is away leaves the file waiting."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import pytest
from django.db import transaction

from tests.conftest import Cast
from tests.core.attachments import samples
from tests.core.attachments.clamd_server import EICAR, running_clamd
from tests.core.attachments.conftest import Store
from yunhe.core.attachments import api, errors
from yunhe.core.attachments.api import places
from yunhe.core.attachments.api.clamd import scanner_at
from yunhe.core.attachments.models import AttachmentRow
from yunhe.core.evidence.models import EvidenceRow
from yunhe.core.jobs import api as jobs
from yunhe.core.jobs.models import Job
from yunhe.kernel.actor import Actor, job_actor

pytestmark = pytest.mark.django_db
JOB = "attachments.check"


@pytest.fixture
def clamd(settings: Any) -> Callable[[str], None]:
    """Return a function that sets the setting CLAMD."""

    def point_to(address: str) -> None:
        settings.YUNHE = {**settings.YUNHE, "CLAMD": address}

    return point_to


def state(attachment_id: str) -> str:
    return AttachmentRow.objects.get(pk=attachment_id).state


@pytest.mark.parametrize("way", ["tcp", "unix"])
def test_a_clean_file_waits_for_its_check_and_is_then_ready(
    store: Store, cast: Cast, clamd: Callable[[str], None], tmp_path: Path, way: str
) -> None:
    content = samples.pdf(b"x" * 200_000)
    with running_clamd(tmp_path / "clamd" if way == "unix" else None) as server:
        clamd(server.address)
        one = store("a.pdf", content)
        assert one.state == "checking" and not server.asked
        with pytest.raises(errors.AttachmentNotReady, match="waiting for the virus check"):
            api.open_bytes(attachment_id=one.id, actor=cast.clerk.actor)
        assert jobs.run_pending().successful == 1
        assert server.seen == [content]
    done = api.access_draft(attachment_id=one.id, actor=cast.clerk.actor)
    assert done.state == "ready" and done.scanned_at is not None


def test_an_infected_file_loses_its_bytes_and_keeps_its_row(
    store: Store, cast: Cast, clamd: Callable[[str], None], django_capture_on_commit_callbacks: Any
) -> None:
    with running_clamd() as server, django_capture_on_commit_callbacks(execute=True):
        clamd(server.address)
        one = store("a.pdf", samples.pdf(EICAR))
        with transaction.atomic():
            api.attach(ids=[one.id], subject_type="note", subject_id="1", actor=cast.clerk.actor)
        jobs.run_pending()
    row = AttachmentRow.objects.get()
    assert (row.state, row.finding, row.subject_id) == ("infected", "Eicar-Test-Signature", "1")
    assert not list(places.stored_files())
    (proof,) = EvidenceRow.objects.filter(kind="attachments.infected")
    assert proof.actor_id == "job:attachments.check" and "Eicar" in proof.facts_text


def test_what_was_infected_cannot_be_deleted_from_the_record(
    store: Store, cast: Cast, clamd: Callable[[str], None]
) -> None:
    with running_clamd() as server:
        clamd(server.address)
        one = store("a.pdf", samples.pdf(EICAR))
        jobs.run_pending()
    with pytest.raises(errors.UploadEnded, match="infected"):
        api.delete_draft(attachment_id=one.id, actor=cast.clerk.actor)
    with pytest.raises(errors.NotAttachable), transaction.atomic():
        api.attach(ids=[one.id], subject_type="note", subject_id="1", actor=cast.clerk.actor)


def test_a_scanner_that_is_away_is_tried_again(store: Store, clamd: Callable[[str], None]) -> None:
    with running_clamd() as server:
        address = server.address
    clamd(address)
    one = store("a.pdf", samples.pdf())
    assert jobs.run_pending().retried == 1
    (job,) = Job.objects.filter(name=JOB)
    assert (job.state, job.error_code, state(one.id)) == ("ready", "scanner_away", "checking")
    with running_clamd() as server:
        clamd(server.address)
        Job.objects.filter(name=JOB).update(run_after=job.enqueued_at)
        assert jobs.run_pending().successful == 1
    assert state(one.id) == "ready"


def test_the_sweep_asks_again_when_all_tries_are_used_up(
    store: Store, clamd: Callable[[str], None], founder: Actor
) -> None:
    clamd("127.0.0.1:1")
    one = store("a.pdf", samples.pdf())
    assert api.sweep(actor=founder, check=lambda: None).checks == 0
    Job.objects.filter(name=JOB).update(state="failed")
    assert api.sweep(actor=founder, check=lambda: None).checks == 1
    assert jobs.count_open(name=JOB, key=one.id) == 1


def test_a_scanner_without_a_word_counts_as_away() -> None:
    with running_clamd(silent=True) as server, pytest.raises(errors.ScannerAway, match="no answer"):
        scanner_at(server.address)(io.BytesIO(b"x"))


def test_a_stream_above_clamds_limit_is_no_verdict() -> None:
    with running_clamd() as server, pytest.raises((errors.ScannerConfused, errors.ScannerAway)):
        scanner_at(server.address)(io.BytesIO(bytes(8 << 20)))


def test_a_check_of_what_is_gone_or_done_changes_nothing(store: Store, clamd: Callable[[str], None]) -> None:
    actor = job_actor(JOB)
    one = store("a.pdf", samples.pdf())
    assert api.check_attachment(attachment_id=one.id, actor=actor) is None
    assert api.check_attachment(attachment_id="0" * 26, actor=actor) is None
    assert state(one.id) == "ready"


def test_without_a_scanner_what_waits_becomes_ready_unscanned(store: Store, clamd: Callable[[str], None]) -> None:
    clamd("127.0.0.1:1")
    one = store("a.pdf", samples.pdf())
    clamd("")
    assert jobs.run_pending().successful == 1
    assert (state(one.id), AttachmentRow.objects.get().scanned_at) == ("ready", None)


def test_a_registered_scanner_stands_before_clamd(store: Store, clamd: Callable[[str], None]) -> None:
    def scan(file: BinaryIO) -> str:
        return "Own.Finding" if b"endobj" in file.read() else ""

    api.register_scanner(scan)
    with pytest.raises(errors.AttachmentSlotTaken):
        api.register_scanner(scan)
    clamd("127.0.0.1:1")
    one = store("a.pdf", samples.pdf())
    jobs.run_pending()
    assert (state(one.id), AttachmentRow.objects.get().finding) == ("infected", "Own.Finding")
