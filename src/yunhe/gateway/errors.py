"""Why the gateway refuses a call. No sentence holds a key value or a value of a row."""

from __future__ import annotations

from typing import Any, ClassVar

from yunhe.kernel.errors import Kind, Missing, Terminal, Transient


class GatewayRefusal(Terminal):
    """Base of the refusals that trying again does not change."""

    kind: ClassVar[Kind] = "refused"


class BrokenImage(Terminal):
    code = "broken_rights_image"
    kind: ClassVar[Kind] = "broken"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "权限映像 {path} 不能读取：{problem}。请检查后台任务是否在运行。",
        "en": "The rights image {path} cannot be read: {problem}. Check that the worker runs.",
    }


class RightsStale(Transient):
    code = "rights_stale"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "权限信息已超过 {limit} 秒没有更新，暂停提供数据。请稍后再试，并通知平台管理员。",
        "en": "The rights were not renewed for over {limit} seconds, so no data is given. Try later; tell the operator.",
    }


class NoncesUnavailable(Transient):
    code = "replay_guard_unavailable"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "防重放记录暂时无法写入，暂停提供数据。请稍后再试，并通知平台管理员检查磁盘。",
        "en": "The record of used nonces cannot be written, so no data is given. Try later; tell the operator.",
    }


class UnknownKey(GatewayRefusal):
    code = "unknown_key"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有这个访问密钥。请核对密钥编号，新密钥须等权限信息更新后生效。",
        "en": 'No such access key. Check its id; a new key works once the rights are renewed.',
    }


class KeyRevoked(GatewayRefusal):
    code = "key_revoked"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "访问密钥“{key}”已吊销。请改用新密钥。",
        "en": 'The access key "{key}" is revoked. Use a new one.',
    }


class BadSignature(GatewayRefusal):
    code = "bad_signature"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "签名不符：请用密钥对方法、路径、查询串、请求体的 SM3、时间、随机数、经办人和办件号按序签名（HMAC-SM3）。",
        "en": "The signature does not match: sign method, path, query, SM3 of the body, time, nonce, officer and case"
        " by HMAC-SM3.",
    }


class ClockSkew(GatewayRefusal):
    code = "clock_skew"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "请求时间与网关相差 {difference} 秒，上限是 {limit} 秒。请校准调用方的时钟。",
        "en": "The time of the call differs by {difference} seconds; {limit} is the limit. Set the caller's clock.",
    }


class ReplayedNonce(GatewayRefusal):
    code = "replayed_nonce"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "该随机数已经用过。每次调用请使用新的随机数并重新签名。",
        "en": "This nonce was used before. Take a new nonce for every call and sign anew.",
    }


class NotYourGrant(GatewayRefusal):
    """There is no such grant, or it is another organisation's: both sound alike."""

    code = "not_your_grant"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "贵单位没有授权“{grant}”。请核对授权编号。",
        "en": 'Your organisation holds no grant "{grant}". Check its id.',
    }


class GrantNotActive(GatewayRefusal):
    code = "grant_not_active"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "授权“{grant}”现在的状态是 {state}，不能调用。请与数据提供方联系。",
        "en": 'The grant "{grant}" is {state} and cannot be called. Ask the provider of the data.',
    }


class GrantNotYetValid(GatewayRefusal):
    code = "grant_not_yet_valid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "授权“{grant}”自 {valid_from} 起有效。",
        "en": 'The grant "{grant}" holds from {valid_from}.',
    }


class GrantExpired(GatewayRefusal):
    code = "grant_expired"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "授权“{grant}”已于 {valid_until} 到期。如仍需要，请重新申请。",
        "en": 'The grant "{grant}" ended at {valid_until}. Ask anew if it is still needed.',
    }


class FieldNotGranted(GatewayRefusal):
    code = "field_not_granted"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "字段“{field}”不在授权“{grant}”之内。已授权的字段：{granted}。",
        "en": 'The field "{field}" is not in the grant "{grant}". Granted fields: {granted}.',
    }


class NotYetServed(Transient):
    """The release is published, its serving file is not built yet: neither keys nor fields can be judged."""

    code = "not_yet_served"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "资源“{resource}”的数据正在准备，还不能查询。请稍后再试。",
        "en": 'The data of "{resource}" is being prepared and cannot be queried yet. Try again shortly.',
    }


class DataUnavailable(Transient):
    code = "data_unavailable"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "资源“{resource}”的数据暂时不能读取。请稍后再试，并通知平台管理员。",
        "en": 'The data of "{resource}" cannot be read now. Try later; tell the operator.',
    }


class RowFilterUnusable(Transient):
    """The row filter of the grant cannot be compiled; without it no row may leave."""

    code = "row_filter_unusable"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "授权“{grant}”的行条件无法执行，暂停提供数据。请数据提供方检查行条件。",
        "en": 'The row filter of grant "{grant}" cannot be used, so no data is given. The provider must mend it.',
    }


class BadBody(Terminal):
    """The body is not the JSON object that the call needs. `problem` and `problem_zh` hold no value."""

    code = "bad_body"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "请求体 {where}：{problem_zh}。",
        "en": "Request body {where}: {problem}.",
    }


class BadHeader(Terminal):
    code = "bad_header"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "请求头 {name}：需要不超过 {limit} 个字母、数字或 . _ : / - 的编号。",
        "en": "Header {name}: expected an id of at most {limit} letters, digits or . _ : / -.",
    }


class BodyTooLarge(Terminal):
    code = "body_too_large"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "请求体超过上限 {limit} 字节。请只发送授权编号、键和字段名。",
        "en": "The body is larger than {limit} bytes. Send only the grant, the keys and the names of fields.",
    }


class BodyTooSlow(Terminal):
    code = "body_too_slow"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "请求体在 {limit} 秒内没有传完。请重新调用。",
        "en": "The body did not arrive within {limit} seconds. Call again.",
    }


class NoSuchPath(Missing):
    code = "no_such_path"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "网关没有这个地址。查询请用 POST /v1/query。",
        "en": "The gateway has no such address. Query by POST /v1/query.",
    }


class MethodNotAllowed(Terminal):
    code = "method_not_allowed"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "这个地址不接受该方法，请用 {allowed}。",
        "en": "This address does not take that method; use {allowed}.",
    }

    @property
    def http_status(self) -> int:
        """Return 405, which HTTP wants here."""
        return 405


class AddressInUse(Terminal):
    code = "address_in_use"
    kind: ClassVar[Kind] = "unavailable"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "网关不能在 {address} 上监听：{problem}。请改 YUNHE_GATEWAY_PORT 或停掉占用者。",
        "en": "The gateway cannot listen on {address}: {problem}. Change YUNHE_GATEWAY_PORT or free it.",
    }


def bad_body(where: str, zh: str, en: str, **facts: Any) -> BadBody:
    """Return a BadBody with its problem in both languages."""
    return BadBody(where=where, problem_zh=zh.format(**facts), problem=en.format(**facts))
