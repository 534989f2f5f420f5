"""Addresses that other systems are told at; the system administrator's."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from yunhe.core.notices import api
from yunhe.core.notices.errors import ContactNotFound
from yunhe.core.notices.forms import WebhookForm
from yunhe.core.notices.types import Contact, NewWebhook
from yunhe.core.notices.views.sections import MANAGE, sections
from yunhe.core.organizations import api as organizations
from yunhe.ui.cells import Action, Code, Column, Empty, Lines, Table
from yunhe.ui.doors import requires
from yunhe.ui.pages import confirm_page

COLUMNS = (
    Column(_("发给谁的通知"), lambda contact: _owner(contact), wide=True),
    Column(_("推送地址"), lambda contact: Code(contact.masked), wide=True),
    Column(_("登记时间"), lambda contact: contact.verified_at),
    Column(
        "", lambda contact: Action(_("移除"), reverse("notices:remove_webhook", args=[contact.id]), "danger")
    ),
)  # fmt: skip


def _owner(contact: Contact) -> Lines:
    if contact.user_id is not None:
        person = organizations.get_person(user_id=contact.user_id)
        return Lines(person.display_name, person.username)
    body = organizations.find_organization(code=contact.organization)
    return Lines(body.label if body else contact.organization, contact.organization)


@require_safe
@requires(MANAGE)
def list_webhooks(request: HttpRequest) -> HttpResponse:
    table = Table(
        COLUMNS, api.list_webhooks(actor=request.actor), caption=_("系统推送地址"),
        empty=Empty(_("还没有推送地址"), _("登记后，通知会以签名的消息推送给对方系统。")),
    )  # fmt: skip
    context = {
        "table": table, "title": _("系统推送地址"), "tabs": sections(request, "webhooks"),
        "acts": (Action(_("登记推送地址"), reverse("notices:register_webhook"), "primary"),),
    }  # fmt: skip
    return render(request, "notices/list.html", context)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@requires(MANAGE)
def register_webhook(request: HttpRequest) -> HttpResponse:
    form = WebhookForm(request.POST or None, initial={"owner": "organization"})
    if request.method == "POST":
        made = form.submit(lambda data: _register(request, data))
        if made is not None:  # the answer itself shows the secret: it is stored nowhere to show it again
            return render(request, "notices/secret.html", {"made": made})
    context = {"form": form, "title": _("登记推送地址"), "submit": _("登记"), "cancel": reverse("notices:webhooks")}
    return render(request, "notices/form.html", context, status=form.status)


def _register(request: HttpRequest, data: dict[str, Any]) -> NewWebhook:
    whose = {"username" if data["owner"] == "person" else "organization": data["name"]}
    return api.register_webhook(address=data["address"], actor=request.actor, **whose)


@require_http_methods(["GET", "HEAD", "POST"])
@requires(MANAGE)
def remove_webhook(request: HttpRequest, contact_id: int) -> HttpResponse:
    found = next((one for one in api.list_webhooks(actor=request.actor) if one.id == contact_id), None)
    if found is None:
        raise ContactNotFound()
    if request.method == "POST":
        api.remove_webhook(contact_id=contact_id, actor=request.actor)
        messages.success(request, _("已移除。"))
        return redirect("notices:webhooks")
    return confirm_page(
        request, title=_("移除推送地址"), question=_("确定移除“%(address)s”吗？") % {"address": found.masked},
        consequences=(_("不再向对方系统推送，签名密钥立即作废。"),), submit=_("移除"), cancel=reverse("notices:webhooks"),
    )  # fmt: skip
