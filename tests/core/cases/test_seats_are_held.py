"""Whatever a person asks for, somebody can fulfil: an organisation that nobody knows or where nobody holds the role is refused."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from itertools import permutations
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Cast, Member
from tests.core.cases.test_operators import do, notices_of, open_ids, permit_kind
from tests.core.cases.test_pages import signed_in
from yunhe.core.cases import api
from yunhe.core.cases.api import holding
from yunhe.core.cases.errors import CannotOperate, FieldsInvalid, NobodyInSeat, TooFewInSeats
from yunhe.core.cases.models import CaseRecord
from yunhe.core.cases.types import Case, KindSpec
from yunhe.core.jobs.api import outbox
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.errors import OrganizationNotFound
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import FrozenClock
from yunhe.kernel.errors import Refused

pytestmark = pytest.mark.django_db
ASKED: dict[str, Any] = {"kind": "permit", "title": "一件许可", "data": {"place": "解放路 1 号", "area": 20}}


@pytest.fixture(autouse=True)
def _permit(clock: FrozenClock, cast: Cast, calendar: None, founder: Actor) -> None:
    """A permit that leaders accept, who may hand it on to another organisation; `other` has a steward only."""
    obligations = permit_kind().model_dump(mode="json")["obligations"]
    obligations["accept"] |= {"transferable": True, "who": {"organization": "owner", "roles": ["data_leader"]}}
    api.publish_kind(spec=permit_kind(obligations=obligations), source="tests", actor=founder)


def apply(cast: Cast, **told: str) -> Case:
    return api.open_case(**ASKED, actor=cast.clerk.actor, **told)


def test_a_case_is_put_to_an_organisation_that_is_there(cast: Cast) -> None:
    with pytest.raises(OrganizationNotFound, match="999"):
        apply(cast, owner="999")
    with pytest.raises(FieldsInvalid, match="Name the organisation"):
        apply(cast)
    with pytest.raises(OrganizationNotFound, match="777"):
        apply(cast, owner=cast.owner.code, organization="777")
    assert not CaseRecord.objects.exists()
    assert apply(cast, owner=cast.owner.name).owner == cast.owner.code


def test_whoever_chooses_an_organisation_without_holders_is_told_its_name(cast: Cast, founder: Actor) -> None:
    with pytest.raises(NobodyInSeat, match=cast.other.label):
        apply(cast, owner=cast.other.code)
    case, chosen = apply(cast, owner=cast.owner.code), [cast.owner.code, cast.other.code]
    with pytest.raises(NobodyInSeat) as refused:
        do(case, "accept", cast.leader, departments=chosen)
    assert cast.other.label in refused.value.say("zh") and "data_leader" in refused.value.say("en")
    assert api.get_case(case_id=case.case_id).version == case.version
    organizations.add_membership(username=cast.clerk.username, organization=cast.other.code, role="data_leader", actor=founder)
    do(case, "accept", cast.leader, departments=chosen)
    assert len(open_ids(case, cast, "opinion")) == 2


def test_work_is_handed_on_only_to_where_somebody_can_take_it(cast: Cast) -> None:
    case = apply(cast, owner=cast.owner.code)
    (seat,) = open_ids(case, cast, "accept")
    with pytest.raises(NobodyInSeat, match=cast.other.label):
        api.hand_on(case_id=case.case_id, obligation_id=seat, to=f"@{cast.other.code}", reason="归口", actor=cast.leader.actor)


def leave(member: Member, founder: Actor) -> None:
    organizations.end_membership(membership_id=member.membership_id, actor=founder)
    outbox.deliver_pending()


def test_the_asked_organisation_itself_is_told_by_name_when_nobody_could_go_on(cast: Cast, founder: Actor) -> None:
    case = do(apply(cast, owner=cast.owner.code), "ask", cast.leader, missing="图纸")
    leave(cast.leader, founder)
    with pytest.raises(NobodyInSeat, match=cast.owner.label):
        do(case, "complete", cast.clerk, place="建军路")
    assert api.get_case(case_id=case.case_id).phase == "supplement"
    organizations.add_membership(username=cast.officer.username, organization=cast.owner.code, role="data_leader", actor=founder)
    assert do(case, "complete", cast.clerk, place="建军路").phase == "intake"


def test_one_question_is_asked_for_all_seats_of_a_step(cast: Cast, founder: Actor) -> None:
    def asked(count: int) -> int:
        bodies = [
            organizations.create_organization(
                code=credit_code(number), name=f"局{count}-{number}", short_name=f"局{count}-{number}", region="329900", actor=founder
            )
            for number in range(count * 50, count * 51)
        ]
        for body in bodies:
            organizations.add_membership(username=cast.leader.username, organization=body.code, role="data_leader", actor=founder)
        case = apply(cast, owner=cast.owner.code)
        with CaptureQueriesContext(connection) as queries:
            do(case, "accept", cast.leader, departments=[body.code for body in bodies])
        return sum("organizations_membership" in query["sql"] for query in queries)

    assert asked(2) == asked(9) == 1


def credit_code(number: int) -> str:
    """Return a credit code of a department that is none, with its check character (GB 32100-2015)."""
    signs = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    body = f"1132990000{number:07d}"
    return body + signs[(31 - sum(signs.index(sign) * pow(3, at, 31) for at, sign in enumerate(body)) % 31) % 31]


LAPSING: dict[str, Any] = {"outcome": "lapsed", "title": "期满转决定", "effects": [{"go_to_phase": "decision"}, {"open_obligation": "decide"}]}


@pytest.fixture
def lapsing(founder: Actor) -> None:
    """A permit that goes to the decision by itself when it was not accepted in time."""
    told = permit_kind().model_dump(mode="json")["obligations"]
    told["accept"] |= {"limits": [{"amount": 1, "unit": "workdays", "basis": "示例约定"}], "on_due": LAPSING}
    api.publish_kind(spec=permit_kind(obligations=told), source="tests", actor=founder)


def test_who_supervises_at_the_owner_is_told_once_of_what_stands_still_at_another_body(cast: Cast, founder: Actor, clock: FrozenClock) -> None:
    """The last who held the role there left: no step made the exception, and the owner's case stands still in it."""
    case = do(apply(cast, owner=cast.owner.code), "accept", cast.leader, departments=[cast.bureau.code])
    tell = partial(api.tell_exceptions, actor=job_actor("cases.exceptions"))
    assert tell() == 0
    leave(cast.data_admin, founder)
    clock.advance(timedelta(minutes=1))
    assert len(api.list_exceptions(actor=cast.leader.actor)) == 1
    assert tell() == 1
    clock.advance(timedelta(minutes=15))
    assert tell() == 0
    (told,) = [one for one in notices_of(cast.leader) if one.kind == "cases.vacant"]
    assert case.number in told.title["zh"] and cast.bureau.label in told.text["zh"] and case.case_id in told.href
    assert not [one for one in notices_of(cast.clerk) if one.kind == "cases.vacant"]


