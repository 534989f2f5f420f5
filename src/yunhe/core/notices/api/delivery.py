"""Delivery: the outbox hands each message to a job of its own, the job to the channel.

A handler of the outbox only writes control data, so what is outside the house happens in the job: nobody waits
for a slow mail server with a lock in hand. What the job gives up becomes a dead letter, and that one's retry
hands the message over again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet

from yunhe.core.jobs import api as jobs
from yunhe.core.jobs.api import outbox
from yunhe.core.jobs.errors import JobAlreadyOpen
from yunhe.core.jobs.types import About, JobContext, Message, Told
from yunhe.core.notices.api import held
from yunhe.core.notices.api.held import JOB, due_time
from yunhe.core.notices.api.letters import compose, title_of_several
from yunhe.core.notices.api.registry import find_case, find_channel, list_channels, title_of
from yunhe.core.notices.errors import (
    AddressRefused,
    ChannelBroken,
    ChannelGaveOut,
    ChannelUnavailable,
    NotSentAnyMore,
    Undelivered,
)
from yunhe.core.notices.models import Announcement, Dispatch
from yunhe.core.notices.types import Channel, Letter
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import now
from yunhe.kernel.errors import Terminal, Transient, YunheError

logger = logging.getLogger("yunhe.notices")
TOPIC_GIVEN_UP = "notices.undelivered"
TITLE = {"zh": "发送通知", "en": "Send a notice"}
NOTE_TITLE = {"zh": "记下没有送到的通知", "en": "Note a notice that was not delivered"}
CODE_TITLE = {"zh": "联系方式验证码", "en": "Code for a contact address"}
TRIES = 10
"""As many as the outbox gives a message of its own."""
REST = timedelta(seconds=30)
"""How long a place that did not answer is left alone, so that it holds up nothing behind it."""
STRANDED_AFTER = timedelta(hours=1)

_resting: dict[str, datetime] = {}


def hand_over(message: Message) -> None:
    """Take a message from the outbox: have a job send it, after the recipient's quiet hours."""
    row = Dispatch.objects.select_related("announcement").filter(pk=message.payload["dispatch"], state="waiting").first()
    if row is not None:
        enqueue(row)


def forget(message: Message) -> None:
    """Send nothing of a message that nobody could hand over and that was given up for good."""
    Dispatch.objects.filter(pk=message.payload["dispatch"], state="waiting").update(state="dropped", ended_at=now())


def enqueue(row: Dispatch) -> bool:
    """Have a job send a waiting dispatch when it is due; False if one is on it already, or on that with which it goes."""
    if row.within not in ("", row.pk):
        return False
    row.due_at = due_time(row=row, at=now())
    row.save(update_fields=["due_at"])
    try:
        jobs.enqueue(name=JOB, arguments={"dispatch": row.pk}, actor=job_actor(JOB), key=row.pk, run_after=row.due_at)
    except JobAlreadyOpen:
        return False
    return True


def deliver(context: JobContext, dispatch: str) -> dict[str, int]:
    """Send one message, with all else that waits for its recipient: done, given up, or raising Transient to be tried again.

    Between sending and its mark the process may die; the message then goes twice, with the same id.
    """
    row = Dispatch.objects.select_related("announcement", "contact").filter(pk=dispatch, state="waiting").first()
    if row is None:
        return {"seen": 1, "skipped": 1}
    channel = find_channel(code=row.channel)
    if row.within in ("", row.pk) and due_time(row=row, at=now()) > now():
        return _put_off(context, row)
    rows = held.together(row)
    why = held.reasons(rows)
    letter = compose(row=row, rows=[one for one in rows if one.pk not in why]) if rows and row.pk not in why else None
    if letter is None:
        return _drop(context, row, rows, why)
    for one in rows:
        if one.pk in why:
            held.drop(one, why[one.pk])
    try:
        _hand_to(channel, letter)
    except Terminal as error:
        return _give_up(context, row, error)
    except Transient as error:
        if context.attempt >= TRIES:
            return _give_up(context, row, ChannelGaveOut(**error.facts) if isinstance(error, ChannelUnavailable) else error)
        _note_try(row, error)
        raise
    except Exception as error:  # the door of every channel
        logger.warning("channel %s: %s", channel.code, type(error).__name__, exc_info=error)
        return _give_up(context, row, ChannelBroken(channel=channel.code, error=type(error).__name__))
    return _settle(context, row, counts={"seen": 1, "changed": 1})


def keep_dead_letter(message: Message) -> None:
    """Become the dead letter of a message given up; asked once more, hand the message over again.

    Raises: Undelivered with the reason. `note_dead_letter` stands behind this one in the order of names.
    """
    row = Dispatch.objects.filter(pk=message.payload["dispatch"], state="failed").first()
    if row is None:
        return
    if row.noted < message.payload["round"]:
        raise Undelivered(
            recipient=_recipient(row), tries=row.tries, reason_zh=row.error["zh"],
            reason_en=row.error["en"], **_titles(row),
        )  # fmt: skip
    row.state, row.ended_at, row.tries = "waiting", None, 0
    row.save(update_fields=["state", "ended_at", "tries"])
    _bound(row).filter(state="failed").update(state="waiting", ended_at=None)
    enqueue(row)


