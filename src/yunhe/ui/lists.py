"""Lists: what the address asks for, and the links that facets, sorting, paging and export need."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from html import unescape
from typing import Any
from urllib.parse import quote, urlencode

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django.utils.translation import gettext as __

from yunhe.kernel.clock import local
from yunhe.kernel.errors import Invalid
from yunhe.kernel.pages import UNCOUNTED, Facet, Page, PageRequest
from yunhe.ui.cells import Column, Empty, Lines, Link, Meter, Table
from yunhe.ui.errors import BadNumber
from yunhe.ui.templatetags.yh import spoken

SEARCH, SORT, PAGE = "q", "sort", "page"
LAST_PAGE = 1_000_000
EXPORT_ROWS = 10_000
RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # a spreadsheet would run a cell that starts so


def read_page_request(
    request: HttpRequest, *, filters: Sequence[str] = (), sorts: Sequence[str] = (), sort: str = "", size: int = 25
) -> PageRequest:
    """Return what the address asks for. Raises: BadNumber on a page that is none, Invalid on an unknown sort."""
    wanted = request.GET.get(SORT) or sort
    if wanted.removeprefix("-") not in ("", *(name.removeprefix("-") for name in (*sorts, sort))):
        raise Invalid(where=SORT, expected=", ".join(sorts), found=wanted[:40])
    return PageRequest(
        page=_page_number(request.GET.get(PAGE, "1")),
        size=size,
        search=request.GET.get(SEARCH, "").strip()[:200],
        sort=wanted,
        filters={name: request.GET[name][:200] for name in filters if request.GET.get(name)},
    )


def _page_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 7 and 1 <= int(text) <= LAST_PAGE):
        raise BadNumber(where=PAGE)
    return int(text)


@dataclass(frozen=True, slots=True)
class FacetGroup:
    """One filter with its values, each a link that sets or clears it."""

    name: str
    title: Any
    values: tuple[tuple[Facet, bool, str], ...]


@dataclass(frozen=True, slots=True)
class Listing:
    """A list as the component draws it: the page an api gave, the columns, and what was asked for.

    `facet_titles` maps a filter's name to its title, in the order shown. `choices` maps a filter's name to
    (value, label) pairs: labels of the facets that the api counted, or the facets where it counted none.
    `find` is a form of further conditions, below the facets; `find_help` a sentence under it.
    """

    request: HttpRequest
    page: Page[Any]
    wanted: PageRequest
    columns: Sequence[Column]
    caption: Any
    facet_titles: Mapping[str, Any] = field(default_factory=dict)
    choices: Mapping[str, Sequence[tuple[str, Any]]] = field(default_factory=dict)
    search_label: Any = ""
    empty: Empty | None = None
    export: bool = False
    find: Form | None = None
    find_help: Any = ""

    @property
    def table(self) -> Table:
        return Table(columns=self.columns, rows=self.page.items, caption=self.caption, empty=self.empty)

    @property
    def is_narrowed(self) -> bool:
        return bool(self.wanted.search or self.wanted.filters)

    @property
    def clear_href(self) -> str:
        return self.request.path

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What a new search keeps: the filters and the order, not the page."""
        return [(k, v) for k, v in self.request.GET.items() if k not in (SEARCH, PAGE)]

    @property
    def find_kept(self) -> list[tuple[str, str]]:
        """What further conditions keep: all that is asked for beside them, not the page."""
        own = self.find.fields if self.find else ()
        return [(k, v) for k, v in self.request.GET.items() if k not in (*own, PAGE, "export")]

    @property
    def groups(self) -> list[FacetGroup]:
        return [group for name, title in self.facet_titles.items() if (group := self._group(name, title)).values]

    def _group(self, name: str, title: Any) -> FacetGroup:
        labels = dict(self.choices.get(name, ()))
        found = [replace(f, label=labels.get(f.value, f.label)) for f in self.page.facets if f.name == name]
        if not found:
            found = [Facet(name, value, label, UNCOUNTED) for value, label in labels.items()]
        chosen = self.wanted.filters.get(name)
        values = tuple((facet, facet.value == chosen, self._facet_href(facet, chosen)) for facet in found)
        return FacetGroup(name=name, title=title, values=values)

    def _facet_href(self, facet: Facet, chosen: str | None) -> str:
        return self.href(**{facet.name: None if facet.value == chosen else facet.value, PAGE: None})

    def href(self, **changes: str | None) -> str:
        """Return this list's address with some parameters changed; None takes one away."""
        query = {key: value for key, value in self.request.GET.items() if key not in changes and value}
        query.update({key: value for key, value in changes.items() if value})
        return f"{self.request.path}?{urlencode(query)}" if query else self.request.path

    @property
    def headers(self) -> list[tuple[Column, str, str]]:
        """Each column with the address that sorts by it ("" if none) and the present order (ascending …)."""
        return [(column, *self._sorting(column)) for column in self.columns]

    def _sorting(self, column: Column) -> tuple[str, str]:
        if not column.sort:
            return "", ""
        if self.wanted.sort == column.sort:
            return self.href(**{SORT: f"-{column.sort}", PAGE: None}), "ascending"
        state = "descending" if self.wanted.sort == f"-{column.sort}" else "none"
        return self.href(**{SORT: column.sort, PAGE: None}), state

    @property
    def page_links(self) -> list[tuple[int | None, str]]:
        """Page numbers around the present one with their addresses; (None, "") is a gap."""
        last, here = self.page.pages, self.page.page
        numbers = sorted({1, last, *range(max(1, here - 2), min(last, here + 2) + 1)})
        links: list[tuple[int | None, str]] = []
        for before, number in zip([0, *numbers], numbers, strict=False):
            if number - before > 1:
                links.append((None, ""))
            links.append((number, self.href(**{PAGE: str(number)})))
        return links

    @property
    def previous_href(self) -> str:
        return self.href(**{PAGE: str(self.page.page - 1)}) if self.page.page > 1 else ""

    @property
    def next_href(self) -> str:
        return self.href(**{PAGE: str(self.page.page + 1)}) if self.page.page < self.page.pages else ""

    @property
    def export_href(self) -> str:
        return self.href(export="csv", **{PAGE: None}) if self.export and self.page.total else ""

    @property
    def export_limit(self) -> int:
        return EXPORT_ROWS


