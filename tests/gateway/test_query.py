"""What a call answers: exactly the granted fields, masked as granted, of a row inside the filter."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.gateway.world import ABROAD, CONSUMER, NODE_SECRET, OWNER, PERSON, STRANGER, TYPES, Caller, World
from yunhe.gateway.audit import subject_token
from yunhe.gateway.rights import GrantedField, new_secret

ALL_PLAIN = tuple(GrantedField(name, "none", kind) for name, kind in TYPES.items())


def test_a_granted_call_answers_the_granted_fields_masked(caller: Caller, world: World) -> None:
    answer = caller.query()

    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    (line,) = world.evidence()
    assert answer.json() == {
        "found": True,
        "row": {"id": PERSON, "name": "测**"},
        "resource": "307001/0021",
        "snapshot": "42",
        "release": "R7",
        "evidence": line["id"],
    }


def test_the_evidence_line_names_who_what_and_why_but_no_value(caller: Caller, world: World) -> None:
    caller.signed(world.body(fields=["name"]), officer="u1024", case="BJ-2026-1")

    (line,) = world.evidence()
    assert {name: line[name] for name in line if name not in {"id", "at", "facts"}} == {
        "kind": "gateway.query",
        "actor_kind": "system",
        "actor_id": f"system:{world.key_id}",
        "actor_name": "demo-system",
        "actor_role": "",
        "organization": CONSUMER,
        "owner_organization": OWNER,
        "subject_type": "data_resource",
        "subject_id": "307001/0021",
    }
    facts = line["facts"]
    assert facts["outcome"] == "found"
    assert "code" not in facts
    assert facts["grant"] == "G1"
    assert facts["fields"] == ["name"]
    assert (facts["officer"], facts["case"], facts["granted_case"]) == ("u1024", "BJ-2026-1", "SQ-1")
    assert (facts["snapshot"], facts["release"], facts["purpose"]) == ("42", "R7", "办理低保")
    assert facts["subject"] == subject_token(node_secret=NODE_SECRET, values=[PERSON])
    assert datetime.fromisoformat(line["at"]).utcoffset() == timedelta(0)
    for value in (PERSON, "测试甲", "13800000000"):
        assert value not in str(line)


def test_every_type_of_value_is_answered_as_json(world: World) -> None:
    world.add_grant("G1", fields=ALL_PLAIN)
    world.write()
    with world.client() as caller:
        row = caller.query().json()["row"]
        empty = caller.query(keys={"id": ABROAD}).json()["row"]

    assert datetime.fromisoformat(row.pop("seen")).astimezone(UTC) == datetime(2024, 2, 29, 16, 0, tzinfo=UTC)
    assert float(row.pop("amount")) == 12.5
    assert row == {"id": PERSON, "name": "测试甲", "mobile": "13800000000", "region": "320902", "born": "1949-12-31",
                   "count": 7, "living": True}  # fmt: skip
    assert [name for name, value in empty.items() if value is not None] == ["id", "name"]


def test_a_subset_of_fields_is_answered_in_the_order_asked_for(caller: Caller) -> None:
    assert list(caller.query(fields=["name", "id", "name"]).json()["row"]) == ["name", "id"]


def test_a_field_outside_the_grant_is_refused_by_name(caller: Caller, world: World) -> None:
    answer = caller.query(fields=["name", "mobile"], headers={"Accept-Language": "en"})

    assert answer.status_code == 403
    assert answer.json()["code"] == "field_not_granted"
    assert '"mobile"' in answer.json()["detail"]
    assert "id, name" in answer.json()["detail"]
    (line,) = world.evidence()
    assert (line["facts"]["outcome"], line["facts"]["code"]) == ("refused", "field_not_granted")
    assert line["facts"]["refused_field"] == "mobile"
    assert line["owner_organization"] == OWNER


def test_a_name_that_is_no_field_at_all_stays_out_of_the_evidence(caller: Caller, world: World) -> None:
    assert caller.query(fields=["身份证110105"]).json()["code"] == "field_not_granted"

    assert world.evidence()[0]["facts"]["refused_field"] == "?"


def test_a_row_that_is_not_there_is_not_found(caller: Caller, world: World) -> None:
    answer = caller.query(keys={"id": "320902199001010099"})

    assert (answer.status_code, answer.json()["found"], answer.json()["row"]) == (200, False, None)
    assert world.evidence()[0]["facts"]["outcome"] == "not_found"


@pytest.mark.parametrize(
    ("row_filter", "person", "found"),
    [
        ("region = '320902'", PERSON, True),
        ("region = '320981'", PERSON, False),
        ("region = '320902'", ABROAD, False),  # unknown never counts as passed
        ("region <> '320902'", ABROAD, False),
        ("mobile = '13800000000'", PERSON, True),  # the stored value, though the answer masks or leaves it out
        ("name = '测试甲'", PERSON, True),
        ("born < DATE '1950-01-01' AND living", PERSON, True),
        ("count > 7", PERSON, False),
    ],
)
def test_the_row_filter_judges_the_stored_row(world: World, row_filter: str, person: str, found: bool) -> None:
    world.add_grant("G1", row_filter=row_filter)
    world.write()
    with world.client() as caller:
        answer = caller.query(keys={"id": person})

    assert answer.status_code == 200, answer.text
    assert answer.json()["found"] is found
    assert (answer.json()["row"] is not None) is found


def test_outside_the_filter_sounds_like_not_there(world: World) -> None:
    world.add_grant("G1", row_filter="region = '320981'")
    world.write()
    with world.client() as caller:
        outside = caller.query().json()
        absent = caller.query(keys={"id": "320902199001010099"}).json()

    assert {**outside, "evidence": ""} == {**absent, "evidence": ""}


@pytest.mark.parametrize("row_filter", ["no_such_field = 1", "region =", "region", "(SELECT 1) = 1"])
def test_a_filter_that_cannot_be_compiled_lets_nothing_out(world: World, row_filter: str) -> None:
    world.add_grant("G1", row_filter=row_filter)
    world.write()
    with world.client() as caller:
        answer = caller.query()

    assert (answer.status_code, answer.json()["code"]) == (503, "row_filter_unusable")


def test_a_missing_or_torn_serving_file_is_unavailable_and_comes_back(world: World, tmp_path) -> None:  # type: ignore[no-untyped-def]
    good = world.grants["G1"].serving_path
    torn = tmp_path / "torn.sqlite3"
    torn.write_bytes(b"SQLite format 3\0 and then nothing")
    with world.client() as caller:
        for path in (str(tmp_path / "absent.sqlite3"), str(torn)):
            world.add_grant("G1", serving_path=path)
            world.write()
            assert caller.world is world
            _wait_for_version(caller, world.version)
            answer = caller.query()
            assert (answer.status_code, answer.json()["code"]) == (503, "data_unavailable"), path
        world.add_grant("G1", serving_path=good)
        world.write()
        _wait_for_version(caller, world.version)
        assert caller.query().json()["found"]


def test_a_release_whose_file_is_not_built_yet_is_said_to_be_prepared(world: World) -> None:
    """The image then names neither keys nor fields: a caller must not be told that its body is wrong."""
    built = world.grants["G1"]
    world.add_grant("G1", serving_path="", key_columns=(), fields=(), field_types={})
    world.write()
    with world.client() as caller:
        for words in ({}, {"fields": [built.fields[0].name]}):
            answer = caller.query(**words)
            assert (answer.status_code, answer.json()["code"]) == (503, "not_yet_served")
        world.add_grant("G1", serving_path=built.serving_path)
        world.write()
        _wait_for_version(caller, world.version)
        assert caller.query().json()["found"]


def test_a_grant_of_another_organisation_sounds_like_none(world: World) -> None:
    world.add_grant("G2", consumer=STRANGER)
    world.write()
    with world.client() as caller:
        theirs = caller.query(grant="G2")
        absent = caller.query(grant="G3")

    assert (theirs.status_code, theirs.json()["code"]) == (403, "not_your_grant")
    assert theirs.json()["detail"].replace("G2", "G3") == absent.json()["detail"]
    first, _ = world.evidence()
    assert (first["subject_type"], first["owner_organization"]) == ("access_key", "")


def test_a_key_of_another_organisation_cannot_use_the_grant(world: World) -> None:
    other = new_secret()
    world.add_key("AKOTHER", other, organization=STRANGER)
    world.write()
    with world.client() as caller:
        assert caller.signed(world.body(), key_id="AKOTHER", secret=other).json()["code"] == "not_your_grant"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"valid_until": datetime.now(UTC) - timedelta(seconds=1)}, "grant_expired"),
        ({"valid_from": datetime.now(UTC) + timedelta(hours=1)}, "grant_not_yet_valid"),
        ({"state": "suspended"}, "grant_not_active"),
        ({"state": "revoked"}, "grant_not_active"),
        ({"state": "some later word"}, "grant_not_active"),
    ],
)
def test_a_grant_that_does_not_hold_now_is_refused(world: World, changes: dict[str, object], code: str) -> None:
    world.add_grant("G1", **changes)
    world.write()
    with world.client() as caller:
        answer = caller.query()

    assert (answer.status_code, answer.json()["code"]) == (403, code)
    assert world.evidence()[0]["facts"]["code"] == code


def test_a_revoked_grant_is_noticed_while_running(caller: Caller, world: World) -> None:
    assert caller.query().status_code == 200
    world.add_grant("G1", state="revoked")
    world.write()
    _wait_for_version(caller, world.version)

    assert caller.query().json()["code"] == "grant_not_active"


def test_stale_rights_refuse_everything_and_recover_alone(world: World) -> None:
    world.write(written_at=datetime.now(UTC) - timedelta(seconds=61))
    with world.client() as caller:
        answer = caller.query()
        ready = caller.http.get("/readyz")
        world.write()
        _wait_for_version(caller, world.version)
        again = caller.query()

    assert (answer.status_code, answer.json()["code"]) == (503, "rights_stale")
    assert (ready.status_code, ready.json()["code"]) == (503, "rights_stale")
    assert again.status_code == 200
    assert [line["facts"].get("code", "") for line in world.evidence()] == ["rights_stale", ""]


def test_rights_from_the_future_are_no_rights(world: World) -> None:
    world.write(written_at=datetime.now(UTC) + timedelta(hours=1))
    with world.client() as caller:
        assert caller.query().json()["code"] == "rights_stale"


def test_a_broken_image_leaves_the_last_good_one_in_use(caller: Caller, world: World) -> None:
    world.config.rights_path.write_bytes(b'{"version":')
    for _ in range(5):
        assert caller.query().status_code == 200


def test_without_any_image_nothing_is_answered(world: World) -> None:
    world.config.rights_path.unlink()
    with world.client() as caller:
        assert caller.query().json()["code"] == "rights_stale"
        assert caller.http.get("/healthz").status_code == 200


def _wait_for_version(caller: Caller, version: int) -> None:
    for _ in range(1000):
        if f"yunhe_gateway_rights_version {version}\n" in caller.http.get("/metrics").text:
            return
    raise AssertionError(f"rights version {version} was never noticed")
