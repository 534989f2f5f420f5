"""Text to value, strictly: the only forms that a literal or a CAST from text understands.

DuckDB's own casts accept more than people mean ('1e3' and '0x1F' are integers, '1.5' becomes 2); ours are a
pattern both sides share, so that Python and SQL agree.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Final

from yunhe.engine.expressions.types import Node, Value, ValueType

# The same patterns go into the generated SQL (RE2 and Python read them alike).
INTEGER_PATTERN: Final = "-?[0-9]{1,18}"
DATE_PATTERN: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}"
TIMESTAMP_PATTERN: Final = "[0-9]{4}-[0-9]{2}-[0-9]{2}[ T]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
BOOLEANS: Final = {"true": True, "false": False, "1": True, "0": False}

# A time without an offset is Chinese time; China has kept UTC+8 since 1991.
CHINA: Final = timezone(timedelta(hours=8))
_NUMBER = re.compile(r"([0-9]*)(?:\.([0-9]+))?")


def number(text: str) -> Node | None:
    """Return the literal node of a plain number of at most 18 digits, or None."""
    match = _NUMBER.fullmatch(text)
    if not match or not text or len(text) > 19:
        return None
    whole, part = match[1], match[2] or ""
    if len(whole) + len(part) > 18:
        return None
    if not part:
        return Node("literal", "integer", value=int(whole), width=max(1, len(whole)))
    return Node("literal", "decimal", value=Decimal(text), width=max(1, len(whole) + len(part)), scale=len(part))


def text_to(target: ValueType, text: str, *, width: int = 0, scale: int = 0) -> Value:
    """Return `text` as a value of `target`, or None if it is not written in an accepted form."""
    if target == "integer":
        return int(text) if re.fullmatch(INTEGER_PATTERN, text) else None
    if target == "decimal":
        return to_decimal(text, width=width, scale=scale)
    if target == "date":
        return to_date(text)
    if target == "timestamp":
        return to_timestamp(text)
    if target == "boolean":
        return BOOLEANS.get(text)
    return text


def decimal_pattern(width: int, scale: int) -> str:
    """Return the pattern of the texts that a DECIMAL(width, scale) holds exactly."""
    whole = f"-?[0-9]{{1,{max(1, width - scale)}}}" if width > scale else "-?0"
    return whole + (f"(\\.[0-9]{{1,{scale}}})?" if scale else "")


def to_decimal(text: str, *, width: int, scale: int) -> Decimal | None:
    """Return the exact decimal, or None if it has another form or does not fit."""
    try:
        return Decimal(text) if re.fullmatch(decimal_pattern(width, scale), text) else None
    except InvalidOperation:
        return None


def to_date(text: str) -> date | None:
    """Return the date written YYYY-MM-DD or YYYYMMDD (GB/T 7408.1, extended and basic form)."""
    if not re.fullmatch(DATE_PATTERN, text):
        return None
    digits = text.replace("-", "")
    try:
        return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return None


def to_timestamp(text: str) -> datetime | None:
    """Return the UTC time (without a zone, as the lake stores it) of a Chinese local time."""
    if not re.fullmatch(TIMESTAMP_PATTERN, text) or to_date(text[:10]) is None:
        return None
    local = datetime.fromisoformat(text.replace("T", " "))
    if local.year < 2:  # eight hours earlier would leave the calendar
        return None
    return local.replace(tzinfo=CHINA).astimezone(UTC).replace(tzinfo=None)


def like_parts(pattern: str, escape: str) -> list[str | None] | None:
    """Return a LIKE pattern as its elements ("%" is None, "_" is ""), or None if an escape hangs."""
    parts: list[str | None] = []
    characters = iter(pattern)
    for character in characters:
        if escape and character == escape:
            following = next(characters, "")
            if following not in ("%", "_", escape) or not following:
                return None
            parts.append(following)
        elif character == "%":
            parts.append(None)
        else:
            parts.append("" if character == "_" else character)
    return parts
