"""What templates are given of a case: facts, timeline, buttons, the due date and how it was counted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as __
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from yunhe.core.attachments.types import STATE_TITLES, Attachment
from yunhe.core.cases import api
from yunhe.core.cases.forms.actions import say, say_all
from yunhe.core.cases.forms.operators import LABELS
from yunhe.core.cases.panels.clocks import counted_days, due_of, due_sentence, whole_clock
from yunhe.core.cases.rules.diagram import PLATFORM
from yunhe.core.cases.types import (
    CASE_STATES,
    ActionView,
    Case,
    CaseView,
    Delegation,
    Event,
    Holder,
    Obligation,
    OperatorView,
    Receipt,
    SubjectView,
)
from yunhe.core.cases.types import Fact as CaseFact
from yunhe.core.evidence import api as evidence
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import local, now
from yunhe.ui import cells, signs
from yunhe.ui.cells import Action, Code, Column, Empty, Fact, Kpi, Lines, Link, Table, Tag, Tone
from yunhe.ui.templatetags.yh import size

ENDED_BESIDE = ("merged", "split", "cancelled")
"""Outcomes of the generic operators: the case stands in the phase in which it was."""
OUTCOME_TONES: Mapping[str, Tone] = {
    **dict.fromkeys(("refused", "declined", "failed"), "red"),
    **dict.fromkeys(("abandoned", "given_up", "withdrawn", "stopped", *ENDED_BESIDE), "grey"),
}
RELATIONS: Mapping[str, Any] = {"parent": _("主办件"), "child": _("子办件"), "batch": _("所在清单"), "master": _("并入"), "merged": _("并入本件")}


KEYS = (
    ("j ↓", _("下一行")),
    ("k ↑", _("上一行")),
    ("Enter", _("打开所选的办件")),
    ("1 – 9", _("办理：打开表单；直接办理的先选中，再按 Enter")),
    ("m", _("更多操作")),
    ("Ctrl+Enter", _("提交表单")),
    ("Esc", _("离开输入、离开表单、回到列表")),
    ("x", _("选中这一行，可选多行")),
    ("b", _("批量办理选中的")),
    ("[ ]", _("上一页、下一页")),
    ("/", _("查找")),
    ("?", _("显示本表")),
)
"""The map of keys, as ui/assets/keys.js takes them."""


def key_map() -> list[tuple[list[str], Any]]:
    """Return the map of keys: each with what it does."""
    return [(keys.split(), told) for keys, told in KEYS]


def case_context(
    request: HttpRequest,
    view: CaseView,
    *,
    here: str,
    after: str = "",
    form: tuple[ActionView, Any] | None = None,
    operator: OperatorView | None = None,
    filling: Any = None,
    left: Any = None,
) -> dict[str, Any]:
    """Return the context of `cases/_case.html`.

    `here` is where forms open and are left again, `after` where one comes when it is done (by default `here`).
    `operator` is the form's, if any; `left` is what was typed for a step that is not the actor's now.
    """
    due, names = due_of(view), names_in(view)
    return {
        "view": view,
        "case": view.case,
        "state": state_tag(view.case),
        "due": due,
        "due_sum": due_sentence(due) if due else "",
        "counted": counted_days(due) if due else None,
        **whole_clock(view, due),
        "facts": [Fact(say(fact.title), _linked(fact, names, request.actor)) for fact in view.facts],
        "subject": view.subject,
        "subject_table": _subject(view.subject) if view.subject else None,
        "buttons": _buttons(view, here),
        "stood_in": signs.listed(dict.fromkeys(filter(None, (one.on_behalf_name for one in view.actions)))),
        "offered": form[0] if form else None,
        "form": form[1] if form else None,
        "filling": filling,
        "left": left,
        "files": _files(view) if view.files else None,
        "receipts": _receipts(view, request.actor) if view.receipts else None,
        "form_href": _form_href(view.case, form[0], operator) if form else "",
        "form_ob": operator.obligation_id if operator else "",
        "more": _operator_links(view, here),
        "flags": _flags(view),
        "related": _related(view),
        "members": _members(view),
        "here": here,
        "after": after or here,
        "key_map": key_map(),
        "timeline": _timeline(view),
        "proof": _proof(view, request.actor),
    }


FILE_TONES: Mapping[str, Tone] = {"ready": "green", "checking": "amber", "infected": "red"}
RECEIPT_STATES: Mapping[str, tuple[Any, Tone]] = {
    "found": (_("取自共享数据"), "green"),
    "absent": (_("没有记录，手工填写"), "amber"),
    "unavailable": (_("取不到，手工填写"), "amber"),
}


def _files(view: CaseView) -> Table:
    """Return what is attached to the case: file, kind, state, by whom and when."""
    people = {event.actor_id: event.actor_name for event in view.events}

    def name(one: Attachment) -> Any:
        return Link(one.name, reverse("attachments:download", args=[one.id])) if one.state == "ready" else one.name

    def state(one: Attachment) -> Any:
        tag = Tag(say(STATE_TITLES[one.state]), FILE_TONES.get(one.state, "grey"))
        return (tag, Tag(__("未查毒"), "grey")) if one.state == "ready" and one.scanned_at is None else tag

    columns = (
        Column(_("文件"), name, wide=True),
        Column(_("大小"), lambda a: size(a.size), number=True),
        Column(_("类型"), lambda a: a.name.rpartition(".")[2].upper()),
        Column(_("状态"), state),
        Column(_("提交"), lambda a: Lines(people.get(a.owner_id, "—"), a.attached_at)),
    )
    return Table(columns, view.files, str(_("附件")))


def _receipts(view: CaseView, actor: Actor) -> Table:
    """Return where values of the case came from: shared data with its evidence, or by hand and why."""
    seen = evidence.list_openable(ids=[one.evidence_id for one in view.receipts], actor=actor)

    def state(one: Receipt) -> Any:
        text, tone = RECEIPT_STATES.get(one.state, (one.state, "grey"))
        return Tag(str(text), tone) if one.intact else (Tag(str(text), tone), Tag(__("回执被改动"), "red"))

    def origin(one: Receipt) -> Any:
        return Lines(say(one.title) if one.title else one.source, say(one.problem) if one.problem else "")

    def proof(one: Receipt) -> Any:
        href = reverse("evidence:record", args=[one.evidence_id]) if one.evidence_id in seen else ""
        return Link(one.evidence_id, href) if href else Code(one.evidence_id)

    columns = (
        Column(_("信息"), lambda r: say(r.field_title)),
        Column(_("内容"), lambda r: r.value if r.state == "found" else None, wide=True),
        Column(_("来源"), origin, wide=True),
        Column(_("取得"), lambda r: r.at),
        Column(_("情况"), state),
        Column(_("存证"), proof),
    )
    return Table(columns, view.receipts, str(_("共享数据取数回执")))


def waiting_number(actor: Actor) -> dict[str, Any] | None:
    """Return the numbers of the home page: what waits for the actor."""
    count = api.count_waiting(actor=actor)
    number = Kpi(__("待办"), count, reverse("cases:inbox"), __("等您办理"), "warn" if count else "met")
    return {"numbers": [number]}


def state_tag(case: Case) -> Tag:
    """Return the state of a case as a tag: the phase, green when done; how it ended where no phase of its kind says that."""
    text = say(case.outcome_title if case.outcome in ENDED_BESIDE else case.phase_title)
    if case.is_open:
        return Tag(text, "amber")
    return Tag(text, OUTCOME_TONES.get(case.outcome, "green"))


def _subject(subject: SubjectView) -> Table:
    columns = [Column(_("信息"), lambda line: line.title)]
    if subject.compared:
        columns.append(Column(_("现行"), lambda line: line.before or None, wide=True))
    columns.append(Column(_("拟发布") if subject.compared else _("内容"), lambda line: line.after or None, wide=True))
    return Table(columns, subject.lines, say(subject.title), Empty(_("没有改动")))


def names_in(view: CaseView) -> Mapping[str, str]:
    """Return what people read for codes in the fields of a case; its subject and its files tell."""
    files = {one.id: one.name for one in view.files}
    return {**view.names, **files, **(view.subject.names if view.subject else {})}


def _value(fact: CaseFact, names: Mapping[str, str]) -> Any:
    if fact.type == "rows" and fact.label is not None:
        return say_all(say(fact.label).split("\n"))
    if fact.type == "json":
        return Code(json.dumps(fact.value, ensure_ascii=False))
    if fact.label is not None:
        return say(fact.label)
    if isinstance(fact.value, list):
        plain = all(isinstance(item, str) for item in fact.value)
        return signs.listed(names.get(item, item) for item in fact.value) if plain else len(fact.value)
    if isinstance(fact.value, dict):
        return say_all(_pair(names.get(name, name), names.get(str(value), value)) for name, value in fact.value.items())
    if fact.name in ("digest", "row_filter"):
        return Code(fact.value)
    return names.get(fact.value, fact.value) if isinstance(fact.value, str) else fact.value


def _linked(fact: CaseFact, names: Mapping[str, str], actor: Actor) -> Any:
    """Return a value as `_value` does; a person leads to the account, for who may see it."""
    if fact.format == "person" and fact.label is not None and actor.may("organizations.view"):
        return Link(say(fact.label), reverse("organizations:user", args=[fact.value]))
    if fact.type == "rows" and fact.label is not None:
        return format_html('<ol class="yh-told-rows">{}</ol>', format_html_join("", "<li>{}</li>", ((row,) for row in say(fact.label).split("\n"))))
    return _value(fact, names)


def _buttons(view: CaseView, here: str) -> list[dict[str, Any]]:
    """Return a button per action; one without a form posts at once, one with a form opens it."""
    join = "&" if "?" in here else "?"
    keys = iter("123456789")
    return [
        {
            "label": say(action.title),
            "key": "" if action.refusal else next(keys, ""),
            "tone": {"primary": "primary", "danger": "danger"}.get(action.style, "plain"),
            "href": f"{here}{join}ob={action.obligation_id}&act={action.name}#act",
            "post": "" if action.fields else _act_href(view.case, action),
            "refusal": say(action.refusal) if action.refusal else "",
        }
        for action in view.actions
    ]


def _act_href(case: Case, action: ActionView) -> str:
    return reverse("cases:act", args=[case.case_id, action.obligation_id, action.name])


def _form_href(case: Case, action: ActionView, operator: OperatorView | None) -> str:
    if operator is None:
        return _act_href(case, action)
    return reverse("cases:operate", args=[case.case_id, operator.name])


def _operator_links(view: CaseView, here: str) -> list[tuple[str, str]]:
    """Return label and address of each generic operator; where one is offered twice, the obligation is named."""
    join = "&" if "?" in here else "?"
    titles = {item.obligation_id: say(item.title) for item in view.obligations}
    names = [one.name for one in view.operators]
    links = []
    for one in view.operators:
        label = str(LABELS[one.name])
        if names.count(one.name) > 1:
            label = __("%(name)s：%(value)s") % {"name": label, "value": titles.get(one.obligation_id, __("整件"))}
        links.append((label, f"{here}{join}op={one.name}&ob={one.obligation_id}#act"))
    return links


def _flags(view: CaseView) -> list[Tag]:
    """Return what is special about where the case stands, each in words."""
    case, has_children = view.case, any(item.child_id and item.state == "open" for item in view.obligations)
    flags = [Tag(__("例外：无人可办"), "red")] if any(item.vacant for item in view.obligations) else []
    flags += [Tag(__("例外：不同的人不够"), "red")] if any(item.short for item in view.obligations) else []
    return flags + _usual_flags(case, has_children)


def _usual_flags(case: Case, has_children: bool) -> list[Tag]:
    flags = [Tag(say(CASE_STATES["suspended"]), "grey")] if case.state == "suspended" else []
    flags += [Tag(__("子办件照常办理"), "grey")] if flags and has_children else []
    flags += [Tag(__("督办"), "red")] if case.supervised_at and case.is_open else []
    said = ngettext("催办 %(n)s 次", "催办 %(n)s 次", case.reminders) % {"n": case.reminders}
    return flags + ([Tag(said, "amber")] if case.reminders and case.is_open else [])


def absence_columns(request: HttpRequest) -> tuple[Column, ...]:
    """Return the columns of the delegations; one's own that still run can be ended."""
    mine, today = request.actor.id, local(now()).date()
    kinds = {info.code: say(info.title) for info in api.list_kinds()}

    def end(one: Delegation) -> Any:
        running = one.principal == mine and one.ended_at is None and one.until >= today
        return Action(__("结束代办"), reverse("cases:end_absence", args=[one.delegation_id]), post=True) if running else None

    def state(one: Delegation) -> Tag:
        if one.ended_at is not None or one.until < today:
            return Tag(__("已结束"), "grey")
        return Tag(__("生效中"), "green") if one.since <= today else Tag(__("未开始"), "amber")

    return (
        Column(_("离岗人"), lambda d: d.principal_name),
        Column(_("代办人"), lambda d: d.delegate_name),
        Column(_("期间"), lambda d: f"{d.since.isoformat()} – {d.until.isoformat()}"),
        Column(_("办件类型"), lambda d: signs.listed(kinds.get(code, code) for code in d.kinds) or _("全部")),
        Column(_("原因"), lambda d: d.reason, wide=True),
        Column(_("状态"), state),
        Column(_("操作"), end),
    )


