"""The dry run of a change of procedure (试算): held against every position, and carried out on cases without a trace.

The moves are those of the change itself, written by the same statements, each case in a savepoint of its own, in transactions
that are rolled back: what they write, number and note goes with them.
"""

from __future__ import annotations

import logging
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from yunhe.core.cases.api import kinds, returning
from yunhe.core.cases.api.announcing import Seat, takers_of
from yunhe.core.cases.api.moving import Change, move_cases
from yunhe.core.cases.api.pacing import LONGEST_SECONDS, REST_SECONDS, let_others_in
from yunhe.core.cases.api.reading import organization_names, person_names
from yunhe.core.cases.errors import MigrationRefused
from yunhe.core.cases.models import CaseRecord, ClockRecord, KindRecord, ObligationRecord, TurnRecord
from yunhe.core.cases.rules import migrating as rules
from yunhe.core.cases.rules.course import OPEN, ROLE_JOIN
from yunhe.core.cases.rules.planning import check_move
from yunhe.core.cases.rules.wording import kind_named, position_title
from yunhe.core.cases.types import DryRun, KindSpec, Migration, Move, Owed, TriedCase, TriedGroup, TriedLine
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import now
from yunhe.kernel.errors import Missing, YunheError

CHANGE = "cases.change"
MOST_TRIED, MOST_SECONDS, FEWEST = 200, 5.0, 3
WHOLE = {"zh": "全程时限", "en": "The limit of the whole"}
Positions = dict[rules.Key, list[str]]
Rows = Mapping[str, ObligationRecord | ClockRecord]
log = logging.getLogger(__name__)


def check_plan(*, plan: Migration, actor: Actor) -> DryRun:
    """Return whether a plan would strand cases as they stand now; nothing is written and none is moved."""
    actor.require(CHANGE, kind=plan.kind)
    source, target = version_of(plan.kind, plan.source_number), version_of(plan.kind, plan.target_number)
    return _check(source, target, rules.complete(plan.moves), standing_of(source, plan.undoes))


