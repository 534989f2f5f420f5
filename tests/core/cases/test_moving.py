"""Cases are moved by situation and in bulk; each must get what it would get alone, with all of it known.

Alone is the judge: the course of the move over everything that the case has, its parties asked one by one.
"""

from __future__ import annotations

import random
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction

from tests.conftest import Cast
from tests.core.cases.random_kinds import random_edit, random_kind, trimmed
from tests.core.cases.test_change_never_strands import corrected, drafted
from tests.core.cases.test_operators import do, permit_kind
from tests.core.cases.walking import HEAD, Walker
from tests.soaking import amount, seed_of
from yunhe.core.cases import api
from yunhe.core.cases.api import store, telling
from yunhe.core.cases.api.kinds import calendar as calendar_of_kinds
from yunhe.core.cases.api.kinds import spec_of
from yunhe.core.cases.api.rulebook import BOOK
from yunhe.core.cases.api.steps import take_part
from yunhe.core.cases.errors import MigrationRefused, NobodyInSeat
from yunhe.core.cases.models import CaseRecord, ObligationRecord, TurnRecord
from yunhe.core.cases.rules import migrating, timing
from yunhe.core.cases.rules.course import Course, Moment
from yunhe.core.cases.rules.kinds import check_kind
from yunhe.core.cases.rules.moving import take_move
from yunhe.core.cases.rules.retiming import Past
from yunhe.core.cases.rules.search import search_text
from yunhe.core.cases.types import KindSpec, Migration, Move
from yunhe.core.evidence import api as evidence
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import FrozenClock, now
from yunhe.kernel.errors import YunheError
from yunhe.kernel.ids import new_id

pytestmark = [pytest.mark.django_db, pytest.mark.fault]
CASES = 8
Difference = dict[str, Any]


def test_each_case_gets_what_it_would_get_alone(clock: FrozenClock, cast: Cast, calendar: None, founder: Actor) -> None:
    seen: Counter[str] = Counter()
    dice = random.Random(seed_of("moved alike"))
    wanted = amount(small=3, full=400)
    while seen["tried"] < wanted:
        old = varied(trimmed(random_kind(dice.randrange(10**9))), dice)
        if check_kind(old) or check_kind(new := varied(random_edit(old, dice.randrange(10**9)), dice)) or new == old:
            continue
        with transaction.atomic():
            change(old, new, dice, clock, cast, founder, seen)
            transaction.set_rollback(True)
    assert seen["alike"], seen
    anew = ("opened", "obligations counted anew", "clocks counted anew", "lapses", "comes again", "warned anew")
    assert wanted < 100 or all(seen[part] for part in anew), seen


def test_lists_limits_and_seats_of_a_permit_are_those_of_each_case(
    clock: FrozenClock, cast: Cast, calendar: None, founder: Actor
) -> None:
    """The second version counts by the area, asks the applicant, renames; each phase and list is treated in a way of its own."""
    seen: Counter[str] = Counter()
    dice = random.Random(seed_of("permits moved alike"))
    codes = [cast.owner.code, cast.other.code, cast.bureau.code]
    organizations.add_membership(username=cast.clerk.username, organization=cast.other.code, role="data_leader", actor=founder)
    for _ in range(amount(small=3, full=100)):
        with transaction.atomic():
            api.publish_kind(spec=permit_kind(), source="tests", actor=founder)
            for _ in range(CASES):
                clock.advance(timedelta(hours=dice.choice((1, 30))))
                open_permit(dice, codes, cast)
            new = second_permit()
            api.publish_kind(spec=new, source="tests", actor=founder)
            plan = api.plan_migration(kind="permit", actor=HEAD)
            move_and_compare(replace(plan, moves=tuple(treated(move, dice, codes) for move in plan.moves)), cast, seen)
            transaction.set_rollback(True)
    assert all(seen[part] for part in ("alike", "alone", "opened", "cancelled", "listed", "joined", "due")), seen


