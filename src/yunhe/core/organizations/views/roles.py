"""Pages of roles and their rights, to read."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from yunhe.core.organizations import api
from yunhe.core.organizations.types import OWN, Role
from yunhe.core.organizations.views.sections import sections
from yunhe.kernel.actor import ALL
from yunhe.ui import signs
from yunhe.ui.cells import Code, Column, Fact, Link, Table, Tag
from yunhe.ui.doors import requires
from yunhe.ui.names import names_of
from yunhe.ui.templatetags.yh import spoken

SEPARATIONS = {"system": _("系统管理员"), "security": _("安全管理员"), "audit": _("审计管理员")}
ROLE_COLUMNS = (
    Column(
        _("角色"),
        lambda r: Link(str(spoken(r.title)), reverse("organizations:role", args=[r.code]), sub=r.code),
        wide=True,
    ),
    Column(_("三员"), lambda r: _separation(r)),
    Column(_("权限"), lambda r: len(r.rights), number=True),
    Column(_("能力包"), lambda r: r.pack),
)
RIGHT_COLUMNS = (
    Column(_("权限"), lambda right: _title(right.permission), wide=True),
    Column(_("代码"), lambda right: Code(right.permission)),
    Column(_("机构范围"), lambda right: _set(right.organizations, _("本机构"))),
    Column(_("区划范围"), lambda right: _set(right.regions, _("本区划"))),
    Column(_("种类范围"), lambda right: _set(right.kinds, _("本类"))),
)


def _separation(role: Role) -> Tag | None:
    return Tag(SEPARATIONS[role.separation], "amber") if role.separation else None


def _set(codes: tuple[str, ...], own: object) -> str:
    names = {ALL: _("全部"), OWN: own}
    return signs.listed(str(names.get(code, code)) for code in codes)


def _title(permission: str) -> object:
    if permission == ALL:
        return _("全部权限")
    return spoken(names_of("permission", [permission])[permission])


@require_safe
@requires("organizations.view")
def list_roles(request: HttpRequest) -> HttpResponse:
    table = Table(ROLE_COLUMNS, api.list_roles(), caption=_("角色"))
    context = {"table": table, "tabs": sections("roles"), "title": _("角色")}
    return render(request, "organizations/list.html", context)


@require_safe
@requires("organizations.view")
def show_role(request: HttpRequest, code: str) -> HttpResponse:
    role = api.get_role(code=code)
    facts = (
        Fact(_("代码"), Code(role.code)), Fact(_("三员"), _separation(role)), Fact(_("能力包"), role.pack),
    )  # fmt: skip
    rights = Table(RIGHT_COLUMNS, role.rights, caption=_("权限"))
    return render(request, "organizations/role.html", {"role": role, "facts": facts, "rights": rights})
