"""The change procedure (流程变更): draft a plan, approve it as a second person, move in bulk; `planning` makes the plan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.db.models import F

from yunhe.core.cases.api import kinds, rivals, trying
from yunhe.core.cases.api.moving import Change, move_cases, prepare
from yunhe.core.cases.api.pacing import Pace
from yunhe.core.cases.api.trying import CHANGE, named
from yunhe.core.cases.errors import CHANGE_STATES, MigrationRefused
from yunhe.core.cases.models import MigrationRecord
from yunhe.core.cases.rules import migrating as rules
from yunhe.core.cases.rules.comparing import compare_kinds
from yunhe.core.cases.rules.wording import listed
from yunhe.core.cases.types import Migration, Move
from yunhe.core.evidence import api as evidence
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now
from yunhe.kernel.errors import Missing
from yunhe.kernel.ids import new_id

MOST_PASSES = 20
"""So often in a row nothing is moved because all that is left was acted on meanwhile, then the change stops."""


def draft_migration(*, plan: Migration, reason: str, actor: Actor) -> Migration:
    """Keep a plan for a second person, after a dry run over every position that stands now.

    Raises: MigrationRefused with the first position that would be stranded, or that the plan does not name.
    """
    actor.require(CHANGE, kind=plan.kind)
    if not reason.strip():
        raise MigrationRefused(where="reason", problem="请写明原因", problem_en="a reason is needed")
    source, target = trying.version_of(plan.kind, plan.source_number), trying.version_of(plan.kind, plan.target_number)
    trying.require_two(source, target)
    trying.require_sound(source, target, rules.complete(plan.moves), trying.standing_of(source, plan.undoes))
    if not plan.undoes and any(move.limits == "restore" for move in plan.moves):
        raise MigrationRefused(where=plan.kind, titles=named(target), problem="只有返回旧流程时才能恢复原时限", problem_en="only the way back puts limits back")
    if all(move.choice == "keep" for move in plan.moves):
        raise MigrationRefused(where=plan.kind, titles=named(target), problem="没有要移动的办件", problem_en="no case is to be moved")
    with transaction.atomic():
        row = MigrationRecord.objects.create(
            id=new_id(), kind_code=plan.kind, source=source, target=target, state="drafted", reason=reason[:500],
            moves=[asdict(move) for move in plan.moves], author=actor.id, author_name=actor.name, made_at=now(),
            undoes_id=plan.undoes or None,
        )  # fmt: skip
        _record("case.migration_drafted", row, actor)
    return told(row)


def approve_migration(*, migration_id: str, actor: Actor) -> Migration:
    """Approve a drafted change as the second person. Raises: Refused, MigrationRefused for its author."""
    with transaction.atomic():
        row = row_of(migration_id, "drafted")
        actor.require(CHANGE, kind=row.kind_code)
        if row.author == actor.id:
            raise MigrationRefused(where=row.pk, titles=named(row.target), problem="起草人不能批准自己的变更", problem_en="its author may not approve it")
        rivals.require_current(row)
        _step(row, "approved", approver=actor.id, approver_name=actor.name, approved_at=now())
        _record("case.migration_approved", row, actor)
    return told(row)


def withdraw_migration(*, migration_id: str, actor: Actor) -> Migration:
    """Take a change back that is not done; what it moved already stays moved. Either person may. Raises: MigrationRefused."""
    with transaction.atomic():
        row = row_of(migration_id, "drafted", "approved", "running")
        actor.require(CHANGE, kind=row.kind_code)
        _step(row, "withdrawn", done_at=now())
        _record("case.migration_withdrawn", row, actor)
    return told(row)


def apply_migration(
    *, migration_id: str, actor: Actor, progress: Callable[[int, int], None] = lambda done, total: None
) -> Migration:
    """Move the cases in short transactions; goes on where it was stopped. Returns how it stands.

    A case that was acted on meanwhile moves from where it stands then; none moves twice. `progress` may raise to stop between two
    transactions; it is told of all that the change moves, also of what it moved before it was stopped.

    Raises: MigrationRefused unless approved, when another change moved cases of the version meanwhile, or when a
    position came up that the plan strands or does not name.
    """
    row = row_of(migration_id, "approved", "running")
    actor.require(CHANGE, kind=row.kind_code)
    moves = rules.complete(_move(one) for one in row.moves)
    trying.require_two(row.source, row.target)
    work, done, pace, passes = _work(row, moves), row.moved, Pace(), 0
    with transaction.atomic():
        rivals.require_current(row)
        _step(row, "running")
    total = done + sum(len(ids) for _, ids in work)
    while work and passes < MOST_PASSES:
        before, passes = done, passes + 1
        for move, left in work:
            while left:
                progress(done, total)
                done += _move_cases(row, move, left, actor, pace)
        work = _work(row, moves)  # what was acted on meanwhile stands elsewhere now
        passes *= done == before  # of those that move nobody
    if work:
        many, zh, en = sum(len(ids) for _, ids in work), "一直有人在办理，请稍后继续执行", "are being acted on all the time; go on later"
        raise MigrationRefused(where=row.pk, titles=named(row.target), problem=f"有 {many} 件{zh}", problem_en=f"{many} cases {en}")
    progress(done, total)
    with transaction.atomic():
        _step(row, "done", done_at=now())
        _record("case.migrated", row, actor)
    return told(row)


def require_ready(*, migration_id: str, actor: Actor) -> None:
    """Do nothing if an approved change may be carried out now. Raises: MigrationRefused with the first thing in the way."""
    row = row_of(migration_id, "approved", "running")
    actor.require(CHANGE, kind=row.kind_code)
    with transaction.atomic():
        rivals.require_current(row)
    _work(row, rules.complete(_move(one) for one in row.moves))


def _work(row: MigrationRecord, moves: tuple[Move, ...]) -> list[tuple[Move, list[str]]]:
    """Return what is still to be moved. Raises: MigrationRefused when a position came up that must stop the change."""
    standing = trying.standing_of(row.source, row.undoes_id or "")
    trying.require_sound(row.source, row.target, moves, standing)
    known = {rules.key_of(move): move for move in moves}
    found = ((rules.find_move(known, key), ids) for key, ids in standing.items())
    return [(move, ids) for move, ids in found if move is not None and move.choice == "move"]


def _move_cases(row: MigrationRecord, move: Move, left: list[str], actor: Actor, pace: Pace) -> int:
    """Move the first of the cases that are left in one transaction, and take them from the list; return how many were still there."""
    change, ids = Change(row.source, row.target, move, actor, row.reason, now(), row.pk), left[: pace.most]
    prepare(change, ids)
    with transaction.atomic():
        looked, moved = pace.take(ids, lambda some: move_cases(change, some))
        _step(row, "running", moved=F("moved") + moved)
    del left[:looked]
    pace.rest()
    return moved


def row_of(migration_id: str, *states: str) -> MigrationRecord:
    """Return the row with both versions. Raises: Missing; MigrationRefused if it is in none of the states, where some are named."""
    row = MigrationRecord.objects.select_related("source", "target").filter(pk=migration_id).first()
    if row is None:
        raise Missing(what="migration", name=migration_id)
    if states and row.state not in states:
        (zh, en), wanted = CHANGE_STATES[row.state].values(), listed(CHANGE_STATES[state] for state in states)
        problem, problem_en = f"它处于“{zh}”，需要“{wanted['zh']}”", f"it is {en}, not {wanted['en']}"
        raise MigrationRefused(where=row.pk, titles=named(row.target), problem=problem, problem_en=problem_en)
    return row


def _move(written: Mapping[str, Any]) -> Move:
    pairs = {part: tuple((name, organization) for name, organization in written[part]) for part in ("cancel", "add")}
    return Move(**{**written, "obligations": tuple(written["obligations"]), "left_out": tuple(written.get("left_out", ())), **pairs})


def _step(row: MigrationRecord, state: str, **more: Any) -> None:
    """Lead a change to its next state. Raises: MigrationRefused if it is no longer where it was read."""
    if not MigrationRecord.objects.filter(pk=row.pk, state=row.state).update(state=state, **more):
        raise MigrationRefused(where=row.pk, titles=named(row.target), problem="它刚被别人改动，请刷新", problem_en="somebody else just changed it; reload")
    row.refresh_from_db()


def _record(kind: str, row: MigrationRecord, actor: Actor) -> None:
    facts = {"migration": row.pk, "from": row.source.number, "to": row.target.number, "moved": row.moved, "reason": row.reason}
    facts["limits"] = dict(Counter(move.limits for move in map(_move, row.moves) if move.choice == "move"))
    evidence.append(kind=kind, actor=actor, subject_type="case_kind", subject_id=row.kind_code, facts=facts)


def told(row: MigrationRecord) -> Migration:
    """Return the row as others see it."""
    changes = compare_kinds(kinds.spec_of(row.source), kinds.spec_of(row.target))
    return Migration(
        migration_id=row.pk, kind=row.kind_code, source_number=row.source.number, target_number=row.target.number, state=row.state,
        moves=tuple(_move(one) for one in row.moves), changes=changes, reason=row.reason, author_name=row.author_name,
        approver_name=row.approver_name, made_at=row.made_at, done_at=row.done_at, moved=row.moved,
        kind_title=kinds.spec_of(row.target).title.as_mapping(), author=row.author, approved_at=row.approved_at,
        undoes=row.undoes_id or "",
    )  # fmt: skip
