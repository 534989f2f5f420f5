"""Many who do things to the same cases at the same moment. Run by test_race_the_cases.py.

Argument: how many at once. Prints for each race what became of everyone, and every law that was broken.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connections, transaction  # noqa: E402

from tests.faults import copies, judge, story, world  # noqa: E402
from tests.faults.story import WHY, act, case_of, opened, use  # noqa: E402
from tests.faults.world import FOUNDER, World  # noqa: E402
from yunhe.core.cases import api  # noqa: E402
from yunhe.core.cases.api import kinds, steps  # noqa: E402
from yunhe.core.cases.models import CaseRecord, EventRecord, ObligationRecord  # noqa: E402
from yunhe.core.jobs import api as jobs  # noqa: E402
from yunhe.core.jobs.api import outbox  # noqa: E402
from yunhe.core.notices.models import Dispatch  # noqa: E402
from yunhe.kernel.clock import frozen  # noqa: E402
from yunhe.kernel.errors import YunheError  # noqa: E402

Work = Callable[[], object]


def at_once(works: Sequence[Work]) -> Counter[str]:
    """Let each work start in its own thread at the same moment; count what became of them."""
    start = Barrier(len(works))

    def one(work: Work) -> str:
        try:
            start.wait(60)
            work()
        except YunheError as error:
            return error.code
        except Exception as error:  # noqa: BLE001  whatever it is, it is told
            return f"!{type(error).__name__}: {error}"[:300]
        finally:
            connections.close_all()
        return "done"

    with ThreadPoolExecutor(len(works)) as pool:
        return Counter(pool.map(one, works))


def same_submission(w: World, many: int) -> dict[str, Any]:
    """One client sends the same submission again and again: one case."""
    told = at_once([lambda: opened(w, "same")] * many)
    return {"told": told, "cases": CaseRecord.objects.filter(request_key="client:same").count()}


def same_obligation(w: World, many: int) -> dict[str, Any]:
    """Everyone ends one obligation: one does."""
    opened(w, "one")
    told = at_once([lambda: act(w.cast.steward, "one", "accept", departments=story.bodies(w))] * many)
    return {"told": told, "events": case_of("one").version, "open": open_names("one")}


def everything_at_once(w: World, many: int) -> dict[str, Any]:
    """Whatever can be done to a case is done at once, again and again: the events give the rows."""
    opened(w, "all")
    told: Counter[str] = Counter()
    for _ in range(3):
        works = [
            lambda: act(w.cast.steward, "all", "accept", departments=story.bodies(w)),
            lambda: act(w.cast.steward, "all", "ask", missing="图纸"),
            lambda: act(w.cast.clerk, "all", "complete", place="建军路"),
            lambda: act(w.cast.leader, "all", "agree"),
            lambda: act(w.cast.data_admin, "all", "agree"),
            lambda: use("suspend", w.cast.leader, "all", basis="依据", **WHY),
            lambda: use("resume", w.cast.leader, "all", **WHY),
            lambda: use("retract", w.cast.steward, "all", **WHY),
            lambda: use("extend", w.cast.leader, "all", amount=1, basis="依据", **WHY),
            lambda: use("escalate", w.cast.leader, "all", **WHY),
            lambda: use("remind", w.cast.clerk, "all", **WHY),
            lambda: api.recount_due(actor=FOUNDER),
        ]
        told += at_once((works * many)[: max(many, len(works))])
    return {"told": told, "version": case_of("all").version}


def seen_before(w: World, many: int) -> dict[str, Any]:
    """Everyone sends a form of the same version of the case: one is taken. Without a version each is taken after the other."""
    opened(w, "form")
    seat = ObligationRecord.objects.get(case_id=case_of("form").case_id, name="accept").pk

    def extend(seen: int | None) -> Work:
        told = {"amount": 1, "basis": "依据", "obligation_id": seat, **WHY}
        return lambda: use("extend", w.cast.leader, "form", expected_version=seen, **told)

    seen = case_of("form").version
    return {"told": at_once([extend(seen)] * many), "version": case_of("form").version - seen, "any": at_once([extend(None)] * 3)}


def read_before(w: World, many: int) -> dict[str, Any]:
    """Everyone reads the case in one transaction and writes in another, when all have read: one writes, also where writers wait in line."""
    opened(w, "read")
    read = Barrier(many)

    def step() -> None:
        row, _ = steps.read_case(case_of("read").case_id)
        course = steps.begin(row, kinds.spec_of(row.kind), "remind", w.cast.clerk.actor)
        course.change("case", {"reminders": row.reminders + 1})
        read.wait(60)
        with transaction.atomic():
            steps.finish(row, course)

    told = at_once([step] * many)
    return {"told": told, "version": case_of("read").version - 1, "reminders": CaseRecord.objects.get(request_key="client:read").reminders}


def last_of_two(w: World, many: int) -> dict[str, Any]:
    """The last two departments answer at once, in sub-cases: the parent goes on once."""
    decided = []
    told: Counter[str] = Counter()
    for number in range(max(many // 10, 2)):
        key = f"panel{number}"
        opened(w, key, kind="panel")
        act(w.cast.steward, key, "accept", departments=story.bodies(w))
        ends = ((w.cast.leader, w.cast.owner.code), (w.cast.data_admin, w.cast.bureau.code))
        told += at_once([lambda end=end, key=key: story.end_child(*end, key) for end in ends])
        decided.append(open_names(key))
    return {"told": told, "open": decided}


def crossing(w: World, many: int) -> dict[str, Any]:
    """Each of two cases is to go into the other: one goes, nobody waits for ever."""
    told: Counter[str] = Counter()
    for number in range(max(many // 5, 2)):
        keys = (f"left{number}", f"right{number}")
        cases = [opened(w, key).case_id for key in keys]
        told += at_once([
            lambda key=key, into=into: use("merge", w.cast.steward, key, into=into, **WHY)
            for key, into in zip(keys, reversed(cases), strict=True)
        ])  # fmt: skip
        told["left over"] += sum(case_of(key).state == "open" for key in keys)
    return {"told": told}


def parent_and_child(w: World, many: int) -> dict[str, Any]:
    """A parent is sent back while its sub-cases end: either, and never both."""
    told: Counter[str] = Counter()
    for number in range(max(many // 10, 2)):
        key = f"torn{number}"
        opened(w, key, kind="panel")
        act(w.cast.steward, key, "accept", departments=story.bodies(w))
        told += at_once([
            lambda key=key: use("retract", w.cast.steward, key, **WHY),
            lambda key=key: use("suspend", w.cast.leader, key, basis="依据", **WHY),
            lambda key=key: story.end_child(w.cast.leader, w.cast.owner.code, key),
            lambda key=key: story.end_child(w.cast.data_admin, w.cast.bureau.code, key),
        ])  # fmt: skip
    return {"told": told}


def warned_by_many(w: World, many: int) -> dict[str, Any]:
    """Several workers warn at once: each rung once."""
    for number in range(max(many // 10, 2)):
        opened(w, f"slow{number}")
    story.frozen_clock().advance(story.timedelta(days=30))
    told = at_once([lambda: api.warn_due(actor=FOUNDER)] * 4)
    warned = EventRecord.objects.filter(action="warn").values_list("case_id", "diff")
    timed = ((case, key, one) for case, diff in warned for part in ("obligations", "clocks") for key, one in diff.get(part, {}).items())
    rungs = Counter((case, key, one["warned"]) for case, key, one in timed if "warned" in one)
    return {"told": told, "twice": sum(count > 1 for count in rungs.values()), "rungs": len(rungs)}


def over(w: World, many: int) -> dict[str, Any]:
    """What was queued for a case that was withdrawn meanwhile does nothing to it."""
    opened(w, "gone")
    act(w.cast.steward, "gone", "ask", missing="图纸")
    seat = ObligationRecord.objects.get(case_id=case_of("gone").case_id, state="open")
    act(w.cast.clerk, "gone", "give_up")
    before = judge.state()["cases"][case_of("gone").number]
    story.frozen_clock().advance(story.timedelta(days=60))
    queued = [lambda: api.warn_due(actor=FOUNDER), lambda: api.lapse_due(actor=FOUNDER), lambda: api.recur_due(actor=FOUNDER), story.recount]
    late = [
        lambda: act(w.cast.clerk, "gone", "complete", place="x"), lambda: use("remind", w.cast.clerk, "gone", **WHY),
        lambda: use("resume", w.cast.leader, "gone", **WHY), lambda: use("retract", w.cast.clerk, "gone", **WHY),
        lambda: api.hand_on(case_id=seat.case_id, obligation_id=seat.pk, to="tongshi", actor=w.cast.clerk.actor, **WHY),
    ]  # fmt: skip
    told = at_once(queued) + at_once(late)
    return {"told": told, "changed": judge.difference(before, judge.state()["cases"][case_of("gone").number])}


def delivered_by_many(w: World, many: int) -> dict[str, Any]:
    """Several workers deliver at once: each letter leaves once, with all that waited for its recipient."""

    def work() -> None:
        for _ in range(3):
            outbox.deliver_pending(limit=5000)
            jobs.run_pending(limit=5000)

    told = at_once([work] * 4)
    left, sent = w.post.read_text().split(), Dispatch.objects.filter(state="sent", channel="trial")
    return {"told": told, "left": len(left), "sent": sent.count(), "twice": len(left) - len(set(left)),
            "waiting": Dispatch.objects.filter(state="waiting").count()}  # fmt: skip


def open_names(key: str) -> list[str]:
    return sorted(ObligationRecord.objects.filter(case_id=case_of(key).case_id, state="open").values_list("name", flat=True))


RACES = (
    same_submission, same_obligation, everything_at_once, seen_before, read_before, last_of_two, crossing, parent_and_child,
    warned_by_many, over, delivered_by_many,
)  # fmt: skip


def run(many: int) -> dict[str, Any]:
    home = Path(settings.HOME)
    copies.forget_power_cuts()
    call_command("migrate", verbosity=0)
    world.fill_slots(home)
    with frozen(world.A_MONDAY):
        made = world.make_world(home)
        told: dict[str, Any] = {race.__name__: race(made, many) for race in RACES}
        return {**told, "laws": judge.laws() + judge.letters(made.post)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(int(sys.argv[1]))))
