"""The API of lake: start a load, see what became of it."""

from __future__ import annotations

from datetime import datetime

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from yunhe.core.cases.types import Case
from yunhe.data.lake import api
from yunhe.data.lake.types import Load
from yunhe.kernel.pages import Page
from yunhe.ui.doors import acting, requires
from yunhe.ui.http import (
    REFUSED_READ,
    REFUSED_WRITE,
    BigNumber,
    Exact,
    ListQuery,
    PageOut,
    Texts,
    page_request,
)

router = Router(tags=["loads"])


class LoadQuery(ListQuery):
    resource: str = Field("", max_length=80)
    state: str = Field("", max_length=20)


class LoadOut(Schema):
    """One load; always rows_in = kept + quarantined + rejected."""

    load_id: str
    resource_code: str
    state: str
    stage: str
    job_id: str
    started_at: datetime
    ended_at: datetime | None
    actor_name: str
    rows_in: int | None
    kept: int | None
    quarantined: int | None
    rejected: int | None
    digest: str
    file_digest: str
    algorithm: str
    source_bytes: int | None
    snapshot_id: BigNumber
    release_id: str
    quarantine_reasons: dict[str, int]
    rejected_reasons: dict[str, int]
    problem: Texts


class LoadPage(PageOut):
    items: list[LoadOut]


class LoadStarted(Schema):
    job_id: str


@router.post("/resources/{two_part_code:code}/loads", response={202: LoadStarted, **REFUSED_WRITE})
@requires("lake.load")
def start_load(request: HttpRequest, code: str) -> Status[dict[str, str]]:
    """Start loading a published resource from its source; follow it at /jobs/{job_id}."""
    return Status(202, {"job_id": api.start_load(code=code, actor=acting(request))})


@router.get("/loads", response={200: LoadPage, **REFUSED_READ})
@requires("lake.view")
def list_loads(request: HttpRequest, query: Query[LoadQuery]) -> Page[Load]:
    """List loads, newest first."""
    return api.list_loads(request=page_request(request, query), actor=acting(request))


class ReasonIn(Exact):
    reason: str = Field(max_length=500)


class CaseOpened(Schema):
    case_id: str
    number: str


@router.post("/loads/{load_id}/return", response={201: CaseOpened, **REFUSED_WRITE})
@requires("lake.load")
def return_records(request: HttpRequest, load_id: str, told: ReasonIn) -> Status[Case]:
    """Return the set-aside records of a load to their source; follow it at /cases/{case_id}."""
    return Status(201, api.return_to_source(load_id=load_id, reason=told.reason, actor=acting(request)))


@router.post("/resources/{two_part_code:code}/releases/{release_id}/rollback", response={201: CaseOpened, **REFUSED_WRITE})
@requires("lake.load")
def request_roll_back(request: HttpRequest, code: str, release_id: str, told: ReasonIn) -> Status[Case]:
    """Ask that an earlier release becomes current again; another person approves. Follow it at /cases/{case_id}."""
    asked = api.request_roll_back(code=code, release_id=release_id, reason=told.reason, actor=acting(request))
    return Status(201, asked)


@router.get("/loads/{load_id}", response={200: LoadOut, **REFUSED_READ})
@requires("lake.view")
def get_load(request: HttpRequest, load_id: str) -> Load:
    """Get one load with its counts, receipt and, if it failed, why."""
    return api.get_load(load_id=load_id, actor=acting(request))
