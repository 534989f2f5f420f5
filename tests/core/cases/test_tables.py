from __future__ import annotations

import copy
import csv
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import Cast
from tests.core.cases.kinds import NATIONAL, SIMPLE
from yunhe.core.cases import api
from yunhe.core.cases.errors import BadKind, CannotOperate, LimitNotInForce, TableNotFound
from yunhe.core.cases.models import EventRecord
from yunhe.core.cases.types import KindSpec, LimitInForce
from yunhe.engine.decisions import TableRefused
from yunhe.kernel.actor import Actor

pytestmark = pytest.mark.django_db
DISPATCH: dict[str, Any] = {
    "code": "dispatch",
    "title": {"zh": "派单", "en": "Dispatch"},
    "hit": "first",
    "inputs": {"amount": {"type": "integer", "values": ">= 0"}, "days": "integer"},
    "outputs": {"desk": {"type": "string", "default": "other"}},
}
RULES = 'in:amount,in:days,out:desk,from,until,basis\n>= 1000,-,big,,,第一条\n< 1000,null,old,,2026-03-03,旧规\n< 1000,null,small,2026-03-03,,第二条\n'


def kind(**changes: Any) -> KindSpec:
    body = copy.deepcopy({**SIMPLE, **changes})
    body["fields"].append({"name": "desk", "title": "处室", "internal": True})
    body["start"].insert(0, {"decide": {"table": "dispatch"}})
    body["start"].append({"close_obligations": "opinion", "when": "desk = 'big'"})
    return KindSpec.model_validate(body)


@pytest.fixture
def published(note: Any, founder: Actor) -> None:
    api.publish_table(declaration=DISPATCH, rules=RULES, source="tests", actor=founder)
    api.publish_kind(spec=kind(), source="tests", actor=founder)


def test_a_table_decides_with_the_rules_of_the_day(published: None, note: Any, clock: Any, cast: Cast) -> None:
    from datetime import timedelta

    assert note(data={"amount": 5}).data["desk"] == "old"
    clock.advance(timedelta(days=1))
    case = note(data={"amount": 5})
    assert case.data["desk"] == "small"
    event = EventRecord.objects.get(case_id=case.case_id)
    told = event.values["_decisions"][0]
    assert (told["table"], told["on"], told["rows"]) == ("dispatch", "2026-03-03", [{"row": 4, "basis": "第二条"}])
    assert api.replay_case(case_id=case.case_id, actor=cast.clerk.actor).equal
    view = api.access_case(case_id=case.case_id, actor=cast.clerk.actor)
    assert [f.label for f in view.events[0].facts if f.name == "table"] == [{"zh": "第 4 行 第二条", "en": "row 4 第二条"}]


def test_later_conditions_see_what_a_table_answered(published: None, note: Any, cast: Cast) -> None:
    case = note(data={"amount": 2000})
    view = api.access_case(case_id=case.case_id, actor=cast.leader.actor)
    assert case.data["desk"] == "big"
    assert [(o.name, o.state) for o in view.obligations] == [("answer", "open"), ("opinion", "cancelled")]


def test_a_decision_names_its_version_and_can_be_made_again(published: None, note: Any, founder: Actor) -> None:
    case = note(data={"amount": 5})
    told = EventRecord.objects.get(case_id=case.case_id).values["_decisions"][0]
    api.publish_table(declaration=DISPATCH, rules=RULES.replace("old", "anew"), source="tests", actor=founder)
    on = date.fromisoformat(told["on"])
    again = api.decide(code="dispatch", values={"amount": 5, "days": None}, on=on, digest=told["digest"])
    assert again.outputs["desk"] == "old"
    assert api.decide(code="dispatch", values={"amount": 5, "days": None}, on=on).outputs["desk"] == "anew"
    assert api.list_tables()[0].number == 2


@pytest.mark.parametrize(
    ("changes", "rules", "said"),
    [
        ({"hit": "unique", "outputs": {"desk": "string"}}, "in:amount,in:days,out:desk\n> 5,-,a\n", "no row holds"),
        ({"hit": "unique"}, "in:amount,in:days,out:desk\n> 5,-,a\n> 6,-,b\n", "rows 2, 3 both hold"),
        ({"hit": "any"}, "in:amount,in:days,out:desk\n> 5,-,a\n> 6,-,b\n", "rows 2, 3 both hold"),
        ({"hit": "first"}, "in:amount,in:days,out:desk\n> 5,-,a\n> 6,-,b\n", "row 3 is never used"),
    ],
)
def test_gaps_and_overlaps_stop_a_table(founder: Actor, changes: dict[str, Any], rules: str, said: str) -> None:
    with pytest.raises(BadKind) as refused:
        api.publish_table(declaration={**DISPATCH, **changes}, rules=rules, source="tests", actor=founder)
    assert said in refused.value.say("en")
    with pytest.raises(TableNotFound):
        api.get_table(code="dispatch")


def test_a_mistake_in_a_cell_is_told_with_row_and_column(founder: Actor) -> None:
    with pytest.raises(TableRefused) as refused:
        api.publish_table(declaration=DISPATCH, rules="in:amount,in:days,out:desk\n>> 5,-,a\n", source="tests", actor=founder)
    assert "tables/dispatch.csv" in refused.value.say("en")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"table": "nothing"}, 'no decision table "nothing"'),
        ({"table": "dispatch", "inputs": {"weight": "data.days"}}, 'no input "weight"'),
        ({"table": "dispatch", "inputs": {"amount": "case.title"}}, "takes integer"),
        ({"table": "dispatch", "into": {"desk": "days"}}, "needs a string field"),
    ],
)
def test_a_kind_must_fit_its_tables(published: None, founder: Actor, asked: dict[str, Any], said: str) -> None:
    body = kind().model_dump(mode="json")
    body["start"][0]["decide"] = asked
    with pytest.raises(BadKind) as refused:
        api.publish_kind(spec=KindSpec.model_validate(body), source="tests", actor=founder)
    assert said in refused.value.say("en")


