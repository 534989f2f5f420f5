"""What pages say of a dry run: group by group, what the change did to the cases that it was tried on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as __

from yunhe.core.cases.forms.actions import say, say_all
from yunhe.core.cases.panels.cases import role_titles
from yunhe.core.cases.panels.changes import Versions, phase_title, say_group
from yunhe.core.cases.types import DryRun, Owed, TriedCase, TriedGroup, TriedLine
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now
from yunhe.ui import times
from yunhe.ui.cells import Column, Empty, Lines, Link, Table, Tag

MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class Row:
    """What became of one obligation, alike in `cases`."""

    cases: tuple[TriedCase, ...]
    line: TriedLine
    words: tuple[Any, ...]


def trial_groups(dry: DryRun, versions: Versions, actor: Actor) -> list[dict[str, Any]]:
    """Return each group that was tried: its position, how many of its cases, what happened in words, and the table of it."""
    roles, linked = role_titles(), actor.may("cases.view")
    return [
        {
            "title": say_group(versions, group), "cases": group.cases, "tried": len(group.tried),
            "words": say_all(_sums(group, versions)), "failed": [_failed(one, linked) for one in group.tried if one.problem],
            "table": _table(group, roles, linked) if group.tried else None,
        }
        for group in dry.groups
    ]  # fmt: skip


def _failed(one: TriedCase, linked: bool) -> dict[str, str]:
    return {"number": one.number, "href": reverse("cases:case", args=[one.case_id]) if linked else "", "problem": say(one.problem)}


def _sums(group: TriedGroup, versions: Versions) -> list[str]:
    """Return in words what happened to the cases that were tried, all together."""
    lines = [line for one in group.tried for line in one.lines]
    counts = {
        __("结束待办 %(n)s 项"): sum(line.after is None for line in lines),
        __("开启待办 %(n)s 项"): sum(line.before is None for line in lines),
        __("%(n)s 项改变截止时间"): sum(_due_changed(line) for line in lines),
        __("%(n)s 项执行后随即期满"): sum(_lapses_at_once(line.after) for line in lines if line.after),
        __("%(n)s 项没有人能办理"): sum(line.nobody for line in lines),
    }
    said = [text % {"n": count} for text, count in counts.items() if count]
    if group.to_phase != group.phase:
        said.insert(0, __("转到阶段“%(name)s”") % {"name": phase_title(versions.new, group.to_phase)})
    told, lost = ({name for line in lines for name in getattr(line, part)} for part in ("told", "lost"))
    said += [__("告知轮到办理的 %(people)s") % {"people": _named(told)}] if told else []
    said += [__("告知不再办理的 %(people)s") % {"people": _named(lost)}] if lost else []
    return said or [__("待办和时限都不变")]


def _named(people: Iterable[str]) -> str:
    names = sorted(people)
    first = __("、").join(names[:MOST_NAMED])
    return __("%(names)s 等 %(n)s 人") % {"names": first, "n": len(names)} if len(names) > MOST_NAMED else first


def _due_changed(line: TriedLine) -> bool:
    return line.before is not None and line.after is not None and line.before.due_at != line.after.due_at


def _lapses_at_once(after: Owed) -> bool:
    return after.lapse_at is not None and after.lapse_at <= now()


def _table(group: TriedGroup, roles: Mapping[str, str], linked: bool) -> Table:
    columns = (
        Column(__("办件"), lambda row: _numbers(row, linked)),
        Column(__("待办事项"), lambda row: row.words[0], wide=True),
        Column(__("变化"), lambda row: row.words[1]),
        Column(__("变更前"), lambda row: row.words[2], wide=True),
        Column(__("变更后"), lambda row: row.words[3], wide=True),
        Column(__("告知"), lambda row: row.words[4] or None, wide=True),
    )
    title = __("试移的办件：前后对照")
    return Table(columns, _rows(group, roles), title, Empty(__("没有可以对照的待办")))


def _numbers(row: Row, linked: bool) -> Any:
    first = row.cases[0]
    number = Link(first.number, reverse("cases:case", args=[first.case_id])) if linked else first.number
    return Lines(number, __("等 %(n)s 件，都相同") % {"n": len(row.cases)}) if len(row.cases) > 1 else number


def _rows(group: TriedGroup, roles: Mapping[str, str]) -> list[Row]:
    """Return a row for each obligation of each case; what is alike in many cases once."""
    alike: dict[tuple[Any, ...], list[tuple[TriedCase, TriedLine]]] = defaultdict(list)
    for one in group.tried:
        words = [_words(line, roles) for line in one.lines]
        for line, said in zip(one.lines, words, strict=True):
            alike[(tuple(map(str, words)), *map(str, said))].append((one, line))
    found = []
    for those in alike.values():
        cases, line = {one.case_id: one for one, _line in those}, those[0][1]
        found.append(Row(tuple(cases.values()), line, _words(line, roles)))
    return sorted(found, key=lambda row: row.cases[0].number)


def _words(line: TriedLine, roles: Mapping[str, str]) -> tuple[Any, ...]:
    """Return which obligation, what happened to it, how it stood before and after, and who is told."""
    before, after = line.before, line.after
    title = say((after or before or Owed({})).title)
    if before and after and say(before.title) != title:
        title = __("%(old)s → %(new)s") % {"old": say(before.title), "new": title}
    if after is None:
        change = Tag(__("结束"), "grey")
    elif before is None:
        change = Tag(__("开启"), "green")
    else:
        change = Tag(__("改变"), "amber") if _state(before, roles) != _state(after, roles) else Tag(__("不变"), "grey")
    told = [__("轮到 %(people)s") % {"people": _named(line.told)}] if line.told else []
    told += [__("不再是 %(people)s") % {"people": _named(line.lost)}] if line.lost else []
    told += [__("没有人能办理")] if line.nobody else []
    return title, change, _state(before, roles), _state(after, roles), say_all(told)


def _state(item: Owed | None, roles: Mapping[str, str]) -> Any:
    """Return who owes it, and until when."""
    if item is None:
        return None
    who = item.person_name or " ".join(filter(None, (item.organization_name, " / ".join(roles.get(role, role) for role in item.roles))))
    until = __("已暂停") if item.paused else __("至 %(time)s") % {"time": _said(item.due_at)} if item.due_at else __("不限时")
    more = [__("期满自动办结，%(time)s") % {"time": _said(item.lapse_at)}] if item.lapse_at else []
    more += [__("%(time)s 再次开启") % {"time": _said(item.next_at)}] if item.next_at else []
    return Lines(who or until, say_all([until, *more] if who else more))


def _said(at: datetime) -> str:
    return times.say_full(at)[:16]
