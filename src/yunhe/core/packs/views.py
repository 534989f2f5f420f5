"""Pages of packs: what is at hand, what a check says, loading."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_safe

from yunhe.core.packs import api
from yunhe.core.packs.errors import PackNotFound
from yunhe.core.packs.types import PackInfo, PackReport
from yunhe.ui.cells import Action, Code, Column, Empty, Fact, Link, Table, Tag
from yunhe.ui.doors import requires
from yunhe.ui.pages import confirm_page
from yunhe.ui.templatetags.yh import spoken

ACTIONS: Mapping[str, tuple[Any, Any]] = {
    "create": (_("新增"), "green"),
    "update": (_("修改"), "canal"),
    "end": (_("终止"), "red"),
    "keep": (_("不变"), "grey"),
}
PACK_COLUMNS = (
    Column(_("能力包"), lambda p: Link(str(spoken(p.title)), _href("pack", p.name), sub=p.name), wide=True),
    Column(_("版本"), lambda p: p.version),
    Column(_("状态"), lambda p: _state(p)),
    Column(_("已装版本"), lambda p: p.loaded_version),
    Column(_("装入"), lambda p: p.loaded_at),
    Column(_("装入人"), lambda p: _loader(p)),
)
PROBLEM_COLUMNS = (
    Column(_("文件"), lambda p: Code(f"{p.file}:{p.line}")),
    Column(_("位置"), lambda p: Code(p.path)),
    Column(_("问题"), lambda p: p.say(get_language() or "zh"), wide=True),
)
CHANGE_COLUMNS = (
    Column(_("动作"), lambda c: Tag(*ACTIONS[c.action])),
    Column(_("种类"), lambda c: c.what),
    Column(_("名称"), lambda c: c.name, wide=True),
    Column(_("权限"), lambda c: Tag(_("改变权限"), "amber") if c.rights else None),
)
SECTIONS: Mapping[str, Any] = {
    "regions": _("行政区划"), "organizations": _("机构"), "roles": _("角色"), "calendars": _("工作日历"),
    "registers": _("名录"), "elements": _("数据元"), "code_sets": _("代码集"), "cases": _("办件类型"),
    "resources": _("数据资源"), "texts": _("文字"),
}  # fmt: skip
MOST_ROWS = 500


def _href(name: str, *parts: object) -> str:
    return reverse(f"packs:{name}", args=parts)


def _loader(pack: PackInfo) -> str:
    return str(_("系统")) if pack.loaded_by.startswith("job:") else pack.loaded_by


def _state(pack: PackInfo) -> Tag:
    if pack.loaded_at is None:
        return Tag(_("未装入"), "grey")
    return Tag(_("已装入"), "green") if pack.loaded_digest == pack.digest else Tag(_("有改动待装入"), "amber")


@require_safe
@requires("packs.view")
def list_packs(request: HttpRequest) -> HttpResponse:
    empty = Empty(_("没有能力包"), _("把能力包放进本节点的 packs 文件夹，就会列在这里。"))
    table = Table(PACK_COLUMNS, api.list_packs(actor=request.actor), caption=_("能力包"), empty=empty)
    return render(request, "packs/list.html", {"table": table})


@require_safe
@requires("packs.view")
def show_pack(request: HttpRequest, name: str) -> HttpResponse:
    pack, report = _pack(request, name), _report(name)
    changes = tuple(change for change in report.changes if change.action != "keep")
    loadable = report.is_sound and report.state != "unchanged" and request.actor.may("packs.load")
    context = {
        "pack": pack, "report": report, "state": _state(pack), "facts": _facts(pack, report),
        "acts": (Action(_("装入"), _href("load", name), "primary"),) if loadable else (),
        "problems": Table(PROBLEM_COLUMNS, report.problems[:MOST_ROWS], caption=_("问题")),
        "changes": Table(CHANGE_COLUMNS, changes[:MOST_ROWS], caption=_("装入后的变化")),
        "more": max(len(changes), len(report.problems)) > MOST_ROWS,
    }  # fmt: skip
    return render(request, "packs/pack.html", context)


def _report(name: str) -> PackReport:
    """Only packs at hand, by name: a path from an address would read any folder."""
    return api.check_pack(path=api.find_pack_folder(name=name))


def _pack(request: HttpRequest, name: str) -> PackInfo:
    for pack in api.list_packs(actor=request.actor):
        if pack.name == name:
            return pack
    raise PackNotFound(what="pack", name=name, places="packs")


def _facts(pack: PackInfo, report: PackReport) -> tuple[Fact, ...]:
    counts = tuple(Tag(f"{SECTIONS.get(section, section)} {count:,}", "grey") for section, count in report.items.items())
    return (
        Fact(_("名称"), Code(pack.name)),
        Fact(_("版本"), pack.version),
        Fact(_("来源"), _("随产品提供") if pack.shipped else _("本节点")),
        Fact(_("内容"), counts or None),
        Fact(_("摘要（SM3）"), Code(pack.digest)),
        Fact(_("已装版本"), pack.loaded_version),
        Fact(_("装入"), pack.loaded_at),
        Fact(_("装入人"), _loader(pack)),
    )


@require_http_methods(["GET", "HEAD", "POST"])
@requires("packs.load")
def load_pack(request: HttpRequest, name: str) -> HttpResponse:
    pack, report = _pack(request, name), _report(name)
    if request.method == "POST":
        done = api.load_pack(name_or_path=name, actor=request.actor)
        messages.success(request, _("已装入“%(name)s” %(version)s。") % {"name": name, "version": done.version})
        return redirect("packs:pack", name)
    changes = [change for change in report.changes if change.action != "keep"]
    consequences = [_("将有 %(n)s 处变化，全部成功或全部不做。") % {"n": len(changes)}]
    if any(change.rights for change in changes):
        consequences.append(_("其中有改变权限的内容，须由安全管理员装入。"))
    return confirm_page(
        request, title=_("装入能力包"), question=_("确定装入“%(name)s”吗？") % {"name": spoken(pack.title)},
        consequences=consequences, submit=_("装入"), cancel=_href("pack", name), tone="primary",
    )  # fmt: skip
