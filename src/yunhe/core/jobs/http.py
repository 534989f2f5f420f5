"""The API of jobs: follow one, cancel it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import Field

from yunhe.core.jobs import api
from yunhe.core.jobs.api import outbox
from yunhe.core.jobs.types import DeadLetter, JobInfo
from yunhe.kernel.pages import PageRequest
from yunhe.ui.doors import acting, requires
from yunhe.ui.http import REFUSED_READ, REFUSED_WRITE, Exact, ListQuery, PageOut, Texts, page_request

router = Router(tags=["jobs"])


class JobOut(Schema):
    """One job as it stands; `progress_total` 0 means that nobody knows yet how much there is."""

    id: str
    name: str
    title: Texts
    key: str
    arguments: dict[str, Any]
    actor_name: str
    state: str
    enqueued_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    attempts: int
    cancel_requested: bool
    progress_done: int
    progress_total: int
    progress_note: str
    result: dict[str, Any] | None
    error_code: str
    error: Texts


class LetterQuery(ListQuery):
    subscriber: str = Field("", max_length=200)
    state: Literal["", "dead", "dropped"] = ""
    sort: Literal["", "published_at", "-published_at", "tried_at", "-tried_at", "subscriber", "-subscriber"] = ""


class ToldOut(Schema):
    """One of the things that a message tells together; `href` "" where the caller may not see the case."""

    about: dict[str, str]
    case_number: str
    href: str


class LetterOut(Schema):
    """A message that was not delivered: what was to happen, for whom, about what; `href` "" where the caller may not see the case.

    What tells several things together has them all in `items`; `about` says then how many.
    """

    id: int
    title: Texts
    subscriber: str
    whom: str
    way: dict[str, str]
    about: dict[str, str]
    case_number: str
    href: str
    items: list[ToldOut]
    state: str
    is_final: bool
    tries: int
    error_code: str
    error: dict[str, str]
    published_at: datetime
    tried_at: datetime | None
    decided_by: str
    decided_at: datetime | None
    reason: str

    @classmethod
    def of(cls, one: DeadLetter) -> LetterOut:
        """Return the letter as the API tells it."""
        return cls(
            id=one.delivery_id, title=dict(one.title), subscriber=one.subscriber, whom=one.about.whom, way=dict(one.about.way),
            about=dict(one.about.title), case_number=one.about.number, href=one.about.href, state=one.state,
            items=[ToldOut(about=dict(told.title), case_number=told.number, href=told.href) for told in one.about.items],
            is_final=one.about.is_final, tries=one.about.tries or one.tries, error_code=one.error_code,
            error=dict(one.about.error or one.error), published_at=one.message.published_at, tried_at=one.tried_at,
            decided_by=one.decided_by, decided_at=one.decided_at, reason=one.reason,
        )  # fmt: skip


class LetterPageOut(PageOut):
    items: list[LetterOut]


Ids = Annotated[list[int], Field(min_length=1, max_length=500)]


class LettersIn(Exact):
    """Which dead letters are tried again."""

    ids: Ids


class DropIn(LettersIn):
    """Which dead letters are given up, and why."""

    reason: str = Field(min_length=1, max_length=500)


class DecidedOut(Schema):
    """How many it were."""

    changed: int


@router.get("/dead-letters", response={200: LetterPageOut, **REFUSED_READ})
@requires("jobs.view")
def list_letters(request: HttpRequest, query: Query[LetterQuery]) -> LetterPageOut:
    """List what could not be delivered, and what was dropped; the dead first, of each the oldest first."""
    page = outbox.list_letters(request=page_request(request, query), actor=acting(request))
    facets: Any = list(page.facets)
    return LetterPageOut(items=[LetterOut.of(one) for one in page.items], total=page.total, page=page.page, size=page.size, facets=facets)


@router.post("/dead-letters/retry", response={200: DecidedOut, **REFUSED_WRITE})
@requires("jobs.manage")
def retry_letters(request: HttpRequest, body: LettersIn) -> DecidedOut:
    """Give dead letters fresh tries; one that is not dead is not found, and nothing is tried again."""
    return DecidedOut(changed=outbox.retry_all_dead(request=PageRequest(), delivery_ids=body.ids, actor=acting(request)))


@router.post("/dead-letters/drop", response={200: DecidedOut, **REFUSED_WRITE})
@requires("jobs.manage")
def drop_letters(request: HttpRequest, body: DropIn) -> DecidedOut:
    """Give dead letters up for good; they stay to be read, with who decided, when and why."""
    return DecidedOut(changed=outbox.drop_dead(delivery_ids=body.ids, reason=body.reason, actor=acting(request)))


@router.get("/jobs/{job_id}", response={200: JobOut, **REFUSED_READ})
@requires("signed_in")
def get_job(request: HttpRequest, job_id: str) -> JobInfo:
    """Get one job: one's own, or any that one's rights show."""
    return api.access_job(job_id=job_id, actor=acting(request))


@router.post("/jobs/{job_id}/cancel", response={200: JobOut, **REFUSED_WRITE})
@requires("signed_in")
def cancel_job(request: HttpRequest, job_id: str) -> JobInfo:
    """Cancel a waiting job at once, ask a running one to stop at its next check."""
    return api.cancel_job(job_id=job_id, actor=acting(request))
