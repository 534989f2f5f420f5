"""Values for forms out of a released resource: by its key, as the person who asks, with the evidence of the look."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Cast
from tests.core.cases.form_kinds import publish, text
from tests.data import spine
from tests.data.exchange.world import grant
from yunhe.core.cases import api as cases
from yunhe.core.cases.errors import BadKind, FieldsInvalid
from yunhe.core.cases.types import CaseView
from yunhe.core.evidence import api as evidence
from yunhe.data.exchange import api
from yunhe.data.exchange.errors import NotTheKeys

pytestmark = pytest.mark.django_db
FIRST = spine.uscc(10_000_000)


def form(code: str, field: str = "enterprise_name", **more: Any) -> None:
    source = {"from": "exchange.value", "resource": code, "field": field, "key": "form.uscc"}
    publish([text("uscc", element="uscc"), text("name", source=source, **more)])


def opened(cast: Cast, actor: Any, **data: Any) -> CaseView:
    case = cases.open_case(kind="form_case", title="一件", data=data, actor=actor, owner=cast.owner.code)
    return cases.access_case(case_id=case.case_id, actor=actor)


def test_the_owner_s_clerk_and_who_holds_a_grant_get_the_value(released: str, cast: Cast) -> None:
    form(released, required=True)
    grant(released, cast)
    for actor, ground in ((cast.steward.actor, "owner"), (cast.clerk.actor, "grant")):
        view = opened(cast, actor, uscc=FIRST, name="伪造")
        (receipt,) = view.receipts
        assert view.case.data["name"] == receipt.value == "示范0" and receipt.state == "found" and receipt.intact
        assert "示范企业（市市场监管局）" in receipt.title["zh"] and receipt.snapshot
        line = evidence.get_evidence(evidence_id=receipt.evidence_id)
        assert line.kind == "data.read" and line.actor_id == actor.id and line.facts["ground"].startswith(ground)
        assert line.facts["fields"] == ["enterprise_name"] and line.facts["rows"] == 1 and line.facts["release"] == receipt.snapshot
        assert "表单件" in line.facts["purpose"] and len(line.facts["subjects"]) == 1 and FIRST not in str(line.facts)


def test_no_grant_no_record_or_a_mask_lead_to_the_hand_and_a_reason(released: str, cast: Cast) -> None:
    form(released)
    told = {"name": "手写", "name_reason": "已核对执照"}
    view = opened(cast, cast.clerk.actor, uscc=FIRST, **told)
    assert view.case.data["name"] == "手写" and view.receipts[0].state == "unavailable" and "授权" in view.receipts[0].problem["zh"]
    view = opened(cast, cast.steward.actor, uscc=spine.uscc(99_000_000), **told)
    assert view.case.data["name"] == "手写" and view.receipts[0].state == "absent" and view.receipts[0].evidence_id
    with pytest.raises(FieldsInvalid):
        opened(cast, cast.steward.actor, uscc=spine.uscc(99_000_000), name="手写")
    grant(released, cast, masks={"enterprise_name": "name"})
    view = opened(cast, cast.clerk.actor, uscc=FIRST, **told)
    assert view.case.data["name"] == "手写" and "脱敏" in view.receipts[0].problem["zh"]


def test_rows_are_asked_for_by_the_key_which_is_only_ever_a_value(released: str, cast: Cast) -> None:
    def read(**keys: str) -> Any:
        return api.read_rows(actor=cast.steward.actor, resource_code=released, purpose="核对", keys=keys)

    (row,) = read(uscc=FIRST).rows
    assert row["uscc"] == FIRST
    for key in ("x' OR '1'='1", "'; DROP TABLE stored; --", "%", "", "\\", "NULL", "''"):
        assert (read(uscc=key).total, read(uscc=key).rows) == (0, ()), key
    for keys in ({"enterprise_name": "示范1"}, {"uscc": FIRST, "region": "329902"}, {"no_such": "x"}):
        with pytest.raises(NotTheKeys):
            read(**keys)


def test_a_source_s_arguments_are_checked_when_the_kind_is(db: None) -> None:
    with pytest.raises(BadKind, match="resource"):
        publish([text("uscc"), text("name", source={"from": "exchange.value", "key": "form.uscc"})])
    with pytest.raises(BadKind, match=r"form\.later"):
        publish([text("name", source={"from": "exchange.value", "resource": "1/1", "field": "region", "key": "form.later"}), text("later")])
