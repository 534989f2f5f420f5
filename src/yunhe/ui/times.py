"""How times are said: 今天 17:00, 周三, 11-20, then full dates; counted and shown in Asia/Shanghai."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.utils.translation import gettext as _

from yunhe.kernel import clock


def weekday_name(on: date) -> str:
    """Return 周一 … 周日 in the page's language."""
    names = (_("周一"), _("周二"), _("周三"), _("周四"), _("周五"), _("周六"), _("周日"))
    return names[on.weekday()]


def say_date(on: date, *, today: date) -> str:
    """Return 昨天, 今天, 明天, a weekday of this week, month-day of this year, or the full date."""
    near = {-1: _("昨天"), 0: _("今天"), 1: _("明天")}
    if (name := near.get((on - today).days)) is not None:
        return name
    monday = today - timedelta(days=today.weekday())
    if monday <= on <= monday + timedelta(days=6):
        return weekday_name(on)
    return f"{on:%m-%d}" if on.year == today.year else on.isoformat()


def say_time(at: datetime, *, now: datetime | None = None) -> str:
    """Return a moment as people say it: the day, and the minute unless the day is of another year."""
    local, today = clock.local(at), clock.local(now or clock.now()).date()
    day = say_date(local.date(), today=today)
    return day if len(day) == 10 and day[4] == "-" else f"{day} {local:%H:%M}"


def say_full(at: datetime) -> str:
    """Return the moment in full, to the second, in Asia/Shanghai."""
    return f"{clock.local(at):%Y-%m-%d %H:%M:%S}"


def say_left(until: datetime, *, now: datetime | None = None) -> str:
    """Return how much time is left, or by how much it is overdue."""
    seconds = int((until - (now or clock.now())).total_seconds())
    amount = say_span(abs(seconds))
    return _("剩 %(amount)s") % {"amount": amount} if seconds >= 0 else _("超期 %(amount)s") % {"amount": amount}


def say_span(seconds: float) -> str:
    """Return a length of time in its two largest units. Units: seconds."""
    whole = int(seconds)
    days, hours, minutes = whole // 86400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return _("%(days)s 天 %(hours)s 小时") % {"days": days, "hours": hours}
    if hours:
        return _("%(hours)s 小时 %(minutes)s 分") % {"hours": hours, "minutes": minutes}
    if minutes:
        return _("%(minutes)s 分 %(seconds)s 秒") % {"minutes": minutes, "seconds": whole % 60}
    return _("%(seconds)s 秒") % {"seconds": whole}