def open_permit(dice: random.Random, codes: list[str], cast: Cast) -> None:
    data = {"place": "解放路 1 号", "area": dice.choice((20, 200))}
    case = api.open_case(kind="permit", title="一件许可", data=data, actor=cast.clerk.actor, owner=cast.owner.code)
    if dice.random() < 0.7:
        do(case, "accept", cast.steward, departments=sorted(dice.sample(codes, dice.randint(1, 2))))


def second_permit() -> KindSpec:
    told = permit_kind().model_dump(mode="json")
    opinion = told["obligations"]["opinion"]
    long, short = ({"amount": days, "unit": "days", "basis": "测试", "when": when} for days, when in ((9, "area >= 100"), (1, "area < 100")))
    opinion["limits"] = [long, short]
    opinion["who"]["roles"] = ["data_leader"]
    ask = {**opinion, "who": {"organization": "applicant", "roles": ["data_steward"]}, "group": ""}
    told["obligations"]["explain"] = {**ask, "limits": [{"amount": 1, "unit": "hours", "basis": "测试"}]}
    told["obligations"]["accept"]["actions"]["accept"]["effects"].append({"open_obligation": "explain", "when": "area >= 1000"})
    return KindSpec.model_validate(told)


def treated(move: Move, dice: random.Random, codes: list[str]) -> Move:
    if move.phase != "review":
        return replace(move, add=(("explain", ""),) if dice.random() < 0.5 else ())
    add = (("opinion", dice.choice(codes)),)
    move = replace(move, limits=dice.choice(("keep", "recount")))
    return replace(move, add=add, cancel=(("opinion", dice.choice(codes)),) if dice.random() < 0.7 else ())


def varied(kind: KindSpec, dice: random.Random) -> KindSpec:
    """Return the kind with other seats, limits that depend on the case, and a limit of the whole."""
    body: dict[str, Any] = kind.model_dump(mode="json")
    for one in body["obligations"].values():
        if one["who"]["person"] and dice.random() < 0.5:
            one["who"] = {"organization": dice.choice(("owner", "applicant", "bureau")), "roles": [dice.choice(("data_leader", "data_admin"))]}
        if dice.random() < 0.5:
            conditions = ("n >= 2", "flag", "owner_organization = applicant_organization", "case_phase = 'p1'")
            one["limits"] = [{"amount": dice.randint(1, 9), "unit": "days", "basis": text, "when": text} for text in dice.sample(conditions, 2)]
        if one["limits"] and dice.random() < 0.3:
            one["on_due"] = {"outcome": "ok", "title": "期满"}
        if dice.random() < 0.2:
            one["recurs"] = {"every": dice.choice(("day", "month"))}
    if dice.random() < 0.5:
        starts = dice.choice(("", "", "ok"))
        body["limits"] = [{"amount": dice.randint(1, 9), "unit": "workdays", "basis": "测试", "starts_with": starts}]
    if dice.random() < 0.3:
        body["ladder"] = [{"percent": percent} for percent in dice.sample((30, 50, 80, 100, 120), dice.randint(0, 3))]
    return KindSpec.model_validate(body)


