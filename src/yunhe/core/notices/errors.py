"""What can go wrong with telling people. An address is never a fact."""

from __future__ import annotations

from typing import ClassVar

from yunhe.kernel.errors import Conflict, Invalid, Kind, Missing, Terminal, Transient


class NoticeNotFound(Missing):
    code = "notice_not_found"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有找到通知“{notice_id}”，或不是发给您的。请在通知列表里核对。",
        "en": 'No notice "{notice_id}", or it is not yours. Look it up in the list of notices.',
    }


class NoMailbox(Terminal):
    """Only persons are told; a job, a system or the operator has no notices."""

    code = "no_mailbox"
    kind: ClassVar[Kind] = "refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "“{name}”不是登录的人员，没有通知。请用人员账号登录。",
        "en": '"{name}" is no person who signs in and has no notices. Sign in with a person\'s account.',
    }


class BadNotice(Invalid):
    code = "bad_notice"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "通知{where}：需要{expected}，实际是{found}。",
        "en": "Notice {where}: expected {expected}, found {found}.",
    }


class HalfQuietHours(Invalid):
    """One end of the quiet hours without the other."""

    code = "half_quiet_hours"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "请同时填写免打扰的开始和结束时间，或都不填。",
        "en": "Give both ends of the quiet hours, or neither.",
    }


class EmptyQuietHours(Invalid):
    """Both ends of the quiet hours are the same: nothing, or the whole day?"""

    code = "empty_quiet_hours"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "免打扰的开始和结束都是 {at}，分不清是全天还是没有。不要免打扰请把两个都清空。",
        "en": "Quiet hours begin and end at {at}: the whole day, or none? For none, empty both.",
    }


class NotSentAnyMore(Terminal):
    """What is written at a message that was dropped before it left, and why."""

    code = "notice_not_sent_any_more"
    kind: ClassVar[Kind] = "conflict"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有发出：{reason_zh}。",
        "en": "Not sent: {reason_en}.",
    }


class RecipientLeft(Terminal):
    """As `NotSentAnyMore`; what it said is not the recipient's to read any more."""

    code = "notice_recipient_left"
    kind: ClassVar[Kind] = "refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有发出：收件人已不在通知所指的单位或岗位。",
        "en": "Not sent: the recipient is no longer in the organisation or role that it was for.",
    }


class UnknownNoticeKind(Terminal):
    code = "unknown_notice_kind"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有登记通知种类“{name}”。已登记的有：{known}。",
        "en": 'No kind of notice is registered as "{name}". Registered: {known}.',
    }


class UnknownChannel(Terminal):
    code = "unknown_notice_channel"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有通知渠道“{name}”，或它不接受本人填写的地址。可用的有：{known}。",
        "en": 'No channel "{name}", or it takes no address of one\'s own. There are: {known}.',
    }


class ChannelNotReady(Terminal):
    code = "notice_channel_not_ready"
    kind: ClassVar[Kind] = "conflict"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "本节点还没有设置渠道“{channel_zh}”。请系统管理员先设置（见 docs/settings.md）。",
        "en": 'This node has not set up the channel "{channel_en}". Ask the system administrator (docs/settings.md).',
    }


class BadAddress(Invalid):
    """The fact `field` names the form's field; what was entered is not repeated."""

    code = "bad_notice_address"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "地址格式不对：需要{expected_zh}。请核对后再试。",
        "en": "The address has the wrong form: expected {expected_en}. Check it and try again.",
    }


class WebhookNotAllowed(Terminal):
    code = "webhook_not_allowed"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "不能向 {origin} 推送：{reason_zh}。允许的来源由设置 YUNHE_WEBHOOK_HOSTS 列出。",
        "en": "Nothing is sent to {origin}: {reason_en}. The setting YUNHE_WEBHOOK_HOSTS lists what is allowed.",
    }


class ContactNotFound(Missing):
    code = "contact_not_found"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有找到这个联系方式，或您无权更改。请刷新后再看。",
        "en": "There is no such contact address, or it is not yours to change. Reload and look again.",
    }


class CodeTooSoon(Conflict):
    code = "code_too_soon"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "刚发过验证码，请 {wait_seconds} 秒后再试。",
        "en": "A code was sent just now. Try again in {wait_seconds} s.",
    }


class WrongCode(Invalid):
    code = "wrong_code"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "验证码不对，还可以试 {left} 次。",
        "en": "The code is wrong; {left} tries are left.",
    }


class CodeExpired(Conflict):
    """Too late, too many tries, or none was sent yet."""

    code = "code_expired"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有有效的验证码：尚未发出、已超过 10 分钟，或已试满 5 次。请重新发送。",
        "en": "There is no valid code: not sent yet, older than 10 minutes, or tried 5 times. Have a new one sent.",
    }


class ChannelUnavailable(Transient):
    """The way is out of order for now: the message is tried again."""

    code = "notice_channel_unavailable"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "{where} 暂时送不出去：{reason_zh}。系统会再试。",
        "en": "{where} takes nothing for now: {reason_en}. It is tried again.",
    }


class ChannelGaveOut(Terminal):
    """The way was out of order at every try: the message was given up, and goes only when somebody retries its dead letter."""

    code = "notice_channel_gave_out"
    kind: ClassVar[Kind] = "unavailable"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "{where} 一直送不出去：{reason_zh}。不再自动重试；恢复后请管理员在死信中重试。",
        "en": "{where} took nothing at any try: {reason_en}. It is not tried again by itself: once it is well, an "
        "administrator retries the dead letter.",
    }


class AddressRefused(Terminal):
    """The other side will not take it: trying again changes nothing."""

    code = "notice_address_refused"
    kind: ClassVar[Kind] = "refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "{where} 拒收：{reason_zh}。请核对地址。",
        "en": "{where} refuses it: {reason_en}. Check the address.",
    }


class ChannelBroken(Terminal):
    code = "notice_channel_broken"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "渠道“{channel}”中途出错（{error}）。详情在工作进程日志里，请告诉管理员。",
        "en": 'The channel "{channel}" broke ({error}). The worker\'s log has the details; tell the administrator.',
    }


class Undelivered(Terminal):
    """What a dead letter says: the channel, and the reason of the last try."""

    code = "notice_undelivered"
    kind: ClassVar[Kind] = "unavailable"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "{recipient} 的{channel_zh}没有送到，试了 {tries} 次。{reason_zh}",
        "en": "Not delivered to {recipient} by {channel_en} after {tries} tries. {reason_en}",
    }


class SlotTaken(Terminal):
    code = "notice_slot_taken"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "“{name}”已经登记过。请换一个名字。",
        "en": '"{name}" is registered already. Choose another name.',
    }


class SlotsClosed(Terminal):
    code = "notice_slots_closed"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "启动已结束，不能再登记“{name}”。请在应用的 ready() 里登记。",
        "en": 'Start-up is over; "{name}" cannot be registered any more. Register it in the app\'s ready().',
    }
