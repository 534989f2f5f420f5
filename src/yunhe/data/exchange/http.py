"""The API of exchange: ask for data, see what was granted, take a grant back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from yunhe.core.cases.types import Case
from yunhe.data.exchange import api
from yunhe.data.exchange.types import Grant
from yunhe.kernel.pages import Page
from yunhe.ui.doors import acting, requires
from yunhe.ui.http import REFUSED_READ, REFUSED_WRITE, Exact, ListQuery, PageOut, page_request

router = Router(tags=["exchange"])
FieldName = Annotated[str, Field(min_length=1, max_length=80)]


class RequestIn(Exact):
    """What one asks of a resource's owner. `row_filter`: an expression over fields; `until`: YYYY-MM-DD, else a year."""

    resource: str = Field(min_length=1, max_length=80)
    fields: list[FieldName] = Field(min_length=1, max_length=4096)
    purpose: str = Field(min_length=1, max_length=500)
    legal_basis: str = Field(min_length=1, max_length=500)
    row_filter: str = Field("", max_length=2000)
    until: str = Field("", pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")


class RequestOut(Schema):
    """The case that the request opened; the owner decides in it."""

    case_id: str
    number: str
    phase: str
    state: str
    version: int


class GrantQuery(ListQuery):
    resource: str = Field("", max_length=80)
    state: Literal["", "active", "expired", "revoked"] = ""
    side: Literal["", "given", "held"] = ""


class GrantedFieldOut(Schema):
    name: str
    title: str
    mask: str


class GrantOut(Schema):
    grant_id: str
    resource_code: str
    resource_title: str
    owner: str
    consumer: str
    consumer_name: str
    fields: list[GrantedFieldOut]
    row_filter: str
    purpose: str
    legal_basis: str
    case_id: str
    case_number: str
    valid_from: datetime
    valid_until: datetime
    state: str
    granted_by: str
    granted_at: datetime
    revoked_at: datetime | None
    revoked_by: str
    revoked_reason: str


class GrantPage(PageOut):
    items: list[GrantOut]


class RevocationIn(Exact):
    reason: str = Field(min_length=1, max_length=500)


@router.post("/requests", response={201: RequestOut, **REFUSED_WRITE})
@requires("exchange.request")
def request_access(request: HttpRequest, asked: RequestIn) -> Status[Case]:
    """Ask the owner of a resource for some of its fields."""
    case = api.request_access(
        resource_code=asked.resource,
        fields=tuple(asked.fields),
        purpose=asked.purpose,
        legal_basis=asked.legal_basis,
        row_filter=asked.row_filter,
        until=asked.until,
        actor=acting(request),
    )
    return Status(201, case)


@router.get("/grants", response={200: GrantPage, **REFUSED_READ})
@requires("exchange.view")
def list_grants(request: HttpRequest, query: Query[GrantQuery]) -> Page[Grant]:
    """List the grants that the caller's organisation gives or holds, newest first."""
    return api.list_grants(request=page_request(request, query), actor=acting(request))


@router.get("/grants/{grant_id}", response={200: GrantOut, **REFUSED_READ})
@requires("exchange.view")
def get_grant(request: HttpRequest, grant_id: str) -> Grant:
    """Get one grant: fields, masks, row filter, purpose, until when."""
    return api.access_grant(grant_id=grant_id, actor=acting(request))


@router.post("/grants/{grant_id}/revoke", response={200: GrantOut, **REFUSED_WRITE})
@requires("exchange.decide")
def revoke_grant(request: HttpRequest, grant_id: str, revocation: RevocationIn) -> Grant:
    """Take a grant back; the gateway refuses it at once."""
    return api.revoke_grant(grant_id=grant_id, reason=revocation.reason, actor=acting(request))
