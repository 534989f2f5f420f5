from django.urls import path

from yunhe.data.exchange import views

app_name = "exchange"
urlpatterns = [
    path("", views.list_grants, name="list"),
    path("grants/<str:grant_id>/", views.grant_page, name="grant"),
    path("grants/<str:grant_id>/revoke/", views.revoke, name="revoke"),
    path("request/<path:code>/", views.request_data, name="request"),
    path("rows/<path:code>/", views.rows, name="rows"),
    path("query/", views.query, name="query"),
    path("systems/", views.list_systems, name="systems"),
    path("systems/new/", views.create_system, name="system_create"),
    path("systems/<str:key_id>/revoke/", views.revoke_system, name="system_revoke"),
]
