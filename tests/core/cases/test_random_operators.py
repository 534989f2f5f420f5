"""Random people use random actions and operators: the events always give the rows, and nobody is ever stranded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import transaction
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.conftest import Cast
from tests.core.cases.test_operators import permit_kind
from tests.soaking import amount
from yunhe.core.cases import api
from yunhe.core.cases.api import store
from yunhe.core.cases.errors import CaseNotFound
from yunhe.core.cases.models import CaseRecord, ClockRecord, EventRecord, ObligationRecord
from yunhe.core.cases.types import CaseView, OperatorView
from yunhe.kernel.actor import Actor, job_actor
from yunhe.kernel.clock import FrozenClock, now
from yunhe.kernel.errors import YunheError

pytestmark = pytest.mark.django_db
PERSONS = ("steward", "leader", "officer", "clerk", "data_admin", "bureau_clerk", "audit_admin")
RULES = [
    {"when": when, "effects": [{"close_group": "opinions"}, {"go_to_phase": "decision"}, {"open_obligation": "decide"}]}
    for when in ("count_agreed >= 2", "open_count = 0")
]
# Who (of those who may do something), what of it, whether rather an action of the kind, and how many hours pass.
STEPS = st.lists(
    st.tuples(st.integers(0, 6), st.integers(0, 30), st.booleans(), st.integers(0, 60)), min_size=4, max_size=16
)
FIRST = (("accept", "steward", True), ("agree", "leader", False), ("agree", "data_admin", False))
FAR = ("resume", "extend", "suspend", "send_back", "retract")
"""What changes most is tried first: the small counts take few steps."""
HEAD = job_actor("tests")


def rank(operator: OperatorView) -> int:
    return FAR.index(operator.name) if operator.name in FAR else len(FAR)


def actions(view: CaseView, actor: Actor, cast: Cast) -> list[tuple[str, Callable[[], object]]]:
    """Return everything that the page offers this person now, each with a form that could be right."""
    case_id = view.case.case_id
    filled = {
        "missing": "图纸", "place": "建军路", "departments": [cast.owner.code, cast.bureau.code], "reason": "理由",
        "opinion": "意见", "agrees": "yes",
    }  # fmt: skip
    offers: list[tuple[str, Callable[[], object]]] = []
    for one in view.actions:
        data = {field.name: filled[field.name] for field in one.fields if field.name in filled}
        told = {"case_id": case_id, "action": one.name, "data": data, "actor": actor, "obligation_id": one.obligation_id}
        offers.append(("act", partial(api.act, **told)))
    for operator in sorted({one.name: one for one in view.operators}.values(), key=rank):  # of several alike the last
        told = {"case_id": case_id, "actor": actor, **({"obligation_id": operator.obligation_id} if operator.obligation_id else {})}
        more: dict[str, Any] = {} if operator.name in ("take_back", "drop_reviewer") else {"reason": "理由"}
        chosen = next(iter(operator.choices), "")
        if operator.name == "send_back":
            offers += [("send_back", partial(api.send_back, **told, **more, phase=phase)) for phase in operator.choices]
            continue
        more |= {"hand_on": {"to": chosen}, "reassign": {"to": chosen}, "add_reviewer": {"to": [chosen]}, "suspend": {"basis": "依据"},
                 "extend": {"amount": 3, "basis": "依据"}, "split": {"titles": ["甲", "乙"]}, "merge": {"into": case_id}}.get(operator.name, {})  # fmt: skip
        offers.append((operator.name, partial(getattr(api, operator.name), **told, **more)))
    return offers


def check(case_id: str) -> None:
    found = api.replay_case(case_id=case_id, actor=HEAD)
    assert found.equal, found.differences
    row = CaseRecord.objects.get(pk=case_id)
    opened = ObligationRecord.objects.filter(case=row, state="open")
    assert opened.exists() == (row.state != "closed")
    for item in opened:
        assert bool(item.due_at) == (item.limit_amount is not None and item.paused_at is None)
        assert not (row.state == "suspended" and item.due_at)
        running = [one.due_at for one in (item, *row.clocks.filter(stopped_at=None)) if one.due_at]
        assert item.first_due_at == min(running, default=None)
    assert store.count_group(case_id, "opinions").outcomes == votes_that_count(row)
    for one in ClockRecord.objects.filter(case=row, stopped_at=None):
        asked = row.phase == "supplement"  # what stands has a cause that is still there
        assert bool(one.paused_at) == (asked or row.state == "suspended"), (row.phase, one.pause_basis)


def votes_that_count(row: CaseRecord) -> Counter[str]:
    """Return the votes by outcome as the events tell them: none that was asked for before a send-back and after the phase it led to."""
    lineage: list[EventRecord] = []
    for event in row.events.order_by("seq"):
        lineage = lineage[:-1] if event.action == "retract" else [*lineage, event]
    asked: dict[str, dict[str, Any]] = {}
    for event in lineage:
        if event.action == "send_back":
            since = min(one["opened_seq"] for one in asked.values() if one["phase"] == event.values["phase"])
            asked = {key: one for key, one in asked.items() if one["opened_seq"] < since}
        for key, changes in event.diff.get("obligations", {}).items():
            if key in asked or changes.get("opened_seq") == event.seq:
                asked[key] = {**asked.get(key, {}), **changes}
    return Counter(one["outcome"] for one in asked.values() if one["group"] == "opinions" and one["state"] == "done")


def test_whatever_people_do_the_events_give_the_rows(
    clock: FrozenClock, cast: Cast, calendar: None, founder: Actor
) -> None:
    api.publish_kind(spec=permit_kind(groups={"opinions": {"rules": RULES}}), source="tests", actor=founder)
    seen: Counter[str] = Counter()

    @settings(max_examples=amount(small=8, full=1000))
    @given(st.booleans(), STEPS)
    def walks(decided: bool, steps: list[tuple[int, int, bool, int]]) -> None:
        with transaction.atomic():
            data = {"place": "解放路 1 号", "area": 20}
            case = api.open_case(kind="permit", title="一件", data=data, actor=cast.clerk.actor, owner=cast.owner.code)
            for action, member, form in FIRST if decided else ():
                data = {"departments": [cast.owner.code, cast.bureau.code]} if form else {}
                api.act(case_id=case.case_id, action=action, data=data, actor=getattr(cast, member).actor)
            for person, choice, acts, hours in steps:
                clock.move_to(now() + timedelta(hours=hours))
                walk(case.case_id, (person, choice, acts), cast, seen)
                api.warn_due(actor=HEAD)
                check(case.case_id)
            transaction.set_rollback(True)

    for choice in range(1, 8):  # by the leader: one of each of the first operators, then the first of what is there after it
        walks = example(True, [(1, choice, False, 1), (0, 0, False, 1), (1, 0, False, 1)])(walks)
    walks()
    assert {"act", "retract", "suspend", "resume", "extend", "send_back"} <= set(seen), seen  # the walks got somewhere


def walk(case_id: str, step: tuple[int, int, bool], cast: Cast, seen: Counter[str]) -> None:
    person, choice, acts = step
    able = [(view, actor) for view, actor in views(case_id, cast) if view.actions or (view.operators and not acts)]
    if not able:
        return
    view, actor = able[person % len(able)]
    offers = actions(view, actor, cast)
    name, offered = offers[choice % (len(view.actions) if acts else len(offers))]
    try:
        with transaction.atomic():
            offered()
    except YunheError as error:
        seen[error.code] += 1
        return
    seen[name] += 1


def views(case_id: str, cast: Cast) -> list[tuple[CaseView, Actor]]:
    found = []
    for person in PERSONS:
        actor = getattr(cast, person).actor
        try:
            found.append((api.access_case(case_id=case_id, actor=actor), actor))
        except CaseNotFound:
            continue
    return found
