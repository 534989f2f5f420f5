"""What the API doors of the rooms share: bodies and queries that are exact, pages, the shape of a refusal."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Schema
from pydantic import BeforeValidator, ConfigDict, Field, field_validator

from yunhe.kernel.errors import Invalid
from yunhe.kernel.pages import MAX_PAGE_SIZE, UNCOUNTED, PageRequest
from yunhe.ui.lists import LAST_PAGE

BigNumber = Annotated[str | None, BeforeValidator(lambda value: None if value is None else str(value))]
"""A whole number that other readers of JSON would round: given as text (RFC 7493 2.2)."""

Texts = dict[str, str]
"""One text per language: {"zh": …, "en": …}; without "en" the Chinese one stands for both."""


class Exact(Schema):
    """What is sent: a field that nobody knows is refused, not passed over; true is no number."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Place(Schema):
    """One place to mend."""

    where: str
    expected: str


class Problem(Schema):
    """Why nothing was done (RFC 9457): `code` is stable, `detail` says where and what to do next."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    kind: str
    trace_id: str
    errors: list[Place] = []


REFUSED_READ: dict[Any, type[Problem]] = dict.fromkeys((400, 401, 403, 404, 422), Problem)
REFUSED_WRITE: dict[Any, type[Problem]] = dict.fromkeys((400, 401, 403, 404, 409, 415, 422), Problem)


class ListQuery(Schema):
    """Which part of a list."""

    page: int = Field(1, ge=1, le=LAST_PAGE)
    size: int = Field(25, ge=1, le=MAX_PAGE_SIZE)
    q: str = Field("", max_length=200, description="Search")


class FacetOut(Schema):
    """One value of a filter with its count, over what the caller may see; null where it was not counted."""

    name: str
    value: str
    label: str
    count: int | None

    @field_validator("count", mode="before")
    @classmethod
    def _if_counted(cls, count: Any) -> Any:
        return None if count == UNCOUNTED else count


class PageOut(Schema):
    """One page of a list; a room's own page names the type of `items`."""

    total: int
    page: int
    size: int
    facets: list[FacetOut] = []


def page_request(request: HttpRequest, query: ListQuery) -> PageRequest:
    """Return what a list's query asks for. Raises: Invalid on a parameter that the list does not have."""
    known = type(query).model_fields
    for name in request.GET:
        if name not in known:
            raise Invalid(where=f"query {name[:40]}", expected=", ".join(known), found=name[:40])
    values = query.model_dump(exclude={"page", "size", "q", "sort"}, exclude_none=True)
    filters = {name: _plain(value) for name, value in values.items() if value != ""}
    sort = str(getattr(query, "sort", "") or "")
    return PageRequest(page=query.page, size=query.size, search=query.q.strip(), sort=sort, filters=filters)


def _plain(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
