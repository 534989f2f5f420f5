"""The errors planted in the demonstration city's sources: each kind, what it does, which fate its row has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from yunhe.kernel.check_digits import CITIZEN_CHECKS, USCC_ALPHABET

Fate = Literal["kept", "quarantined", "rejected"]
Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class Error:
    """One kind of planted error.

    `spoil` changes the row's texts; `raw` changes the encoded line (what a text cannot show). `copies`
    is how many records the planted row becomes: a duplicate is the row twice, and both share its fate.
    """

    kind: str
    fate: Fate
    spoil: Callable[[Row], Row] | None = None
    raw: Callable[[bytes], bytes] | None = None
    copies: int = 1


def _set(column: str, value: str) -> Callable[[Row], Row]:
    return lambda row: {**row, column: value}


def _other_check(column: str, alphabet: str) -> Callable[[Row], Row]:
    def spoil(row: Row) -> Row:
        code = row[column]
        return {**row, column: code[:-1] + alphabet[(alphabet.index(code[-1]) + 1) % len(alphabet)]}

    return spoil


def _old_citizen_id(row: Row) -> Row:
    """15 digits: no century, no check character."""
    code = row["公民身份号码"]
    return {**row, "公民身份号码": code[:6] + code[8:17]}


def _later_birthday(row: Row) -> Row:
    year, rest = row["出生日期"][:4], row["出生日期"][4:]
    return {**row, "出生日期": f"{int(year) - 1}{'-02-28' if rest == '-02-29' else rest}"}


def _other_gender(row: Row) -> Row:
    return {**row, "性别代码": "2" if row["性别代码"] == "1" else "1"}


def _broken_bytes(line: bytes) -> bytes:
    """0xFF begins a character neither in UTF-8 nor in GB 18030."""
    head, _, tail = line.partition(b",")
    return head + b",\xff\xff" + tail


def _one_value_more(line: bytes) -> bytes:
    return line.rstrip(b"\n") + b",1\n"


BROKEN_BYTES = Error("broken_bytes", "rejected", raw=_broken_bytes)
TOO_WIDE = Error("too_wide", "rejected", raw=_one_value_more)

POPULATION: Sequence[Error] = (
    Error("citizen_id_check_digit", "kept", _other_check("公民身份号码", CITIZEN_CHECKS)),
    Error("citizen_id_old_form", "kept", _old_citizen_id),
    Error("birth_date_mismatch", "kept", _later_birthday),
    Error("gender_mismatch", "kept", _other_gender),
    Error("gender_unknown_code", "kept", _set("性别代码", "7")),
    Error("mobile_short", "kept", lambda row: {**row, "移动电话": row["移动电话"][:-1]}),
    Error("citizen_id_missing", "quarantined", _set("公民身份号码", "")),
    Error("citizen_id_twice", "quarantined", copies=2),
    Error("birth_date_impossible", "quarantined", _set("出生日期", "1999-02-30")),
    BROKEN_BYTES,
    TOO_WIDE,
)
ENTERPRISES: Sequence[Error] = (
    Error("uscc_check_digit", "kept", _other_check("统一社会信用代码", USCC_ALPHABET)),
    Error("uscc_old_form", "kept", lambda row: {**row, "统一社会信用代码": "3299" + _digits(row["统一社会信用代码"], 11)}),
    Error("registered_on_future", "kept", _set("成立日期", "2224-01-15")),
    Error("name_missing", "kept", _set("企业名称", "")),
    Error("uscc_missing", "quarantined", _set("统一社会信用代码", "")),
    Error("uscc_twice", "quarantined", copies=2),
    Error("capital_in_words", "quarantined", _set("注册资本（万元）", "壹佰万元")),
    BROKEN_BYTES,
    TOO_WIDE,
)
MARRIAGES: Sequence[Error] = (
    Error("husband_id_check_digit", "kept", _other_check("男方身份号码", CITIZEN_CHECKS)),
    Error("same_person", "kept", lambda row: {**row, "女方身份号码": row["男方身份号码"]}),
    Error("wife_id_missing", "kept", _set("女方身份号码", "")),
    Error("registered_on_future", "kept", _set("登记日期", "2224-05-20")),
    Error("number_missing", "quarantined", _set("登记字号", "")),
    Error("number_twice", "quarantined", copies=2),
)
BY_SOURCE: Mapping[str, Sequence[Error]] = {
    "population": POPULATION,
    "enterprises": ENTERPRISES,
    "marriages": MARRIAGES,
}


def _digits(text: str, count: int) -> str:
    """Digits made from any text, the same for the same text."""
    number = 0
    for character in text:
        number = number * 31 + USCC_ALPHABET.index(character)
    return f"{number % 10**count:0{count}d}"
