"""A page of a list: what every `list_` function takes and returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
MAX_PAGE_SIZE = 500
MAX_OFFSET = 2**31 - 1  # more rows than any list has; databases count further only up to 2**63


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which part of a list. `page` starts at 1; `sort` is a field name, `-` before it reverses."""

    page: int = 1
    size: int = 25
    search: str = ""
    sort: str = ""
    filters: Mapping[str, str] = field(default_factory=dict)

    @property
    def offset(self) -> int:
        return min((max(self.page, 1) - 1) * self.limit, MAX_OFFSET)

    @property
    def limit(self) -> int:
        return min(max(self.size, 1), MAX_PAGE_SIZE)


UNCOUNTED = -1


@dataclass(frozen=True, slots=True)
class Facet:
    """One value of a filter with its count; counts see only what the actor may see. UNCOUNTED: it was not counted."""

    name: str
    value: str
    label: str
    count: int


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a list with the total and the facets."""

    items: tuple[T, ...]
    total: int
    page: int = 1
    size: int = 25
    facets: tuple[Facet, ...] = ()

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))
