"""What goes into another case and what falls apart: nobody sees more, nothing that waits is answered too early."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Cast, Member
from tests.core.cases.test_operators import WHY, permit, replays, view  # noqa: F401
from yunhe.core.cases import api
from yunhe.core.cases.errors import CaseNotFound
from yunhe.core.cases.models import PartyRecord
from yunhe.core.cases.types import Case

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("replays")]


def of_bureau(cast: Cast) -> Case:
    """Return a permit that another organisation applies for at the same owner."""
    told = {"title": "别人的", "data": {"place": "秘密地点", "area": 3}, "owner": cast.owner.code}
    return api.open_case(kind="permit", actor=cast.bureau_clerk.actor, **told)


def merged(case: Case, into: Case, member: Member) -> Case:
    return api.merge(case_id=case.case_id, into=into.case_id, reason="两家报的是同一处", actor=member.actor)


def test_who_asked_for_the_duplicate_does_not_see_the_other_case(permit: Any, cast: Cast) -> None:  # noqa: F811
    double, master = permit(), of_bureau(cast)
    before = set(PartyRecord.objects.filter(case_id=master.case_id).values_list("part", "organization", "person"))
    merged(double, master, cast.steward)
    assert set(PartyRecord.objects.filter(case_id=master.case_id).values_list("part", "organization", "person")) == before
    with pytest.raises(CaseNotFound):
        view(master, cast.clerk)
    with pytest.raises(CaseNotFound):
        view(double, cast.bureau_clerk)
    assert [one.number for one in view(double, cast.clerk).related] == []
    told = [fact.value for event in view(master, cast.bureau_clerk).events for fact in event.facts]
    assert told == [double.number]  # why two became one is written where the duplicate's people read it
    assert master.number in [fact.value for event in view(double, cast.clerk).events for fact in event.facts]
