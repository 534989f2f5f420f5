from django.urls import path

from yunhe.data.quality import views

app_name = "quality"
urlpatterns = [
    path("", views.list_resources, name="list"),
    path("findings/<path:code>/", views.findings, name="findings"),
]
