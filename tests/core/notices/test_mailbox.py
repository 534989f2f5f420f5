"""One's own notices: to read, to find, to mark; another's are not there. What was read long ago goes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.api_caller import Caller
from tests.conftest import Cast
from tests.core.notices.conftest import ASKER, QUIET_KIND, WAITING, Trial, dead, run, tell
from yunhe.core.jobs.errors import JobCancelled
from yunhe.core.notices import api
from yunhe.core.notices.api import thinning
from yunhe.core.notices.errors import AddressRefused, NoMailbox, NoticeNotFound
from yunhe.core.notices.models import Announcement, Dispatch, NoticeRow
from yunhe.kernel.clock import frozen, now
from yunhe.kernel.ids import new_id
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db


def mine(member: Any, **wanted: Any) -> Any:
    return api.list_notices(request=PageRequest(**wanted), actor=member.actor)


def test_the_newest_first_by_page_search_and_filter(cast: Cast, trial: Trial, django_assert_num_queries: Any) -> None:
    for number in range(7):
        tell(cast.officer, title={"zh": f"第{number}件", "en": f"Item {number}"})
    tell(cast.officer, kind=QUIET_KIND, text={"zh": "100% 办结", "en": ""})
    tell(cast.clerk, title={"zh": "第3件"})
    with django_assert_num_queries(4):
        page = mine(cast.officer, size=3)
    assert (page.total, page.pages, page.items[0].kind) == (8, 3, QUIET_KIND)
    assert [notice.title["zh"] for notice in mine(cast.officer, size=3, page=2).items] == ["第4件", "第3件", "第2件"]
    assert [notice.title["en"] for notice in mine(cast.officer, search="item 3").items] == ["Item 3"]
    assert mine(cast.officer, search="100%").total == 1
    assert mine(cast.officer, filters={"kind": QUIET_KIND}).total == 1
    api.mark_read(ids=[page.items[0].id], actor=cast.officer.actor)
    assert mine(cast.officer, filters={"state": "unread"}).total == 7
    counts = {(facet.name, facet.value): facet.count for facet in mine(cast.officer).facets}
    assert counts == {("state", "unread"): 7, ("state", "read"): 1, ("kind", WAITING): 7, ("kind", QUIET_KIND): 1}


def test_anothers_notice_is_not_found_and_not_counted(cast: Cast, trial: Trial) -> None:
    tell(cast.officer)
    (notice,) = mine(cast.officer).items
    page = mine(cast.clerk)
    assert (page.total, page.items, page.facets, api.count_unread(actor=cast.clerk.actor)) == (0, (), (), 0)
    tell(cast.clerk)
    (own,) = mine(cast.clerk).items
    for act in (
        lambda: api.open_notice(notice_id=notice.id, actor=cast.clerk.actor),
        lambda: api.mark_read(ids=[own.id, notice.id], actor=cast.clerk.actor),
        lambda: api.open_notice(notice_id=new_id(), actor=cast.clerk.actor),
    ):  # fmt: skip
        with pytest.raises(NoticeNotFound):
            act()
    assert api.mark_all_read(actor=cast.clerk.actor) == 1  # and not a moment earlier
    assert api.count_unread(actor=cast.officer.actor) == 1


def test_opening_reads_once(cast: Cast, trial: Trial) -> None:
    tell(cast.officer)
    (notice,) = mine(cast.officer).items
    with frozen(now()) as clock:
        first = api.open_notice(notice_id=notice.id, actor=cast.officer.actor)
        clock.advance(timedelta(hours=1))
        assert api.open_notice(notice_id=notice.id, actor=cast.officer.actor).read_at == first.read_at


def test_who_is_no_person_has_no_notices() -> None:
    with pytest.raises(NoMailbox):
        api.count_unread(actor=ASKER)


def test_the_api_lists_and_marks_ones_own(cast: Cast, trial: Trial) -> None:
    tell(cast.officer, cast.clerk)
    tell(cast.officer, kind=QUIET_KIND)
    caller, other = Caller(cast.officer), Caller(cast.clerk)
    listed = caller.get("/notices", {"state": "unread", "kind": WAITING}).body
    assert (listed["total"], listed["items"][0]["title"]["en"], listed["items"][0]["read_at"]) == (1, "Something waits", None)
    theirs = other.get("/notices").body["items"][0]["id"]
    own = listed["items"][0]["id"]
    assert caller.post("/notices/read", {"ids": [own, theirs]}).refusal == (404, "notice_not_found")
    assert caller.post("/notices/read", {"ids": [own]}).body == {"changed": 1, "unread": 1}
    assert caller.post("/notices/read", {"ids": [own]}).body == {"changed": 0, "unread": 1}
    assert caller.post("/notices/read", {"all": True}).body == {"changed": 1, "unread": 0}
    assert other.get("/notices").body["items"][0]["read_at"] is None


def test_the_api_refuses_what_it_does_not_know(cast: Cast, trial: Trial) -> None:
    caller = Caller(cast.officer)
    assert Caller(None).get("/notices").refusal == (401, "not_signed_in")
    assert Caller(None).post("/notices/read", {"all": True}).refusal == (401, "not_signed_in")
    assert Caller(cast.officer, strict=True).post("/notices/read", {"all": True}).refusal == (403, "csrf_failed")
    for query in ({"state": "odd"}, {"user": "1"}, {"page": "0"}):
        assert caller.get("/notices", query).status == 422, query
    for body in ({"ids": "x"}, {"ids": [7]}, {"ids": [""]}, {"ids": ["x" * 27]}, {"all": "yes"}, {"more": 1}, {"ids": ["x"] * 501}):
        assert caller.post("/notices/read", body).status == 422, body
    assert caller.post("/notices/read", {"ids": ["长"]}).status == 404
    assert caller.post("/notices/read", {}).body == {"changed": 0, "unread": 0}


def thin() -> dict[str, int]:
    return thinning.thin_out(check=lambda: None)


def test_read_ones_go_after_their_days_unread_and_undelivered_stay(cast: Cast, told: Trial, settings: Any) -> None:
    settings.YUNHE = {**settings.YUNHE, "KEEP_DAYS": 30}
    at = now()
    with frozen(at - timedelta(days=40)):
        tell(cast.officer, cast.leader, key="read by one")
        tell(cast.officer, key="read by all")
        told.errors["clerk@trial"] = AddressRefused(where="trial", reason_zh="无", reason_en="no")
        tell(cast.clerk, key="not delivered")
        run(2)
        api.mark_all_read(actor=cast.clerk.actor)
    with frozen(at - timedelta(days=31)):
        api.mark_all_read(actor=cast.officer.actor)
    with frozen(at - timedelta(days=29)):
        tell(cast.officer, key="recent")
        run()
        api.mark_all_read(actor=cast.officer.actor)
    with frozen(at):
        gone = thin()
        assert gone["notices"] == 3 and gone["told"] == 1
        assert sum(thin().values()) == 0
        assert tell(cast.officer, key="read by all").is_new
    assert set(Announcement.objects.values_list("key", flat=True)) == {"read by one", "not delivered", "recent", "read by all"}
    assert api.count_unread(actor=cast.leader.actor) == 1
    assert Dispatch.objects.filter(state="failed").count() == len(dead()) == 1


def test_it_goes_by_batches_and_stops_between_them(cast: Cast, trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    with frozen(now() - timedelta(days=3650)):
        for _ in range(5):
            tell(cast.officer)
        api.mark_all_read(actor=cast.officer.actor)
    monkeypatch.setattr(thinning, "BATCH", 2)
    batches = iter([None, JobCancelled(job_id="x")])

    def check() -> None:
        error = next(batches)
        if error is not None:
            raise error

    with pytest.raises(JobCancelled):
        thinning.thin_out(check=check)
    assert NoticeRow.objects.count() == 3
