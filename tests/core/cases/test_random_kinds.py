"""Random kinds with all that a kind can have: what is refused would strand cases, what is published strands none.

Whoever acts, in sub-cases, for batches, for rooms, and whatever time does: the events give the rows, lists find by them
what there is, and from wherever a walk gets the case can be brought to an end.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from django.db import transaction

from tests.conftest import Cast
from tests.core.cases.random_kinds import PARTS, parts_of, random_edit, random_kind, rich_kind, trimmed
from tests.core.cases.test_change_never_strands import corrected, drafted, open_one
from tests.core.cases.walking import HEAD, Walker, check_rows, publish_with, seat_leaders
from tests.soaking import amount, seed_of
from yunhe.core.cases import api
from yunhe.core.cases.errors import MigrationRefused
from yunhe.core.cases.models import CaseRecord, ObligationRecord
from yunhe.core.cases.rules.kinds import check_kind
from yunhe.core.cases.types import KindSpec
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import FrozenClock

pytestmark = [pytest.mark.django_db, pytest.mark.soak]
PARTS_OF_SOAK = range(amount(small=1, full=12))  # each in a time that a test may take
CASES, MOST_WALK, MOST_EDITS = 2, 10, 30


@pytest.mark.parametrize("part", PARTS_OF_SOAK)
def test_what_is_published_strands_nobody_whatever_time_rooms_and_batches_do(
    part: int, clock: FrozenClock, cast: Cast, calendar: None, founder: Actor
) -> None:
    seat_leaders(cast, founder)
    dice, seen = random.Random(seed_of(f"rich kinds strand nobody {part}")), Counter[str]()
    wanted = amount(small=4, full=50)
    while seen["walked"] < wanted:
        seed = dice.randrange(10**9)
        kind = trimmed(rich_kind(seed))
        if not parts_of(kind) or check_kind(kind):
            continue
        seen.update(parts_of(kind))
        at = clock.at
        with transaction.atomic():
            walk(kind, seed, Walker(dice, cast, clock), founder, seen)
            transaction.set_rollback(True)
        clock.move_to(at)
    assert seen["act"] and seen["closed"], seen
    assert wanted < 10 or (seen["time"] and all(seen[name] for name in PARTS if name != "operators")), seen


@pytest.mark.parametrize("part", PARTS_OF_SOAK)
def test_a_change_of_such_a_kind_is_refused_or_every_case_still_ends(
    part: int, clock: FrozenClock, cast: Cast, calendar: None, founder: Actor
) -> None:
    seat_leaders(cast, founder)
    dice, seen = random.Random(seed_of(f"a change of rich kinds strands nobody {part}")), Counter[str]()
    wanted = amount(small=2, full=20)
    while seen["moved"] + seen["refused"] < wanted:
        seed = dice.randrange(10**9)
        kind = trimmed(rich_kind(seed))
        if not parts_of(kind) or check_kind(kind):
            continue
        at = clock.at
        with transaction.atomic():
            change(kind, seed, Walker(dice, cast, clock), founder, seen)
            transaction.set_rollback(True)
        clock.move_to(at)
    assert seen["moved"], seen


def change(kind: KindSpec, seed: int, walker: Walker, founder: Actor, seen: Counter[str]) -> None:
    """Walk some cases of a kind, publish an edit of it, move them there as somebody might, and go on."""
    dice, cast = walker.dice, walker.cast
    edits = (random_edit(kind, dice.randrange(10**9), rich_kind) for _ in range(MOST_EDITS))
    new = next((one for one in edits if one != kind and not check_kind(one)), None)
    if new is None:
        return
    publish_with(kind, founder)
    cases = [opened for _ in range(CASES) if (opened := open_one(dice, cast)) is not None]
    for case_id in cases:
        for _ in range(dice.randrange(MOST_WALK)):
            if CaseRecord.objects.get(pk=case_id).state == "open":
                walker.step(case_id, operators=True)
    publish_with(new, founder)
    if not CaseRecord.objects.filter(kind_code=new.code).exclude(state="closed").exists():
        return
    draft = drafted(corrected(api.plan_migration(kind=new.code, actor=cast.data_admin.actor), new, dice), cast)
    if isinstance(draft, MigrationRefused):
        seen["refused"] += 1
        return
    api.approve_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)
    api.apply_migration(migration_id=draft.migration_id, actor=cast.data_admin.actor)
    seen["moved"] += 1
    for case_id in cases:
        if CaseRecord.objects.get(pk=case_id).state == "open":
            go_on(case_id, seed, walker)


def go_on(case_id: str, seed: int, walker: Walker) -> None:
    """Wander on with operators too; the case can end now and wherever that leads."""
    steps: list[str] = []
    for _ in range(MOST_WALK // 2):
        check_rows(case_id, walker)
        assert walker.ends(case_id), (seed, steps, where(case_id))
        steps.append(walker.step(case_id, operators=True))
        assert walker.failed == [], (seed, steps, where(case_id))
        if CaseRecord.objects.get(pk=case_id).state == "closed":
            return


def walk(kind: KindSpec, seed: int, walker: Walker, founder: Actor, seen: Counter[str]) -> None:
    seen["walked"] += 1
    publish_with(kind, founder)
    for case_id in [opened for _ in range(CASES) if (opened := open_one(walker.dice, walker.cast)) is not None]:
        steps: list[str] = []
        for _ in range(walker.dice.randrange(MOST_WALK)):
            if CaseRecord.objects.get(pk=case_id).state != "open":
                break
            steps.append(walker.step(case_id, operators=True))
            check_rows(case_id, walker)
        seen.update(filter(None, steps))
        seen["closed"] += CaseRecord.objects.get(pk=case_id).state == "closed"
        assert walker.failed == [], (seed, steps)
        if CaseRecord.objects.get(pk=case_id).state == "open":
            assert walker.ends(case_id), (seed, steps, where(case_id))
        assert walker.failed == [], (seed, steps)


def where(case_id: str) -> tuple[object, ...]:
    """Return where a case stands and what was done in it, for who reads a failure."""
    view = api.access_case(case_id=case_id, actor=HEAD)
    return view.case.phase, [(one.name, one.state) for one in view.obligations], [event.action for event in view.events]


@pytest.mark.parametrize("part", PARTS_OF_SOAK)
def test_a_case_between_two_periods_moves_and_still_ends_or_its_administrator_is_told_what_it_lacks(
    part: int, clock: FrozenClock, cast: Cast, calendar: None, founder: Actor
) -> None:
    """Of a sound kind that recurs and a sound edit of it: refused only with what is missing, and then not once that is added."""
    seat_leaders(cast, founder)
    dice, seen = random.Random(seed_of(f"between two periods {part}")), Counter[str]()
    wanted = amount(small=4, full=40)
    while seen["moved"] < wanted:
        seed = dice.randrange(10**9)
        kind = between_kind(seed)
        if kind is None:
            continue
        at = clock.at
        with transaction.atomic():
            move_between(kind, seed, Walker(dice, cast, clock), founder, seen)
            transaction.set_rollback(True)
        clock.move_to(at)
    assert wanted < 10 or seen["refused"], seen


def between_kind(seed: int) -> KindSpec | None:
    """Return a sound kind of which cases stand with nothing open until a period begins, if this seed makes one."""
    body: dict[str, Any] = random_kind(seed).model_dump(mode="json")
    dice = random.Random(seed)
    told = {"title": "报送", "outcome": "ok"}
    report = {"quiet": {**told, "effects": []}, "end": {**told, "effects": [{"close_case": "end"}]}}
    more = {name: action for name, action in body["obligations"]["a"]["actions"].items() if dice.random() < 0.4}
    recurs = {"every": dice.choice(("day", "week", "month"))}
    body["obligations"]["a"] |= {"who": {"person": "opener"}, "group": "", "recurs": recurs, "actions": {**report, **more}}
    body["start"] = [{"open_obligation": "a"}]
    kind = KindSpec.model_validate(body)
    problems = check_kind(kind)
    if problems and all("nothing ever opens it" in en or "no step ever enters" in en or "no obligation belongs" in en for _, _, en in problems):
        kind = trimmed(kind)
        problems = check_kind(kind)
    return None if problems else kind


def move_between(kind: KindSpec, seed: int, walker: Walker, founder: Actor, seen: Counter[str]) -> None:
    dice, cast = walker.dice, walker.cast
    new = edited(kind, dice)
    if new is None:
        return
    publish_with(kind, founder)
    case_id = open_one(dice, cast)
    for _ in range(4 * MOST_WALK):
        if case_id is None or CaseRecord.objects.get(pk=case_id).state == "closed":
            return
        if not ObligationRecord.objects.filter(case_id=case_id, state="open").exists():
            break
        walker.step(case_id, operators=False)
    else:
        return
    assert case_id is not None
    publish_with(new, founder)
    plan = api.plan_migration(kind=new.code, actor=cast.data_admin.actor)
    (move,) = plan.moves
    assert move.obligations == () and move.renames
    phases = [phase.code for phase in new.phases]
    plan = replace(plan, moves=(replace(move, to_phase=move.phase if move.phase in phases else dice.choice(phases)),))
    draft = drafted(plan, cast)
    if isinstance(draft, MigrationRefused):
        seen["refused"] += 1
        assert any(word in draft.say("zh") for word in ("下一期", "永远无法办结")), draft.say("zh")
        ways = (replace(plan, moves=(replace(plan.moves[0], add=((name, ""),)),)) for name in sorted(new.obligations))
        draft = next((told for told in (drafted(way, cast) for way in ways) if not isinstance(told, MigrationRefused)), draft)
    if isinstance(draft, MigrationRefused):
        return
    api.approve_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)
    api.apply_migration(migration_id=draft.migration_id, actor=cast.data_admin.actor)
    assert CaseRecord.objects.get(pk=case_id).kind.number == 2
    seen["moved"] += 1
    if CaseRecord.objects.get(pk=case_id).state == "open":
        go_on(case_id, seed, walker)


def edited(kind: KindSpec, dice: random.Random) -> KindSpec | None:
    """Return a sound edit of the kind, most often one that says another thing of its periods."""
    for _ in range(MOST_EDITS):
        body: dict[str, Any] = (random_edit(kind, dice.randrange(10**9)) if dice.random() < 0.5 else kind).model_dump(mode="json")
        for one in [one for one in body["obligations"].values() if one["recurs"] and dice.random() < 0.7]:
            one["recurs"] = dice.choice((None, {"every": dice.choice(("day", "week", "year"))}))
            if one["recurs"] is None:
                one["actions"] = {name: action for name, action in one["actions"].items() if action["effects"]}
        new = KindSpec.model_validate(body)
        if new != kind and not check_kind(new):
            return new
    return None
