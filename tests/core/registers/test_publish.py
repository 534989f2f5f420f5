from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from django.utils import translation

from tests.conftest import Cast
from tests.core.cases.test_pages import signed_in
from tests.core.registers.conftest import BODY
from yunhe.core.cases import api as cases
from yunhe.core.cases.errors import ActionNotOffered, FieldsInvalid, GuardRefused, WaiverRefused
from yunhe.core.cases.models import EventRecord
from yunhe.core.organizations import api as organizations
from yunhe.core.organizations.models import Membership
from yunhe.core.registers import api
from yunhe.core.registers.api import types as register_types
from yunhe.core.registers.errors import (
    CodeTaken,
    EntryChanged,
    EntryNotFound,
    EntryStateRefused,
    NothingChanged,
    SelfApprovalRefused,
    VersionNotFound,
)
from yunhe.core.registers.models import ChangeRecord, EntryRecord, VersionRecord
from yunhe.core.registers.types import Entry, EntryDraft
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import frozen
from yunhe.kernel.errors import Refused
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
Draft = Callable[..., Entry]
Publish = Callable[[Entry], Entry]


def case_of(entry: Entry) -> Any:
    found = cases.find_open_case(kind="publication", subject_type="register_entry", subject_id=entry.entry_id)
    assert found is not None
    return found


def test_codes_are_issued_by_class_owner_and_sequence(draft: Draft, cast: Cast) -> None:
    assert [draft().code, draft().code] == ["307001/0001", "307001/0002"]
    other = api.create_entry(
        type_code="asset", owner=cast.other.code, title="参保信息", body=BODY, actor=cast.clerk.actor
    )
    assert other.code == "307002/0001"
    assert draft(body={"classification": "101"}).code == "101001/0001"


def test_a_given_code_is_taken_once_and_never_issued_again(draft: Draft) -> None:
    assert draft(code="307001/0002").code == "307001/0002"
    with pytest.raises(CodeTaken):
        draft(code="307001/0002")
    assert [draft().code, draft().code] == ["307001/0001", "307001/0003"]
    with pytest.raises(FieldsInvalid):
        draft(code="../etc/passwd ")


def test_two_persons_and_the_bureau_publish(draft: Draft, cast: Cast) -> None:
    entry = api.submit_entry(entry_id=draft().entry_id, actor=cast.steward.actor, note="首次编目")
    assert (entry.state, entry.open_state) == ("in_review", "in_review")
    case = case_of(entry)
    assert (case.data["register"], case.data["digest"], case.data["bureau_step"]) == ("asset", entry.digest, True)
    cases.act(case_id=case.case_id, action="approve", data={"opinion": "属实"}, actor=cast.leader.actor, expected_version=1)
    done = cases.act(case_id=case.case_id, action="publish", data={}, actor=cast.data_admin.actor, expected_version=2)
    assert (done.state, done.outcome) == ("closed", "published")
    shown = api.get_entry(type_code="asset", code=entry.code)
    assert (shown.state, shown.open_state, shown.published_version) == ("published", "", 1)
    assert [c.action for c in api.list_changes(owner=cast.owner.code)] == ["created", "submitted", "published"]


def test_whoever_submitted_takes_it_back_and_writes_on(draft: Draft, cast: Cast) -> None:
    entry = api.submit_entry(entry_id=draft().entry_id, actor=cast.steward.actor)
    case = case_of(entry)
    cases.act(case_id=case.case_id, action="approve", data={}, actor=cast.leader.actor)
    done = cases.withdraw(case_id=case.case_id, reason="漏了一项", actor=cast.steward.actor)
    assert (done.phase, done.outcome) == ("abandoned", "abandoned")
    again = api.submit_entry(entry_id=entry.entry_id, actor=cast.steward.actor)
    assert again.open_state == "in_review" and case_of(again).case_id != case.case_id


