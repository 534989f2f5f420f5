"""Strict casts against plain Python readers of the documented forms."""

# ruff: noqa: DTZ001  (times without a zone are the subject)

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal, localcontext
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.soaking import amount
from yunhe.engine.casts import typed_sql
from yunhe.engine.duck import Session, session
from yunhe.engine.errors import ColumnsInvalid
from yunhe.engine.types import Column, ColumnType, Limits


@pytest.fixture(scope="module")
def duck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with session(limits=Limits(threads=1), temp=tmp_path_factory.mktemp("spill")) as opened:
        yield opened


def cast(duck: Session, column: Column, text: str) -> object:
    value = typed_sql(column, "t")
    if column.type == "timestamp":
        value = f"epoch_us({value})"
    return duck.run("cast", f"SELECT {value} FROM (SELECT nullif(CAST(? AS VARCHAR), '') AS t)", (text,))[0][0]


def plain_integer(text: str) -> int | None:
    if not re.fullmatch(r"[+-]?[0-9]+", text, re.ASCII):
        return None
    return int(text) if -(2**63) <= int(text) < 2**63 else None


def plain_decimal(text: str, scale: int) -> Decimal | None:
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", text, re.ASCII):
        return None
    with localcontext(prec=200):
        return exact_decimal(Decimal(text), scale)


def exact_decimal(value: Decimal, scale: int) -> Decimal | None:
    if abs(value) >= Decimal(10) ** (38 - scale) or value * 10**scale % 1 != 0:
        return None
    return value


def plain_date(text: str) -> date | None:
    for form in (
        r"([0-9]{4})-([0-9]{2})-([0-9]{2})",
        r"([0-9]{4})([0-9]{2})([0-9]{2})",
        r"([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})",
    ):
        match = re.fullmatch(form, text, re.ASCII)
        if match:
            try:
                return date(*map(int, match.groups()))
            except ValueError:
                return None
    return None


def plain_boolean(text: str) -> bool | None:
    words = {"true": True, "1": True, "yes": True, "y": True, "是": True}
    words |= {"false": False, "0": False, "no": False, "n": False, "否": False}
    return words.get(text.lower())


def plain_timestamp(text: str, zone: str) -> datetime | None:
    compact = re.fullmatch(r"([0-9]{8})([0-9]{2})([0-9]{2})([0-9]{2})", text, re.ASCII)
    if compact:
        text = f"{compact[1]} {compact[2]}:{compact[3]}:{compact[4]}"
    clock = r"(?:[ T]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
    match = re.fullmatch(r"([0-9/-]+?)" + clock, text, re.ASCII)
    day = plain_date(match[1]) if match else None
    if match is None or day is None:
        return None
    hour, minute, second = (int(match[group] or 0) for group in (2, 3, 4))
    if hour > 23 or minute > 59 or second > 59:
        return None
    naive = datetime(day.year, day.month, day.day, hour, minute, second, int((match[5] or "0").ljust(6, "0")))
    if match[6]:
        return with_offset(naive, match[6])
    aware = naive.replace(tzinfo=ZoneInfo(zone), fold=1)
    try:
        there = aware.astimezone(UTC)
    except OverflowError:
        return None
    return there if there.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == naive else None


def with_offset(naive: datetime, offset: str) -> datetime | None:
    if offset == "Z":
        return naive.replace(tzinfo=UTC)
    hours, minutes = int(offset[1:3]), int(offset[-2:]) if len(offset) > 3 else 0
    if hours > 14 or minutes > 59:
        return None
    shift = timedelta(hours=hours, minutes=minutes)
    try:
        return naive.replace(tzinfo=timezone(-shift if offset[0] == "-" else shift)).astimezone(UTC)
    except OverflowError:
        return None


ODD = [
    "",
    " 5",
    "5 ",
    "1.5",
    "1.0",
    "1e3",
    "0x10",
    "1_000",
    "+5",
    "-0",
    "007",
    "１２",
    "१२",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "12\n",
    "+",
    "-",
    "1,000",
    "0" * 60 + "7",
    "NaN",
    "inf",
    "5.",
]
numbers = st.one_of(
    st.sampled_from(ODD),
    st.text("0123456789+-. eE", max_size=8),
    st.integers().map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=3).map(str),
)


@settings(max_examples=300)
@given(text=numbers)
def test_integers_are_held_exactly_or_refused(duck: Session, text: str) -> None:
    assert cast(duck, Column("c", "integer"), text) == plain_integer(text)


@pytest.mark.parametrize("text", ODD)
def test_odd_integers(duck: Session, text: str) -> None:
    assert cast(duck, Column("c", "integer"), text) == plain_integer(text)


@settings(max_examples=300)
@given(
    text=st.one_of(numbers, st.sampled_from([".5", "5.", "1.005", "1.100000", "9" * 38, "9" * 39, "1." + "0" * 50])),
    scale=st.sampled_from([0, 2, 6]),
)
def test_decimals_are_never_rounded(duck: Session, text: str, scale: int) -> None:
    assert cast(duck, Column("c", "decimal", scale=scale), text) == plain_decimal(text, scale)


