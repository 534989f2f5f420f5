"""What a person has chosen: which kinds by which channels, when not, in which language; and what did not arrive."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from datetime import time
from typing import cast

from django.db import transaction
from django.db.models import Q

from yunhe.core.notices.api import held
from yunhe.core.notices.api.held import habit_of
from yunhe.core.notices.api.registry import list_channels, list_kinds, title_of
from yunhe.core.notices.errors import (
    BadNotice,
    EmptyQuietHours,
    HalfQuietHours,
    NoMailbox,
    NotSentAnyMore,
    RecipientLeft,
)
from yunhe.core.notices.models import Choice, ContactRow, Dispatch, Habit
from yunhe.core.notices.types import LANGUAGES, Failure, Language, NoticeKind, Preferences
from yunhe.core.statements.api import Rows
from yunhe.kernel.actor import Actor

CONTACTS = Rows(ContactRow)
MOST_FAILURES = 20
CODE_TITLE = {"zh": "验证码", "en": "Code"}


def user_of(actor: Actor) -> int:
    """Return whose notices an actor reads. Raises: NoMailbox if it is no person."""
    if actor.kind != "user":
        raise NoMailbox(name=actor.name)
    return int(actor.id.removeprefix("user:"))


def get_preferences(*, actor: Actor) -> Preferences:
    """Return what the actor has chosen, defaults filled in. Raises: NoMailbox."""
    user_id = user_of(actor)
    chosen = {(row.kind, row.channel): row.is_on for row in Choice.objects.filter(user_id=user_id)}
    wanted = frozenset(
        (kind.code, channel.code)
        for kind in list_kinds()
        for channel in list_channels()
        if chosen.get((kind.code, channel.code), channel.code in kind.default_channels)
    )
    habit = habit_of(user_id)
    return Preferences(wanted, habit.quiet_from, habit.quiet_until, cast("Language", habit.language), habit.urgent_through)


def set_preferences(*, preferences: Preferences, actor: Actor) -> Preferences:
    """Keep what the actor chose, also for what waits. Notices on the page cannot be switched off.

    Raises: NoMailbox, HalfQuietHours, EmptyQuietHours, BadNotice if the language is unknown.
    """
    user_id = user_of(actor)
    if (preferences.quiet_from is None) != (preferences.quiet_until is None):
        raise HalfQuietHours(field="quiet_until")
    if preferences.quiet_from is not None and _time(preferences.quiet_from) == _time(preferences.quiet_until):
        raise EmptyQuietHours(at=f"{preferences.quiet_from:%H:%M}", field="quiet_until")
    if preferences.language not in LANGUAGES:
        raise BadNotice(where="language", expected=", ".join(LANGUAGES), found=preferences.language, field="language")
    with transaction.atomic():
        Habit.objects.update_or_create(
            user_id=user_id,
            defaults={
                "quiet_from": preferences.quiet_from, "quiet_until": preferences.quiet_until,
                "language": preferences.language, "urgent_through": preferences.urgent_through,
            },
        )  # fmt: skip
        for kind in list_kinds():
            for channel in list_channels():
                _keep(user_id, kind, channel.code, is_on=(kind.code, channel.code) in preferences.wanted)
        held.choose_again(user_id=user_id)
    return get_preferences(actor=actor)


def wanted_channels(*, kind: NoticeKind, persons: Collection[int]) -> dict[int, list[str]]:
    """Return person → the channels that they want this kind by and have a proven address for. Cost: one query, two where there is an address."""
    marks = ", ".join(["%s"] * len(persons))
    addressed = f"user_id IN ({marks}) AND verified_at IS NOT NULL AND sealed <> %s ORDER BY id"
    proven = CONTACTS.records(addressed, *persons, b"", names=("id", "user_id", "channel")) if persons else []
    if not proven:
        return {}
    ready = {channel.code for channel in list_channels() if channel.is_ready()}
    chosen: dict[tuple[int, str], bool] = {
        (row.user_id, row.channel): row.is_on for row in Choice.objects.filter(kind=kind.code, user_id__in=persons)
    }
    reachable: defaultdict[int, list[str]] = defaultdict(list)
    for row in proven:
        wanted = chosen.get((row.user_id or 0, row.channel), row.channel in kind.default_channels)
        if row.user_id is not None and wanted and row.channel in ready:
            reachable[row.user_id].append(row.channel)
    return dict(reachable)


def list_failures(*, actor: Actor) -> tuple[Failure, ...]:
    """Return the newest messages that did not reach the actor, or were dropped before they left, and why. Raises: NoMailbox."""
    ended = Q(state="failed") | Q(state="dropped", error_code__in=(NotSentAnyMore.code, RecipientLeft.code))
    rows = Dispatch.objects.filter(ended, user_id=user_of(actor)).select_related("announcement")
    return tuple(_failure(row) for row in rows.order_by("-ended_at", "-id")[:MOST_FAILURES])


def _failure(row: Dispatch) -> Failure:
    told = row.announcement
    title = {"zh": told.title_zh, "en": told.title_en} if told else CODE_TITLE
    if told and row.error_code == RecipientLeft.code:
        title = dict(title_of(told.kind))
    return Failure(
        id=row.pk, channel=row.channel, title={name: said for name, said in title.items() if said}, reason=row.error,
        failed_at=row.ended_at or row.made_at, is_dropped=row.state == "dropped",
    )


def _keep(user_id: int, kind: NoticeKind, channel: str, *, is_on: bool) -> None:
    if is_on == (channel in kind.default_channels):
        Choice.objects.filter(user_id=user_id, kind=kind.code, channel=channel).delete()
    else:
        Choice.objects.update_or_create(user_id=user_id, kind=kind.code, channel=channel, defaults={"is_on": is_on})


def _time(value: time | None) -> time | None:
    return value.replace(second=0, microsecond=0) if value else None
