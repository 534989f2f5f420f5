from __future__ import annotations

from django.urls import path

from yunhe.data.standards import views

app_name = "standards"
urlpatterns = [
    path("", views.list_elements, name="list"),
    path("elements/<slug:code>/", views.element_page, name="element"),
    path("code-sets/", views.list_code_sets, name="code_sets"),
    path("code-sets/<slug:code>/", views.code_set_page, name="code_set"),
]
