"""A notice is read in the membership that it concerns: in others one sees only how many wait there; a message goes to the person."""

from __future__ import annotations

import importlib
from typing import Any

import pytest
from django.apps import apps

from tests.conftest import Cast, _member
from tests.core.cases.conftest import calendar, clock  # noqa: F401
from tests.core.cases.test_one_membership import also, chosen, permit  # noqa: F401
from tests.core.cases.test_operators import accepted, do
from tests.core.cases.test_pages import signed_in
from tests.core.notices.conftest import ASKER, WAITING, Trial
from yunhe.core.cases import api as cases
from yunhe.core.notices import api
from yunhe.core.notices.errors import NoticeNotFound
from yunhe.core.notices.models import ContactRow, Dispatch, NoticeRow
from yunhe.core.notices.types import ANYWHERE, ToPerson, ToRole
from yunhe.core.organizations.models import Membership
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import local, now
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
PLAIN = "platform.message"


def tell(*to: Any, title: str = "有一件待办", kind: str = WAITING) -> Any:
    return api.send(to=to, kind=kind, title={"zh": title}, text={"zh": ""}, actor=ASKER)


def read_by(actor: Actor) -> list[str]:
    page = api.list_notices(request=PageRequest(), actor=actor)
    assert page.total == len(page.items) >= api.count_unread(actor=actor)
    assert sum(facet.count for facet in page.facets if facet.name == "kind") == page.total
    return [one.title["zh"] for one in page.items]


@pytest.fixture
def there(cast: Cast) -> Actor:
    """The clerk of `other`, who is an officer of the bureau as well."""
    return also(cast.clerk, cast.bureau.code, "officer")


def test_what_concerns_one_membership_is_not_read_in_another(cast: Cast, there: Actor, trial: Trial) -> None:
    here = cast.clerk.actor
    tell(ToPerson(here.id, cast.other.code), title="本人，一处")
    tell(ToRole(cast.bureau.code, "officer"), title="岗位")
    tell(ToPerson(here.id), title="本人，哪里都行")
    tell(ToPerson(here.id, ANYWHERE, ("officer", "nothing")), title="任何单位的岗位")
    assert read_by(here) == ["本人，哪里都行", "本人，一处"]
    assert read_by(there) == ["任何单位的岗位", "本人，哪里都行", "岗位"]
    (hidden,) = NoticeRow.objects.filter(announcement__title_zh="岗位", user=cast.clerk.user_id)
    for act in (lambda: api.open_notice(notice_id=hidden.pk, actor=here), lambda: api.mark_read(ids=[hidden.pk], actor=here)):
        with pytest.raises(NoticeNotFound):
            act()
    (elsewhere,) = api.list_elsewhere(actor=here)
    assert (elsewhere.organization, elsewhere.role, elsewhere.unread) == (cast.bureau.code, "officer", 2)
    api.mark_all_read(actor=here)
    assert (api.count_unread(actor=here), api.count_unread(actor=there)) == (0, 2)
    assert api.list_elsewhere(actor=there) == () and api.list_elsewhere(actor=cast.leader.actor) == ()


def test_what_was_told_in_a_membership_that_was_left_is_found_by_its_title_and_leads_nowhere(
    cast: Cast, there: Actor, trial: Trial
) -> None:
    here = cast.clerk.actor
    api.send(
        to=[ToRole(cast.bureau.code, "officer")], kind=WAITING, title={"zh": "轮到您办理：甲"}, text={"zh": "里面的事"},
        href="/inbox/cases/x/", actor=ASKER,
    )  # fmt: skip
    tell(ToPerson(here.id, cast.other.code), title="还在任的")
    assert api.count_former(actor=here) == (0, 0)
    assert "/notices/former/" not in signed_in(cast.clerk).get("/notices/").content.decode()
    Membership.objects.filter(user=cast.clerk.user_id, organization=cast.bureau.code).update(valid_until=local(now()).date())
    assert (api.list_elsewhere(actor=here), api.count_former(actor=here)) == ((), (1, 1))
    page = signed_in(cast.clerk).get("/notices/")
    assert "/notices/former/" in page.content.decode() and "轮到您办理：甲" not in page.content.decode()
    former = signed_in(cast.clerk).get("/notices/former/").content.decode()
    assert "轮到您办理：甲" in former and cast.bureau.short_name in former
    assert not any(said in former for said in ("里面的事", "/inbox/cases/x/", "还在任的", "/open/"))
    assert "轮到您办理：甲" not in signed_in(cast.officer).get("/notices/former/").content.decode()
    assert signed_in(cast.clerk).post("/notices/former/read/").status_code == 302
    assert (api.count_former(actor=here), api.count_unread(actor=here)) == ((1, 0), 1)


def test_of_two_roles_in_one_organisation_each_reads_its_own(cast: Cast, trial: Trial) -> None:
    here, second = cast.officer.actor, also(cast.officer, cast.owner.code, "data_steward")
    tell(ToPerson(here.id, cast.owner.code, (second.role,)), title="专员的")
    tell(ToPerson(here.id, cast.owner.code), title="本单位的")
    assert (read_by(here), read_by(second)) == (["本单位的"], ["本单位的", "专员的"])
    (elsewhere,) = api.list_elsewhere(actor=here)
    assert (elsewhere.role, elsewhere.unread) == ("data_steward", 1)


