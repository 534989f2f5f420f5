"""Masks (脱敏): what a granted field shows of its value. Each exists twice, as Python and as SQL.

Both forms are equal on every value (tests/engine/test_masks.py). A value that does not have the shape
a mask expects is hidden whole, never shown. NULL stays NULL, save under `hide`. Lengths count code
points. A masked value is text.
Source: GB/T 37964-2019 (suppression, generalisation); how much is kept is the usual practice of
data bureaus, e.g. 6 + 4 of a citizen id.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import ClassVar

from yunhe.kernel.errors import Kind, Terminal

HIDDEN = "***"
# A county-level name (县级行政区划) and what may stand before it. The two-part sets keep streets, villages,
# house numbers and housing estates (小区, 社区) from being taken for the name of a district (区).
_WORD = "[^省市区县旗盟街巷弄号幢栋室村组0-9A-Za-z０-９ ,，。;；()（）\n\r]"
_NEXT = "[^省市区县旗盟街巷弄号幢栋室村组路镇0-9A-Za-z０-９ ,，。;；()（）\n\r]"
_LAST = "[^省市区县旗盟街巷弄号幢栋室村组路镇小社校园库厂景片0-9A-Za-z０-９ ,，。;；()（）\n\r]"
_PROVINCE = f"(?:{_WORD}{{2,7}}(?:省|自治区|特别行政区))?"
_PREFECTURE = f"(?:{_WORD}{{1,11}}(?:市|自治州|地区|盟))?"
_COUNTY = (
    f"(?:{_WORD}{_NEXT}{{0,14}}(?:自治县|自治旗)|{_WORD}{_NEXT}{{0,6}}族区"
    f"|{_WORD}{_NEXT}{{0,4}}(?:县|市|旗)|{_WORD}{_NEXT}{{0,3}}{_LAST}区|[新城郊矿]区)"
)
COUNTY_PATTERN = f"^{_PROVINCE}{_PREFECTURE}{_COUNTY}"
YEAR_PATTERN = "^[0-9]{4}"
_county = re.compile(COUNTY_PATTERN)
_year = re.compile(YEAR_PATTERN)


class UnknownMask(Terminal):
    code = "unknown_mask"
    kind: ClassVar[Kind] = "invalid"
    sentences: ClassVar[dict[str, str]] = {
        "zh": "没有名为“{mask}”的脱敏方式。现有：{known}。",
        "en": 'No mask is called "{mask}". There are: {known}.',
    }


@dataclass(frozen=True, slots=True)
class Mask:
    """One way of masking: `value` over text, `sql` over a VARCHAR expression; equal on every text."""

    name: str
    title: Mapping[str, str]
    value: Callable[[str], str]
    sql: Callable[[str], str]


def mask_value(mask: str, value: object) -> object:
    """Return `value` as the mask shows it: itself under `none`, else text, or None for None.

    Raises: UnknownMask.
    """
    found = get_mask(mask)
    if mask == "none":
        return value
    if mask == "hide":
        return HIDDEN
    return None if value is None else found.value(_text(value))


def mask_sql(mask: str, column_sql: str) -> str:
    """Return the SQL of the masked column; `column_sql` is an expression from our own generator.

    Raises: UnknownMask.
    """
    found = get_mask(mask)
    return column_sql if mask == "none" else found.sql(f"CAST({column_sql} AS VARCHAR)")


def get_mask(name: str) -> Mask:
    """Return the mask called `name`. Raises: UnknownMask."""
    if name not in MASKS:
        raise UnknownMask(mask=name, known=", ".join(MASKS))
    return MASKS[name]


def _text(value: object) -> str:
    """Return `value` as DuckDB's cast to VARCHAR writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return _moment(value)
    return str(value)


def _moment(value: datetime) -> str:
    if value.tzinfo is None:
        zone = ""
    else:
        value, zone = value.astimezone(UTC), "+00"
    fraction = f".{value.microsecond:06d}".rstrip("0") if value.microsecond else ""
    return f"{value:%Y-%m-%d %H:%M:%S}{fraction}{zone}"


