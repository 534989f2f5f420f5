"""The API of evidence: who did what, when, on what."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from yunhe.core.evidence import api
from yunhe.core.evidence.types import EvidenceRecord
from yunhe.kernel.pages import Page
from yunhe.ui.doors import acting, requires
from yunhe.ui.http import REFUSED_READ, ListQuery, PageOut, page_request

router = Router(tags=["evidence"])


class EvidenceQuery(ListQuery):
    kind: str = Field("", max_length=64)
    actor_id: str = Field("", max_length=100)
    organization: str = Field("", max_length=18, description="Code of the organisation that acted")
    owner_organization: str = Field("", max_length=18, description="Code of the organisation acted on")
    subject_type: str = Field("", max_length=64)
    subject_id: str = Field("", max_length=200)
    source: str = Field("", max_length=16)
    since: str = Field("", max_length=40, description="ISO 8601 instant with its zone; included")
    until: str = Field("", max_length=40, description="ISO 8601 instant with its zone; not included")
    sort: Literal["", "at", "-at", "kind"] = ""


class EvidenceOut(Schema):
    id: str
    at: datetime
    kind: str
    actor_kind: str
    actor_id: str
    actor_name: str
    actor_role: str
    organization: str
    owner_organization: str
    via: str
    os_user: str
    subject_type: str
    subject_id: str
    facts: dict[str, Any]
    source: str
    digest: str


class EvidencePage(PageOut):
    items: list[EvidenceOut]


@router.get("/evidence", response={200: EvidencePage, **REFUSED_READ})
@requires("evidence.view", "evidence.view_own")
def list_evidence(request: HttpRequest, query: Query[EvidenceQuery]) -> Page[EvidenceRecord]:
    """List the evidence that the caller may see, newest first."""
    return api.find(request=page_request(request, query), actor=acting(request))
