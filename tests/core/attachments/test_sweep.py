"""The sweep: what nobody finished, what nobody handed in, what no row names."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from tests.conftest import Cast
from tests.core.attachments import samples
from tests.core.attachments.conftest import Store
from yunhe.core.attachments import api, errors
from yunhe.core.attachments.api import places
from yunhe.core.attachments.models import AttachmentRow
from yunhe.core.attachments.types import Swept
from yunhe.core.evidence.models import EvidenceRow
from yunhe.core.jobs import api as jobs
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import frozen
from yunhe.kernel.ids import new_id

pytestmark = pytest.mark.django_db
START = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)


def test_the_hours_and_days(
    cast: Cast, store: Store, founder: Actor, django_capture_on_commit_callbacks: Any
) -> None:
    def swept() -> tuple[Swept, set[str]]:
        with django_capture_on_commit_callbacks(execute=True):
            done = api.sweep(actor=founder, check=lambda: None)
        return done, set(AttachmentRow.objects.values_list("name", flat=True))

    with frozen(START) as clock:
        api.begin_upload(name="half.pdf", size=100, actor=cast.clerk.actor)
        store("draft.pdf", samples.pdf())
        kept = store("attached.pdf", samples.pdf())
        with pytest.raises(errors.NameDisagrees):
            store("refused.png", samples.pdf())
        with transaction.atomic():
            api.attach(ids=[kept.id], subject_type="note", subject_id="1", actor=cast.clerk.actor)
        infected = store("infected.pdf", samples.pdf())
        AttachmentRow.objects.filter(pk=infected.id).update(state="infected")
        clock.advance(timedelta(hours=24))
        last_moment_of_the_day, names = swept()
        assert last_moment_of_the_day.unfinished == 0 and "half.pdf" in names
        clock.advance(timedelta(seconds=1))
        after_the_day, names = swept()
        assert after_the_day.unfinished == 1 and names == {"draft.pdf", "attached.pdf", "refused.png", "infected.pdf"}
        clock.move_to(START + timedelta(days=30))
        assert swept()[0].drafts == 0
        clock.advance(timedelta(seconds=1))
        after_the_month, names = swept()
        assert after_the_month.drafts == 2 and names == {"attached.pdf", "infected.pdf"}
    assert [path.name for path in places.stored_files()] == [kept.id]
    assert EvidenceRow.objects.filter(kind="attachments.deleted", facts_text__contains="sweep").count() == 3
    assert swept()[0] == Swept(0, 0, 0, 0)


def test_bytes_that_no_row_names_go_once_they_are_settled(store: Store, founder: Actor) -> None:
    kept = store("a.pdf", samples.pdf())
    old, fresh = new_id(), new_id()
    for one in (old, fresh):
        places.create(one)
    os.utime(places.file_of(old), (1, 1))
    (places.root() / "README").write_text("not ours")
    assert api.sweep(actor=founder, check=lambda: None).files == 1
    assert {path.name for path in places.stored_files()} == {kept.id, fresh}


def test_bytes_that_a_killed_process_left_behind_go(store: Store, founder: Actor) -> None:
    """A verdict was written, and the process died before it could delete the bytes."""
    one = store("a.pdf", samples.pdf())
    AttachmentRow.objects.filter(pk=one.id).update(state="infected")
    assert api.sweep(actor=founder, check=lambda: None).files == 1
    assert AttachmentRow.objects.get().state == "infected"


def test_the_sweep_is_an_hourly_job() -> None:
    (job,) = [one for one in jobs.list_job_types() if one.name == "attachments.sweep"]
    assert job.every_seconds == 3600
