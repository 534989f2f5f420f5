"""A seat is a person's in one organisation: nothing of it is seen or done in another membership of the same person."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from django.apps import apps
from django.test import Client

from tests.conftest import Cast, Member, _member
from tests.core.cases.test_operators import accepted, do, notices_of, open_ids, permit_kind, waiting
from tests.core.cases.test_people_who_leave import release
from tests.faults.test_lists_are_filtered import addresses, browser, filled
from yunhe.core.cases import api
from yunhe.core.cases.api import store
from yunhe.core.cases.errors import ActionNotOffered, CannotOperate, CaseNotFound, NotRetractable
from yunhe.core.cases.models import CaseRecord, EventRecord, ObligationRecord
from yunhe.core.cases.types import Case
from yunhe.core.jobs.api import outbox
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.models import Membership
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import FrozenClock, local, now
from yunhe.kernel.errors import YunheError
from yunhe.kernel.pages import PageRequest
from yunhe.ui.po import compile_texts

compile_texts()
pytestmark = pytest.mark.django_db
BIRD = "zqcanaryqz"
STAGES = ("opened", "asked back", "reviewer", "handed on", "closed")


@pytest.fixture
def permit(clock: FrozenClock, cast: Cast, calendar: None, founder: Actor) -> Callable[..., Case]:
    """Return a function that opens a permit for somebody at `owner`, a canary in all that is written."""
    api.publish_kind(spec=permit_kind(), source="tests", actor=founder)
    Membership.objects.update(valid_from=local(now()).date() - timedelta(days=400))

    def open_permit(actor: Actor, **given: Any) -> Case:
        data = {"place": BIRD, "area": 20}
        return api.open_case(kind="permit", title=BIRD, data=data, actor=actor, owner=cast.owner.code, **given)

    return open_permit


def also(member: Member, body: str, role: str) -> Actor:
    """Give a person one more membership and return them in it."""
    made = organizations.add_membership(username=member.username, organization=body, role=role, actor=job_actor("tests"))
    Membership.objects.filter(pk=made.id).update(valid_from=local(now()).date() - timedelta(days=400))
    return organizations.actor_for(user_id=member.user_id, membership_id=made.id)


def leave(member: Member) -> None:
    Membership.objects.filter(pk=member.membership_id).update(valid_from=local(now()).date() - timedelta(days=400))
    organizations.end_membership(membership_id=member.membership_id, actor=job_actor("tests"))
    Membership.objects.filter(pk=member.membership_id).update(valid_until=local(now()).date() - timedelta(days=1))
    outbox.deliver_pending()


def inbox(actor: Actor) -> list[str]:
    page = api.list_waiting(request=PageRequest(), actor=actor)
    assert page.total == api.count_waiting(actor=actor) == len(page.items)
    return [item.obligation_id for item in page.items]


def listed(actor: Actor) -> list[str]:
    return [case.case_id for case in api.list_cases(request=PageRequest(), actor=actor).items]


def replays() -> None:
    for case_id in CaseRecord.objects.values_list("pk", flat=True):
        found = api.replay_case(case_id=case_id, actor=job_actor("tests"))
        assert found.equal, found.differences


def brought_to(stage: str, opener: Actor, bearer: Member, cast: Cast, permit: Callable[..., Case]) -> Case:
    """Open a case as `opener` and bring it to a stage in which something of it is that person's own, or was."""
    case = permit(opener)
    (seat,) = open_ids(case, cast, "accept")
    told: dict[str, Any] = {"case_id": case.case_id, "obligation_id": seat, "reason": BIRD, "actor": cast.steward.actor}
    if stage in ("asked back", "closed"):
        case = do(case, "ask", cast.steward, missing=BIRD)
    if stage == "reviewer":
        api.add_reviewer(to=[bearer.username], **told)
    if stage == "handed on":
        case = accepted(case, cast)
    if stage == "closed":
        case = do(case, "give_up", opener)
    return case


