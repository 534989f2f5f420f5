from __future__ import annotations

from django.urls import path

from yunhe.core.notices import views

app_name = "notices"
urlpatterns = [
    path("", views.list_notices, name="list"),
    path("read/", views.read_all, name="read_all"),
    path("former/", views.list_former, name="former"),
    path("former/read/", views.read_former, name="read_former"),
    path("preferences/", views.show_preferences, name="preferences"),
    path("contacts/<slug:channel>/", views.change_contact, name="contact"),
    path("contacts/<slug:channel>/code/", views.verify_contact, name="verify"),
    path("contacts/<slug:channel>/resend/", views.resend_code, name="resend"),
    path("contacts/<slug:channel>/remove/", views.remove_contact, name="remove"),
    path("webhooks/", views.list_webhooks, name="webhooks"),
    path("webhooks/new/", views.register_webhook, name="register_webhook"),
    path("webhooks/<int:contact_id>/remove/", views.remove_webhook, name="remove_webhook"),
    path("<slug:notice_id>/open/", views.open_notice, name="open"),
    path("<slug:notice_id>/read/", views.read_notice, name="read"),
]
