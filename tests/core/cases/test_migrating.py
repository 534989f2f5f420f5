"""The change procedure: a fourth department joins while cases run; nobody is stranded; two persons; the way back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import yaml

from tests.conftest import Cast
from tests.core.cases.test_operators import PERMIT, accepted, do, open_ids, permit_kind, sent_back
from yunhe.core.cases import api
from yunhe.core.cases.errors import MigrationRefused
from yunhe.core.cases.models import CaseRecord, ObligationRecord
from yunhe.core.cases.types import Case, Migration
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import FrozenClock
from yunhe.kernel.errors import Refused

pytestmark = pytest.mark.django_db
TRANSACTIONS = pytest.mark.django_db(transaction=True)


@pytest.fixture
def permit(clock: FrozenClock, cast: Cast, calendar: None, founder: Actor) -> Callable[[], Case]:
    api.publish_kind(spec=permit_kind(), source="tests", actor=founder)

    def open_permit() -> Case:
        data = {"place": "解放路 1 号", "area": 20}
        return api.open_case(kind="permit", title="一件许可", data=data, actor=cast.clerk.actor, owner=cast.owner.code)

    return open_permit


def body() -> dict[str, Any]:
    told: dict[str, Any] = yaml.safe_load(PERMIT.read_text("utf-8"))
    return told


def publish(**changes: Any) -> None:
    api.publish_kind(spec=permit_kind(**changes), source="tests", actor=job_actor("tests"))


def drafted(cast: Cast, plan: Migration | None = None) -> Migration:
    told = plan or api.plan_migration(kind="permit", actor=cast.data_admin.actor)
    return api.draft_migration(plan=told, reason="增加会签单位", actor=cast.data_admin.actor)


def applied(cast: Cast, plan: Migration) -> Migration:
    draft = drafted(cast, plan)
    api.approve_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)
    return api.apply_migration(migration_id=draft.migration_id, actor=cast.data_admin.actor)


def check_all(cast: Cast) -> None:
    for case_id in CaseRecord.objects.values_list("pk", flat=True):
        found = api.replay_case(case_id=case_id, actor=job_actor("tests"))
        assert found.equal, found.differences


def test_a_department_joins_the_running_cases_and_the_join_waits_for_it(permit: Any, cast: Cast) -> None:
    reviewing = [accepted(permit(), cast) for _ in range(3)]
    do(reviewing[0], "agree", cast.leader)
    fresh = permit()
    base = body()
    base["title"]["zh"] = "行政许可（第二版）"
    publish(**base)
    plan = api.plan_migration(kind="permit", actor=cast.data_admin.actor)
    assert [(m.phase, m.obligations, m.cases) for m in plan.moves] == [
        ("intake", ("accept",), 1),
        ("review", ("opinion",), 1),
        ("review", ("opinion", "opinion"), 2),
    ]
    add = (("opinion", cast.other.code),)
    moves = tuple(replace(m, add=add) if m.phase == "review" else m for m in plan.moves)
    done = applied(cast, replace(plan, moves=moves))
    assert (done.state, done.moved) == ("done", 4)
    assert len(open_ids(reviewing[0], cast, "opinion")) == 2
    assert api.get_case(case_id=reviewing[1].case_id).data["departments"][-1] == cast.other.code
    last = api.access_case(case_id=reviewing[0].case_id, actor=job_actor("tests")).events[-1]
    assert (last.action, last.actor_id) == ("migrate", cast.data_admin.actor.id)
    case = do(reviewing[0], "agree", cast.data_admin)
    assert case.phase == "review"  # the new department has not spoken yet
    head = job_actor("tests")
    (item,) = open_ids(reviewing[0], cast, "opinion")
    seat = api.access_case(case_id=case.case_id, actor=head).obligations
    assert next(one for one in seat if one.obligation_id == item).organization == cast.other.code
    assert accepted(fresh, cast).phase == "review"
    check_all(cast)


def test_what_would_strand_a_case_is_refused_before_anything_moves(permit: Any, cast: Cast) -> None:
    case = accepted(permit(), cast)
    base = body()
    base["obligations"]["view"] = base["obligations"].pop("opinion")
    for action in base["obligations"]["accept"]["actions"].values():
        action["effects"] = [{"open_obligation": "view"} if e.get("open_obligation") == "opinion" else e for e in action["effects"]]
    publish(**base)
    plan = api.plan_migration(kind="permit", actor=cast.data_admin.actor)
    assert {("gone", "obligation", "opinion"), ("added", "obligation", "view")} <= set(plan.changes)
    with pytest.raises(MigrationRefused) as caught:
        drafted(cast, plan)
    assert "“会签”" in caught.value.say("zh") and "opinion" in caught.value.facts["where"]
    with pytest.raises(MigrationRefused):
        drafted(cast, replace(plan, moves=tuple(replace(m, cancel=(("opinion", ""),)) for m in plan.moves)))
    with pytest.raises(MigrationRefused):
        drafted(cast, replace(plan, moves=()))
    done = applied(cast, replace(plan, moves=tuple(replace(m, renames={"opinion": "view"}) for m in plan.moves)))
    assert done.moved == 1
    for member in (cast.leader, cast.data_admin):
        case = do(case, "agree", member)
    assert case.phase == "decision"
    check_all(cast)


def test_two_persons_change_a_procedure_and_only_with_the_right(permit: Any, cast: Cast) -> None:
    permit()
    publish(title="第二版")
    with pytest.raises(Refused):
        api.plan_migration(kind="permit", actor=cast.leader.actor)
    draft = drafted(cast)
    with pytest.raises(MigrationRefused):
        api.approve_migration(migration_id=draft.migration_id, actor=cast.data_admin.actor)
    with pytest.raises(MigrationRefused):
        api.apply_migration(migration_id=draft.migration_id, actor=cast.data_admin.actor)
    with pytest.raises(Refused):
        api.approve_migration(migration_id=draft.migration_id, actor=cast.leader.actor)
    api.approve_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)
    api.apply_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)
    with pytest.raises(MigrationRefused):
        api.apply_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)
    assert [m.state for m in api.list_migrations(actor=cast.data_admin.actor).items] == ["done"]


def test_some_may_stay_on_the_old_version_and_end_by_it(permit: Any, cast: Cast) -> None:
    stays, moves = permit(), accepted(permit(), cast)
    publish(title="第二版")
    plan = api.plan_migration(kind="permit", actor=cast.data_admin.actor)
    told = tuple(replace(m, choice="keep") if m.phase == "intake" else m for m in plan.moves)
    assert applied(cast, replace(plan, moves=told)).moved == 1
    numbers = {row.pk: row.kind.number for row in CaseRecord.objects.select_related("kind")}
    assert (numbers[stays.case_id], numbers[moves.case_id]) == (1, 2)
    assert accepted(stays, cast).phase == "review"


def test_what_each_of_a_list_owes_now_comes_to_each_when_it_is_sent_back(permit: Any, cast: Cast) -> None:
    base = body()
    base["obligations"]["opinion"]["who"] = {"organization": "bureau", "roles": ["data_admin"]}
    publish(**base)
    case = do(accepted(permit(), cast), "agree", cast.data_admin)
    assert case.phase == "decision"
    publish(**body())
    applied(cast, api.plan_migration(kind="permit", actor=cast.data_admin.actor))
    case = sent_back(case, cast, "review")
    waiting = ObligationRecord.objects.filter(case_id=case.case_id, name="opinion", state="open")
    assert set(waiting.values_list("organization", flat=True)) == {cast.owner.code, cast.bureau.code}
    for member in (cast.leader, cast.data_admin):
        case = do(case, "agree", member)
    assert case.phase == "decision"
    check_all(cast)


def test_the_way_back_is_kept(permit: Any, cast: Cast) -> None:
    case = accepted(permit(), cast)
    publish(title="第二版")
    plan = api.plan_migration(kind="permit", actor=cast.data_admin.actor)
    done = applied(cast, replace(plan, moves=tuple(replace(m, add=(("opinion", cast.other.code),)) for m in plan.moves)))
    assert len(open_ids(case, cast, "opinion")) == 3
    back = api.undo_plan(migration_id=done.migration_id, actor=cast.data_admin.actor)
    assert (back.source_number, back.target_number) == (2, 1)
    assert applied(cast, back).moved == 1
    assert CaseRecord.objects.get(pk=case.case_id).kind.number == 1
    check_all(cast)


def test_a_case_that_went_on_meanwhile_moves_from_where_it_stands(permit: Any, cast: Cast) -> None:
    case = permit()
    other = accepted(permit(), cast)
    publish(title="第二版")
    draft = drafted(cast)
    accepted(case, cast)
    api.approve_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)
    assert api.apply_migration(migration_id=draft.migration_id, actor=cast.data_admin.actor).moved == 2
    do(other, "agree", cast.leader)
    check_all(cast)


def test_a_position_that_came_up_after_the_plan_stops_it(permit: Any, cast: Cast) -> None:
    case = permit()
    publish(title="第二版")
    draft = drafted(cast)
    api.approve_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)
    accepted(case, cast)
    with pytest.raises(MigrationRefused):
        api.apply_migration(migration_id=draft.migration_id, actor=cast.data_admin.actor)
    assert CaseRecord.objects.get(pk=case.case_id).kind.number == 1


def test_stopped_between_two_transactions_it_goes_on_from_there(
    permit: Any, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("yunhe.core.cases.api.pacing.MOST", 2)
    cases = [permit() for _ in range(5)]
    publish(title="第二版")
    draft = drafted(cast)
    api.approve_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)

    def stop(done: int, total: int) -> None:
        assert total == 5
        if done == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        api.apply_migration(migration_id=draft.migration_id, actor=cast.data_admin.actor, progress=stop)
    assert CaseRecord.objects.filter(kind__number=2).count() == 2
    done = api.apply_migration(migration_id=draft.migration_id, actor=cast.data_admin.actor)
    assert (done.state, done.moved) == ("done", 5)
    assert accepted(cases[0], cast).phase == "review"
    check_all(cast)


def test_a_case_acted_on_within_the_transaction_s_reading_is_left_for_the_next_pass(permit: Any, cast: Cast) -> None:
    stays, goes = permit(), permit()
    publish(title="第二版")
    draft = drafted(cast, with_review(api.plan_migration(kind="permit", actor=cast.data_admin.actor)))
    api.approve_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)
    seen: list[tuple[int, int]] = []

    def act_meanwhile(done: int, total: int) -> None:
        if not seen:
            accepted(goes, cast)  # after the positions were read, before the first transaction
        seen.append((done, total))

    done = api.apply_migration(migration_id=draft.migration_id, actor=cast.data_admin.actor, progress=act_meanwhile)
    assert (done.state, done.moved) == ("done", 2)
    assert {row.phase: row.kind.number for row in CaseRecord.objects.select_related("kind")} == {"intake": 2, "review": 2}
    assert seen[-1] == (2, 2)
    assert api.get_case(case_id=stays.case_id).phase == "intake"
    check_all(cast)


def with_review(plan: Migration) -> Migration:
    (move,) = plan.moves
    later = replace(move, phase="review", to_phase="review", obligations=("opinion", "opinion"), renames={"opinion": "opinion"}, cases=0)
    return replace(plan, moves=(move, later))
