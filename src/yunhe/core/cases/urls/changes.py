from django.urls import path

from yunhe.core.cases.views import changes

app_name = "changes"
urlpatterns = [
    path("", changes.list_changes, name="list"),
    path("new/<slug:kind>/", changes.plan_change, name="plan"),
    path("<slug:migration_id>/", changes.show_change, name="change"),
    path("<slug:migration_id>/approve/", changes.approve_change, name="approve"),
    path("<slug:migration_id>/apply/", changes.apply_change, name="apply"),
    path("<slug:migration_id>/progress/", changes.show_progress, name="progress"),
    path("<slug:migration_id>/trial/", changes.try_change, name="trial"),
    path("<slug:migration_id>/stop/", changes.stop_change, name="stop"),
    path("<slug:migration_id>/withdraw/", changes.withdraw_change, name="withdraw"),
    path("<slug:migration_id>/back/", changes.plan_back, name="back"),
]