def test_what_time_opens_for_nobody_is_an_exception_that_the_bureau_hands_on(
    lapsing: None, cast: Cast, founder: Actor, clock: FrozenClock
) -> None:
    case = apply(cast, owner=cast.owner.code)
    leave(cast.leader, founder)
    clock.advance(timedelta(days=3))
    assert api.lapse_due(actor=job_actor("cases.warn")) == 1
    (told,) = [one for one in notices_of(cast.data_admin) if one.kind == "cases.vacant"]
    assert cast.owner.label in told.text["zh"] and "data_leader" in told.text["en"] and case.case_id in told.href
    assert not [one for one in notices_of(cast.clerk) if one.kind == "cases.vacant"]
    (item,) = api.list_exceptions(actor=cast.data_admin.actor)
    assert (item.number, item.organization_name) == (case.number, cast.owner.label)
    page = signed_in(cast.data_admin)
    assert case.number in page.get("/inbox/team/exceptions/").content.decode()
    assert "例外：无人可办" in page.get(f"/inbox/cases/{case.case_id}/").content.decode()
    assert not [one for one in access(case, cast.data_admin).operators if one.name == "reassign"]  # nobody anywhere holds the role
    organizations.add_membership(username=cast.clerk.username, organization=cast.other.code, role="data_leader", actor=founder)
    (one,) = [one for one in access(case, cast.data_admin).operators if one.name == "reassign"]
    assert list(one.choices) == [f"@{cast.other.code}"]
    given = {"case_id": case.case_id, "obligation_id": one.obligation_id, "to": f"@{cast.other.code}", "reason": "归口调整"}
    with pytest.raises(Refused):
        api.reassign(**given, actor=cast.steward.actor)
    api.reassign(**given, actor=cast.data_admin.actor)
    assert api.list_exceptions(actor=cast.data_admin.actor) == ()
    assert "例外" not in page.get(f"/inbox/cases/{case.case_id}/").content.decode()


