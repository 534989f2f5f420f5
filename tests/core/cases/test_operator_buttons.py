"""A button for each generic operator exactly where it is accepted: every operator, at every standing, for every person."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_args

import pytest
from django.db import transaction

from tests.conftest import Cast, Member
from tests.core.cases.test_operators import WHY, accepted, do, open_ids, permit, sent_back  # noqa: F401
from tests.faults import world
from yunhe.core.cases import api
from yunhe.core.cases.api import offering
from yunhe.core.cases.errors import CaseNotFound
from yunhe.core.cases.models import CaseRecord
from yunhe.core.cases.types import Case, Operator
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import FrozenClock, now
from yunhe.kernel.errors import YunheError

pytestmark = pytest.mark.django_db
OPERATORS = sorted((*get_args(Operator), "take_back", "drop_reviewer", "withdraw", "resume", "reassign"))
ON_ONE = ("hand_on", "take_back", "add_reviewer", "drop_reviewer", "send_back", "reassign", "extend")
PEOPLE = ("clerk", "steward", "leader", "officer", "data_admin")
TIMED = [{"amount": 5, "unit": "workdays", "basis": "示例约定", "extend_most": 3}]


def told(**changes: Any) -> dict[str, Any]:
    obligations = world.permit_text()["obligations"]
    obligations["decide"]["limits"] = TIMED
    obligations["accept"]["transferable"] = True
    return {"obligations": obligations, "operators": list(get_args(Operator)), **changes}


def handed(case: Case, cast: Cast, name: str, by: Member, to: str) -> Case:
    (seat,) = open_ids(case, cast, name)
    return api.hand_on(case_id=case.case_id, obligation_id=seat, to=to, reason=WHY, actor=by.actor)


def reviewed(case: Case, cast: Cast) -> Case:
    (seat,) = open_ids(case, cast, "accept")
    return api.add_reviewer(case_id=case.case_id, obligation_id=seat, to=[cast.officer.username], reason=WHY, actor=cast.steward.actor)


def decided(case: Case, cast: Cast) -> Case:
    do(accepted(case, cast), "agree", cast.leader)
    return do(case, "agree", cast.data_admin)


def extended(case: Case, cast: Cast) -> Case:
    (seat,) = open_ids(decided(case, cast), cast, "decide")
    return api.extend(case_id=case.case_id, obligation_id=seat, amount=3, basis="依据", reason=WHY, actor=cast.leader.actor)


def suspended(case: Case, cast: Cast) -> Case:
    return api.suspend(case_id=accepted(case, cast).case_id, basis="依据", reason=WHY, actor=cast.leader.actor)


def escalated(case: Case, cast: Cast) -> Case:
    return api.escalate(case_id=case.case_id, reason=WHY, actor=cast.leader.actor)


def granted(case: Case, cast: Cast) -> Case:
    return do(decided(case, cast), "grant", cast.leader)


STANDINGS: dict[str, Callable[[Case, Cast], Case]] = {
    "opened": lambda case, cast: case,
    "asked for papers": lambda case, cast: do(case, "ask", cast.steward, missing="图纸"),
    "under review": accepted,
    "to be decided": decided,
    "made longer": extended,
    "sent back": lambda case, cast: sent_back(decided(case, cast), cast, "review"),
    "handed to a colleague": lambda case, cast: handed(case, cast, "accept", cast.steward, "tong"),
    "with a reviewer": reviewed,
    "suspended": suspended,
    "supervised": escalated,
    "ended": granted,
}


@pytest.fixture
def tong(cast: Cast) -> Member:
    from tests.conftest import _member

    return _member("tong", cast.owner, "data_steward", "同事")


@pytest.mark.parametrize("standing", STANDINGS)
def test_a_button_is_there_exactly_where_it_is_accepted(permit: Any, cast: Cast, tong: Member, clock: FrozenClock, standing: str) -> None:  # noqa: F811
    target = permit(**told())
    case = STANDINGS[standing](permit(**told()), cast)
    clock.move_to(now() + timedelta(hours=2))
    found = api.access_case(case_id=case.case_id, actor=cast.data_admin.actor).obligations
    seats = [*(one.obligation_id for one in found if one.state == "open"), *(one.obligation_id for one in found if one.state != "open")][:3]
    differ, accepted_ = [], 0
    for who in (*(getattr(cast, name) for name in PEOPLE), tong):
        try:
            offered = {(one.name, one.obligation_id) for one in api.access_case(case_id=case.case_id, actor=who.actor).operators}
        except CaseNotFound:
            offered = set()
        for name in OPERATORS:
            places = (*seats, *(("",) if name == "extend" else ())) if name in ON_ONE else ("",)
            for place in places:
                works = any(accepts(case, who, name, place, **data) for data in ways(name, case, cast, target))
                accepted_ += works
                if works != ((name, place) in offered):
                    differ.append((who.username, name, place, "accepted" if works else "refused"))
    assert not differ
    assert accepted_ or standing == "ended"


def ways(name: str, case: Case, cast: Cast, target: Case) -> list[dict[str, Any]]:
    """Return what an operator could be asked with: to whom, to which phase."""
    people = ["tong", cast.leader.username, cast.clerk.username, cast.data_admin.username, f"@{cast.other.code}"]
    given: dict[str, list[dict[str, Any]]] = {
        "hand_on": [{"to": one, "reason": WHY} for one in people],
        "reassign": [{"to": one, "reason": WHY} for one in (*people, offering.BACK)],
        "take_back": [{}],
        "drop_reviewer": [{}],
        "add_reviewer": [{"to": [cast.bureau_clerk.username], "reason": WHY}],
        "send_back": [{"phase": one, "reason": WHY} for one in ("intake", "supplement", "review", "decision")],
        "suspend": [{"basis": "依据", "reason": WHY}],
        "extend": [{"amount": 1, "basis": "依据", "reason": WHY}],
        "merge": [{"into": target.case_id, "reason": WHY}],
        "split": [{"titles": ["甲", "乙"], "reason": WHY}],
    }
    return given.get(name, [{"reason": WHY}])


def accepts(case: Case, who: Member, name: str, place: str, **data: Any) -> bool:
    """Tell whether the operator is accepted; nothing of it stays."""
    try:
        with transaction.atomic():
            getattr(api, name)(case_id=case.case_id, actor=who.actor, **data, **({"obligation_id": place} if place else {}))
            transaction.set_rollback(True)
    except YunheError:
        return False
    return True


@pytest.mark.parametrize("allowed", [(), ("hand_on",), ("suspend", "extend")])
def test_what_a_kind_does_not_allow_has_no_button_and_is_refused(permit: Any, cast: Cast, tong: Member, founder: Actor, allowed: Any) -> None:  # noqa: F811
    case = handed(permit(**told()), cast, "accept", cast.steward, "tong")
    api.publish_kind(spec=world.permit(operators=list(allowed), obligations=told()["obligations"]), source="tests", actor=founder)
    CaseRecord.objects.filter(pk=case.case_id).update(kind=newest())
    (seat,) = open_ids(case, cast, "accept")
    for who in (tong, cast.leader, cast.data_admin):
        offered = {one.name for one in api.access_case(case_id=case.case_id, actor=who.actor).operators}
        for name in set(OPERATORS) - {"withdraw", "resume"}:
            places = {"extend": (seat, "")}.get(name, (seat,) if name in ON_ONE else ("",))
            works = any(accepts(case, who, name, place, **data) for place in places for data in ways(name, case, cast, case))
            assert works == (name in offered), (who.username, name)


def newest() -> Any:
    from yunhe.core.cases.models import KindRecord

    return KindRecord.objects.latest("number")
