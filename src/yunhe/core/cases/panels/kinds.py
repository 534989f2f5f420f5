"""A kind for people: its picture, where a case stands in it, and the same in tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as __
from django.utils.translation import gettext_lazy as _

from yunhe.core.cases import api
from yunhe.core.cases.forms.actions import say
from yunhe.core.cases.forms.operators import LABELS
from yunhe.core.cases.rules.diagram import PLATFORM, action_in_words, draw_kind, limit_in_words, who_owes
from yunhe.core.cases.rules.drawing import svg_of
from yunhe.core.cases.rules.graph import CLOCK, LAPSE, OVER, WITHDRAW, Graph, conditions_of, graph_of, when_to_withdraw
from yunhe.core.cases.rules.lengths import amount_in_words
from yunhe.core.cases.rules.wording import condition_in_words
from yunhe.core.cases.types import CaseView, FieldSpec, KindSpec, LimitSpec, Obligation, ObligationSpec
from yunhe.core.cases.types.kinds import RungSpec
from yunhe.ui import signs, times
from yunhe.ui.cells import Column, Empty, Fact, Lines, Table, Tag

STATES: Mapping[str, tuple[Any, Any]] = {
    "now": (_("办理中"), "amber"), "done": (_("到过"), "green"), "next": (_("未到"), "grey"),
}  # fmt: skip
TYPES: Mapping[str, Any] = {
    "text": _("文本"), "integer": _("整数"), "decimal": _("小数"), "date": _("日期"), "boolean": _("是否"),
    "choice": _("选项"), "list": _("清单"), "rows": _("表格"), "map": _("对照"), "json": _("结构"), "attachments": _("附件"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Way:
    """One thing that may be done in a kind and where it leads, for the table behind a picture."""

    phase: str
    what: str
    state: str
    who: tuple[str, ...]
    limit: str
    done: str
    leads: tuple[str, ...]
    told: tuple[str, ...] = ()
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Course:
    """Where a case stands in its kind: the state of each node, the ways that were gone, and what happened at each node."""

    states: Mapping[str, str]
    gone: frozenset[tuple[str, str]]
    told: Mapping[str, tuple[str, ...]]
    now: str


def language() -> str:
    """Return the language of the page as packs write it."""
    return "en" if (get_language() or "zh")[:2] == "en" else "zh"


def picture_of(kind: KindSpec, *, course: Course | None = None, name: str = "kind") -> dict[str, Any]:
    """Return the context of `cases/_diagram.html`: the picture and the table of the same content."""
    kind, roles = api.with_limits(kind), api.role_titles(language=language())
    diagram = draw_kind(kind, language=language(), roles=roles)
    title = __("流程图：%(kind)s") % {"kind": say(kind.title.as_mapping())}
    described = " ".join(filter(None, (course.now if course else "", __("同样的内容见图下的表。"))))
    happened = {"states": course.states, "gone": course.gone, "told": course.told} if course else {}
    svg = svg_of(diagram, title=title, description=described, name=name, **happened)
    return {"svg": SafeString(svg), "label": title, "table": _table(kind, roles, course), "states": bool(course), "now": course.now if course else ""}


def course_of(view: CaseView) -> dict[str, Any]:
    """Return the picture of a case's kind with where the case has been, where it is, and where it was not."""
    kind = api.kind_of_case(case_id=view.case.case_id)
    been = {item.name for item in view.obligations if not item.superseded}
    now = {item.name: item for item in view.obligations if item.state == "open" and view.case.is_open}
    graph = graph_of(kind)
    states = {place.name: "now" if place.name in now else "done" if place.name in been else "next" for place in graph.places}
    states |= {join: states[member] if states[member] != "now" else "next" for member, join in graph.joined.items()}
    gone = {("start", ""), *(way for item in view.obligations if not item.superseded for way in _gone(kind, item))}
    ended = _end_of(graph, view) if not view.case.is_open else ""
    taken_back = bool(ended) and view.case.outcome in {graph.place(s.target).code for s in graph.steps if s.source == WITHDRAW}
    gone |= {(WITHDRAW, "")} if taken_back else set()
    states |= {name: "done" for name in ("start", ended, WITHDRAW if taken_back else "") if name in states}
    told: dict[str, tuple[str, ...]] = {}
    for item in view.obligations:
        told[item.name] = (*told.get(item.name, ()), _told(item))
    named = [say(item.title) for item in now.values()]
    here = __("现在：%(listed)s。") % {"listed": _listed(named)} if named else ""
    states.pop(CLOCK, None)
    return picture_of(kind, course=Course(states, frozenset(gone), told, here), name="course")


def _gone(kind: KindSpec, item: Obligation) -> list[tuple[str, str]]:
    """Return the ways out of an obligation that were gone when it ended; of actions alike, the one with that title."""
    spec = kind.obligations.get(item.name)
    if spec is None or item.state == "open" or not item.outcome:
        return []
    titles = {name: action.title.as_mapping() for name, action in spec.actions.items() if action.outcome == item.outcome}
    found = [name for name, title in titles.items() if len(titles) == 1 or title == item.outcome_title]
    found += [LAPSE] if not titles and spec.on_due and spec.on_due.outcome == item.outcome else []
    return [(item.name, name) for name in (*found, "")]