@pytest.mark.parametrize(("stage", "turned", "left"), list(product(STAGES, (False, True), (False, True))))
def test_nothing_of_one_membership_is_seen_or_done_in_another(
    stage: str, turned: bool, left: bool, cast: Cast, permit: Callable[..., Case]
) -> None:
    strange = organizations.create_organization(
        code="113299000032990520", name="示范市档案局", short_name="市档案局", region="329900", actor=job_actor("tests")
    )
    there = also(cast.clerk, strange.code, "data_steward")
    mate = _member("mate", strange, "data_steward", "档案专员")
    opener, other = (there, cast.clerk.actor) if turned else (cast.clerk.actor, there)
    case = brought_to(stage, opener, cast.clerk, cast, permit)
    own = stage in ("asked back", "reviewer")
    if stage == "reviewer":  # asked by who knows them in neither of the two: in the first that they have
        opener, other = cast.clerk.actor, there
    if own:
        assert len(inbox(opener)) == 1
    if left:
        (mine,) = Membership.objects.filter(user_id=cast.clerk.user_id, organization=opener.organization)
        organizations.end_membership(membership_id=mine.pk, actor=job_actor("tests"))
        Membership.objects.filter(pk=mine.pk).update(valid_until=local(now()).date() - timedelta(days=1))
        outbox.deliver_pending()
    blind = stage != "reviewer" or not turned  # as applicant the other membership sees the case of its own right
    events = EventRecord.objects.count()
    assert inbox(other) == []
    assert not blind or listed(other) == []
    with pytest.raises(CaseNotFound if blind else YunheError):
        api.act(case_id=case.case_id, action="complete", data={"place": "x"}, actor=other)
    if blind:
        for name, told in {"withdraw": {}, "retract": {}, "remind": {}}.items():
            with pytest.raises(CaseNotFound):
                getattr(api, name)(case_id=case.case_id, reason="x", actor=other, **told)
        with pytest.raises(CaseNotFound):
            api.access_case(case_id=case.case_id, actor=other)
        client = chosen(cast.clerk, other)
        walked = [filled(route, case.case_id) if "<" in route else route for room, route in addresses() if room == "cases" and "logout" not in route]
        for address in [*walked, "/inbox/cases/?export=csv", f"/inbox/cases/?q={BIRD}", f"/api/v1/cases/{case.case_id}"]:
            answer = client.get(address)
            body = b"".join(answer.streaming_content) if answer.streaming else answer.content
            assert BIRD not in body.decode("utf-8", "replace").replace(f"q={BIRD}", "").replace(f'value="{BIRD}"', ""), address
            assert answer.status_code < 500
            if f"/cases/{case.case_id}" in address:
                assert client.post(address, {"reason": "x", "version": "1"}).status_code in (400, 403, 404, 405, 415, 422), address
    assert EventRecord.objects.count() == events
    colleague = mate.actor if other is there else None
    assert colleague is None or not blind or listed(colleague) == []
    replays()


def chosen(member: Member, actor: Actor) -> Client:
    """Sign in and act in the membership of this actor."""
    client = browser(member)
    mine = Membership.objects.get(user_id=member.user_id, organization=actor.organization)
    client.post("/membership", {"membership": str(mine.pk)})
    return client


def test_who_left_acts_no_more_and_their_office_does(cast: Cast, permit: Callable[..., Case], clock: FrozenClock) -> None:
    there, tong = also(cast.clerk, cast.bureau.code, "officer"), _member("tong", cast.other, "data_steward", "同事")
    case = do(permit(cast.clerk.actor), "ask", cast.steward, missing="图纸")
    (seat,) = inbox(cast.clerk.actor)
    assert inbox(there) == waiting(tong) == []
    api.tell_turns(actor=job_actor("tests"))
    leave(cast.clerk)
    assert waiting(tong) == [seat] and inbox(there) == []
    with pytest.raises((CaseNotFound, ActionNotOffered)):
        api.act(case_id=case.case_id, action="complete", data={"place": "x"}, actor=there)
    clock.advance(timedelta(minutes=11))
    api.tell_turns(actor=job_actor("tests"))
    assert [one.kind for one in notices_of(tong)] == ["cases.turn"]
    assert do(case, "complete", tong, place="建军路").phase == "intake"
    case = do(case, "ask", cast.steward, missing="图纸")  # who opened it is gone: it comes to the office at once
    assert len(waiting(tong)) == 1 and inbox(there) == []
    bodies = set(CaseRecord.objects.get(pk=case.case_id).parties.values_list("organization", flat=True))
    assert bodies == {cast.other.code, cast.owner.code}
    replays()


def test_where_nobody_there_holds_the_role_who_supervises_gives_it(cast: Cast, permit: Callable[..., Case], clock: FrozenClock) -> None:
    chief, tong = _member("chief", cast.other, "data_leader", "负责人"), _member("tong", cast.other, "officer", "同事")
    case = do(permit(cast.clerk.actor), "ask", cast.steward, missing="图纸")
    (seat,) = inbox(cast.clerk.actor)
    also(cast.clerk, cast.bureau.code, "officer")
    leave(cast.clerk)
    assert [one.kind for one in notices_of(chief)] == ["cases.vacant"]
    assert [one.kind for one in notices_of(cast.leader)] == ["cases.vacant"]  # who supervises at the owner, whose case stands still
    assert api.tell_exceptions(actor=job_actor("tests")) == 0
    assert release() == {"changed": 1} and len(notices_of(chief)) == 1  # told once
    assert [item.obligation_id for item in api.list_exceptions(actor=cast.data_admin.actor)] == [seat]
    api.reassign(case_id=case.case_id, obligation_id=seat, to="tong", reason="离岗", actor=chief.actor)
    assert waiting(tong) == [seat] and api.list_exceptions(actor=cast.data_admin.actor) == ()
    leave(tong)
    sister = _member("sister", cast.other, "data_steward", "接任")
    assert release() == {"changed": 1} and waiting(sister) == [seat] and release() == {"changed": 0}
    replays()


