"""Files in a form: uploaded piece by piece where scripts run, with the form where they do not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from yunhe.core.attachments import api
from yunhe.core.attachments.api.rows import MB
from yunhe.core.attachments.errors import QuotaUsedUp
from yunhe.core.attachments.rules.media import EXTENSIONS
from yunhe.core.attachments.types import Attachment
from yunhe.kernel.actor import Actor
from yunhe.kernel.errors import YunheError

MOST_POSTED_IDS = 200


@dataclass(frozen=True, slots=True)
class Posted:
    """What a form sent: ids of drafts that are there already, files that came with it."""

    ids: tuple[str, ...] = ()
    files: tuple[UploadedFile, ...] = ()


class AttachmentInput(forms.Widget):
    """Draws `components/upload.html`; the script takes the file input over, without it the form sends the files."""

    needs_multipart_form = True
    input_type = "file"
    actor: Actor | None = None
    purpose = ""
    stored: tuple[str, ...] = ()

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Posted:
        ids = data.getlist(name) if hasattr(data, "getlist") else data.get(name, ())
        sent = files.getlist(f"{name}__file") if hasattr(files, "getlist") else ()
        return Posted(tuple(ids[:MOST_POSTED_IDS]), tuple(sent))

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data and f"{name}__file" not in files

    def use_required_attribute(self, initial: Any) -> bool:
        return False

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        ids = value.ids if isinstance(value, Posted) else tuple(value or ())
        drafts = api.find_drafts(ids=(*ids, *self.stored), actor=self.actor) if self.actor else ()
        refusals = api.find_refusals(ids=[one.id for one in drafts], actor=self.actor) if self.actor and drafts else {}
        limit_mb = settings.YUNHE["ATTACHMENT_MB"]
        context = {
            "name": name,
            "rows": [(one, _said(one)) for one in drafts if one.is_usable],
            "lost": [(one, refusals[one.id].say(get_language() or "zh")) for one in drafts if one.id in refusals],
            "href": reverse("attachments:create"),
            "purpose": self.purpose,
            "accept": ",".join(f".{extension}" for extension in EXTENSIONS),
            "max_bytes": limit_mb * MB,
            "limits": _("每个文件最大 %(limit)s MB；可传：%(kinds)s。") % {"limit": limit_mb, "kinds": ", ".join(EXTENSIONS)},
            "said_large": _("文件超过 %(limit)s MB，没有上传。") % {"limit": limit_mb},
            "attrs": self.build_attrs(self.attrs, attrs),
        }
        return render_to_string("components/upload.html", context)


class AttachmentField(forms.Field):
    """A form's files: its value is a tuple of ids of the actor's own drafts, ready for `api.attach`.

    The form says who acts before it is validated or drawn: `form.fields["files"].act_as(request.actor)`.
    """

    widget = AttachmentInput
    default_error_messages = {
        "too_many": gettext_lazy("最多可以交 %(most)s 个文件。"),
    }

    def __init__(self, *, purpose: str, most: int = 20, **given: Any) -> None:
        super().__init__(**given)
        self.purpose = purpose
        self.most = most
        self.actor: Actor | None = None
        self.widget.purpose = purpose

    def act_as(self, actor: Actor) -> None:
        """Do say whose drafts these are."""
        self.actor = self.widget.actor = actor

    def clean(self, value: Any) -> tuple[str, ...]:
        """Return the ids, files that came with the form stored first. Raises: ValidationError."""
        posted = value if isinstance(value, Posted) else Posted(tuple(value or ()))
        if self.actor is None:
            raise TypeError("AttachmentField.act_as was not called")
        self.widget.stored, refusals = self._store(posted.files)
        ids = tuple(dict.fromkeys((*posted.ids, *self.widget.stored)))
        if refusals:
            raise ValidationError(refusals)
        if self.required and not ids:
            raise ValidationError(self.error_messages["required"], code="required")
        if len(ids) > self.most:
            raise ValidationError(self.error_messages["too_many"], code="too_many", params={"most": self.most})
        self._check(ids)
        return ids

    def held(self, ids: Sequence[str]) -> tuple[str, ...]:
        """Return which of these ids still are drafts of whom the form acts for."""
        return tuple(one.id for one in api.find_drafts(ids=ids, actor=self.actor)) if self.actor else ()

    def _store(self, files: Sequence[UploadedFile]) -> tuple[tuple[str, ...], list[str]]:
        stored, refusals = [], []
        for file in files:
            try:
                kept = api.store_file(
                    name=file.name or "", size=file.size or 0, content=file, declared_type=file.content_type or "",
                    purpose=self.purpose, actor=self.actor,
                )  # fmt: skip
            except YunheError as error:
                if error.kind not in ("invalid", "conflict"):
                    raise
                refusals.append(_with_way_out(error))
            else:
                stored.append(kept.id)
        return tuple(stored), refusals

    def _check(self, ids: tuple[str, ...]) -> None:
        refusals = api.find_refusals(ids=ids, actor=self.actor) if self.actor else {}
        if refusals:
            raise ValidationError([one.say(get_language() or "zh") for one in refusals.values()])


def _with_way_out(error: YunheError) -> str:
    """Return what is wrong; where room is missing, with the link to where it is made."""
    sentence = error.say(get_language() or "zh")
    if not isinstance(error, QuotaUsedUp):
        return sentence
    return format_html('{} <a href="{}">{}</a>', sentence, reverse("attachments:list"), _("我的上传"))


def _said(one: Attachment) -> str:
    """Return what is known of a file's virus check; nothing where no scanner looks."""
    if one.state == "checking":
        return _("等待查毒")
    return _("查毒已通过") if one.scanned_at else ""
