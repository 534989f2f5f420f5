"""What one wants to be told, by which channel and when."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from yunhe.core.notices import api
from yunhe.core.notices.forms import PreferencesForm
from yunhe.core.notices.types import Channel, Contact
from yunhe.core.notices.views.sections import sections
from yunhe.ui.cells import Action, Column, Table, Tag
from yunhe.ui.doors import acting, requires
from yunhe.ui.templatetags.yh import spoken

FAILURE_COLUMNS = (
    Column(_("通知"), lambda f: spoken(f.title), wide=True),
    Column(_("渠道"), lambda f: spoken(api.find_channel(code=f.channel).title)),
    Column(_("状态"), lambda f: Tag(_("没有发出"), "grey") if f.is_dropped else Tag(_("没有送到"), "red")),
    Column(_("原因"), lambda f: spoken(f.reason), wide=True),
    Column(_("时间"), lambda f: f.failed_at),
)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("signed_in")
def show_preferences(request: HttpRequest) -> HttpResponse:
    """One's own; the api takes them by the actor's id."""
    actor = acting(request)
    form = PreferencesForm(
        request.POST or None, kinds=api.list_kinds(), channels=api.list_channels(), chosen=api.get_preferences(actor=actor)
    )
    if request.method == "POST":
        kept = form.submit(lambda _data: api.set_preferences(preferences=form.preferences(), actor=actor))
        if kept is not None:
            messages.success(request, _("已保存。"))
            return redirect("notices:preferences")
    failures = api.list_failures(actor=actor)
    context = {
        "form": form, "title": _("通知设置"), "tabs": sections(request, "preferences"),
        "contacts": _contacts(api.list_contacts(actor=actor)),
        "failures": Table(FAILURE_COLUMNS, failures, caption=_("没有送到的")) if failures else None,
    }  # fmt: skip
    return render(request, "notices/preferences.html", context, status=form.status)


def _contacts(contacts: tuple[Contact, ...]) -> Table:
    """Return the table of channels with what one's address for each is."""
    known = {contact.channel: contact for contact in contacts}
    columns = (
        Column(_("渠道"), lambda channel: spoken(channel.title)),
        Column(_("地址"), lambda channel: known[channel.code].masked if channel.code in known else None, wide=True),
        Column(_("状态"), lambda channel: _state(channel, known)),
        Column("", partial(_next_act, known=known)),
        Column("", partial(_removal, known=known)),
    )
    return Table(columns, api.list_channels(), caption=_("联系方式"))


def _state(channel: Channel, known: Mapping[str, Contact]) -> Any:
    contact = known.get(channel.code)
    if not channel.is_ready():
        return Tag(_("本节点未设置"), "grey")
    if contact is None:
        return Tag(_("未填写") if channel.own else _("由系统管理员登记"), "grey")
    return Tag(_("已验证"), "green") if contact.verified_at else Tag(_("待验证"), "amber")


def _next_act(channel: Channel, known: Mapping[str, Contact]) -> Action | tuple[()]:
    contact = known.get(channel.code)
    if not channel.own or not channel.is_ready():
        return ()
    if contact and contact.verified_at is None:
        return Action(_("验证"), reverse("notices:verify", args=[channel.code]), "primary")
    return Action(_("更换") if contact else _("填写"), reverse("notices:contact", args=[channel.code]))


def _removal(channel: Channel, known: Mapping[str, Contact]) -> Action | tuple[()]:
    if not channel.own or channel.code not in known:
        return ()
    return Action(_("移除"), reverse("notices:remove", args=[channel.code]), "danger")
