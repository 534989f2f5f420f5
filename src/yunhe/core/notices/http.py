"""The API of notices: one's own, to read and to mark read."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from yunhe.core.notices import api
from yunhe.core.notices.types import Notice
from yunhe.kernel.pages import Page
from yunhe.ui.doors import acting, requires
from yunhe.ui.http import REFUSED_READ, REFUSED_WRITE, Exact, ListQuery, PageOut, Texts, page_request

router = Router(tags=["notices"])
NoticeId = Annotated[str, Field(min_length=1, max_length=26)]


class NoticeQuery(ListQuery):
    kind: str = Field("", max_length=64)
    state: Literal["", "unread", "read"] = ""


class NoticeOut(Schema):
    """One notice; `href` is a path of the pages, "" for none. `organization`, `role`: the membership that it concerns, "" for any."""

    id: str
    kind: str
    kind_title: Texts
    title: Texts
    text: Texts
    href: str
    case_id: str
    sent_at: datetime
    read_at: datetime | None
    organization: str
    role: str


class NoticePageOut(PageOut):
    items: list[NoticeOut]


class ReadIn(Exact):
    """Which notices were read: those of `ids`, or with `all` every one."""

    ids: list[NoticeId] = Field([], max_length=500)
    all: bool = False


class ReadOut(Schema):
    """How many were unread before, and how many are now."""

    changed: int
    unread: int


@router.get("/notices", response={200: NoticePageOut, **REFUSED_READ})
@requires("signed_in")
def list_notices(request: HttpRequest, query: Query[NoticeQuery]) -> Page[Notice]:
    """List one's own notices in the membership in which one acts, the newest first."""
    return api.list_notices(request=page_request(request, query), actor=acting(request))


@router.post("/notices/read", response={200: ReadOut, **REFUSED_WRITE})
@requires("signed_in")
def read_notices(request: HttpRequest, body: ReadIn) -> ReadOut:
    """Mark one's own notices read; one that is not one's own is not found, and nothing is marked."""
    actor = acting(request)
    changed = api.mark_all_read(actor=actor) if body.all else api.mark_read(ids=body.ids, actor=actor)
    return ReadOut(changed=changed, unread=api.count_unread(actor=actor))
