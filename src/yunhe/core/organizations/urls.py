from __future__ import annotations

from django.urls import path

from yunhe.core.organizations import views

app_name = "organizations"
urlpatterns = [
    path("", views.list_organizations, name="list"),
    path("new/", views.create_organization, name="create"),
    path("regions/", views.list_regions, name="regions"),
    path("users/", views.list_users, name="users"),
    path("users/new/", views.create_user, name="create_user"),
    path("users/<str:username>/", views.show_user, name="user"),
    path("users/<str:username>/password/", views.set_password, name="set_password"),
    path("users/<str:username>/close/", views.close_user, name="close_user"),
    path("users/<str:username>/memberships/new/", views.add_membership, name="add_membership"),
    path("users/<str:username>/memberships/<int:membership_id>/end/", views.end_membership, name="end_membership"),
    path("roles/", views.list_roles, name="roles"),
    path("roles/<slug:code>/", views.show_role, name="role"),
    path("<str:code>/", views.show_organization, name="organization"),
    path("<str:code>/end/", views.end_organization, name="end"),
]
