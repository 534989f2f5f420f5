"""Random persons do random things: nothing happens that the table of moves does not name.

The judge is a table written by hand from the two kinds, which knows nothing of the engine.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Cast
from tests.core.cases.kinds import load_national_limits, national_kind
from yunhe.core.cases import api
from yunhe.core.cases.api import slots
from yunhe.core.cases.errors import ActionNotOffered, CaseChanged, CaseNotFound, FieldsInvalid, GuardRefused
from yunhe.core.cases.models import CaseRecord, ObligationRecord
from yunhe.core.cases.types import Case
from yunhe.kernel.actor import Actor
from yunhe.kernel.pages import PageRequest

pytestmark = pytest.mark.django_db
PERSONS = ("steward", "leader", "officer", "clerk", "data_admin", "bureau_clerk", "audit_admin", "system_admin")
DONE = ""
# (phase, action) -> (who may, next phase or DONE); `opener` is who opened the case.
PUBLICATION: dict[tuple[str, str], tuple[set[str], str]] = {
    ("review", "approve"): ({"leader"}, "release"),
    ("review", "send_back"): ({"leader"}, "revision"),
    ("release", "publish"): ({"data_admin"}, DONE),
    ("release", "send_back"): ({"data_admin"}, "revision"),
    ("revision", "resubmit"): ({"opener"}, "review"),
    ("revision", "abandon"): ({"opener"}, DONE),
}
DATA_REQUEST: dict[tuple[str, str], tuple[set[str], str]] = {
    ("answer", "grant"): ({"leader"}, DONE),
    ("answer", "refuse"): ({"leader"}, DONE),
    ("answer", "send_back"): ({"leader"}, "supplement"),
    ("supplement", "resubmit"): ({"opener"}, "answer"),
    ("supplement", "give_up"): ({"opener"}, DONE),
}
OPENERS = {"publication": "steward", "data_request": "clerk"}
MOVES = {"publication": PUBLICATION, "data_request": DATA_REQUEST}
ACTIONS = sorted({action for moves in MOVES.values() for _, action in moves} | {"open", "waiver", "grow"})
WILD = st.tuples(st.sampled_from(PERSONS), st.sampled_from(ACTIONS), st.booleans(), st.integers(-1, 1))
# Steps that are legal in some phase, so that the walks get somewhere.
SENSIBLE = st.sampled_from(
    [
        (OPENERS[kind] if who == "opener" else who, action, True, 0)
        for kind, moves in MOVES.items()
        for (_, action), (persons, _) in moves.items()
        for who in sorted(persons)
    ]
)
STEPS = st.lists(WILD | SENSIBLE | SENSIBLE, max_size=16)


@pytest.fixture
def kinds(clock: Any, cast: Cast, calendar: None, founder: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    for code in ("registers.publish", "registers.reopen", "registers.resubmit", "exchange.grant"):
        arguments = frozenset({"entry_id", "version"})
        monkeypatch.setitem(slots._effects, code, slots.Effect(code, arguments, lambda context, **told: None))
    load_national_limits()
    for name in MOVES:
        api.publish_kind(spec=national_kind(name), source="national", actor=founder)


def opened(kind: str, cast: Cast) -> Case:
    data: dict[str, Any] = {
        "publication": {
            "register": "data_resource", "code": "x", "version": 1, "digest": "d", "author_id": cast.steward.actor.id,
            "bureau_step": True,
        },
        "data_request": {
            "resource": "x", "resource_title": "x", "sharing": "conditional", "automatic": True, "fields": ["a"],
            "purpose": "p", "legal_basis": "b", "until": "2027-01-01",
        },
    }[kind]  # fmt: skip
    actor = getattr(cast, OPENERS[kind]).actor
    return api.open_case(kind=kind, title="一件", data=data, actor=actor, owner=cast.owner.code)


def attempt(case_id: str, person: str, action: str, filled: bool, version: int, cast: Cast) -> bool:
    """Return whether the engine let it happen; any refusal must be one of the known errors."""
    data = {"reason": "理由"} if filled and action in ("send_back", "refuse", "abandon") else {}
    try:
        api.act(
            case_id=case_id, action=action, data=data, actor=getattr(cast, person).actor, expected_version=version
        )
    except (ActionNotOffered, CaseChanged, CaseNotFound, FieldsInvalid, GuardRefused):
        return False
    return True


def judge(kind: str, phase: str, person: str, action: str, filled: bool, stale: bool) -> str | None:
    """Return the phase after the step, or None if it must not happen."""
    may, after = MOVES[kind].get((phase, action), (set(), phase))
    allowed = person in may or ("opener" in may and person == OPENERS[kind])
    complete = filled or action not in ("send_back", "refuse", "abandon")
    return after if allowed and complete and not stale else None


def check_standing(case_id: str, phase: str, cast: Cast) -> None:
    row = CaseRecord.objects.get(pk=case_id)
    obligations = ObligationRecord.objects.filter(case_id=case_id, state="open").count()
    if phase == DONE:
        assert row.state == "closed" and row.outcome and row.closed_at and obligations == 0
    else:
        assert (row.state, row.phase, obligations) == ("open", phase, 1)
    judged = api.replay_case(case_id=case_id, actor=cast.data_admin.actor)
    assert judged.equal, judged.differences


def test_no_random_walk_makes_an_illegal_move(kinds: None, cast: Cast) -> None:
    seen: Counter[str] = Counter()

    @given(st.sampled_from(sorted(MOVES)), STEPS)
    def walks(kind: str, steps: list[Any]) -> None:
        walk(kind, steps, cast, seen)

    walks()
    assert seen["moved"] > 20 and seen["refused"] > 100 and seen["closed"] > 5, seen  # the walks got somewhere


def walk(kind: str, steps: list[Any], cast: Cast, seen: Counter[str]) -> None:
    with transaction.atomic():
        case = opened(kind, cast)
        phase, version = {"publication": "review", "data_request": "answer"}[kind], 1
        for person, action, filled, shift in steps:
            expected = judge(kind, phase, person, action, filled, stale=shift != 0)
            if phase == DONE:
                expected = None
            happened = attempt(case.case_id, person, action, filled, version + shift, cast)
            assert happened == (expected is not None), (phase, person, action)
            seen["moved" if happened else "refused"] += 1
            if expected is not None:
                phase, version = expected, version + 1
                seen["closed"] += phase == DONE
            check_standing(case.case_id, phase, cast)
        transaction.set_rollback(True)


@given(st.sampled_from(sorted(MOVES)), STEPS)
def test_inbox_offer_and_act_agree(kinds: None, cast: Cast, kind: str, steps: list[Any]) -> None:
    """What the inbox lists, what the page offers and what the engine lets happen are one thing."""
    with transaction.atomic():
        case = opened(kind, cast)
        for person, action, filled, _ in steps:
            actor = getattr(cast, person).actor
            waits = api.list_waiting(request=PageRequest(), actor=actor).total
            assert waits == api.count_waiting(actor=actor)
            try:
                offers = api.access_case(case_id=case.case_id, actor=actor).actions
            except CaseNotFound:
                offers = ()
            assert bool(waits) == bool(offers)
            now = api.get_case(case_id=case.case_id).version
            happened = attempt(case.case_id, person, action, filled, now, cast)
            if happened:
                assert action in {offer.name for offer in offers if not offer.refusal}
        transaction.set_rollback(True)
