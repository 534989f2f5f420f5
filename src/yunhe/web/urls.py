"""Every address of portal, console and API; the rooms bring theirs."""

from __future__ import annotations

from django.urls import include, path

from yunhe.web import health, http, views
from yunhe.web.rooms import ROOMS

urlpatterns = [
    path("", views.home, name="home"),
    path("login", views.login, name="login"),
    path("logout", views.logout, name="logout"),
    path("language", views.choose_language, name="choose_language"),
    path("membership", views.choose_membership, name="choose_membership"),
    path("account", views.account, name="account"),
    path("account/password", views.change_password, name="change_password"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("api/v1/openapi.json", http.openapi, name="openapi"),
    path("api/v1/", http.api.urls),
    *(path(f"{room.prefix}/", include(room.urls)) for room in ROOMS),
]

handler400 = "yunhe.ui.problems.bad_request"
handler403 = "yunhe.ui.problems.permission_denied"
handler404 = "yunhe.ui.problems.page_not_found"
handler500 = "yunhe.ui.problems.server_error"
