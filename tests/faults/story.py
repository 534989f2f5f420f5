"""What happens in the world: one step after another, each asked for by a client that may ask again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from tests.conftest import Member
from tests.faults.world import A_MONDAY, FOUNDER, World, permit
from yunhe.core.cases import api
from yunhe.core.cases.models import CaseRecord, MigrationRecord, ObligationRecord
from yunhe.core.cases.types import Case
from yunhe.core.jobs import api as jobs
from yunhe.core.jobs.api import outbox
from yunhe.core.jobs.models import Delivery, Job
from yunhe.kernel.clock import FrozenClock, _stack
from yunhe.kernel.workdays import CalendarDay

WHY = {"reason": "演练"}
OVER = ("successful", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Step:
    """`whole`: one transaction. Any other may be cut between two, and is asked for again until nothing is left."""

    name: str
    run: Callable[[World], object]
    whole: bool = True
    hours: int = 1


def steps() -> list[Step]:
    """Return the story."""
    return [
        Step("open", lambda w: opened(w, "a")),
        Step("open again", lambda w: [opened(w, "a"), opened(w, "b")][1]),
        Step("open duplicate", lambda w: opened(w, "c")),
        Step("accept", lambda w: act(w.cast.steward, "a", "accept", departments=bodies(w))),
        Step("add reviewer", lambda w: use("add_reviewer", w.cast.leader, "a", seat=("opinion", w.cast.owner.code), to=["officer"], **WHY)),
        Step("opinion", lambda w: act(w.cast.officer, "a", "give_opinion", agrees="yes", opinion="可")),
        Step("agree", lambda w: act(w.cast.leader, "a", "agree")),
        Step("hand on", lambda w: use("hand_on", w.cast.steward, "b", seat=("accept", ""), to="tongshi", **WHY)),
        Step("take back", lambda w: use("take_back", w.colleague, "b", seat=("accept", ""))),
        Step("ask", lambda w: act(w.cast.steward, "b", "ask", missing="图纸")),
        Step("complete", lambda w: act(w.cast.clerk, "b", "complete", place="建军路"), hours=50),
        Step("suspend", lambda w: use("suspend", w.cast.leader, "b", basis="依据", **WHY)),
        Step("resume", lambda w: use("resume", w.cast.leader, "b", **WHY), hours=30),
        Step("extend", lambda w: use("extend", w.cast.leader, "b", seat=("accept", ""), amount=3, basis="依据", **WHY)),
        Step("escalate", lambda w: use("escalate", w.cast.leader, "b", **WHY)),
        Step("remind", lambda w: use("remind", w.cast.clerk, "b", **WHY)),
        Step("accept b", lambda w: act(w.cast.steward, "b", "accept", departments=bodies(w))),
        Step("retract", lambda w: use("retract", w.cast.steward, "b", **WHY)),
        Step("accept b again", lambda w: act(w.cast.steward, "b", "accept", departments=bodies(w))),
        Step("send back", lambda w: use("send_back", w.cast.leader, "b", seat=("opinion", w.cast.owner.code), phase="intake", **WHY)),
        Step("merge", lambda w: use("merge", w.cast.steward, "c", into=case_of("b").case_id, **WHY)),
        Step("open to split", lambda w: opened(w, "d")),
        Step("split", lambda w: use("split", w.cast.steward, "d", titles=["甲", "乙", "丙"], **WHY)),
        Step("open panel", lambda w: opened(w, "e", kind="panel")),
        Step("accept panel", lambda w: act(w.cast.steward, "e", "accept", departments=bodies(w))),
        Step("sub-case ends", lambda w: end_child(w.cast.leader, w.cast.owner.code, "e")),
        Step("last sub-case ends", lambda w: end_child(w.cast.data_admin, w.cast.bureau.code, "e")),
        Step("open second panel", lambda w: opened(w, "f", kind="panel")),
        Step("accept second panel", lambda w: act(w.cast.steward, "f", "accept", departments=bodies(w))),
        Step("suspend second panel", lambda w: use("suspend", w.cast.leader, "f", basis="依据", **WHY)),
        Step("object", lambda w: act(w.cast.data_admin, "a", "object", reason="不可")),
        Step("grant", lambda w: act(w.cast.leader, "a", "grant")),
        Step("delegate", lambda w: delegated(w)),
        Step("act for another", lambda w: act(w.colleague, "e", "refuse", reason="不可")),
        Step("warn", lambda w: api.warn_due(actor=FOUNDER), whole=False, hours=24 * 6),
        Step("recount", lambda w: recount(), whole=False),
        Step("new version", lambda w: api.publish_kind(spec=permit(title="许可二版"), source="tests", actor=FOUNDER)),
        Step("draft change", lambda w: draft(w)),
        Step("approve change", lambda w: api.approve_migration(migration_id=change("drafted"), actor=w.cast.system_admin.actor)),
        Step("apply change", lambda w: api.apply_migration(migration_id=change("approved", "running"), actor=w.cast.data_admin.actor), whole=False),
        Step("deliver", lambda w: deliver(), whole=False),
    ]  # fmt: skip


def opened(world: World, key: str, kind: str = "permit") -> Case:
    """Submit with the client's own key."""
    told = {"title": f"一件 {key}", "data": {"place": "解放路 1 号", "area": 20}, "actor": world.cast.clerk.actor}
    return api.open_case(kind=kind, owner=world.cast.owner.code, request_key=f"client:{key}", **told)