def test_who_is_told_in_two_memberships_reads_it_once_and_gets_one_message(cast: Cast, there: Actor, trial: Trial) -> None:
    ContactRow.objects.create(user_id=cast.clerk.user_id, channel="trial", sealed=b"x", verified_at=now())
    person = cast.clerk.actor.id
    sent = tell(ToPerson(person, cast.other.code), ToRole(cast.bureau.code, "officer"))
    assert sent.notices == len({row.user_id for row in NoticeRow.objects.all()})
    assert NoticeRow.objects.filter(user_id=cast.clerk.user_id).count() == 2
    assert Dispatch.objects.filter(user_id=cast.clerk.user_id, channel="trial").count() == 1
    (mine,) = api.list_notices(request=PageRequest(), actor=there).items
    assert api.mark_read(ids=[mine.id], actor=there) == 1
    assert (api.count_unread(actor=cast.clerk.actor), api.list_elsewhere(actor=there)) == (0, ())
    tell(ToPerson(person), ToPerson(person, cast.other.code), ToPerson(person, cast.other.code, ("officer",)), title="最宽的")
    assert NoticeRow.objects.filter(announcement__title_zh="最宽的").count() == 1


def test_a_case_is_told_in_the_membership_that_opened_it(permit: Any, cast: Cast, there: Actor) -> None:  # noqa: F811
    case = permit(there)
    cases.suspend(case_id=case.case_id, basis="第四十五条", reason="等鉴定", actor=cast.leader.actor)
    cases.resume(case_id=case.case_id, reason="鉴定完了", actor=cast.leader.actor)
    do(case, "ask", cast.steward, missing="图纸")
    cases.tell_turns(actor=ASKER)
    told = [one for one in api.list_notices(request=PageRequest(), actor=there).items if one.case_id == case.case_id]
    assert [one.kind for one in told] == ["cases.turn", "cases.paused", "cases.paused"] and {one.organization for one in told} == {cast.bureau.code}
    assert api.list_notices(request=PageRequest(), actor=cast.clerk.actor).total == 0
    client = chosen(cast.clerk, cast.clerk.actor)
    page = client.get("/notices/").content.decode()
    assert case.number not in page and f"{there.organization_name} " in page and "有 3 条未读通知" in page
    (other,) = Membership.objects.filter(user_id=cast.clerk.user_id, organization=there.organization)
    assert client.post("/membership", {"membership": str(other.pk), "next": "/notices/"}).headers["Location"] == "/notices/"
    page = client.get("/notices/").content.decode()
    assert case.number in page and "条未读通知" not in page
    client.cookies["yunhe_language"] = "en"
    tell(ToPerson(there.id, cast.other.code), kind=PLAIN)
    assert "1 unread notice as" in client.get("/notices/").content.decode()


def test_who_stands_in_is_told_where_they_do(permit: Any, cast: Cast) -> None:  # noqa: F811
    second, today = also(cast.officer, cast.bureau.code, "officer"), local(now()).date()
    cases.delegate(to_username=cast.officer.username, since=today, until=today, reason="休假", actor=cast.steward.actor)
    permit(cast.clerk.actor)
    cases.tell_turns(actor=ASKER)
    assert [one.kind for one in api.list_notices(request=PageRequest(), actor=cast.officer.actor).items] == ["cases.turn", "cases.delegated"]
    assert api.list_notices(request=PageRequest(), actor=second).total == 0


def test_ones_own_work_and_that_of_somebody_on_leave_are_told_together(permit: Any, cast: Cast) -> None:  # noqa: F811
    mate, today = _member("mate", cast.owner, "data_steward", "同事"), local(now()).date()
    cases.delegate(to_username=mate.username, since=today, until=today, reason="休假", actor=cast.leader.actor)
    permit(cast.clerk.actor)
    accepted(permit(cast.clerk.actor), cast)
    cases.tell_turns(actor=ASKER)
    (told,) = (one for one in api.list_notices(request=PageRequest(), actor=mate.actor).items if one.kind == "cases.turn")
    assert told.title["zh"] == "2 件办件轮到您办理"


def test_what_was_sent_before_is_read_where_it_belongs(permit: Any, cast: Cast, there: Actor) -> None:  # noqa: F811
    for opener in (there, cast.clerk.actor):
        do(permit(opener), "ask", cast.steward, missing="图纸")
        cases.tell_turns(actor=ASKER)
    tell(ToPerson(there.id), ToPerson(cast.leader.actor.id), kind=PLAIN)
    wanted = {row.pk: row.organization for row in NoticeRow.objects.all()}
    NoticeRow.objects.update(organization="", role="")
    importlib.import_module("yunhe.core.notices.migrations.0002_memberships").fill(apps, None)
    found = {row.pk: row.organization for row in NoticeRow.objects.all()}
    assert {pk: found[pk] for pk, body in wanted.items() if body} == {pk: body for pk, body in wanted.items() if body}
    general = {row.user_id: row.organization for row in NoticeRow.objects.filter(announcement__case_id="")}
    assert general == {cast.clerk.user_id: "", cast.leader.user_id: cast.owner.code}
