"""What pages say of a change of procedure: its state, what the versions differ in, where cases stand, what moves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as __
from django.utils.translation import gettext_lazy as _

from yunhe.core.cases import api
from yunhe.core.cases.forms.actions import say, say_all
from yunhe.core.cases.rules.lengths import amount_in_words
from yunhe.core.cases.rules.migrating import ELSEWHERE
from yunhe.core.cases.types import BUILT_IN, OPINION, WENT_ON, KindSpec, Migration, Move, TriedGroup
from yunhe.core.jobs.types import JobInfo
from yunhe.kernel.actor import Actor
from yunhe.ui.cells import Column, Empty, Kpi, Lines, Link, Table, Tag, Tone

STATES: Mapping[str, tuple[Any, Tone]] = {
    "drafted": (_("待批准"), "amber"),
    "approved": (_("待执行"), "canal"),
    "queued": (_("排队中"), "canal"),
    "running": (_("执行中"), "canal"),
    "stopped": (_("已停下"), "amber"),
    "done": (_("已完成"), "green"),
    "withdrawn": (_("已撤回"), "grey"),
}
HOW: Mapping[str, tuple[Any, Tone]] = {"added": (_("增加"), "green"), "gone": (_("去掉"), "red"), "changed": (_("改动"), "amber")}
PARTS: Mapping[str, Any] = {
    "phase": _("阶段"), "field": _("办件字段"), "obligation": _("待办事项"), "group": _("会签规则"), "kind": _("整个类型"),
}  # fmt: skip
ATTRIBUTES: Mapping[str, Any] = {
    "title": _("名称"), "who": _("由谁办"), "limits": _("时限"), "actions": _("办理动作"), "group": _("所属会签"),
    "child": _("子办件"), "transferable": _("可否转给其他单位"), "rules": _("会合规则"), "score": _("评分"),
    "required": _("是否必填"), "type": _("填写方式"), "choices": _("选项"), "help": _("填写说明"), "prefix": _("编号前缀"),
    "opens": _("谁可以提出"), "by_form": _("能否填表提出"), "start": _("提出后的第一步"), "operators": _("转办、加签等"),
    "ladder": _("预警"), "on_due": _("期满"), "recurs": _("周期"), "waiver": _("免于复核"), "withdraw": _("撤回申请"),
}  # fmt: skip

LIMITS: Mapping[str, Any] = {
    "keep": _("原定时限不变"), "recount": _("按新时限从原起点重新计算"), "restore": _("恢复变更前的时限"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Versions:
    """The two versions that a change lies between, and the organisations by code."""

    old: KindSpec
    new: KindSpec
    bodies: Mapping[str, str] = field(default_factory=dict)


def versions_of(plan: Migration) -> Versions:
    """Return both versions of a change."""
    old = api.get_kind(code=plan.kind, number=plan.source_number)
    return Versions(old, api.get_kind(code=plan.kind, number=plan.target_number), api.organization_choices())


def state_of(change: Migration, job: JobInfo | None) -> str:
    """Return where a change stands as people see it: with its job it is also `queued`, or `stopped` between two transactions."""
    if change.state not in ("approved", "running"):
        return change.state
    if job is not None and job.is_open:
        return "queued" if job.state == "ready" else "running"
    return "stopped" if change.state == "running" else "approved"


def state_tag(change: Migration, job: JobInfo | None = None) -> Tag:
    """Return where a change stands."""
    title, tone = STATES[state_of(change, job)]
    return Tag(str(title), tone)


def phase_title(spec: KindSpec, code: str) -> str:
    """Return the name of a phase; a code that the version does not know stands for itself."""
    return next((say(phase.title.as_mapping()) for phase in spec.phases if phase.code == code), code)


def obligation_title(spec: KindSpec, name: str) -> str:
    """Return the name of an obligation; a code that the version does not know stands for itself."""
    known = spec.obligations.get(name) or BUILT_IN.get(name)
    return say(known.title.as_mapping()) if known else name


def say_position(spec: KindSpec, phase: str, names: Iterable[str]) -> str:
    """Return a position in words: 审查 + 会签 ×3."""
    counted = Counter(names)
    if tuple(counted) == ELSEWHERE:
        return __("%(phase)s + 其他") % {"phase": phase_title(spec, phase)}
    parts = [obligation_title(spec, name) + (f" ×{count}" if count > 1 else "") for name, count in sorted(counted.items())]
    return " + ".join([phase_title(spec, phase), *(parts or [__("无待办")])])


def say_group(versions: Versions, move: Move | TriedGroup) -> str:
    """Return which cases a move is for: where they stand, and on the way back also where they come from, or that they went on."""
    stands = say_position(versions.old, move.phase, move.obligations)
    if move.origin == WENT_ON:
        return __("%(stands)s（变更后又办理过）") % {"stands": stands}
    if not move.origin:
        return stands
    return __("%(stands)s（变更前在“%(phase)s”）") % {"stands": stands, "phase": phase_title(versions.new, move.to_phase)}


def position_href(kind: str, version: int, phase: str, names: Iterable[str]) -> str:
    """Return the list of the cases that stand there."""
    wanted = {"kind": kind, "version": version, "phase": phase, "open": ",".join(names) or "-"}
    return f"{reverse('cases:list')}?{urlencode(wanted)}"


def change_table(plan: Migration, versions: Versions) -> Table:
    """Return what the versions differ in, in words."""
    columns = (
        Column(__("变化"), lambda c: Tag(str(HOW[c[0]][0]), HOW[c[0]][1])),
        Column(__("部分"), lambda c: str(PARTS[c[1]])),
        Column(__("名称"), lambda c: _named(versions, c[1], c[2])),
        Column(__("说明"), lambda c: _difference(versions, *c) or None, wide=True),
    )
    empty = Empty(__("两个版本的流程相同"), __("只有文字说明或次序不同。"))
    return Table(columns, plan.changes, __("两个版本的不同"), empty)


def move_table(plan: Migration, versions: Versions, actor: Actor) -> Table:
    """Return what happens to the cases of each position."""
    linked = actor.may("cases.view") and plan.state in ("drafted", "approved", "running") and not plan.undoes

    def position(move: Move) -> Any:
        text = say_group(versions, move)
        href = position_href(plan.kind, plan.source_number, move.phase, move.obligations)
        return Link(text, href) if linked else text

    columns = (
        Column(__("原来的位置"), position, wide=True),
        Column(__("起草时件数"), lambda m: m.cases, number=True),
        Column(__("如何处理"), lambda m: Tag(__("移动"), "canal") if m.choice == "move" else Tag(__("留在原版本"), "grey")),
        Column(__("怎样移动"), lambda m: Lines(say_all(move_words(m, versions)) or None, " ".join(left_out_words(m, versions))), wide=True, sub=__("不再恢复")),
    )
    order = [phase.code for phase in versions.old.phases]
    rows = sorted(plan.moves, key=lambda move: order.index(move.phase) if move.phase in order else len(order))
    return Table(columns, rows, __("各组办件的处理"), Empty(__("没有在办办件")))


def rival_links(plan: Migration, actor: Actor) -> list[Link]:
    """Return the other changes of the same kind that wait or run, each in words with its page."""
    return [Link(say_rival(one), reverse("changes:change", args=[one.migration_id])) for one in api.list_rivals(plan=plan, actor=actor)]


def say_rival(change: Migration) -> str:
    """Return another change of the same kind in words: whose, between which versions, how far."""
    told = {"name": change.author_name, "old": change.source_number, "new": change.target_number, "state": STATES[change.state][0]}
    return __("%(name)s起草的变更，第 %(old)s 版 → 第 %(new)s 版，%(state)s") % told


def left_out_words(move: Move, versions: Versions) -> list[str]:
    """Return what the way back does not open again, and what can be done about it."""
    spec, said = versions.new, []
    if OPINION in move.left_out:
        said.append(__("变更取消的加签意见不会再问；还需要的，返回后请办理人重新加签。"))
    children = [obligation_title(spec, name) for name in dict.fromkeys(move.left_out) if name != OPINION]
    if children:
        said.append(__("子办件“%(name)s”已随变更撤销，不能重新打开，所以建议留在现在的版本。要移回，请增开代替它的待办。") % {"name": say_all(children)})
    return said


def _cancelled(spec: KindSpec, name: str) -> str:
    known = spec.obligations.get(name)
    return __("取消“%(name)s”，其子办件随之撤销") if known is not None and known.child else __("取消“%(name)s”")


def move_words(move: Move, versions: Versions) -> list[str]:
    """Return what a move changes beside the version."""
    if move.choice == "keep":
        return []
    old, new = versions.old, versions.new
    said = []
    if move.to_phase != move.phase:
        said.append(__("转到阶段“%(name)s”") % {"name": phase_title(new, move.to_phase)})
    gone = {name for name, body in move.cancel if not body}
    renamed = ((name, to) for name, to in move.renames.items() if name != to and name not in gone)
    said += [__("“%(old)s”改为“%(new)s”") % {"old": obligation_title(old, a), "new": obligation_title(new, b)} for a, b in renamed]
    said += [_cancelled(old, name) % {"name": _seat(old, name, body, versions.bodies)} for name, body in move.cancel]
    said += [__("增开“%(name)s”") % {"name": _seat(new, name, body, versions.bodies)} for name, body in move.add]
    said += [str(LIMITS[move.limits])] if move.limits != "keep" else []
    return said or [__("只换版本")]


def is_plain(move: Move) -> bool:
    """Tell whether a move changes nothing but the version."""
    renamed = any(name != to for name, to in move.renames.items())
    return not (renamed or move.cancel or move.add or move.to_phase != move.phase or move.limits != "keep")


def approvals_number(actor: Actor) -> dict[str, Any] | None:
    """Return the number of the home page: changes that wait for this second person."""
    count = api.count_approvals(actor=actor)
    href = f"{reverse('changes:list')}?state=drafted"
    return {"numbers": [Kpi(__("流程变更"), count, href, __("等第二人批准"), "warn")]} if count else None


def _seat(spec: KindSpec, name: str, body: str, bodies: Mapping[str, str]) -> str:
    title = obligation_title(spec, name)
    return __("%(name)s：%(value)s") % {"name": title, "value": bodies.get(body, body)} if body else title


def _named(versions: Versions, part: str, name: str) -> str:
    if part == "kind":
        return str(ATTRIBUTES.get(name, name))
    spec = versions.new if _find(versions.new, part, name) is not None else versions.old
    found = _find(spec, part, name)
    return say(found.title.as_mapping()) if hasattr(found, "title") else name


def _find(spec: KindSpec, part: str, name: str) -> Any:
    if part == "kind":
        return spec
    if part in ("obligation", "group"):
        return (spec.obligations if part == "obligation" else spec.groups).get(name)
    code = "code" if part == "phase" else "name"
    return next((one for one in (spec.phases if part == "phase" else spec.fields) if getattr(one, code) == name), None)


def _difference(versions: Versions, how: str, part: str, name: str) -> str:
    """Return in which respects a changed part differs; of names and limits before and after."""
    if how != "changed":
        return ""
    old, new = _find(versions.old, part, name), _find(versions.new, part, name)
    names = [name] if part == "kind" else [one for one in type(new).model_fields if getattr(old, one) != getattr(new, one)]
    return say_all(_respect(one, getattr(old, one), getattr(new, one)) for one in names)


def _respect(name: str, before: Any, after: Any) -> str:
    title = str(ATTRIBUTES.get(name, name))
    if name == "actions":
        return __("%(name)s：%(value)s") % {"name": title, "value": say_all(_actions(before, after))}
    if name == "title":
        return say_all(_titles(title, before.as_mapping(), after.as_mapping()))
    said = {"limits": _limits}.get(name)
    if said is None or said(before) == said(after):
        return title
    return __("%(name)s：%(before)s → %(after)s") % {"name": title, "before": said(before), "after": said(after)}


def _title(value: Any) -> str:
    return say(value.as_mapping())


def _titles(title: str, before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """Return the title before and after; where it is the same in the reader's language, in the language that differs."""
    change = __("%(name)s：%(before)s → %(after)s")
    if say(before) != say(after):
        return [change % {"name": title, "before": say(before), "after": say(after)}]
    named = {"zh": __("%(name)s（中文）"), "en": __("%(name)s（英文）")}
    differing = [code for code in named if before.get(code) != after.get(code)]
    said = [{"name": named[code] % {"name": title}, "before": before.get(code) or "—", "after": after.get(code) or "—"} for code in differing]
    return [change % one for one in said]


def _limits(value: Any) -> str:
    return say_all(say(amount_in_words(limit.amount, limit.unit)) for limit in value) or __("不限时")


def _actions(before: Any, after: Any) -> list[str]:
    """Return each action that differs, with how."""
    found = []
    for name in dict.fromkeys((*before, *after)):
        how = "added" if name not in before else "gone" if name not in after else "changed"
        if before.get(name) != after.get(name):
            title = _title((after.get(name) or before[name]).title)
            found.append(__("%(how)s“%(name)s”") % {"how": HOW[how][0], "name": title})
    return found
