"""Giving files back: headers, ranges, and who may have which file."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from django.db import transaction
from django.test import Client

from tests.conftest import Cast, Member
from tests.core.attachments import samples
from tests.core.attachments.conftest import Store
from tests.core.attachments.samples import status
from yunhe.core.attachments import api, errors
from yunhe.core.attachments.api import registry
from yunhe.core.attachments.rules.protocol import read_range
from yunhe.core.evidence.models import EvidenceRow
from yunhe.core.jobs.errors import OutsideTransaction
from yunhe.core.organizations import models

pytestmark = pytest.mark.django_db
CONTENT = samples.pdf(bytes(range(256)) * 40)


@pytest.fixture
def person(cast: Cast) -> Callable[[Member], Client]:
    models.User.objects.update(must_change_password=False)

    def browser(member: Member) -> Client:
        client = Client(raise_request_exception=False)
        client.force_login(models.User.objects.get(pk=member.user_id))
        return client

    return browser


def attached(store: Store, cast: Cast, name: str = "一份 申请.pdf") -> str:
    one = store(name, CONTENT)
    with transaction.atomic():
        api.attach(ids=[one.id], subject_type="note", subject_id="7", actor=cast.clerk.actor)
    return one.id


def test_a_file_leaves_as_a_download_that_nothing_runs(store: Store, cast: Cast, person: Callable[[Member], Client]) -> None:
    one = store("一份 申请.pdf", CONTENT)
    answer = person(cast.clerk).get(f"/attachments/{one.id}/")
    assert answer.status_code == 200 and b"".join(answer.streaming_content) == CONTENT
    assert {name: answer[name] for name in (
        "Content-Disposition", "Content-Type", "Content-Length", "X-Content-Type-Options", "Content-Security-Policy",
        "Cross-Origin-Resource-Policy", "Cache-Control", "Accept-Ranges", "ETag",
    )} == {
        "Content-Disposition": f"attachment; filename*=utf-8''{quote('一份 申请.pdf')}",
        "Content-Type": "application/pdf",
        "Content-Length": str(len(CONTENT)),
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Cache-Control": "private, no-store",
        "Accept-Ranges": "bytes",
        "ETag": f'"{one.digest}"',
    }  # fmt: skip
    head = person(cast.clerk).head(f"/attachments/{one.id}/")
    assert (head.status_code, head["Content-Length"], head.content) == (200, str(len(CONTENT)), b"")


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-9", 0, 10), ("bytes=100-", 100, None), ("bytes=-50", -50, None), ("bytes=0-999999999", 0, None), ("bytes=5-5", 5, 6)],
)
def test_a_range_is_a_part_of_the_file(
    store: Store, cast: Cast, person: Callable[[Member], Client], asked: str, start: int, end: int | None
) -> None:
    one = store("a.pdf", CONTENT)
    answer = person(cast.clerk).get(f"/attachments/{one.id}/", headers={"Range": asked})
    part = b"".join(answer.streaming_content)
    assert (answer.status_code, part) == (206, CONTENT[start:end])
    first = start % len(CONTENT)
    assert answer["Content-Range"] == f"bytes {first}-{first + len(part) - 1}/{len(CONTENT)}"
    assert answer["Content-Length"] == str(len(part))


@pytest.mark.parametrize("asked", ["bytes=0-1,4-5", "lines=0-1", "bytes=", "bytes=-", "bytes=9-3", "x", "bytes=٤-٥"])
def test_what_is_no_single_range_gets_the_whole(
    store: Store, cast: Cast, person: Callable[[Member], Client], asked: str
) -> None:
    one = store("a.pdf", CONTENT)
    answer = person(cast.clerk).get(f"/attachments/{one.id}/", headers={"Range": asked})
    assert answer.status_code == 200 and b"".join(answer.streaming_content) == CONTENT


def test_a_range_behind_the_end_is_refused(store: Store, cast: Cast, person: Callable[[Member], Client]) -> None:
    one = store("a.pdf", CONTENT)
    for asked in (f"bytes={len(CONTENT)}-", "bytes=999999-", "bytes=-0"):
        answer = person(cast.clerk).get(f"/attachments/{one.id}/", headers={"Range": asked})
        assert (answer.status_code, answer["Content-Range"]) == (416, f"bytes */{len(CONTENT)}")


def test_a_download_of_another_content_begins_anew(store: Store, cast: Cast, person: Callable[[Member], Client]) -> None:
    one = store("a.pdf", CONTENT)
    for etag, expected in ((f'"{one.digest}"', 206), ('"other"', 200)):
        answer = person(cast.clerk).get(f"/attachments/{one.id}/", headers={"Range": "bytes=5-", "If-Range": etag})
        assert status(answer) == expected


def test_ranges_at_their_edges() -> None:
    assert read_range("bytes=0-0", size=1) == (0, 1)
    assert read_range("bytes=-5", size=3) == (0, 3)
    with pytest.raises(errors.RangeUnsatisfiable):
        read_range("bytes=3-", size=3)


def test_a_draft_is_its_owners_alone(store: Store, cast: Cast, person: Callable[[Member], Client]) -> None:
    one = store("a.pdf", CONTENT)
    for member in (cast.steward, cast.leader, cast.audit_admin, cast.system_admin, cast.data_admin):
        for method in ("get", "head"):
            assert status(getattr(person(member), method)(f"/attachments/{one.id}/")) == 404
    assert status(person(cast.clerk).get(f"/attachments/{one.id}/")) == 200
    assert status(Client().get(f"/attachments/{one.id}/")) == 302
    assert not EvidenceRow.objects.filter(kind="attachments.downloaded").exists()


def test_once_attached_the_subjects_room_decides(
    store: Store, cast: Cast, person: Callable[[Member], Client], readers: set[str]
) -> None:
    one = attached(store, cast)
    for member in (cast.clerk, cast.steward):
        assert status(person(member).get(f"/attachments/{one}/")) == 404
        assert api.list_for(subject_type="note", subject_id="7", actor=member.actor) == ()
    readers.add(cast.steward.actor.id)
    assert status(person(cast.steward).get(f"/attachments/{one}/")) == 200
    assert status(person(cast.clerk).get(f"/attachments/{one}/")) == 404
    (proof,) = EvidenceRow.objects.filter(kind="attachments.downloaded")
    assert (proof.actor_id, proof.subject_id) == (cast.steward.actor.id, one) and "note:7" in proof.facts_text
    (listed,) = api.list_for(subject_type="note", subject_id="7", actor=cast.steward.actor)
    assert (listed.id, listed.name) == (one, "一份 申请.pdf")
    readers.add(cast.clerk.actor.id)
    assert status(person(cast.clerk).get(f"/attachments/{one}/")) == 200
    assert EvidenceRow.objects.filter(kind="attachments.downloaded").count() == 1


def test_a_subject_whose_room_is_gone_shows_nothing(
    store: Store, cast: Cast, readers: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = attached(store, cast)
    readers.add(cast.clerk.actor.id)
    monkeypatch.setattr(registry, "_subjects", {})
    with pytest.raises(errors.AttachmentNotFound):
        api.open_bytes(attachment_id=one, actor=cast.clerk.actor)


def test_missing_and_forbidden_sound_alike(store: Store, cast: Cast, person: Callable[[Member], Client]) -> None:
    one = store("a.pdf", CONTENT)
    said = []
    for name in (one.id, "01J0000000000000000000000A"):
        body = person(cast.steward).get(f"/attachments/{name}/", headers={"Accept": "application/json"}).json()
        said.append((body["status"], body["code"], body["detail"].replace(name, "")))
    assert said[0] == said[1]


def test_another_membership_is_another_owner(store: Store, cast: Cast) -> None:
    from dataclasses import replace

    one = store("a.pdf", CONTENT)
    elsewhere = replace(cast.clerk.actor, organization=cast.owner.code)
    with pytest.raises(errors.AttachmentNotFound):
        api.access_draft(attachment_id=one.id, actor=elsewhere)


def test_only_whole_own_drafts_are_attached_and_once(store: Store, cast: Cast) -> None:
    mine, other = store("a.pdf", CONTENT), store("b.pdf", CONTENT, cast.steward.actor)
    open_one = api.begin_upload(name="c.pdf", size=5, actor=cast.clerk.actor)
    for ids in ([other.id], [open_one.id], ["x"], ["0" * 26], [mine.id, mine.id], [mine.id, other.id]):
        with pytest.raises(errors.NotAttachable), transaction.atomic():
            api.attach(ids=ids, subject_type="note", subject_id="7", actor=cast.clerk.actor)
    with transaction.atomic():
        (done,) = api.attach(ids=[mine.id], subject_type="note", subject_id="7", actor=cast.clerk.actor)
    assert (done.subject_type, done.subject_id, done.is_draft) == ("note", "7", False)
    with pytest.raises(errors.NotAttachable), transaction.atomic():
        api.attach(ids=[mine.id], subject_type="note", subject_id="8", actor=cast.clerk.actor)
    with pytest.raises(errors.AttachmentNotFound):
        api.delete_draft(attachment_id=mine.id, actor=cast.clerk.actor)
    assert EvidenceRow.objects.filter(kind="attachments.attached").count() == 1


def test_attaching_is_undone_with_the_callers_transaction(store: Store, cast: Cast) -> None:
    one = store("a.pdf", CONTENT)
    with transaction.atomic():
        api.attach(ids=[one.id], subject_type="note", subject_id="7", actor=cast.clerk.actor)
        transaction.set_rollback(True)
    assert api.access_draft(attachment_id=one.id, actor=cast.clerk.actor).is_draft
    assert not EvidenceRow.objects.filter(kind="attachments.attached").exists()


def test_a_subject_has_room_too(store: Store, cast: Cast, settings: Any) -> None:
    ids = [store("a.pdf", samples.pdf(bytes(600_000))).id, store("b.pdf", samples.pdf(bytes(600_000))).id]
    settings.YUNHE = {**settings.YUNHE, "ATTACHMENT_QUOTA_MB": 1}
    with pytest.raises(errors.QuotaUsedUp), transaction.atomic():
        api.attach(ids=ids, subject_type="note", subject_id="7", actor=cast.clerk.actor)
    with transaction.atomic():
        api.attach(ids=ids[:1], subject_type="note", subject_id="7", actor=cast.clerk.actor)


def test_a_subject_that_nobody_registered_takes_nothing(store: Store, cast: Cast) -> None:
    with pytest.raises(errors.SubjectTypeUnknown, match="note"):
        api.attach(ids=[store("a.pdf", CONTENT).id], subject_type="poem", subject_id="7", actor=cast.clerk.actor)


def test_slots_are_filled_once_and_at_start_up_only(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(errors.AttachmentSlotTaken):
        api.register_subject(subject_type="note", may_read=lambda subject_id, actor: True)
    monkeypatch.undo()
    with pytest.raises(errors.AttachmentSlotsClosed):
        api.register_subject(subject_type="late", may_read=lambda subject_id, actor: True)
    with pytest.raises(errors.AttachmentSlotsClosed):
        api.register_scanner(lambda file: "")


@pytest.mark.django_db(transaction=True)
def test_attaching_wants_the_callers_transaction(store: Store, cast: Cast) -> None:
    one = store("a.pdf", CONTENT)
    with pytest.raises(OutsideTransaction):
        api.attach(ids=[one.id], subject_type="note", subject_id="7", actor=cast.clerk.actor)
    assert api.access_draft(attachment_id=one.id, actor=cast.clerk.actor).is_draft
