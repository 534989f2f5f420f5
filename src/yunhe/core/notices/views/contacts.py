"""One's own addresses: enter, prove by a code, remove."""

from __future__ import annotations

from math import ceil

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from yunhe.core.notices import api
from yunhe.core.notices.errors import ContactNotFound
from yunhe.core.notices.forms import FORMS, AddressForm, CodeForm
from yunhe.core.notices.types import Contact
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now
from yunhe.ui.cells import Action
from yunhe.ui.doors import acting, requires
from yunhe.ui.pages import confirm_page
from yunhe.ui.templatetags.yh import spoken


@sensitive_post_parameters("address")
@require_http_methods(["GET", "HEAD", "POST"])
@requires("signed_in")
def change_contact(request: HttpRequest, channel: str) -> HttpResponse:
    """One's own; the api takes it by the actor's id."""
    way = api.find_channel(code=channel)
    form = FORMS.get(channel, AddressForm)(request.POST or None)
    if request.method == "POST":
        kept = form.submit(
            lambda data: api.propose_contact(channel=channel, address=data["address"], actor=acting(request))
        )
        if kept is not None:
            return redirect("notices:verify", channel)
    context = {"form": form, "title": spoken(way.title), "submit": _("保存并发送验证码")}
    return render(request, "notices/form.html", context, status=form.status)


@sensitive_post_parameters("code")
@require_http_methods(["GET", "HEAD", "POST"])
@requires("signed_in")
def verify_contact(request: HttpRequest, channel: str) -> HttpResponse:
    """One's own; the api takes it by the actor's id."""
    contact = _mine(channel, acting(request))
    form = CodeForm(request.POST or None)
    if request.method == "POST":
        proven = form.submit(lambda data: api.verify_contact(channel=channel, code=data["code"], actor=acting(request)))
        if proven is not None:
            messages.success(request, _("已验证，可以用来接收通知。"))
            if not any(code == channel for _kind, code in api.get_preferences(actor=acting(request)).wanted):
                messages.warning(request, _("还没有为它选择任何通知：请在下面勾选要收的，再保存。"))
            return redirect("notices:preferences")
    return _code_page(request, contact, form)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("signed_in")
def resend_code(request: HttpRequest, channel: str) -> HttpResponse:
    """One's own; the api takes it by the actor's id. What is refused stands on the page of the code; asked for alone it is that page."""
    if request.method != "POST":
        return redirect("notices:verify", channel)
    contact = _mine(channel, acting(request))
    form = CodeForm({})
    form.fields["code"].required = False  # nothing is entered yet: another code is asked for
    if form.submit(lambda _data: api.resend_code(channel=channel, actor=acting(request)), also=("unavailable",)):
        messages.success(request, _("验证码会在片刻后送到。"))
        return redirect("notices:verify", channel)
    form.fields["code"].required = True
    return _code_page(request, contact, form)


@require_http_methods(["GET", "HEAD", "POST"])
@requires("signed_in")
def remove_contact(request: HttpRequest, channel: str) -> HttpResponse:
    """One's own; the api takes it by the actor's id."""
    contact = _mine(channel, acting(request))
    if request.method == "POST":
        api.remove_contact(channel=channel, actor=acting(request))
        messages.success(request, _("已移除。"))
        return redirect("notices:preferences")
    return confirm_page(
        request, title=_("移除联系方式"), question=_("确定移除“%(address)s”吗？") % {"address": contact.masked},
        consequences=(_("以后的通知不再发到这里，站内通知照常。"),), submit=_("移除"), cancel=reverse("notices:preferences"),
    )  # fmt: skip


def _code_page(request: HttpRequest, contact: Contact, form: CodeForm) -> HttpResponse:
    seconds = ceil((contact.resend_at - now()).total_seconds()) if contact.resend_at else 0
    context = {
        "form": form, "title": _("填写验证码"), "submit": _("验证"), "contact": contact, "wait_seconds": max(seconds, 0),
        "verify": reverse("notices:verify", args=[contact.channel]),  # also where the page answers a refused resend
        "resend": reverse("notices:resend", args=[contact.channel]),
        "acts": (Action(_("更换"), reverse("notices:contact", args=[contact.channel])),),
    }  # fmt: skip
    return render(request, "notices/form.html", context, status=form.status)


def _mine(channel: str, actor: Actor) -> Contact:
    found = next((one for one in api.list_contacts(actor=actor) if one.channel == channel), None)
    if found is None:
        raise ContactNotFound()
    return found
