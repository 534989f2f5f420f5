from django.urls import path

from yunhe.data.lake import views

app_name = "lake"
urlpatterns = [
    path("", views.list_loads, name="list"),
    path("loads/<str:load_id>/", views.load_page, name="load"),
    path("loads/<str:load_id>/progress/", views.load_progress, name="progress"),
    path("loads/<str:load_id>/return/", views.return_records, name="return"),
    path("start/<path:code>/", views.start, name="start"),
    path("releases/<path:code>/", views.releases, name="releases"),
    path("rollback/<str:release_id>/<path:code>/", views.rollback, name="rollback"),
]
