"""Pages of organisations and divisions."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from yunhe.core.organizations import api
from yunhe.core.organizations.forms import EndForm, OrganizationForm
from yunhe.core.organizations.types import ORGANIZATION_KINDS, REGION_LEVELS, Organization, Region
from yunhe.core.organizations.views.sections import sections
from yunhe.kernel.clock import local, now
from yunhe.kernel.pages import PageRequest
from yunhe.ui.cells import Action, Code, Column, Empty, Fact, Link, Table, Tag
from yunhe.ui.doors import requires
from yunhe.ui.lists import Listing, export_csv, read_page_request
from yunhe.ui.pages import confirm_page
from yunhe.ui.templatetags.yh import spoken

LEVELS = dict(zip(REGION_LEVELS, (_("国家"), _("省"), _("市"), _("县区"), _("乡镇街道"), _("村社区")), strict=True))
BODY_COLUMNS = (
    Column(_("机构"), lambda o: Link(o.label, _body_href(o.code), sub=o.code), sort="name", wide=True, sub=_("代码")),
    Column(_("全称"), lambda o: o.name, wide=True),
    Column(_("类别"), lambda o: spoken(ORGANIZATION_KINDS[o.kind])),
    Column(_("区划"), lambda o: o.region),
    Column(_("设立"), lambda o: o.valid_from),
)
REGION_COLUMNS = (
    Column(_("名称"), lambda r: Link(r.name, f"{reverse('organizations:regions')}?parent={r.code}"), wide=True),
    Column(_("代码"), lambda r: Code(r.code)),
    Column(_("级别"), lambda r: LEVELS[r.level]),
    Column(_("有效期"), lambda r: _period(r)),
    Column(_("承接"), lambda r: r.successor),
)


def _body_href(code: str) -> str:
    return reverse("organizations:organization", args=[code])


def _period(region: Region) -> str:
    start = region.valid_from.isoformat() if region.valid_from else "…"
    return f"{start} — {region.valid_until.isoformat() if region.valid_until else _t('至今')}"


@require_safe
@requires("organizations.view")
def list_organizations(request: HttpRequest) -> HttpResponse:
    wanted = read_page_request(request, filters=("kind", "region", "parent"), sorts=("name", "code"))
    take = partial(api.list_organizations, actor=request.actor)
    if request.GET.get("export"):
        return export_csv(name="organizations", columns=BODY_COLUMNS, wanted=wanted, take=lambda w: take(request=w))
    listing = Listing(
        request=request, page=take(request=wanted), wanted=wanted, columns=BODY_COLUMNS, caption=_("机构"),
        facet_titles={"kind": _("类别")}, choices={"kind": tuple(ORGANIZATION_KINDS.items())},
        search_label=_("搜索名称、简称、代码"), export=True,
        empty=Empty(_("还没有机构"), _("装入能力包，或逐个登记。"), _("登记机构"), reverse("organizations:create")),
    )  # fmt: skip
    acts = _manage(request, Action(_("登记机构"), reverse("organizations:create"), "primary"))
    context = {"listing": listing, "tabs": sections("list"), "title": _("机构"), "acts": acts}
    return render(request, "organizations/list.html", context)


def _manage(request: HttpRequest, *acts: Action) -> tuple[Action, ...]:
    return acts if request.actor.may("organizations.manage") else ()


@require_http_methods(["GET", "HEAD", "POST"])
@requires("organizations.manage")
def create_organization(request: HttpRequest) -> HttpResponse:
    form = OrganizationForm(request.POST or None)
    if request.method == "POST":
        made = form.submit(lambda data: api.create_organization(**_named(data), actor=request.actor))
        if made is not None:
            messages.success(request, _("已登记“%(name)s”。") % {"name": made.name})
            return redirect("organizations:organization", made.code)
    context = {"form": form, "title": _("登记机构"), "cancel": reverse("organizations:list")}
    return render(request, "organizations/form.html", context, status=form.status)


def _named(data: dict[str, str]) -> dict[str, str]:
    parent = data["parent"] and api.get_organization(code=data["parent"]).code
    return {**data, "parent": parent}


@require_safe
@requires("organizations.view")
def show_organization(request: HttpRequest, code: str) -> HttpResponse:
    body = api.get_organization(code=code)
    people = api.list_persons(request=PageRequest(size=100, filters={"organization": body.code}), actor=request.actor)
    columns = (
        Column(
            _("姓名"), lambda p: Link(p.display_name, reverse("organizations:user", args=[p.username]), sub=p.username)
        ),
        Column(_("状态"), lambda p: Tag(_("在用"), "green") if p.is_active else Tag(_("已停用"), "grey")),
        Column(_("上次登录"), lambda p: p.last_login_at),
    )
    nobody = Empty(
        _("还没有人在这个机构任职"),
        _("在人员页授予任职后，会列在这里。"),
        _("去人员页"),
        reverse("organizations:users"),
    )
    acts = (
        () if body.valid_until else (Action(_("撤销机构"), reverse("organizations:end", args=[body.code]), "danger"),)
    )
    context = {
        "body": body, "facts": _body_facts(body), "acts": _manage(request, *acts),
        "people": Table(columns, people.items, caption=_("人员"), empty=nobody),
    }  # fmt: skip
    return render(request, "organizations/organization.html", context)


def _body_facts(body: Organization) -> tuple[Fact, ...]:
    return (
        Fact(_("全称"), body.name),
        Fact(_("统一社会信用代码"), Code(body.code)),
        Fact(_("类别"), spoken(ORGANIZATION_KINDS[body.kind])),
        Fact(_("行政区划代码"), Code(body.region)),
        Fact(_("上级机构"), Link(body.parent, _body_href(body.parent)) if body.parent else None),
        Fact(_("设立"), body.valid_from),
        Fact(_("撤销"), body.valid_until),
        Fact(_("承接机构"), Link(body.successor, _body_href(body.successor)) if body.successor else None),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires("organizations.manage")
def end_organization(request: HttpRequest, code: str) -> HttpResponse:
    body = api.get_organization(code=code)
    form = EndForm(request.POST or None, initial={"valid_until": local(now()).date(), "version": body.version})
    if request.method == "POST" and form.submit(lambda data: _end(request, body.code, data)) is not None:
        messages.success(request, _("已撤销“%(name)s”。") % {"name": body.name})
        return redirect("organizations:organization", body.code)
    return confirm_page(
        request, title=_("撤销机构"), question=_("确定撤销“%(name)s”吗？") % {"name": body.name},
        consequences=(_("从那天起，在该机构的任职不再有效。"), _("历史记录和存证保留。")),
        submit=_("撤销机构"), cancel=_body_href(body.code), form=form,
    )  # fmt: skip


def _end(request: HttpRequest, code: str, data: dict[str, object]) -> Organization:
    successor = data["successor"] and api.get_organization(code=str(data["successor"])).code
    return api.end_organization(
        code=code, valid_until=data["valid_until"], expected_version=data["version"], actor=request.actor,
        successor=successor,
    )  # fmt: skip


@require_safe
@requires("organizations.view")
def list_regions(request: HttpRequest) -> HttpResponse:
    parent = request.GET.get("parent", "")[:12]
    above = api.get_region(code=parent) if parent else None
    rows = api.list_regions(parent=parent)
    empty = Empty(_("没有下级区划"), _("区划由能力包装入，随民政部门公布的变更更新。"))
    context = {
        "above": above, "tabs": sections("regions"), "title": above.name if above else _("行政区划"),
        "table": Table(REGION_COLUMNS, rows, caption=_("行政区划"), empty=empty),
        "history": Table(REGION_COLUMNS, api.list_region_history(code=parent) if parent else (), caption=_("沿革")),
    }  # fmt: skip
    return render(request, "organizations/regions.html", context)