def bodies(world: World) -> list[str]:
    return [world.cast.owner.code, world.cast.bureau.code]


def case_of(key: str) -> Case:
    return api.get_case(case_id=CaseRecord.objects.get(request_key=f"client:{key}").pk)


def act(member: Member, key: str, action: str, **data: Any) -> Case:
    return api.act(case_id=case_of(key).case_id, action=action, data=data, actor=member.actor)


def use(name: str, member: Member, key: str, seat: tuple[str, str] | None = None, **given: Any) -> object:
    """Use an operator, on the open obligation of that name and organisation where it needs one."""
    told: dict[str, Any] = {"case_id": case_of(key).case_id, "actor": member.actor, **given}
    if seat:
        opened = ObligationRecord.objects.filter(case_id=told["case_id"], name=seat[0], state="open")
        told["obligation_id"] = opened.filter(**({"organization": seat[1]} if seat[1] else {})).get().pk
    return getattr(api, name)(**told)


def end_child(member: Member, owner: str, key: str) -> Case:
    child = CaseRecord.objects.get(parent_id=case_of(key).case_id, owner=owner)
    return api.act(case_id=child.pk, action="ok", data={}, actor=member.actor)


def delegated(world: World) -> object:
    today = (A_MONDAY + timedelta(days=1)).date()
    told = {"to_username": "tongshi", "since": today, "until": today + timedelta(days=60), "reason": "休假"}
    return api.delegate(**told, actor=world.cast.leader.actor)


def recount() -> int:
    """Load a notice that moves holidays, as a pack does: the days first, then every running clock."""
    days = [CalendarDay(date(2026, 3, day), "holiday", "演练", "演练") for day in (11, 12, 13)]
    held = [day for day in api.calendar().days if day.on.year == 2026 and day.on not in {one.on for one in days}]
    api.replace_calendar(days=[*held, *days], source="tests")
    return api.recount_due(actor=FOUNDER)


def draft(world: World) -> object:
    plan = api.plan_migration(kind="permit", actor=world.cast.data_admin.actor)
    return api.draft_migration(plan=plan, reason="演练", actor=world.cast.data_admin.actor)


def change(*states: str) -> str:
    return MigrationRecord.objects.get(state__in=states).pk


def deliver() -> None:
    """What the worker does, until nothing is due; leases of the dead run out meanwhile, and pauses end."""
    clock = frozen_clock()
    for _ in range(4):
        while outbox.deliver_pending(limit=1000) or jobs.run_pending(limit=1000).seen:
            pass
        if not Delivery.objects.filter(state="open").exists() and not Job.objects.exclude(state__in=OVER).exists():
            return
        clock.advance(timedelta(minutes=10))
        jobs.reap()


def frozen_clock() -> FrozenClock:
    return _stack[-1]


def move(clock: FrozenClock, story: list[Step], at: int) -> None:
    """Put the clock to the moment of a step."""
    clock.move_to(A_MONDAY + timedelta(hours=sum(step.hours for step in story[: at + 1])))
