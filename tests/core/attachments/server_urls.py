"""The node's own addresses and one page with a form that takes files."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.urls import path

from yunhe.core.attachments import api
from yunhe.core.attachments.forms import AttachmentField
from yunhe.ui.doors import requires
from yunhe.ui.forms import YunheForm
from yunhe.web.urls import handler400, handler403, handler404, handler500
from yunhe.web.urls import urlpatterns as of_the_node

PAGE = """{% extends "ui/page.html" %}{% block title %}Trial{% endblock %}{% block h1 %}Trial{% endblock %}
{% block content %}{% for one in taken %}<p class="taken">{{ one.name }} {{ one.size }}</p>{% endfor %}
<div class="card"><div class="card-body">{% form form submit="Submit" %}</div></div>{% endblock %}"""


class TrialForm(YunheForm):
    files = AttachmentField(purpose="proof", label="Files")


@requires("signed_in")
def trial(request: HttpRequest) -> HttpResponse:
    sent = (request.POST, request.FILES) if request.method == "POST" else ()
    form: Any = TrialForm(*sent)
    form.fields["files"].act_as(request.actor)  # type: ignore[attr-defined]
    taken: Any = ()
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            ids = form.cleaned_data["files"]
            taken = api.attach(ids=ids, subject_type="trial", subject_id="1", actor=request.actor)  # type: ignore[attr-defined]
        form = TrialForm()
        form.fields["files"].act_as(request.actor)  # type: ignore[attr-defined]
    return HttpResponse(engines["django"].from_string(PAGE).render({"form": form, "taken": taken}, request), status=form.status)


urlpatterns = [*of_the_node, path("trial/", trial)]
__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]
