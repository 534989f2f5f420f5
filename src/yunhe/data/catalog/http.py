"""The API of the ledger: find a resource, register a contract, submit it for review."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from django.http import HttpRequest
from django.urls import register_converter
from ninja import Query, Router, Schema, Status
from pydantic import Field

from yunhe.data.catalog import api
from yunhe.data.catalog.forms import LARGEST_FILE
from yunhe.data.catalog.types import Resource, ResourceLine
from yunhe.kernel.pages import Page
from yunhe.ui.doors import acting, requires
from yunhe.ui.http import (
    REFUSED_READ,
    REFUSED_WRITE,
    BigNumber,
    Exact,
    ListQuery,
    PageOut,
    page_request,
)

router = Router(tags=["resources"])


class TwoPartCode:
    """Whatever stands where a resource's code belongs (307001/0021); the api says if there is such a one."""

    regex = "[^/]+/[^/]+"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(TwoPartCode, "two_part_code")


class ResourceQuery(ListQuery):
    provider: str = Field("", max_length=200, description="Code or name of the organisation")
    sharing: Literal["", "unconditional", "conditional", "refused"] = ""
    opening: Literal["", "open", "conditional", "closed"] = ""
    update_cycle: str = Field("", max_length=40)
    grade: Literal["", "1", "2", "3", "4"] = ""
    state: Literal["", "open", "draft", "in_review", "published", "withdrawn"] = ""
    personal: bool | None = None
    freshness: Literal["", "late", "fresh", "never", "loaded"] = ""
    element: str = Field("", max_length=80)
    sort: str = Field("", pattern="^-?(title|code|owner|grade|share|released_at|rows|users|fields|updated_at)?$")


class FreshnessOut(Schema):
    state: str
    last_on: date | None
    due_on: date | None
    days_late: int


class ResourceLineOut(Schema):
    code: str
    title: str
    summary: str
    owner: str
    owner_name: str
    sharing: str
    opening: str
    update_cycle: str
    grade: int
    personal: bool
    fields: int
    version: int
    state: str
    open_state: str
    rows: int | None
    released_at: datetime | None
    share: float | None
    users: int
    freshness: FreshnessOut
    updated_at: datetime


class ResourcePage(PageOut):
    items: list[ResourceLineOut]


class FieldOut(Schema):
    name: str
    title: str
    type: str
    element: str
    required: bool
    sharing: str
    opening: str
    grade: int
    personal: bool
    mask: str


class ContractOut(Schema):
    """The contract in force; where the data come from stays with the provider."""

    summary: str
    legal_basis: str
    sharing: str
    sharing_basis: str
    opening: str
    update_cycle: str
    grade: int
    personal: bool
    keys: list[str]
    fields: list[FieldOut]


class ResourceOut(Schema):
    code: str
    title: str
    owner: str
    owner_name: str
    state: str
    open_state: str
    version: int
    latest_version: int
    digest: str
    contract: ContractOut
    release_id: str
    snapshot_id: BigNumber
    rows: int | None
    released_at: datetime | None
    share: float | None
    users: int
    created_at: datetime
    updated_at: datetime
    published_at: datetime | None


class ContractIn(Exact):
    """A contract file's text (resource/1, YAML); an empty `code` in it is issued by the node."""

    text: str = Field(min_length=1, max_length=LARGEST_FILE)


class SubmissionIn(Exact):
    note: str = Field("", max_length=2000, description="A word to the reviewer")


@router.get("/resources", response={200: ResourcePage, **REFUSED_READ})
@requires("ledger.view")
def list_resources(request: HttpRequest, query: Query[ResourceQuery]) -> Page[ResourceLine]:
    """List the resources that the caller may see."""
    return api.list_resources(request=page_request(request, query), actor=acting(request))


@router.post("/resources", response={201: ResourceOut, **REFUSED_WRITE})
@requires("ledger.edit")
def register_resource(request: HttpRequest, contract: ContractIn) -> Status[Resource]:
    """Enter a contract as a draft: a new resource, or the next version of the one that it names by code."""
    read = api.parse_contract(text=contract.text, beside=False)
    return Status(201, api.register_resource(contract=read, actor=acting(request)))


@router.get("/resources/{two_part_code:code}", response={200: ResourceOut, **REFUSED_READ})
@requires("ledger.view")
def get_resource(request: HttpRequest, code: str) -> Resource:
    """Get one resource with its contract in force."""
    return api.access_resource(code=code, actor=acting(request))


@router.post("/resources/{two_part_code:code}/submit", response={200: ResourceOut, **REFUSED_WRITE})
@requires("ledger.edit")
def submit_resource(request: HttpRequest, code: str, submission: SubmissionIn) -> Resource:
    """Submit the draft for review; who wrote it does not review it."""
    return api.submit_resource(code=code, note=submission.note, actor=acting(request))
