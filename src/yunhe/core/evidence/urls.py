from __future__ import annotations

from django.urls import path

from yunhe.core.evidence import views

app_name = "evidence"
urlpatterns = [
    path("", views.list_evidence, name="list"),
    path("<slug:evidence_id>/", views.show_evidence, name="record"),
]
