from __future__ import annotations

from django.urls import path

from yunhe.core.packs import views

app_name = "packs"
urlpatterns = [
    path("", views.list_packs, name="list"),
    path("<slug:name>/", views.show_pack, name="pack"),
    path("<slug:name>/load/", views.load_pack, name="load"),
]
