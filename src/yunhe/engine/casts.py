r"""Text to exact types, strictly: what a type cannot hold exactly becomes NULL for the caller to judge.

DuckDB's own casts round ('1.5' to 2), trim, and read '1e3', '0x10', 'epoch' and '2020-1-2Z'. The
forms held here, everything else (surrounding spaces and full-width digits included) is refused:

- integer: `[+-]?[0-9]+` within 64 bits; leading zeros are allowed, a decimal point is not.
- decimal: `[+-]?[0-9]+(\.[0-9]+)?` whose further decimals beyond the scale are all zero, with at
  most 38 digits; never rounded, no exponent.
- date: YYYY-MM-DD, YYYYMMDD, YYYY/M/D; years 0001 to 9999; the day must exist.
- timestamp: a date as above alone (midnight), or followed by a space or T and H:MM[:SS[.f{1,6}]],
  or YYYYMMDDHHMMSS; then optionally Z or ±HH[[:]MM] (at most 14 hours). Without an offset it is
  local to the column's zone: a local time that a clock change skipped is refused, one that
  happened twice is the second. Stored in UTC, where it must lie in the years 0001 to 9999 too.
- boolean: true false 1 0 yes no y n 是 否, in any case.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from yunhe.engine.errors import ColumnsInvalid
from yunhe.engine.quoting import quote_identifier, quote_literal
from yunhe.engine.types import Column

DUCK_TYPES: Final = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
    "boolean": "BOOLEAN",
}
MAX_DIGITS: Final = 38

_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}|[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}"
_CLOCK = r"(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
_OFFSET = "Z|[+-](?:0[0-9]|1[0-4])(?::?[0-5][0-9])?"
_COMPACT = "[0-9]{8}(?:[01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]"
_TIMESTAMP = f"(?:{_DATE})(?:[ T]{_CLOCK}(?:{_OFFSET})?)?"
_FIRST, _BEHIND_LAST = "TIMESTAMP '0001-01-01'", "TIMESTAMP '10000-01-01'"
# The same two as moments in UTC, in microseconds since 1970: what Python and the lake's readers hold.
_FIRST_US, _BEHIND_LAST_US = -62_135_596_800_000_000, 253_402_300_800_000_000


def duck_type(column: Column) -> str:
    """Return the DuckDB type a column is kept in."""
    if column.type == "decimal":
        return f"DECIMAL({MAX_DIGITS},{column.decimals})"
    return DUCK_TYPES[column.type]


def filled_sql(column: Column, text: str) -> str:
    """Return the SQL that is NULL where the text is empty or one of the column's null marks."""
    if not column.null_marks:
        return f"nullif({text}, '')"
    marks = ", ".join(quote_literal(mark) for mark in ("", *column.null_marks))
    return f"CASE WHEN {text} IN ({marks}) THEN NULL ELSE {text} END"


def typed_sql(column: Column, text: str) -> str:
    """Return the SQL of the value, NULL where the type does not hold the text exactly.

    `text` is an SQL expression without side effects; NULL and the empty text give NULL.
    Raises: ColumnsInvalid for a zone that does not exist.
    """
    match column.type:
        case "string":
            return text
        case "integer":
            return _integer(text)
        case "decimal":
            return _decimal(text, column.decimals)
        case "date":
            return _date(text)
        case "timestamp":
            return _timestamp(column, text)
        case "boolean":
            return _boolean(text)


def _integer(text: str) -> str:
    value = f"TRY_CAST({text} AS BIGINT)"
    # The first branch is the fast one: the usual form is what the value prints as.
    return (
        f"CASE WHEN CAST({value} AS VARCHAR) = {text} THEN {value}"
        f" WHEN regexp_full_match({text}, '[+-]?[0-9]+') THEN {value} END"
    )


def _decimal(text: str, scale: int) -> str:
    value = f"TRY_CAST({text} AS DECIMAL({MAX_DIGITS},{scale}))"
    form = rf"[+-]?[0-9]+(\.[0-9]{{0,{scale}}}0*)?" if scale else r"[+-]?[0-9]+(\.0+)?"
    return (
        f"CASE WHEN CAST({value} AS VARCHAR) = {text} AND strlen({text}) < 40 THEN {value}"
        f" WHEN regexp_full_match({text}, '{form}') AND right({text}, 1) <> '.' THEN {value} END"
    )


def _date(text: str) -> str:
    value = f"TRY_CAST({text} AS DATE)"
    dashed = f"TRY_CAST(concat(substr({text}, 1, 4), '-', substr({text}, 5, 2), '-', substr({text}, 7, 2)) AS DATE)"
    slashed = f"TRY_CAST(replace({text}, '/', '-') AS DATE)"
    first = "DATE '0001-01-01'"
    return (
        f"CASE WHEN CAST({value} AS VARCHAR) = {text} AND strlen({text}) = 10 THEN {value}"
        f" WHEN regexp_full_match({text}, '[0-9]{{8}}') AND {dashed} >= {first} THEN {dashed}"
        f" WHEN regexp_full_match({text}, '[0-9]{{4}}/[0-9]{{1,2}}/[0-9]{{1,2}}') AND {slashed} >= {first}"
        f" THEN {slashed} END"
    )


