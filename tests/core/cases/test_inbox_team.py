"""Team workload: every number is the length of its list, and the sums agree."""

from __future__ import annotations

import csv
import io
import random
from datetime import timedelta
from typing import Any

import pytest

from tests.conftest import Cast
from tests.core.cases.test_pages import signed_in
from tests.soaking import amount
from yunhe.core.cases import api
from yunhe.core.cases.api.team import MEASURES
from yunhe.core.cases.models import ObligationRecord
from yunhe.core.organizations.models import Role
from yunhe.kernel.clock import local, now
from yunhe.kernel.errors import Refused
from yunhe.kernel.pages import PageRequest

pytestmark = [pytest.mark.django_db, pytest.mark.soak]


@pytest.fixture
def busy(note: Any, cast: Cast, clock: Any) -> None:
    """Notes over some weeks, some handed on, some sent back, some answered."""
    dice = random.Random(7)
    for number in range(amount(small=14, full=60)):
        case = note(title=f"第 {number} 件", data={"amount": dice.choice([1, 2000])})
        actions = api.access_case(case_id=case.case_id, actor=cast.leader.actor).actions
        told = {"case_id": case.case_id, "obligation_id": actions[0].obligation_id}
        chance = dice.random()
        if chance < 0.3:
            giver, to = dice.choice([(cast.leader, "steward"), (cast.steward, "leader")])
            api.hand_on(to=to, reason="请办", actor=giver.actor, **told)
        elif chance < 0.5:
            api.act(action="back", data={}, actor=cast.steward.actor, **told)
        elif chance < 0.7:
            api.act(action="agree", data={"text": "可以"}, actor=cast.leader.actor, **told)
        clock.advance(timedelta(hours=dice.randint(1, 40)))
    # An opinion that one of the people owes in a case of others, and one in a case of their own organisation.
    theirs = note(title="别家的", actor=cast.bureau_clerk.actor, organization=cast.bureau.code, owner=cast.other.code)
    for case, giver in ((theirs, cast.clerk), (note(title="自家的"), cast.leader)):
        (owed, *_) = api.access_case(case_id=case.case_id, actor=giver.actor).actions
        told = {"case_id": case.case_id, "obligation_id": owed.obligation_id}
        api.add_reviewer(to=["officer"], reason="请核对", actor=giver.actor, **told)


def judged(cast: Cast, body: str, measure: str, holder: str) -> set[str]:
    """Say which obligations a number means, in plain Python over every row."""
    at, midnight = now(), local(now()).replace(hour=0, minute=0, second=0, microsecond=0)
    monday = midnight + timedelta(days=7 - midnight.weekday())
    found = set()
    for row in ObligationRecord.objects.select_related("case"):
        concerned = body in (row.case.owner, row.case.organization, row.case.opened_for)
        if row.organization != body or (row.person and not concerned):
            continue
        done = row.state == "done" and row.closed_at is not None
        days = {"done_7": 6, "done_30": 29, "late_30": 29}.get(measure)
        due = min(filter(None, (row.due_at, *row.case.clocks.filter(stopped_at=None).values_list("due_at", flat=True))), default=None)
        late, soon = due is not None and due < at, due is not None and due >= at
        fits = {
            "open": row.state == "open", "overdue": row.state == "open" and late,
            "today": row.state == "open" and soon and due < midnight + timedelta(days=1),  # type: ignore[operator]
            "week": row.state == "open" and soon and due < monday,  # type: ignore[operator]
        }.get(measure, bool(done and row.closed_at >= midnight - timedelta(days=days or 0)))  # type: ignore[operator]
        fits &= measure != "late_30" or bool(row.due_at and row.closed_at and row.due_at < row.closed_at)
        who = row.closed_by if days is not None else (row.assignee or row.person or f"role:{row.role}")
        if fits and holder in ("", who):
            found.add(row.pk)
    return found


