"""Whole pages that every room uses: asking before an act that cannot be undone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme


def confirm_page(
    request: HttpRequest,
    *,
    title: Any,
    question: Any,
    consequences: Sequence[Any],
    submit: Any,
    cancel: str,
    form: Any = None,
    tone: str = "danger",
) -> HttpResponse:
    """Return the page that asks before an irreversible act; its form posts to the same address."""
    context = {
        "title": title,
        "question": question,
        "consequences": consequences,
        "submit": submit,
        "cancel": cancel,
        "form": form,
        "tone": tone,
    }
    return render(request, "ui/confirm.html", context, status=getattr(form, "status", 200))


def safe_next(request: HttpRequest, fallback: str = "/") -> str:
    """Return the `next` address of a form or query if it is on this site, else the fallback."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    secure = request.is_secure()
    if url_has_allowed_host_and_scheme(wanted, allowed_hosts={request.get_host()}, require_https=secure):
        return wanted
    return fallback
