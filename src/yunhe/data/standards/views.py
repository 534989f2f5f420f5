"""Pages of standards: elements, code sets, and where they are used."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from yunhe.data.standards import api
from yunhe.data.standards.types import DIMENSIONS, CodeItem, CodeSet, Element, RuleSpec, Usage
from yunhe.engine import checks
from yunhe.engine.masks import MASKS
from yunhe.engine.types import Rule
from yunhe.kernel.actor import Actor
from yunhe.kernel.errors import Invalid
from yunhe.kernel.pages import Page
from yunhe.ui import signs
from yunhe.ui.cells import Cell, Code, Column, Empty, Fact, Lines, Link, TabItem, Table, Tag
from yunhe.ui.doors import requires
from yunhe.ui.lists import Listing, export_csv, read_page_request

TYPES = {
    "string": _("字符"), "integer": _("整数"), "decimal": _("数值"), "date": _("日期"), "timestamp": _("日期时间"),
    "boolean": _("是否"),
}  # fmt: skip
GRADES = {1: _("一级"), 2: _("二级"), 3: _("三级"), 4: _("四级")}
SEVERITIES = {"block": (_("阻断"), "red"), "warn": (_("告警"), "amber"), "info": (_("提示"), "grey")}
ELEMENT_FILTERS = {"object_class": _("对象类词"), "type": _("数据类型"), "grade": _("分级"), "personal": _("个人信息")}


def _language() -> str:
    return "en" if (get_language() or "zh").startswith("en") else "zh"


def _title(one: Element | CodeSet) -> str:
    return one.title_en if _language() == "en" and one.title_en else one.title


def _element_link(one: Element) -> Link:
    return Link(_title(one), reverse("standards:element", args=[one.code]), sub=one.code)


def _personal(one: Element) -> Cell:
    if not one.personal:
        return None
    return Tag(gettext("敏感个人信息"), "red") if one.sensitive else Tag(gettext("个人信息"), "amber")


ELEMENT_COLUMNS = (
    Column(_("数据元"), _element_link, sort="title", wide=True, sub=_("代码")),
    Column(_("对象类词"), lambda e: e.object_class or None),
    Column(_("类型"), lambda e: Lines(TYPES[e.type], e.notation), sub=_("表示格式")),
    Column(_("分级"), lambda e: GRADES[e.grade]),
    Column(_("个人信息"), _personal),
    Column(_("代码集"), lambda e: Link(e.code_set, reverse("standards:code_set", args=[e.code_set])) if e.code_set else None),
    Column(_("来源标准"), lambda e: Lines(e.source.standard, e.source.clause), wide=True, sub=_("条款")),
)
CODE_SET_COLUMNS = (
    Column(_("代码集"), lambda c: Link(_title(c), reverse("standards:code_set", args=[c.code]), sub=c.code), sort="title", wide=True, sub=_("代码")),
    Column(_("来源标准"), lambda c: c.standard),
    Column(_("版本"), lambda c: c.edition),
    Column(_("实施日期"), lambda c: c.valid_from),
    Column(_("代码数"), lambda c: len(c.items), number=True),
)
ITEM_COLUMNS = (
    Column(_("代码"), lambda i: Code(i.code)),
    Column(_("名称"), lambda i: i.title_en if _language() == "en" and i.title_en else i.title, wide=True),
    Column(_("上级"), lambda i: i.parent or None),
    Column(_("同义"), lambda i: signs.listed(i.aliases) or None),
    Column(_("启用"), lambda i: i.valid_from),
    Column(_("停用"), lambda i: i.valid_until),
)


# Pages of what rooms above register here, by name: a subject without a page is shown as text.
SUBJECT_PAGES = {"data_resource": "catalog:resource"}


def _usage_link(one: Usage) -> Cell:
    try:
        href = reverse(SUBJECT_PAGES[one.subject_type], args=[one.subject_code])
    except (KeyError, NoReverseMatch):
        return Lines(one.subject_title, one.subject_code)
    return Link(one.subject_title, href, sub=one.subject_code)


USAGE_COLUMNS = (
    Column(_("资源"), _usage_link, wide=True),
    Column(_("提供部门"), lambda u: u.organization_name),
    Column(_("信息项"), lambda u: Lines(u.field_title, u.field)),
)


@require_safe
@requires("standards.view")
def list_elements(request: HttpRequest) -> HttpResponse:
    take = partial(api.list_elements, actor=_actor(request))
    wanted = read_page_request(request, filters=tuple(ELEMENT_FILTERS), sorts=("title", "code"), sort="code", size=50)
    if request.GET.get("export"):
        return export_csv(name="elements", columns=ELEMENT_COLUMNS, wanted=wanted, take=lambda w: take(request=w))
    listing = Listing(
        request=request,
        page=_in_words(take(request=wanted)),
        wanted=wanted,
        columns=ELEMENT_COLUMNS,
        caption=_("数据元"),
        facet_titles=ELEMENT_FILTERS,
        search_label=_("搜索名称、同义名称、列名、标准"),
        export=True,
        empty=Empty(_("还没有数据元"), _("装入国家标准能力包（national）后会列在这里。")),
    )
    return render(request, "standards/list.html", {"listing": listing, "tabs": _tabs("elements"), "what": _("数据元")})


@require_safe
@requires("standards.view")
def list_code_sets(request: HttpRequest) -> HttpResponse:
    take = partial(api.list_code_sets, actor=_actor(request))
    wanted = read_page_request(request, sorts=("title", "code"), sort="code", size=50)
    if request.GET.get("export"):
        return export_csv(name="code-sets", columns=CODE_SET_COLUMNS, wanted=wanted, take=lambda w: take(request=w))
    listing = Listing(
        request=request,
        page=take(request=wanted),
        wanted=wanted,
        columns=CODE_SET_COLUMNS,
        caption=_("代码集"),
        search_label=_("搜索名称、标准、代码"),
        export=True,
        empty=Empty(_("还没有代码集"), _("装入国家标准能力包（national）后会列在这里。")),
    )
    return render(request, "standards/list.html", {"listing": listing, "tabs": _tabs("code_sets"), "what": _("代码集")})


@require_safe
@requires("standards.view")
def element_page(request: HttpRequest, code: str) -> HttpResponse:
    versions = api.list_element_versions(code=code, actor=_actor(request))
    element = api.get_element(code=code)
    used = api.where_used(element=code)
    context = {
        "element": element,
        "title": _title(element),
        "facts": _element_facts(element),
        "personal": _personal(element),
        "rules": _rule_table(element),
        "usage": _usage_table(used.items),
        "used": used.total,
        "version": versions[0].number,
    }
    return render(request, "standards/element.html", context)


@require_safe
@requires("standards.view")
def code_set_page(request: HttpRequest, code: str) -> HttpResponse:
    on = _asked_day(request)
    found = api.get_code_set(code=code, on=on)
    used = api.where_used(code_set=code)
    context = {
        "code_set": found,
        "title": _title(found),
        "on": on,
        "facts": _code_set_facts(found),
        "values": _value_table(found.items),
        "usage": _usage_table(used.items),
        "used": used.total,
    }
    return render(request, "standards/code_set.html", context)


def _in_words(page: Page[Element]) -> Page[Element]:
    """Return the page with the labels of its facets in the page's language."""
    words = {"grade": {str(grade): str(label) for grade, label in GRADES.items()}, "type": {k: str(v) for k, v in TYPES.items()}}
    words["personal"] = {"true": gettext("是"), "false": gettext("否")}
    facets = tuple(replace(one, label=words.get(one.name, {}).get(one.value, one.label)) for one in page.facets)
    return replace(page, facets=facets)


