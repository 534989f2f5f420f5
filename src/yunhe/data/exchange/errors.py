"""What can go wrong in exchange; each says why and what to do next."""

from __future__ import annotations

from typing import ClassVar

from yunhe.kernel.errors import Conflict, Terminal

__all__ = [
    "BadUntil",
    "FieldNotGranted",
    "GrantNotInForce",
    "NoDoor",
    "NotShared",
    "NotTheKeys",
    "PurposeMissing",
    "RequestPurposeMissing",
    "SeveralRecords",
    "UnknownFields",
    "ValueMasked",
]


class NotShared(Terminal):
    code = "not_shared"
    kind: ClassVar = "refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "{what}为不予共享，依据：{basis}。如认为依据不当，请向数据主管部门提出。",
        "en": "{what} is not shared, on the basis: {basis}. If you doubt the basis, ask the data authority.",
    }


class UnknownFields(Terminal):
    code = "unknown_fields"
    kind: ClassVar = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "资源 {resource} 没有信息项：{fields}。现有：{known}。",
        "en": "Resource {resource} has no fields {fields}. It has: {known}.",
    }


class FieldNotGranted(Terminal):
    code = "field_not_granted"
    kind: ClassVar = "refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "授权 {grant} 不含信息项：{fields}。已授权：{granted}。如确需使用，请另行申请。",
        "en": "Grant {grant} does not hold the fields {fields}. Granted: {granted}. Request them if you need them.",
    }


class GrantNotInForce(Terminal):
    code = "grant_not_in_force"
    kind: ClassVar = "refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "授权 {grant} 不在有效期内（{state}，有效至 {until}）。请重新申请。",
        "en": "Grant {grant} is not in force ({state}, valid until {until}). Request it again.",
    }


class NoDoor(Terminal):
    code = "no_right_to_rows"
    kind: ClassVar = "refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "您可以看到资源 {resource} 的目录信息，但没有查看其记录的授权。请申请使用（request create {resource}）。",
        "en": "You may see that {resource} exists, but hold no grant to its rows. Request access (request create {resource}).",
    }


class PurposeMissing(Terminal):
    code = "purpose_missing"
    kind: ClassVar = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "查看记录必须写明用途。请补充用途后再试。",
        "en": "A purpose is required to see rows. State it and try again.",
    }


class RequestPurposeMissing(PurposeMissing):
    code = "request_purpose_missing"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "申请 {resource} 没有写明用途。请写明这些字段将用于办理什么事项，再提交。",
        "en": "The request for {resource} states no purpose. Say what the fields will be used for, then send it again.",
    }


class BadUntil(Terminal):
    code = "bad_until"
    kind: ClassVar = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "有效期至 {until} 不可用：须是今天之后、{latest} 之前的日期（年-月-日）。",
        "en": "Valid until {until} will not do: give a date after today and before {latest} (YYYY-MM-DD).",
    }


class AlreadyRevoked(Conflict):
    code = "already_revoked"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "{what} {name} 已于 {at} 收回。",
        "en": "{what} {name} was already revoked at {at}.",
    }


class NotTheKeys(Terminal):
    code = "not_the_keys"
    kind: ClassVar = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "资源 {resource} 的记录按主键查询，需要 {expected}，给了 {found}。请按主键查询。",
        "en": "Records of {resource} are asked for by their key: expected {expected}, found {found}. Ask by the key.",
    }


class ValueMasked(Terminal):
    code = "value_masked"
    kind: ClassVar = "refused"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "资源 {resource} 的信息项 {field} 只能脱敏查看，不能作为填报内容。如确需使用，请申请不脱敏的授权，或手工填写。",
        "en": "The field {field} of {resource} is shown masked only, so it cannot fill in a form. Request it unmasked, or type it.",
    }


class SeveralRecords(Terminal):
    code = "several_records"
    kind: ClassVar = "conflict"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "资源 {resource} 中同一主键有 {found} 条记录，不能确定取哪一条。请手工填写，并告知数据提供方。",
        "en": "{resource} holds {found} records of one key, so none can be taken. Type the value and tell the provider.",
    }
