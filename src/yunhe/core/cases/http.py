"""The API of cases: see them, act on what is one's own to do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from yunhe.core.cases import api
from yunhe.core.cases.errors import ActionNotOffered, AmbiguousAction, KindNotFound
from yunhe.core.cases.forms import operators
from yunhe.core.cases.rules.fields import checked
from yunhe.core.cases.types import Case, CaseView, FieldSpec, WaitingItem
from yunhe.core.cases.types.kinds import Choice
from yunhe.kernel.pages import Page
from yunhe.ui.doors import acting, requires
from yunhe.ui.http import REFUSED_READ, REFUSED_WRITE, Exact, ListQuery, PageOut, Texts, page_request

router = Router(tags=["cases"])


class CaseQuery(ListQuery):
    kind: str = Field("", max_length=80)
    state: Literal["", "open", "suspended", "closed", "running"] = ""
    phase: str = Field("", max_length=80)
    part: Literal["", "opened", "handled"] = ""
    due: Literal["", "overdue", "today", "week", "later", "paused", "late"] = ""
    organization: str = Field("", max_length=40)
    person: str = Field("", max_length=200)
    obligation: str = Field("", max_length=63)
    subject_type: str = Field("", max_length=80)
    subject_id: str = Field("", max_length=200)
    sort: str = Field("", pattern="^-?(opened_at|due_at|number|title|kind_code|phase)?$")


class CaseOut(Schema):
    """One case; `version` is what the next action names. `data` holds what its page shows.

    `paused_at`, `pause_basis`: since when and why it stands still.
    """

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
    outcome_title: Texts
    paused_at: datetime | None
    pause_basis: str

    @staticmethod
    def resolve_data(case: Case) -> Mapping[str, Any]:
        return case.shown_data


class CasePage(PageOut):
    items: list[CaseOut]


class WaitingQuery(ListQuery):
    kind: str = Field("", max_length=80)
    due: Literal["", "overdue", "today", "week", "later", "paused"] = ""
    sort: str = Field("", pattern="^-?(due_at|opened_at)?$")


class WaitingOut(Schema):
    """One line of the inbox: an obligation that is the caller's, or of somebody whom they stand in for."""

    obligation_id: str
    title: Texts
    case_id: str
    number: str
    case_title: str
    kind: str
    kind_title: Texts
    phase_title: Texts
    organization: str
    opened_at: datetime
    due_at: datetime | None
    light: str
    estimated: bool
    version: int
    pause_basis: str
    on_behalf_name: str


class WaitingPage(PageOut):
    items: list[WaitingOut]


class CountedOut(Schema):
    """A day, of a limit of hours a stretch of time: its number if it counts, else why not."""

    on: date
    number: int | None
    reason: str
    name: str
    since: datetime | None
    until: datetime | None


class DueOut(Schema):
    """When something is due, by which rule, and how that was counted. `at` is empty while the clock stands still."""

    at: datetime | None
    started_at: datetime
    amount: int
    unit: str
    basis: str
    estimated: bool
    light: str
    paused_at: datetime | None
    pause_basis: str
    pauses: list[dict[str, Any]]
    extensions: list[dict[str, Any]]
    extend_most: int | None
    ended_at: datetime | None
    days: list[CountedOut]


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
    due: DueOut | None


class FactOut(Schema):
    """What was filled in at a step; `label` is what people read for a code."""

    name: str
    title: Texts
    value: Any
    label: Texts | None


class EventOut(Schema):
    seq: int
    at: datetime
    action: str
    title: Texts
    actor_name: str
    organization_name: str
    on_behalf_name: str
    facts: list[FactOut]
    digest: str
    evidence_id: str
    superseded: bool


class ChoiceOut(Schema):
    value: str
    title: Texts

    @staticmethod
    def resolve_title(choice: Choice) -> Mapping[str, str]:
        return choice.title.as_mapping()


