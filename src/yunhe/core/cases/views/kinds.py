"""Kinds: the list, one with its picture, fields, limits and versions, its BPMN file."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as __
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from yunhe.core.cases import api
from yunhe.core.cases.errors import KindNotFound
from yunhe.core.cases.forms.actions import say
from yunhe.core.cases.panels import kinds
from yunhe.core.cases.types import KindVersion
from yunhe.ui.cells import Code, Column, Empty, Link, Table, Tag
from yunhe.ui.doors import requires
from yunhe.ui.lists import Listing, export_csv, read_page_request


def _running(kind: str, count: int, **more: Any) -> Any:
    """Return how many cases of a kind go on, as a link to exactly those."""
    href = f"{reverse('cases:list')}?{urlencode({'kind': kind, 'state': 'running', **more})}"
    return Link(f"{count:,}", href) if count else 0


COLUMNS = (
    Column(_("类型"), lambda k: Link(say(k.info.title), reverse("cases:kind", args=[k.info.code]), sub=k.info.code), sort="code", wide=True, sub=_("代码")),
    Column(_("版本"), lambda k: k.info.number, number=True),
    Column(_("在办"), lambda k: _running(k.info.code, k.running), sort="running", number=True),
    Column(_("提出方式"), lambda k: __("填表提出") if k.by_form else __("由各功能提出")),
    Column(_("来源"), lambda k: k.info.source),
    Column(_("发布时间"), lambda k: k.info.loaded_at),
)


@require_safe
@requires("cases.view")
def list_kinds(request: HttpRequest) -> HttpResponse:
    """List the kinds with their version, their source and how many cases run."""
    wanted = read_page_request(request, sorts=("code", "running"), sort="code")
    take = partial(api.list_kind_lines, actor=request.actor)
    if request.GET.get("export"):
        return export_csv(name="case-kinds", columns=COLUMNS, wanted=wanted, take=lambda w: take(request=w))
    empty = Empty(_("没有办件类型"), _("能力包装入办件类型后，会列在这里。"))
    listing = Listing(
        request=request, page=take(request=wanted), wanted=wanted, columns=COLUMNS, caption=_("办件类型"),
        search_label=_("搜索名称、代码"), export=True, empty=empty,
    )  # fmt: skip
    return render(request, "cases/kinds.html", {"listing": listing})


@require_safe
@requires("cases.view")
def show_kind(request: HttpRequest, kind: str) -> HttpResponse:
    """Show a kind at its newest version, or at the one that the address names."""
    number = _number(request, kind)
    versions = api.read_versions(code=kind, actor=request.actor)
    spec = api.read_version(code=kind, number=number, actor=request.actor)
    shown, newest = number or versions[0].number, versions[0].number
    tag = Tag(__("第 %(n)s 版") % {"n": shown}, "canal" if shown == newest else "grey")
    asked = f"?version={shown}" if number else ""
    context = {
        "kind": spec, "title": say(spec.title.as_mapping()), "version_tag": tag, "picture": kinds.picture_of(spec),
        "fields": kinds.fields_table(spec), "limits": kinds.limits_table(spec), "guards": kinds.guards_table(spec), "rules": kinds.rules_facts(spec),
        "versions": _versions(kind, versions),
        "bpmn_href": reverse("cases:kind_bpmn", args=[kind]) + asked, "cases_href": f"{reverse('cases:list')}?kind={quote(kind)}",
    }  # fmt: skip
    return render(request, "cases/kind.html", context)


@require_safe
@requires("cases.view")
def download_bpmn(request: HttpRequest, kind: str) -> HttpResponse:
    """Give the kind as BPMN 2.0 with its layout."""
    text = api.export_bpmn(code=kind, language=kinds.language(), number=_number(request, kind), actor=request.actor)
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(kind)}.bpmn"}
    return HttpResponse(text, content_type="application/xml; charset=utf-8", headers=headers)


def _number(request: HttpRequest, kind: str) -> int | None:
    told = request.GET.get("version", "")
    if told and not (told.isascii() and told.isdigit() and len(told) < 7):
        raise KindNotFound(name=f"{kind} {told[:20]}")
    return int(told) if told else None


def _versions(kind: str, versions: tuple[KindVersion, ...]) -> Table:
    address = reverse("cases:kind", args=[kind])
    columns = (
        Column(_("版本"), lambda v: Link(__("第 %(n)s 版") % {"n": v.number}, f"{address}?version={v.number}")),
        Column(_("在办"), lambda v: _running(kind, v.running, version=v.number), number=True),
        Column(_("生效"), lambda v: v.valid_from),
        Column(_("来源"), lambda v: v.source),
        Column(_("摘要值"), lambda v: Code(v.digest), wide=True),
    )
    return Table(columns, versions, str(_("版本")))
