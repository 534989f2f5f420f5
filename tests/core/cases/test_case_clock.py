"""The clock of the whole case counts wherever time counts: in lists, in numbers, in warnings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import Cast
from tests.core.cases.test_operators import accepted, do, permit, permit_kind  # noqa: F401
from yunhe.core.cases import api
from yunhe.core.cases.models import ClockRecord, ObligationRecord
from yunhe.core.cases.types import Case
from yunhe.core.notices import api as notices
from yunhe.kernel.actor import job_actor
from yunhe.kernel.clock import FrozenClock
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
HEAD = job_actor("tests")


@pytest.fixture
def decided_late(permit: Any, cast: Cast, clock: FrozenClock) -> Case:  # noqa: F811
    """A permit whose departments agreed: the decision has no limit of its own, the permit's twenty days are over."""
    case = accepted(permit(), cast)
    for member in (cast.leader, cast.data_admin):
        case = do(case, "agree", member)
    clock.advance(timedelta(days=60))
    return case


def letters(member: Any) -> list[str]:
    return [letter.title["en"] for letter in notices.list_notices(request=PageRequest(), actor=member.actor).items]


def warned() -> int:
    return sum(iter(lambda: api.warn_due(actor=HEAD), 0))


def test_the_line_of_a_case_past_its_limit_is_late(decided_late: Case, cast: Cast) -> None:
    due = ClockRecord.objects.get(case_id=decided_late.case_id).due_at
    overdue = api.list_waiting(request=PageRequest(filters={"due": "overdue"}), actor=cast.leader.actor)
    assert [(item.case_id, item.due_at, item.light) for item in overdue.items] == [(decided_late.case_id, due, "overdue")]
    assert {facet.value: facet.count for facet in overdue.facets if facet.name == "due"} == {"overdue": 1, "today": 0, "week": 0, "later": 0}
    assert api.get_team(organization=cast.owner.code, actor=cast.leader.actor).total.counts["overdue"] == 1
    asked = PageRequest(filters={"measure": "overdue"})
    (line,) = api.list_team_work(organization=cast.owner.code, request=asked, actor=cast.leader.actor).items
    assert (line.due_at, line.light) == (due, "overdue")


def test_whose_turn_it_is_is_warned_of_the_clock_of_the_case(decided_late: Case, cast: Cast) -> None:
    assert warned() == 2
    assert [title.split(":")[0] for title in letters(cast.leader)] == ["Overdue", "Due soon"]
    assert api.replay_case(case_id=decided_late.case_id, actor=HEAD).equal


def test_a_clock_that_stands_or_is_stopped_makes_nothing_due(decided_late: Case, cast: Cast) -> None:
    api.suspend(case_id=decided_late.case_id, basis="依据", reason="等", actor=cast.leader.actor)
    (owed,) = ObligationRecord.objects.filter(case_id=decided_late.case_id, state="open")
    assert (owed.first_due_at, warned()) == (None, 0)
    api.resume(case_id=decided_late.case_id, reason="续", actor=cast.leader.actor)
    owed.refresh_from_db()
    assert owed.first_due_at == ClockRecord.objects.get(case_id=decided_late.case_id).due_at
    do(decided_late, "grant", cast.leader)
    assert warned() == 0


def test_what_ends_first_counts(permit: Any, cast: Cast) -> None:  # noqa: F811
    case = permit()
    (owed,) = ObligationRecord.objects.filter(case_id=case.case_id)
    assert owed.first_due_at == owed.due_at
    api.extend(case_id=case.case_id, amount=40, basis="依据", reason="延", obligation_id=owed.pk, actor=cast.leader.actor)
    owed.refresh_from_db()
    assert owed.first_due_at == ClockRecord.objects.get(case_id=case.case_id).due_at
    assert owed.first_due_at < owed.due_at
