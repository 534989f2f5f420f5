"""The plan of a change of procedure: the usual one, one as a person corrected it in a file, and the way back from a change."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from yunhe.core.cases.api import kinds, migrating, returning, trying
from yunhe.core.cases.api.trying import CHANGE, named
from yunhe.core.cases.errors import MigrationRefused
from yunhe.core.cases.models import CaseRecord, KindRecord, MigrationRecord
from yunhe.core.cases.rules.comparing import compare_kinds
from yunhe.core.cases.rules.migrating import key_of
from yunhe.core.cases.rules.planfile import group_named, say_problems
from yunhe.core.cases.rules.returning import went_on
from yunhe.core.cases.types import WENT_ON, KindSpec, Migration, Move
from yunhe.core.cases.types.plans import PlanModel
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now


def plan_migration(*, kind: str, actor: Actor, source_number: int | None = None) -> Migration:
    """Return how the running cases of an older version would move to the newest; nothing is written.

    Without `source_number` the version with the most running cases. Raises: Refused, KindNotFound, MigrationRefused.
    """
    actor.require(CHANGE, kind=kind)
    target = kinds.current_kind(kind)
    source = _source(kind, target, source_number)
    trying.require_two(source, target)
    return replace(_planned(source, target), moves=trying.usual_moves(source))


def read_plan(*, told: Mapping[str, Any], actor: Actor) -> Migration:
    """Return a plan as a person corrected it; shape: `PlanModel`, its moves as `asdict` of `Move` writes them.

    Raises: MigrationRefused naming each group and field that is missing or of another shape.
    """
    try:
        plan = PlanModel.model_validate_json(json.dumps(told, default=str), by_alias=True)
    except ValidationError as error:
        said = say_problems(error.errors(), told, _kind_of(told))
        raise MigrationRefused(where="plan", problem=said["zh"], problem_en=said["en"]) from error
    actor.require(CHANGE, kind=plan.kind)
    kinds.current_kind(plan.kind)  # a kind that there is not is refused by that name
    source, target = trying.version_of(plan.kind, plan.source), trying.version_of(plan.kind, plan.to)
    trying.require_two(source, target)
    moves = tuple(Move(**{name: getattr(one, name) for name in type(one).model_fields}) for one in plan.moves)
    _require_distinct(moves, kinds.spec_of(source))
    if plan.undoes:
        _require_undoable(plan.undoes, source, target)
    return replace(_planned(source, target), moves=moves, undoes=plan.undoes)


def undo_plan(*, migration_id: str, actor: Actor) -> Migration:
    """Return the plan that leads back from a change; it needs drafting and a second person like any other.

    It is for those cases alone that the change moved and that are still on its target, each back to where it stood. What went
    on since is proposed to stay: people decide.
    """
    row = migrating.row_of(migration_id, "done", "withdrawn")
    actor.require(CHANGE, kind=row.kind_code)
    backs = returning.backs_of(row.pk)
    standing = trying.standing_among(row.target, backs)
    again, moves = trying.again_at(row.target, standing), list[Move]()
    for key, ids in sorted(standing.items()):
        stayed = went_on(key[0], key[1], tuple(again[key]), len(ids))
        moves.append(stayed if key[2] == WENT_ON else replace(backs[ids[0]], cases=len(ids)))
    return replace(_planned(row.target, row.source), moves=tuple(moves), undoes=row.pk)


def _planned(source: KindRecord, target: KindRecord) -> Migration:
    old, new = kinds.spec_of(source), kinds.spec_of(target)
    return Migration(
        migration_id="", kind=source.code, source_number=source.number, target_number=target.number, state="planned", moves=(),
        changes=compare_kinds(old, new), reason="", author_name="", approver_name="", made_at=now(), done_at=None, moved=0,
        kind_title=new.title.as_mapping(),
    )  # fmt: skip


def _source(kind: str, target: KindRecord, number: int | None) -> KindRecord:
    if number is not None:
        return trying.version_of(kind, number)
    running = CaseRecord.objects.filter(kind_code=kind).exclude(state="closed").exclude(kind=target)
    counted = Counter(running.values_list("kind_id", flat=True)).most_common(1)
    if not counted:
        raise MigrationRefused(where=kind, titles=named(target), problem="没有旧版本的在办办件", problem_en="no case of an older version is running")
    return KindRecord.objects.get(pk=counted[0][0])


def _kind_of(told: Mapping[str, Any]) -> KindSpec | None:
    """Return the version that a plan is for, where it says so in a way that can be read."""
    code, number = told.get("kind"), told.get("from")
    if not isinstance(code, str) or not isinstance(number, int):
        return None
    row = KindRecord.objects.filter(code=code, number=number).first()
    return kinds.spec_of(row) if row else None


def _require_distinct(moves: tuple[Move, ...], kind: KindSpec) -> None:
    """Do nothing if no two groups are for the same cases. Raises: MigrationRefused."""
    first = dict[Any, int]()
    for number, move in enumerate(moves, start=1):
        if (other := first.setdefault(key_of(move), number)) != number:
            said = group_named({"phase": move.phase, "obligations": move.obligations}, number, kind)
            zh, en = f"{said['zh']}与第 {other} 组是同一些办件", f"{said['en']} is for the same cases as group {other}"
            raise MigrationRefused(where="plan", problem=zh, problem_en=en)


def _require_undoable(migration_id: str, source: KindRecord, target: KindRecord) -> None:
    """Do nothing if there is that change and it led the other way. Raises: MigrationRefused."""
    if not MigrationRecord.objects.filter(pk=migration_id, source=target, target=source).exists():
        zh = "undoes：没有这样一项从新版本返回旧版本的变更；去掉这一项，或写上要返回的那项变更的编号"
        en = "undoes names no change that led the other way between these versions; leave it out, or write the number of the change to return from"
        raise MigrationRefused(where="plan", problem=zh, problem_en=en)
