"""Files in a form: sent with it, or uploaded before; checked again on the server."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.http import QueryDict
from django.utils import translation
from django.utils.datastructures import MultiValueDict

from tests.conftest import Cast
from tests.core.attachments import samples
from tests.core.attachments.conftest import Store
from yunhe.core.attachments import api
from yunhe.core.attachments.forms import AttachmentField
from yunhe.core.attachments.models import AttachmentRow
from yunhe.kernel.actor import Actor
from yunhe.ui.forms import YunheForm

pytestmark = pytest.mark.django_db


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
