"""The upload protocol: offsets, lengths, two at once, what a killed request leaves, room, deleting."""

from __future__ import annotations

import base64
import io
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from tests.conftest import Cast, Member
from tests.core.attachments import samples
from tests.core.attachments.conftest import Store
from yunhe.core.attachments import api, errors
from yunhe.core.attachments.api import places, uploading
from yunhe.core.attachments.models import AttachmentRow
from yunhe.core.evidence.models import EvidenceRow
from yunhe.core.organizations import models
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
BYTES = "application/offset+octet-stream"
HOME = "/attachments/uploads/"


@pytest.fixture
def tus(cast: Cast) -> Callable[..., Any]:
    """Return a function that sends one request of the protocol, signed in as a member of the cast."""
    models.User.objects.update(must_change_password=False)
    clients: dict[str, Client] = {}

    def send(method: str, path: str, body: bytes = b"", member: Member = cast.clerk, **headers: str) -> Any:
        if member.username not in clients:
            clients[member.username] = Client(raise_request_exception=False)
            form = {"username": member.username, "password": member.password}
            assert clients[member.username].post("/login", form).status_code == 302
        sent = {"Tus-Resumable": "1.0.0"} | {name.replace("_", "-"): value for name, value in headers.items()}
        content_type = sent.pop("Content-Type", BYTES)
        if not body and method == "PATCH":  # as a browser sends it; the test's client would say neither
            sent |= {"Content-Type": content_type, "Content-Length": "0"}
        return clients[member.username].generic(method, path, body, content_type=content_type, headers=sent)

    return send


def told(**pairs: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())


def begun(tus: Callable[..., Any], content: bytes, name: str = "申请.pdf") -> str:
    answer = tus("POST", HOME, Upload_Length=str(len(content)), Upload_Metadata=told(filename=name, filetype="application/pdf"))
    assert answer.status_code == 201, answer.content
    return str(answer["Location"])


def refusal(answer: Any) -> tuple[int, str]:
    assert answer["Content-Type"] == "application/problem+json" and answer["Tus-Resumable"] == "1.0.0"
    return answer.status_code, answer.json()["code"]


def test_a_file_goes_up_in_pieces(tus: Callable[..., Any], cast: Cast, home: Path) -> None:
    content = samples.pdf(b"x" * 5000)
    place = begun(tus, content)
    for start in range(0, len(content), 2000):
        stands = tus("HEAD", place)
        assert (stands["Upload-Offset"], stands["Upload-Length"], stands["Cache-Control"]) == (str(start), str(len(content)), "no-store")
        added = tus("PATCH", place, content[start : start + 2000], Upload_Offset=str(start))
        assert added.status_code == 204, added.content
    assert added["Upload-State"] == "ready"
    (row,) = AttachmentRow.objects.all()
    assert (row.name, row.media_type, row.declared_type, row.received) == ("申请.pdf", "application/pdf", "application/pdf", len(content))
    assert len(row.digest) == 64 and row.owner_id == cast.clerk.actor.id and row.organization == cast.other.code
    path = home / "attachments" / row.pk[-2:] / row.pk
    assert path.read_bytes() == content
    assert [stat.S_IMODE(one.stat().st_mode) for one in (path, path.parent, path.parent.parent)] == [0o600, 0o700, 0o700]
    (proof,) = EvidenceRow.objects.filter(kind="attachments.uploaded")
    assert proof.subject_id == row.pk and "申请" not in proof.facts_text and row.digest not in proof.facts_text


def test_the_end_may_be_heard_twice(tus: Callable[..., Any]) -> None:
    content = samples.pdf()
    place = begun(tus, content)
    assert tus("PATCH", place, content, Upload_Offset="0").status_code == 204
    again = tus("PATCH", place, b"", Upload_Offset=str(len(content)))
    assert (again.status_code, again["Upload-State"]) == (204, "ready")
    assert refusal(tus("PATCH", place, b"x", Upload_Offset=str(len(content)))) == (409, "upload_ended")
    assert EvidenceRow.objects.filter(kind="attachments.uploaded").count() == 1