def test_author_and_submitter_do_not_approve(draft: Draft, cast: Cast, founder: Actor) -> None:
    organizations.add_membership(username="steward", organization=cast.owner.code, role="data_leader", actor=founder)
    second_hat = organizations.find_actor(username="steward", organization=f"{cast.owner.code}/data_leader")
    entry = api.submit_entry(entry_id=draft().entry_id, actor=cast.steward.actor)
    for action, data in (("approve", {}), ("send_back", {"reason": "重写"})):
        with pytest.raises(GuardRefused):
            cases.act(case_id=case_of(entry).case_id, action=action, data=data, actor=second_hat)
    (shown, _) = cases.access_case(case_id=case_of(entry).case_id, actor=second_hat).actions
    assert shown.refusal is not None and "另一位负责人" in shown.refusal["zh"]


def test_without_review_nobody_publishes(draft: Draft, cast: Cast) -> None:
    with pytest.raises(SelfApprovalRefused):
        api.publish_entry(entry_id=draft().entry_id, actor=cast.data_admin.actor)
    entry = api.submit_entry(entry_id=draft().entry_id, actor=cast.steward.actor)
    with pytest.raises(ActionNotOffered):
        api.publish_entry(entry_id=entry.entry_id, actor=cast.data_admin.actor)
    with pytest.raises(WaiverRefused):
        api.publish_entry(entry_id=entry.entry_id, actor=cast.data_admin.actor, waiver="着急")


def test_the_operators_waiver_is_an_event_of_the_publication_case(draft: Draft, cast: Cast) -> None:
    operator = organizations.operator_actor()
    entry = api.publish_entry(entry_id=draft(actor=operator).entry_id, actor=operator, waiver="演示环境，仅一人")
    assert (entry.state, entry.published_version) == ("published", 1)
    (case,) = cases.list_cases(request=PageRequest(), actor=operator).items
    view = cases.access_case(case_id=case.case_id, actor=operator)
    assert [event.action for event in view.events] == ["open", "waiver"]
    assert view.events[1].facts[0].value == "演示环境，仅一人"
    assert VersionRecord.objects.get().waived
    assert cases.replay_case(case_id=case.case_id, actor=operator).equal


def test_a_waiver_without_reason_publishes_nothing(draft: Draft) -> None:
    operator = organizations.operator_actor()
    entry = draft(actor=operator)
    with pytest.raises(FieldsInvalid):
        api.publish_entry(entry_id=entry.entry_id, actor=operator, waiver="   ")
    assert EntryRecord.objects.get().open_state == "draft"


def test_the_waiver_is_refused_in_the_server_profile(draft: Draft, settings: Any) -> None:
    operator = organizations.operator_actor()
    entry = draft(actor=operator)
    settings.YUNHE = {**settings.YUNHE, "PROFILE": "server"}
    with pytest.raises(WaiverRefused):
        api.publish_entry(entry_id=entry.entry_id, actor=operator, waiver="演示")


def test_sent_back_mended_and_published(draft: Draft, cast: Cast) -> None:
    entry = api.submit_entry(entry_id=draft().entry_id, actor=cast.steward.actor)
    case = case_of(entry)
    cases.act(case_id=case.case_id, action="send_back", data={"reason": "缺摘要"}, actor=cast.leader.actor)
    entry = api.save_draft(
        entry_id=entry.entry_id, title=entry.title, body={**BODY, "summary": "全市企业登记"}, expected_version=None,
        actor=cast.steward.actor,
    )  # fmt: skip
    assert (entry.state, entry.version) == ("draft", 1)
    api.submit_entry(entry_id=entry.entry_id, actor=cast.steward.actor, note="补摘要")
    again = case_of(entry)
    assert again.case_id == case.case_id and again.data["digest"] == entry.digest
    api.publish_entry(entry_id=entry.entry_id, actor=cast.leader.actor)
    assert api.publish_entry(entry_id=entry.entry_id, actor=cast.data_admin.actor).body["summary"] == "全市企业登记"
    assert cases.replay_case(case_id=case.case_id, actor=cast.data_admin.actor).equal


