"""Being told that it is one's turn: by role and by name, in one notice, also to whoever stands in; not of one's own doing."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import Cast, Member
from tests.core.cases.kinds import load_national_limits, national_kind, simple_kind
from yunhe.core.cases import api
from yunhe.core.cases.api.announcing import PACE
from yunhe.core.cases.models import TurnRecord
from yunhe.core.cases.types import Case
from yunhe.core.notices import api as notices
from yunhe.core.notices.models import Dispatch
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import FrozenClock, now
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
HEAD = job_actor("tests")
WHY = "测试"


def tell() -> int:
    return api.tell_turns(actor=HEAD)


def turns_of(member: Member) -> list[Any]:
    found = notices.list_notices(request=PageRequest(), actor=member.actor).items
    return [one for one in found if one.kind == "cases.turn"]


def seat_of(case: Case, member: Member) -> str:
    return api.access_case(case_id=case.case_id, actor=member.actor).actions[0].obligation_id


def second_leader(cast: Cast) -> Member:
    made = organizations.create_user(username="leader2", display_name="负责人癸", actor=HEAD)
    held = organizations.add_membership(username="leader2", organization=cast.owner.code, role="data_leader", actor=HEAD)
    return Member("leader2", made.password, made.person.id, held.id, organizations.actor_for(user_id=made.person.id, membership_id=held.id))


def test_who_may_take_what_a_role_owes_is_told_in_both_languages(note: Any, cast: Cast) -> None:
    other = second_leader(cast)
    case = note()
    assert turns_of(cast.leader) == []  # the step itself tells nobody
    assert tell() == 3 and tell() == 0
    for member in (cast.leader, other, cast.steward):
        (told,) = turns_of(member)
        assert told.title == {"zh": f"请您办理：请示 {case.number}", "en": f"Your turn: Note {case.number}"}
        assert told.text == {"zh": "答复（2026-03-09 23:59 到期）", "en": "答复 (due 2026-03-09 23:59)"}
        assert (told.href, told.case_id) == (f"/inbox/cases/{case.case_id}/", case.case_id)
    for stranger in (cast.officer, cast.clerk, cast.data_admin, cast.system_admin):
        assert turns_of(stranger) == []


def test_what_many_cases_ask_is_one_notice(note: Any, cast: Cast) -> None:
    cases = [note() for _ in range(7)]
    assert tell() == 2
    (told,) = turns_of(cast.leader)
    assert (told.title["zh"], told.title["en"]) == ("7 件办件轮到您办理", "7 cases are your turn")
    assert told.text["zh"] == "请示 7 件：" + "、".join(case.number for case in cases[:5]) + "等"
    assert told.href == "/inbox/"


def test_a_busy_desk_is_told_at_intervals_a_person_by_name_at_once(note: Any, cast: Cast, clock: FrozenClock) -> None:
    note()
    assert tell() == 2
    second, third = note(), note()
    assert tell() == 0
    api.hand_on(case_id=second.case_id, obligation_id=seat_of(second, cast.leader), to="leader", reason=WHY, actor=cast.steward.actor)
    assert (tell(), len(turns_of(cast.leader)), len(turns_of(cast.steward))) == (1, 2, 1)
    clock.move_to(now() + PACE)
    assert (tell(), turns_of(cast.steward)[0].case_id) == (2, third.case_id)


def test_only_what_a_desk_was_really_told_starts_its_pause(note: Any, cast: Cast, clock: FrozenClock) -> None:
    api.act(case_id=note().case_id, action="agree", data={"text": "可以"}, actor=cast.leader.actor)
    assert tell() == 0  # done before anybody was told
    handed = note()
    api.hand_on(case_id=handed.case_id, obligation_id=seat_of(handed, cast.leader), to="leader", reason=WHY, actor=cast.steward.actor)
    assert tell() == 1  # told by name
    case = note()
    assert (tell(), turns_of(cast.steward)[0].case_id) == (2, case.case_id)
    note()
    clock.advance(PACE - timedelta(seconds=1))
    api.act(case_id=note().case_id, action="agree", data={"text": "可以"}, actor=cast.leader.actor)
    assert tell() == 0
    clock.advance(timedelta(seconds=1))
    assert tell() == 2


def test_nobody_is_told_of_their_own_doing_nor_of_what_is_done(note: Any, cast: Cast) -> None:
    own = note(actor=cast.steward.actor, owner=cast.owner.code)
    gone = note()
    api.act(case_id=gone.case_id, action="agree", data={"text": "可以"}, actor=cast.leader.actor)
    assert tell() == 1
    assert turns_of(cast.steward) == [] and [one.case_id for one in turns_of(cast.leader)] == [own.case_id]


def test_a_person_is_told_by_name_and_who_stands_in_with_them(note: Any, cast: Cast) -> None:
    today = date(2026, 3, 2)
    week = {"since": today, "until": today + timedelta(days=6), "reason": WHY}
    api.delegate(to_username="officer", actor=cast.leader.actor, **week)
    api.delegate(to_username="officer", actor=cast.steward.actor, kinds=("another",), **week)
    case = note()
    assert tell() == 3 and len(turns_of(cast.officer)) == 1
    api.act(case_id=case.case_id, action="back", data={}, actor=cast.leader.actor)
    assert (tell(), [one.case_id for one in turns_of(cast.clerk)]) == (1, [case.case_id])


def test_seats_of_the_bureau_reach_their_holders_wherever_they_are(clock: FrozenClock, cast: Cast, calendar: None, founder: Actor) -> None:
    load_national_limits()
    api.publish_kind(spec=national_kind("account_request"), source="national", actor=founder)
    data = {"display_name": "新人甲", "username": "xinren", "role": "officer", "reason": WHY}
    case = api.open_case(kind="account_request", title="", data=data, actor=cast.leader.actor)
    assert tell() == 1 and turns_of(cast.system_admin)[0].case_id == case.case_id
    api.remind(case_id=case.case_id, reason="请尽快", actor=cast.leader.actor)
    assert notices.list_notices(request=PageRequest(), actor=cast.system_admin.actor).items[0].kind == "cases.reminded"
    api.act(case_id=case.case_id, action="create", data={}, actor=cast.system_admin.actor)
    assert tell() == 1 and len(turns_of(cast.security_admin)) == 1


def test_what_comes_back_is_told_again_and_what_only_changes_is_not(note: Any, cast: Cast, clock: FrozenClock) -> None:
    case = note(data={"amount": 100})  # the data bureau gives its opinion beside
    tell()
    clock.move_to(now() + PACE)
    api.suspend(case_id=case.case_id, basis=WHY, reason=WHY, actor=cast.leader.actor)
    api.resume(case_id=case.case_id, reason=WHY, actor=cast.leader.actor)
    assert tell() == 0
    seat = next(one.obligation_id for one in api.access_case(case_id=case.case_id, actor=cast.data_admin.actor).actions)
    api.act(case_id=case.case_id, action="say", data={}, actor=cast.data_admin.actor, obligation_id=seat)
    api.retract(case_id=case.case_id, reason=WHY, actor=cast.data_admin.actor)
    assert tell() == 0  # to none but who took it back
    answer = seat_of(case, cast.leader)
    api.hand_on(case_id=case.case_id, obligation_id=answer, to="steward", reason=WHY, actor=cast.leader.actor)
    assert tell() == 1
    api.take_back(case_id=case.case_id, obligation_id=answer, actor=cast.steward.actor)
    clock.move_to(now() + PACE)
    assert tell() == 1 and len(turns_of(cast.leader)) == 2


def test_what_waits_for_a_room_or_for_a_batch_is_nobodys_turn(clock: FrozenClock, cast: Cast, calendar: None, founder: Actor) -> None:
    load_national_limits()
    body = simple_kind().model_dump(mode="json")
    body["obligations"]["answer"]["actions"]["agree"]["by_room"] = True
    body["obligations"]["answer"]["actions"] = {"agree": body["obligations"]["answer"]["actions"]["agree"]}
    body["obligations"].pop("mend")
    body["obligations"]["answer"]["on_due"] = {"outcome": "lapsed", "title": "期满", "effects": [{"close_case": "lapsed"}]}
    api.publish_kind(spec=simple_kind(obligations=body["obligations"], operators=[]), source="tests", actor=founder)
    api.open_case(kind="leave_note", title="请示", data={"amount": 1}, actor=cast.clerk.actor, owner=cast.owner.code)
    assert not TurnRecord.objects.exists()


def test_a_step_pays_one_statement_for_it(note: Any, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def statements() -> int:
        with CaptureQueriesContext(connection) as caught:
            note()
        return len(caught)

    note()
    noted = statements()
    monkeypatch.setattr("yunhe.core.cases.api.telling.note_turns", lambda course: None)
    assert noted - statements() == 1


def test_what_was_told_goes_after_a_day(note: Any, cast: Cast, clock: FrozenClock) -> None:
    note()
    tell()
    clock.move_to(now() + timedelta(days=1, minutes=1))
    tell()
    assert not TurnRecord.objects.exists()


def test_the_system_of_an_organisation_is_told_once_of_what_came_to_its_roles(note: Any, cast: Cast, founder: Actor, settings: Any) -> None:
    settings.YUNHE = {**settings.YUNHE, "WEBHOOK_HOSTS": "http://127.0.0.1:8399"}
    for body in (cast.owner.code, cast.other.code):
        notices.register_webhook(address="http://127.0.0.1:8399/in", organization=body, actor=founder)
    cases = [note(), note()]
    tell()
    (dispatch,) = Dispatch.objects.filter(channel="webhook").select_related("announcement")
    told = dispatch.announcement
    assert (dispatch.organization, dispatch.user_id, told.title_zh) == (cast.owner.code, None, "2 件办件轮到您办理")
    assert all(case.number in told.text_zh for case in cases)
    api.hand_on(case_id=cases[0].case_id, obligation_id=seat_of(cases[0], cast.leader), to=cast.steward.username, reason=WHY, actor=cast.leader.actor)
    tell()
    assert Dispatch.objects.filter(channel="webhook").count() == 1  # what is handed to a person is theirs alone
