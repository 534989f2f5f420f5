"""Bounds that rules give: numbers, dates, and the local day of a UTC time."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation

from yunhe.engine.checks.kind import refuse
from yunhe.engine.quoting import quote_identifier
from yunhe.engine.types import Column, Rule

CHINA_OFFSET_HOURS = 8


def as_date(rule: Rule, part: str, value: object) -> date | None:
    """Return an argument as a date (a date, or text YYYY-MM-DD), or None. Raises: RuleRefused."""
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        raise refuse(rule, part, "YYYY-MM-DD", "timestamp")
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise refuse(rule, part, "YYYY-MM-DD", value) from None


def as_number(rule: Rule, part: str, value: object) -> Decimal | None:
    """Return an argument as an exact number, or None. Raises: RuleRefused."""
    if value is None or value == "":
        return None
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        raise refuse(rule, part, "number", value) from None
    exact = number.is_finite() and len(number.as_tuple().digits) <= 30 and abs(number.adjusted()) <= 30
    if isinstance(value, bool) or not exact:
        raise refuse(rule, part, "number", value)
    return number


def as_count(rule: Rule, part: str, value: object) -> int | None:
    """Return an argument as a whole number of at least 0, or None. Raises: RuleRefused."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise refuse(rule, part, ">= 0", value)
    return value


def local_date_sql(column: Column) -> str:
    """Return the Chinese calendar day of a date column or of a timestamp column (stored in UTC)."""
    name = quote_identifier(column.name)
    return name if column.type == "date" else f"CAST({name} + INTERVAL {CHINA_OFFSET_HOURS} HOUR AS DATE)"


def day_start_sql(column: Column, day: date) -> str:
    """Return the literal at which the Chinese day begins, in the column's own type."""
    if column.type == "date":
        return f"DATE '{day.isoformat()}'"
    start = datetime.combine(day, time()) - timedelta(hours=CHINA_OFFSET_HOURS)
    return f"TIMESTAMP '{start.isoformat(sep=' ')}'"
