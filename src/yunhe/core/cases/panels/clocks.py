"""What pages say of clocks: what is due, in a sentence, and how that was counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext as __
from django.utils.translation import gettext_lazy as _

from yunhe.core.cases.forms.actions import say
from yunhe.core.cases.rules.lengths import amount_in_words, moved_in_words
from yunhe.core.cases.types import CaseView, CountedDay, Due
from yunhe.ui import signs, times
from yunhe.ui.cells import Column, Empty, Table, Tag, Tone

TONES: Mapping[str, Tone] = {"overdue": "red", "today": "red", "week": "amber", "normal": "green", "paused": "grey"}
REASONS: Mapping[str, Any] = {
    "hours": _("计入时限"),
    "start": _("当日不计"),
    "workday": _("工作日"),
    "weekend": _("周末，不计"),
    "holiday": _("放假，不计"),
    "makeup": _("调休上班"),
    "day": _("自然日"),
    "paused": _("暂停，不计"),
    "unknown": _("该年放假安排尚未公布，暂按周末推算"),
}


def due_tag(title: Mapping[str, str], tone: Tone) -> Tag:
    """Return what is to be done as a tag."""
    return Tag(say(title), tone)


def light_tone(light: str) -> Tone:
    """Return the tone of a light; the page says it in words as well."""
    return TONES.get(light, "grey")


def due_sentence(due: Due, *, told_at: Callable[[datetime], str] = times.say_time) -> str:
    """Return how long the limit is and which rule says so, in one sentence; `told_at` says moments."""
    limit, basis = say(amount_in_words(due.limit, due.unit)), due.basis.rstrip("。")
    whole = say(amount_in_words(due.limit, due.unit, *due.granted))
    told = [__("%(limit)s，自 %(start)s 起") % {"limit": whole, "start": told_at(due.started_at)}]
    told.append(__("%(limit)s的依据：%(basis)s") % {"limit": limit, "basis": basis} if due.granted else __("依据：%(basis)s") % {"basis": basis})
    told += [_extended(one, due.unit, told_at) for one in due.extensions]
    for one in due.pauses:
        since, until = (times.say_time(datetime.fromisoformat(one[end])) for end in ("since", "until"))
        told.append(__("%(since)s 至 %(until)s 暂停过：%(basis)s") % {"since": since, "until": until, "basis": one["basis"]})
    if due.paused_at:
        told.append(__("自 %(since)s 起暂停：%(basis)s") % {"since": told_at(due.paused_at), "basis": due.pause_basis})
    told += [__("其中有的年份放假安排尚未公布，公布后会重算。")] if due.estimated else []
    return signs.sentences(told)


def _extended(one: Mapping[str, Any], unit: str, told_at: Callable[[datetime], str]) -> str:
    """Return one extension in a sentence: by how much, under which rule and why; by whom and when, and how the due date moved."""
    facts = {name: str(one[name]).rstrip("。") for name in ("basis", "reason")}
    told = __("延期 %(amount)s，依据：%(basis)s，理由：%(reason)s") % {"amount": say(amount_in_words(int(one["amount"]), unit)), **facts}
    if "at" not in one:
        return told
    who = " ".join(filter(None, (one["by_organization"], one["by"])))
    by = __("%(who)s于 %(at)s 办理") % {"who": who, "at": told_at(datetime.fromisoformat(one["at"]))}
    moved = __("到期：%(moved)s") % {"moved": say(moved_in_words(one["due_before"], one["due_after"], unit))}
    return signs.several((told, by, moved))


def due_of(view: CaseView) -> Due | None:
    """Return the due date that counts now: the actor's own, else the earliest open one, else the case's.

    Of a case that is over: the clock of the whole, else that of the work that was ended last.
    """
    if not view.case.is_open:
        done = sorted((o for o in view.obligations if o.state == "done" and o.due and o.closed_at), key=lambda o: o.closed_at)
        return view.due or (done[-1].due if done else None)
    mine = {action.obligation_id for action in view.actions}
    opened = [o for o in view.obligations if o.state == "open" and o.due]
    far = datetime.max.replace(tzinfo=UTC)  # what stands still comes last
    ordered = sorted(opened, key=lambda o: (o.obligation_id not in mine, (o.due and o.due.at) or far))
    return ordered[0].due if ordered else view.due


def whole_clock(view: CaseView, due: Due | None) -> dict[str, Any]:
    """Return the clock of the whole case, where another one is shown as what is due now."""
    if view.due is None or due is None or due == view.due or not view.case.is_open:
        return {"whole": None}
    return {"whole": view.due, "whole_sum": due_sentence(view.due), "whole_counted": counted_days(view.due, __("全程"))}


def counted_days(due: Due, of: str = "") -> Table:
    """Return every day that was looked at, with its number or why it does not count; `of` says of which limit, where a page has several."""
    caption = __("逐日计算：%(of)s") % {"of": of} if of else __("逐日计算")
    if due.unit == "hours":
        return Table(STRETCHES, due.days, caption, Empty(_("按小时计算，不逐日列出")))

    def note(day: CountedDay) -> str:
        longer = day.number is not None and day.number > due.limit
        return signs.in_brackets(_day_note(day), __("延期所加") if longer else "")

    columns = (
        Column(_("日期"), lambda d: f"{d.on.isoformat()} {times.weekday_name(d.on)}"),
        Column(_("第几日"), lambda d: d.number, number=True),
        Column(_("说明"), note, wide=True),
    )
    return Table(columns, due.days, caption, Empty(_("按小时计算，不逐日列出")), stays=True)


def _day_note(day: CountedDay) -> str:
    reason = str(REASONS[day.reason])
    return signs.pair(day.name, reason) if day.name else reason


def _length(day: CountedDay) -> str | None:
    """Return how long a stretch of time is, in hours, minutes and seconds."""
    if day.since is None or day.until is None:
        return None
    seconds = int((day.until - day.since).total_seconds())
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


STRETCHES = (
    Column(_("自"), lambda d: times.say_full(d.since)),
    Column(_("至"), lambda d: times.say_full(d.until)),
    Column(_("时长"), _length, number=True),
    Column(_("说明"), _day_note, wide=True),
)
