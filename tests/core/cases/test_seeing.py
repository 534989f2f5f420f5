"""What is counted and listed out of the rows of parties is what the cases themselves say, for every form of a right."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.conftest import Cast
from tests.core.cases.kinds import simple_kind
from yunhe.core.cases import api
from yunhe.core.cases.models import CaseRecord, PartyRecord
from yunhe.kernel.actor import ALL, Actor, Right
from yunhe.kernel.clock import FrozenClock, now
from yunhe.kernel.pages import UNCOUNTED, Page, PageRequest

pytestmark = pytest.mark.django_db
SORTS = ("", "opened_at", "-opened_at", "title", "-due_at")


@pytest.fixture
def cases(note: Any, clock: FrozenClock, cast: Cast, founder: Actor) -> list[CaseRecord]:
    """Cases of three kinds, of three applicants in two regions, open, suspended and closed."""
    note()
    for number in range(11):
        kind = f"note_{number % 3}"
        clock.advance(timedelta(minutes=number % 2))  # some at the same instant
        api.publish_kind(spec=simple_kind(code=kind, prefix="QT"), source="tests", actor=founder)
        applicant, who = [(cast.other, cast.clerk), (cast.bureau, cast.bureau_clerk), (cast.owner, cast.steward)][number % 3]
        told = {"title": f"请示 {number}", "data": {"amount": 1, "items": ["a"]}, "organization": applicant.code}
        case = api.open_case(kind=kind, actor=who.actor, owner=cast.owner.code, **told)
        if number % 4 == 1:
            api.act(case_id=case.case_id, action="agree", data={"text": "同意"}, actor=cast.leader.actor)
        elif number % 4 == 2:
            api.suspend(case_id=case.case_id, basis="测试", reason="测试", actor=cast.leader.actor)
    CaseRecord.objects.filter(kind_code="note_1").update(region="110000")
    return list(CaseRecord.objects.order_by("-opened_at", "-id"))


def rights(cast: Cast) -> dict[str, tuple[Right, ...]]:
    """Return every form that the rights of a person can have."""
    some = {"bodies": frozenset({cast.owner.code}), "two": frozenset({cast.other.code, cast.owner.code}), "kinds": frozenset({"note_0", "note_1"})}
    here, nothing = frozenset({"110000"}), frozenset[str]()
    return {
        "nothing": (),
        "everything": (Right("cases.view"),),
        "any permission": (Right(ALL, some["bodies"]),),
        "bodies": (Right("cases.view", some["bodies"]),),
        "several bodies": (Right("cases.view", some["two"]),),
        "bodies and kinds": (Right("cases.view", some["two"], kinds=some["kinds"]),),
        "kinds": (Right("cases.view", kinds=some["kinds"]),),
        "a region": (Right("cases.view", regions=here),),
        "bodies in a region": (Right("cases.view", some["two"], here),),
        "two places": (Right("cases.view", some["bodies"]), Right("cases.view", kinds=some["kinds"])),
        "one place twice": (Right("cases.view", some["bodies"]), Right("cases.view", some["bodies"])),
        "everything and a place": (Right("cases.view", some["bodies"]), Right("cases.view")),
        "of no body": (Right("cases.view", nothing),),
        "of no region": (Right("cases.view", some["two"], nothing),),
        "of no kind": (Right("cases.view", kinds=nothing),),
        "another permission": (Right("cases.act"),),
    }


def sees(actor: Actor, row: CaseRecord) -> bool:
    """The judge: whether somebody may see a case, read from the words of their rights."""
    parties = list(PartyRecord.objects.filter(case=row).values_list("organization", "person"))
    if (actor.organization, actor.id) in parties:
        return True
    return any(
        right.permission in (ALL, "cases.view") and right.covers(organization=body, region=row.region, kind=row.kind_code)
        for right in actor.rights
        for body, _ in parties
    )


def test_every_right_counts_and_lists_what_the_cases_say(cases: list[CaseRecord], cast: Cast) -> None:
    for name, held in rights(cast).items():
        for member in (cast.clerk, cast.data_admin):
            actor = replace(member.actor, rights=held)
            mine = [row for row in cases if sees(actor, row)]
            for state in ("", "open", "suspended", "closed", "running"):
                asked = ("open", "suspended") if state == "running" else (state,)
                of_state = [row for row in mine if not state or row.state in asked]
                for kind in ("", "note_1", "nowhere"):
                    wanted = [row.pk for row in of_state if kind in ("", row.kind_code)]
                    filters = {"state": state, "kind": kind}
                    page = api.list_cases(request=PageRequest(filters=filters), actor=actor)
                    assert [case.case_id for case in page.items] == wanted and page.total == len(wanted), (name, filters)
                    assert +Counter(facets(page, "kind")) == Counter(row.kind_code for row in of_state), (name, filters)
                    goes_on = state in ("open", "suspended", "running")  # what ended is not counted beside it
                    of_kind = Counter(row.state for row in mine if kind in ("", row.kind_code) and not (goes_on and row.state == "closed"))
                    assert +Counter(facets(page, "state")) == of_kind, (name, filters)
                    assert (facets(page, "state").get("closed") == UNCOUNTED) == goes_on


def facets(page: Page[Any], name: str) -> dict[str, int]:
    return {facet.value: facet.count for facet in page.facets if facet.name == name}


@pytest.mark.parametrize("sort", SORTS)
def test_pages_follow_one_another_without_gap_or_repetition(cases: list[CaseRecord], cast: Cast, sort: str) -> None:
    actor = replace(cast.clerk.actor, rights=rights(cast)["several bodies"])
    whole = [case.case_id for case in api.list_cases(request=PageRequest(size=100, sort=sort), actor=actor).items]
    pages = [api.list_cases(request=PageRequest(page=page, size=5, sort=sort), actor=actor) for page in range(1, 6)]
    assert [case.case_id for page in pages for case in page.items] == whole == list(dict.fromkeys(whole))
    assert {page.total for page in pages} == {len(cases)}


def test_a_page_is_full_however_many_parties_its_cases_have(cases: list[CaseRecord], cast: Cast) -> None:
    newest, bodies = cases[0], [f"9{number:017}" for number in range(200)]
    own = {"kind_code": newest.kind_code, "state": newest.state, "opened_at": newest.opened_at}
    PartyRecord.objects.bulk_create(PartyRecord(case=newest, part="handler", organization=body, **own) for body in bodies)
    actor = replace(cast.leader.actor, rights=(Right("cases.view", frozenset({*bodies, cast.owner.code})),))
    page = api.list_cases(request=PageRequest(size=3), actor=actor)
    assert [case.case_id for case in page.items] == [row.pk for row in cases[:3]] and page.total == len(cases)


def test_the_lists_by_opening_read_no_other_case(cases: list[CaseRecord], cast: Cast) -> None:
    actor = replace(cast.clerk.actor, rights=rights(cast)["several bodies"])
    with CaptureQueriesContext(connection) as queries:
        api.list_cases(request=PageRequest(filters={"state": "open"}), actor=actor)
    of_cases = [one["sql"] for one in queries if 'FROM "cases_case"' in one["sql"]]
    assert len(of_cases) == 1 and '"cases_case"."id" IN' in of_cases[0]


def test_a_copy_that_differs_from_its_case_is_told(cases: list[CaseRecord], cast: Cast) -> None:
    def differences(row: CaseRecord) -> tuple[str, ...]:
        return api.replay_case(case_id=row.pk, actor=cast.data_admin.actor).differences

    assert not any("parties.copied" in differences(row) for row in cases)
    PartyRecord.objects.filter(case=cases[0]).update(state="lost")
    assert "parties.copied" in differences(cases[0])


def test_the_migration_fills_what_parties_repeat(cases: list[CaseRecord]) -> None:
    PartyRecord.objects.update(kind_code="", state="", opened_at=now())
    import_module("yunhe.core.cases.migrations.0011_counted_lists").copy_cases(apps, None)
    for party in PartyRecord.objects.select_related("case"):
        assert (party.kind_code, party.state, party.opened_at) == (party.case.kind_code, party.case.state, party.case.opened_at)
