"""A case on paper: facts, obligations, timeline, how the time was counted, and what proves each step."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as __
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from yunhe.core.cases import api
from yunhe.core.cases.forms.actions import say
from yunhe.core.cases.panels import kinds
from yunhe.core.cases.panels.cases import (
    case_context,
    facts_told,
    names_in,
    role_titles,
    undone_tags,
    who_of,
)
from yunhe.core.cases.panels.clocks import counted_days, due_sentence
from yunhe.core.cases.panels.elsewhere import offers_change_over
from yunhe.core.cases.rules.diagram import PLATFORM
from yunhe.core.cases.types import CaseView, CountedDay, Due, Obligation
from yunhe.kernel.clock import now
from yunhe.ui import signs, times
from yunhe.ui.cells import Code, Column, Empty, Fact, Table
from yunhe.ui.doors import requires


@require_safe
@offers_change_over
@requires("cases.view", "cases.act")
def print_case(request: HttpRequest, case_id: str) -> HttpResponse:
    """Show a case as a page for paper, without navigation."""
    view = api.access_case(case_id=case_id, actor=request.actor)
    context = case_context(request, view, here=reverse("cases:case", args=[case_id]))
    context |= {"head": _head(view), "owed": _owed(view), "clocks": _clocks(view), "steps": _steps(view), "proof": _proof(view)}
    context["course"] = kinds.course_of(view)
    return render(request, "cases/print.html", context | {"printed_at": now(), "actor": request.actor})


def _head(view: CaseView) -> list[Fact]:
    case = view.case
    told = {organ.organization: organ.organization_name for organ in view.obligations}
    names = {**api.organization_choices(), **told}
    facts = [
        Fact(__("编号"), case.number),
        Fact(__("类型"), say(case.kind_title)),
        *([Fact(__("申请单位"), names.get(case.organization, case.organization))] if case.organization else []),
        Fact(__("提出人"), case.opened_by_name),
        Fact(__("提出时间"), times.say_full(case.opened_at)),
        Fact(__("办理单位"), names.get(case.owner, case.owner)),
        Fact(__("环节"), say(case.phase_title)),
    ]
    return [*facts, Fact(__("办结时间"), times.say_full(case.closed_at))] if case.closed_at else facts


def _owed(view: CaseView) -> Table:
    titles = role_titles()

    def who(one: Obligation) -> str:
        if one.by_platform or (not one.for_people and not one.child_id):
            return say(PLATFORM)
        roles = " / ".join(titles.get(role, role) for role in one.roles)
        ended = one.closed_by_name if one.state != "cancelled" else ""  # who took it away is not whose it was
        return ended or one.assignee_name or " ".join(filter(None, (one.organization_name, roles)))

    def ended(one: Obligation) -> Any:
        return times.say_full(one.closed_at) if one.closed_at else None

    columns = (
        Column(_("待办事项"), lambda o: say(o.title)),
        Column(_("办理人"), who, wide=True),
        Column(_("开始"), lambda o: times.say_full(o.opened_at)),
        Column(_("到期"), lambda o: times.say_full(o.due.at) if o.due and o.due.at else None),
        Column(_("结束"), ended),
        Column(_("结果"), _result),
    )
    return Table(columns, view.obligations, str(_("各项待办")), Empty(_("没有待办")))


def _result(one: Obligation) -> Any:
    """Return how it ended; what a send-back undid is no result."""
    told = say(one.outcome_title) if one.outcome else STATES.get(one.state)
    return (told, *undone_tags(one)) if one.outcome and one.superseded else told


STATES = {"open": _("办理中"), "cancelled": _("已取消")}


def _clocks(view: CaseView) -> list[tuple[str, str, Table]]:
    """Return each limit with its sentence and its counted days: the case's own, then those of the obligations, alike ones once."""
    limits = [(__("全程"), view.due)] if view.due else []
    limits += [(_called(view, one), one.due) for one in view.obligations if one.due]
    alike: dict[tuple[str, tuple[CountedDay, ...]], tuple[list[str], Due]] = {}
    for title, due in limits:
        if due:
            alike.setdefault((due_sentence(due, told_at=times.say_full), due.days), ([], due))[0].append(title)
    called = {key: signs.listed(titles) for key, (titles, _due) in alike.items()}
    return [(called[key], key[0], counted_days(due, called[key])) for key, (_titles, due) in alike.items()]


def _called(view: CaseView, one: Obligation) -> str:
    """Return what an obligation is called; of several alike, with whose it is and when it came, so that each is another."""
    alike = [other for other in view.obligations if other.due and other.name == one.name]
    more = [one.organization_name] if len({other.organization for other in alike}) > 1 else []
    more += [times.say_full(one.opened_at)] if sum(other.organization == one.organization for other in alike) > 1 else []
    return " ".join([say(one.title), *more])


def _steps(view: CaseView) -> Table:
    names = names_in(view)
    columns = (
        Column(_("步骤"), lambda e: e.seq, number=True),
        Column(_("时间"), lambda e: times.say_full(e.at)),
        Column(_("办理人"), who_of, wide=True),
        Column(_("办理"), lambda e: (say(e.title), *undone_tags(e)) if e.superseded else say(e.title)),
        Column(_("内容"), lambda e: facts_told(e, names), wide=True),
    )
    return Table(columns, view.events, str(_("办理经过")))


def _proof(view: CaseView) -> Table:
    columns = (
        Column(_("步骤"), lambda e: e.seq, number=True),
        Column(_("存证编号"), lambda e: Code(e.evidence_id)),
        Column(_("摘要值"), lambda e: Code(e.digest), wide=True),
    )
    return Table(columns, view.events, str(_("每一步的存证")))
