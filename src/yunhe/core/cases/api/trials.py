"""The last dry run of each plan, kept with its time: a page shows it at once, and who wants a new one asks for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.db.models import Count, Max, Sum
from pydantic import TypeAdapter

from yunhe.core.cases.api import trying
from yunhe.core.cases.models import CaseRecord, KindRecord, TrialRecord
from yunhe.core.cases.rules.digests import digest_of
from yunhe.core.cases.types import DryRun, Migration, Trial, TriedGroup
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now

KEPT = timedelta(days=7)
"""A dry run names people and cases: what is older than this is dropped with the next one."""
_GROUPS: TypeAdapter[tuple[TriedGroup, ...]] = TypeAdapter(tuple[TriedGroup, ...])


def find_trial(*, plan: Migration, actor: Actor) -> Trial | None:
    """Return the last dry run of a plan, if one is kept. Cost: two queries."""
    actor.require(trying.CHANGE, kind=plan.kind)
    row = TrialRecord.objects.filter(pk=_key(plan)).first()
    if row is None:
        return None
    return Trial(_read(row.told), row.made_at, row.stands == _stands(trying.version_of(plan.kind, plan.source_number)))


def make_trial(*, plan: Migration, actor: Actor) -> Trial:
    """Try a plan, and keep what it said. Cost: that of `try_plan`, up to some seconds."""
    stands = _stands(trying.version_of(plan.kind, plan.source_number))  # before: what goes on meanwhile makes it old
    dry, at = trying.try_plan(plan=plan, actor=actor), now()
    TrialRecord.objects.filter(made_at__lt=at - KEPT).delete()
    told = {"kind_code": plan.kind, "made_at": at, "stands": stands, "told": _written(dry)}
    TrialRecord.objects.update_or_create(pk=_key(plan), defaults=told)
    return Trial(dry, at, is_current=True)


def _key(plan: Migration) -> str:
    """Return what a plan does as a digest: not for how many, nor why."""
    moves = sorted(json.dumps({**asdict(move), "cases": 0}, sort_keys=True) for move in plan.moves)
    return digest_of([plan.kind, plan.source_number, plan.target_number, plan.undoes, *moves])


def _stands(source: KindRecord) -> str:
    """Return a mark of the running cases of a version that changes with each step of any of them."""
    running = CaseRecord.objects.filter(kind=source).exclude(state="closed")
    told = running.aggregate(cases=Count("pk"), steps=Sum("version"), last=Max("pk"))
    return f"{told['cases']} {told['steps'] or 0} {told['last'] or ''}"


def _written(dry: DryRun) -> dict[str, Any]:
    problems = [[*key, said] for key, said in dry.problems.items()]
    return {"moved": dry.moved, "kept": dry.kept, "problems": problems, "groups": _GROUPS.dump_python(dry.groups, mode="json")}


def _read(told: Mapping[str, Any]) -> DryRun:
    problems = {(phase, tuple(names), origin): tuple(said) for phase, names, origin, said in told["problems"]}
    return DryRun(told["moved"], told["kept"], problems, _GROUPS.validate_python(told["groups"]))
