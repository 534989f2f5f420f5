from __future__ import annotations

from django.urls import path

from yunhe.core.attachments.views import downloads, pages, uploads

app_name = "attachments"
urlpatterns = [
    path("", pages.list_drafts, name="list"),
    path("uploads/", uploads.create_upload, name="create"),
    path("uploads/<slug:attachment_id>/", uploads.upload, name="upload"),
    path("<slug:attachment_id>/", downloads.download, name="download"),
    path("<slug:attachment_id>/delete/", pages.delete_draft, name="delete"),
]