def _end_of(graph: Graph, view: CaseView) -> str:
    """Return the end where a case stands: of its outcome in its phase, or the one of that outcome in any."""
    ends = {place.name: place for place in graph.places if place.kind == "end" and place.code == view.case.outcome}
    exact = f"end.{view.case.outcome}.{view.case.phase}"
    return exact if exact in ends else f"end.{view.case.outcome}." if f"end.{view.case.outcome}." in ends else ""


def _told(item: Obligation) -> str:
    """Return what happened to an obligation in one line: who ended it, how and when; or who has it since when."""
    body, name = (item.organization_name, item.assignee_name) if item.for_people or item.child_id else ("", say(PLATFORM))
    if item.state == "open":
        return " ".join(filter(None, (str(STATES["now"][0]), body, name, _since(item))))
    ended = say(item.outcome_title) if item.outcome else __("已取消")
    undone = __("（已退回，不算数）") if item.superseded else ""
    at = times.say_full(item.closed_at)[:16] if item.closed_at else ""
    by = say(PLATFORM) if item.by_platform else item.closed_by_name
    who = "" if item.state == "cancelled" else by  # who took it away is not whose it was
    return " ".join(filter(None, (body, who, ended + undone, at)))


def _since(item: Obligation) -> str:
    return __("自 %(time)s") % {"time": times.say_full(item.opened_at)[:16]}


def fields_table(kind: KindSpec) -> Table:
    """Return the fields of a kind."""
    columns = (
        Column(_("字段"), lambda f: Lines(say(f.title.as_mapping()), f.name)),
        Column(_("类型"), lambda f: str(TYPES[f.type])),
        Column(_("必填"), _is_required),
        Column(_("说明"), lambda f: _field_note(f, kind), wide=True),
    )
    return Table(columns, kind.fields, str(_("字段")), Empty(_("没有字段")))


def guards_table(kind: KindSpec) -> Table:
    """Return what must hold for each action that has a guard, and what people are told where it does not."""
    rows = [(o, a, guard) for o in kind.obligations.values() for a in o.actions.values() for guard in a.guards]
    columns = (
        Column(_("事项"), lambda row: say(row[0].title.as_mapping())),
        Column(_("办理"), lambda row: say(row[1].title.as_mapping())),
        Column(_("须满足"), lambda row: Lines(_words(row[2].when, kind, row[1].fields), row[2].when), wide=True),
        Column(_("不满足时的说明"), lambda row: say(row[2].message.as_mapping()), wide=True),
    )
    return Table(columns, rows, str(_("办理条件")), Empty(_("没有另外的条件")))


def rules_facts(kind: KindSpec) -> list[Fact]:
    """Return when the opener may take a case back, which generic operators are allowed, and who is told when time runs out."""
    operators = [str(LABELS[name]) for name in LABELS if name in kind.operators]
    return [
        Fact(__("撤回申请"), _withdrawal(kind)),
        Fact(__("可用的通用操作"), _listed(operators) or __("没有")),
        Fact(__("时限预警"), _listed([_rung(rung) for rung in kind.ladder], "；") or __("没有")),
    ]


def _listed(texts: list[str], sign: str = "、") -> str:
    """Return texts one after the other, with the signs of the page's language."""
    return signs.sign(sign).join(texts)


def _withdrawal(kind: KindSpec) -> str:
    found = kind.withdrawal
    if found is None:
        return __("提出人不能撤回")
    titles = {phase.code: say(phase.title.as_mapping()) for phase in kind.phases}
    if found.phases:
        return __("提出人在这些阶段可以撤回：%(phases)s") % {"phases": _listed([titles[code] for code in found.phases])}
    return __("还没有人办理时，提出人可以撤回")


def _rung(rung: RungSpec) -> str:
    told = __("时间用去 %(percent)s%% 时提醒办理人并督办") if rung.escalate else __("时间用去 %(percent)s%% 时提醒办理人")
    return told % {"percent": rung.percent}


def _words(condition: str, kind: KindSpec, form: tuple[FieldSpec, ...]) -> str:
    return condition_in_words(condition, kind, language=language(), roles=api.role_titles(language=language()), form=form)


def _is_required(field: FieldSpec) -> Any:
    required = field.required and not field.internal
    return __("问到时必填") if required and field.when else required


def limits_table(kind: KindSpec) -> Table:
    """Return every limit with the rule that it comes from."""
    kind = api.with_limits(kind)
    rows = [(_start_of(kind, limit), limit) for limit in kind.limits]
    rows += [(say(o.title.as_mapping()), limit) for o in kind.obligations.values() for limit in o.limits]
    columns = (
        Column(_("环节"), lambda row: row[0]),
        Column(_("时限"), lambda row: limit_in_words(row[1], language())),
        Column(_("依据"), lambda row: _basis(row[1], kind), wide=True),
    )
    return Table(columns, rows, str(_("时限")), Empty(_("不限时")))