def _ends(first: int, last: int, shortest: int) -> tuple[Callable[[str], str], Callable[[str], str]]:
    """Return the pair that keeps the first and last characters of texts of at least `shortest`."""

    def value(text: str) -> str:
        if len(text) < shortest:
            return "*" * len(text)
        return text[:first] + "*" * (len(text) - first - last) + text[len(text) - last :]

    def sql(text: str) -> str:
        stars = f"repeat('*', length({text}) - {first + last})"
        shown = f"left({text}, {first}) || {stars} || right({text}, {last})"
        return f"CASE WHEN length({text}) < {shortest} THEN repeat('*', length({text})) ELSE {shown} END"

    return value, sql


def _email_value(text: str) -> str:
    at = text.rfind("@")
    if at < 0:
        return "*" * len(text)
    return (text[0] + "*" * (at - 1) if at > 1 else "*" * at) + text[at:]


def _email_sql(text: str) -> str:
    # The local part is all before the last "@": what is left once the last "@…" is cut off.
    domain = f"regexp_extract({text}, '@[^@]*$')"
    local = f"(length({text}) - length({domain}))"
    masked = (
        f"CASE WHEN {local} > 1 THEN left({text}, 1) || repeat('*', {local} - 1) ELSE repeat('*', {local}) END"
        f" || {domain}"
    )
    return f"CASE WHEN contains({text}, '@') THEN {masked} ELSE repeat('*', length({text})) END"


def _address_value(text: str) -> str:
    found = _county.match(text)
    if found is None:
        return HIDDEN if text else ""
    return text if found.end() == len(text) else found.group() + HIDDEN


def _address_sql(text: str) -> str:
    kept = f"regexp_extract({text}, '{COUNTY_PATTERN}')"
    hidden = f"CASE WHEN {text} = '' THEN '' ELSE '{HIDDEN}' END"
    return (
        f"CASE WHEN {text} IS NULL THEN NULL WHEN {kept} = '' THEN {hidden}"
        f" WHEN length({kept}) = length({text}) THEN {text} ELSE {kept} || '{HIDDEN}' END"
    )


def _year_value(text: str) -> str:
    return text[:4] if _year.match(text) else "*" * len(text)


def _year_sql(text: str) -> str:
    return (
        f"CASE WHEN regexp_matches({text}, '{YEAR_PATTERN}') THEN left({text}, 4) ELSE repeat('*', length({text})) END"
    )


def _same(text: str) -> str:
    return text


def _mask(name: str, zh: str, en: str, pair: tuple[Callable[[str], str], Callable[[str], str]]) -> Mask:
    return Mask(name, MappingProxyType({"zh": zh, "en": en}), *pair)


MASKS: Mapping[str, Mask] = MappingProxyType(
    {
        mask.name: mask
        for mask in (
            _mask("none", "不脱敏", "as it is", (_same, _same)),
            _mask("name", "姓名：留首字", "name: first character", _ends(1, 0, 2)),
            _mask("citizen_id", "证件号：留前6后4", "identity number: first 6, last 4", _ends(6, 4, 15)),
            _mask("mobile", "手机：留前3后4", "mobile: first 3, last 4", _ends(3, 4, 11)),
            _mask("phone", "固话：留后4", "phone: last 4", _ends(0, 4, 7)),
            _mask("email", "邮箱：留首字符和域名", "e-mail: first character and domain", (_email_value, _email_sql)),
            _mask("address", "地址：留到县区", "address: down to the county", (_address_value, _address_sql)),
            _mask("bank_card", "银行卡：留前6后4", "bank card: first 6, last 4", _ends(6, 4, 13)),
            _mask("plate", "车牌：留前2后1", "number plate: first 2, last 1", _ends(2, 1, 7)),
            _mask("year", "日期：只留年份", "date: year only", (_year_value, _year_sql)),
            _mask("hide", "隐藏", "hidden", (lambda _: HIDDEN, lambda _: f"'{HIDDEN}'")),
        )
    }
)
