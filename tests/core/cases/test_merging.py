"""What goes into another case and what falls apart: nobody sees more, nothing that waits is answered too early."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Cast, Member
from tests.core.cases.test_operators import WHY, accepted, do, notices_of, open_ids, permit, permit_kind, replays, view  # noqa: F401
from tests.core.cases.test_pages import signed_in
from tests.faults import world
from yunhe.core.cases import api
from yunhe.core.cases.api.offering import leads
from yunhe.core.cases.errors import ActionNotOffered, CannotOperate, CaseNotFound
from yunhe.core.cases.models import CaseRecord, PartyRecord
from yunhe.core.cases.types import OPINION, Case, KindSpec
from yunhe.kernel.actor import Actor
from yunhe.kernel.clock import FrozenClock, now

TICKET = Path(__file__).resolve().parents[3] / "examples" / "ticket" / "cases" / "ticket.yml"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("replays")]


def of_bureau(cast: Cast) -> Case:
    """Return a permit that another organisation applies for at the same owner."""
    told = {"title": "别人的", "data": {"place": "秘密地点", "area": 3}, "owner": cast.owner.code}
    return api.open_case(kind="permit", actor=cast.bureau_clerk.actor, **told)


def merged(case: Case, into: Case, member: Member) -> Case:
    return api.merge(case_id=case.case_id, into=into.case_id, reason="两家报的是同一处", actor=member.actor)


def test_who_asked_for_the_duplicate_does_not_see_the_other_case(permit: Any, cast: Cast) -> None:  # noqa: F811
    double, master = permit(), of_bureau(cast)
    before = set(PartyRecord.objects.filter(case_id=master.case_id).values_list("part", "organization", "person"))
    merged(double, master, cast.steward)
    assert set(PartyRecord.objects.filter(case_id=master.case_id).values_list("part", "organization", "person")) == before
    with pytest.raises(CaseNotFound):
        view(master, cast.clerk)
    with pytest.raises(CaseNotFound):
        view(double, cast.bureau_clerk)
    assert [one.number for one in view(double, cast.clerk).related] == []
    told = [fact.value for event in view(master, cast.bureau_clerk).events for fact in event.facts]
    assert told == [double.number]  # why two became one is written where the duplicate's people read it
    assert master.number in [fact.value for event in view(double, cast.clerk).events for fact in event.facts]


@pytest.fixture
def panel(clock: Any, cast: Cast, calendar: None, founder: Actor) -> Any:
    """Return a function that opens a permit whose one department has a sub-case: (the case, its sub-case)."""
    for spec in (world.inner(), world.panel()):
        api.publish_kind(spec=spec, source="tests", actor=founder)

    def open_panel() -> tuple[Case, Case]:
        told = {"title": "一件", "data": {"place": "解放路", "area": 20}, "actor": cast.clerk.actor, "owner": cast.owner.code}
        case = api.open_case(kind="panel", **told)
        api.act(case_id=case.case_id, action="accept", data={"departments": [cast.owner.code]}, actor=cast.steward.actor)
        return case, api.get_case(case_id=CaseRecord.objects.get(parent_id=case.case_id).pk)

    return open_panel


def phases(*cases: Case) -> list[str]:
    return [api.get_case(case_id=one.case_id).phase for one in cases]


def test_what_waits_for_a_duplicate_waits_for_the_case_it_went_into(panel: Any, cast: Cast) -> None:
    (one, first), (other, second), (last, third) = panel(), panel(), panel()
    merged(first, second, cast.leader)
    merged(second, third, cast.leader)
    assert phases(one, other, last) == ["review"] * 3
    api.act(case_id=third.case_id, action="ok", data={}, actor=cast.leader.actor)
    assert phases(one, other, last) == ["decision"] * 3
    waited = [item for item in view(one, cast.leader).obligations if item.child_id]
    assert [(item.state, item.outcome) for item in waited] == [("done", "fine")]


def test_whoever_waits_no_longer_takes_nothing_from_the_case_that_stands_for_its_own(panel: Any, cast: Cast) -> None:
    (one, first), (other, second) = panel(), panel()
    merged(first, second, cast.leader)
    (item,) = open_ids(one, cast, "opinion")
    api.send_back(case_id=one.case_id, obligation_id=item, phase="intake", reason=WHY, actor=cast.leader.actor)
    assert phases(one, other) == ["intake", "review"] and api.get_case(case_id=second.case_id).state == "open"
    api.act(case_id=second.case_id, action="ok", data={}, actor=cast.leader.actor)
    assert phases(one, other) == ["intake", "decision"]


def test_a_case_does_not_go_into_one_that_it_waits_for_or_that_waits_for_it(cast: Cast, clock: Any, calendar: None, founder: Actor) -> None:
    told = world.permit_text() | {"operators": ["merge"]}
    told["obligations"]["opinion"] |= {"actions": {}, "child": {"kind": "permit", "data": {"place": "data.place", "area": "data.area"}}}
    api.publish_kind(spec=KindSpec.model_validate(told), source="tests", actor=founder)
    given = {"title": "一件", "data": {"place": "解放路", "area": 20}, "actor": cast.clerk.actor, "owner": cast.owner.code}
    above = api.open_case(kind="permit", **given)
    api.act(case_id=above.case_id, action="accept", data={"departments": [cast.owner.code]}, actor=cast.steward.actor)
    below = api.get_case(case_id=CaseRecord.objects.get(parent_id=above.case_id).pk)
    twin = api.open_case(kind="permit", **given)
    merged(below, twin, cast.leader)
    for one, other in ((above, twin), (twin, above)):
        with pytest.raises(CannotOperate, match="or the other way round"):
            merged(one, other, cast.leader)


def test_a_case_that_another_waits_for_is_not_split(panel: Any, cast: Cast) -> None:
    (one, child), (_other, second) = panel(), panel()
    merged(child, second, cast.leader)
    for awaited in (second, panel()[1]):
        assert "split" not in {operator.name for operator in view(awaited, cast.leader).operators}
        with pytest.raises(CannotOperate, match="waits for its end"):
            api.split(case_id=awaited.case_id, titles=["甲", "乙"], reason=WHY, actor=cast.leader.actor)
    assert phases(one) == ["review"]


def test_parts_run_on_the_clock_of_the_whole(permit: Any, cast: Cast, clock: FrozenClock) -> None:  # noqa: F811
    case = accepted(permit(), cast)
    api.extend(case_id=case.case_id, amount=5, basis="第四十二条", reason=WHY, actor=cast.leader.actor)
    clock.move_to(now() + timedelta(days=1))
    api.suspend(case_id=case.case_id, basis="第四十五条", reason=WHY, actor=cast.leader.actor)
    clock.move_to(now() + timedelta(days=7))
    api.resume(case_id=case.case_id, reason=WHY, actor=cast.leader.actor)
    clock.move_to(now() + timedelta(days=2))
    whole = view(case, cast.leader).due
    parts = api.split(case_id=case.case_id, titles=["甲", "乙"], reason=WHY, actor=cast.leader.actor)
    for part in parts:
        due = view(part, cast.leader).due
        assert (due.at, due.started_at, due.extensions, due.pauses) == (whole.at, whole.started_at, whole.extensions, whole.pauses)


def test_a_clock_that_stands_goes_on_in_the_parts_with_its_pause_counted(permit: Any, cast: Cast, clock: FrozenClock) -> None:  # noqa: F811
    case = accepted(permit(), cast)
    api.suspend(case_id=case.case_id, basis="第四十五条", reason=WHY, actor=cast.leader.actor)
    clock.move_to(now() + timedelta(days=7))
    api.resume(case_id=case.case_id, reason=WHY, actor=cast.leader.actor)
    parts = api.split(case_id=case.case_id, titles=["甲", "乙"], reason=WHY, actor=cast.leader.actor)
    for part in parts:
        due = view(part, cast.leader).due
        assert due.at and [day.reason for day in due.days].count("paused") == 6 and due.light != "paused"


def test_who_is_asked_beside_others_or_applied_does_not_suspend_split_or_merge(permit: Any, cast: Cast) -> None:  # noqa: F811
    obligations = world.permit_text()["obligations"]
    obligations["opinion"]["who"]["roles"].append("data_steward")  # of the same organisation, and still one of several
    asked, other = do(permit(), "ask", cast.steward, missing="图纸"), permit()
    reviewed = accepted(permit(obligations=obligations), cast)
    api.add_reviewer(
        case_id=other.case_id, obligation_id=open_ids(other, cast, "accept")[0], to=[cast.officer.username], reason=WHY,
        actor=cast.steward.actor,
    )  # fmt: skip
    for case, member in ((asked, cast.clerk), (reviewed, cast.steward), (other, cast.officer)):
        assert not {"suspend", "split", "merge"} & {one.name for one in view(case, member).operators}
        told = {"case_id": case.case_id, "reason": WHY, "actor": member.actor}
        for use in (
            lambda told=told: api.suspend(**told, basis="我高兴"),
            lambda told=told: api.split(**told, titles=["甲", "乙"]),
            lambda told=told, case=case: api.merge(**{**told, "into": case.case_id}),
        ):
            with pytest.raises(ActionNotOffered):
                use()
        assert api.get_case(case_id=case.case_id).state == "open"
    assert {"suspend", "split", "merge"} <= {one.name for one in view(other, cast.steward).operators}
    assert {"suspend", "split", "merge"} <= {one.name for one in view(reviewed, cast.leader).operators}  # who supervises
    api.suspend(case_id=reviewed.case_id, basis="依据", reason=WHY, actor=cast.leader.actor)
    assert view(reviewed, cast.steward).operators == ()
    with pytest.raises(ActionNotOffered):
        api.resume(case_id=reviewed.case_id, reason=WHY, actor=cast.steward.actor)


def test_who_leads_is_said_by_the_kind() -> None:
    permit_, ticket = world.plain_permit(), KindSpec.model_validate(yaml.safe_load(TICKET.read_text("utf-8")))
    assert {name for name in permit_.obligations if leads(permit_, name)} == {"accept", "decide"}
    assert {"lead", "accept", "dispatch"} <= {name for name in ticket.obligations if leads(ticket, name)}
    assert not leads(ticket, "help") and not leads(permit_, OPINION)


def test_who_opened_a_duplicate_hears_of_the_merge_and_how_it_ended(permit: Any, cast: Cast) -> None:  # noqa: F811
    master, other, double = permit(), permit(), of_bureau(cast)
    merged(double, other, cast.steward)
    merged(other, master, cast.steward)
    (told,) = notices_of(cast.bureau_clerk)
    assert told.title["zh"].startswith("办件已并案") and other.number in told.text["zh"]
    case = accepted(master, cast)
    do(case, "agree", cast.leader)
    case = do(case, "agree", cast.data_admin)
    do(case, "grant", cast.leader)
    last = notices_of(cast.bureau_clerk)[0]
    assert last.title["zh"].startswith("并入的办件已办结") and last.text["zh"] == f"{master.number}：{case_phase(master)}"
    assert double.case_id in last.href and len(notices_of(cast.bureau_clerk)) == 2
    ends = [one.title["zh"].partition("：")[0] for one in notices_of(cast.clerk)]
    assert sorted(ends) == ["办件已办结", "办件已并案", "并入的办件已办结"]


def case_phase(case: Case) -> str:
    return str(api.get_case(case_id=case.case_id).phase_title["zh"])


def test_a_suspended_case_says_that_its_sub_cases_go_on(panel: Any, cast: Cast) -> None:
    case, child = panel()
    assert "子办件照常办理" not in signed_in(cast.leader).get(f"/inbox/cases/{case.case_id}/").content.decode()
    api.suspend(case_id=case.case_id, basis="依据", reason=WHY, actor=cast.leader.actor)
    assert "子办件照常办理" in signed_in(cast.leader).get(f"/inbox/cases/{case.case_id}/").content.decode()
    assert api.get_case(case_id=child.case_id).state == "open" and view(child, cast.leader).due.light != "paused"


def test_a_duplicate_goes_on_when_the_case_it_went_into_is_taken_back(permit: Any, cast: Cast, clock: FrozenClock) -> None:  # noqa: F811
    master, first, second = permit(), of_bureau(cast), of_bureau(cast)
    later = of_bureau(cast)
    due = view(accepted(first, cast), cast.bureau_clerk).due.at
    before = view(first, cast.bureau_clerk)
    merged(later, second, cast.steward)
    for double in (first, second):
        merged(double, master, cast.leader)
    assert [one.state for one in map(stand, (first, second, later))] == ["closed"] * 3
    clock.move_to(now() + timedelta(days=2))
    api.withdraw(case_id=master.case_id, reason="不办了", actor=cast.clerk.actor)
    assert [(one.state, one.phase, one.merged_into) for one in map(stand, (first, second))] == [("open", "review", ""), ("open", "intake", "")]
    assert (stand(later).state, stand(later).merged_into) == ("closed", second.case_id)  # that one goes on
    after = view(first, cast.bureau_clerk)
    assert [(o.obligation_id, o.state) for o in after.obligations] == [(o.obligation_id, o.state) for o in before.obligations]
    assert after.due.at == due  # nothing paused its time
    do(first, "agree", cast.leader)
    assert do(first, "agree", cast.data_admin).phase == "decision"
    do(second, "accept", cast.steward, departments=[cast.owner.code])
    told = [one for one in notices_of(cast.bureau_clerk) if one.title["zh"].startswith("您的办件继续办理")]
    assert len(told) == 2 and master.number in told[0].text["zh"] and "own time" in told[0].text["en"]
    assert cast.clerk.actor.name not in str([event.actor_name for event in after.events])  # nobody learns who it was
    assert not [one for one in notices_of(cast.bureau_clerk) if one.title["zh"].startswith("并入的办件已办结")]


def test_what_waits_for_a_duplicate_waits_on_when_it_goes_on_by_itself(panel: Any, cast: Cast) -> None:
    (one, first), (other, second) = panel(), panel()
    merged(first, second, cast.leader)
    (item,) = open_ids(other, cast, "opinion")
    api.send_back(case_id=other.case_id, obligation_id=item, phase="intake", reason=WHY, actor=cast.leader.actor)  # ends its sub-case
    assert phases(one, other) == ["review", "intake"] and stand(first).state == "open"
    api.act(case_id=first.case_id, action="ok", data={}, actor=cast.leader.actor)
    assert phases(one, other) == ["decision", "intake"]


def test_a_duplicate_that_had_sub_cases_gets_them_anew(panel: Any, cast: Cast) -> None:
    (one, first), (master, _second) = panel(), panel()
    merged(one, master, cast.leader)
    assert stand(first).outcome == "cancelled"
    api.split(case_id=master.case_id, titles=["甲", "乙"], reason=WHY, actor=cast.leader.actor)
    (fresh,) = CaseRecord.objects.filter(parent_id=one.case_id, state="open")
    assert fresh.pk != first.case_id
    api.act(case_id=fresh.pk, action="ok", data={}, actor=cast.leader.actor)
    assert phases(one) == ["decision"]


def test_a_sub_case_that_nothing_waits_for_any_more_stays_where_it_went(panel: Any, cast: Cast) -> None:
    (one, first), (other, second) = panel(), panel()
    merged(first, second, cast.leader)
    for case in (one, other):
        (item,) = open_ids(case, cast, "opinion")
        api.send_back(case_id=case.case_id, obligation_id=item, phase="intake", reason=WHY, actor=cast.leader.actor)
    assert (stand(first).state, stand(second).state) == ("closed", "closed")


def stand(case: Case) -> Case:
    return api.get_case(case_id=case.case_id)


def test_a_case_that_cannot_take_another_in_says_which_and_why(permit: Any, cast: Cast, founder: Actor) -> None:  # noqa: F811
    case, other = permit(), permit()
    api.publish_kind(spec=permit_kind(code="permit_two", prefix="XL"), source="tests", actor=founder)
    given = {"title": "另一类", "data": {"place": "路", "area": 2}, "actor": cast.clerk.actor, "owner": cast.owner.code}
    strange = api.open_case(kind="permit_two", **given)

    def refused(into: Case) -> CannotOperate:
        with pytest.raises(CannotOperate) as found:
            merged(case, into, cast.leader)
        return found.value

    assert "不能并入它自己，请填写另一件的编号" in refused(case).say("zh") and "cannot go into itself" in refused(case).say("en")
    assert f"{strange.number} 不是同类办件" in refused(strange).say("zh")
    api.suspend(case_id=other.case_id, basis="第四十五条", reason=WHY, actor=cast.leader.actor)
    assert f"{other.number} 已中止，请先恢复办理" in refused(other).say("zh")
