"""Nothing waits for somebody who left: what they were handed goes back, and nobody asks them any more."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conftest import Cast, _member
from tests.core.cases.test_operators import do, notices_of, open_ids, permit_kind, waiting
from yunhe.core.cases import api, jobs
from yunhe.core.cases.errors import CannotOperate
from yunhe.core.cases.models import ObligationRecord
from yunhe.core.cases.types import Case
from yunhe.core.jobs.api import outbox
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.models import Membership
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import FrozenClock, local, now
from yunhe.kernel.errors import Refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(clock: FrozenClock, cast: Cast, calendar: None, founder: Actor) -> Case:
    api.publish_kind(spec=permit_kind(), source="tests", actor=founder)
    data = {"place": "解放路 1 号", "area": 20}
    return api.open_case(kind="permit", title="一件许可", data=data, actor=cast.clerk.actor, owner=cast.owner.code)


def close(username: str, cast: Cast) -> None:
    organizations.close_user(username=username, actor=cast.system_admin.actor)
    outbox.deliver_pending()


def test_work_that_was_handed_on_goes_back_when_its_bearer_leaves(case: Case, cast: Cast, founder: Actor) -> None:
    colleague = _member("tong", cast.owner, "data_steward", "同事")
    (seat,) = open_ids(case, cast, "accept")
    api.hand_on(case_id=case.case_id, obligation_id=seat, to="tong", reason="出差", actor=cast.steward.actor)
    assert waiting(cast.steward) == []
    second = organizations.add_membership(username="tong", organization=cast.owner.code, role="officer", actor=founder)
    organizations.end_membership(membership_id=second.id, actor=founder)
    outbox.deliver_pending()
    assert waiting(colleague) == [seat]  # the role that the seat needs is still held
    close("tong", cast)
    assert waiting(cast.steward) == [seat]
    view = api.access_case(case_id=case.case_id, actor=cast.steward.actor)
    assert [event.action for event in view.events] == ["open", "hand_on", "take_back"]
    assert api.replay_case(case_id=case.case_id, actor=job_actor("tests")).equal


def test_nobody_asks_somebody_who_left_for_an_opinion(case: Case, cast: Cast) -> None:
    close(cast.bureau_clerk.username, cast)
    (seat,) = open_ids(case, cast, "accept")
    told: dict[str, Any] = {"case_id": case.case_id, "obligation_id": seat, "reason": "会签", "actor": cast.steward.actor}
    with pytest.raises(CannotOperate, match="has left"):
        api.add_reviewer(to=[cast.bureau_clerk.username], **told)
    api.add_reviewer(to=[cast.officer.username], **told)


def test_a_colleague_of_the_applicant_takes_over_from_an_opener_who_left(case: Case, cast: Cast, founder: Actor) -> None:
    chief, colleague = _member("chief", cast.other, "data_leader", "负责人"), _member("tong", cast.other, "officer", "同事")
    case = do(case, "ask", cast.steward, missing="图纸")
    close(cast.clerk.username, cast)
    (seat,) = open_ids(case, cast, "complete")
    told: dict[str, Any] = {"case_id": case.case_id, "obligation_id": seat, "reason": "申请人离岗"}
    with pytest.raises(Refused):
        api.reassign(to="tong", actor=cast.leader.actor, **told)
    for wrong in ("", cast.officer.username):
        with pytest.raises(CannotOperate):
            api.reassign(to=wrong, actor=chief.actor, **told)
    (done,) = api.hand_over(organization=cast.other.code, person=cast.clerk.actor.id, to="tong", reason="离岗", actor=chief.actor)
    assert done.refusal is None and waiting(colleague) == [seat]
    assert do(case, "complete", colleague, place="建军路").phase == "intake"
    assert ObligationRecord.objects.filter(case_id=case.case_id, state="open").count() == 1
    assert api.replay_case(case_id=case.case_id, actor=job_actor("tests")).equal


def test_work_goes_back_when_the_role_of_its_bearer_runs_out(case: Case, cast: Cast, founder: Actor, clock: FrozenClock) -> None:
    made = organizations.create_user(username="tong", display_name="同事", actor=founder).person
    until = local(now()).date() + timedelta(days=10)
    told = {"username": "tong", "organization": cast.owner.code, "role": "data_steward", "actor": founder}
    organizations.add_membership(**told, valid_until=until)
    (seat,) = open_ids(case, cast, "accept")
    api.hand_on(case_id=case.case_id, obligation_id=seat, to="tong", reason="出差", actor=cast.steward.actor)
    release()
    assert ObligationRecord.objects.get(pk=seat).assignee == f"user:{made.id}" and waiting(cast.steward) == []
    clock.move_to(datetime.combine(until, time(1), tzinfo=UTC))
    assert release() == {"changed": 1}
    assert waiting(cast.steward) == [seat] and release() == {"changed": 0}
    api.tell_turns(actor=founder)
    assert next(one.kind for one in notices_of(cast.steward)) == "cases.turn"
    view = api.access_case(case_id=case.case_id, actor=cast.steward.actor)
    assert [event.action for event in view.events] == ["open", "hand_on", "take_back"]
    assert api.replay_case(case_id=case.case_id, actor=job_actor("tests")).equal


def test_what_only_somebody_can_do_who_is_no_longer_there_is_an_exception(case: Case, cast: Cast, founder: Actor) -> None:
    case = do(case, "ask", cast.steward, missing="图纸")
    assert api.list_exceptions(actor=cast.data_admin.actor) == ()
    Membership.objects.filter(pk=cast.clerk.membership_id).update(valid_from=date(2025, 1, 1), valid_until=date(2026, 1, 1))
    (item,) = api.list_exceptions(actor=cast.data_admin.actor)
    assert (item.number, item.holder) == (case.number, cast.clerk.actor.id)
    tong = _member("tong", cast.other, "data_steward", "同事")
    (one,) = [one for one in api.access_case(case_id=case.case_id, actor=cast.data_admin.actor).operators if one.name == "reassign"]
    assert list(one.choices) == ["tong"]
    api.reassign(case_id=case.case_id, obligation_id=one.obligation_id, to="tong", reason="离岗", actor=cast.data_admin.actor)
    assert waiting(tong) and api.list_exceptions(actor=cast.data_admin.actor) == ()


def release() -> dict[str, int]:
    return jobs.release(SimpleNamespace(actor=job_actor("cases.release"), check=lambda: None))  # type: ignore[arg-type]