def limit(amount: int, since: str, until: str | None) -> LimitInForce:
    return LimitInForce(
        "answer.usual", amount, "workdays", f"第 {amount} 号", date.fromisoformat(since), until and date.fromisoformat(until)
    )  # type: ignore[arg-type]


def test_a_dated_limit_counts_from_the_day_the_clock_starts(note: Any, clock: Any, cast: Cast, founder: Actor) -> None:
    from datetime import timedelta

    api.replace_limits(limits=[limit(5, "2020-01-01", "2026-03-03"), limit(3, "2026-03-03", None)], source="tests")
    body = copy.deepcopy(SIMPLE)
    body["obligations"]["answer"]["limits"] = [{"use": "answer.usual"}]
    api.publish_kind(spec=KindSpec.model_validate(body), source="tests", actor=founder)
    first = note()
    clock.advance(timedelta(days=1))
    second = note()

    def due(case: Any) -> tuple[int, str]:
        found = api.access_case(case_id=case.case_id, actor=cast.leader.actor).obligations[0].due
        assert found is not None
        return found.amount, found.basis

    assert (due(first), due(second)) == ((5, "第 5 号"), (3, "第 3 号"))
    api.replace_limits(limits=[limit(9, "2020-01-01", None)], source="tests")
    assert due(second) == (3, "第 3 号")  # what runs keeps the limit it began with
    api.replace_limits(limits=[limit(9, "2030-01-01", None)], source="tests")
    with pytest.raises(LimitNotInForce) as refused:
        note()
    assert "answer.usual" in refused.value.say("zh")


@pytest.mark.parametrize(
    ("until", "said"), [(None, "meet"), ("2026-03-04", "meet"), ("2026-03-02", "leave days without a limit")]
)
def test_periods_of_a_limit_that_do_not_adjoin_are_refused(db: None, until: str | None, said: str) -> None:
    with pytest.raises(BadKind) as refused:
        api.replace_limits(limits=[limit(5, "2020-01-01", until), limit(3, "2026-03-03", None)], source="tests")
    assert said in refused.value.say("en")
    assert api.list_limits() == ()


@pytest.mark.parametrize(("since", "until"), [("2026-03-03", None), ("2020-01-01", "2026-03-02")])
def test_a_kind_needs_its_limit_in_force_today(note: Any, founder: Actor, since: str, until: str | None) -> None:
    api.replace_limits(limits=[limit(5, since, until)], source="tests")
    body = copy.deepcopy(SIMPLE)
    body["obligations"]["answer"]["limits"] = [{"use": "answer.usual"}]
    with pytest.raises(BadKind) as refused:
        api.publish_kind(spec=KindSpec.model_validate(body), source="tests", actor=founder)
    assert '"answer.usual" is not in force today' in refused.value.say("en")


def test_a_dated_limit_bounds_its_extensions(note: Any, cast: Cast, founder: Actor) -> None:
    api.replace_limits(limits=[replace(limit(5, "2020-01-01", None), extend_most=2)], source="tests")
    body = copy.deepcopy(SIMPLE)
    body["obligations"]["answer"]["limits"] = [{"use": "answer.usual"}]
    api.publish_kind(spec=KindSpec.model_validate(body), source="tests", actor=founder)
    case = note()
    (owed,) = api.access_case(case_id=case.case_id, actor=cast.leader.actor).obligations
    told = {"case_id": case.case_id, "obligation_id": owed.obligation_id, "basis": "依据", "reason": "延"}
    with pytest.raises(CannotOperate):
        api.extend(amount=3, actor=cast.leader.actor, **told)


def test_unknown_limits_are_refused(note: Any, founder: Actor) -> None:
    body = copy.deepcopy(SIMPLE)
    body["limits"] = [{"use": "nowhere"}]
    with pytest.raises(BadKind) as refused:
        api.publish_kind(spec=KindSpec.model_validate(body), source="tests", actor=founder)
    assert 'no limit "nowhere"' in refused.value.say("en")


EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
LIMIT_FILES = [*(NATIONAL / "limits").glob("*.csv"), *EXAMPLES.glob("*/limits/*.csv")]
KIND_FILES = [*(NATIONAL / "cases").glob("*.yml"), *EXAMPLES.glob("*/cases/*.yml")]


def test_how_far_a_limit_goes_is_what_its_basis_says() -> None:
    """A basis that allows more time says how much, and only such a limit is bounded; a law that says nothing bounds nothing."""
    limits = [row for file in LIMIT_FILES for row in csv.DictReader(file.read_text("utf-8").splitlines())]
    assert len(limits) > 10
    for kind in (yaml.safe_load(file.read_text("utf-8")) for file in KIND_FILES):
        limits += [*kind.get("limits", ()), *(one for told in kind["obligations"].values() for one in told.get("limits", ()))]
    bounded = [one for one in limits if one.get("extend_most") not in (None, "")]
    assert bounded
    for one in limits:
        assert (one in bounded) == ("延长" in str(one.get("basis", ""))), one