def test_work_that_somebody_can_do_is_given_to_no_other_organisation(cast: Cast, founder: Actor) -> None:
    case = apply(cast, owner=cast.owner.code)
    organizations.add_membership(username=cast.clerk.username, organization=cast.other.code, role="data_leader", actor=founder)
    (seat,) = open_ids(case, cast, "accept")
    with pytest.raises(CannotOperate):
        api.reassign(case_id=case.case_id, obligation_id=seat, to=f"@{cast.other.code}", reason="归口", actor=cast.data_admin.actor)


def access(case: Case, member: Member) -> Any:
    return api.access_case(case_id=case.case_id, actor=member.actor)


def panel_kind(each: int) -> KindSpec:
    """A permit on which `each` leaders or officers of the owner vote, each another person."""
    told = permit_kind().model_dump(mode="json")
    told["obligations"]["opinion"] |= {"who": {"organization": "owner", "roles": ["data_leader", "officer"]}}
    told["groups"]["opinions"] |= {"distinct": True}
    told["obligations"]["accept"]["actions"]["accept"]["effects"] = [{"go_to_phase": "review"}, *[{"open_obligation": "opinion"}] * each]
    return KindSpec.model_validate(told)


def test_a_group_of_different_people_asks_whether_there_are_enough(cast: Cast, founder: Actor) -> None:
    api.publish_kind(spec=panel_kind(3), source="tests", actor=founder)
    case = apply(cast, owner=cast.owner.code)
    with pytest.raises(TooFewInSeats) as refused:
        do(case, "accept", cast.steward, departments=[cast.owner.code])
    assert {key: refused.value.facts[key] for key in ("needed", "found")} == {"needed": 3, "found": 2}
    assert cast.owner.label in refused.value.say("zh") and "3 different people" in refused.value.say("en")
    organizations.add_membership(username=cast.clerk.username, organization=cast.owner.code, role="officer", actor=founder)
    case = do(case, "accept", cast.steward, departments=[cast.owner.code])
    assert len(open_ids(case, cast, "opinion")) == 3
    held = next(m for m in organizations.list_memberships(username=cast.clerk.username) if m.organization == cast.owner.code)
    second = organizations.actor_for(user_id=held.user_id, membership_id=held.id)
    for who in (cast.leader, cast.officer, second):
        case = do(case, "agree", who, open_ids(case, cast, "opinion")[0])
    assert case.phase == "decision"
    told = {"case_id": case.case_id, "obligation_id": open_ids(case, cast, "decide")[0], "reason": "重来", "actor": cast.leader.actor}
    organizations.end_membership(membership_id=held.id, actor=founder)
    with pytest.raises(TooFewInSeats):  # those who voted may vote again, but one is missing
        api.send_back(**told, phase="review")
    organizations.add_membership(username=cast.clerk.username, organization=cast.owner.code, role="officer", actor=founder)
    assert api.send_back(**told, phase="review").phase == "review"


def shown(cast: Cast, number: str) -> int:
    """Return in how many lines the page of exceptions shows a case, as the list tells them."""
    lines = [item for item in api.list_exceptions(actor=cast.data_admin.actor) if item.number == number]
    page = signed_in(cast.data_admin).get("/inbox/team/exceptions/").content.decode()
    drawn = [row for row in page.split("<tr") if number in row]
    assert ["不同的人不够" in row for row in drawn] == [item.short for item in lines]
    return len(lines)