def test_the_case_is_called_what_its_draft_is_called_now_and_found_by_both_names(draft: Draft, cast: Cast) -> None:
    entry, leader = draft(title="工商户底册"), cast.leader.actor
    api.submit_entry(entry_id=entry.entry_id, actor=cast.steward.actor)
    case = case_of(entry)
    cases.act(case_id=case.case_id, action="send_back", data={"reason": "名称不准"}, actor=leader)
    renamed = {"title": "在业企业名册", "body": BODY, "expected_version": None, "actor": cast.steward.actor}
    for _again in range(2):  # the second time it is called so already
        api.save_draft(entry_id=entry.entry_id, **renamed)
    api.submit_entry(entry_id=entry.entry_id, actor=cast.steward.actor)
    for asked in ("在业企业名册", "工商户底册", f"{case.number.lower()} 在业企业名册"):
        found = cases.list_cases(request=PageRequest(search=asked), actor=leader).items
        assert [one.title for one in found] == ["在业企业名册"], asked
    assert [one.case_title for one in cases.list_waiting(request=PageRequest(search="在业"), actor=leader).items] == ["在业企业名册"]
    page = signed_in(cast.leader).get(f"/inbox/cases/{case.case_id}/").content.decode()
    assert "<title>在业企业名册" in page and "原名：工商户底册" in page
    assert [event.action for event in EventRecord.objects.filter(case=case.case_id)].count("retitle") == 1
    assert cases.replay_case(case_id=case.case_id, actor=leader).equal


def test_what_was_reviewed_is_what_goes_out(draft: Draft, cast: Cast) -> None:
    entry = api.submit_entry(entry_id=draft().entry_id, actor=cast.steward.actor)
    with pytest.raises(EntryStateRefused):
        api.save_draft(
            entry_id=entry.entry_id, title="换了", body=BODY, expected_version=entry.edit, actor=cast.steward.actor
        )
    api.publish_entry(entry_id=entry.entry_id, actor=cast.leader.actor)
    VersionRecord.objects.update(digest="0" * 64)
    with pytest.raises(EntryChanged):
        api.publish_entry(entry_id=entry.entry_id, actor=cast.data_admin.actor)
    assert case_of(entry).phase == "release"


def test_versions_stand_beside_each_other_and_answer_for_their_day(draft: Draft, publish: Publish, cast: Cast) -> None:
    Membership.objects.update(valid_from=date(2026, 1, 1))
    with frozen(datetime(2026, 3, 2, 2, tzinfo=UTC)):
        first = publish(draft())
    with frozen(datetime(2026, 5, 11, 2, tzinfo=UTC)):
        second = api.save_draft(
            entry_id=first.entry_id, title=first.title, body={**BODY, "update_cycle": "weekly"},
            expected_version=first.edit, actor=cast.steward.actor,
        )  # fmt: skip
        assert (second.state, second.open_state, second.version) == ("published", "draft", 2)
        assert api.get_entry(type_code="asset", code=first.code).version == 1
        publish(second)
    told = {"type_code": "asset", "code": first.code}
    assert api.get_entry(**told, on=date(2026, 5, 10)).body["update_cycle"] == "daily"
    assert api.get_entry(**told, on=date(2026, 5, 11)).body["update_cycle"] == "weekly"
    with pytest.raises(VersionNotFound):
        api.get_entry(**told, on=date(2026, 3, 1))
    (difference,) = api.compare_versions(entry_id=first.entry_id, before=1, after=2, actor=cast.leader.actor)
    assert (difference.field, difference.before, difference.after) == ("update_cycle", "daily", "weekly")


def test_publishing_the_same_again_is_refused(draft: Draft, publish: Publish, cast: Cast) -> None:
    entry = publish(draft())
    api.save_draft(entry_id=entry.entry_id, title=entry.title, body=BODY, expected_version=None, actor=cast.steward.actor)
    with pytest.raises(NothingChanged):
        api.submit_entry(entry_id=entry.entry_id, actor=cast.steward.actor)


