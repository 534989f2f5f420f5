"""The dry run of a change carries it out on cases and leaves no trace; what it says is what the change then does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.db import connection

from tests.conftest import Cast
from tests.core.cases.test_change_of_times import LAPSE, TEN, TWENTY, Publish, note, publish  # noqa: F401
from yunhe.core.cases import api
from yunhe.core.cases.api import trying
from yunhe.core.cases.api.announcing import PACE
from yunhe.core.cases.models import ObligationRecord, TurnRecord
from yunhe.core.cases.rules.planning import check_move
from yunhe.core.cases.types import KindSpec, LimitInForce, Migration, Move, TriedCase
from yunhe.core.notices import api as notices
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import FrozenClock
from yunhe.kernel.errors import Refused
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
HEAD = job_actor("tests")
CHECK = {"title": {"zh": "核查", "en": "Check"}, "who": {"organization": "bureau", "roles": ["data_admin"]}, "limits": TEN,
         "actions": {"agree": {"title": "合格", "outcome": "agreed"}}}  # fmt: skip


def everything() -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables, as the database holds them."""
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_models(include_auto_created=True):
            cursor.execute(f'SELECT * FROM "{model._meta.db_table}"')
            found[model._meta.db_table] = sorted(cursor.fetchall(), key=repr)
    return found


def planned(cast: Cast, **told: Any) -> Migration:
    plan = api.plan_migration(kind="leave_note", actor=cast.data_admin.actor)
    return replace(plan, moves=tuple(replace(move, **told) for move in plan.moves))


def with_check(publish: Publish, **told: Any) -> None:  # noqa: F811
    """Publish a version in which the bureau checks beside the answer."""
    publish(beside={"check": CHECK}, start=[{"open_obligation": "answer"}, {"open_obligation": "check"}], **told)


def test_it_says_what_the_change_then_does_and_leaves_no_trace(publish: Publish, cast: Cast, clock: FrozenClock) -> None:  # noqa: F811
    publish(whole=TWENTY)
    cases = [note(cast) for _ in range(3)]
    clock.advance(timedelta(days=2))
    with_check(publish, whole=TWENTY, limits=TEN, on_due=LAPSE)
    plan = planned(cast, add=(("check", ""),), limits="recount")
    before = everything()
    dry = api.try_plan(plan=plan, actor=cast.data_admin.actor)
    assert everything() == before
    assert (dry.moved, dry.kept, dry.tried, dry.problems, dry.failed) == (3, 0, 3, {}, ())
    (group,) = dry.groups
    assert [one.number for one in group.tried] == [case.number for case in cases]
    draft = api.draft_migration(plan=plan, reason="加核查", actor=cast.data_admin.actor)
    api.approve_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)
    assert api.apply_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor).moved == 3
    for one in group.tried:
        assert said(one) == stands(one.case_id)
        answer, whole, check = one.lines
        assert answer.before and answer.after and answer.before.due_at < answer.after.due_at == answer.after.lapse_at
        assert whole.before == whole.after and whole.after and whole.after.title["en"] == "The limit of the whole"
        assert check.before is None and check.told == (cast.data_admin.actor.name,)
    assert before["cases_number_series"] == everything()["cases_number_series"]


def said(one: TriedCase) -> list[tuple[Any, ...]]:
    return sorted((line.after.title["zh"], line.after.due_at, line.after.lapse_at) for line in one.lines if line.after and line.after.roles)


def stands(case_id: str) -> list[tuple[Any, ...]]:
    titles = {"answer": "答复", "check": "核查"}
    rows = ObligationRecord.objects.filter(case_id=case_id, state="open")
    return sorted((titles[row.name], row.due_at, row.lapse_at) for row in rows)


