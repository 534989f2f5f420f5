"""What waits to be sent: until when, what goes together in one message, and what is not sent any more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, time, timedelta

from django.db import transaction
from django.db.models import F, Max, Min, Q, QuerySet

from yunhe.core.jobs import api as jobs
from yunhe.core.notices.api.registry import find_channel, list_channels, list_kinds
from yunhe.core.notices.errors import NotSentAnyMore, RecipientLeft
from yunhe.core.notices.models import Announcement, Choice, Dispatch, Habit, NoticeRow
from yunhe.core.notices.rules import after_quiet
from yunhe.core.notices.types import NoticeKind
from yunhe.core.organizations import api as organizations
from yunhe.kernel.clock import now
from yunhe.kernel.errors import YunheError

JOB = "notices.deliver"
GATHER = timedelta(seconds=30)
"""How long what comes in rounds waits for the next of it."""
MOST_GATHER = timedelta(minutes=10)
"""After which it leaves, whatever still comes: as long as a desk is left alone."""
MOST_TOGETHER = 500
UNWANTED = {"reason_zh": "已不再选择用这个渠道接收这类通知", "reason_en": "this kind is no longer wanted by this channel"}
DONE = {"reason_zh": "所说的事已经办完，或已不由收件人办", "reason_en": "what it asks for is done, or no longer theirs to do"}
NOWHERE = {"reason_zh": "没有验证过的地址，或账号已关闭", "reason_en": "there is no proven address, or the account is closed"}
Place = tuple[str, str]


def habit_of(user_id: int) -> Habit:
    """Return a person's quiet hours and language, or the defaults."""
    return Habit.objects.filter(pk=user_id).first() or Habit(user_id=user_id)


def due_time(*, row: Dispatch, at: datetime) -> datetime:
    """Return when a dispatch may leave: a code at once, what comes in rounds once the round is over, both after the quiet hours."""
    if row.announcement is None:
        return at
    ready = max(at, _over(row)) if _in_rounds(row.announcement) and not row.within else at
    if row.user_id is None or not find_channel(code=row.channel).waits:
        return ready
    return _after_quiet(row.announcement, habit_of(row.user_id), ready)


def choose_again(*, user_id: int) -> None:
    """Have what waits for a person leave as they chose just now, or not at all; in the transaction of their choice.

    What is on its way already is looked at by its next try.
    """
    rows = list(_waiting().filter(user_id=user_id, within__in=("", F("id"))).order_by("id"))
    unwanted = _unwanted(user_id, rows)
    for row in rows:
        if row.pk in unwanted and not row.within:
            drop(row, NotSentAnyMore(**UNWANTED))
            continue
        due = due_time(row=row, at=now())
        if due != row.due_at and jobs.run_at(name=JOB, key=row.pk, at=due):
            Dispatch.objects.filter(pk=row.pk, state="waiting").update(due_at=due)


def together(row: Dispatch) -> list[Dispatch]:
    """Return a dispatch and what else leaves with it in one message, bound to it from now on; nothing where it goes with another.

    What was tried by itself goes by itself: the other side may have it already, and knows it by its id.
    """
    if row.announcement is None:
        return [row]
    if row.within:
        return list(_waiting().filter(within=row.pk).order_by("id")) if row.within == row.pk else []
    at = now()
    with transaction.atomic():
        theirs = _to(row).filter(within="")
        mates = theirs.filter(tries=0, due_at__lte=at).exclude(pk=row.pk) if not row.tries else theirs.none()
        chosen = [row.pk, *(one.pk for one in _due_mates(list(mates.order_by("id")[:MOST_TOGETHER]), at))]
        # Locked in one order: of two messages to the same person only one takes the other along.
        taken = theirs.filter(pk__in=chosen).select_for_update(of=("self",)).order_by("id")
        found = {one.pk: one for one in taken}
        if row.pk not in found:
            return []
        Dispatch.objects.filter(pk__in=found).update(within=row.pk)
    return list(found.values())


def let_go(row: Dispatch) -> list[Dispatch]:
    """Unbind what was to leave with a dispatch that does not; return it."""
    mates = list(_waiting().filter(within=row.pk).exclude(pk=row.pk).order_by("id"))
    Dispatch.objects.filter(pk__in=[one.pk for one in mates]).update(within="")
    for one in mates:
        one.within = ""
    return mates


def reasons(rows: Sequence[Dispatch]) -> dict[str, YunheError]:
    """Return by id why messages to one person are not to leave any more. Cost: five queries, and what each `still` costs."""
    told = {row.pk: row.announcement for row in rows if row.user_id is not None and row.announcement is not None}
    if not told:
        return {}
    (user_id,) = {row.user_id for row in rows if row.pk in told and row.user_id is not None}
    unwanted, left, done = _unwanted(user_id, rows), _left(user_id, told.values()), _done(user_id, told.values())
    found: dict[str, YunheError] = {}
    for row in rows:
        announcement = told.get(row.pk)
        if announcement is None:
            continue
        if announcement.pk in left:
            found[row.pk] = RecipientLeft()
        elif announcement.pk in done:
            found[row.pk] = NotSentAnyMore(**DONE)
        elif row.pk in unwanted:
            found[row.pk] = NotSentAnyMore(**UNWANTED)
    return found