class ActionFieldOut(Schema):
    """A field of a form; asked only while `when` (an expression over fields before it) holds.

    One of the type `attachments` takes a list of ids of files that the caller uploaded before (tus 1.0 at `/attachments/uploads/`).
    """

    name: str
    title: Texts
    type: str
    format: str
    required: bool
    when: str
    choices: list[ChoiceOut]

    @staticmethod
    def resolve_title(field: FieldSpec) -> Mapping[str, str]:
        return field.title.as_mapping()


class ActionOut(Schema):
    """An action that is the caller's now; `refusal` says why it is held back, `on_behalf_name` for whom they stand in."""

    obligation_id: str
    name: str
    title: Texts
    fields: list[ActionFieldOut]
    defaults: dict[str, Any]
    options: dict[str, list[str]]
    refusal: Texts | None
    on_behalf_name: str


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
    due: DueOut | None
    actions: list[ActionOut]
    operators: list[OperatorOut]
    files: list[FileOut]
    receipts: list[ReceiptOut]


class ActIn(Exact):
    """The action's fields; `version` as it was seen, so that of two who act at once one is told.

    A field of the type `attachments` takes the ids of files uploaded before: the last part of the upload's `Location`.
    """

    data: dict[str, Any] = Field(default={}, max_length=200)
    version: int | None = Field(None, ge=1, le=2**31 - 1)
    obligation_id: str = Field("", max_length=26)


class OpenIn(Exact):
    """A case to be opened by the form of its kind; the same `request_key` again gives the case that was opened with it.

    A field of the type `attachments` takes the ids of files uploaded before: the last part of the upload's `Location`.
    """

    kind: str = Field(pattern="^[a-z][a-z0-9_]{0,79}$")
    title: str = Field("", max_length=300)
    data: dict[str, Any] = Field(default={}, max_length=200)
    owner: str = Field("", pattern="^[0-9A-Za-z]{0,40}$")
    request_key: str = Field("", max_length=80)


class OperateIn(Exact):
    """What the operator's form asks for (reason, basis, to …); `version` as it was seen."""

    data: dict[str, Any] = Field(default={}, max_length=50)
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


@router.post("/cases", response={200: CaseOut, **REFUSED_WRITE})
@requires("cases.act")
def open_case(request: HttpRequest, asked: OpenIn) -> Case:
    """Open a case of a kind that people open by a form."""
    actor = acting(request)
    if all(one.code != asked.kind for one in api.list_openable(actor=actor)):
        raise KindNotFound(name=asked.kind)
    key = f"api:{actor.id}:{asked.request_key}" if asked.request_key else ""
    return api.open_case(kind=asked.kind, title=asked.title, data=asked.data, owner=asked.owner, request_key=key, actor=actor)


@router.get("/cases/waiting", response={200: WaitingPage, **REFUSED_READ})
@requires("cases.act")
def list_waiting(request: HttpRequest, query: Query[WaitingQuery]) -> Page[WaitingItem]:
    """List what waits for the caller, what is due first first."""
    return api.list_waiting(request=page_request(request, query), actor=acting(request))


@router.get("/cases/{case_id}", response={200: CaseViewOut, **REFUSED_READ})
@requires("cases.view")
def get_case(request: HttpRequest, case_id: str) -> CaseView:
    """Get one case with who has to act, what was done, and the actions that are the caller's now."""
    return api.access_case(case_id=case_id, actor=acting(request))


@router.post("/cases/{case_id}/operators/{operator}", response={200: CaseOut, **REFUSED_WRITE})
@requires("cases.view")
def operate(request: HttpRequest, case_id: str, operator: str, asked: OperateIn) -> Case:
    """Use a generic operator that the case offers the caller: on an obligation where it belongs to one, else on the case."""
    actor = acting(request)
    view = api.access_case(case_id=case_id, actor=actor)
    offered = [one for one in view.operators if one.name == operator and asked.obligation_id in ("", one.obligation_id)]
    if not offered:
        raise ActionNotOffered(number=view.case.number, action=operator)
    if len(offered) > 1:
        raise AmbiguousAction(number=view.case.number, action=operator)
    values = checked(operators.offer_of(view, offered[0]).fields, asked.data)
    return operators.run(offered[0], view=view, values=values, version=asked.version or view.case.version, actor=actor)


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
