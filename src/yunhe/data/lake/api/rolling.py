"""Roll-back of a release (发布回退) by a case: asked for by one, approved by another, done by a job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yunhe.core.cases import api as cases
from yunhe.core.cases.errors import ActionNotOffered
from yunhe.core.cases.types import Case
from yunhe.core.jobs import api as jobs
from yunhe.core.jobs.types import JobContext
from yunhe.data.catalog import api as catalog
from yunhe.data.lake.api import places
from yunhe.data.lake.api.releases import current_release, release_again, require_kept
from yunhe.data.lake.errors import AlreadyCurrent, ReleaseLost, ReleaseMoved, RollBackUnderWay, SnapshotNotKept
from yunhe.data.lake.models import ReleaseRecord
from yunhe.engine.errors import TableMissing
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.errors import Missing, YunheError

ROLL_BACK_KIND = "release_rollback"
ROLL_BACK_JOB = "lake.roll_back"
ROLL_BACK_SUBJECT = "release"


def request_roll_back(*, code: str, release_id: str, reason: str, actor: Actor) -> Case:
    """Ask that an earlier, still kept snapshot becomes current again (申请回退); another person approves.

    Raises: Missing, AlreadyCurrent, SnapshotNotKept, RollBackUnderWay; Refused without lake.load over the owner.
    """
    resource = catalog.access_resource(code=code, actor=actor)
    actor.require("lake.load", organization=resource.owner)
    old, current = _release(code, release_id), current_release(code=code)
    if old.id == current.release_id:
        raise AlreadyCurrent(resource=code, number=old.number)
    require_kept(old, frozenset(places.snapshot_ids(code)))
    known = find_roll_back(code=code)
    if known is not None:
        raise RollBackUnderWay(resource=code, case=known.number)
    data = {
        "resource": code,
        "resource_title": resource.title,
        "release_id": old.id,
        "number": old.number,
        "rows": old.rows,
        "current_id": current.release_id,
        "current_number": current.number,
        "current_rows": current.rows,
        "reason": reason,
    }
    return cases.open_case(
        kind=ROLL_BACK_KIND, title="", data=data, owner=resource.owner, actor=actor, subject_type=ROLL_BACK_SUBJECT, subject_id=code
    )


def find_roll_back(*, code: str) -> Case | None:
    """Return the open case about a roll-back of the resource."""
    return cases.find_open_case(kind=ROLL_BACK_KIND, subject_type=ROLL_BACK_SUBJECT, subject_id=code)


def start_roll_back(case: Case) -> None:
    """Have an approved roll-back done once the approval stands; runs in the transaction of the approval.

    Raises: SnapshotNotKept, ReleaseMoved where it cannot be done any more.
    """
    data = case.data
    old = _release(data["resource"], data["release_id"])
    require_kept(old, frozenset(places.snapshot_ids(old.resource_code)))
    _require_current(data)
    jobs.enqueue(name=ROLL_BACK_JOB, arguments={"case_id": case.case_id}, actor=job_actor(ROLL_BACK_JOB), key=case.case_id)


def perform_roll_back(*, context: JobContext, case_id: str) -> dict[str, Any]:
    """Make the approved snapshot current; the release and the end of the case stand or fall together.

    What makes it impossible ends the case as failed, with the reason. A case that waits for nothing is left alone.
    """
    case, actor = cases.get_case(case_id=case_id), job_actor(ROLL_BACK_JOB)
    if case.phase != "running":
        return {"skipped": 1}
    try:
        number = _roll_back(context, case, actor)
    except ActionNotOffered:
        return {"skipped": 1}
    except (SnapshotNotKept, ReleaseMoved, ReleaseLost, TableMissing) as error:
        cases.report_event(case_id=case_id, action="failed", data={"problem": _both(error)}, actor=actor)
        return {"failed": 1}
    return {"changed": 1, "release": number}


def _roll_back(context: JobContext, case: Case, actor: Actor) -> int:
    data, code = case.data, case.data["resource"]
    old = _release(code, data["release_id"])
    with places.the_lake() as lake, lake.holding(code) as snapshots:
        require_kept(old, frozenset(snapshot.id for snapshot in snapshots))
        with context.fenced():
            _require_current(data)
            by = (data["approver_id"], data["approver_name"])
            release = release_again(old, data["reason"], actor, by=by, case=case.number)
            cases.report_event(case_id=case.case_id, action="done", data={"new_number": release.number}, actor=actor)
    return release.number


def _require_current(data: Mapping[str, Any]) -> None:
    current = current_release(code=data["resource"])
    if current.release_id != data["current_id"]:
        raise ReleaseMoved(resource=data["resource"], asked=data["current_number"], number=current.number)


def _release(code: str, release_id: str) -> ReleaseRecord:
    record = ReleaseRecord.objects.filter(pk=release_id, resource_code=code).select_related("load").first()
    if record is None:
        raise Missing(what="release", name=release_id)
    return record


def _both(error: YunheError) -> str:
    return f"{error.say('zh')} {error.say('en')}"
