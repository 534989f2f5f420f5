from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Cast
from tests.core.cases.kinds import stranding_kind
from yunhe.core.cases import api
from yunhe.core.cases.errors import (
    ActionNotOffered,
    AmbiguousAction,
    CaseChanged,
    CaseNotFound,
    FieldsInvalid,
    GuardRefused,
    StuckCase,
    WaiverRefused,
)
from yunhe.core.cases.models import CaseRecord, EventRecord, NumberSeries, ObligationRecord
from yunhe.core.evidence import api as evidence
from yunhe.core.evidence.models import EvidenceRow
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor
from yunhe.kernel.errors import Refused
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db


def test_a_case_opens_with_number_obligation_event_and_evidence(note: Any, cast: Cast) -> None:
    case = note()
    assert case.number == "QS20260302-00001"
    assert (case.phase, case.state, case.version) == ("answering", "open", 1)
    view = api.access_case(case_id=case.case_id, actor=cast.clerk.actor)
    assert [(o.name, o.state, o.organization) for o in view.obligations] == [("answer", "open", cast.owner.code)]
    assert [(e.seq, e.action) for e in view.events] == [(1, "open")]
    row = evidence.get_evidence(evidence_id=view.events[0].evidence_id)
    assert row.facts["digest"] == view.events[0].digest
    assert row.subject_id == case.case_id


def test_numbers_rise_within_prefix_and_day_and_start_anew(note: Any, clock: Any) -> None:
    from datetime import timedelta

    assert [note().number for _ in range(3)] == [f"QS20260302-0000{n}" for n in (1, 2, 3)]
    clock.advance(timedelta(hours=14))  # 00:00 of the next day in China
    assert note().number == "QS20260303-00001"


def test_the_owner_answers_and_the_case_closes(note: Any, cast: Cast) -> None:
    case = note()
    done = api.act(
        case_id=case.case_id, action="agree", data={"text": " 同意 ", "chosen": ["b"]}, expected_version=1,
        actor=cast.leader.actor,
    )  # fmt: skip
    assert (done.state, done.outcome, done.phase, done.version) == ("closed", "agreed", "done", 2)
    assert done.data["answer"] == "同意"
    assert not ObligationRecord.objects.filter(case_id=case.case_id, state="open").exists()


def test_whoever_asked_may_not_answer(note: Any, cast: Cast) -> None:
    case = note(actor=cast.steward.actor, organization=cast.owner.code)
    with pytest.raises(GuardRefused) as refused:
        api.act(case_id=case.case_id, action="agree", data={"text": "好"}, actor=cast.steward.actor, expected_version=1)
    assert refused.value.say("zh") == "不能答复自己的请示。"
    assert CaseRecord.objects.get().version == 1


def test_the_other_departments_clerk_cannot_see_the_case(note: Any, cast: Cast) -> None:
    case = note(actor=cast.steward.actor, organization=cast.owner.code)
    for hidden in (cast.clerk.actor, cast.bureau_clerk.actor, cast.audit_admin.actor):
        with pytest.raises(CaseNotFound):
            api.access_case(case_id=case.case_id, actor=hidden)
        with pytest.raises(CaseNotFound):
            api.act(case_id=case.case_id, action="agree", data={}, actor=hidden)
        assert api.list_cases(request=PageRequest(), actor=hidden).total == 0
        assert api.count_waiting(actor=hidden) == 0


def test_the_applicant_sees_the_case_but_is_offered_nothing(note: Any, cast: Cast) -> None:
    case = note()
    assert api.access_case(case_id=case.case_id, actor=cast.clerk.actor).actions == ()
    with pytest.raises(ActionNotOffered):
        api.act(case_id=case.case_id, action="agree", data={"text": "好"}, actor=cast.clerk.actor)


def test_the_second_of_two_who_saw_the_same_step_is_told(note: Any, cast: Cast) -> None:
    case = note()
    api.act(case_id=case.case_id, action="back", data={}, expected_version=1, actor=cast.leader.actor)
    with pytest.raises(CaseChanged):
        api.act(case_id=case.case_id, action="agree", data={"text": "好"}, expected_version=1, actor=cast.steward.actor)
    assert EventRecord.objects.filter(case_id=case.case_id).count() == 2


@pytest.fixture
def stranding(note: Any, unproved: None, founder: Actor) -> Any:
    """Open cases of a kind that can strand them."""
    api.publish_kind(spec=stranding_kind(), source="tests", actor=founder)
    return note


def test_a_step_that_would_leave_nobody_to_act_is_refused_whole(stranding: Any, cast: Cast) -> None:
    case = stranding()
    records = EvidenceRow.objects.count()
    with pytest.raises(StuckCase):
        api.act(case_id=case.case_id, action="vanish", data={}, actor=cast.leader.actor)
    assert EvidenceRow.objects.count() == records
    assert api.get_case(case_id=case.case_id).version == 1
    assert api.access_case(case_id=case.case_id, actor=cast.leader.actor).actions


