"""Request, decision, grant, the door for rows, the rights image."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.conftest import Cast, Member
from tests.core.cases.test_pages import signed_in
from tests.data import spine
from tests.data.exchange.world import THREE, ask, grant
from yunhe.core.cases import api as cases
from yunhe.core.cases.errors import ActionNotOffered
from yunhe.core.evidence import api as evidence
from yunhe.core.notices import api as notices
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.models import Organization
from yunhe.data.catalog import api as catalog
from yunhe.data.exchange import api
from yunhe.data.exchange.errors import (
    AlreadyRevoked,
    FieldNotGranted,
    GrantNotInForce,
    NoDoor,
    NotShared,
    PurposeMissing,
    RequestPurposeMissing,
)
from yunhe.data.exchange.models import GrantRecord
from yunhe.engine.expressions import ExpressionRefused
from yunhe.engine.query import QueryRefused
from yunhe.gateway.rights import read_image
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import local, now
from yunhe.kernel.errors import Missing, Refused
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _national(national: None) -> None:
    """The national pack, whatever a test publishes itself."""


@pytest.fixture
def code(released: str) -> str:
    return released


def test_the_owner_grants_exactly_three_fields(code: str, cast: Cast) -> None:
    made = grant(code, cast)
    assert tuple(f.name for f in made.fields) == THREE
    page = api.read_rows(actor=cast.clerk.actor, resource_code=code, purpose="核对", grant_id=made.grant_id)
    assert page.columns == THREE
    assert page.total == 20
    with pytest.raises(FieldNotGranted, match="capital"):
        api.read_rows(
            actor=cast.clerk.actor, resource_code=code, purpose="核对", grant_id=made.grant_id, fields=("capital",)
        )


def test_every_look_is_evidence_that_the_owner_sees(code: str, cast: Cast) -> None:
    made = grant(code, cast)
    page = api.read_rows(actor=cast.clerk.actor, resource_code=code, purpose="核对名单", grant_id=made.grant_id)
    record = evidence.access_evidence(evidence_id=page.evidence_id, actor=cast.leader.actor)
    assert record.facts["purpose"] == "核对名单"
    assert record.facts["rows"] == 20
    assert len(record.facts["subjects"]) == 20
    assert spine.uscc(10_000_000) not in str(record.facts)


def test_looks_of_others_are_uses_and_ones_own_are_not(code: str, cast: Cast) -> None:
    grant(code, cast)
    for actor in (cast.clerk.actor, cast.steward.actor):
        api.read_rows(actor=actor, resource_code=code, purpose="核对")
        api.run_query(sql=f'SELECT count(*) FROM "{code}"', purpose="核对", actor=actor)
    uses = catalog.list_users(code=code, actor=cast.steward.actor).items
    assert {(use.consumer, use.channel, use.calls) for use in uses} == {
        (cast.other.code, "console", 1), (cast.other.code, "query", 1)
    }  # fmt: skip


def test_the_owner_sees_its_sensitive_fields_masked(cast: Cast, tmp_path: Path) -> None:
    source = spine.write_csv(tmp_path / "a.csv", spine.rows(3))
    code = spine.publish(source, cast.owner.code, fields={"region": "mask: hide"})
    spine.load(code, cast.steward.actor)
    graded = (r"(?s)grade: 1\n(.*name: enterprise_name,[^}]*mask: )none, grade: 1", r"grade: 3\n\1hide, grade: 3")
    republish(code, cast, graded)
    page = api.read_rows(actor=cast.steward.actor, resource_code=code, purpose="核对")
    assert "示范" not in str([row["enterprise_name"] for row in page.rows])
    assert {row["region"] for row in page.rows} == {"329901", "329902"}


def test_a_look_without_purpose_shows_nothing(code: str, cast: Cast) -> None:
    with pytest.raises(PurposeMissing):
        api.read_rows(actor=cast.steward.actor, resource_code=code, purpose=" ")


def test_without_a_grant_there_is_no_door(code: str, cast: Cast) -> None:
    for actor in (cast.clerk.actor, cast.data_admin.actor):
        with pytest.raises(NoDoor):
            api.read_rows(actor=actor, resource_code=code, purpose="看看")


def test_a_grant_opens_its_own_resource_to_its_own_holder(code: str, cast: Cast, tmp_path: Path) -> None:
    made = grant(code, cast)
    other = spine.publish(spine.write_csv(tmp_path / "b.csv", spine.rows(3)), cast.owner.code, title="另一个")
    spine.load(other, cast.steward.actor)
    for actor, asked in ((cast.data_admin.actor, code), (cast.clerk.actor, other)):
        with pytest.raises(NoDoor):
            api.read_rows(actor=actor, resource_code=asked, purpose="看看", grant_id=made.grant_id)


def test_the_row_filter_holds_in_rows_and_queries(code: str, cast: Cast) -> None:
    made = grant(code, cast, row_filter="region = '329901'")
    page = api.read_rows(actor=cast.clerk.actor, resource_code=code, purpose="核对", grant_id=made.grant_id)
    assert page.total == 10
    assert {row["region"] for row in page.rows} == {"329901"}
    result = api.run_query(sql=f'SELECT DISTINCT region FROM "{code}"', purpose="核对", actor=cast.clerk.actor)
    assert result.rows == (("329901",),)
    with pytest.raises(QueryRefused, match="capital"):
        api.run_query(sql=f'SELECT capital FROM "{code}"', purpose="核对", actor=cast.clerk.actor)


def test_masks_hold_in_rows_and_queries(code: str, cast: Cast) -> None:
    made = grant(code, cast, masks={"enterprise_name": "hide"})
    page = api.read_rows(actor=cast.clerk.actor, resource_code=code, purpose="核对", grant_id=made.grant_id)
    result = api.run_query(sql=f'SELECT enterprise_name FROM "{code}"', purpose="核对", actor=cast.clerk.actor)
    for value in [row["enterprise_name"] for row in page.rows] + [row[0] for row in result.rows]:
        assert "示范" not in str(value)


def test_who_asks_cannot_decide_and_strangers_cannot_see(code: str, cast: Cast) -> None:
    case_id = ask(code, cast)
    with pytest.raises(ActionNotOffered):
        cases.act(case_id=case_id, action="grant", data={}, actor=cast.clerk.actor)
    with pytest.raises(Missing):
        cases.access_case(case_id=case_id, actor=cast.bureau_clerk.actor)


def test_a_revoked_grant_opens_nothing(code: str, cast: Cast) -> None:
    made = grant(code, cast)
    with pytest.raises(Missing):
        api.revoke_grant(grant_id=made.grant_id, reason="不相干", actor=cast.clerk.actor)
    api.revoke_grant(grant_id=made.grant_id, reason="办结", actor=cast.leader.actor)
    with pytest.raises(GrantNotInForce):
        api.read_rows(actor=cast.clerk.actor, resource_code=code, purpose="核对", grant_id=made.grant_id)
    with pytest.raises(AlreadyRevoked):
        api.revoke_grant(grant_id=made.grant_id, reason="再来", actor=cast.leader.actor)
    image = read_image(api.rights_image_path())
    assert image.grants[made.grant_id].state == "revoked"


def test_the_image_holds_what_was_granted_and_where_it_is_served(code: str, cast: Cast) -> None:
    made = grant(code, cast)
    new = api.create_system(name="社保", organization=cast.other.code, actor=cast.clerk.actor)
    image = read_image(api.rights_image_path())
    row = image.grants[made.grant_id]
    assert tuple(field.name for field in row.fields) == THREE
    assert row.consumer == cast.other.code
    assert row.key_columns == ("uscc",)
    assert Path(row.serving_path).is_file()
    assert new.secret not in api.rights_image_path().read_text("utf-8")
    assert not image.keys[new.system.key_id].revoked
    api.revoke_system(key_id=new.system.key_id, actor=cast.clerk.actor)
    assert read_image(api.rights_image_path()).keys[new.system.key_id].revoked
    with pytest.raises(AlreadyRevoked):
        api.revoke_system(key_id=new.system.key_id, actor=cast.clerk.actor)


def test_an_unconditional_resource_is_granted_at_once(cast: Cast, tmp_path: Path) -> None:
    code = spine.publish(spine.write_csv(tmp_path / "a.csv", spine.rows(3)), cast.owner.code, sharing="unconditional")
    spine.load(code, cast.steward.actor)
    case_id = ask(code, cast)
    assert not cases.get_case(case_id=case_id).is_open
    (made,) = api.list_grants(request=PageRequest(), actor=cast.clerk.actor).items
    last = cases.access_case(case_id=case_id, actor=cast.clerk.actor).events[-1]
    assert (last.title["zh"], {fact.name for fact in last.facts}) == ("自动授权", {"basis", "fields", "until"})
    told = notices.list_notices(request=PageRequest(), actor=cast.leader.actor).items
    assert [notice.kind for notice in told if notice.case_id == case_id] == ["exchange.granted_at_once"]
    page = signed_in(cast.clerk).get(f"/exchange/grants/{made.grant_id}/").content.decode()
    assert f"/inbox/cases/{case_id}/" in page and "系统自动" in page
    last_day = date.fromisoformat(cases.get_case(case_id=case_id).data["until"])
    assert f"{last_day}" in page and f"{last_day + timedelta(days=1)}" not in page


def test_a_request_leads_to_its_grant_for_both_sides_and_nobody_else(code: str, cast: Cast) -> None:
    case_id = ask(code, cast)
    assert links_of(case_id, cast.clerk) == ()
    made = grant(code, cast, case_id=case_id)
    wanted = (("查看授权", f"/exchange/grants/{made.grant_id}/"),)
    assert links_of(case_id, cast.clerk) == links_of(case_id, cast.leader) == wanted
    without = Actor(kind="user", id="user:0", name="外人", organization=cast.bureau.code, role="officer", rights=())
    assert api.find_grant_of_case(case_id=case_id, actor=without) is None
    assert api.find_grant_of_case(case_id=case_id, actor=cast.bureau_clerk.actor) is None
    api.revoke_grant(grant_id=made.grant_id, reason="办结", actor=cast.leader.actor)
    assert links_of(case_id, cast.clerk) == wanted


def links_of(case_id: str, member: Member) -> tuple[tuple[str, str], ...]:
    """Return where the case of a request leads, and that its page shows it."""
    subject = cases.access_case(case_id=case_id, actor=member.actor).subject
    assert subject is not None
    page = signed_in(member).get(f"/inbox/cases/{case_id}/").content.decode()
    assert all(href in page for _text, href in subject.links)
    return tuple((text["zh"], href) for text, href in subject.links)


def test_what_is_not_shared_cannot_be_asked(cast: Cast, tmp_path: Path) -> None:
    code = spine.publish(spine.write_csv(tmp_path / "a.csv", spine.rows(3)), cast.owner.code, sharing="refused")
    with pytest.raises(NotShared):
        ask(code, cast)


def test_a_request_needs_a_purpose_and_a_published_resource(code: str, cast: Cast) -> None:
    def asks(purpose: str) -> object:
        return api.request_access(
            resource_code=code, fields=THREE, purpose=purpose, legal_basis="演示", actor=cast.clerk.actor
        )

    with pytest.raises(RequestPurposeMissing, match=f"request for {code} states no purpose") as told:
        asks(" ")
    assert "申请" in told.value.say("zh") and "查看记录" not in told.value.say("zh")
    catalog.withdraw_resource(code=code, reason="停用", actor=cast.leader.actor)
    with pytest.raises(Missing):
        asks("核对")


def test_the_owners_filter_stands_beside_the_requesters(code: str, cast: Cast) -> None:
    case_id = ask(code, cast, row_filter="region = '329901'")
    made = grant(code, cast, case_id=case_id, row_filter="uscc <> ''  AND capital > 10 OR false")
    page = api.read_rows(actor=cast.clerk.actor, resource_code=code, purpose="核对", grant_id=made.grant_id)
    assert {row["region"] for row in page.rows} == {"329901"}
    assert page.total == len([n for n in range(11, 20) if n % 2 and n % 5])
    with pytest.raises(ExpressionRefused):
        grant(code, cast, row_filter="nothing = 1")


@pytest.mark.parametrize(("begins", "ends"), [(-2, -1), (1, 2)])
def test_a_grant_opens_nothing_before_and_after_its_time(code: str, cast: Cast, begins: int, ends: int) -> None:
    made = grant(code, cast)
    at = now()
    GrantRecord.objects.update(valid_from=at + timedelta(days=begins), valid_until=at + timedelta(days=ends))
    with pytest.raises(GrantNotInForce):
        api.read_rows(actor=cast.clerk.actor, resource_code=code, purpose="核对", grant_id=made.grant_id)
    with pytest.raises(NoDoor):
        api.read_rows(actor=cast.clerk.actor, resource_code=code, purpose="核对")


def test_a_bad_row_filter_is_told_where(code: str, cast: Cast) -> None:
    with pytest.raises(ExpressionRefused):
        ask(code, cast, row_filter="region = (SELECT 1)")


def test_an_officer_without_the_right_cannot_make_systems(cast: Cast) -> None:
    with pytest.raises(Refused):
        api.create_system(name="x", organization=cast.owner.code, actor=cast.clerk.actor)


def test_a_grant_opens_neither_quarantine_nor_failing_keys(code: str, cast: Cast) -> None:
    made = grant(code, cast)
    for source in ("quarantine", "rejected", "failing_keys"):
        with pytest.raises(NoDoor):
            api.read_rows(
                actor=cast.clerk.actor, resource_code=code, purpose="核对", source=source, grant_id=made.grant_id
            )


def test_what_was_set_aside_is_for_who_mends_it(code: str, cast: Cast) -> None:
    assert api.read_rows(actor=cast.steward.actor, resource_code=code, purpose="整改", source="quarantine").total == 0
    with pytest.raises(NoDoor):
        api.read_rows(actor=cast.leader.actor, resource_code=code, purpose="看看", source="quarantine")


def test_a_filter_on_a_refused_field_is_refused_like_the_field(cast: Cast, tmp_path: Path) -> None:
    source = spine.write_csv(tmp_path / "a.csv", spine.rows(5))
    closed = {"capital": "sharing: refused, sharing_basis: 演示", "region": "sharing: conditional, sharing_basis: 演示"}
    code = spine.publish(source, cast.owner.code, sharing="unconditional", fields=closed)
    with pytest.raises(NotShared):
        api.request_access(
            resource_code=code, fields=("uscc",), purpose="核对", legal_basis="演示", row_filter="capital > 10", actor=cast.clerk.actor
        )
    case = api.request_access(
        resource_code=code, fields=("uscc",), purpose="核对", legal_basis="演示", row_filter="region = '329901'", actor=cast.clerk.actor
    )
    assert case.is_open, "a condition on a conditional field waits for the owner"


def test_who_may_not_decide_cannot_grant(code: str, cast: Cast) -> None:
    case_id = ask(code, cast)
    assert "grant" not in {a.name for a in cases.access_case(case_id=case_id, actor=cast.steward.actor).actions}
    with pytest.raises(ActionNotOffered):
        cases.act(case_id=case_id, action="grant", data={"fields": ["uscc"], "until": "2027-01-01"}, actor=cast.steward.actor)


def republish(code: str, cast: Cast, change: tuple[str, str]) -> None:
    """Change the contract and publish it as the operator, without a new load."""
    operator = organizations.operator_actor()
    text = catalog.render_contract(contract=catalog.get_resource(code=code).contract)
    changed = re.sub(*change, text, count=1)
    assert changed != text, text
    contract = catalog.parse_contract(text=changed, file="a.yml")
    catalog.register_resource(contract=contract, actor=operator)
    catalog.publish_resource(code=code, actor=operator, waiver="测试")
    api.refresh_rights_image()


def test_a_stricter_contract_reaches_the_grants_there_are(code: str, cast: Cast) -> None:
    made = grant(code, cast)
    republish(code, cast, (r"(name: enterprise_name,.*?mask: )none", r"\1hide"))
    page = api.read_rows(actor=cast.clerk.actor, resource_code=code, purpose="核对", grant_id=made.grant_id)
    assert "示范" not in str(page.rows)
    row = read_image(api.rights_image_path()).grants[made.grant_id]
    assert {f.name: f.mask for f in row.fields}["enterprise_name"] == "hide"


def test_a_field_that_the_contract_now_refuses_is_out(code: str, cast: Cast) -> None:
    made = grant(code, cast)
    republish(code, cast, (r"(name: region,[^}]*)", r"\1, sharing: refused, sharing_basis: 演示"))
    page = api.read_rows(actor=cast.clerk.actor, resource_code=code, purpose="核对", grant_id=made.grant_id)
    assert page.columns == ("uscc", "enterprise_name")
    row = read_image(api.rights_image_path()).grants[made.grant_id]
    assert [field.name for field in row.fields] == ["uscc", "enterprise_name"]


def test_a_renamed_field_leaves_the_others_readable(code: str, cast: Cast) -> None:
    made = grant(code, cast)
    republish(code, cast, ("name: region", "name: division"))
    page = api.read_rows(actor=cast.clerk.actor, resource_code=code, purpose="核对", grant_id=made.grant_id)
    assert page.columns == ("uscc", "enterprise_name")
    own = api.read_rows(actor=cast.steward.actor, resource_code=code, purpose="核对")
    assert "division" not in own.columns
    assert own.total == 20


def test_a_withdrawn_resource_is_served_to_nobody_else(code: str, cast: Cast) -> None:
    made = grant(code, cast)
    catalog.withdraw_resource(code=code, reason="停用", actor=cast.leader.actor)
    with pytest.raises(GrantNotInForce):
        api.read_rows(actor=cast.clerk.actor, resource_code=code, purpose="核对", grant_id=made.grant_id)
    assert read_image(api.rights_image_path()).grants[made.grant_id].state == "suspended"


def test_subjects_are_named_even_when_the_key_is_masked_or_not_granted(code: str, cast: Cast) -> None:
    made = grant(code, cast, fields=["enterprise_name"], masks={"enterprise_name": "hide"})
    page = api.read_rows(actor=cast.clerk.actor, resource_code=code, purpose="核对", grant_id=made.grant_id)
    record = evidence.access_evidence(evidence_id=page.evidence_id, actor=cast.leader.actor)
    assert len(set(record.facts["subjects"])) == 20
    assert page.columns == ("enterprise_name",)


def states() -> dict[str, str]:
    """Return the state of each grant in an image written now."""
    api.refresh_rights_image()
    return {name: str(row.state) for name, row in read_image(api.rights_image_path()).grants.items()}


def test_grants_of_an_organization_that_has_ended_are_suspended(code: str, cast: Cast) -> None:
    made, revoked = grant(code, cast).grant_id, grant(code, cast).grant_id
    api.revoke_grant(grant_id=revoked, reason="办结", actor=cast.leader.actor)
    today = local(now()).date()
    assert states() == {made: "active", revoked: "revoked"}
    for ends, state in ((today + timedelta(days=1), "active"), (today, "suspended")):
        Organization.objects.filter(code=cast.other.code).update(valid_from=date(2020, 1, 1), valid_until=ends)
        assert states() == {made: state, revoked: "revoked"}


def test_a_grant_whose_filter_no_longer_fits_is_suspended_alone(code: str, cast: Cast) -> None:
    made, broken = grant(code, cast).grant_id, grant(code, cast).grant_id
    GrantRecord.objects.filter(pk=broken).update(row_filter="a_column_that_went = 1")
    assert states() == {made: "active", broken: "suspended"}