DATES = [
    "2020-02-30",
    "2020-02-29",
    "2019-02-29",
    "20200229",
    "2020/2/9",
    "2020/02/09",
    "2020-2-9",
    "0000-01-01",
    "00000101",
    "0000/1/1",
    "0001-01-01",
    "9999-12-31",
    "10000-01-01",
    "infinity",
    "-infinity",
    "epoch",
    "today",
    "2020-01-02 (BC)",
    " 2020-01-02",
    "2020-01-02 ",
    "2020-01-02Z",
    "2020-01-02 00:00:00",
    "2020.01.02",
    "2020年1月2日",
    "2020/13/1",
    "20201301",
]
dates = st.one_of(
    st.sampled_from(DATES),
    st.dates().map(str),
    st.dates().map(lambda day: f"{day:%Y%m%d}"),
    st.dates().map(lambda day: f"{day.year:04}/{day.month}/{day.day}"),
    st.from_regex(r"\A[0-9]{4}[-/]?[01][0-9][-/]?[0-3][0-9]\Z"),
)


@settings(max_examples=400)
@given(text=dates)
def test_dates_exist_or_are_refused(duck: Session, text: str) -> None:
    assert cast(duck, Column("c", "date"), text) == plain_date(text)


@pytest.mark.parametrize("text", DATES)
def test_odd_dates(duck: Session, text: str) -> None:
    assert cast(duck, Column("c", "date"), text) == plain_date(text)


CLOCKS = [
    "",
    " 00:00:00",
    "T23:59:59",
    " 24:00:00",
    " 23:59:60",
    " 7:05",
    " 07:05:09.123",
    " 07:05:09.1234567",
    " 07:05:09Z",
    " 07:05+08",
    " 07:05:00+08:00",
    " 07:05:00-0330",
    " 07:05:00+15",
    " 07:05:00 +08",
    "  07:05",
    " 12",
    "Z",
    " 07:05 AM",
]
days = st.one_of(st.dates(), st.dates(date(1985, 1, 1), date(1993, 1, 1)), st.dates(date(1899, 1, 1), date(1950, 1, 1)))
moments = st.one_of(
    st.builds(lambda day, clock: f"{day}{clock}", days, st.sampled_from(CLOCKS)),
    st.builds(lambda day, clock: f"{day:%Y%m%d}{clock}", days, st.sampled_from(CLOCKS)),
    st.builds(lambda day, clock: f"{day.year:04}/{day.month}/{day.day}{clock}", days, st.sampled_from(CLOCKS)),
    st.datetimes(datetime(1000, 1, 1)).map(str),
    st.datetimes(datetime(1986, 1, 1), datetime(1992, 1, 1)).map(str),
    st.datetimes(datetime(1000, 1, 1)).map(lambda at: f"{at:%Y%m%d%H%M%S}"),
    st.sampled_from(
        [
            "infinity",
            "epoch",
            "now",
            "2020-01-02 (BC) 00:00:00",
            "10000-01-01 00:00:00",
            "20201301000000",
            "20200101240000",
        ]
    ),
)


@settings(max_examples=amount(small=150, full=5000))
@given(text=moments, zone=st.sampled_from(["Asia/Shanghai", "UTC", "America/New_York", "America/Bogota"]))
@example(text="0001-01-01", zone="Asia/Shanghai")
@example(text="0001-01-01 07:05+08", zone="Asia/Shanghai")
@example(text="9999-12-31 23:05-08", zone="Asia/Shanghai")
@example(text="9999-12-31 23:05:00", zone="America/Bogota")
@example(text="9999-12-31 23:05:00", zone="America/New_York")
@example(text="9999-01-01 00:00:00", zone="America/New_York")
def test_timestamps_are_taken_to_utc_or_refused(duck: Session, text: str, zone: str) -> None:
    expected = plain_timestamp(text, zone)
    micros = None if expected is None else (expected - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert cast(duck, Column("c", "timestamp", zone=zone), text) == micros


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1986-05-04 01:59:59", "1986-05-03 17:59:59"),
        ("1986-05-04 02:30:00", None),  # the clock went from 2:00 to 3:00
        ("1986-09-14 01:30:00", "1986-09-13 17:30:00"),  # it came twice: the second
        ("2024-01-01 08:00:00", "2024-01-01 00:00:00"),
        ("2024-01-01T08:00Z", "2024-01-01 08:00:00"),
    ],
)
def test_clock_changes_of_shanghai(duck: Session, text: str, expected: str | None) -> None:
    found = cast(duck, Column("c", "timestamp"), text)
    assert found == (expected and int(datetime.fromisoformat(expected + "+00:00").timestamp() * 1_000_000))


@pytest.mark.parametrize("text", ["TRUE", "y", "是", "否", "0", "1", "no", "T", "on", "2", " 1", "真"])
def test_booleans(duck: Session, text: str) -> None:
    assert cast(duck, Column("c", "boolean"), text) == plain_boolean(text)


@pytest.mark.parametrize("kind", ["integer", "decimal", "date", "timestamp", "boolean"])
def test_nothing_is_nothing(duck: Session, kind: ColumnType) -> None:
    assert cast(duck, Column("c", kind), "") is None


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd"])
def test_a_zone_that_does_not_exist_is_refused(zone: str) -> None:
    with pytest.raises(ColumnsInvalid):
        typed_sql(Column("c", "timestamp", zone=zone), "t")


def test_a_path_is_quoted(tmp_path: Path) -> None:
    odd = tmp_path / "it's"
    with session(limits=Limits(threads=1), temp=odd) as opened:
        assert opened.run("one", "SELECT 1") == [(1,)]
