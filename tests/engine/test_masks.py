"""Masks: what is kept, and that Python and SQL show the same."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.soaking import amount
from yunhe.engine.duck import Session, session
from yunhe.engine.masks import MASKS, UnknownMask, get_mask, mask_sql, mask_value
from yunhe.engine.types import Limits

NAMES = tuple(MASKS)
PLACES = (
    "江苏省",
    "盐城市",
    "亭湖区",
    "建湖县",
    "昆山市",
    "小区",
    "自治区",
    "自治县",
    "旗",
    "盟",
    "路",
    "街道",
    "1号",
    "城区",
    "族区",
    "镇",
)
TEXTS = st.one_of(
    st.text(max_size=24),
    st.text(alphabet="0123456789X-@.省市区县a *", max_size=24),
    st.lists(st.sampled_from(PLACES), max_size=6).map("".join),
    st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9:]{8})?", fullmatch=True),
    st.sampled_from(["欧阳测试", "👩‍👩‍👧测", "e\u0301cole", "a\nb@c", "x@y@z", "@", "@d", "l@d", "\n", "\r\n@"]),
)


@pytest.fixture(scope="module")
def duck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with session(limits=Limits(memory_mb=256, threads=1), temp=Path(tmp_path_factory.mktemp("duck"))) as opened:
        yield opened


def _by_sql(duck: Session, mask: str, values: pa.Array) -> list[object]:
    duck.register("given", pa.table({"place": range(len(values)), "a b": values}))
    rows = duck.run("mask", f"SELECT {mask_sql(mask, chr(34) + 'a b' + chr(34))} FROM given ORDER BY place")
    return [row[0] for row in rows]


@pytest.mark.parametrize(
    ("mask", "value", "shown"),
    [
        ("none", "张测试", "张测试"),
        ("name", "张测试", "张**"),
        ("name", "张测", "张*"),
        ("name", "张", "*"),
        ("citizen_id", "11010519491231002X", "110105********002X"),
        ("citizen_id", "110105491231002", "110105*****1002"),
        ("citizen_id", "1101054912310", "*************"),
        ("mobile", "13800000000", "138****0000"),
        ("mobile", "1380000", "*******"),
        ("mobile", 13800000000, "138****0000"),
        ("phone", "0515-88888888", "*********8888"),
        ("phone", "888888", "******"),
        ("email", "tester@example.com", "t*****@example.com"),
        ("email", "t@example.com", "*@example.com"),
        ("email", "tester", "******"),
        ("address", "江苏省盐城市亭湖区解放路1号", "江苏省盐城市亭湖区***"),
        ("address", "昆山市玉山镇某某小区3幢", "昆山市***"),
        ("address", "盐城市亭湖区", "盐城市亭湖区"),
        ("address", "木垒哈萨克自治县木垒镇", "木垒哈萨克自治县***"),
        ("address", "解放路1号", "***"),
        ("bank_card", "6222020000000000000", "622202*********0000"),
        ("plate", "苏J12345", "苏J****5"),
        ("plate", "苏JD12345", "苏J*****5"),
        ("year", date(1990, 5, 2), "1990"),
        ("year", "1990-05-02", "1990"),
        ("year", "5/2/1990", "********"),
        ("year", "１９９０-05-02", "**********"),
        ("hide", "anything", "***"),
        ("hide", None, "***"),
        ("name", None, None),
        ("none", None, None),
        ("name", "", ""),
    ],
)
def test_a_mask_keeps_what_its_name_says(mask: str, value: object, shown: object) -> None:
    assert mask_value(mask, value) == shown


@pytest.mark.parametrize("mask", NAMES)
@settings(max_examples=amount(small=40, full=400), deadline=None)
@given(values=st.lists(st.none() | TEXTS, min_size=1, max_size=40))
def test_sql_shows_what_python_shows(duck: Session, mask: str, values: list[str | None]) -> None:
    assert _by_sql(duck, mask, pa.array(values, pa.string())) == [mask_value(mask, value) for value in values]


@pytest.mark.parametrize("mask", [name for name in NAMES if name != "none"])
@pytest.mark.parametrize(
    "values",
    [
        pa.array([0, -5, 13800000000, 6222020000000000000, None], pa.int64()),
        pa.array([date(1990, 5, 2), date(9999, 12, 31), None], pa.date32()),
        pa.array([datetime(1990, 5, 2), datetime(2024, 2, 29, 23, 59, 58, 120), None], pa.timestamp("us")),  # noqa: DTZ001
        pa.array([True, False, None], pa.bool_()),
        pa.array([Decimal("12.500000"), Decimal("-0.000001"), None], pa.decimal128(18, 6)),
    ],
    ids=["integer", "date", "timestamp", "boolean", "decimal"],
)
def test_sql_shows_what_python_shows_of_other_types(duck: Session, mask: str, values: pa.Array) -> None:
    assert _by_sql(duck, mask, values) == [mask_value(mask, value) for value in values.to_pylist()]


@settings(max_examples=amount(small=200, full=2000), deadline=None)
@given(st.sampled_from(["name", "citizen_id", "mobile", "phone", "bank_card", "plate"]), TEXTS)
def test_no_mask_of_ends_shows_more_than_it_says_or_a_short_value_whole(mask: str, text: str) -> None:
    kept = {"name": 1, "citizen_id": 10, "mobile": 7, "phone": 4, "bank_card": 10, "plate": 3}[mask]
    shown = str(mask_value(mask, text))

    assert len(shown) == len(text)
    assert sum(a == b != "*" for a, b in zip(shown, text, strict=True)) <= kept
    assert not text.strip("*") or shown != text


@settings(max_examples=amount(small=200, full=2000), deadline=None)
@given(TEXTS)
def test_an_address_is_a_beginning_of_the_text_or_nothing(text: str) -> None:
    shown = str(mask_value("address", text))

    assert shown in {"***", text} or text.startswith(shown.removesuffix("***"))
    assert not any(digit in shown for digit in "0123456789")


def test_every_mask_has_its_name_in_two_languages() -> None:
    assert NAMES == (
        "none",
        "name",
        "citizen_id",
        "mobile",
        "phone",
        "email",
        "address",
        "bank_card",
        "plate",
        "year",
        "hide",
    )
    assert all(get_mask(name).title["zh"] and get_mask(name).title["en"] for name in NAMES)


@pytest.mark.parametrize("mask", ["", "NONE", "sha1"])
def test_an_unknown_mask_is_refused_and_never_shows_the_value(mask: str) -> None:
    with pytest.raises(UnknownMask) as caught:
        mask_value(mask, "13800000000")
    assert "13800000000" not in caught.value.say("zh")
    with pytest.raises(UnknownMask):
        mask_sql(mask, "x")