def _start_of(kind: KindSpec, limit: LimitSpec) -> str:
    """Return what a limit of the whole case covers: from its opening, or from an action on."""
    actions = (action for o in kind.obligations.values() for name, action in o.actions.items() if name == limit.starts_with)
    first = next(actions, None)
    return __("整件，自“%(action)s”起") % {"action": say(first.title.as_mapping())} if first else str(_("整件"))


def _basis(limit: LimitSpec, kind: KindSpec) -> Any:
    more = [__("当 %(condition)s") % {"condition": _words(limit.when, kind, ())}] if limit.when else []
    if limit.extend_most is not None:
        more.append(__("最多延长 %(amount)s") % {"amount": say(amount_in_words(limit.extend_most, limit.unit))})
    return Lines(limit.basis, signs.several(more)) if more else limit.basis


def _field_note(field: FieldSpec, kind: KindSpec) -> str:
    notes = [__("由流程写入")] if field.internal else []
    notes += [__("仅当 %(condition)s 时问") % {"condition": _words(field.when, kind, kind.fields)}] if field.when else []
    notes += [say(field.help.as_mapping())] if field.help else []
    notes += [_listed([say(choice.title.as_mapping()) for choice in field.choices])] if field.choices else []
    return _listed(notes, "；")


def _table(kind: KindSpec, roles: Mapping[str, str], course: Course | None) -> Table:
    columns = [
        Column(_("阶段"), lambda way: way.phase),
        Column(_("事项"), lambda way: way.what),
        Column(_("谁办"), lambda way: Lines(way.who[0], way.who[1] if len(way.who) > 1 else "") if way.who else None),
        Column(_("时限"), lambda way: way.limit or None, wide=True),
        Column(_("办理"), lambda way: f"✓ {way.done}" if way.gone else way.done),
        Column(_("去向"), lambda way: signs.several(way.leads) or None, wide=True),
    ]
    if course:
        columns.insert(2, Column(_("状态"), lambda way: Tag(str(STATES[way.state][0]), STATES[way.state][1]) if way.state else None))
        columns.insert(3, Column(_("经过"), lambda way: signs.several(way.told) or None, wide=True))
    return Table(columns, _ways(kind, roles, course), str(_("流程")), Empty(_("没有环节")))


def _ways(kind: KindSpec, roles: Mapping[str, str], course: Course | None) -> list[Way]:
    graph, told = graph_of(kind), language()
    phases = {phase.code: say(phase.title.as_mapping()) for phase in kind.phases}
    states = course.states if course else {}
    found = [Way("", str(_start_of(kind, one)), "", (), signs.pair(limit_in_words(one, told), one.basis or one.use), "", ()) for one in kind.limits]
    for place in graph.places:
        spec = kind.obligations.get(place.name)
        who = who_owes(kind, spec, told, roles) if spec else ()
        who = (__("提出人"), say(when_to_withdraw(kind))) if place.kind == "withdraw" else who
        limit = " / ".join(limit_in_words(one, told) for one in spec.limits) if spec else ""
        leads: dict[str, list[str]] = {title: [] for title in _titles(spec)}
        for step in graph.steps:
            if step.source == place.name:
                target = graph.place(step.target)
                lead = say(target.title) if target.kind != "end" else __("办结：%(outcome)s") % {"outcome": say(target.title)}
                form = spec.actions[step.name].fields if spec and step.name in spec.actions else ()
                whens = [step.when] if place.kind == "join" else conditions_of(kind, step)  # what a rule asks is its title
                lead += "".join(__("（当 %(condition)s）") % {"condition": _words(when, kind, form)} for when in whens if when)
                leads.setdefault(say(step.title), []).append(lead)
        joined = graph.joined.get(place.name)
        state, happened = states.get(place.name, "next"), course.told.get(place.name, ()) if course else ()
        went = {title for name, title in _named(spec).items() if course and (place.name, name) in course.gone}
        for done, targets in leads.items():
            more = [say(graph.place(joined).title)] if joined else []
            found.append(Way(phases[place.phase], say(place.title), state, who, limit, done, (*targets, *more), happened, done in went))
            happened = ()  # said once for each place
    return found


def _titles(spec: ObligationSpec | None) -> list[str]:
    return [] if spec is None else list(_named(spec).values()) or [__("子办件办结")]


def _named(spec: ObligationSpec | None) -> dict[str, str]:
    """Return what people read for each way that ends an obligation, by its name."""
    if spec is None:
        return {}
    found = {name: action_in_words(spec, action, language()) for name, action in spec.actions.items()}
    lapse = {LAPSE: say({tongue: OVER[tongue] + title for tongue, title in spec.on_due.title.as_mapping().items()})} if spec.on_due else {}
    return found | lapse
