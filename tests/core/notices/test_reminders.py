"""Reminders of cases outside the page: one message for a round, none of what is done, at night only what is urgent."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any

import pytest

from tests.conftest import Cast
from tests.core.cases.conftest import calendar, clock, note  # noqa: F401
from tests.core.notices.conftest import Trial, reach, run
from yunhe.core.cases import api as cases
from yunhe.core.notices import api
from yunhe.core.notices.api.held import GATHER
from yunhe.core.notices.types import Preferences
from yunhe.kernel.clock import SHANGHAI, FrozenClock
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
NIGHT, ELEVEN = (time(22), time(7)), datetime(2026, 3, 2, 23, tzinfo=SHANGHAI)
KINDS = ("cases.reminded", "cases.warned", "cases.turn")


@pytest.fixture
def desk(clock: FrozenClock, note: Any, cast: Cast, told: Trial) -> Trial:  # noqa: F811
    """The leader and the steward, who may both answer, want it all by the trial channel, and sleep at night."""
    for member in (cast.leader, cast.steward):
        reach(member, f"{member.username}@trial")
        wanted = frozenset((kind, "trial") for kind in KINDS)
        api.set_preferences(preferences=Preferences(wanted, *NIGHT, "zh"), actor=member.actor)
    return told


def test_a_round_of_reminders_is_one_message_to_each(desk: Trial, note: Any, cast: Cast, clock: FrozenClock) -> None:  # noqa: F811
    ids = [note().case_id for _ in range(12)]
    cases.remind_each(case_ids=ids, reason="请尽快", actor=cast.clerk.actor)
    run()
    clock.advance(GATHER)
    run(2)
    assert sorted(letter.address for letter in desk.letters) == [f"{cast.leader.username}@trial", f"{cast.steward.username}@trial"]
    assert {letter.title for letter in desk.letters} == {"催办和督办：12 条"}
    assert all(letter.text.endswith("；等 12 条\n请尽快") and letter.text.count("催办：请示") == 5 for letter in desk.letters)
    found = api.list_notices(request=PageRequest(size=50), actor=cast.leader.actor).items
    assert len({one.case_id for one in found if one.kind == "cases.reminded"}) == 12  # on the page each by itself


def test_at_the_end_of_the_night_nothing_is_said_of_what_is_done(desk: Trial, note: Any, cast: Cast, clock: FrozenClock) -> None:  # noqa: F811
    done, handed, left = note(), note(), note()
    clock.move_to(ELEVEN)
    cases.remind_each(case_ids=[done.case_id, handed.case_id, left.case_id], reason="急", actor=cast.clerk.actor)
    run(2)
    cases.act(case_id=done.case_id, action="agree", data={"text": "可以"}, actor=cast.leader.actor)
    (seat,) = {one.obligation_id for one in cases.access_case(case_id=handed.case_id, actor=cast.leader.actor).actions}
    cases.hand_on(case_id=handed.case_id, obligation_id=seat, to=cast.leader.username, reason="您熟", actor=cast.steward.actor)
    clock.move_to(ELEVEN + timedelta(hours=8))
    run(2)
    told = {letter.address: {case.number for case in (done, handed, left) if case.number in letter.title + letter.text} for letter in desk.letters}
    assert told == {f"{cast.leader.username}@trial": {handed.number, left.number}, f"{cast.steward.username}@trial": {left.number}}
    assert [one.reason["zh"] for one in api.list_failures(actor=cast.leader.actor)] == ["没有发出：所说的事已经办完，或已不由收件人办。"]
    assert len(desk.letters) == 2


def test_supervision_wakes_who_chose_so_a_reminder_nobody(desk: Trial, note: Any, cast: Cast, clock: FrozenClock) -> None:  # noqa: F811
    wanted = frozenset((kind, "trial") for kind in KINDS)
    api.set_preferences(preferences=Preferences(wanted, *NIGHT, "zh", urgent_through=True), actor=cast.steward.actor)
    first, second = note(), note()
    clock.move_to(ELEVEN)
    cases.remind(case_id=first.case_id, reason="急", actor=cast.clerk.actor)
    cases.escalate(case_id=second.case_id, reason="拖了", actor=cast.leader.actor)
    run()
    clock.advance(GATHER)
    run(2)
    (letter,) = desk.letters
    assert letter.address == f"{cast.steward.username}@trial" and letter.title == f"督办：请示 {second.number}"
