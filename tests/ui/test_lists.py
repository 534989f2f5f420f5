"""What an address asks for, and the links that a list offers."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from django.test import RequestFactory
from django.utils import translation
from django.utils.safestring import SafeString
from hypothesis import given
from hypothesis import strategies as st

from yunhe.kernel.errors import Invalid
from yunhe.kernel.pages import Facet, Page, PageRequest
from yunhe.ui.cells import Column, Lines, Link, Meter, Tag
from yunhe.ui.errors import BadNumber
from yunhe.ui.lists import EXPORT_ROWS, Listing, export_csv, plain, read_page_request

COLUMNS = (Column("名称", lambda r: r.name, sort="name", wide=True), Column("数", lambda r: r.count, number=True))


@dataclass(frozen=True)
class Row:
    name: str
    count: int


def ask(query: str = "", **options: object) -> PageRequest:
    return read_page_request(RequestFactory().get(f"/x/?{query}"), **options)  # type: ignore[arg-type]


def listing(query: str, page: Page[Row]) -> Listing:
    request = RequestFactory().get(f"/x/?{query}")
    wanted = read_page_request(request, filters=("kind",), sorts=("name",))
    return Listing(
        request=request, page=page, wanted=wanted, columns=COLUMNS, caption="表", facet_titles={"kind": "类"}
    )


def test_an_address_is_read() -> None:
    wanted = ask("q=+水+&page=3&sort=-name&kind=a&other=b", filters=("kind",), sorts=("name",))
    assert wanted == PageRequest(page=3, size=25, search="水", sort="-name", filters={"kind": "a"})


@pytest.mark.parametrize("page", ["0", "-1", "x", "", "1.5", "9" * 30, "１", "1000001"])
def test_a_page_that_is_none_is_refused(page: str) -> None:
    with pytest.raises(BadNumber):
        ask(f"page={page}")


def test_an_unknown_order_is_refused() -> None:
    with pytest.raises(Invalid):
        ask("sort=password", sorts=("name",))


def test_a_filter_is_set_and_cleared_and_the_page_starts_anew() -> None:
    page = Page((Row("a", 1),), total=60, page=2, facets=(Facet("kind", "a", "甲", 40), Facet("kind", "b", "乙", 20)))
    (group,) = listing("kind=a&page=2&q=x", page).groups
    assert [(facet.value, on, href) for facet, on, href in group.values] == [
        ("a", True, "/x/?q=x"),
        ("b", False, "/x/?q=x&kind=b"),
    ]


def test_sorting_turns_around() -> None:
    page = Page((Row("a", 1),), total=1)
    assert listing("", page).headers[0][1:] == ("/x/?sort=name", "none")
    assert listing("sort=name", page).headers[0][1:] == ("/x/?sort=-name", "ascending")
    assert listing("sort=-name", page).headers[0][1:] == ("/x/?sort=name", "descending")
    assert listing("", page).headers[1][1:] == ("", "")


@given(st.integers(0, 3000), st.integers(1, 200))
def test_page_links_rise_and_hold_first_last_and_here(total: int, number: int) -> None:
    page: Page[Row] = Page((), total=total, page=number)
    shown = [n for n, _ in listing("", page).page_links]
    numbers = [n for n in shown if n is not None]
    assert numbers == sorted(set(numbers))
    assert {1, page.pages} <= set(numbers)
    if number <= page.pages:
        assert {max(1, number - 2), number, min(page.pages, number + 2)} <= set(numbers)
    for at, one in enumerate(shown):
        if one is None:  # a gap stands only where numbers are left out
            before, after = shown[at - 1], shown[at + 1]
            assert before is not None and after is not None and after - before > 1


def test_an_export_is_whole_and_harmless() -> None:
    rows = [Row(f"=cmd|{n}", n) for n in range(1201)]

    def take(wanted: PageRequest) -> Page[Row]:
        return Page(tuple(rows[wanted.offset : wanted.offset + wanted.limit]), len(rows), wanted.page, wanted.limit)

    answer = export_csv(name="表", columns=COLUMNS, wanted=PageRequest(page=9), take=take)
    read = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert read[0] == ["名称", "数"]
    assert [line[0] for line in read[1:]] == [f"'=cmd|{n}" for n in range(1201)]
    assert answer["Content-Disposition"].startswith("attachment; filename*=UTF-8''%E8%A1%A8.csv")


def test_an_export_ends_at_its_limit() -> None:
    def take(wanted: PageRequest) -> Page[Row]:
        return Page(tuple(Row("a", n) for n in range(wanted.limit)), 10**7, wanted.page, wanted.limit)

    answer = export_csv(name="x", columns=COLUMNS, wanted=PageRequest(), take=take)
    assert len(answer.content.decode().splitlines()) == EXPORT_ROWS + 1


def test_cells_as_text() -> None:
    at = datetime(2026, 11, 22, tzinfo=UTC)
    values = (
        None,
        "a",
        -1,
        Tag("有条件"),
        Link("甲", "/x", sub="c1"),
        Lines("甲", 2),
        Meter(0.5),
        (Tag("a"), Tag("b")),
        at,
        {"zh": "许可", "en": "Permit"},
        "面积<300㎡>店",
        SafeString("<b>甲&amp;乙</b>"),
        True,
    )
    with translation.override("zh-hans"):
        told = [plain(v) for v in values]
    assert told == ["", "a", "-1", "有条件", "甲 c1", "甲 2", "0.5000", "a b", "2026-11-22 08:00", "许可", "面积<300㎡>店", "甲&乙", "是"]