def test_a_reviewer_is_asked_in_one_organisation(cast: Cast, permit: Callable[..., Case]) -> None:
    there, there_too = also(cast.leader, cast.bureau.code, "officer"), also(cast.officer, cast.other.code, "officer")
    case = permit(cast.clerk.actor)
    (seat,) = open_ids(case, cast, "accept")
    told: dict[str, Any] = {"case_id": case.case_id, "obligation_id": seat, "reason": "请核对", "actor": cast.steward.actor}
    api.add_reviewer(to=["leader", "officer", "clerk"], **told)
    assert inbox(there) == inbox(there_too) == []
    assert [len(waiting(one)) for one in (cast.leader, cast.officer, cast.clerk)] == [1, 1, 1]
    with pytest.raises(CaseNotFound):
        api.access_case(case_id=case.case_id, actor=there)
    opinion = {"opinion": "可", "agrees": "yes"}
    with pytest.raises(ActionNotOffered):  # sees it as applicant; the opinion is asked of them at `owner`
        api.act(case_id=case.case_id, action="give_opinion", data=opinion, actor=there_too)
    do(case, "give_opinion", cast.officer, **opinion)
    replays()


def test_own_steps_are_taken_back_in_the_same_organisation_only(cast: Cast, permit: Callable[..., Case]) -> None:
    there = also(cast.clerk, cast.owner.code, "data_leader")  # sees the case, as who is asked
    case = permit(cast.clerk.actor, request_key="once")
    with pytest.raises(CannotOperate):
        api.withdraw(case_id=case.case_id, reason="x", actor=there)
    with pytest.raises(CaseNotFound):
        permit(there, request_key="once")
    assert permit(cast.clerk.actor, request_key="once").case_id == case.case_id
    do(case, "ask", cast.steward, missing="图纸")
    do(case, "complete", cast.clerk, place="建军路")
    assert "retract" not in [one.name for one in api.access_case(case_id=case.case_id, actor=there).operators]
    with pytest.raises(NotRetractable):
        api.retract(case_id=case.case_id, reason="x", actor=there)
    api.retract(case_id=case.case_id, reason="写错", actor=cast.clerk.actor)
    assert len(inbox(cast.clerk.actor)) == 1
    replays()


def test_who_stands_in_for_another_membership_is_told_nothing(cast: Cast, permit: Callable[..., Case]) -> None:
    there, today = also(cast.clerk, cast.bureau.code, "officer"), local(now()).date()
    told: dict[str, Any] = {"since": today, "until": today + timedelta(days=5), "reason": "休假", "actor": there}
    api.delegate(to_username=cast.bureau_clerk.username, **told)
    before = len(notices_of(cast.bureau_clerk))
    do(permit(cast.clerk.actor), "ask", cast.steward, missing="图纸")
    api.tell_turns(actor=job_actor("tests"))
    assert [one.kind for one in notices_of(cast.clerk)][:1] == ["cases.turn"]
    assert len(notices_of(cast.bureau_clerk)) == before and waiting(cast.bureau_clerk) == []


def test_rows_of_before_get_the_organisation(cast: Cast, permit: Callable[..., Case]) -> None:
    tong = _member("tong", cast.other, "officer", "同事")
    chief = _member("chief", cast.other, "data_leader", "负责人")
    for stage in STAGES:
        brought_to(stage, cast.clerk.actor, cast.officer, cast, permit)
    given = do(permit(cast.clerk.actor), "ask", cast.steward, missing="图纸")
    (seat,) = open_ids(given, cast, "complete")
    api.reassign(case_id=given.case_id, obligation_id=seat, to="tong", reason="代办", actor=chief.actor)
    retracted = do(do(permit(cast.clerk.actor), "ask", cast.steward, missing="图纸"), "complete", cast.clerk, place="x")
    api.retract(case_id=retracted.case_id, reason="写错", actor=cast.clerk.actor)
    wanted, expected = {one.pk: one.organization for one in ObligationRecord.objects.all()}, inbox(cast.clerk.actor)
    make_old()
    assert api.replay_case(case_id=given.case_id, actor=job_actor("tests")).differences
    importlib.import_module("yunhe.core.cases.migrations.0017_seats_of_persons").fill(apps, None)
    assert {one.pk: one.organization for one in ObligationRecord.objects.all()} == wanted
    assert set(CaseRecord.objects.values_list("opened_for", flat=True)) == {cast.other.code}
    assert inbox(cast.clerk.actor) == expected and len(expected) == 2 and waiting(tong) == [seat]
    replays()
    do(retracted, "complete", cast.clerk, place="x")
    api.retract(case_id=retracted.case_id, reason="写错", actor=cast.clerk.actor)  # put back from events of before
    assert len(inbox(cast.clerk.actor)) == 2
    replays()


def make_old() -> None:
    """Make rows and events what they were before the seats of persons named their organisation."""
    CaseRecord.objects.update(opened_for="")
    ObligationRecord.objects.filter(person__startswith="user:").update(organization="")
    for event in EventRecord.objects.all():
        event.diff.get("case", {}).pop("opened_for", None)
        for row in event.diff.get("obligations", {}).values():
            if str(row.get("person", "")).startswith("user:"):
                row.update({"organization": ""} if "name" in row else {})
                row.pop("organization") if "name" not in row else None
        event.digest = store.event_digest(vars(event))
        event.save(update_fields=["diff", "digest"])
