"""Everybody at once, and time: walks a case of a random kind by whatever is possible, and tells whether it can end."""

from __future__ import annotations

import random
import zlib
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from tests.conftest import Cast
from tests.core.cases.random_kinds import batch_kind, part_kind
from yunhe.core.cases import api
from yunhe.core.cases.errors import NobodyInSeat
from yunhe.core.cases.models import CaseRecord, ObligationRecord
from yunhe.core.cases.types import KindSpec
from yunhe.core.organizations import api as organizations
from yunhe.kernel.actor import Actor, Right, job_actor
from yunhe.kernel.clock import FrozenClock, now
from yunhe.kernel.errors import YunheError
from yunhe.kernel.pages import PageRequest

HEAD = job_actor("tests")
MOST_STEPS = 40
FEW, MANY = 4, 16  # steps looked at before one is taken
QUICK = [(0, 1.0)] * 2 + [(FEW, 0.2)] * 3  # and how often one is taken without a look
TRIES = [*QUICK, *[(MANY, 0.02)] * 3]
MOST_MORE = 12  # obligations more than at the start: from there no end is looked for
TIME = "time"
Offer = tuple[str, dict[str, Any]]


class Walker:
    """Takes any action of any open obligation in the name of who may; with a clock, lets time pass as well.

    `failed` holds the cases in which what time does by itself was refused: of a kind that was proved there are none.
    """

    def __init__(self, dice: random.Random, cast: Cast, clock: FrozenClock | None = None) -> None:
        self.dice, self.cast, self.clock = dice, cast, clock
        self.everyone = replace(cast.leader.actor, rights=(Right("*"),))
        self.failed: list[str] = []

    def step(self, case_id: str, *, operators: bool) -> str:
        """Do one random thing; return its name if it happened. Any refusal must be one of the house's own."""
        offers = self._offers(case_id, operators)
        if not offers:
            return ""
        name, told = self.dice.choice(offers)
        try:
            with transaction.atomic():
                getattr(self, f"_{name}", getattr(api, name, None))(case_id=case_id, **told)
        except NobodyInSeat:
            raise  # every seat has its holder here: else no more would be shown than that nobody is there
        except YunheError:
            return ""
        return name

    def _offers(self, case_id: str, operators: bool) -> list[Offer]:
        """Return what the bearer of one open obligation, any of them, is offered; and that time passes."""
        opened = list(ObligationRecord.objects.filter(case_id=case_id, state="open").order_by("opened_seq", "name", "organization", "id"))
        passes: list[Offer] = [(TIME, {})] if self.clock and (not opened or self._waits_for_time(case_id)) else []
        if not opened:
            return passes
        item = self.dice.choice(opened)
        if item.child_id:
            return [*passes, ("in_part", {"part_id": item.child_id})]
        if item.person == "batch":
            return [*passes, ("by_batch", {"item": item})]
        return [*passes, *self._of_bearer(item, operators)]

    def _of_bearer(self, item: ObligationRecord, operators: bool) -> list[Offer]:
        actor = self.bearer(item)
        view = api.access_case(case_id=item.case_id, actor=actor)
        data = {"yes": self.dice.random() < 0.5, "note": self.dice.choice(("x", None))}
        mine = [one for one in view.actions if one.obligation_id == item.pk]
        offers: list[Offer] = [("act", {"action": one.name, "data": self._form(one, data), "obligation_id": item.pk, "actor": actor}) for one in mine]
        declared = api.kind_of_case(case_id=item.case_id).obligation(item.name).actions
        rooms = [(name, action) for name, action in declared.items() if action.by_room]
        offers += [("report_event", {"action": name, "data": self._form(action, data), "actor": HEAD}) for name, action in rooms]
        for op in view.operators if operators else ():
            if op.name == "send_back" and op.obligation_id == item.pk:
                back = {"phase": self.dice.choice(sorted(op.choices)), "reason": "测试", "obligation_id": item.pk}
                offers.append(("send_back", {**back, "actor": actor}))
            elif op.name == "retract":
                offers.append(("retract", {"reason": "测试", "actor": actor}))
        return offers

    def _form(self, action: Any, data: dict[str, Any]) -> dict[str, Any]:
        asked = {field.name for field in action.fields}
        score = {"score": self.dice.choice((0, 2, 3, 9))} if "score" in asked else {}
        return {name: value for name, value in {**data, **score}.items() if name in asked}

    def bearer(self, item: ObligationRecord) -> Actor:
        """Return somebody whose turn an obligation is."""
        if item.person:
            return replace(self.everyone, id=item.person, organization=item.organization)
        nobody = 10**8 + zlib.crc32(item.organization.encode()) % 10**8  # one of the organisation whom no account is of
        return replace(self.everyone, id=f"user:{nobody}", organization=item.organization, role=item.role.split("+")[0])

    def _waits_for_time(self, case_id: str) -> bool:
        rows = ObligationRecord.objects.filter(case_id=case_id)
        return rows.filter(lapse_at__isnull=False).exists() or rows.filter(next_at__isnull=False).exists()

    def _time(self, case_id: str) -> None:
        """Move the clock past what comes next by itself in the case, or past all of it, and do what the round does."""
        assert self.clock is not None
        rows = ObligationRecord.objects.filter(case_id=case_id)
        ahead = [at for told in rows.values_list("lapse_at", "next_at") for at in told if at]
        wanted = self.dice.choice((min, max))(ahead, default=now())
        self.clock.move_to(max(now(), wanted) + timedelta(seconds=1))
        api.warn_due(actor=HEAD, failed=self.failed)
        api.lapse_due(actor=HEAD, failed=self.failed)
        api.recur_due(actor=HEAD, failed=self.failed)

    def _in_part(self, case_id: str, part_id: str) -> None:
        """End the sub-case, or take another step in it."""
        self.step(part_id, operators=False)

    def _by_batch(self, case_id: str, item: ObligationRecord) -> None:
        """Open a batch, put the case on its list, and settle it by one of its actions."""
        actor = self.cast.clerk.actor
        everybody = replace(self.everyone, id=actor.id)
        data = {"yes": self.dice.random() < 0.5}
        batch = api.open_case(kind="random_batch", title="一批", data=data, actor=everybody)
        api.add_members(case_id=batch.case_id, numbers=[CaseRecord.objects.get(pk=case_id).number], actor=everybody)
        names = sorted(api.kind_of_case(case_id=case_id).obligation(item.name).actions)
        api.act(case_id=batch.case_id, action=self.dice.choice(names), data={}, actor=everybody)

    def ends(self, case_id: str, tries: list[tuple[int, float]] = TRIES) -> bool:
        """Tell whether the case can be brought to an end; it, and the clock, stay as they are.

        At random first, then by what leaves less to do, then the same with more looked at before each step: where one of
        eight answers ends what is owed and the others open it again for three bodies, a few looks lead nowhere.
        """
        at, opened = now(), self._open(case_id)
        for looks, stray in tries:
            with transaction.atomic():
                for _ in range(MOST_STEPS):
                    if self.dice.random() < stray:
                        self.step(case_id, operators=False)
                    else:
                        self.step_to_less(case_id, looks)
                    closed = CaseRecord.objects.get(pk=case_id).state == "closed"
                    if closed or self._stands_still(case_id) or self._open(case_id) > opened + MOST_MORE:
                        break
                transaction.set_rollback(True)
            self._turn_back(at)
            if closed:
                return True
        return False

    def _open(self, case_id: str) -> int:
        return ObligationRecord.objects.filter(case_id=case_id, state="open").count()

    def _stands_still(self, case_id: str) -> bool:
        """Tell whether nobody owes anything and nothing comes by itself: no step leads from here."""
        return not self._open(case_id) and not (self.clock and self._waits_for_time(case_id))

    def step_to_less(self, case_id: str, looks: int = FEW) -> None:
        """Take the first of so many random steps after which fewer obligations are open; if there is none, the one that leaves fewest."""
        kept, seeds, at = self.dice, [self.dice.getrandbits(32) for _ in range(looks)], now()
        opened, left = self._open(case_id), dict[int, int]()
        for seed in seeds:
            with transaction.atomic():
                self.dice = random.Random(seed)
                self.step(case_id, operators=False)
                left[seed] = self._open(case_id)
                if left[seed] < opened:
                    self.dice = kept
                    return
                transaction.set_rollback(True)
            self._turn_back(at)
        self.dice = random.Random(min(seeds, key=lambda seed: left[seed]))
        self.step(case_id, operators=False)
        self.dice = kept

    def _turn_back(self, at: datetime) -> None:
        if self.clock:
            self.clock.move_to(at)


