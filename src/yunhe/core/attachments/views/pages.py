"""One's own drafts: what was uploaded and not handed in yet."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from yunhe.core.attachments import api
from yunhe.core.attachments.types import STATE_TITLES, Attachment
from yunhe.ui.cells import Action, Column, Empty, Lines, Link, Tag
from yunhe.ui.doors import acting, requires
from yunhe.ui.lists import Listing, read_page_request
from yunhe.ui.pages import confirm_page
from yunhe.ui.templatetags.yh import percent, size, spoken

TONES = {"receiving": "grey", "checking": "amber", "ready": "green", "refused": "red", "infected": "red"}
COLUMNS = (
    Column(_("文件"), lambda a: _file(a), sort="name", wide=True),
    Column(_("状态"), lambda a: _state(a), wide=True),
    Column(_("大小"), lambda a: size(a.size), sort="size", number=True),
    Column(_("上传"), lambda a: a.created_at, sort="created_at"),
    Column("", lambda a: _acts(a)),
)


def _file(one: Attachment) -> Any:
    if one.state == "ready":
        return Link(one.name, reverse("attachments:download", args=[one.id]), sub=one.media_type)
    return Lines(one.name, one.media_type)


def _state(one: Attachment) -> Any:
    tag = Tag(spoken(STATE_TITLES[one.state]), TONES[one.state])
    if one.state == "receiving":
        return (tag, percent(one.received / one.size))
    if one.state == "ready" and one.scanned_at is None:
        return (tag, Tag(_("未查毒"), "grey"))
    return (tag, spoken(one.error)) if one.error else tag


def _acts(one: Attachment) -> Any:
    return None if one.state == "infected" else Action(_("删除"), reverse("attachments:delete", args=[one.id]), "danger")


@require_safe
@requires("signed_in")
def list_drafts(request: HttpRequest) -> HttpResponse:
    wanted = read_page_request(request, filters=("state",), sorts=("name", "size", "created_at"), sort="-created_at")
    listing = Listing(
        request=request, page=partial(api.list_drafts, actor=acting(request))(request=wanted), wanted=wanted,
        columns=COLUMNS, caption=_("我的上传"), facet_titles={"state": _("状态")}, search_label=_("搜索文件名"),
        choices={"state": tuple((state, spoken(title)) for state, title in STATE_TITLES.items())},
        empty=Empty(_("没有未提交的文件"), _("在表单里选择的文件传完后先放在这里，随表单提交后就归到那件事。")),
    )  # fmt: skip
    return render(request, "attachments/list.html", {"listing": listing})


@require_http_methods(["GET", "HEAD", "POST"])
@requires("signed_in")
def delete_draft(request: HttpRequest, attachment_id: str) -> HttpResponse:
    one = api.access_draft(attachment_id=attachment_id, actor=acting(request))
    if request.method == "POST":
        api.delete_draft(attachment_id=attachment_id, actor=acting(request))
        messages.success(request, _("文件已删除。"))
        return redirect("attachments:list")
    return confirm_page(
        request, title=_("删除文件"), question=_("删除“%(name)s”？") % {"name": one.name},
        consequences=(_("文件不能恢复；需要时可以重新上传。"),), submit=_("删除"), cancel=reverse("attachments:list"),
    )  # fmt: skip
