"""The slots of kinds, channels and the SMS gateway; filled from the apps' ready(), closed by the end of start-up."""

from __future__ import annotations

from collections.abc import Collection

from django.apps import apps

from yunhe.core.notices.errors import BadNotice, SlotsClosed, SlotTaken, UnknownChannel, UnknownNoticeKind
from yunhe.core.notices.rules import CODE
from yunhe.core.notices.types import IN_APP, Channel, FindCase, NoticeKind, SmsAdapter, Still, TextMessage, Texts
from yunhe.kernel.actor import Actor

_kinds: dict[str, NoticeKind] = {}
_channels: dict[str, Channel] = {}
_sms: list[SmsAdapter] = []
_case_finders: list[FindCase] = []


def register_kind(
    *, code: str, title: Texts, default_channels: Collection[str] = (IN_APP,), still: Still | None = None,
    comes_in_rounds: bool = False, urgent: Texts | None = None,
) -> NoticeKind:  # fmt: skip
    """Register a kind of notice; `default_channels` hold until a person chooses otherwise.

    A message whose notice is `about` something is dropped where `still` returns none of it.

    Raises: SlotTaken, SlotsClosed, BadNotice on a malformed code, a missing title or an unknown channel.
    """
    _check_slot(code, taken=code in _kinds)
    if not CODE.match(code) or not {"zh", "en"} <= set(title):
        raise BadNotice(where=f"kind {code}", expected="lower_snake, titles zh and en", found=sorted(title))
    unknown = set(default_channels) - {IN_APP} - _channels.keys()
    if unknown:
        raise BadNotice(where=f"kind {code}", expected=", ".join((IN_APP, *_channels)), found=", ".join(sorted(unknown)))
    channels = frozenset(default_channels) | {IN_APP}
    _kinds[code] = NoticeKind(code, dict(title), channels, still, comes_in_rounds, urgent)
    return _kinds[code]


def register_channel(channel: Channel) -> None:
    """Register a way to reach people beside the page. Raises: SlotTaken, SlotsClosed."""
    _check_slot(channel.code, taken=channel.code in _channels or channel.code == IN_APP)
    _channels[channel.code] = channel


def register_sms(*, adapter: SmsAdapter) -> None:
    """Have SMS leave by a gateway instead of the spool folder. Raises: SlotTaken, SlotsClosed."""
    _check_slot("sms", taken=bool(_sms))
    _sms.append(adapter)


def register_cases(*, find: FindCase) -> None:
    """Have `find` name the case that a notice is about. Raises: SlotTaken, SlotsClosed."""
    _check_slot("cases", taken=bool(_case_finders))
    _case_finders.append(find)


def find_case(*, case_id: str, actor: Actor | None) -> tuple[str, str]:
    """Return the number of a notice's case and its address, "" where the actor may not see it; both "" for none."""
    return _case_finders[0](case_id, actor) if case_id and _case_finders else ("", "")


def send_sms(message: TextMessage, *, otherwise: SmsAdapter) -> None:
    """Give an SMS to the registered gateway, or to the one that stands in for it."""
    (_sms[0] if _sms else otherwise)(message)


def find_kind(*, code: str) -> NoticeKind:
    """Return a registered kind. Raises: UnknownNoticeKind."""
    if code not in _kinds:
        raise UnknownNoticeKind(name=code, known=", ".join(sorted(_kinds)))
    return _kinds[code]


def title_of(code: str) -> Texts:
    """Return a kind's title; a kind that is no longer registered stands for itself."""
    kind = _kinds.get(code)
    return kind.title if kind else {"zh": code, "en": code}


def list_kinds() -> tuple[NoticeKind, ...]:
    """Return every kind, by code."""
    return tuple(_kinds[code] for code in sorted(_kinds))


def find_channel(*, code: str) -> Channel:
    """Return a registered channel. Raises: UnknownChannel."""
    if code not in _channels:
        raise UnknownChannel(name=code, known=", ".join(_channels))
    return _channels[code]


def list_channels() -> tuple[Channel, ...]:
    """Return every channel beside the page, in the order of registration."""
    return tuple(_channels.values())


def _check_slot(name: str, *, taken: bool) -> None:
    if apps.ready:
        raise SlotsClosed(name=name)
    if taken:
        raise SlotTaken(name=name)