def leave_table(actor: Actor) -> Table | None:
    """Return the actor's leaves that are still to be decided; None if there is none."""
    found = api.list_leaves(actor=actor)
    columns = (
        Column(_("办件"), lambda c: Link(c.title, reverse("cases:case", args=[c.case_id]), sub=c.number), wide=True),
        Column(_("状态"), state_tag),
        Column(_("提出时间"), lambda c: c.opened_at),
    )
    return Table(columns, found, str(_("待批准的请假"))) if found else None


def _related(view: CaseView) -> Table | None:
    if not view.related:
        return None
    columns = (
        Column(_("关系"), lambda r: str(RELATIONS[r.relation])),
        Column(_("办件"), lambda r: Link(r.title, reverse("cases:case", args=[r.case_id]), sub=r.number), wide=True),
        Column(_("环节"), lambda r: Tag(say(r.phase_title), "green" if r.state == "closed" else "amber")),
    )
    return Table(columns, view.related, str(_("相关办件")))


def _members(view: CaseView) -> Table | None:
    """Return the list of a batch; None for any other case."""
    if view.members is None:
        return None
    columns = [
        Column(_("名次"), lambda m: m.rank, number=True),
        Column(_("办件"), lambda m: Link(m.title, reverse("cases:case", args=[m.case_id]), sub=m.number), wide=True),
        Column(_("环节"), lambda m: Tag(say(m.phase_title), "green" if m.state == "closed" else "amber")),
    ]
    if view.members_by:
        columns.insert(2, Column(say(view.members_by), lambda m: m.value or None, number=True))
    return Table(columns, view.members, str(_("清单")), Empty(_("清单还是空的"), _("轮到办理人时，可以从等候列入的办件中选取。")))