def try_plan(
    *, plan: Migration, actor: Actor, most: int = MOST_TRIED, seconds: float = MOST_SECONDS, check: Callable[[], None] = lambda: None
) -> DryRun:
    """Return what a plan does to cases, by moving them and taking it back: all of them, of more than `most` some of each group.

    One case of each group is tried first, then one more of each in turn, the largest group first. A position that `check_plan`
    objects to is not tried. It ends after `seconds`, with what was tried until then; `check` runs between cases and may raise.
    """
    actor.require(CHANGE, kind=plan.kind)
    source, target = version_of(plan.kind, plan.source_number), version_of(plan.kind, plan.target_number)
    standing, moves = standing_of(source, plan.undoes), rules.complete(plan.moves)
    found, known = _check(source, target, moves, standing), {rules.key_of(move): move for move in moves}
    chosen = {key: rules.find_move(known, key) for key in standing if key not in found.problems}
    moving = {key: move for key, move in chosen.items() if move is not None and move.choice == "move"}
    total, share = sum(len(standing[key]) for key in moving), max(FEWEST, most // max(len(moving), 1))
    samples = {key: sorted(standing[key]) if total <= most else spread(sorted(standing[key]), share) for key in moving}
    order = sorted(moving, key=lambda key: (-len(standing[key]), key))
    changes = {key: Change(source, target, move, actor, plan.reason or "—", now()) for key, move in moving.items()}
    tried = _try_all(changes, in_turn([(key, samples[key]) for key in order]), time.monotonic() + seconds, check)
    groups = (
        TriedGroup(m.phase, m.obligations, m.to_phase, len(standing[key]), tuple(tried[key]), m.origin)
        for key, m in sorted(moving.items(), key=itemgetter(0))
    )
    return DryRun(found.moved, found.kept, found.problems, tuple(groups))


def in_turn(samples: Sequence[tuple[rules.Key, Sequence[str]]]) -> Iterator[tuple[rules.Key, str]]:
    """Yield the first of each group, then the second of each, and so on."""
    for place in range(max((len(ids) for _key, ids in samples), default=0)):
        yield from ((key, ids[place]) for key, ids in samples if place < len(ids))


def _try_all(
    changes: Mapping[rules.Key, Change], cases: Iterator[tuple[rules.Key, str]], until: float, check: Callable[[], None]
) -> Mapping[rules.Key, list[TriedCase]]:
    """Try cases until the time is over, in transactions as short as those of the change itself, each taken back."""
    tried, waiting = defaultdict[rules.Key, list[TriedCase]](list), deque(cases)
    while waiting and time.monotonic() <= until:
        with transaction.atomic():
            over = min(until, time.monotonic() + LONGEST_SECONDS)
            while waiting and time.monotonic() <= over:
                check()
                key, case_id = waiting.popleft()
                tried[key] += filter(None, [_try(changes[key], case_id)])
            transaction.set_rollback(True)
        if waiting:
            let_others_in(REST_SECONDS)
    return tried


def spread(ids: Sequence[str], most: int) -> list[str]:
    """Return at most so many of the ids, from the first to the last at equal steps."""
    count = min(most, len(ids))
    return [ids[place * len(ids) // count] for place in range(count)]


def standing_of(source: KindRecord, undoes: str = "") -> Positions:
    """Return the running cases of a version that a change is for by where they stand: phase and names of open obligations.

    The way back from a change is for those alone that it moved, told apart by where they came from as well.
    """
    return standing_among(source, returning.backs_of(undoes) if undoes else None)


def standing_among(source: KindRecord, backs: Mapping[str, Move] | None) -> Positions:
    """Return where the running cases of a version stand; of those alone that have a way back, where `backs` tells these by case."""
    running = CaseRecord.objects.filter(kind=source).exclude(state="closed")
    phases = dict(running.values_list("pk", "phase"))
    names: dict[str, list[str]] = defaultdict(list)
    opened = ObligationRecord.objects.filter(case__kind=source, state=OPEN).exclude(case__state="closed")
    for case_id, name in opened.values_list("case_id", "name"):
        names[case_id].append(name)
    found = Positions()
    for case_id, phase in phases.items():
        if backs is None or case_id in backs:
            key = phase, tuple(sorted(names[case_id])), backs[case_id].origin if backs else ""
            found.setdefault(key, []).append(case_id)
    return found


def waits_of(source: KindRecord) -> dict[str, tuple[str, ...]]:
    """Return by running case of a version the names of what comes again in it at its next period."""
    rows = ObligationRecord.objects.filter(case__kind=source, next_at__isnull=False).exclude(case__state="closed")
    found: dict[str, set[str]] = defaultdict(set)
    for case_id, name in rows.order_by().values_list("case_id", "name"):
        found[case_id].add(name)
    return {case_id: tuple(sorted(names)) for case_id, names in found.items()}


def usual_moves(source: KindRecord) -> tuple[Move, ...]:
    """Return for each position of a version the move that changes nothing else; it names what comes again there as well."""
    standing = sorted(standing_of(source).items())
    again = again_at(source, dict(standing))
    return tuple(rules.usual_move(key[0], key[1], len(ids), again[key]) for key, ids in standing)


def again_at(source: KindRecord, standing: Positions) -> Mapping[rules.Key, Sequence[str]]:
    """Return by position the names of what comes again in its cases."""
    waits = waits_of(source)
    return {key: sorted({name for case_id in ids for name in waits.get(case_id, ())}) for key, ids in standing.items()}


def require_two(source: KindRecord, target: KindRecord) -> None:
    """Do nothing if a change leads from one version to another. Raises: MigrationRefused for one that leads nowhere."""
    if source.pk == target.pk:
        zh = f"第 {source.number} 版的办件已经在第 {source.number} 版上，没有可变更的；请另选原来的版本或要移到的版本"
        en = f"the cases of version {source.number} are on version {source.number} already: choose another version to move from or to"
        raise MigrationRefused(where=source.code, titles=named(target), problem=zh, problem_en=en)


def require_sound(source: KindRecord, target: KindRecord, moves: Iterable[Move], standing: Positions) -> None:
    """Do nothing if no position stands in the way. Raises: MigrationRefused with the first that does."""
    for (phase, names, _origin), (first, *_rest) in _check(source, target, moves, standing).problems.items():
        stands = {"where": position_title(kinds.spec_of(source), phase, names)}
        raise MigrationRefused(where=f"{phase} + {', '.join(names)}", titles=stands, problem=first["zh"], problem_en=first["en"])


def version_of(kind: str, number: int) -> KindRecord:
    """Return the row of one version. Raises: Missing."""
    row = KindRecord.objects.filter(code=kind, number=number).first()
    if row is None:
        raise Missing(what="kind_version", name=f"{kind} {number}")
    return row


def named(row: KindRecord) -> dict[str, Mapping[str, str]]:
    """Return what the kind of a change is called, as the place that a refusal names."""
    return kind_named(kinds.spec_of(row), "where")


def _check(source: KindRecord, target: KindRecord, moves: Iterable[Move], standing: Positions) -> DryRun:
    """Hold the moves against every position that stands now."""
    old, new = kinds.spec_of(source), kinds.spec_of(target)
    known, waits = {rules.key_of(move): move for move in moves}, waits_of(source)
    counts, problems = Counter[str](), {}
    for key, ids in sorted(standing.items()):
        move = rules.find_move(known, key)
        found = [(f"有 {len(ids)} 件处于计划没有写到的位置", f"{len(ids)} cases stand where the plan says nothing")]
        if move is not None:
            counts[move.choice] += len(ids)
            found = [*check_move(old, new, move, sorted({waits.get(case_id, ()) for case_id in ids})), *_strangers(move)]
        if found:
            problems[key] = tuple({"zh": zh, "en": en} for zh, en in found)
    return DryRun(counts["move"], counts["keep"], problems)


def _strangers(move: Move) -> list[tuple[str, str]]:
    bodies = {organization for _name, organization in move.add if organization} if move.choice == "move" else set()
    unknown = (body for body in sorted(bodies) if organizations.find_organization(code=body) is None)
    return [(f"没有单位“{body}”", f'there is no organisation "{body}"') for body in unknown]


def _try(change: Change, case_id: str) -> TriedCase | None:
    """Move one case and tell what became of it; None if it is not there any more. A failure is that case's own."""
    number = CaseRecord.objects.values_list("number", flat=True).get(pk=case_id)
    before, earlier = _standing(case_id), set(_turns(case_id).values_list("pk", flat=True))
    try:
        with transaction.atomic():
            if not move_cases(change, [case_id]):
                return None
            return TriedCase(case_id, number, tuple(_lines(change, case_id, before, _turns(case_id).exclude(pk__in=earlier))))
    except YunheError as error:
        return TriedCase(case_id, number, (), error.texts)
    except Exception as error:  # the door of every case
        log.warning("case %s cannot be moved: %s", number, type(error).__name__, exc_info=error)
        said = type(error).__name__
        return TriedCase(case_id, number, (), {"zh": f"移动时出错（{said}），请看日志", "en": f"moving it failed ({said}); see the log"})


def _turns(case_id: str) -> QuerySet[TurnRecord]:
    return TurnRecord.objects.filter(obligation__case=case_id).order_by("pk")


def _standing(case_id: str) -> dict[str, ObligationRecord | ClockRecord]:
    opened = ObligationRecord.objects.filter(case_id=case_id, state=OPEN).order_by("pk")
    running = ClockRecord.objects.filter(case_id=case_id, stopped_at=None).order_by("pk")
    return {**{row.pk: row for row in opened}, **{row.pk: row for row in running}}


def _lines(change: Change, case_id: str, before: Rows, turns: QuerySet[TurnRecord]) -> Iterator[TriedLine]:
    """Yield what became of what stood before, then what opened."""
    after = _standing(case_id)
    told, lost = {turn.obligation_id: turn for turn in turns if not turn.gone}, {turn.obligation_id: turn for turn in turns if turn.gone}
    old, new = kinds.spec_of(change.source), kinds.spec_of(change.target)
    people, bodies = cache(_people), organization_names([one.organization for one in (*before.values(), *after.values()) if isinstance(one, ObligationRecord)])
    for key in (*before, *(key for key in after if key not in before)):
        was, item = before.get(key), after.get(key)
        came = people(_seat_of(item, item.kind_code)) if key in told and isinstance(item, ObligationRecord) else ()
        gone = people(_seat_of(lost[key], change.source.code)) if key in lost else ()
        yield TriedLine(
            before=_owed(was, old, bodies) if was else None,
            after=_owed(item, new, bodies) if item else None,
            told=came,
            lost=tuple(name for name in gone if name not in came),
            nobody=key in told and not came,
        )


def _seat_of(item: ObligationRecord | TurnRecord, kind: str) -> Seat:
    return Seat(item.organization, item.role, item.assignee or item.person, kind)


def _people(seat: Seat) -> tuple[str, ...]:
    persons = tuple(dict.fromkeys(one.id for one in takers_of(seat)))
    names = person_names(persons)
    return tuple(names.get(person, person) for person in persons)


def _owed(item: ObligationRecord | ClockRecord, spec: KindSpec, bodies: Mapping[str, str]) -> Owed:
    timed: dict[str, Any] = {"due_at": item.due_at, "paused": item.paused_at is not None}
    if isinstance(item, ClockRecord):
        return Owed(WHOLE, **timed)
    person = item.assignee or item.person
    return Owed(
        title=spec.obligation(item.name).title.as_mapping(),
        organization_name=bodies.get(item.organization, item.organization),
        roles=tuple(filter(None, item.role.split(ROLE_JOIN))),
        person_name=person_names([person]).get(person, person),
        lapse_at=item.lapse_at,
        next_at=item.next_at,
        **timed,
    )