def test_every_number_is_the_length_of_its_list_and_the_sums_agree(busy: None, cast: Cast) -> None:
    seen = set()
    for member in (cast.leader, cast.data_admin):
        body = cast.owner.code
        team = api.get_team(organization=body, actor=member.actor)
        for line in (*team.lines, team.total):
            for measure in MEASURES:
                wanted = PageRequest(size=500, filters={"measure": measure, "holder": line.holder})
                page = api.list_team_work(organization=body, request=wanted, actor=member.actor)
                told = {item.obligation_id for item in page.items}
                assert line.counts[measure] == page.total == len(told)
                assert told == judged(cast, body, measure, line.holder), (measure, line.name)
                seen |= {measure} if told and line.holder.startswith("user:") else set()
        for measure in MEASURES:
            assert team.total.counts[measure] == sum(line.counts[measure] for line in team.lines)
        assert team.total.oldest_at == min(line.oldest_at for line in team.lines if line.oldest_at)
        assert {"数据专员丙", "数据负责人丁", "经办人戊"} <= {line.name for line in team.lines}
        named = {line.name: line.counts["open"] for line in team.lines}
        assert named["经办人戊"] == 1  # the one in a case of others is none of this leader's business
    assert seen >= {"open", "overdue", "done_7", "done_30"}  # the dice gave every sort of number something


def test_who_does_not_supervise_there_sees_nothing(busy: None, cast: Cast) -> None:
    for member, body in ((cast.steward, cast.owner), (cast.leader, cast.other), (cast.clerk, cast.other)):
        with pytest.raises(Refused):
            api.get_team(organization=body.code, actor=member.actor)
        with pytest.raises(Refused):
            api.list_team_work(organization=body.code, request=PageRequest(), actor=member.actor)
    assert api.list_teams(actor=cast.leader.actor) == {cast.owner.code: "市市场监管局"}
    assert cast.other.code in api.list_teams(actor=cast.data_admin.actor)
    assert signed_in(cast.steward).get("/inbox/team/").status_code == 403
    assert signed_in(cast.leader).get(f"/inbox/team/?organization={cast.other.code}").status_code == 403
    assert signed_in(cast.leader).get(f"/inbox/team/work/?organization={cast.other.code}").status_code == 403


def test_the_page_leads_to_the_lists_and_exports(busy: None, cast: Cast) -> None:
    client = signed_in(cast.leader)
    team = api.get_team(organization=cast.owner.code, actor=cast.leader.actor)
    page = client.get("/inbox/team/").content.decode()
    assert f"/inbox/team/work/?organization={cast.owner.code}&amp;measure=open" in page and "合计" in page
    work = client.get("/inbox/team/work/?measure=overdue").content.decode()
    assert f'共 <span class="num">{team.total.counts["overdue"]}</span> 条' in work
    rows = list(csv.reader(io.StringIO(client.get("/inbox/team/?export=csv").content.decode("utf-8-sig"))))
    assert rows[-1][0] == "合计" and [int(n) for n in rows[-1][1 : 1 + len(MEASURES)]] == [team.total.counts[m] for m in MEASURES]
    lines = list(csv.reader(io.StringIO(client.get("/inbox/team/work/?measure=done_30&export=csv").content.decode("utf-8-sig"))))
    assert len(lines) == 1 + team.total.counts["done_30"]


def test_roles_are_named_in_the_language_of_the_page(note: Any, cast: Cast) -> None:
    Role.objects.filter(code="data_leader").update(title_zh="负责人", title_en="Head")
    Role.objects.filter(code="data_steward").update(title_zh="专员", title_en="Steward")
    note()
    client = signed_in(cast.leader)
    for path in ("/inbox/team/", "/inbox/team/work/?holder=role:data_leader%2Bdata_steward"):
        assert "负责人 / 专员" in client.get(path).content.decode()
        said = client.get(path, HTTP_ACCEPT_LANGUAGE="en").content.decode()
        assert "Head / Steward" in said and "负责人 / 专员" not in said


def test_the_page_takes_a_constant_number_of_queries(note: Any, cast: Cast, django_assert_max_num_queries: Any) -> None:
    note()
    with django_assert_max_num_queries(14):
        api.get_team(organization=cast.owner.code, actor=cast.leader.actor)
    for _ in range(8):
        note()
    with django_assert_max_num_queries(14):
        api.get_team(organization=cast.owner.code, actor=cast.leader.actor)