def test_withdrawn_is_out_of_force_but_kept(draft: Draft, publish: Publish, cast: Cast) -> None:
    Membership.objects.update(valid_from=date(2026, 1, 1))
    with frozen(datetime(2026, 3, 2, 2, tzinfo=UTC)):
        entry = publish(draft())
    with frozen(datetime(2026, 3, 10, 2, tzinfo=UTC)):
        with pytest.raises(Refused):
            api.withdraw_entry(entry_id=entry.entry_id, reason="停用", actor=cast.steward.actor)
        gone = api.withdraw_entry(entry_id=entry.entry_id, reason="系统停用", actor=cast.leader.actor)
    assert gone.state == "withdrawn"
    assert api.get_entry(type_code="asset", code=entry.code, on=date(2026, 3, 9)).version == 1
    with pytest.raises(VersionNotFound):
        api.get_entry(type_code="asset", code=entry.code, on=date(2026, 3, 10))
    with pytest.raises(EntryStateRefused):
        api.withdraw_entry(entry_id=entry.entry_id, reason="再来", actor=cast.leader.actor)


def test_two_who_edit_the_same_step(draft: Draft, cast: Cast) -> None:
    entry = draft()
    told = {"entry_id": entry.entry_id, "title": "甲", "body": BODY, "actor": cast.steward.actor}
    api.save_draft(**told, expected_version=entry.edit)
    with pytest.raises(EntryChanged):
        api.save_draft(**told, expected_version=entry.edit)


def test_another_department_neither_edits_nor_sees_drafts(draft: Draft, publish: Publish, cast: Cast) -> None:
    entry = draft()
    with pytest.raises(Refused):
        draft(actor=cast.clerk.actor)
    with pytest.raises(Refused):
        api.save_draft(entry_id=entry.entry_id, title="乙", body=BODY, expected_version=None, actor=cast.clerk.actor)
    with pytest.raises(EntryNotFound):
        api.access_entry(type_code="asset", code=entry.code, actor=cast.clerk.actor)
    assert api.list_entries(type_code="asset", request=PageRequest(), actor=cast.clerk.actor).total == 0
    publish(entry)
    api.save_draft(
        entry_id=entry.entry_id, title="新名", body={**BODY, "summary": "未公布"}, expected_version=None, actor=cast.steward.actor
    )
    seen = api.access_entry(type_code="asset", code=entry.code, actor=cast.clerk.actor)
    assert (seen.entry.version, len(seen.versions), seen.may_edit) == (1, 1, False)
    inside = api.access_entry(type_code="asset", code=entry.code, actor=cast.steward.actor)
    assert (inside.entry.version, inside.may_submit) == (2, True)
    assert [d.field for d in inside.differences] == ["summary"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"sharing": "sometimes"}, "sharing"),
        ({"summary": "\udfff"}, "summary"),
        ({"grade": 2**70}, "grade"),
        ({"fields": {"n": 2**60}}, "fields"),
        ({"unheard": ["\x00"]}, "body"),
    ],
)
def test_a_bad_body_names_its_field(draft: Draft, body: dict[str, Any], field: str) -> None:
    with pytest.raises(FieldsInvalid) as refused:
        draft(body=body)
    assert [problem.field for problem in refused.value.problems] == [field]


def test_a_draft_may_be_incomplete_a_submission_not(registers: None, cast: Cast) -> None:
    entry = api.create_entry(
        type_code="asset", owner=cast.owner.code, title="半成品", body={}, actor=cast.steward.actor
    )
    with pytest.raises(FieldsInvalid) as refused:
        api.submit_entry(entry_id=entry.entry_id, actor=cast.steward.actor)
    assert {p.field for p in refused.value.problems} == {"fields", "sharing", "update_cycle"}