def _timeline(view: CaseView) -> list[cells.Event]:
    names = names_in(view)
    lines = [cells.Event(_who_did(event), event.at, facts_told(event, names), tags=undone_tags(event)) for event in view.events]
    titles = role_titles() if view.case.is_open else {}
    waiting = (o for o in view.obligations if o.state == "open")
    return lines + [
        cells.Event(_who_owes(o, view, titles), o.due.at if o.due else None, "", True, _lacks(o))
        for o in waiting
    ]


def _lacks(item: Obligation) -> tuple[Tag, ...]:
    said = __("无人可办") if item.vacant else __("不同的人不够") if item.short else ""
    return (Tag(said, "red"),) if said else ()


def undone_tags(answer: Event | Obligation) -> tuple[Tag, ...]:
    """Return the mark of an answer that a send-back undid: it stays to be read and counts no more."""
    return (Tag(__("已被退回作废"), "grey"),) if answer.superseded else ()


def role_titles() -> dict[str, str]:
    """Return what roles are called, by code."""
    return {role.code: say(role.title) for role in organizations.list_roles()}


def _who_did(event: Event) -> str:
    return f"{who_of(event)} {say(event.title)}"


def who_of(event: Event) -> str:
    """Return who took a step, of which organisation, and for whom if they stood in for somebody."""
    name = say(PLATFORM) if event.actor_id.startswith("job:") else event.actor_name
    who = " ".join(filter(None, (event.organization_name, name)))
    if event.on_behalf_name:
        who = __("%(who)s（代 %(principal)s）") % {"who": who, "principal": event.on_behalf_name}
    return who