def _boolean(text: str) -> str:
    return (
        f"CASE WHEN lower({text}) IN ('true', '1', 'yes', 'y', '是') THEN true"
        f" WHEN lower({text}) IN ('false', '0', 'no', 'n', '否') THEN false END"
    )


def _timestamp(column: Column, text: str) -> str:
    usual = f"TRY_CAST({text} AS TIMESTAMP)"
    plain = f"CAST({usual} AS VARCHAR) = {text} AND strlen({text}) >= 19 AND {_in_range(usual)}"
    other = _other_form(text)
    offset = f"regexp_extract({text}, '({_OFFSET})$')"
    minutes = (
        f"(CASE WHEN {offset} = 'Z' THEN 0 ELSE (CASE WHEN {offset}[1] = '-' THEN -1 ELSE 1 END)"
        f" * (CAST({offset}[2:3] AS BIGINT) * 60"
        f" + CASE WHEN length({offset}) > 3 THEN CAST(right({offset}, 2) AS BIGINT) ELSE 0 END) END)"
    )
    with_offset = f"contains({text}, ':') AND regexp_matches({text}, '({_OFFSET})$')"
    return (
        f"CASE WHEN {plain} THEN {_from_local(column, usual)}"
        f" WHEN NOT regexp_full_match({text}, '{_TIMESTAMP}|{_COMPACT}') OR NOT {_in_range(other)} THEN NULL"
        f" WHEN {with_offset} THEN {_moment(f'epoch_us({other}) - {minutes} * 60000000')}"
        f" ELSE {_from_local(column, other)} END"
    )


def _moment(micros: str) -> str:
    return f"CASE WHEN {micros} >= {_FIRST_US} AND {micros} < {_BEHIND_LAST_US} THEN make_timestamptz({micros}) END"


def _in_range(value: str) -> str:
    return f"coalesce({value} >= {_FIRST} AND {value} < {_BEHIND_LAST}, false)"


def _other_form(text: str) -> str:
    """Return the SQL of the naive timestamp in any other accepted form, its offset left out."""
    day = f"regexp_extract({text}, '^({_DATE})', 1)"
    compact = (
        f"CASE WHEN regexp_full_match({day}, '[0-9]{{8}}') THEN concat({day}[1:4], '-', {day}[5:6], '-', {day}[7:8])"
    )
    iso = f"{compact} ELSE replace({day}, '/', '-') END"
    clock = f"regexp_extract({text}, '[ T]({_CLOCK})', 1)"
    digits = f"concat({text}[9:10], ':', {text}[11:12], ':', {text}[13:14])"
    time = f"CASE WHEN strlen({text}) = 14 AND NOT contains({text}, ':') THEN {digits} ELSE {clock} END"
    return f"(TRY_CAST({iso} AS DATE) + coalesce(TRY_CAST({_full_clock(time)} AS TIME), TIME '00:00:00'))"


def _full_clock(time: str) -> str:
    return f"CASE WHEN length({time}) IN (4, 5) THEN concat({time}, ':00') ELSE {time} END"


def _from_local(column: Column, naive: str) -> str:
    zone = quote_literal(column.zone)
    settled = _settled(column.name, column.zone)
    usual = ""
    if settled is not None:
        since, offset = settled
        usual = (
            f" WHEN {naive} >= TIMESTAMP '{since}-01-01' AND {naive} < TIMESTAMP '9999-12-31'"
            f" THEN make_timestamptz(epoch_us({naive}) - {offset * 1_000_000})"
        )
    there = f"timezone({zone}, {naive})"
    return f"CASE{usual} WHEN timezone({zone}, {there}) = {naive} THEN {_moment(f'epoch_us({there})')} END"


@cache
def _settled(name: str, zone_name: str) -> tuple[int, int] | None:
    """Return from which year on a zone has one offset, and the offset in seconds; None if it never has.

    It lets the usual value skip the calendar: most of the cost of a timestamp is the zone.
    """
    try:
        zone = ZoneInfo(zone_name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        expected = "an IANA time zone such as Asia/Shanghai"
        raise ColumnsInvalid(column=name, expected=expected, found=zone_name) from error
    offsets = [_offset(zone, year, month) for year in range(2050, 1899, -1) for month in (12, 9, 6, 3)]
    last = offsets[0]
    same = next((index for index, offset in enumerate(offsets) if offset != last), len(offsets))
    if same < 8:
        return None
    # One whole year after the last sampled difference is safely behind the change.
    return 2050 - same // 4 + 2, last


def _offset(zone: ZoneInfo, year: int, month: int) -> int:
    moment = datetime(year, month, 1, tzinfo=UTC).astimezone(zone).utcoffset() or timedelta()
    return int(moment.total_seconds())


def column_sql(column: Column) -> str:
    """Return the column's name quoted for SQL."""
    return quote_identifier(column.name)
