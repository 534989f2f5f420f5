"""Pages of organisations, divisions, accounts, roles."""

from yunhe.core.organizations.views.bodies import (
    create_organization,
    end_organization,
    list_organizations,
    list_regions,
    show_organization,
)
from yunhe.core.organizations.views.persons import (
    add_membership,
    close_user,
    create_user,
    end_membership,
    list_users,
    set_password,
    show_user,
)
from yunhe.core.organizations.views.roles import list_roles, show_role

__all__ = [
    "add_membership",
    "close_user",
    "create_organization",
    "create_user",
    "end_membership",
    "end_organization",
    "list_organizations",
    "list_regions",
    "list_roles",
    "list_users",
    "set_password",
    "show_organization",
    "show_role",
    "show_user",
]
