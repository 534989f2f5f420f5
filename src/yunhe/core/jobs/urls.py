from __future__ import annotations

from django.urls import path

from yunhe.core.jobs import views

app_name = "jobs"
urlpatterns = [
    path("", views.list_jobs, name="list"),
    path("dead/", views.list_dead_letters, name="dead"),
    path("dead/retry/", views.retry_letters, name="retry_letters"),
    path("dead/drop/", views.drop_letters, name="drop_letters"),
    path("dead/<int:delivery_id>/retry/", views.retry_delivery, name="retry_delivery"),
    path("<slug:job_id>/", views.show_job, name="job"),
    path("<slug:job_id>/progress/", views.show_progress, name="progress"),
    path("<slug:job_id>/cancel/", views.cancel_job, name="cancel"),
    path("<slug:job_id>/retry/", views.retry_job, name="retry"),
]
