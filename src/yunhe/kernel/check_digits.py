"""Check characters of Chinese identifiers. Pure; the alphabets are ASCII, so full-width digits fail."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Reason = Literal["", "old_form", "length", "alphabet", "birth_date", "check_digit"]

DIGITS = "0123456789"
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

# GB 11643-1999, clause 4.2 and annex A: ISO 7064 MOD 11-2.
CITIZEN_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CITIZEN_CHECKS = "10X98765432"
# GB 32100-2015, clause 5: no I, O, S, V, Z; weights 3^(i-1) mod 31.
USCC_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
USCC_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
# GB 11714-1997, clause 3.
ORGANIZATION_WEIGHTS = (3, 7, 9, 10, 5, 8, 4, 2)
# GB/T 17710-2008 (ISO 7064): hybrid MOD 37,36 and pure MOD 37-2.
ALPHABET_36 = DIGITS + LETTERS
ALPHABET_37 = ALPHABET_36 + "*"
# GB/T 36904-2018: root OID of electronic licences.
LICENCE_ROOT = "1.2.156.3005.2"
LICENCE_TYPE_LENGTH = 21
LICENCE_VERSION_LENGTH = 3

CITIZEN_LENGTH = 18
USCC_LENGTH = 18
OLD_LENGTH = 15
ORGANIZATION_LENGTH = 9


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Whether an identifier is valid, and if not the first reason in a fixed order.

    Order: old_form, length, alphabet, birth_date, check_digit.
    """

    ok: bool
    reason: Reason


VALID = CheckResult(True, "")


def check_citizen_id(value: str, *, on: date) -> CheckResult:
    """Return whether `value` is a citizen id (公民身份号码) valid on the day `on`.

    15 digits are the old form, invalid since 2013. The birth date must exist and not lie after `on`.
    A small x is refused: the standard writes a capital.
    Source: GB 11643-1999.
    """
    if len(value) == OLD_LENGTH and _only(value, DIGITS):
        return _bad("old_form")
    if len(value) != CITIZEN_LENGTH:
        return _bad("length")
    if not _only(value[:-1], DIGITS) or value[-1] not in DIGITS + "X":
        return _bad("alphabet")
    if not _is_birth_date(value[6:14], on):
        return _bad("birth_date")
    total = sum(int(digit) * weight for digit, weight in zip(value, CITIZEN_WEIGHTS, strict=False))
    return VALID if value[-1] == CITIZEN_CHECKS[total % 11] else _bad("check_digit")


def check_uscc(value: str) -> CheckResult:
    """Return whether `value` is a unified social credit code (统一社会信用代码).

    15 digits or capitals are an old registration number (工商注册号); farmers' cooperatives had `NA` in it.
    Source: GB 32100-2015.
    """
    if len(value) == OLD_LENGTH and _only(value, ALPHABET_36):
        return _bad("old_form")
    if len(value) != USCC_LENGTH:
        return _bad("length")
    if not _only(value, USCC_ALPHABET):
        return _bad("alphabet")
    total = sum(USCC_ALPHABET.index(c) * weight for c, weight in zip(value, USCC_WEIGHTS, strict=False))
    return VALID if value[-1] == USCC_ALPHABET[-total % 31] else _bad("check_digit")


def check_organization_code(value: str) -> CheckResult:
    """Return whether `value` is an organisation code (组织机构代码), with or without its hyphen.

    Source: GB 11714-1997.
    """
    body = value[:8] + value[9:] if value[8:9] == "-" else value
    if len(body) != ORGANIZATION_LENGTH:
        return _bad("length")
    if not _only(body[:-1], ALPHABET_36) or body[-1] not in DIGITS + "X":
        return _bad("alphabet")
    total = sum(ALPHABET_36.index(c) * weight for c, weight in zip(body, ORGANIZATION_WEIGHTS, strict=False))
    check = 11 - total % 11
    expected = {10: "X", 11: "0"}.get(check, str(check))
    return VALID if body[-1] == expected else _bad("check_digit")


def check_licence_id(value: str) -> CheckResult:
    """Return whether `value` is an electronic licence identifier (电子证照标识).

    Root, licence type (21), issuer, serial, version (3 digits), check; in the field issuers of six
    digits occur, so the issuer's length is free.
    Source: GB/T 36904-2018.
    """
    parts = value.removeprefix(LICENCE_ROOT + ".").split(".")
    if not value.startswith(LICENCE_ROOT + ".") or len(parts) != 5:
        return _bad("length")
    kind, issuer, serial, version, check = parts
    if len(kind) != LICENCE_TYPE_LENGTH or len(version) != LICENCE_VERSION_LENGTH or len(check) != 1:
        return _bad("length")
    if not issuer or not serial:
        return _bad("length")
    body = kind + issuer + serial + version
    if not _only(body + check, ALPHABET_36) or not _only(version, DIGITS):
        return _bad("alphabet")
    return VALID if mod37_36(body) == check else _bad("check_digit")


def mod37_36(body: str) -> str:
    """Return the check character of the hybrid system MOD 37,36 over 0-9A-Z.

    Raises: ValueError on a character outside the alphabet. Source: GB/T 17710-2008.
    """
    product = 36
    for character in body:
        product = (product + ALPHABET_36.index(character)) % 36 or 36
        product = product * 2 % 37
    return ALPHABET_36[(37 - product) % 36]


def mod37_2(body: str) -> str:
    """Return the check character of the pure system MOD 37-2 over 0-9A-Z; it may be `*`.

    Raises: ValueError on a character outside the alphabet. Source: GB/T 17710-2008.
    """
    product = 0
    for character in body:
        product = (product + ALPHABET_36.index(character)) * 2 % 37
    return ALPHABET_37[(1 - product) % 37]


def _bad(reason: Reason) -> CheckResult:
    return CheckResult(False, reason)


def _only(text: str, alphabet: str) -> bool:
    return all(character in alphabet for character in text)


def _is_birth_date(digits: str, on: date) -> bool:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return born <= on