def test_parallel_obligations_are_rows(stranding: Any, cast: Cast) -> None:
    case = stranding(data={"amount": 100})
    assert api.count_waiting(actor=cast.data_admin.actor) == 1
    api.act(case_id=case.case_id, action="vanish", data={}, actor=cast.leader.actor)  # the other one is still open
    with pytest.raises(StuckCase):
        api.act(case_id=case.case_id, action="say", data={}, actor=cast.data_admin.actor)


def test_an_action_that_two_obligations_offer_needs_the_one_meant(note: Any, cast: Cast) -> None:
    case = note()
    twin = ObligationRecord.objects.get()
    first, twin.pk = twin.pk, "01TWIN0000000000000000000A"
    twin.save(force_insert=True)
    with pytest.raises(AmbiguousAction):
        api.act(case_id=case.case_id, action="back", data={}, actor=cast.leader.actor)
    done = api.act(case_id=case.case_id, action="back", data={}, actor=cast.leader.actor, obligation_id=first)
    assert done.version == 2


def test_sent_back_to_the_person_who_opened(note: Any, cast: Cast) -> None:
    case = note(data={"amount": 100})
    api.act(case_id=case.case_id, action="back", data={}, actor=cast.leader.actor)
    (item,) = api.list_waiting(request=PageRequest(), actor=cast.clerk.actor).items
    assert item.title["zh"] == "补正"
    assert api.count_waiting(actor=cast.data_admin.actor) == 0  # cancelled with the rest
    api.act(case_id=case.case_id, action="resend", data={}, actor=cast.clerk.actor)
    assert api.count_waiting(actor=cast.leader.actor) == 1


@pytest.mark.parametrize(
    ("data", "field", "code"),
    [
        ({"amount": "1e400"}, "amount", "not_integer"),
        ({"amount": 2**53}, "amount", "too_big"),
        ({"amount": "9" * 5000}, "amount", "too_big"),
        ({"amount": -1}, "amount", "too_small"),
        ({"amount": None}, "amount", "required"),
        ({"amount": True}, "amount", "not_integer"),
        ({"items": ["\ud800"]}, "items[0]", "bad_character"),
        ({"items": ["a\x00"]}, "items[0]", "bad_character"),
        ({"items": ["a", "a"]}, "items", "repeated"),
        ({"answer": "mine"}, "answer", "unknown"),
        ({"nothing": 1}, "nothing", "unknown"),
    ],
)
def test_a_bad_value_is_refused_with_its_field(note: Any, data: dict[str, Any], field: str, code: str) -> None:
    with pytest.raises(FieldsInvalid) as refused:
        note(data=data)
    assert [(p.field, p.code) for p in refused.value.problems] == [(field, code)]
    assert refused.value.http_status == 422
    titles = {"amount": "数额", "items": "清单", "items[0]": "清单第 1 项"}
    assert f"：{titles[field]}：" in refused.value.say("zh") if field in titles else field in refused.value.say("zh")
    assert not CaseRecord.objects.exists() and not NumberSeries.objects.exists()


def test_an_answer_beyond_what_was_asked_is_refused(note: Any, cast: Cast) -> None:
    case = note()
    for data, code in (({"text": "好", "chosen": ["c"]}, "not_subset"), ({"text": "长" * 21}, "too_long"), ({}, "required")):
        with pytest.raises(FieldsInvalid) as refused:
            api.act(case_id=case.case_id, action="agree", data=data, actor=cast.leader.actor)
        assert refused.value.problems[0].code == code


def test_the_same_request_key_opens_one_case(note: Any, cast: Cast) -> None:
    first = note(request_key="form-1")
    assert note(request_key="form-1").case_id == first.case_id
    assert CaseRecord.objects.count() == 1
    with pytest.raises(CaseNotFound):
        note(request_key="form-1", actor=cast.steward.actor, organization=cast.owner.code)


def test_opening_needs_the_permission_over_the_applicant(note: Any, cast: Cast) -> None:
    with pytest.raises(Refused):
        note(organization=cast.owner.code)
    with pytest.raises(Refused):
        note(actor=cast.audit_admin.actor)


def test_only_the_operator_waives_and_only_where_the_kind_allows(note: Any, cast: Cast) -> None:
    case = note()
    with pytest.raises(WaiverRefused):
        api.waive(case_id=case.case_id, reason="演示", actor=cast.leader.actor)
    with pytest.raises(WaiverRefused):
        api.waive(case_id=case.case_id, reason="演示", actor=organizations.operator_actor())
    assert api.get_case(case_id=case.case_id).version == 1