def facts_told(event: Event, names: Mapping[str, str]) -> str:
    """Return what was filled in at a step, in one line."""
    return say_all(_pair(say(fact.title), _plain(_value(fact, names))) for fact in event.facts)


def _pair(name: str, value: Any) -> str:
    return __("%(name)s：%(value)s") % {"name": name, "value": value}


def _plain(value: Any) -> str:
    return value.text if isinstance(value, Code) else str(value)


def say_holder(held: Obligation | Holder, case: Case, titles: Mapping[str, str]) -> str:
    """Return who owes something: a person, or an organisation and its roles, by their `titles`."""
    if not held.for_people:
        return __("子办件") if held.child_id else say(PLATFORM)
    if held.person == case.opened_by:
        return case.opened_by_name
    if held.person == "batch":
        return __("批量办件")
    roles = " / ".join(titles.get(role, role) for role in held.roles)
    return held.assignee_name or f"{held.organization_name} {roles}".strip()


def _who_owes(obligation: Obligation, view: CaseView, titles: Mapping[str, str]) -> str:
    who = say_holder(obligation, view.case, titles)
    if child := next((one.number for one in view.related if one.case_id == obligation.child_id and not obligation.for_people), ""):
        who = __("子办件 %(number)s") % {"number": child}
    return __("等待 %(who)s：%(what)s") % {"who": who, "what": say(obligation.title)}


def _proof(view: CaseView, actor: Actor) -> Table:
    seen = evidence.list_openable(ids=[event.evidence_id for event in view.events], actor=actor)
    columns = (
        Column(_("步骤"), lambda e: e.seq, number=True),
        Column(_("办理"), lambda e: say(e.title)),
        Column(_("摘要值"), lambda e: Code(e.digest), wide=True),
        Column(_("存证"), lambda e: Link(e.evidence_id, reverse("evidence:record", args=[e.evidence_id])) if e.evidence_id in seen else Code(e.evidence_id)),
    )
    return Table(columns, view.events, str(_("每一步的存证")))
