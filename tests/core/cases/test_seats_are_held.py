"""Whatever a person asks for, somebody can fulfil: an organisation that nobody knows or where nobody holds the role is refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Cast
from tests.core.cases.test_operators import do, open_ids, permit_kind
from yunhe.core.cases import api
from yunhe.core.cases.errors import FieldsInvalid, NobodyInSeat
from yunhe.core.cases.models import CaseRecord
from yunhe.core.cases.types import Case
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.errors import OrganizationNotFound
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import FrozenClock

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
    with pytest.raises(FieldsInvalid, match="owner"):
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
