"""S-R9: a random kind, a random edit of it, cases anywhere in it: the change is refused with a reason, or every case ends.

What is checked of each moved case: its events still give its rows, who owes what and until when is as it was (or as the
new version says), its page opens, and people who may act bring it to an end through the api. What is refused is carried
out all the same, without the check and taken back: what became of the cases then is what the refusal was worth.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from django.db import transaction

from tests.conftest import Cast
from tests.core.cases.random_kinds import random_edit, random_kind, trimmed
from tests.core.cases.walking import HEAD, QUICK, Walker, seat_leaders
from tests.soaking import amount, seed_of
from yunhe.core.cases import api
from yunhe.core.cases.api import trying
from yunhe.core.cases.errors import MigrationRefused
from yunhe.core.cases.models import CaseRecord, ObligationRecord
from yunhe.core.cases.rules.kinds import check_kind
from yunhe.core.cases.types import KindSpec, Migration, Move
from yunhe.kernel.actor import Actor
from yunhe.kernel.errors import YunheError

pytestmark = [pytest.mark.django_db, pytest.mark.fault]
CASES = 3


def standing() -> dict[str, dict[str, Any]]:
    names = ("name", "case_id", "organization", "role", "person", "assignee", "due_at", "limit_amount", "limit_basis", "opened_at")
    return {row["id"]: row for row in ObligationRecord.objects.filter(state="open").values("id", *names)}


def corrected(plan: Migration, new: KindSpec, dice: random.Random) -> Migration:
    """Return the plan as somebody might correct it: names that are gone renamed or cancelled, some kept, some added."""
    phases = [phase.code for phase in new.phases]

    def one(move: Move) -> Move:
        gone = [name for name in dict.fromkeys(move.obligations) if name not in new.obligations]
        cancel = tuple((name, "") for name in gone if dice.random() < 0.4)
        renames = {name: name if name in new.obligations else dice.choice(sorted(new.obligations)) for name in move.obligations}
        add = ((dice.choice(sorted(new.obligations)), ""),) if dice.random() < 0.3 else ()
        to = move.phase if move.phase in phases else dice.choice(phases)
        choice = "keep" if dice.random() < 0.15 else "move"
        return replace(move, renames=renames, cancel=cancel, add=add, to_phase=to, choice=choice)

    return replace(plan, moves=tuple(one(move) for move in plan.moves))


def careless(plan: Migration, new: KindSpec, dice: random.Random) -> Migration:
    """Return the plan as somebody in a hurry might write it: all forgotten, everything called anything, another phase."""
    names, phases = sorted(new.obligations), [phase.code for phase in new.phases]

    def one(move: Move) -> Move:
        cancel = tuple((name, "") for name in dict.fromkeys(move.obligations)) if dice.random() < 0.5 else ()
        return replace(move, cancel=cancel, renames={name: dice.choice(names) for name in move.obligations}, to_phase=dice.choice(phases))

    return replace(plan, moves=tuple(one(move) for move in plan.moves))


@pytest.mark.parametrize("part", range(amount(small=1, full=8)))
def test_a_change_is_refused_with_a_reason_or_every_case_still_ends(
    part: int, clock: Any, cast: Cast, calendar: None, founder: Actor
) -> None:
    seat_leaders(cast, founder)
    wanted = amount(small=2, full=50)
    seen = try_changes(f"a change strands nobody {part}", wanted, cast, founder)
    assert seen["moved"] >= max(1, wanted // 4), seen
    assert seen["refused, and strands"] >= max(1, wanted // 10), seen


def test_a_change_that_nobody_checks_is_found(
    clock: Any, cast: Cast, calendar: None, founder: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trying, "require_sound", lambda *told: None)
    seat_leaders(cast, founder)
    with pytest.raises(AssertionError, match="cannot end"):
        try_changes("a change strands nobody 0", amount(small=2, full=50), cast, founder)


@cache
def sound_kind(seed: int) -> KindSpec | None:
    """Return the random kind of a seed if it may be published; two tests here begin with the same ones."""
    kind = trimmed(random_kind(seed))
    return None if check_kind(kind) else kind


def try_changes(name: str, wanted: int, cast: Cast, founder: Actor) -> Counter[str]:
    """Try at least so many changes, until one was carried out; return what was met."""
    seen, dice = Counter[str](), random.Random(seed_of(name))
    while seen["tried"] < wanted or not seen["moved"]:
        kind = sound_kind(dice.randrange(10**9))
        if kind is None:
            continue
        with transaction.atomic():
            change(kind, dice, cast, founder, seen)
            transaction.set_rollback(True)
    return seen


def change(kind: KindSpec, dice: random.Random, cast: Cast, founder: Actor, seen: Counter[str]) -> None:
    seen["tried"] += 1
    api.publish_kind(spec=kind, source="tests", actor=founder)
    walker = Walker(dice, cast)
    cases = [opened for _ in range(CASES) if (opened := open_one(dice, cast)) is not None]
    for case_id in cases:
        for _ in range(dice.randrange(8)):
            if CaseRecord.objects.get(pk=case_id).state == "open":
                walker.step(case_id, operators=True)
    new = random_edit(kind, dice.randrange(10**9))
    tries = 0
    while check_kind(new) or new == kind:
        seen["unpublished"] += 1
        new, tries = random_edit(kind, dice.randrange(10**9)), tries + 1
        if tries > 30:
            return
    api.publish_kind(spec=new, source="tests", actor=founder)
    if CaseRecord.objects.exclude(state="closed").exists():
        migrate(new, dice, cast, walker, seen)


def open_one(dice: random.Random, cast: Cast) -> str | None:
    codes = [cast.owner.code, cast.bureau.code, cast.other.code]
    data = {"flag": dice.random() < 0.5, "n": dice.randint(0, 4), "bodies": dice.sample(codes, dice.randint(1, 3))}
    try:
        with transaction.atomic():
            return api.open_case(kind="random", title="一件", data=data, actor=cast.clerk.actor, owner=cast.owner.code).case_id
    except YunheError:
        return None


def migrate(new: KindSpec, dice: random.Random, cast: Cast, walker: Walker, seen: Counter[str]) -> None:
    """Carry out a plan as somebody in a hurry writes it, take that back, then one that was corrected."""
    plan = api.plan_migration(kind="random", actor=cast.data_admin.actor)
    for write in (careless, corrected):
        with transaction.atomic():
            carry_out(write(plan, new, dice), new, cast, walker, seen)
            transaction.set_rollback(True)


def carry_out(plan: Migration, new: KindSpec, cast: Cast, walker: Walker, seen: Counter[str]) -> None:
    before = standing()
    draft = drafted(plan, cast)
    if isinstance(draft, MigrationRefused):
        assert len(draft.say("zh")) > 10 and len(draft.say("en")) > 10
        seen[f"refused, and {without_check(plan, cast, walker)}"] += 1
        return
    apply(draft, cast)
    after = standing()
    for row in CaseRecord.objects.select_related("kind").exclude(state="closed"):
        told = api.replay_case(case_id=row.pk, actor=HEAD)
        assert told.equal, told.differences
        dues = [item["due_at"] for item in after.values() if item["case_id"] == row.pk and item["due_at"]]
        assert row.due_at == min(dues, default=None)
        here = (row.kind.number, row.phase, [item["name"] for item in after.values() if item["case_id"] == row.pk])
        assert walker.ends(row.pk), f"a case cannot end: {here}"
        check_seats(row, before, after, new)
        assert api.access_case(case_id=row.pk, actor=HEAD).case.number == row.number
        if row.kind.number == 2:
            seen["moved"] += 1
            wander(row.pk, walker)


def without_check(plan: Migration, cast: Cast, walker: Walker) -> str:
    """Tell what becomes of the cases if a plan that was refused is carried out all the same; a quick look, for the count."""
    with pytest.MonkeyPatch.context() as patch, transaction.atomic():
        patch.setattr(trying, "require_sound", lambda *told: None)
        try:
            draft = drafted(plan, cast)
            if isinstance(draft, MigrationRefused):
                return "moves nothing"
            with transaction.atomic():
                apply(draft, cast)
                moved = CaseRecord.objects.filter(kind__number=2).exclude(state="closed").values_list("pk", flat=True)
                return "goes well" if all(walker.ends(case_id, QUICK) for case_id in moved) else "strands"
        except (YunheError, LookupError):  # the new version has no such phase or obligation
            return "breaks"
        finally:
            transaction.set_rollback(True)


def apply(draft: Migration, cast: Cast) -> None:
    api.approve_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)
    api.apply_migration(migration_id=draft.migration_id, actor=cast.data_admin.actor)


def drafted(plan: Migration, cast: Cast) -> Migration | MigrationRefused:
    try:
        with transaction.atomic():
            return api.draft_migration(plan=plan, reason="测试", actor=cast.data_admin.actor)
    except MigrationRefused as refused:
        return refused


def check_seats(row: CaseRecord, before: dict[str, Any], after: dict[str, Any], new: KindSpec) -> None:
    """Who owes it and until when is as it was; where the new version gives it to somebody else, as that says."""
    mine = {key: item for key, item in after.items() if item["case_id"] == row.pk}
    for key, item in mine.items():
        timing = ("due_at", "limit_amount", "limit_basis", "opened_at")
        seat = ("organization", "person", "assignee")
        was = before.get(key, item)
        timing = timing if was["limit_amount"] is not None else ("opened_at",)  # what had no limit may get one
        assert {name: item[name] for name in timing} == {name: was[name] for name in timing}
        if row.kind.number == 2 and bool(was["person"]) != bool(new.obligations[item["name"]].who.person):
            assert (item["person"], item["role"]) == (row.opened_by, "")
        else:
            assert {name: item[name] for name in seat} == {name: was[name] for name in seat}
        assert item["person"] or item["role"]
        assert row.kind.number == 1 or item["name"] in new.obligations


def wander(case_id: str, walker: Walker) -> None:
    """Go on at random with operators too; wherever that leads, the case can still end."""
    for _ in range(6):
        walker.step(case_id, operators=True)
        if CaseRecord.objects.get(pk=case_id).state == "closed":
            return
    assert walker.ends(case_id)
    told = api.replay_case(case_id=case_id, actor=HEAD)
    assert told.equal, told.differences