def export_csv(
    *, name: str, columns: Sequence[Column], wanted: PageRequest, take: Callable[[PageRequest], Page[Any]]
) -> HttpResponse:
    """Return the whole list as CSV (UTF-8 with BOM, at most EXPORT_ROWS rows), through the same api call.

    A cell of two lines becomes two columns; a column without a title, such as that of buttons, is left out.
    Only for lists of control data; row values of resources have their own door.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    told = [column for column in columns if column.title]
    rows = [[_halves(column.value(row)) for column in told] for row in _all_rows(wanted, take)]
    two = [bool(column.sub) or any(row[place][1] for row in rows) for place, column in enumerate(told)]
    writer.writerow([title for column, halves in zip(told, two, strict=True) for title in _headings(column, two=halves)])
    for row in rows:
        writer.writerow([_safe(text) for pair, halves in zip(row, two, strict=True) for text in pair[: 2 if halves else 1]])
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}.csv"}
    return HttpResponse("\ufeff" + out.getvalue(), content_type="text/csv; charset=utf-8", headers=headers)


def _headings(column: Column, *, two: bool) -> list[str]:
    title = str(column.title)
    return [title, str(column.sub) or __("%(title)s：编号") % {"title": title}] if two else [title]


def _halves(value: Any) -> tuple[str, str]:
    """Return what a cell says, and what it says on its second line."""
    if isinstance(value, Lines):
        return plain(value.first), plain(value.second)
    if isinstance(value, Link):
        return plain(value.text), plain(value.sub)
    return plain(value), ""


def _all_rows(wanted: PageRequest, take: Callable[[PageRequest], Page[Any]]) -> Iterator[Any]:
    page = take(replace(wanted, page=1, size=500))
    for number in range(1, min(page.pages, EXPORT_ROWS // 500) + 1):
        yield from (page if number == 1 else take(replace(wanted, page=number, size=500))).items


def plain(value: Any) -> str:
    """Return the text of a cell value, as an export writes it: a moment to the minute in Asia/Shanghai, text as it is."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return __("是") if value else __("否")
    if isinstance(value, datetime):
        return f"{local(value):%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return plain(spoken(value))
    if isinstance(value, tuple):
        return " ".join(plain(one) for one in value)
    if isinstance(value, Meter):
        return value.text or ("" if value.share is None else f"{value.share:.4f}")
    for name in ("text", "first", "label"):
        if hasattr(value, name):
            rest = plain(getattr(value, "second", None) or getattr(value, "sub", None))
            return f"{plain(getattr(value, name))} {rest}".strip()
    return unescape(strip_tags(value)) if isinstance(value, SafeString) else str(value)


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith(RISKY) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