def drop(row: Dispatch, error: YunheError) -> None:
    """Have a waiting dispatch end unsent, with the reason."""
    said = error.texts
    values = {"state": "dropped", "ended_at": now(), "error_code": error.code, "error": said}
    Dispatch.objects.filter(pk=row.pk, state="waiting").update(**values)


def _waiting() -> QuerySet[Dispatch]:
    return Dispatch.objects.filter(state="waiting", announcement__isnull=False).select_related("announcement")


def _to(row: Dispatch) -> QuerySet[Dispatch]:
    """Return what waits for the recipient of a dispatch by its channel."""
    owner = Q(user__isnull=True) if row.user_id is None else Q(user_id=row.user_id)
    return _waiting().filter(owner, organization=row.organization, channel=row.channel)


def _in_rounds(told: Announcement) -> bool:
    return told.kind in {kind.code for kind in list_kinds() if kind.comes_in_rounds}


def _over(row: Dispatch) -> datetime:
    """Return when the round is over with which a dispatch came: none came for a moment, or the first waited long enough."""
    rounds = [kind.code for kind in list_kinds() if kind.comes_in_rounds]
    theirs = _to(row).filter(within="", announcement__kind__in=rounds)
    span = theirs.order_by().aggregate(first=Min("made_at"), last=Max("made_at"))
    first, last = span["first"] or row.made_at, span["last"] or row.made_at
    return min(last + GATHER, first + MOST_GATHER)


def _after_quiet(told: Announcement, habit: Habit, at: datetime) -> datetime:
    if told.is_urgent and habit.urgent_through:
        return at
    return after_quiet(at, start=_time(habit.quiet_from), end=_time(habit.quiet_until))


def _due_mates(mates: list[Dispatch], at: datetime) -> list[Dispatch]:
    """Return which of what waits for one recipient may leave now."""
    if not mates:
        return []
    first = mates[0]
    habit = habit_of(first.user_id) if first.user_id is not None and find_channel(code=first.channel).waits else None
    rounds = [one for one in mates if one.announcement is not None and _in_rounds(one.announcement)]
    coming = {one.pk for one in rounds} if rounds and _over(rounds[0]) > at else set()
    told = [(one, one.announcement) for one in mates if one.announcement is not None and one.pk not in coming]
    return [one for one, about in told if habit is None or _after_quiet(about, habit, at) <= at]


def _unwanted(user_id: int, rows: Iterable[Dispatch]) -> set[str]:
    """Return what is of a kind that the person does not want by its channel; of what is registered no more nothing."""
    kinds: dict[str, NoticeKind] = {kind.code: kind for kind in list_kinds()}
    known = {channel.code for channel in list_channels() }
    chosen = {(one.kind, one.channel): one.is_on for one in Choice.objects.filter(user_id=user_id)}
    found = set()
    for row in rows:
        kind = kinds.get(row.announcement.kind) if row.announcement else None
        if kind and row.channel in known and not chosen.get((kind.code, row.channel), row.channel in kind.default_channels):
            found.add(row.pk)
    return found


def _left(user_id: int, told: Collection[Announcement]) -> set[str]:
    """Return what was told in memberships that the person has no more, in none that they still have."""
    places: defaultdict[str, set[Place]] = defaultdict(set)
    notices = NoticeRow.objects.filter(user_id=user_id, announcement__in=[one.pk for one in told])
    for announcement, organization, role in notices.values_list("announcement_id", "organization", "role"):
        places[announcement].add((organization, role))
    held = organizations.list_memberships(user_id=user_id)
    mine = {("", "")} | {(one.organization, one.role) for one in held} | {(one.organization, "") for one in held}
    return {one.pk for one in told if not places[one.pk] & mine}


def _done(user_id: int, told: Iterable[Announcement]) -> set[str]:
    """Return what asks for nothing that the person still has to do."""
    by_kind: defaultdict[str, dict[str, set[str]]] = defaultdict(dict)
    for one in told:
        if one.about:
            by_kind[one.kind][one.pk] = set(one.about.split())
    found = set[str]()
    for kind in list_kinds():
        asked = by_kind.get(kind.code)
        if asked and kind.still is not None:
            still = set(kind.still(sorted(set().union(*asked.values())), f"user:{user_id}"))
            found |= {pk for pk, about in asked.items() if not about & still}
    return found


def _time(value: time | None) -> time | None:
    return value.replace(tzinfo=None, second=0, microsecond=0) if value else None