def change(
    old: KindSpec, new: KindSpec, dice: random.Random, clock: FrozenClock, cast: Cast, founder: Actor, seen: Counter[str]
) -> None:
    """Open cases, two of each sort, let some go on, and move them all."""
    api.publish_kind(spec=old, source="tests", actor=founder)
    walker, codes = Walker(dice, cast), [cast.owner.code, cast.other.code, cast.bureau.code]
    for number in range(CASES):
        if number % 2 == 0:
            clock.advance(timedelta(hours=dice.choice((1, 30))))
            data = {"flag": dice.random() < 0.5, "n": dice.randint(0, 4), "bodies": dice.sample(codes, dice.randint(1, 3))}
        open_and_walk(data, 0 if number < CASES // 2 else dice.randrange(6), cast, walker)
    api.publish_kind(spec=new, source="tests", actor=founder)
    if not CaseRecord.objects.filter(kind__number=1).exclude(state="closed").exists():
        return
    seen["tried"] += 1
    plan = listed(corrected(api.plan_migration(kind="random", actor=HEAD), new, dice), new, dice, codes)
    move_and_compare(plan, cast, seen)


def move_and_compare(plan: Migration, cast: Cast, seen: Counter[str]) -> None:
    draft = drafted(plan, cast)
    if isinstance(draft, MigrationRefused):
        seen["refused"] += 1
        return
    running = CaseRecord.objects.filter(kind__number=1).exclude(state="closed")
    expected = {row.pk: alone(row, draft, cast.data_admin.actor) for row in running}
    api.approve_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)
    api.apply_migration(migration_id=draft.migration_id, actor=cast.data_admin.actor)
    rows = list(CaseRecord.objects.filter(kind__number=2))
    assert {row.pk for row in rows} == {key for key, one in expected.items() if one is not None}
    found = [compare(row, expected[row.pk] or {}, seen) for row in rows]
    seen["alike"] += len(found) - len(set(found))
    seen["alone"] += len(set(found)) > 1


def open_and_walk(data: dict[str, Any], steps: int, cast: Cast, walker: Walker) -> None:
    try:
        with transaction.atomic():
            opened = api.open_case(kind="random", title="一件", data=data, actor=cast.clerk.actor, owner=cast.owner.code)
    except YunheError:
        return
    for _ in range(steps):
        if ObligationRecord.objects.filter(case_id=opened.case_id, case__state="open", state="open").exists():
            with suppress(NobodyInSeat):  # these kinds name seats that nobody holds, too: the case stays where it is
                walker.step(opened.case_id, operators=True)


def listed(plan: Migration, new: KindSpec, dice: random.Random, codes: list[str]) -> Migration:
    """Return the plan with organisations that are put on lists of whom to ask, and taken off."""
    each = [name for name, one in new.obligations.items() if one.who.each]

    def one(move: Move) -> Move:
        add = tuple((name, "" if new.obligations[name].who.each == "" else dice.choice(codes)) for name, _ in move.add)
        add += ((dice.choice(each), dice.choice(codes)),) if each and dice.random() < 0.6 else ()
        off = tuple((name, dice.choice(codes)) for name in set(move.obligations) & set(each) if dice.random() < 0.5)
        limits = dice.choice(("keep", "keep", "recount"))
        return replace(move, add=tuple(dict.fromkeys(add)), cancel=(*move.cancel, *off), limits=limits)

    return replace(plan, moves=tuple(map(one, plan.moves)))


def alone(row: CaseRecord, plan: Migration, actor: Actor) -> Difference | None:
    """Return the difference that the case gets if nothing but the case is looked at; None if it stays."""
    position = store.read_position(row)
    names = tuple(sorted(one["name"] for one in position["obligations"].values() if one["state"] == "open"))
    known = {migrating.key_of(move): move for move in migrating.complete(plan.moves)}
    move = migrating.find_move(known, (row.phase, names, ""))
    if move is None or move.choice == "keep":
        return None
    old, new = (api.get_kind(code=plan.kind, number=number) for number in (1, 2))
    moment = Moment(actor, now(), row.version + 1, "migrate", calendar_of_kinds, new_id, values={"reason": plan.reason}, book=BOOK)
    course = Course(new, position, moment)
    take_move(course, old, move, Past(begun=first_taken(row)))
    course.settle()
    take_part(row, course)
    rows = course.position["obligations"]
    came, gone = (sorted(rows[key]["name"] for key in keys) for keys in telling.turns(course))
    return {**course.difference, "came": came, "gone": gone}