def test_a_group_left_with_too_few_different_people_is_an_exception_though_nobody_took_a_step(cast: Cast, founder: Actor) -> None:
    api.publish_kind(spec=panel_kind(2), source="tests", actor=founder)
    case = do(apply(cast, owner=cast.owner.code), "accept", cast.steward, departments=[cast.owner.code])
    other = do(apply(cast, owner=cast.owner.code), "accept", cast.steward, departments=[cast.owner.code])
    assert shown(cast, case.number) == 0 == shown(cast, other.number)
    leave(cast.officer, founder)  # the leader alone is left, and two must vote
    assert shown(cast, case.number) == 2
    page = signed_in(cast.data_admin).get(f"/inbox/cases/{case.case_id}/").content.decode()
    assert "例外：不同的人不够" in page and "例外：无人可办" not in page
    do(case, "agree", cast.leader, open_ids(case, cast, "opinion")[0])  # whoever is left may still vote once
    assert (shown(cast, case.number), shown(cast, other.number)) == (1, 2)
    organizations.add_membership(username=cast.clerk.username, organization=cast.owner.code, role="officer", actor=founder)
    assert shown(cast, case.number) == 0 == shown(cast, other.number)
    assert "例外" not in signed_in(cast.data_admin).get(f"/inbox/cases/{case.case_id}/").content.decode()
    leave(cast.leader, founder)  # who voted is gone: the new one may give the second vote, but not both of the other
    assert (shown(cast, case.number), shown(cast, other.number)) == (0, 2)


def test_an_exception_is_shown_to_who_supervises_there_only(cast: Cast, founder: Actor) -> None:
    api.publish_kind(spec=panel_kind(2), source="tests", actor=founder)
    do(apply(cast, owner=cast.owner.code), "accept", cast.steward, departments=[cast.owner.code])
    leave(cast.officer, founder)
    organizations.add_membership(username=cast.clerk.username, organization=cast.other.code, role="data_leader", actor=founder)
    held = next(m for m in organizations.list_memberships(username=cast.clerk.username) if m.role == "data_leader")
    assert api.list_exceptions(actor=organizations.actor_for(user_id=held.user_id, membership_id=held.id)) == ()
    assert [item.short for item in api.list_exceptions(actor=cast.leader.actor)] == [True, True]


def test_who_supervises_at_the_owner_sees_what_stands_still_elsewhere_in_its_cases(cast: Cast, founder: Actor) -> None:
    organizations.add_membership(username=cast.clerk.username, organization=cast.other.code, role="data_leader", actor=founder)
    case = do(apply(cast, owner=cast.owner.code), "accept", cast.leader, departments=[cast.other.code])
    assert api.list_exceptions(actor=cast.leader.actor) == ()
    for held in organizations.list_memberships(username=cast.clerk.username):
        if held.organization == cast.other.code:
            organizations.end_membership(membership_id=held.id, actor=founder)
    (item,) = api.list_exceptions(actor=cast.leader.actor)
    assert (item.number, item.organization_name, item.short) == (case.number, cast.other.label, False)
    page = signed_in(cast.leader).get("/inbox/team/exceptions/").content.decode()
    assert case.number in page and "没有例外" not in page


@given(st.lists(st.sets(st.integers(0, 5)), max_size=6))
def test_enough_people_are_there_exactly_if_each_can_have_one_of_their_own(able: list[set[int]]) -> None:
    people = [{f"user:{one}" for one in some} for some in able]
    found: dict[str, int] = {}
    placed = all(holding._short_of(place, people, found) is None for place in range(len(people)))
    assert placed == any(
        all(one in some for one, some in zip(chosen, able, strict=True)) for chosen in permutations(range(6), len(able))
    )
    assert not placed or (all(person in people[place] for person, place in found.items()) and sorted(found.values()) == list(range(len(able))))
