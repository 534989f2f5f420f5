"""The way of a resource: draft, review, publication, new version, withdrawal; who sees what of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import Cast
from tests.data.catalog.contracts import enterprises, persons
from yunhe.core.organizations import api as organizations
from yunhe.core.registers import api as registers
from yunhe.data.catalog import api
from yunhe.data.catalog.errors import (
    ContractBroken,
    MetadataIncomplete,
    ProviderUnknown,
    ResourceNotFound,
    TitleTaken,
    VersionNotFound,
)
from yunhe.data.catalog.types import RESOURCE_TYPE, Contract, FieldQuality, Resource
from yunhe.data.standards import api as standards
from yunhe.kernel.clock import frozen, now
from yunhe.kernel.errors import Refused, YunheError
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


def contract(text: str = "") -> Contract:
    return api.parse_contract(text=text or enterprises(), file="a.yml")


@pytest.fixture
def draft(national: None, cast: Cast) -> Resource:
    return api.register_resource(contract=contract(), actor=cast.steward.actor)


def publish(code: str, cast: Cast) -> Resource:
    api.submit_resource(code=code, actor=cast.steward.actor)
    api.publish_resource(code=code, actor=cast.leader.actor)
    return api.publish_resource(code=code, actor=cast.data_admin.actor)


@pytest.fixture
def published(draft: Resource, cast: Cast) -> Resource:
    return publish(draft.code, cast)


def titles(actor: Any, **filters: str) -> list[str]:
    return [line.title for line in api.list_resources(request=PageRequest(filters=filters), actor=actor).items]


def test_a_draft_gets_a_code_and_is_seen_by_its_department_only(draft: Resource, cast: Cast) -> None:
    assert draft.code == "300001/0001"
    assert (draft.state, draft.version, draft.owner, draft.owner_name) == ("draft", 1, cast.owner.code, "市市场监管局")
    assert titles(cast.steward.actor) == ["企业登记信息"]
    assert titles(cast.clerk.actor) == titles(cast.officer.actor) == []
    with pytest.raises(ResourceNotFound):
        api.access_resource(code=draft.code, actor=cast.clerk.actor)


def test_codes_count_up_for_each_provider(draft: Resource, cast: Cast) -> None:
    second = api.register_resource(contract=contract(persons()), actor=cast.steward.actor)
    other = contract(enterprises("社保信息").replace("市市场监管局", "市人社局"))
    third = api.register_resource(contract=other, actor=cast.clerk.actor)
    assert [second.code, third.code] == ["300001/0002", "300002/0001"]


def test_author_is_not_approver_and_the_bureau_publishes(draft: Resource, cast: Cast) -> None:
    api.submit_resource(code=draft.code, actor=cast.steward.actor)
    for actor in (cast.steward.actor, cast.clerk.actor):
        with pytest.raises(YunheError):
            api.publish_resource(code=draft.code, actor=actor)
    assert api.publish_resource(code=draft.code, actor=cast.leader.actor).state == "in_review"
    assert api.publish_resource(code=draft.code, actor=cast.data_admin.actor).state == "published"
    assert titles(cast.clerk.actor) == ["企业登记信息"]
    assert api.access_resource(code=draft.code, actor=cast.clerk.actor).contract.keys == ("uscc",)


def test_the_operator_may_waive_the_second_person(draft: Resource) -> None:
    done = api.publish_resource(code=draft.code, actor=organizations.operator_actor(), waiver="首次部署")
    assert done.state == "published"
    again = api.publish_resource(code=draft.code, actor=organizations.operator_actor(), waiver="首次部署")
    assert again.version == done.version


def test_another_department_may_not_register_for_it(national: None, cast: Cast) -> None:
    with pytest.raises(Refused):
        api.register_resource(contract=contract(), actor=cast.clerk.actor)
    with pytest.raises(Refused):
        api.register_resource(contract=contract(), actor=cast.officer.actor)


@pytest.mark.parametrize("name", ["市市场监管局", "示范市市场监督管理局", "113299000032990445"])
def test_the_provider_is_found_by_code_full_and_short_name(national: None, cast: Cast, name: str) -> None:
    found = api.register_resource(contract=replace(contract(), provider=name), actor=cast.steward.actor)
    assert found.owner == cast.owner.code
    assert found.contract.provider == "示范市市场监督管理局"


def test_an_unknown_provider_is_told_with_its_line(national: None, cast: Cast) -> None:
    with pytest.raises(ProviderUnknown) as caught:
        api.register_resource(contract=contract(enterprises().replace("市市场监管局", "市航天局")), actor=cast.steward.actor)
    assert "a.yml:4" in caught.value.say("zh") and "市航天局" in caught.value.say("en")


def test_a_name_is_unique_inside_its_provider(draft: Resource, cast: Cast) -> None:
    with pytest.raises(TitleTaken) as caught:
        api.register_resource(contract=contract(), actor=cast.steward.actor)
    assert draft.code in caught.value.say("zh")
    same = contract(enterprises().replace("市市场监管局", "市人社局"))
    assert api.register_resource(contract=same, actor=cast.clerk.actor).title == draft.title


def test_the_same_contract_again_changes_nothing(published: Resource, cast: Cast) -> None:
    again = api.register_resource(contract=replace(contract(), code=published.code), actor=cast.steward.actor)
    assert (again.version, again.open_state) == (1, "")


def test_a_new_version_stands_beside_the_published_one_until_it_is_published(published: Resource, cast: Cast) -> None:
    changed = replace(contract(), code=published.code, summary="新摘要")
    api.register_resource(contract=changed, actor=cast.steward.actor)
    assert api.get_resource(code=published.code).contract.summary == "全部登记在册的企业"
    assert api.list_versions(code=published.code, actor=cast.clerk.actor)[0].version == 1
    view = api.view_resource(code=published.code, actor=cast.steward.actor)
    assert (view.open_version, view.may_submit) == (2, True)
    with pytest.raises(VersionNotFound):
        api.access_resource(code=published.code, actor=cast.clerk.actor, version=2)
    publish(published.code, cast)
    assert api.get_resource(code=published.code).version == 2
    (found,) = api.compare_versions(code=published.code, before=1, after=2, actor=cast.clerk.actor)
    assert (found.path, found.after) == ("summary", "新摘要")


def test_what_is_in_review_cannot_be_changed(draft: Resource, cast: Cast) -> None:
    api.submit_resource(code=draft.code, actor=cast.steward.actor)
    with pytest.raises(YunheError) as caught:
        api.register_resource(contract=replace(contract(), code=draft.code, summary="x"), actor=cast.steward.actor)
    assert caught.value.kind == "conflict"


def test_an_edit_over_somebody_elses_edit_is_refused(draft: Resource, cast: Cast) -> None:
    edit = api.view_resource(code=draft.code, actor=cast.steward.actor).edit
    first, second = (replace(contract(), code=draft.code, summary=text) for text in ("甲", "乙"))
    api.register_resource(contract=first, actor=cast.steward.actor, expected_edit=edit)
    with pytest.raises(YunheError) as caught:
        api.register_resource(contract=second, actor=cast.steward.actor, expected_edit=edit)
    assert caught.value.kind == "conflict"
    assert api.get_resource(code=draft.code).contract.summary == "甲"


def test_review_asks_for_the_core_metadata_field_by_field(national: None, cast: Cast) -> None:
    bare = persons().replace("summary: 人员\n", "").replace("legal_basis: 演示条例第一条\n", "").replace("location: people.csv", "")
    code = api.register_resource(contract=contract(bare), actor=cast.steward.actor).code
    with pytest.raises(MetadataIncomplete) as caught:
        api.submit_resource(code=code, actor=cast.steward.actor)
    assert [one.field for one in caught.value.problems] == ["summary", "source.location", "legal_basis"]


def test_no_door_of_the_register_goes_round_the_checks(draft: Resource, cast: Cast) -> None:
    entry = registers.get_entry(type_code=RESOURCE_TYPE, code=draft.code)
    body = {**entry.body, "keys": ["nothing"]}
    registers.save_draft(entry_id=entry.entry_id, title=entry.title, body=body, expected_version=None, actor=cast.steward.actor)
    with pytest.raises(YunheError) as caught:
        registers.submit_entry(entry_id=entry.entry_id, actor=cast.steward.actor)
    assert "keys" in caught.value.say("zh")
    with pytest.raises(ContractBroken):
        api.submit_resource(code=draft.code, actor=cast.steward.actor)


def test_withdrawn_leaves_the_list_of_users_and_its_name_is_free(published: Resource, cast: Cast) -> None:
    assert standards.where_used(element="uscc").total == 1
    gone = api.withdraw_resource(code=published.code, reason="机构调整", actor=cast.data_admin.actor)
    assert gone.state == "withdrawn"
    assert standards.where_used(element="uscc").total == 0
    assert titles(cast.clerk.actor, state="withdrawn") == ["企业登记信息"]
    assert api.register_resource(contract=contract(), actor=cast.steward.actor).code != published.code


def test_releases_make_it_fresh_and_a_missed_cycle_late(published: Resource, cast: Cast) -> None:
    counts = {"rows_in": 10, "quarantined": 1, "rejected": 1, "checked": 100, "failed": 2, "failing_keys": 2}
    for _ in range(2):
        api.record_release(code=published.code, release_id="R1", snapshot_id=7, rows=8, at=AT, counts=counts)
    found = api.get_resource(code=published.code)
    assert (found.rows, found.snapshot_id, found.share, found.failing_rows) == (8, 7, 0.98, 2)
    assert len(api.list_receivals(code=published.code, actor=cast.clerk.actor)) == 1
    for days, state, late in ((0, "fresh", 0), (1, "fresh", 0), (2, "late", 1)):
        with frozen(AT + timedelta(days=days)):
            fresh = api.freshness(resource=found)
            assert (fresh.state, fresh.days_late) == (state, late)
            assert api.count_ledger(actor=cast.clerk.actor).late == late
            assert titles(cast.clerk.actor, freshness="late") == (["企业登记信息"] if late else [])
    with frozen(AT):
        calendar = api.update_calendar(code=published.code, actor=cast.clerk.actor)
        assert (len(calendar), calendar[-1][1], sum(count for _, count in calendar)) == (30, 1, 1)


def test_quality_of_fields_counts_for_the_current_snapshot_only(published: Resource) -> None:
    api.record_release(code=published.code, release_id="R1", snapshot_id=7, rows=8, at=AT)
    told = {"uscc": FieldQuality(share=0.9, null_share=0.1, failed=1)}
    api.record_quality(code=published.code, snapshot_id=6, fields=told, at=AT)
    assert api.get_resource(code=published.code).field_quality == {}
    api.record_quality(code=published.code, snapshot_id=7, fields=told, at=AT)
    assert api.get_resource(code=published.code).field_quality == told


def test_uses_are_counted_by_consumer_and_channel(published: Resource, cast: Cast) -> None:
    for channel in ("gateway", "gateway", "query"):
        api.record_use(code=published.code, consumer=cast.other.code, channel=channel, at=now())
    api.record_use(code=published.code, consumer="", channel="query", at=now())
    assert api.get_resource(code=published.code).users == 1
    users = api.list_users(code=published.code, actor=cast.steward.actor).items
    assert {(one.channel, one.calls, one.consumer_name) for one in users} == {("gateway", 2, "市人社局"), ("query", 1, "市人社局")}


def test_reports_on_what_is_not_there_are_refused(national: None) -> None:
    with pytest.raises(ResourceNotFound):
        api.record_release(code="300009/0001", release_id="R", snapshot_id=1, rows=1, at=AT)
    with pytest.raises(ResourceNotFound):
        api.record_use(code="300009/0001", consumer="A", channel="query", at=AT)
    assert api.find_resource(code="300009/0001") is None


def test_facets_and_search_see_only_what_the_actor_sees(published: Resource, cast: Cast) -> None:
    api.register_resource(contract=contract(persons()), actor=cast.steward.actor)
    asked = PageRequest(search="统一社会")
    assert api.list_resources(request=asked, actor=cast.clerk.actor).total == 1
    page = api.list_resources(request=PageRequest(), actor=cast.clerk.actor)
    assert {(f.name, f.value, f.count) for f in page.facets if f.name in ("sharing", "grade")} == {
        ("sharing", "unconditional", 1), ("grade", "1", 1),
    }  # fmt: skip
    own = api.list_resources(request=PageRequest(), actor=cast.steward.actor)
    assert {(f.value, f.count) for f in own.facets if f.name == "state"} == {("published", 1), ("draft", 1)}
    assert titles(cast.steward.actor, state="open") == ["人员信息"]
    for filters in ({"grade": "9"}, {"freshness": "?"}, {"cycle": "yearly"}, {"provider": "x"}):
        assert titles(cast.steward.actor, **filters) == []


def test_a_page_costs_the_same_queries_for_one_and_for_many(draft: Resource, cast: Cast) -> None:
    def cost() -> int:
        with CaptureQueriesContext(connection) as found:
            api.list_resources(request=PageRequest(), actor=cast.steward.actor)
        return len(found)

    one = cost()
    for number in range(6):
        api.register_resource(contract=contract(enterprises(f"资源{number}")), actor=cast.steward.actor)
    assert cost() == one


def test_columns_become_a_contract_to_correct(national: None) -> None:
    text = api.propose_contract(
        texts={"title": "企业", "provider": "市市场监管局", "sharing": "unconditional", "source_connector": "csv", "source_location": "/a.csv"},
        columns=["统一社会信用代码", "企业名称", "企业名称", "法定代表人", "自定义列"],
        keys=["统一社会信用代码"],
    )
    found = contract(text)
    assert [(one.name, one.element) for one in found.fields] == [
        ("uscc", "uscc"), ("organization_name", "organization_name"), ("person_name", "person_name"), ("zdyl", ""),
    ]  # fmt: skip
    assert (found.keys, found.grade, found.personal) == (("uscc",), 2, True)