def test_of_many_it_tries_some_of_each_group_and_says_how_many(publish: Publish, cast: Cast) -> None:  # noqa: F811
    publish()
    cases = [note(cast) for _ in range(8)]
    for case in cases[:2]:
        api.act(case_id=case.case_id, action="back", data={}, actor=cast.leader.actor)
    publish(limits=TEN)
    dry = api.try_plan(plan=planned(cast), actor=cast.data_admin.actor, most=4)
    assert [(group.obligations, group.cases, len(group.tried)) for group in dry.groups] == [(("answer",), 6, 3), (("mend",), 2, 2)]
    assert {one.number for one in dry.groups[0].tried} == {cases[2].number, cases[4].number, cases[6].number}
    assert (dry.moved, dry.tried) == (8, 5)
    late = api.try_plan(plan=planned(cast), actor=cast.data_admin.actor, seconds=-1)
    assert (late.moved, late.tried, [group.cases for group in late.groups], late.untried) == (8, 0, [6, 2], 2)

    def stop() -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        api.try_plan(plan=planned(cast), actor=cast.data_admin.actor, check=stop)


def test_each_group_has_one_tried_before_any_has_a_second_the_largest_first(
    publish: Publish, cast: Cast, monkeypatch: pytest.MonkeyPatch  # noqa: F811
) -> None:
    publish()
    cases = [note(cast) for _ in range(8)]
    for case in cases[:6]:
        api.act(case_id=case.case_id, action="back", data={}, actor=cast.leader.actor)
    publish(limits=TEN)
    passed = [0]

    def second() -> None:
        passed[0] += 1

    monkeypatch.setattr(trying, "time", SimpleNamespace(monotonic=lambda: float(passed[0])))
    for most, tried in ((1, [0, 1]), (2, [1, 1]), (3, [1, 2]), (4, [2, 2]), (6, [2, 4])):
        dry = api.try_plan(plan=planned(cast), actor=cast.data_admin.actor, seconds=most - 0.5, check=second)
        assert [(group.cases, len(group.tried)) for group in dry.groups] == list(zip((2, 6), tried, strict=True))


def test_what_fails_is_said_with_its_number_and_the_others_are_tried(publish: Publish, cast: Cast, clock: FrozenClock) -> None:  # noqa: F811
    """The limit of the check depends on the amount, and the one of the urgent cases ended with February."""
    publish()
    small, urgent = note(cast), note(cast, amount=5000)
    ended = LimitInForce(code="note.urgent", amount=1, unit="days", basis="办法", valid_from=date(2026, 1, 1), valid_until=date(2026, 3, 3))
    api.replace_limits(limits=[ended], source="tests")
    check = {**CHECK, "limits": [{"use": "note.urgent", "when": "amount >= 1000"}, *TEN]}
    publish(beside={"check": check}, start=[{"open_obligation": "answer"}, {"open_obligation": "check"}])
    clock.advance(timedelta(days=5))
    before = everything()
    dry = api.try_plan(plan=planned(cast, add=(("check", ""),)), actor=cast.data_admin.actor)
    assert everything() == before
    (failed,) = dry.failed
    assert (failed.number, failed.lines) == (urgent.number, ())
    assert "note.urgent" in failed.problem["zh"] and "is in force on 2026-03-07" in failed.problem["en"]
    assert [one.number for one in dry.groups[0].tried if not one.problem] == [small.number]


def test_what_would_strand_is_not_tried_and_it_needs_the_right(publish: Publish, cast: Cast) -> None:  # noqa: F811
    publish()
    note(cast)
    publish(limits=TEN)
    plan = planned(cast, cancel=(("answer", ""),))
    dry = api.try_plan(plan=plan, actor=cast.data_admin.actor)
    assert (list(dry.problems), dry.groups) == ([("answering", ("answer",), "")], ())
    with pytest.raises(Refused):
        api.try_plan(plan=plan, actor=cast.leader.actor)


