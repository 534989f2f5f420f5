"""The ledger, one resource, two versions compared."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from yunhe.data.catalog import api
from yunhe.data.catalog.types import (
    GRADES,
    OPENINGS,
    ContractField,
    Difference,
    Freshness,
    Receival,
    Resource,
    ResourceVersion,
    ResourceView,
)
from yunhe.data.catalog.views import shown
from yunhe.data.standards import api as standards
from yunhe.kernel.actor import Actor
from yunhe.kernel.errors import Invalid
from yunhe.kernel.pages import PageRequest
from yunhe.ui import signs
from yunhe.ui.cells import Action, Cell, Code, Column, Empty, Kpi, Lines, Link, Meter, TabItem, Table, Tag
from yunhe.ui.doors import requires
from yunhe.ui.lists import Listing, export_csv, read_page_request
from yunhe.ui.templatetags.yh import full_time, percent, thousands

FILTERS = ("provider", "sharing", "update_cycle", "grade", "opening", "state", "personal", "freshness", "element")
SORTS = ("title", "owner", "grade", "share", "released_at", "rows", "users")
FACETS = {
    "sharing": _("共享属性"), "update_cycle": _("更新周期"), "grade": _("数据分级"), "state": _("状态"),
    "provider": _("提供部门"),
}  # fmt: skip
TABS = {
    "fields": _("信息项"), "quality": _("质量"), "loads": _("装载"), "users": _("使用方"), "history": _("沿革"),
    "contract": _("约定"),
}  # fmt: skip
CHANNELS = {"gateway": _("接口"), "query": _("查询"), "console": _("控制台"), "batch": _("批量"), "grant": _("授权")}
KINDS = {"added": (_("新增"), "green"), "removed": (_("删除"), "red"), "changed": (_("改动"), "amber")}


@require_safe
@requires("ledger.view")
def list_resources(request: HttpRequest) -> HttpResponse:
    wanted = read_page_request(request, filters=FILTERS, sorts=SORTS, sort="title")
    actor: Actor = request.actor  # type: ignore[attr-defined]
    take = partial(api.list_resources, actor=actor)
    if request.GET.get("export"):
        return export_csv(name="ledger", columns=shown.EXPORT_COLUMNS, wanted=wanted, take=lambda w: take(request=w))
    listing = Listing(
        request=request,
        page=shown.in_words(take(request=wanted)),
        wanted=wanted,
        columns=shown.LIST_COLUMNS,
        caption=_("数据资源"),
        facet_titles=FACETS,
        search_label=_("搜索资源、信息项、列、代码"),
        export=True,
        empty=_nothing_yet(actor),
    )
    numbers = shown.ledger_kpis(api.count_ledger(actor=actor))
    acts = [Action(_("登记资源"), reverse("catalog:register"), "primary")] if actor.may("ledger.edit") else []
    return render(request, "catalog/list.html", {"listing": listing, "numbers": numbers, "acts": acts})


@require_safe
@requires("ledger.view")
def resource_page(request: HttpRequest, code: str, tab: str = "fields") -> HttpResponse:
    if tab not in TABS:
        raise Http404
    actor: Actor = request.actor  # type: ignore[attr-defined]
    view = api.view_resource(code=code, actor=actor, version=asked_number(request, "version"))
    fresh = api.freshness(resource=view.resource)
    context = {
        "view": view,
        "resource": view.resource,
        "tab": tab,
        "tabs": _tabs(view, tab),
        "tags": _tags(view, fresh),
        "acts": _acts(view),
        "numbers": _numbers(view.resource, fresh),
        "facts": shown.resource_facts(view.resource, fresh),
        "calendar": _calendar(api.update_calendar(code=code, actor=actor), view.resource.contract.update_cycle),
        "users": api.list_users(code=code, actor=actor, request=PageRequest(size=5)).items,
        **_tab_context(tab, view, actor),
    }
    return render(request, "catalog/resource.html", context)


@require_safe
@requires("ledger.view")
def compare(request: HttpRequest, code: str) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    versions = api.list_versions(code=code, actor=actor)
    after = asked_number(request, "after") or versions[0].version
    before = asked_number(request, "before") or (versions[1].version if len(versions) > 1 else after)
    found = api.compare_versions(code=code, before=before, after=after, actor=actor, language="en" if signs.is_english() else "zh")
    context = {
        "resource": api.access_resource(code=code, actor=actor),
        "versions": versions,
        "before": before,
        "after": after,
        "table": _differences(found),
    }
    return render(request, "catalog/compare.html", context)


def _nothing_yet(actor: Actor) -> Empty:
    if actor.may("ledger.edit"):
        return Empty(_("还没有数据资源"), _("登记第一份约定后，资源会列在这里。"), _("登记资源"), reverse("catalog:register"))
    return Empty(_("还没有数据资源"), _("各部门登记并发布后，资源会列在这里。"))


def asked_number(request: HttpRequest, name: str) -> int | None:
    """Return the number that the address gives, or None. Raises: Invalid."""
    text = request.GET.get(name, "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise Invalid(where=name, expected="1–999999", found=text[:40])
    return int(text)


def _tabs(view: ResourceView, tab: str) -> list[TabItem]:
    code = view.resource.code
    counts = {"fields": len(view.resource.contract.fields), "users": view.resource.users, "history": len(view.versions)}
    first = reverse("catalog:resource", args=[code])
    return [
        TabItem(title, first if name == "fields" else reverse("catalog:tab", args=[code, name]), name == tab, counts.get(name))
        for name, title in TABS.items()
    ]


def _tags(view: ResourceView, fresh: Freshness) -> list[Tag]:
    resource = view.resource
    grade = shown.word(GRADES, str(resource.contract.grade))
    personal = gettext("%(grade)s · 含个人信息") % {"grade": grade} if resource.contract.personal else grade
    return [shown.sharing_tag(resource.contract.sharing), Tag(personal, "grey"), *shown.state_tags(resource, fresh)]


def _acts(view: ResourceView) -> list[Action]:
    code = view.resource.code
    acts = [Action(_("对比版本"), reverse("catalog:compare", args=[code]))] if len(view.versions) > 1 else []
    acts.append(Action(_("下载约定"), reverse("catalog:contract_file", args=[code])))
    if view.may_edit:
        acts.append(Action(_("修改约定"), reverse("catalog:edit", args=[code])))
    if view.may_submit:
        acts.append(Action(_("提交审核"), reverse("catalog:submit", args=[code]), "primary"))
    if view.may_withdraw:
        acts.append(Action(_("下架"), reverse("catalog:withdraw", args=[code]), "danger"))
    return acts


def _numbers(resource: Resource, fresh: Freshness) -> list[Kpi]:
    def to(tab: str) -> str:
        return reverse("catalog:tab", args=[resource.code, tab])

    snapshot = gettext("当前快照") if resource.snapshot_id is not None else gettext("还没有装载")
    below = resource.counts.get("below", 0)
    words = gettext("不合格不超过 %(n)s 处") if below else gettext("不合格 %(n)s 处")
    failing = words % {"n": thousands(resource.failing_rows)} if resource.failing_rows else ""
    passed = f"≥ {percent(resource.share)}" if below else percent(resource.share)
    late = fresh.state == "late"
    return [
        Kpi(_("记录"), resource.rows, to("loads"), snapshot),
        Kpi(_("合格率"), passed, to("quality"), failing, "warn" if failing else ""),
        Kpi(_("最近更新"), resource.released_at, to("loads"), shown.freshness_words(fresh), "missed" if late else ""),
        Kpi(_("使用方"), resource.users, to("users"), gettext("个单位")),
    ]


def _calendar(days: tuple[tuple[date, int], ...], cycle: str) -> dict[str, Any]:
    """Return the last days as squares: jade where a release came, amber where an expected one did not.

    Days before the first release, and days on which none was due, are plain.
    """
    first = next((at for at, (_day, count) in enumerate(days) if count), len(days))
    squares = []
    for at, (day, count) in enumerate(days):
        expected = cycle in ("realtime", "daily") and at > first
        fill = "#2c7a58" if count else "#f0dcae" if expected else "#e9e6de"
        squares.append({"x": at % 15 * 20, "y": at // 15 * 20, "fill": fill, "day": day, "count": count})
    return {"squares": squares, "days": len(days), "updated": sum(1 for _day, count in days if count)}


def _tab_context(tab: str, view: ResourceView, actor: Actor) -> dict[str, Any]:
    resource = view.resource
    if tab == "fields":
        return {"table": _field_table(resource)}
    if tab == "loads":
        may_open = actor.may("lake.view", organization=resource.owner)
        return {"table": _release_table(api.list_receivals(code=resource.code, actor=actor), may_open=may_open)}
    if tab == "users":
        return {"table": _user_table(resource, actor)}
    if tab == "history":
        return {"table": _version_table(view)}
    if tab == "contract":
        source = shown.source_facts(resource.contract) if actor.may("lake.view", organization=resource.owner) else []
        return {"text": contract_text(resource, actor), "source": source, "digest": Code(resource.digest)}
    return {}


def contract_text(resource: Resource, actor: Actor) -> str:
    """Return the contract as YAML; where a department keeps its data is shown to those who may see its loads."""
    contract = resource.contract
    if not actor.may("lake.view", organization=resource.owner):
        contract = replace(contract, source=replace(contract.source, location="", options={}))
    return api.render_contract(contract=contract)


def _field_table(resource: Resource) -> Table:
    quality = resource.field_quality
    keys = set(resource.contract.keys)

    elements = standards.get_elements()

    def name(one: ContractField) -> Cell:
        title = (one.title, Tag(gettext("主键"), "grey")) if one.name in keys else one.title
        return Lines(title, one.name if one.column in ("", one.title) else f"{one.name} · {one.column}")

    def element(one: ContractField) -> Cell:
        found = elements.get(one.element)
        if found is None:
            return one.element or None
        english = (get_language() or "zh").startswith("en") and found.title_en
        return Link(found.title_en if english else found.title, reverse("standards:element", args=[found.code]))

    columns = [
        Column(_("信息项"), name, wide=True),
        Column(_("数据元"), lambda f: Lines(element(f), shown.type_words(f))),
        Column(_("分级"), lambda f: shown.word(GRADES, str(f.grade))),
        Column(_("共享"), lambda f: Lines(shown.sharing_tag(f.sharing), gettext("掩码") if f.mask != "none" else "")),
        Column(_("开放"), lambda f: shown.word(OPENINGS, f.opening)),
    ]  # fmt: skip
    if quality:
        columns += [
            Column(_("空值率"), lambda f: percent(quality[f.name].null_share) if f.name in quality else None, number=True),
            Column(_("质量"), lambda f: Meter(quality[f.name].share) if f.name in quality else None),
        ]
    return Table(columns, resource.contract.fields, str(_("信息项")))


def _release_table(receivals: tuple[Receival, ...], *, may_open: bool) -> Table:
    def when(one: Receival) -> Cell:
        if not may_open or not one.load_id:
            return one.at
        return Link(full_time(one.at), reverse("lake:load", args=[one.load_id]))

    columns = (
        Column(_("时间"), when, wide=True),
        Column(_("记录"), lambda r: r.rows, number=True),
        Column(_("读入"), lambda r: r.counts.get("rows_in"), number=True),
        Column(_("隔离"), lambda r: r.counts.get("quarantined"), number=True),
        Column(_("拒收"), lambda r: r.counts.get("rejected"), number=True),
        Column(_("快照"), lambda r: Code(str(r.snapshot_id))),
    )
    return Table(columns, receivals, str(_("发布过的快照")), Empty(_("还没有装载"), _("装载并发布后，每一次更新都会列在这里。")))


def _user_table(resource: Resource, actor: Actor) -> Table:
    columns = (
        Column(_("使用方"), lambda u: u.consumer_name, wide=True),
        Column(_("方式"), lambda u: CHANNELS.get(u.channel, u.channel)),
        Column(_("用途"), lambda u: u.purpose or None),
        Column(_("次数"), lambda u: u.calls, number=True),
        Column(_("最近使用"), lambda u: u.last_at),
    )
    users = api.list_users(code=resource.code, actor=actor).items
    return Table(columns, users, str(_("使用方")), Empty(_("还没有单位使用"), _("授权后的每次使用都会计入这里。")))


def _version_table(view: ResourceView) -> Table:
    code = view.resource.code
    last = {one.version: before.version for one, before in zip(view.versions, view.versions[1:], strict=False)}

    def against(one: ResourceVersion) -> Cell:
        if one.version not in last:
            return None
        return Link(gettext("与上一版对比"), f"{reverse('catalog:compare', args=[code])}?before={last[one.version]}&after={one.version}")

    columns = (
        Column(_("版本"), lambda v: Link(gettext("第 %(n)s 版") % {"n": v.version}, f"{reverse('catalog:resource', args=[code])}?version={v.version}")),
        Column(_("状态"), lambda v: Tag(gettext("已替换"), "grey") if v.state == "superseded" else shown.state_tag(v.state)),
        Column(_("编制人"), lambda v: v.author),
        Column(_("时间"), lambda v: v.at),
        Column(_("说明"), lambda v: v.note or None, wide=True),
        Column(_("摘要值"), lambda v: Code(v.digest[:16])),
        Column(_("对比"), against),
    )  # fmt: skip
    return Table(columns, view.versions, str(_("沿革")))


def _differences(found: tuple[Difference, ...]) -> Table:
    language = "en" if (get_language() or "zh").startswith("en") else "zh"
    columns = (
        Column(_("项目"), lambda d: Lines(d.label[language], d.path)),
        Column(_("改动"), lambda d: Tag(str(KINDS[d.kind][0]), KINDS[d.kind][1])),  # type: ignore[arg-type]
        Column(_("原来"), lambda d: d.before or None, wide=True),
        Column(_("现在"), lambda d: d.after or None, wide=True),
    )
    return Table(columns, found, str(_("版本差异")), Empty(_("两个版本相同"), _("请选择另外两个版本。")))