def test_a_whole_file_whose_judgement_was_cut_off_is_judged_by_an_empty_piece(
    tus: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = samples.pdf()
    place = begun(tus, content)
    with monkeypatch.context() as patch:
        patch.setattr(uploading, "_finish", lambda *given: (_ for _ in ()).throw(SystemError("struck")))
        assert tus("PATCH", place, content, Upload_Offset="0").status_code == 500
    assert (tus("HEAD", place)["Upload-Offset"], tus("HEAD", place)["Upload-State"]) == (str(len(content)), "receiving")
    assert tus("PATCH", place, b"", Upload_Offset=str(len(content)))["Upload-State"] == "ready"


@pytest.mark.parametrize("offset", ["1", "99", "999999999999999999"])
def test_a_wrong_offset_writes_nothing(tus: Callable[..., Any], offset: str) -> None:
    place = begun(tus, samples.pdf())
    assert refusal(tus("PATCH", place, b"abc", Upload_Offset=offset)) == (409, "upload_wrong_offset")
    assert tus("HEAD", place)["Upload-Offset"] == "0"


def test_an_overlong_body_writes_nothing(tus: Callable[..., Any]) -> None:
    content = samples.pdf()
    place = begun(tus, content)
    assert refusal(tus("PATCH", place, content + b"x", Upload_Offset="0")) == (413, "upload_overlong")
    assert tus("HEAD", place)["Upload-Offset"] == "0"


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("POST", {"Tus_Resumable": "0.2.2", "Upload_Length": "1"}, (412, "upload_version")),
        ("POST", {"Tus_Resumable": "", "Upload_Length": "1"}, (412, "upload_version")),
        ("POST", {}, (422, "bad_upload")),
        ("POST", {"Upload_Length": "-1"}, (422, "bad_upload")),
        ("POST", {"Upload_Length": "٤٢"}, (422, "bad_upload")),
        ("POST", {"Upload_Length": "9" * 30}, (422, "bad_upload")),
        ("POST", {"Upload_Length": "0", "Upload_Metadata": told(filename="a.pdf")}, (422, "bad_upload")),
        ("POST", {"Upload_Length": str(51 << 20), "Upload_Metadata": told(filename="a.pdf")}, (413, "attachment_too_large")),
        ("POST", {"Upload_Length": "9", "Upload_Metadata": told(filename="a.exe")}, (422, "attachment_type_not_allowed")),
        ("POST", {"Upload_Length": "9", "Upload_Metadata": "filename !!"}, (422, "bad_upload")),
        ("POST", {"Upload_Length": "9", "Upload_Metadata": "filename /w=="}, (422, "bad_upload")),
        ("POST", {"Upload_Length": "9", "Upload_Metadata": "a" * 5000}, (422, "bad_upload")),
        ("POST", {"Upload_Length": "9", "Upload_Metadata": told(filename="a.pdf", purpose="A b")}, (422, "bad_upload")),
        ("PATCH", {"Upload_Offset": "0", "Content_Type": "text/plain"}, (415, "upload_not_bytes")),
        ("PATCH", {}, (422, "bad_upload")),
        ("PATCH", {"Upload_Offset": "x"}, (422, "bad_upload")),
    ],
)  # fmt: skip
def test_requests_that_are_none(
    tus: Callable[..., Any], method: str, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    place = begun(tus, samples.pdf()) if method == "PATCH" else HOME
    assert refusal(tus(method, place, b"x" if method == "PATCH" else b"", **headers)) == expected


def test_what_the_server_speaks(tus: Callable[..., Any]) -> None:
    answer = tus("OPTIONS", HOME)
    assert (answer.status_code, answer["Tus-Version"], answer["Tus-Extension"]) == (204, "1.0.0", "creation,termination")
    assert answer["Tus-Max-Size"] == str(50 << 20)


def test_nobody_may_not(cast: Cast) -> None:
    for method, path in (("POST", HOME), ("HEAD", f"{HOME}01J0000000000000000000000A/"), ("PATCH", f"{HOME}x/")):
        answer = Client().generic(method, path, headers={"Tus-Resumable": "1.0.0"})
        assert answer.status_code == 401, method


def test_an_upload_is_its_owners_alone(tus: Callable[..., Any], cast: Cast) -> None:
    content = samples.pdf()
    place = begun(tus, content)
    for member in (cast.steward, cast.audit_admin, cast.system_admin):
        assert tus("HEAD", place, member=member).status_code == 404
        assert tus("PATCH", place, content, member=member, Upload_Offset="0").status_code == 404
        assert tus("DELETE", place, member=member).status_code == 404
    for name in ("x", "..", "0" * 26, "%00"):
        assert tus("HEAD", f"{HOME}{name}/").status_code == 404
    assert tus("PATCH", place, content, Upload_Offset="0").status_code == 204


def test_writes_need_the_token(cast: Cast) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(models.User.objects.get(username=cast.clerk.username))
    answer = strict.generic("POST", HOME, headers={"Tus-Resumable": "1.0.0", "Upload-Length": "1"})
    assert answer.status_code == 403


def test_a_refused_content_says_why_and_its_bytes_go(tus: Callable[..., Any], home: Path) -> None:
    content = samples.png()
    place = begun(tus, content)
    answer = tus("PATCH", place, content, Upload_Offset="0")
    assert refusal(answer) == (422, "attachment_name_disagrees")
    (row,) = AttachmentRow.objects.all()
    assert (row.state, row.error_code) == ("refused", "attachment_name_disagrees")
    assert "png" in row.error["zh"] and "png" in row.error["en"]
    assert not list(places.stored_files())
    assert tus("HEAD", place)["Upload-State"] == "refused"


class Breaking:
    """A body that breaks off after some bytes."""

    def __init__(self, content: bytes, *, error: bool) -> None:
        self._content = io.BytesIO(content)
        self._error = error

    def read(self, size: int) -> bytes:
        piece = self._content.read(size)
        if not piece and self._error:
            raise OSError("gone")
        return piece


@pytest.mark.parametrize("error", [True, False])
def test_a_body_that_breaks_off_keeps_what_came(cast: Cast, error: bool) -> None:
    content, actor = samples.pdf(b"y" * 300_000), cast.clerk.actor
    one = api.begin_upload(name="a.pdf", size=len(content), actor=actor)
    with pytest.raises(errors.UploadInterrupted, match="200000 bytes are kept"):
        api.append_bytes(
            attachment_id=one.id, offset=0, length=len(content), content=Breaking(content[:200_000], error=error), actor=actor
        )
    rest = io.BytesIO(content[200_000:])
    done = api.append_bytes(attachment_id=one.id, offset=200_000, length=len(content) - 200_000, content=rest, actor=actor)
    assert done.state == "ready" and places.file_of(one.id).read_bytes() == content


def test_a_tail_that_nobody_vouched_for_is_cut_off(cast: Cast) -> None:
    content, actor = samples.pdf(), cast.clerk.actor
    one = api.begin_upload(name="a.pdf", size=len(content), actor=actor)
    places.file_of(one.id).write_bytes(b"left by a process that died" * 100)
    done = api.append_bytes(attachment_id=one.id, offset=0, length=len(content), content=io.BytesIO(content), actor=actor)
    assert done.state == "ready" and places.file_of(one.id).read_bytes() == content


def test_offsets_are_told_after_every_sync(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "SYNC_BYTES", 1 << 16)
    synced: list[int] = []
    monkeypatch.setattr(uploading.os, "fsync", lambda handle: synced.append(AttachmentRow.objects.get().received))
    content, actor = samples.pdf(b"z" * 200_000), cast.clerk.actor
    one = api.begin_upload(name="a.pdf", size=len(content), actor=actor)
    synced.clear()
    api.append_bytes(attachment_id=one.id, offset=0, length=len(content), content=io.BytesIO(content), actor=actor)
    assert synced == [0, 1 << 16, 2 << 16, 3 << 16]


def test_a_full_disk_says_so_and_keeps_what_was_synced(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    actor = cast.clerk.actor
    one = api.begin_upload(name="a.pdf", size=100, actor=actor)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(uploading.os, "fsync", full)
        with pytest.raises(errors.AttachmentDiskFull, match="No space left"):
            api.append_bytes(attachment_id=one.id, offset=0, length=50, content=io.BytesIO(bytes(50)), actor=actor)
    assert api.access_draft(attachment_id=one.id, actor=actor).received == 0


def test_a_second_writer_is_turned_away_while_the_first_holds_the_file(cast: Cast) -> None:
    actor = cast.clerk.actor
    one = api.begin_upload(name="a.pdf", size=100, actor=actor)
    with places.writing(one.id), pytest.raises(errors.UploadBusy):
        api.append_bytes(attachment_id=one.id, offset=0, length=50, content=io.BytesIO(bytes(50)), actor=actor)
    assert api.append_bytes(attachment_id=one.id, offset=0, length=50, content=io.BytesIO(bytes(50)), actor=actor).received == 50


def test_a_file_that_is_gone_is_said(cast: Cast) -> None:
    actor = cast.clerk.actor
    one = api.begin_upload(name="a.pdf", size=100, actor=actor)
    places.remove(one.id)
    with pytest.raises(errors.AttachmentBytesLost):
        api.append_bytes(attachment_id=one.id, offset=0, length=50, content=io.BytesIO(bytes(50)), actor=actor)


def test_an_upload_that_is_deleted_meanwhile_ends(cast: Cast) -> None:
    actor = cast.clerk.actor
    one = api.begin_upload(name="a.pdf", size=100, actor=actor)

    class Deleting:
        def read(self, size: int) -> bytes:
            AttachmentRow.objects.all().delete()
            return bytes(size)

    with pytest.raises(errors.AttachmentNotFound):
        api.append_bytes(attachment_id=one.id, offset=0, length=50, content=Deleting(), actor=actor)


def test_room_is_counted_per_person(cast: Cast, store: Store, settings: Any) -> None:
    settings.YUNHE = {**settings.YUNHE, "ATTACHMENT_QUOTA_MB": 1}
    half = samples.pdf(b"a" * 600_000)
    first = store("a.pdf", half)
    with pytest.raises(errors.QuotaUsedUp, match=r"at most 1\.0 MB in 200 files; used are 0\.6 MB in 1 files"):
        store("b.pdf", half)
    store("b.pdf", half, cast.steward.actor)
    api.delete_draft(attachment_id=first.id, actor=cast.clerk.actor)
    store("b.pdf", half)


def test_the_number_of_drafts_is_limited(cast: Cast, monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    from yunhe.core.attachments.api import rows

    monkeypatch.setattr(rows, "MOST_FILES", 2)
    store("a.pdf", samples.pdf())
    with pytest.raises(errors.NameDisagrees):
        store("b.png", samples.pdf())
    with pytest.raises(errors.QuotaUsedUp, match="2 files"):
        store("c.pdf", samples.pdf())


def test_a_draft_is_deleted_with_its_bytes(
    tus: Callable[..., Any], store: Store, django_capture_on_commit_callbacks: Any
) -> None:
    one = store("a.pdf", samples.pdf())
    with django_capture_on_commit_callbacks(execute=True):
        assert tus("DELETE", f"{HOME}{one.id}/").status_code == 204
    assert tus("HEAD", f"{HOME}{one.id}/").status_code == 404
    assert not list(places.stored_files()) and not AttachmentRow.objects.exists()
    assert EvidenceRow.objects.filter(kind="attachments.deleted", subject_id=one.id).count() == 1


def test_one_sees_and_deletes_ones_own_on_the_page(tus: Callable[..., Any], store: Store, cast: Cast) -> None:
    one = store("一份.pdf", samples.pdf())
    store("别人的.pdf", samples.pdf(), cast.steward.actor)
    page = tus("GET", "/attachments/").content.decode()
    assert "一份.pdf" in page and "未查毒" in page and "别人的" not in page
    assert "一份.pdf" in tus("GET", f"/attachments/{one.id}/delete/").content.decode()
    assert tus("GET", f"/attachments/{one.id}/delete/", member=cast.steward).status_code == 404
    assert tus("POST", f"/attachments/{one.id}/delete/").status_code == 302
    assert api.list_drafts(request=PageRequest(), actor=cast.clerk.actor).total == 0


def test_of_many_threads_one_holds_the_file(cast: Cast) -> None:
    """Whole requests that meet are in test_server.py; the tests' own database knows one connection."""
    one = api.begin_upload(name="a.pdf", size=100, actor=cast.clerk.actor)
    gate, inside, said = threading.Barrier(8), threading.Lock(), list[str]()

    def hold() -> None:
        gate.wait()
        try:
            with places.writing(one.id):
                said.append("in" if inside.acquire(blocking=False) else "two at once")
                time.sleep(0.02)
                inside.release()
        except errors.UploadBusy:
            said.append("busy")

    threads = [threading.Thread(target=hold) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(said) == 8 and set(said) <= {"in", "busy"} and "in" in said