def seat_leaders(cast: Cast, founder: Actor) -> None:
    """Give each organisation of the cast a leader: random kinds ask every one of them."""
    for body, username in ((cast.other, cast.clerk.username), (cast.bureau, cast.bureau_clerk.username)):
        organizations.add_membership(username=username, organization=body.code, role="data_leader", actor=founder)


def publish_with(kind: KindSpec, founder: Actor) -> None:
    """Publish a random kind, with the kinds of its sub-cases and of the batch that it waits for."""
    if any(one.child for one in kind.obligations.values()):
        api.publish_kind(spec=part_kind(), source="tests", actor=founder)
    api.publish_kind(spec=kind, source="tests", actor=founder)
    batch = batch_kind(kind)
    if batch:
        api.publish_kind(spec=batch, source="tests", actor=founder)


def check_rows(case_id: str, walker: Walker) -> None:
    """What the rows say follows from the events, and lists find by them what there is."""
    told = api.replay_case(case_id=case_id, actor=HEAD)
    assert told.equal, told.differences
    row = CaseRecord.objects.get(pk=case_id)
    opened = list(ObligationRecord.objects.filter(case=row, state="open"))
    clocks = [due for due in row.clocks.filter(stopped_at=None).values_list("due_at", flat=True) if due]
    assert row.state == "closed" or opened or ObligationRecord.objects.filter(case=row, next_at__isnull=False).exists()
    assert not (row.state == "closed" and (opened or clocks or ObligationRecord.objects.filter(case=row, next_at__isnull=False).exists()))
    assert row.state == "closed" or row.due_at == min([*clocks, *(one.due_at for one in opened if one.due_at)], default=None)
    spec = api.kind_of_case(case_id=case_id)
    for item in opened:
        assert item.first_due_at == min([*clocks, *([item.due_at] if item.due_at else [])], default=None)
        assert item.lapse_at == (item.due_at if spec.obligation(item.name).on_due else None)
        assert bool(item.due_at) == (item.limit_amount is not None and item.paused_at is None)
        for_people = any(not action.by_room for action in spec.obligation(item.name).actions.values())
        if item.person != "batch" and not item.child_id and for_people:
            actor = walker.bearer(item)
            listed = api.list_waiting(request=PageRequest(size=500), actor=actor)
            assert listed.total > len(listed.items) or item.pk in {one.obligation_id for one in listed.items}
            assert listed.total == api.count_waiting(actor=actor) and len(listed.items) == min(listed.total, 500)
