"""Files in a form: sent with it, or uploaded before; checked again on the server."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import QueryDict
from django.utils import translation
from django.utils.datastructures import MultiValueDict

from tests.conftest import Cast
from tests.core.attachments import samples
from tests.core.attachments.clamd_server import EICAR, running_clamd
from tests.core.attachments.conftest import Store
from yunhe.core.attachments import api
from yunhe.core.attachments.errors import ContentRefused, NotAttachable
from yunhe.core.attachments.forms import AttachmentField
from yunhe.core.attachments.models import AttachmentRow
from yunhe.core.jobs import api as jobs
from yunhe.kernel.actor import Actor
from yunhe.ui.forms import YunheForm

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _in_chinese() -> Iterator[None]:
    with translation.override("zh-hans"):
        yield


class NoteForm(YunheForm):
    files = AttachmentField(purpose="proof", label="证明材料", most=2)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["files"]
        assert isinstance(field, AttachmentField)
        field.act_as(actor)


def posted(actor: Actor, *ids: str, files: tuple[tuple[str, bytes], ...] = ()) -> NoteForm:
    data = QueryDict(mutable=True)
    data.setlist("files", list(ids))
    sent = [SimpleUploadedFile(name, content, "application/pdf") for name, content in files]
    return NoteForm(data, MultiValueDict({"files__file": sent}), actor=actor)


def test_files_sent_with_the_form_become_drafts(cast: Cast) -> None:
    form = posted(cast.clerk.actor, files=(("一.pdf", samples.pdf()), ("二.png", samples.png())))
    assert form.is_valid(), form.errors
    ids = form.cleaned_data["files"]
    assert set(AttachmentRow.objects.values_list("pk", "purpose", "state")) == {(one, "proof", "ready") for one in ids}
    with transaction.atomic():
        api.attach(ids=ids, subject_type="note", subject_id="1", actor=cast.clerk.actor)


def test_ids_of_files_uploaded_before(cast: Cast, store: Store) -> None:
    one = store("a.pdf", samples.pdf())
    form = posted(cast.clerk.actor, one.id, one.id)
    assert form.is_valid() and form.cleaned_data["files"] == (one.id,)


def test_ids_that_are_not_ones_own_whole_drafts(cast: Cast, store: Store) -> None:
    foreign = store("a.pdf", samples.pdf(), cast.steward.actor)
    half = api.begin_upload(name="a.pdf", size=100, actor=cast.clerk.actor)
    used = store("b.pdf", samples.pdf())
    with transaction.atomic():
        api.attach(ids=[used.id], subject_type="note", subject_id="1", actor=cast.clerk.actor)
    for one in (foreign.id, half.id, used.id, "x", "\x00", "0" * 26, "9" * 5000):
        form = posted(cast.clerk.actor, one)
        assert not form.is_valid() and "不能随件提交" in str(form.errors["files"]), one[:30]


def test_a_file_that_is_not_taken_says_why_and_the_others_stay(cast: Cast) -> None:
    form = posted(cast.clerk.actor, files=(("好.pdf", samples.pdf()), ("坏.pdf", b"MZ" + bytes(100)), ("x.exe", b"MZ")))
    assert not form.is_valid()
    assert len(form.errors["files"]) == 2 and "坏.pdf" in form.errors["files"][0]
    html = str(form["files"])
    (kept,) = AttachmentRow.objects.filter(state="ready")
    assert f'value="{kept.pk}" checked' in html and "好.pdf" in html and "坏.pdf" not in html
    again = posted(cast.clerk.actor, kept.pk)
    assert again.is_valid() and again.cleaned_data["files"] == (kept.pk,)


def test_each_file_that_cannot_be_handed_in_is_named_with_its_own_reason_and_its_row_stays(
    cast: Cast, store: Store, settings: Any
) -> None:
    half = api.begin_upload(name="半.pdf", size=100, actor=cast.clerk.actor)
    used = store("用过.pdf", samples.pdf())
    with transaction.atomic():
        api.attach(ids=[used.id], subject_type="note", subject_id="1", actor=cast.clerk.actor)
    with pytest.raises(ContentRefused):
        store("假.pdf", samples.png())
    refused = AttachmentRow.objects.get(name="假.pdf")
    with running_clamd() as server:
        settings.YUNHE = {**settings.YUNHE, "CLAMD": server.address}
        sick, sound = store("病.pdf", samples.pdf(EICAR)), store("好.pdf", samples.pdf())
        jobs.run_pending()
        waiting = store("等.pdf", samples.pdf())
    reasons = {
        half.id: "文件“半.pdf”还没有传完", used.id: "文件“用过.pdf”已经提交过",
        refused.pk: "文件“假.pdf”上传时没有收下，不能随件提交。原因：文件“假.pdf”的内容是 png",
        sick.id: "文件“病.pdf”查出病毒（Eicar-Test-Signature），内容已删除",
    }  # fmt: skip
    for one, said in reasons.items():
        form = posted(cast.clerk.actor, one, sound.id)
        assert not form.is_valid()
        (told,) = form.errors["files"]
        assert told.startswith(said) and one not in told
        html = str(form["files"])
        assert f'value="{one}"' not in html and f'value="{sound.id}" checked' in html and "查毒已通过" in html
        assert (said in html and "data-lost" in html) == (one != used.id)
        with pytest.raises(NotAttachable), transaction.atomic():
            api.attach(ids=[one], subject_type="note", subject_id="2", actor=cast.clerk.actor)
    drawn = str(posted(cast.clerk.actor, waiting.id, sound.id)["files"])
    assert f'data-checking="/attachments/uploads/{waiting.id}/"' in drawn and "等待查毒" in drawn
    assert "查毒服务没有应答时文件留着，自动再试" in drawn and drawn.count("data-checking=") == 1


def test_where_room_is_missing_the_sentence_has_one_unit_and_the_way_to_ones_uploads(
    cast: Cast, store: Store, settings: Any
) -> None:
    settings.YUNHE = {**settings.YUNHE, "ATTACHMENT_QUOTA_MB": 1}
    store("a.pdf", samples.pdf(b"a" * 600_000))
    form = posted(cast.clerk.actor, files=(("b.pdf", samples.pdf(b"a" * 600_000)),))
    (told,) = form.errors["files"]
    assert "上限 1.0 MB、200 个文件，已用 0.6 MB、1 个文件" in told and '<a href="/attachments/">我的上传</a>' in told
    assert '<a href="/attachments/">我的上传</a>' in str(form.errors["files"]) and "字节" not in told


def test_none_and_too_many(cast: Cast, store: Store) -> None:
    with translation.override("en"):
        assert not posted(cast.clerk.actor).is_valid()
        form = posted(cast.clerk.actor, *(store(f"{n}.pdf", samples.pdf()).id for n in range(3)))
        assert form.errors["files"] == ["At most 2 files."]
    optional = NoteForm(QueryDict(), MultiValueDict(), actor=cast.clerk.actor)
    optional.fields["files"].required = False
    assert optional.is_valid() and optional.cleaned_data["files"] == ()


def test_the_widget_says_what_is_taken_in_both_languages(cast: Cast) -> None:
    for language, said in (("zh-hans", "每个文件最大 50 MB"), ("en", "At most 50 MB per file")):
        with translation.override(language):
            form = NoteForm(actor=cast.clerk.actor)
            html = str(form["files"])
            assert form.is_multipart() and said in html
            assert 'type="file"' in html and 'data-upload="/attachments/uploads/"' in html and 'name="files__file"' in html
            assert "style=" not in html and " onclick" not in html


def test_a_name_with_markup_stays_text(cast: Cast) -> None:
    form = posted(cast.clerk.actor, files=(("<img src=x onerror=alert(1)>&.pdf", samples.pdf()),))
    assert form.is_valid()
    html = str(form["files"])
    assert "<img" not in html and "&amp;.pdf" in html


def test_a_form_that_says_nobody_acts_is_a_fault_of_ours() -> None:
    class Careless(YunheForm):
        files = AttachmentField(purpose="proof", required=False)

    with pytest.raises(TypeError, match="act_as"):
        Careless(QueryDict(), MultiValueDict()).is_valid()