def test_who_owes_it_now_and_whose_it_is_no_more_are_told(
    publish: Publish, cast: Cast, clock: FrozenClock  # noqa: F811
) -> None:
    publish()
    cases = [note(cast), note(cast)]
    api.tell_turns(actor=HEAD)
    publish(who={"organization": "bureau", "roles": ["data_admin"]})
    plan = planned(cast)
    (line,) = api.try_plan(plan=plan, actor=cast.data_admin.actor).groups[0].tried[0].lines
    assert (line.told, set(line.lost)) == ((cast.data_admin.actor.name,), {cast.leader.actor.name, cast.steward.actor.name})
    draft = api.draft_migration(plan=plan, reason="改由数据局答复", actor=cast.data_admin.actor)
    api.approve_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)
    api.apply_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)
    clock.advance(PACE)
    api.tell_turns(actor=HEAD)
    assert letters(cast.data_admin) == ["2 cases are your turn"]
    for member in (cast.leader, cast.steward):
        assert letters(member)[0] == "2 cases are no longer yours"
    assert cases[0].number in notices.list_notices(request=PageRequest(), actor=cast.leader.actor).items[0].text["zh"]
    assert api.tell_turns(actor=HEAD) == 0
    assert set(TurnRecord.objects.filter(gone=True).values_list("organization", flat=True)) == {cast.owner.code}


def test_nobody_hears_that_it_is_gone_who_still_owes_it_or_took_it_away(publish: Publish, cast: Cast, founder: Actor) -> None:  # noqa: F811
    publish()
    note(cast)
    api.tell_turns(actor=HEAD)
    publish(who={"organization": "owner", "roles": ["data_leader"]})
    organizations.add_membership(username=cast.data_admin.username, organization=cast.owner.code, role="data_steward", actor=founder)
    plan = planned(cast)
    draft = api.draft_migration(plan=plan, reason="只由负责人答复", actor=cast.data_admin.actor)
    api.approve_migration(migration_id=draft.migration_id, actor=cast.system_admin.actor)
    api.apply_migration(migration_id=draft.migration_id, actor=cast.data_admin.actor)
    api.tell_turns(actor=HEAD)
    assert not any("no longer" in title for member in (cast.leader, cast.data_admin) for title in letters(member))
    assert [title for title in letters(cast.steward) if "o longer" in title]


def letters(member: Any) -> list[str]:
    return [letter.title["en"] for letter in notices.list_notices(request=PageRequest(), actor=member.actor).items]


def test_a_seat_that_nobody_holds_is_said(publish: Publish, cast: Cast) -> None:  # noqa: F811
    publish()
    note(cast)
    check = {**CHECK, "who": {"organization": "owner", "roles": ["audit_administrator"]}}
    publish(beside={"check": check}, start=[{"open_obligation": "answer"}, {"open_obligation": "check"}])
    (one,) = api.try_plan(plan=planned(cast, add=(("check", ""),)), actor=cast.data_admin.actor).groups[0].tried
    assert [(line.nobody, line.told) for line in one.lines] == [(False, ()), (True, ())]


ROOM: Callable[..., dict[str, Any]] = lambda *names: {name: {"title": name, "outcome": name, "by_room": True} for name in names}  # noqa: E731
PEOPLE = {"agree": {"title": "同意", "outcome": "agreed"}}


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        (ROOM("done", "failed"), ROOM("done", "failed"), ""),
        (PEOPLE, ROOM("done"), "no room knows"),
        (ROOM("done", "failed"), ROOM("done"), "may report failed"),
        (ROOM("done"), ROOM("ended"), "no room knows"),
        (ROOM("done", "failed"), {**ROOM("done"), **PEOPLE}, ""),
        (PEOPLE, {**ROOM("done"), **PEOPLE}, ""),
    ],
)
def test_a_group_that_would_wait_for_a_room_that_does_not_know_of_it_is_refused(old: Any, new: Any, wrong: str) -> None:
    def kind(actions: dict[str, Any]) -> KindSpec:
        ends = {name: {**action, "effects": [{"close_case": "end"}]} for name, action in actions.items()}
        wait = {"title": {"zh": "等结果", "en": "Waiting"}, "who": {"organization": "bureau", "roles": ["data_admin"]}, "actions": ends}
        told = {"code": "waits", "title": "等", "prefix": "DD", "opens": {"permission": "cases.act"}, "operators": []}
        told |= {"phases": [{"code": "one", "title": "一"}], "start": [{"open_obligation": "wait"}], "obligations": {"wait": wait}}
        return KindSpec.model_validate(told)

    found = check_move(kind(old), kind(new), Move("one", ("wait",), "move", "one", {"wait": "wait"}))
    assert [wrong in en for _zh, en in found] == [True] * bool(wrong)
