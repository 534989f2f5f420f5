"""The whole way over the API: load, findings, request, decision, grant, revocation; and who is kept out where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api_caller import Caller
from tests.conftest import Cast, load_national
from tests.data import spine
from yunhe.core.jobs import api as jobs

with_worker = pytest.mark.django_db(transaction=True)
BROKEN = "91329900100000000A"


@pytest.fixture(autouse=True)
def _national(db: None, tmp_path: Path, settings: Any) -> None:
    settings.YUNHE = {**settings.YUNHE, "SOURCE_ROOTS": f"*={tmp_path}"}
    load_national()


@pytest.fixture
def code(cast: Cast, tmp_path: Path) -> str:
    lines = spine.rows(20)
    lines[3][0] = BROKEN
    return spine.publish(spine.write_csv(tmp_path / "a.csv", lines), cast.owner.code)


def asked(code: str, **more: Any) -> dict[str, Any]:
    return {"resource": code, "fields": ["uscc", "region"], "purpose": "核对参保企业", "legal_basis": "演示", **more}


def load(code: str, cast: Cast) -> str:
    started = Caller(cast.steward).post(f"/resources/{code}/loads")
    assert started.status == 202, started.body
    job_id = str(started.body["job_id"])
    jobs.run_pending(limit=1, job_id=job_id)
    return job_id


@with_worker
def test_a_load_over_the_api(code: str, cast: Cast) -> None:
    steward, clerk = Caller(cast.steward), Caller(cast.clerk)
    assert clerk.post(f"/resources/{code}/loads").refusal == (403, "refused")
    assert Caller(cast.leader).post(f"/resources/{code}/loads").refusal == (403, "refused")
    assert steward.get(f"/resources/{code}/findings").refusal == (404, "not_judged_yet")
    job = Caller(cast.steward).get(f"/jobs/{load(code, cast)}")
    assert (job.body["state"], job.body["result"]["rows_in"]) == ("successful", 20), job.body
    (one,) = steward.get("/loads", {"resource": code, "state": "released"}).body["items"] or [None]
    assert one["rows_in"] == one["kept"] + one["quarantined"] + one["rejected"] == 20
    assert isinstance(one["snapshot_id"], str)
    assert steward.get(f"/loads/{one['load_id']}").body == one
    assert clerk.get(f"/loads/{one['load_id']}").refusal == (404, "missing")
    assert clerk.get("/loads").body["total"] == 0
    assert Caller(cast.officer).get("/loads").refusal == (403, "refused")
    findings = {f["rule"]: f for f in steward.get(f"/resources/{code}/findings").body}
    assert sum(f["failed"] for f in findings.values()) == 1
    assert next(f["reasons"] for f in findings.values() if f["failed"]).keys() <= {"alphabet", "check_digit", "length"}
    assert clerk.get(f"/resources/{code}/findings").refusal == (403, "refused")
    assert BROKEN not in str(findings)


@with_worker
def test_a_second_load_waits_and_a_job_can_be_cancelled(code: str, cast: Cast) -> None:
    steward = Caller(cast.steward)
    job_id = steward.post(f"/resources/{code}/loads").body["job_id"]
    assert steward.post(f"/resources/{code}/loads").refusal == (409, "load_under_way")
    for stranger in (cast.clerk, cast.officer):
        assert Caller(stranger).get(f"/jobs/{job_id}").refusal == (404, "job_not_found")
        assert Caller(stranger).post(f"/jobs/{job_id}/cancel").refusal == (404, "job_not_found")
    assert steward.post(f"/jobs/{job_id}/cancel").body["state"] == "cancelled"
    assert steward.post(f"/jobs/{job_id}/cancel").refusal == (409, "job_not_in_state")
    assert steward.get("/jobs/none").refusal == (404, "job_not_found")
    assert Caller(None).get(f"/jobs/{job_id}").status == 401


@pytest.mark.django_db
def test_from_request_to_revocation(code: str, cast: Cast) -> None:
    clerk, leader, stranger = Caller(cast.clerk), Caller(cast.leader), Caller(cast.bureau_clerk)
    case = clerk.post("/requests", asked(code, row_filter="region = '329901'"))
    assert case.status == 201, case.body
    path = f"/cases/{case.body['case_id']}"
    assert stranger.get(path).refusal == (404, "case_not_found")
    assert stranger.post(f"{path}/actions/grant").refusal == (404, "case_not_found")
    assert clerk.post(f"{path}/actions/grant", {"data": {}}).refusal == (403, "action_not_offered")
    assert Caller(cast.audit_admin).get(path).refusal == (403, "refused")
    assert stranger.get("/cases").body["total"] == 0
    view = leader.get(path).body
    assert {"grant", "refuse"} & {one["name"] for one in view["actions"]}
    (offered,) = [one for one in view["actions"] if one["name"] == "grant"]
    data = {name: value for name, value in offered["defaults"].items() if value}
    stale = leader.post(f"{path}/actions/grant", {"data": data, "version": 99})
    assert stale.refusal == (409, "case_changed")
    wide = leader.post(f"{path}/actions/grant", {"data": {**data, "fields": ["capital"]}})
    assert wide.status in (403, 422)
    unknown = leader.post(f"{path}/actions/grant", {"data": {**data, "nothing": 1}})
    assert unknown.refusal == (422, "fields_invalid") and unknown.body["errors"][0]["where"] == "nothing"
    done = leader.post(f"{path}/actions/grant", {"data": data, "version": view["case"]["version"]})
    assert (done.status, done.body["state"]) == (200, "closed"), done.body
    assert leader.post(f"{path}/actions/grant", {"data": data}).refusal == (403, "action_not_offered")
    (held,) = clerk.get("/grants", {"side": "held", "state": "active"}).body["items"]
    assert [field["name"] for field in held["fields"]] == ["uscc", "region"]
    grant = f"/grants/{held['grant_id']}"
    assert leader.get(grant).body == clerk.get(grant).body == held
    assert stranger.get(grant).refusal == (404, "missing")
    assert stranger.get("/grants").body["total"] == 0
    assert clerk.post(f"{grant}/revoke", {"reason": "不用了"}).refusal == (403, "refused")
    assert leader.post(f"{grant}/revoke").refusal == (422, "bad_input")
    assert leader.post(f"{grant}/revoke", {"reason": "依据变化"}).body["state"] == "revoked"
    assert leader.post(f"{grant}/revoke", {"reason": "依据变化"}).refusal == (409, "already_revoked")
    kinds = {one["kind"] for one in leader.get("/evidence", {"subject_type": "grant"}).body["items"]}
    assert kinds == {"exchange.granted", "exchange.grant_revoked"}
    assert stranger.get("/evidence").refusal == (403, "refused")


WRONG_REQUESTS: tuple[tuple[dict[str, Any], int, str], ...] = (
    ({"fields": ["nothing"]}, 422, "unknown_fields"),
    ({"fields": []}, 422, "bad_input"),
    ({"fields": "uscc"}, 422, "bad_input"),
    ({"purpose": "  "}, 422, ""),
    ({"until": "2020-01-01"}, 422, "bad_until"),
    ({"until": "2027-13-45"}, 422, "bad_until"),
    ({"until": 20270101}, 422, "bad_input"),
    ({"row_filter": "region ="}, 422, ""),
    ({"row_filter": "(" * 2000}, 422, ""),
    ({"row_filter": "NOT " * 490 + "true"}, 422, ""),
    ({"resource": "300001/9999"}, 404, "resource_not_found"),
    ({"legal_basis": 2**63}, 422, "bad_number"),
    ({"surprise": 1}, 422, "bad_input"),
)


@pytest.mark.django_db
def test_a_wrong_request_opens_nothing(code: str, cast: Cast) -> None:
    clerk = Caller(cast.clerk)
    for more, status, said in WRONG_REQUESTS:
        answer = clerk.post("/requests", asked(code, **more))
        assert answer.status == status, (more, answer.body)
        assert not said or answer.code == said, answer.body
    assert clerk.get("/cases").body["total"] == 0
    long = asked(code, row_filter="region = '" + "x" * 1900 + "'")
    assert clerk.post("/requests", long).status == 201


@pytest.mark.django_db
def test_who_may_not_ask(code: str, cast: Cast) -> None:
    for member in (cast.leader, cast.data_admin, cast.audit_admin):
        answer = Caller(member).post("/requests", asked(code))
        assert answer.status == (201 if member is cast.data_admin else 403)
