from __future__ import annotations

import pytest

from tests.api_caller import Caller
from tests.conftest import Cast
from yunhe.core.jobs import api
from yunhe.core.jobs.models import Job
from yunhe.core.organizations.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def job_id(cast: Cast) -> str:
    title = {"zh": "看一看", "en": "Look"}
    api.register_job(name="tests.look", run=lambda context, **given: None, title=title, permission="jobs.view")
    return api.enqueue(name="tests.look", arguments={"code": "300001/0001"}, actor=cast.steward.actor)


def test_ones_own_job_is_followed_and_cancelled(job_id: str, cast: Cast) -> None:
    caller = Caller(cast.steward)
    seen = caller.get(f"/jobs/{job_id}")
    assert (seen.status, seen.body["state"], seen.body["arguments"]) == (200, "ready", {"code": "300001/0001"})
    assert caller.post(f"/jobs/{job_id}/cancel").body["state"] == "cancelled"
    assert caller.post(f"/jobs/{job_id}/cancel").refusal == (409, "job_not_in_state")


def test_a_running_job_is_asked_to_stop(job_id: str, cast: Cast) -> None:
    Job.objects.filter(pk=job_id).update(state="running")
    answer = Caller(cast.steward).post(f"/jobs/{job_id}/cancel")
    assert (answer.body["state"], answer.body["cancel_requested"]) == ("running", True)


def test_the_other_departments_clerk_cannot_see_the_job(job_id: str, cast: Cast) -> None:
    for stranger in (cast.clerk, cast.officer, cast.bureau_clerk):
        assert Caller(stranger).get(f"/jobs/{job_id}").refusal == (404, "job_not_found")
        assert Caller(stranger).post(f"/jobs/{job_id}/cancel").refusal == (404, "job_not_found")
    assert api.get_job(job_id=job_id).state == "ready"


def test_who_only_looks_cannot_cancel(job_id: str, cast: Cast) -> None:
    assert Caller(cast.audit_admin).get(f"/jobs/{job_id}").status == 200
    assert Caller(cast.audit_admin).post(f"/jobs/{job_id}/cancel").refusal == (403, "refused")
    assert Caller(cast.system_admin).post(f"/jobs/{job_id}/cancel").body["state"] == "cancelled"


def test_nobody_and_a_first_password(job_id: str, cast: Cast) -> None:
    assert Caller(None).get(f"/jobs/{job_id}").refusal == (401, "not_signed_in")
    caller = Caller(cast.steward)
    User.objects.filter(pk=cast.steward.user_id).update(must_change_password=True)
    assert caller.get(f"/jobs/{job_id}").refusal == (403, "password_must_change")
