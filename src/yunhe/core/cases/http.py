"""The API of cases: see them, act on what is one's own to do."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from yunhe.core.cases import api
from yunhe.core.cases.types import Case, CaseView
from yunhe.kernel.pages import Page
from yunhe.ui.doors import acting, requires
from yunhe.ui.http import REFUSED_READ, REFUSED_WRITE, Exact, ListQuery, PageOut, Texts, page_request

router = Router(tags=["cases"])


class CaseQuery(ListQuery):
    kind: str = Field("", max_length=80)
    state: Literal["", "open", "closed"] = ""
    phase: str = Field("", max_length=80)
    part: Literal["", "opened", "handled"] = ""
    due: Literal["", "overdue", "today", "week", "later"] = ""
    organization: str = Field("", max_length=40)
    person: str = Field("", max_length=200)
    obligation: str = Field("", max_length=63)
    subject_type: str = Field("", max_length=80)
    subject_id: str = Field("", max_length=200)
    sort: str = Field("", pattern="^-?(opened_at|due_at|number|title|kind_code|phase)?$")


class CaseOut(Schema):
    """One case; `version` is what the next action names."""

    case_id: str
    number: str
    kind: str
    kind_title: Texts
    phase: str
    phase_title: Texts
    state: str
    outcome: str
    title: str
    organization: str
    owner: str
    subject_type: str
    subject_id: str
    data: dict[str, Any]
    version: int
    opened_by_name: str
    opened_at: datetime
    closed_at: datetime | None
    due_at: datetime | None


class CasePage(PageOut):
    items: list[CaseOut]


class ObligationOut(Schema):
    obligation_id: str
    name: str
    title: Texts
    state: str
    outcome: str
    organization: str
    organization_name: str
    roles: list[str]
    opened_at: datetime
    closed_at: datetime | None
    closed_by_name: str
    superseded: bool
    vacant: bool


class EventOut(Schema):
    seq: int
    at: datetime
    action: str
    title: Texts
    actor_name: str
    organization_name: str
    digest: str
    evidence_id: str
    superseded: bool


class ActionFieldOut(Schema):
    name: str
    type: str
    required: bool


class ActionOut(Schema):
    """An action that is the caller's now; `refusal` says why it is held back."""

    obligation_id: str
    name: str
    title: Texts
    fields: list[ActionFieldOut]
    defaults: dict[str, Any]
    options: dict[str, list[str]]
    refusal: Texts | None


class OperatorOut(Schema):
    """A generic operator that the caller may use now, on an obligation or on the whole case (withdraw, remind …)."""

    name: str
    obligation_id: str


class FileOut(Schema):
    """A file that was handed in with the case; its bytes are at `/attachments/ID/`."""

    id: str
    name: str
    size: int
    media_type: str
    state: str
    digest: str
    attached_at: datetime | None


class ReceiptOut(Schema):
    """Where a value came from: shared data ("found"), or by hand because there was none ("absent", "unavailable")."""

    receipt_id: str
    field: str
    state: str
    value: Any
    source: str
    title: dict[str, str]
    snapshot: str
    evidence_id: str
    at: datetime
    digest: str
    intact: bool


class CaseViewOut(Schema):
    case: CaseOut
    obligations: list[ObligationOut]
    events: list[EventOut]
    actions: list[ActionOut]
    operators: list[OperatorOut]
    files: list[FileOut]
    receipts: list[ReceiptOut]


class ActIn(Exact):
    """The action's fields; `version` as it was seen, so that of two who act at once one is told."""

    data: dict[str, Any] = Field(default={}, max_length=200)
    version: int | None = Field(None, ge=1, le=2**31 - 1)
    obligation_id: str = Field("", max_length=26)


class WithdrawIn(Exact):
    """Why; `version` as it was seen."""

    reason: str = Field(max_length=2000)
    version: int | None = Field(None, ge=1, le=2**31 - 1)


@router.get("/cases", response={200: CasePage, **REFUSED_READ})
@requires("cases.view")
def list_cases(request: HttpRequest, query: Query[CaseQuery]) -> Page[Case]:
    """List the cases that the caller may see, newest first."""
    return api.list_cases(request=page_request(request, query), actor=acting(request))


@router.get("/cases/{case_id}", response={200: CaseViewOut, **REFUSED_READ})
@requires("cases.view")
def get_case(request: HttpRequest, case_id: str) -> CaseView:
    """Get one case with who has to act, what was done, and the actions that are the caller's now."""
    return api.access_case(case_id=case_id, actor=acting(request))


@router.post("/cases/{case_id}/withdraw", response={200: CaseOut, **REFUSED_WRITE})
@requires("cases.view")
def withdraw(request: HttpRequest, case_id: str, asked: WithdrawIn) -> Case:
    """Take back what the caller asked for while nobody decided; the case ends."""
    return api.withdraw(case_id=case_id, reason=asked.reason, expected_version=asked.version, actor=acting(request))


@router.post("/cases/{case_id}/actions/{action}", response={200: CaseOut, **REFUSED_WRITE})
@requires("cases.act")
def act(request: HttpRequest, case_id: str, action: str, acted: ActIn) -> Case:
    """Take an action of an open obligation that is the caller's."""
    return api.act(
        case_id=case_id,
        action=action,
        data=acted.data,
        expected_version=acted.version,
        obligation_id=acted.obligation_id,
        actor=acting(request),
    )
