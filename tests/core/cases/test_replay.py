"""Events are the truth: folded, they give the rows; each carries a digest that the evidence holds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Cast
from yunhe.core.cases import api
from yunhe.core.cases.errors import CaseNotFound
from yunhe.core.cases.models import CaseRecord, EventRecord, ObligationRecord

pytestmark = pytest.mark.django_db


@pytest.fixture
def walked(note: Any, cast: Cast) -> str:
    """A case that was sent back, sent again and answered."""
    case = note(data={"amount": 100, "items": ["a"]})
    for action, data, member in (
        ("back", {}, cast.leader),
        ("resend", {}, cast.clerk),
        ("agree", {"text": "同意", "chosen": ["a"]}, cast.steward),
    ):
        api.act(case_id=case.case_id, action=action, data=data, actor=member.actor)
    return str(case.case_id)


def test_the_events_give_the_rows(walked: str, cast: Cast) -> None:
    judged = api.replay_case(case_id=walked, actor=cast.clerk.actor)
    assert (judged.events, judged.equal, judged.differences) == (4, True, ())


@pytest.mark.parametrize(
    ("spoil", "where"),
    [
        (lambda pk: CaseRecord.objects.filter(pk=pk).update(phase="answering"), "case.phase"),
        (lambda pk: ObligationRecord.objects.filter(case_id=pk, name="mend").update(outcome="agreed"), "outcome"),
        (lambda pk: EventRecord.objects.filter(case_id=pk, seq=2).update(actor_name="别人"), "events.2.digest"),
        (lambda pk: EventRecord.objects.filter(case_id=pk, seq=3).delete(), "events.seq"),
        (lambda pk: CaseRecord.objects.filter(pk=pk).update(data={}), "data.amount"),
    ],
)
def test_a_changed_row_or_event_is_found(walked: str, cast: Cast, spoil: Any, where: str) -> None:
    spoil(walked)
    judged = api.replay_case(case_id=walked, actor=cast.clerk.actor)
    assert not judged.equal
    assert any(where in difference for difference in judged.differences)


def test_only_who_may_see_the_case_replays_it(walked: str, cast: Cast) -> None:
    with pytest.raises(CaseNotFound):
        api.replay_case(case_id=walked, actor=cast.bureau_clerk.actor)


def test_the_digest_is_salted(note: Any) -> None:
    first, second = note(), note()
    events = EventRecord.objects.filter(case_id__in=[first.case_id, second.case_id])
    assert len({event.salt for event in events}) == 2
