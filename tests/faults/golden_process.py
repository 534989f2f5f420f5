"""Open a golden home with today's code and finish everything in it. Run by test_golden_homes.py in that home.

Its argument is the table that was written beside the home. Prints how it stood before anything was done, every law
that was broken before and after, what was not found or could not be finished of what it holds, and how it ended.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402

from tests.faults import copies, judge, positions, story, world  # noqa: E402
from yunhe.cli.setup import make_node  # noqa: E402
from yunhe.core.cases import api  # noqa: E402
from yunhe.core.cases.errors import CaseNotFound  # noqa: E402
from yunhe.core.cases.models import CaseRecord, EventRecord, ObligationRecord  # noqa: E402
from yunhe.core.cases.types import CaseView  # noqa: E402
from yunhe.core.evidence.models import EvidenceRow  # noqa: E402
from yunhe.core.notices.models import Announcement, Dispatch, NoticeRow  # noqa: E402
from yunhe.core.organizations import api as organizations  # noqa: E402
from yunhe.core.organizations.models import Membership  # noqa: E402
from yunhe.kernel.actor import Actor  # noqa: E402
from yunhe.kernel.clock import frozen  # noqa: E402

FORWARD = ("give_opinion", "ok", "agree", "grant", "accept", "complete")
FILLED = {"agrees": "yes", "opinion": "可", "place": "建军路", "reason": "演练", "missing": "图纸"}
MOST_STEPS = 200


def standing() -> dict[str, Any]:
    """Return how every case stands, and how much there is around them."""
    cases = {
        row.number: [row.kind_code, row.phase, row.state, row.version, sorted(row.obligations.filter(state="open").values_list("name", flat=True))]
        for row in CaseRecord.objects.order_by("number")
    }
    models = (EventRecord, Announcement, NoticeRow, Dispatch, ObligationRecord)
    counts = {model.__name__: model.objects.count() for model in models}
    counts["evidence"] = EvidenceRow.objects.filter(kind="case.event").count()
    return {"cases": cases, "counts": counts}


def actors() -> list[Actor]:
    return [organizations.actor_for(user_id=one.user_id, membership_id=one.pk) for one in Membership.objects.order_by("id")]


def finish_all() -> Counter[str]:
    """Have the people of the home do what is theirs until no case is open."""
    people, did = actors(), Counter[str]()
    for _ in range(MOST_STEPS):
        left = list(CaseRecord.objects.exclude(state="closed").order_by("number"))
        if not left:
            break
        for row in left:
            if row.state == "suspended":
                api.resume(case_id=row.pk, reason="演练", actor=world.FOUNDER)
                did["resume"] += 1
            elif (step := next(filter(None, (_step(row.pk, person) for person in people)), None)) is not None:
                did[step] += 1
    return did


def _step(case_id: str, person: Actor) -> str | None:
    """Take one action that leads on, if the case offers this person one."""
    try:
        view: CaseView = api.access_case(case_id=case_id, actor=person)
    except CaseNotFound:
        return None
    waits = {one.origin_id for one in view.obligations if one.state == "open"}
    offered = [one for one in view.actions if one.name in FORWARD and not one.refusal and one.obligation_id not in waits]
    if not offered:
        return None
    chosen = min(offered, key=lambda one: FORWARD.index(one.name))
    bodies = [view.case.owner]
    data = {field.name: bodies if field.format == "organization" else FILLED.get(field.name) for field in chosen.fields}
    api.act(case_id=case_id, action=chosen.name, data=data, actor=person, obligation_id=chosen.obligation_id)
    return chosen.name


def run(told: dict[str, Any]) -> dict[str, Any]:
    home, holds = Path(settings.HOME), told.get("holds", [])
    copies.forget_power_cuts()
    world.fill_slots(home)
    with frozen(datetime.fromisoformat(told["at"]) if holds else world.A_MONDAY) as clock:
        clock.advance(timedelta(hours=1))
        make_node(note=lambda text: None, bare=True)
        before, broken = standing(), [*judge.laws(), *positions.broken_seals()]
        people = positions.world_of(home)
        lost = positions.failures(holds, people, "found")
        unfinished = positions.failures(holds, people, "finish")
        clock.advance(timedelta(days=400))
        did = finish_all()
        api.warn_due(actor=world.FOUNDER)
        story.deliver()
        states = Counter(CaseRecord.objects.values_list("state", flat=True))
        waiting = Dispatch.objects.filter(state="waiting").count()
        after = [*judge.laws(), *positions.broken_seals(), *judge.letters(people.post)]
        return {"before": before, "broken": broken, "lost": lost, "unfinished": unfinished, "did": did, "states": states,
                "waiting": waiting, "after": after}  # fmt: skip


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(json.loads(Path(sys.argv[1]).read_text("utf-8")))))
