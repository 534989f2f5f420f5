"""Evidence: appended with the act, seen by whom it concerns, collected from the gateway."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from gmssl import sm3 as reference
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Cast
from yunhe.core.evidence import api
from yunhe.core.evidence.errors import BadEvidence, EvidenceIsAppendOnly, EvidenceOutsideTransaction
from yunhe.core.evidence.models import EvidenceRow, SegmentCursor
from yunhe.core.evidence.rules import DOMAIN, canonical, plain_facts
from yunhe.core.evidence.types import EvidenceRecord, Personal
from yunhe.engine.evidencelog import SegmentWriter
from yunhe.kernel.actor import Actor, Door, Right, coming_through, job_actor
from yunhe.kernel.clock import now
from yunhe.kernel.errors import Missing, Refused
from yunhe.kernel.ids import new_id
from yunhe.kernel.pages import PageRequest

ASKER = job_actor("tests")


def append(**more: Any) -> str:
    values: dict[str, Any] = {"kind": "tests.act", "actor": ASKER, "subject_type": "thing", "subject_id": "1", "facts": {}}
    with transaction.atomic():
        return api.append(**(values | more))


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_nothing_is_appended() -> None:
    assert not connection.in_atomic_block
    with pytest.raises(EvidenceOutsideTransaction):
        api.append(kind="tests.act", actor=ASKER, subject_type="thing", subject_id="1", facts={})


@pytest.mark.django_db
def test_a_record_falls_with_the_act() -> None:
    with pytest.raises(ZeroDivisionError), transaction.atomic():  # noqa: PT012
        append()
        raise ZeroDivisionError
    assert not EvidenceRow.objects.exists()


@pytest.mark.django_db
def test_a_record_comes_back_as_it_was_written() -> None:
    at = datetime(2024, 5, 1, 8, 0, 0, 123456, tzinfo=timezone(timedelta(hours=8)))
    facts = {"field": "信息项", "n": 3, "none": None, "list": [1, "二"], "on": at.date()}
    record_id = append(facts=facts, at=at, organization="ORG")
    record = api.get_evidence(evidence_id=record_id)
    assert (record.at, record.owner_organization, record.actor_id) == (at, "ORG", "job:tests")
    assert record.facts == {"field": "信息项", "n": 3, "none": None, "list": [1, "二"], "on": "2024-05-01"}
    assert record.at.utcoffset() == timedelta(0)
    assert api.is_intact(record=record)


@pytest.mark.django_db
def test_the_digest_is_sm3_over_the_documented_text() -> None:
    with coming_through(Door("cli", "li")):
        asker = job_actor("tests")
    record = api.get_evidence(evidence_id=append(facts={"乙": 1, "甲": [2]}, actor=asker))
    content = {
        "id": record.id, "at": record.at.astimezone(UTC).isoformat(), "kind": record.kind,
        "actor_kind": "job", "actor_id": "job:tests", "actor_name": "tests", "actor_role": "", "organization": "",
        "owner_organization": "", "subject_type": "thing", "subject_id": "1", "source": "control",
        "via": "cli", "os_user": "li", "facts_text": '{"乙":1,"甲":[2]}',
    }  # fmt: skip
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    message = b"yunhe.evidence.record.v1\x00" + bytes.fromhex(record.salt) + text.encode()
    assert DOMAIN == b"yunhe.evidence.record.v1\x00"
    assert record.digest == reference.sm3_hash(list(message))


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("column", "value"),
    [("kind", "other"), ("actor_name", "x"), ("facts_text", '{"a":2}'), ("subject_id", "2"), ("owner_organization", "O"), ("via", "web"),
     ("os_user", "li")],
)
def test_a_changed_row_is_seen(column: str, value: str) -> None:
    record_id = append(facts={"a": 1})
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE evidence_evidencerow SET {column} = %s", [value])
    assert not api.is_intact(record=api.get_evidence(evidence_id=record_id))


@pytest.mark.django_db
def test_the_same_act_twice_has_two_digests_and_a_personal_value_is_never_stored() -> None:
    value = "329901199001011234"
    ids = [append(facts={"who": {"id": Personal(value)}}) for _ in range(2)]
    records = [api.get_evidence(evidence_id=record_id) for record_id in ids]
    assert value not in str(list(EvidenceRow.objects.values()))
    commitments = [record.facts["who"]["id"]["commitment"] for record in records]
    assert len({*commitments, *(record.digest for record in records)}) == 4
    for record_id, commitment in zip(ids, commitments, strict=True):
        ask = {"evidence_id": record_id, "path": "who.id", "commitment": commitment}
        assert api.is_commitment_of(value=value, **ask)
        assert not api.is_commitment_of(value=value[:-1] + "5", **ask)
    assert value not in repr(Personal(value))


@pytest.mark.django_db
def test_rows_are_never_changed_nor_removed() -> None:
    append()
    row = EvidenceRow.objects.get()
    for act in (row.save, row.delete, EvidenceRow.objects.all().delete, lambda: EvidenceRow.objects.update(kind="x")):
        with pytest.raises(EvidenceIsAppendOnly):
            act()
    assert EvidenceRow.objects.get().kind == "tests.act"


@pytest.mark.django_db
@pytest.mark.parametrize(
    "wrong",
    [
        {"facts": {"x": object()}},
        {"facts": {"x": float("nan")}},
        {"facts": {"x": "\ud800"}},
        {"facts": {"x": "y" * 70_000}},
        {"subject_id": "a\x00"},
        {"subject_id": "x" * 201},
        {"kind": "\ud800"},
        {"at": datetime(2024, 1, 1)},  # noqa: DTZ001
    ],
)
def test_what_no_database_holds_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadEvidence):
        append(**wrong)
    assert not EvidenceRow.objects.exists()


@pytest.mark.django_db
def test_the_auditor_sees_all_and_a_steward_their_own_organisations(cast: Cast) -> None:
    append(kind="tests.one", actor=cast.steward.actor, subject_id="acted")
    append(kind="tests.one", actor=cast.clerk.actor, subject_id="owned", organization=cast.owner.code)
    append(kind="tests.one", actor=cast.clerk.actor, subject_id="foreign")

    def seen(actor: Actor) -> set[str]:
        page = api.find(request=PageRequest(filters={"kind": "tests.one"}), actor=actor)
        assert page.total == len(page.items) == sum(facet.count for facet in page.facets)
        return {record.subject_id for record in page.items}

    assert seen(cast.audit_admin.actor) == {"acted", "owned", "foreign"}
    assert seen(cast.steward.actor) == {"acted", "owned"}
    assert seen(cast.clerk.actor) == {"owned", "foreign"}
    for nobody in (cast.officer.actor, cast.system_admin.actor, cast.security_admin.actor):
        with pytest.raises(Refused):
            seen(nobody)


@pytest.mark.django_db
def test_forbidden_and_missing_records_sound_alike(cast: Cast) -> None:
    record_id = append(actor=cast.clerk.actor)
    assert api.access_evidence(evidence_id=record_id, actor=cast.audit_admin.actor)
    said = []
    for wanted in (record_id, new_id()):
        with pytest.raises(Missing) as caught:
            api.access_evidence(evidence_id=wanted, actor=cast.steward.actor)
        said.append(str(caught.value).replace(wanted, ""))
    assert said[0] == said[1]


@pytest.mark.django_db
def test_a_right_without_organization_sees_nothing_by_chance() -> None:
    append()
    stranger = Actor("user", "user:0", "某", rights=(Right("evidence.view_own", frozenset({"*"})),))
    with pytest.raises(Refused):
        api.find(request=PageRequest(), actor=stranger)


@pytest.mark.django_db
def test_pages_times_and_search() -> None:
    for hour in range(6):
        append(subject_id=f"S{hour}", at=datetime(2024, 5, 1, hour, tzinfo=UTC))
    page = api.find(request=PageRequest(size=2, page=2), actor=ASKER)
    assert ([record.subject_id for record in page.items], page.total, page.pages) == (["S3", "S2"], 6, 3)
    part = {"since": "2024-05-01T02:00:00+00:00", "until": "2024-05-01T12:00:00+08:00"}
    found = api.find(request=PageRequest(filters=part, sort="at"), actor=ASKER)
    assert [record.subject_id for record in found.items] == ["S2", "S3"]
    assert api.find(request=PageRequest(search="s4"), actor=ASKER).total == 1
    for bad in ("yesterday", "2024-05-01T00:00:00"):
        with pytest.raises(BadEvidence):
            api.find(request=PageRequest(filters={"since": bad}), actor=ASKER)


def line(**more: Any) -> dict[str, Any]:
    return {
        "id": new_id(), "at": "2024-05-01T00:00:00.000001+00:00", "kind": "gateway.query", "actor_kind": "system",
        "actor_id": "system:AK1", "actor_name": "系统", "actor_role": "", "organization": "A",
        "owner_organization": "B", "subject_type": "data_resource", "subject_id": "R", "facts": {"outcome": "found"},
    } | more  # fmt: skip


@pytest.mark.django_db
def test_gateway_lines_are_collected_once(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path, segment_bytes=2000)
    lines = [line() for _ in range(20)]
    for each in lines[:12]:
        writer.append(each)
    assert (first := api.collect_segments(folder=tmp_path)).added == first.seen == 12
    for each in lines[12:]:
        writer.append(each)
    assert api.collect_segments(folder=tmp_path).added == 8
    assert api.collect_segments(folder=tmp_path).seen == 0
    writer.close()
    assert set(EvidenceRow.objects.values_list("pk", flat=True)) == {each["id"] for each in lines}
    record: EvidenceRecord = api.get_evidence(evidence_id=lines[0]["id"])
    assert (record.source, record.facts, record.owner_organization) == ("gateway", {"outcome": "found"}, "B")
    assert api.is_intact(record=record)
    assert len(list(tmp_path.glob("*.log"))) < 3


@pytest.mark.django_db
def test_a_lost_cursor_collects_nothing_twice(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path)
    for _ in range(3):
        writer.append(line())
    api.collect_segments(folder=tmp_path)
    SegmentCursor.objects.all().delete()
    again = api.collect_segments(folder=tmp_path)
    writer.close()
    assert (again.seen, again.added, again.known) == (3, 0, 3)
    assert EvidenceRow.objects.count() == 3


@pytest.mark.django_db
def test_two_lines_of_one_id_in_a_batch_are_one_record(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path)
    same = line()
    writer.append(same)
    writer.append(same)
    writer.close()
    assert api.collect_segments(folder=tmp_path).added == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    "broken", [{"id": "short"}, {"at": "never"}, {"at": "2024-05-01"}, {"kind": 3}, {"kind": ""}, {"facts": 1}, {"subject_id": "x" * 300}]
)
def test_a_line_that_is_no_record_is_said_and_holds_up_nothing(tmp_path: Path, broken: dict[str, Any]) -> None:
    writer = SegmentWriter(tmp_path)
    for each in (line(), line() | broken, line()):
        writer.append(each)
    writer.close()
    counts = api.collect_segments(folder=tmp_path)
    assert (counts.seen, counts.added, counts.broken) == (3, 3, 1)
    assert EvidenceRow.objects.filter(kind="evidence.unreadable_line").count() == 1
    assert EvidenceRow.objects.filter(kind="gateway.query").count() == 2


@pytest.mark.django_db
def test_a_folder_that_is_not_there_yet_is_empty(tmp_path: Path) -> None:
    assert api.collect_segments(folder=tmp_path / "none").seen == 0


TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(TEXT, VALUES, max_size=4))
def test_canonical_text_gives_the_facts_back_and_is_stable(facts: dict[str, Any]) -> None:
    plain = plain_facts(facts, commit=lambda path, value: "")
    text = canonical(plain)
    assert json.loads(text) == facts
    assert canonical(json.loads(text)) == text
    assert canonical(dict(reversed(list(plain.items())))) == text


def write_alike(*entries: tuple[str, str, dict[str, str]], shared: dict[str, Any]) -> list[str]:
    return api.append_alike(
        kind="case.event", actor=job_actor("tests"), at=now(), subject_type="case", facts=shared, own=("number", "note"), entries=list(entries)
    )


@pytest.mark.django_db
def test_records_written_alike_are_those_that_one_by_one_would_be() -> None:
    shared = {"seq": 2, "kind": "100 %s", "nested": {"a": [None, True]}}
    own = [("c1", "113299000032990445", {"number": "A-1", "note": 'says "%" \n'}), ("c2", "", {"number": "乙", "note": ""})]
    ids = write_alike(*own, shared=shared)
    assert len(set(ids)) == 2
    for evidence_id, (subject, owner, facts) in zip(ids, own, strict=True):
        found = api.get_evidence(evidence_id=evidence_id)
        assert (found.subject_id, found.owner_organization, dict(found.facts)) == (subject, owner, {**shared, **facts})
        alone = api.append(
            kind="case.event", actor=job_actor("tests"), at=found.at, subject_type="case", subject_id=subject, facts={**shared, **facts},
            organization=owner,
        )  # fmt: skip
        assert replace(api.get_evidence(evidence_id=alone), id=found.id, salt=found.salt, digest=found.digest) == found
        assert api.is_intact(record=found)
    with pytest.raises(BadEvidence):
        write_alike(("c", "", {"number": "\ud800", "note": ""}), shared=shared)


@pytest.mark.django_db(transaction=True)
def test_records_written_alike_need_the_transaction_of_what_they_prove() -> None:
    with pytest.raises(EvidenceOutsideTransaction):
        write_alike(("c1", "", {"number": "", "note": ""}), shared={})
