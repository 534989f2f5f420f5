"""What a person reads of a case at the command line: where it stands, who owes what by when, each clock, what happened."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any

from yunhe.cli.commands import named_lines, say
from yunhe.core.cases.types import CASE_STATES, Case, CaseView, Due, Event, Fact, Obligation
from yunhe.kernel.clock import local

WHOLE: Mapping[str, str] = {"zh": "全程", "en": "whole case"}
PLATFORM: Mapping[str, str] = {"zh": "系统", "en": "the platform"}
LATE: Mapping[bool, Mapping[str, str]] = {True: {"zh": "超期，止于", "en": "late, ended"}, False: {"zh": "未超期，止于", "en": "in time, ended"}}
UNITS: Mapping[str, Mapping[str, str]] = {
    "workdays": {"zh": " 个工作日", "en": " working days"},
    "days": {"zh": " 个自然日", "en": " days"},
    "hours": {"zh": " 小时", "en": " hours"},
}


def when(at: datetime | None) -> str:
    """Return a moment to the minute in Asia/Shanghai, as the page says it; "—" for none."""
    return f"{local(at):%Y-%m-%d %H:%M}" if at else "—"


PAUSED: Mapping[str, str] = {"zh": "自 {at} 起暂停：{basis}", "en": "paused since {at}: {basis}"}
JOINS: Mapping[str, tuple[str, str, str]] = {"zh": ("、", "；", "："), "en": (", ", "; ", ": ")}
"""Between names, between what is said, between a name and what it holds."""
STANDS_IN: Mapping[str, str] = {"zh": "（代 {name}）", "en": " (for {name})"}


def due_of(case: Case, language: str) -> str:
    """Return when a case is due; what is closed is due no more, what stands still says since when and why."""
    if case.paused_at:
        return PAUSED[language].format(at=when(case.paused_at), basis=case.pause_basis)
    return when(case.due_at if case.is_open else None)


def case_data(case: Case) -> dict[str, Any]:
    """Return a case as JSON tells it: of its data what its page shows."""
    told = {**asdict(case), "data": dict(case.shown_data)}
    del told["hidden"]
    return told


def stood_in(name: str, language: str) -> str:
    """Return for whom somebody stands in, "" for nobody."""
    return STANDS_IN[language].format(name=name) if name else ""


def stands(case: Case, language: str) -> str:
    """Return where a case stands: its phase, and its state or how it ended."""
    state = CASE_STATES[case.state][language].lower()
    outcome = case.outcome_title.get(language, case.outcome)
    ended = {"zh": f"（{outcome}）", "en": f" ({outcome})"}[language] if case.outcome and not case.is_open else ""
    return f"{case.phase_title[language]} · {state}{ended}"


def case_lines(view: CaseView, *, language: str, titles: Mapping[str, str]) -> Iterator[str]:
    """Yield the lines of one case. `titles` names the roles by code."""
    case = view.case
    yield f"{case.number}  {case.title}"
    yield f"{case.kind_title[language]}  {stands(case, language)}  {case.opened_by_name} {when(case.opened_at)}"
    opened = [one for one in view.obligations if one.state == "open"] if case.is_open else []
    owed = [(_holder(one, case, titles, language), one.title[language], when(one.due.at if one.due else None)) for one in opened]
    yield from _part(("waits for", "to do", "due"), owed)
    clocks = [(WHOLE[language], view.due), *((one.title[language], one.due) for one in opened)]
    yield from _part(("clock", "limit", "since", "due", "basis"), [_clock(name, due, language) for name, due in clocks if due])
    yield from _part(("fact", "value"), [(fact.title[language], _value(fact, view.names, language)) for fact in view.facts])
    actions = sorted({f"{a.name}{stood_in(a.on_behalf_name, language)}" for a in view.actions if not a.refusal})
    yield f"{say('可办：', 'actions: ')}{', '.join(actions) or '—'}"
    held_back = {a.name: a.refusal[language] for a in view.actions if a.refusal}
    yield from (f"{say('暂不能办：', 'held back: ')}{name}{JOINS[language][2]}{why}" for name, why in sorted(held_back.items()))
    yield f"{say('更多：', 'operators: ')}{', '.join(dict.fromkeys(o.name for o in view.operators)) or '—'}"
    steps = [
        (e.seq, when(e.at), _by(e, language), _step(e, language), _told(e.facts, view.names, language))
        for e in view.events
    ]
    yield from _part(("#", "at", "by", "step", "what"), steps)


def _part(headings: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Iterator[str]:
    if rows:
        yield ""
        yield from named_lines(headings, rows)


def _clock(name: str, due: Due, language: str) -> tuple[str, ...]:
    amount = f"{' + '.join(map(str, (due.limit, *due.granted)))}{UNITS.get(due.unit, {}).get(language, f' {due.unit}')}"
    if due.ended_at:
        late = LATE[due.light == "overdue"][language]
        return name, amount, when(due.started_at), f"{late} {when(due.ended_at)}", due.basis
    if due.paused_at is None:
        return name, amount, when(due.started_at), when(due.at), due.basis
    paused = PAUSED[language].format(at=when(due.paused_at), basis=due.pause_basis)
    return name, amount, when(due.started_at), paused, due.basis


def _by(event: Event, language: str) -> str:
    if event.actor_id.startswith("job:"):
        return PLATFORM[language]
    return f"{event.organization_name} {event.actor_name}".strip() + stood_in(event.on_behalf_name, language)


def _step(event: Event, language: str) -> str:
    undone = {"zh": "（已被退回作废）", "en": " (superseded)"}[language] if event.superseded else ""
    return f"{event.title[language]}{undone}"


def _holder(one: Obligation, case: Case, titles: Mapping[str, str], language: str) -> str:
    if not one.for_people and not one.child_id:
        return PLATFORM[language]
    if one.person == case.opened_by:
        return case.opened_by_name
    roles = " / ".join(titles.get(role, role) for role in one.roles)
    return one.assignee_name or f"{one.organization_name} {roles}".strip() or one.person


def _value(fact: Fact, names: Mapping[str, str], language: str) -> str:
    listed, several, mark = JOINS[language]
    if fact.label is not None:
        return fact.label[language]
    if isinstance(fact.value, list):
        return listed.join(names.get(str(one), str(one)) for one in fact.value)
    if isinstance(fact.value, dict):
        return several.join(f"{names.get(key, key)}{mark}{names.get(str(one), one)}" for key, one in fact.value.items())
    return names.get(str(fact.value), str(fact.value))


def _told(facts: tuple[Fact, ...], names: Mapping[str, str], language: str) -> str:
    _listed, several, mark = JOINS[language]
    return several.join(f"{fact.title[language]}{mark}{_value(fact, names, language)}" for fact in facts)
