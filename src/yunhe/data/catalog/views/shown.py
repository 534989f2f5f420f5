"""How the values of the ledger look: words, tones, columns, facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.urls import reverse
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from yunhe.data.catalog.types import (
    CYCLES,
    GRADES,
    OPENINGS,
    SHARINGS,
    STATES,
    TYPES,
    Contract,
    ContractField,
    Freshness,
    LedgerNumbers,
    Resource,
    ResourceLine,
)
from yunhe.kernel.pages import Page
from yunhe.ui import signs
from yunhe.ui.cells import Cell, Column, Fact, Kpi, Lines, Link, Meter, Tag
from yunhe.ui.templatetags.yh import percent, thousands

SHARING_TONES = {"unconditional": "canal", "conditional": "amber", "refused": "red"}
OPENING_TONES = {"open": "green", "conditional": "amber", "closed": "grey"}
FRESH_TONES: Mapping[str, Any] = {"late": "red", "never": "grey", "fresh": "green", "unbound": "grey"}
STATE_TONES = {"draft": "grey", "in_review": "amber", "published": "green", "withdrawn": "red"}
SHORT_SHARING = {"unconditional": _("无条件"), "conditional": _("有条件"), "refused": _("不予")}
LABELS: Mapping[str, Any] = {
    "sharing": SHARINGS, "update_cycle": CYCLES, "grade": GRADES, "opening": OPENINGS, "state": STATES,
}  # fmt: skip


def word(labels: Mapping[str, Mapping[str, str]], code: str) -> str:
    """Return the label of a stored code in the page's language."""
    label = labels.get(code)
    return code if label is None else label["en" if (get_language() or "zh").startswith("en") else "zh"]


def sharing_tag(sharing: str) -> Tag:
    """Return the tag of a sharing type."""
    return Tag(str(SHORT_SHARING[sharing]), SHARING_TONES[sharing])  # type: ignore[arg-type]


def state_tag(state: str) -> Tag:
    """Return the tag of a state."""
    return Tag(word(STATES, state), STATE_TONES[state])  # type: ignore[arg-type]


def state_tags(line: ResourceLine | Resource, freshness: Freshness) -> tuple[Tag, ...]:
    """Return what stands at the end of a line: state, a newer draft, late updates, opening."""
    tags = [] if line.state == "published" else [state_tag(line.state)]
    if line.state == "published":
        shown = {"late": (gettext("断更"), "red"), "never": (gettext("未装载"), "grey")}
        tags.append(Tag(*shown.get(freshness.state, (gettext("正常"), "green"))))  # type: ignore[arg-type]
        if line.open_state:
            tags.append(Tag(gettext("有修改"), "amber"))
    opening = line.opening if isinstance(line, ResourceLine) else line.contract.opening
    if opening == "open":
        tags.append(Tag(gettext("可开放"), "grey"))
    return tuple(tags)


def freshness_words(freshness: Freshness) -> str:
    """Return how the update stands, in words."""
    if freshness.state == "late":
        return gettext("超期 %(n)s 天") % {"n": freshness.days_late}
    return {"never": gettext("尚未装载"), "fresh": gettext("按时"), "unbound": ""}[freshness.state]


def cycle_cell(line: ResourceLine) -> Cell:
    """Return the update cycle with when it was last met."""
    second: Any = line.released_at or gettext("尚未装载")
    if line.freshness.state == "late":
        second = Tag(freshness_words(line.freshness), "red")
    return Lines(word(CYCLES, line.update_cycle), second)


def title_link(line: ResourceLine) -> Link:
    """Return the name of a resource with code and counts below."""
    sub = gettext("%(code)s · %(n)s 项") % {"code": line.code, "n": line.fields}
    if line.rows is not None:
        sub += " · " + gettext("%(n)s 行") % {"n": thousands(line.rows)}
    return Link(line.title, reverse("catalog:resource", args=[line.code]), sub=sub)