def note_dead_letter(message: Message) -> None:
    """Write down that the outbox holds the dead letter: what comes after is somebody's wish to try again."""
    Dispatch.objects.filter(pk=message.payload["dispatch"]).update(noted=message.payload["round"])


def tell_about(message: Message, actor: Actor | None) -> About:
    """Say for whom a message is, by which channel, and about what: each notice that it tells; of a case that the actor may not see its number only."""
    row = Dispatch.objects.select_related("announcement").filter(pk=message.payload["dispatch"]).first()
    if row is None:
        return About()
    told = [one.announcement for one in _bound(row).filter(state=row.state).select_related("announcement").order_by("id") if one.announcement]
    items = tuple(_told(told, actor))
    way = {channel.code: channel.title for channel in list_channels()}.get(row.channel, {"zh": row.channel, "en": row.channel})
    more: dict[str, Any] = {"tries": row.tries, "error": row.error, "is_final": row.error_code == AddressRefused.code}
    if len(items) > 1:
        return About(title_of_several([one.kind for one in told]), _recipient(row), way, items=items, **more)
    one = items[0] if items else Told(CODE_TITLE)
    return About(one.title, _recipient(row), way, one.number, one.href, **more)


def _told(announcements: Iterable[Announcement], actor: Actor | None) -> Iterator[Told]:
    """Yield what each says; each case is looked up once."""
    find = cache(lambda case_id: find_case(case_id=case_id, actor=actor))
    for told in announcements:
        number, href = find(told.case_id)
        open_to = actor is not None and (href or not told.case_id)
        own = {"zh": told.title_zh, "en": told.title_en or told.title_zh}
        yield Told(own if open_to else dict(title_of(told.kind)), number, href)


def pick_up_stranded() -> int:
    """Have sent what no job is on any more, as when every worker died in the middle; return how many."""
    rows = Dispatch.objects.filter(state="waiting", due_at__lt=now() - STRANDED_AFTER).order_by("due_at", "id")[:500]
    found = 0
    for row in rows:
        with transaction.atomic():
            found += not jobs.count_open(name=JOB, key=row.pk) and enqueue(row)
    return found


def _hand_to(channel: Channel, letter: Letter) -> None:
    """Have the channel send; a place that did not answer rests meanwhile."""
    place = channel.place(letter)
    if place and _resting.get(place, now()) > now():
        raise ChannelUnavailable(where=place, reason_zh="刚才没有应答，稍后再试", reason_en="it did not answer just now")
    try:
        channel.deliver(letter)
    except ChannelUnavailable as error:
        if place and error.facts.get("rest"):
            _resting[place] = now() + REST
        raise
    _resting.pop(place, None)


def _settle(context: JobContext, row: Dispatch, *, counts: dict[str, int]) -> dict[str, int]:
    with context.fenced():
        values = {"state": "sent", "ended_at": now(), "error_code": "", "error": {}}
        _bound(row).filter(state="waiting").update(tries=F("tries") + 1, **values)
        context.conclude(counts)
    return counts


def _drop(context: JobContext, row: Dispatch, rows: list[Dispatch], why: Mapping[str, YunheError]) -> dict[str, int]:
    """Send nothing; what was to go with it goes by itself. Without `rows` it goes with another one."""
    counts = {"seen": 1, "skipped": 1}
    with context.fenced():
        if rows:
            held.drop(row, why.get(row.pk) or NotSentAnyMore(**held.NOWHERE))
            for one in held.let_go(row):
                enqueue(one)
        context.conclude(counts)
    return counts


def _bound(row: Dispatch) -> QuerySet[Dispatch]:
    """Return a dispatch and those that went with it."""
    return Dispatch.objects.filter(Q(pk=row.pk) | Q(within=row.pk))


def _put_off(context: JobContext, row: Dispatch) -> dict[str, int]:
    counts = {"seen": 1, "skipped": 1}
    with context.fenced():
        context.conclude(counts)
        enqueue(row)
    return counts


def _note_try(row: Dispatch, error: YunheError) -> None:
    Dispatch.objects.filter(pk=row.pk, state="waiting").update(
        tries=F("tries") + 1, error_code=error.code, error=_sentences(error)
    )


def _give_up(context: JobContext, row: Dispatch, error: YunheError) -> dict[str, int]:
    counts = {"seen": 1, "failed": 1}
    with context.fenced():
        Dispatch.objects.filter(pk=row.pk, state="waiting").update(
            state="failed", ended_at=now(), tries=F("tries") + 1, rounds=F("rounds") + 1, error_code=error.code,
            error=_sentences(error),
        )
        mates = _bound(row).filter(state="waiting")
        mates.update(state="failed", ended_at=now(), error_code=error.code, error=_sentences(error))
        row.refresh_from_db()
        payload = {"dispatch": row.pk, "round": row.rounds}
        outbox.publish(topic=TOPIC_GIVEN_UP, payload=payload, key=f"{row.pk}:{row.rounds}")
        context.conclude(counts)
    return counts


def _sentences(error: YunheError) -> dict[str, str]:
    return error.texts


def _recipient(row: Dispatch) -> str:
    if row.user_id is not None:
        return organizations.get_person(user_id=row.user_id).display_name
    body = organizations.find_organization(code=row.organization)
    return body.label if body is not None else row.organization


def _titles(row: Dispatch) -> dict[str, str]:
    title = find_channel(code=row.channel).title
    return {"channel_zh": title["zh"], "channel_en": title["en"]}