def _actor(request: HttpRequest) -> Actor:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    return actor


def _tabs(current: str) -> list[TabItem]:
    return [
        TabItem(gettext("数据元"), reverse("standards:list"), current == "elements"),
        TabItem(gettext("代码集"), reverse("standards:code_sets"), current == "code_sets"),
    ]


def _asked_day(request: HttpRequest) -> date | None:
    text = request.GET.get("on", "")
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Invalid(where="on", expected="YYYY-MM-DD", found=text[:40]) from error


def _element_facts(element: Element) -> list[Fact]:
    mask = MASKS.get(element.mask)
    facts = [
        Fact(_("定义"), element.definition),
        Fact(_("英文名称"), element.title_en),
        Fact(_("对象类词"), element.object_class),
        Fact(_("数据类型"), TYPES[element.type]),
        Fact(_("数据格式"), Code(element.notation)),
        Fact(_("计量单位"), element.unit),
        Fact(_("分级"), GRADES[element.grade]),
        Fact(_("脱敏方式"), mask.title[_language()] if mask else element.mask),
        Fact(_("同义名称"), signs.listed(element.aliases)),
        Fact(_("常用列名"), signs.listed(element.columns)),
        Fact(_("来源标准"), f"{element.source.standard} {element.source.clause}".strip()),
    ]
    return [fact for fact in facts if fact.value]


def _code_set_facts(found: CodeSet) -> list[Fact]:
    facts = [
        Fact(_("来源标准"), found.standard),
        Fact(_("版本"), found.edition),
        Fact(_("实施日期"), found.valid_from),
        Fact(_("废止日期"), found.valid_until),
        Fact(_("说明"), found.note),
    ]
    return [fact for fact in facts if fact.value]


def _rule_table(element: Element) -> Table:
    def sentence(spec: RuleSpec) -> Any:
        rule = Rule(spec.kind, spec.kind, spec.dimension, spec.severity, (element.title,), spec.arguments)
        return checks.explain(rule)

    columns = (
        Column(_("规则"), sentence, wide=True),
        Column(_("维度"), lambda s: DIMENSIONS[s.dimension]),
        Column(_("处理"), lambda s: Tag(str(SEVERITIES[s.severity][0]), SEVERITIES[s.severity][1])),  # type: ignore[arg-type]
    )
    nothing = Empty(_("没有规则"), _("该数据元只规定含义，不检查取值。"))
    return Table(columns, api.element_rules(element=element), str(_("质量规则")), nothing)


def _usage_table(found: Sequence[Usage]) -> Table:
    nothing = Empty(_("还没有资源使用"), _("资源的信息项对应到它并发布后会列在这里。"))
    return Table(USAGE_COLUMNS, found, str(_("使用情况")), nothing)


def _value_table(items: tuple[CodeItem, ...]) -> Table:
    return Table(ITEM_COLUMNS, items, str(_("代码")), Empty(_("这一天没有有效的代码"), _("请换一个日期。")))