def test_the_room_above_checks_and_is_told(
    draft: Draft, publish: Publish, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    from yunhe.core.cases.errors import FieldProblem

    told: list[tuple[str, str]] = []

    def check(body: Any) -> tuple[FieldProblem, ...]:
        missing = body["sharing"] == "conditional" and not body.get("sharing_basis")
        return (FieldProblem("sharing_basis", "required", "须写明依据。", "Say by which rule."),) if missing else ()

    handler = register_types.TypeHandler(
        check=check,
        published=lambda entry, actor: told.append((entry.code, actor.id)),
        withdrawn=lambda entry, actor: told.append(("gone", actor.id)),
    )
    monkeypatch.setitem(register_types._handlers, "asset", handler)
    entry = draft()
    with pytest.raises(FieldsInvalid):
        api.submit_entry(entry_id=entry.entry_id, actor=cast.steward.actor)
    entry = publish(draft(body={"sharing_basis": "某办法第五条"}))
    api.withdraw_entry(entry_id=entry.entry_id, reason="停用", actor=cast.leader.actor)
    assert told == [(entry.code, cast.data_admin.actor.id), ("gone", cast.leader.actor.id)]


def test_a_pack_brings_entries_once(registers: None, founder: Actor, cast: Cast) -> None:
    given = [EntryDraft("uscc", "统一社会信用代码", BODY)]
    told = {"type_code": "asset", "owner": "national", "source": "national", "actor": founder}
    first, again = api.load_entries(entries=given, **told), api.load_entries(entries=given, **told)
    assert (first.created, again.unchanged, again.changed) == (1, 1, 0)
    given = [EntryDraft("uscc", "统一社会信用代码", {**BODY, "grade": 3})]
    assert api.load_entries(entries=given, **told).changed == 1
    assert api.get_entry(type_code="asset", code="uscc").version == 2
    with pytest.raises(Refused):
        api.load_entries(entries=given, **{**told, "actor": cast.data_admin.actor})


def test_changes_are_numbered_without_gap_per_owner(draft: Draft, publish: Publish, cast: Cast) -> None:
    publish(draft())
    with pytest.raises(FieldsInvalid):
        draft(body={"sharing": "never"})
    publish(draft())
    assert [c.sequence for c in api.list_changes(owner=cast.owner.code)] == [1, 2, 3, 4, 5, 6]
    assert [c.sequence for c in api.list_changes(owner=cast.owner.code, after_sequence=4)] == [5, 6]
    assert ChangeRecord.objects.filter(evidence_id="").count() == 0


def test_the_reviewer_sees_what_would_go_out(draft: Draft, publish: Publish, cast: Cast) -> None:
    entry = api.submit_entry(entry_id=draft().entry_id, actor=cast.steward.actor)
    subject = cases.access_case(case_id=case_of(entry).case_id, actor=cast.leader.actor).subject
    assert subject is not None and not subject.compared
    assert {line.title["zh"]: line.after for line in subject.lines}["更新周期"] == "daily"
    api.publish_entry(entry_id=entry.entry_id, actor=cast.leader.actor)
    api.publish_entry(entry_id=entry.entry_id, actor=cast.data_admin.actor)
    body = {**BODY, "update_cycle": "weekly", "fields": [{"name": "uscc", "title": "代码"}, {"name": "state"}]}
    api.save_draft(entry_id=entry.entry_id, title=entry.title, body=body, expected_version=None, actor=cast.steward.actor)
    api.submit_entry(entry_id=entry.entry_id, actor=cast.steward.actor)
    case = case_of(entry)
    assert case.data["changes"] == ["更新周期", "信息项"]
    subject = cases.access_case(case_id=case.case_id, actor=cast.leader.actor).subject
    assert subject is not None and subject.compared
    assert [(line.title["zh"], line.before, line.after) for line in subject.lines] == [
        ("更新周期", "daily", "weekly"),
        ("信息项", "uscc", "代码/uscc、state"),
    ]
    with translation.override("en"):
        subject = cases.access_case(case_id=case.case_id, actor=cast.leader.actor).subject
    assert subject is not None and subject.lines[1].after == "代码/uscc, state"
