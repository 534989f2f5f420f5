"""What one call may see: the body it sent, the grant it names, the row it gets."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import msgspec

from yunhe.engine.masks import mask_value
from yunhe.gateway.errors import (
    FieldNotGranted,
    GrantExpired,
    GrantNotActive,
    GrantNotYetValid,
    NotYetServed,
    NotYourGrant,
    bad_body,
)
from yunhe.gateway.rights import ACTIVE, AccessKeyRow, GrantedField, GrantRow, RightsImage
from yunhe.kernel import clock

BODY_BYTES = 64 * 1024
KEY_TEXT_LIMIT = 1000
KEYS_LIMIT = 32
FIELDS_LIMIT = 4096
NAME_LIMIT = 200
INTEGER_MIN, INTEGER_MAX = -(2**63), 2**63 - 1
_ID = re.compile(r"[A-Za-z0-9._:/-]{1,64}", re.ASCII)
_MEMBERS = ("grant", "keys", "fields")


@dataclass(frozen=True, slots=True)
class Query:
    """The body of a call: values not yet typed, names not yet judged. `fields` None: all granted."""

    grant: str
    keys: Mapping[str, object]
    fields: tuple[str, ...] | None


def parse_body(body: bytes) -> Query:
    """Return the query that a body holds. Raises: BadBody, which names the place and never a value."""
    try:
        content = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise bad_body("$", "不是有效的 UTF-8 JSON", "is not valid UTF-8 JSON") from error
    if not isinstance(content, dict):
        raise bad_body("$", "需要一个对象", "must be an object")
    for member in content:
        if member not in _MEMBERS:
            raise bad_body("$", "只能有 grant、keys、fields 三项", "may only hold grant, keys and fields")
    return Query(_grant_id(content.get("grant")), _keys(content.get("keys")), _fields(content))


def find_grant(image: RightsImage, grant_id: str, key: AccessKeyRow) -> GrantRow:
    """Return the caller's grant if it holds now.

    Raises: NotYourGrant, also when there is none; GrantNotActive, GrantNotYetValid, GrantExpired,
    NotYetServed.
    """
    grant = image.grants.get(grant_id)
    if grant is None or grant.consumer != key.organization:
        raise NotYourGrant(grant=grant_id)
    if grant.state != ACTIVE:
        raise GrantNotActive(grant=grant_id, state=grant.state)
    now = clock.now()
    if now < grant.valid_from:
        raise GrantNotYetValid(grant=grant_id, valid_from=_shown(grant.valid_from))
    if now >= grant.valid_until:
        raise GrantExpired(grant=grant_id, valid_until=_shown(grant.valid_until))
    if not grant.serving_path:  # then the image knows neither its keys nor its fields
        raise NotYetServed(resource=grant.resource)
    return grant


def choose_fields(grant: GrantRow, wanted: tuple[str, ...] | None) -> tuple[GrantedField, ...]:
    """Return the wanted fields of the grant, in the order asked for. Raises: FieldNotGranted on the first other."""
    if wanted is None:
        return grant.fields
    granted = {field.name: field for field in grant.fields}
    for name in wanted:
        if name not in granted:
            raise FieldNotGranted(field=name, grant=grant.grant_id, granted=", ".join(granted))
    return tuple(granted[name] for name in dict.fromkeys(wanted))


def read_keys(grant: GrantRow, keys: Mapping[str, object]) -> dict[str, object]:
    """Return the key values as a serving file holds them, in the grant's order. Raises: BadBody."""
    if set(keys) != set(grant.key_columns):
        names = ", ".join(grant.key_columns)
        raise bad_body("$.keys", "需要且只能有：{names}", "must name exactly {names}", names=names)
    return {name: _typed(name, grant.field_types.get(name, "string"), keys[name]) for name in grant.key_columns}


def show_row(row: Mapping[str, object], fields: tuple[GrantedField, ...]) -> dict[str, object]:
    """Return the granted fields of a stored row, masked as granted."""
    return {field.name: mask_value(field.mask, row[field.name]) for field in fields}


def _grant_id(value: object) -> str:
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise bad_body(
            "$.grant", "需要授权编号（文本，不超过 64 个字符）", "must be the id of a grant, at most 64 characters"
        )
    return value


def _keys(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict) or not 1 <= len(value) <= KEYS_LIMIT:
        raise bad_body("$.keys", "需要一个非空对象：列名到值", "must be an object of column names and values")
    return value


def _fields(content: Mapping[str, Any]) -> tuple[str, ...] | None:
    if "fields" not in content:
        return None
    value = content["fields"]
    if not isinstance(value, list) or not 1 <= len(value) <= FIELDS_LIMIT:
        raise bad_body("$.fields", "需要一个非空的字段名数组，或不写", "must be a list of field names, or be left out")
    for at, name in enumerate(value):
        if not isinstance(name, str) or not 1 <= len(name) <= NAME_LIMIT:
            raise bad_body(f"$.fields[{at}]", "需要字段名", "must be the name of a field")
    return tuple(value)


def _typed(name: str, kind: str, value: object) -> object:
    where = f"$.keys.{name}"
    read = _READERS.get(kind)
    if read is None:
        raise bad_body(where, "这一列不能用作键", "is of a type that cannot be a key")
    return read(where, value)


def _read_string(where: str, value: object) -> str:
    if not isinstance(value, str) or not 1 <= len(value) <= KEY_TEXT_LIMIT or "\x00" in value:
        raise bad_body(
            where, "需要 1 到 {limit} 个字符的文本", "must be text of 1 to {limit} characters", limit=KEY_TEXT_LIMIT
        )
    return value


def _read_integer(where: str, value: object) -> int:
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,19}", value, re.ASCII):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or not INTEGER_MIN <= value <= INTEGER_MAX:
        raise bad_body(where, "需要 64 位整数", "must be an integer of 64 bits")
    return value


def _read_boolean(where: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise bad_body(where, "需要 true 或 false", "must be true or false")
    return value


def _read_date(where: str, value: object) -> str:
    wrong = bad_body(where, "需要日期 YYYY-MM-DD", "must be a date YYYY-MM-DD")
    if not isinstance(value, str) or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value, re.ASCII):
        raise wrong
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError as error:
        raise wrong from error


def _read_timestamp(where: str, value: object) -> str:
    wrong = bad_body(where, "需要带时区的时间，如 2026-01-31T08:00:00+08:00", "must be a time with its zone")
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
        if at is None or at.tzinfo is None:
            raise wrong
        return at.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z"
    except (ValueError, OverflowError) as error:
        raise wrong from error


# A decimal is no key: 12.5 and 12.50 would be two.
_READERS: dict[str, Callable[[str, object], object]] = {
    "string": _read_string,
    "integer": _read_integer,
    "boolean": _read_boolean,
    "date": _read_date,
    "timestamp": _read_timestamp,
}


def _shown(at: datetime) -> str:
    return clock.local(at).isoformat(sep=" ", timespec="minutes")