def first_taken(row: CaseRecord) -> dict[str, str]:
    """Return when each action was first taken and not taken back."""
    found: dict[str, str] = {}
    for event in row.events.order_by("seq"):
        if row.obligations.filter(pk=event.obligation_id, state="done", closed_seq=event.seq).exists():
            found.setdefault(event.action, event.at.isoformat())
    return found


def compare(row: CaseRecord, expected: Difference, seen: Counter[str]) -> str:
    """Hold what a case got against what it would get alone; return what it got, without its ids."""
    event = row.events.latest("seq")
    found = event.diff
    assert {part: found.get(part) for part in ("case", "data", "parties")} == {p: expected.get(p) or None for p in ("case", "data", "parties")}
    changed, opened = apart(found, row)
    assert (changed, opened) == apart(expected, row)
    turns = TurnRecord.objects.filter(obligation__case=row, came_at=event.at, caused_by=event.actor_id)
    for gone, part in ((False, "came"), (True, "gone")):
        assert sorted(turns.filter(gone=gone).values_list("obligation__name", flat=True)) == expected[part]
    clocks = found.get("clocks", {})
    assert told(clocks) == told(expected.get("clocks", {}))
    percents = tuple(sorted(rung.percent for rung in spec_of(row.kind).ladder))
    for one in row.clocks.all():
        plain = store.plain(vars(one), store.CLOCK_FIELDS)
        assert one.stopped_at or (one.warn_at and one.warn_at.isoformat()) == timing.warn_at(plain, percents)
    for one in row.obligations.filter(state="open"):
        spec = spec_of(row.kind).obligation(one.name)
        assert one.lapse_at == (one.due_at if spec.on_due else None)
        assert (one.warn_at and one.warn_at.isoformat()) == timing.warn_at(store.obligation_row(one), percents)
        assert spec.recurs or one.next_at is None
    replayed = api.replay_case(case_id=row.pk, actor=HEAD)
    assert replayed.equal, replayed.differences
    assert evidence.get_evidence(evidence_id=event.evidence_id).facts["digest"] == event.digest
    timed = [*row.obligations.filter(state="open"), *row.clocks.filter(stopped_at=None)]
    assert row.state != "open" or row.due_at == min((one.due_at for one in timed if one.due_at), default=None)
    running = [one.due_at for one in row.clocks.filter(stopped_at=None) if one.due_at]
    for one in row.obligations.filter(state="open"):
        assert one.first_due_at == min((at for at in (one.due_at, *running) if at), default=None)
    assert row.search == search_text(row.search, spec_of(row.kind).fields, row.data)
    seen["opened"] += bool(opened)
    seen["cancelled"] += any(one.get("state") == "cancelled" for one in changed.values())
    seen["listed"] += "data" in found
    seen["joined"] += "parties" in found
    seen["due"] += "due_at" in found["case"]
    for part, those in (("obligations", changed.values()), ("clocks", clocks.values())):
        seen[f"{part} counted anew"] += any("limit_amount" in one for one in those)
    seen["lapses"] += any("lapse_at" in one for one in changed.values())
    seen["comes again"] += any("next_at" in one for one in changed.values())
    seen["warned anew"] += any("warned" in one for one in changed.values())
    return repr((found["case"], found.get("data"), sorted(map(repr, changed.values())), opened, told(clocks)))


def told(rows: Difference) -> list[str]:
    """Return rows without their ids."""
    return sorted(repr(sorted(row.items())) for row in rows.values())


def apart(difference: Difference, row: CaseRecord) -> tuple[Difference, list[str]]:
    """Return what changes of obligations that were there, by id, and what opens, without its ids."""
    rows = difference.get("obligations", {})
    fresh = {key for key, one in rows.items() if one.get("opened_seq") == row.version}
    return (
        {key: one for key, one in rows.items() if key not in fresh},
        sorted(repr(sorted(rows[key].items(), key=lambda pair: pair[0])) for key in fresh),
    )