LIST_COLUMNS = (
    Column(_("资源"), title_link, sort="title", wide=True),
    Column(_("提供部门"), lambda r: r.owner_name, sort="owner"),
    Column(_("共享"), lambda r: sharing_tag(r.sharing)),
    Column(_("分级"), lambda r: word(GRADES, str(r.grade)), sort="grade"),
    Column(_("质量"), lambda r: Meter(r.share), sort="share"),
    Column(_("更新"), cycle_cell, sort="released_at"),
    Column(_("使用方"), lambda r: r.users, sort="users", number=True),
    Column(_("状态"), lambda r: state_tags(r, r.freshness)),
)
EXPORT_COLUMNS = (
    Column(_("代码"), lambda r: r.code),
    Column(_("资源"), lambda r: r.title),
    Column(_("内容摘要"), lambda r: r.summary),
    Column(_("提供部门"), lambda r: r.owner_name),
    Column(_("提供部门代码"), lambda r: r.owner),
    Column(_("共享类型"), lambda r: word(SHARINGS, r.sharing)),
    Column(_("开放类型"), lambda r: word(OPENINGS, r.opening)),
    Column(_("更新周期"), lambda r: word(CYCLES, r.update_cycle)),
    Column(_("分级"), lambda r: word(GRADES, str(r.grade))),
    Column(_("含个人信息"), lambda r: gettext("是") if r.personal else gettext("否")),
    Column(_("信息项"), lambda r: r.fields),
    Column(_("状态"), lambda r: word(STATES, r.state)),
    Column(_("版本"), lambda r: r.version),
    Column(_("记录"), lambda r: r.rows),
    Column(_("最近更新"), lambda r: r.released_at),
    Column(_("更新情况"), lambda r: freshness_words(r.freshness)),
    Column(_("质量"), lambda r: Meter(r.share)),
    Column(_("使用方"), lambda r: r.users),
)


def ledger_kpis(numbers: LedgerNumbers) -> list[Kpi]:
    """Return the numbers above the ledger; each opens to its rows."""
    here = reverse("catalog:list")
    share = numbers.loaded / numbers.resources if numbers.resources else None
    fresh = 1 - numbers.late / numbers.due if numbers.due else None
    counted = gettext("%(owners)s 个部门 · %(fields)s 个信息项") % {"owners": numbers.providers, "fields": thousands(numbers.fields)}
    unloaded = gettext("目标 100%%，未装载 %(n)s") % {"n": numbers.resources - numbers.loaded}
    late = gettext("断更 %(n)s") % {"n": numbers.late}
    loaded_state = "" if share is None else "met" if share == 1 else "warn"
    fresh_state = "" if fresh is None else "missed" if numbers.late else "met"
    return [
        Kpi(_("数据资源"), numbers.resources, f"{here}?state=published", counted),
        Kpi(_("资源挂接率"), percent(share), f"{here}?state=published&freshness=never", unloaded, loaded_state),  # type: ignore[arg-type]
        Kpi(_("更新及时率"), percent(fresh), f"{here}?freshness=late", late, fresh_state),  # type: ignore[arg-type]
        Kpi(_("编制和审核中"), numbers.waiting, f"{here}?state=open", gettext("草稿、审核中和有修改的")),
    ]


def in_words(page: Page[ResourceLine]) -> Page[ResourceLine]:
    """Return the page with the labels of its facets in the page's language."""
    facets = tuple(
        replace(one, label=word(LABELS[one.name], one.value)) if one.name in LABELS else one for one in page.facets
    )
    return replace(page, facets=facets)


def type_words(one: ContractField) -> str:
    """Return the type of a field, in words."""
    return word(TYPES, one.type) + (f" {one.scale}" if one.scale is not None else "")


def resource_facts(resource: Resource, freshness: Freshness) -> list[Fact]:
    """Return the side card of a resource."""
    contract = resource.contract
    cycle = word(CYCLES, contract.update_cycle)
    facts = [
        Fact(_("提供部门"), resource.owner_name),
        Fact(_("数据责任人"), contract.officer or None),
        Fact(_("更新周期"), (cycle, Tag(freshness_words(freshness), FRESH_TONES[freshness.state])) if freshness_words(freshness) else cycle),
        Fact(_("共享"), word(SHARINGS, contract.sharing)),
        Fact(_("共享条件和依据"), contract.sharing_basis or None),
        Fact(_("开放"), word(OPENINGS, contract.opening)),
        Fact(_("法律依据"), contract.legal_basis or None),
        Fact(_("主键"), signs.listed(contract.keys) or None),
        Fact(_("关联资源"), tuple(Link(code, reverse("catalog:resource", args=[code])) for code in contract.related if "/" in code) or None),
    ]  # fmt: skip
    return [fact for fact in facts if fact.value]


def source_facts(contract: Contract) -> list[Fact]:
    """Return where the data come from, for those who may see it."""
    options = signs.several(f"{key}={value}" for key, value in contract.source.options.items())
    facts = [Fact(_("数据源类型"), contract.source.connector), Fact(_("数据源位置"), contract.source.location), Fact(_("选项"), options)]
    return [fact for fact in facts if fact.value]
