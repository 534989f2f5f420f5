"""People who work while a change of procedure moves cases, in another process. Run by test_beside_a_change.py.

Without an argument it makes the world, starts itself again as the mover and works beside it. The mover notes each of its
transactions on a line of its own; each write of the others is told by how many transactions ended while it waited.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import OperationalError, connection, transaction  # noqa: E402

from tests.faults import story, world  # noqa: E402
from tests.faults.world import FOUNDER  # noqa: E402
from yunhe.core.cases import api  # noqa: E402
from yunhe.core.cases.api import migrating  # noqa: E402
from yunhe.core.cases.models import CaseRecord, EventRecord  # noqa: E402
from yunhe.kernel.actor import job_actor  # noqa: E402
from yunhe.kernel.errors import YunheError  # noqa: E402
from yunhe.ui.problems import is_busy  # noqa: E402

HOME = Path(settings.HOME)
NOTED = HOME / "transactions.txt"
MOVER, HEAD = job_actor("mover"), job_actor("tests")
SLOW_SECONDS = 0.02
"""What each case takes more, so that a transaction ends by its time and not with its last case."""
LIMIT = [{"amount": 9, "unit": "workdays", "basis": "新规"}]


def move(migration: str) -> None:
    """Carry the change out as on a slow machine, noting how far it was before each of its transactions."""
    write = migrating.move_cases

    def slowly(change: Any, ids: Sequence[str]) -> int:
        time.sleep(SLOW_SECONDS * len(ids))
        return write(change, ids)

    migrating.move_cases = slowly
    with NOTED.open("a", buffering=1) as noted:
        api.apply_migration(migration_id=migration, actor=MOVER, progress=lambda done, total: noted.write(f"{done}\n") and None)


def transactions() -> int:
    return NOTED.read_text("ascii").count("\n")


def open_one(w: world.World, number: int) -> Any:
    data = {"place": f"解放路 {number} 号", "area": 20}
    return api.open_case(kind="permit", title=f"许可 {number}", data=data, actor=w.cast.clerk.actor, owner=w.cast.owner.code)


def accept(w: world.World, case: Any) -> None:
    api.act(case_id=case.case_id, action="accept", data={"departments": story.bodies(w)}, actor=w.cast.steward.actor)


def drafted() -> str:
    """Draft and approve a change that counts every limit anew."""
    told = world.permit_text()
    for one in told["obligations"].values():
        if one.get("limits"):
            one["limits"] = LIMIT
    api.publish_kind(spec=world.plain_permit().model_validate(told), source="tests", actor=FOUNDER)
    plan = api.plan_migration(kind="permit", actor=HEAD)
    plan = replace(plan, moves=tuple(replace(one, limits="recount") for one in plan.moves))
    change = api.draft_migration(plan=plan, reason="新时限", actor=HEAD).migration_id
    api.approve_migration(migration_id=change, actor=MOVER)
    return change


def turned_away_as_busy(case_id: str) -> bool:
    """Tell whether a write that may not wait for another's is known as a busy database."""
    quick = "SET LOCAL lock_timeout = 20" if connection.vendor == "postgresql" else None
    hold = subprocess.Popen([sys.executable, __file__, "hold", case_id], stdout=subprocess.PIPE, stdin=subprocess.PIPE)
    assert hold.stdout is not None
    hold.stdout.readline()
    try:
        if quick is None:
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA busy_timeout=20")
        with transaction.atomic(), connection.cursor() as cursor:
            if quick:
                cursor.execute(quick)
            CaseRecord.objects.filter(pk=case_id).update(title="x")
    except OperationalError as error:
        return is_busy(error)
    finally:
        hold.communicate(b"\n")
        connection.close()
    return False


def hold(case_id: str) -> None:
    """Hold what a case is written by until told to end."""
    with transaction.atomic():
        CaseRecord.objects.filter(pk=case_id).update(title="held")
        sys.stdout.write("held\n")
        sys.stdout.flush()
        sys.stdin.readline()
        transaction.set_rollback(True)


def main(count: int) -> dict[str, Any]:
    call_command("migrate", verbosity=0)
    world.fill_slots(HOME)
    w = world.make_world(HOME)
    api.publish_kind(spec=world.plain_permit(), source="tests", actor=FOUNDER)
    cases = [open_one(w, number) for number in range(count)]
    accept(w, cases.pop())  # the plan knows that phase as well
    change, waits, refused = drafted(), list[int](), list[str]()
    NOTED.write_text("", "ascii")
    mover = subprocess.Popen([sys.executable, __file__, "move", change])
    while mover.poll() is None and not transactions():
        time.sleep(0.01)
    number = 0
    while mover.poll() is None:
        before = transactions()
        try:
            open_one(w, count + number)
            accept(w, cases[number])
        except YunheError as error:
            refused.append(error.code)
        waits.append(transactions() - before)
        number += 1
        time.sleep(0.05)
    unequal = [row.pk for row in CaseRecord.objects.all() if not api.replay_case(case_id=row.pk, actor=HEAD).equal]
    moved = EventRecord.objects.filter(action="migrate")
    return {
        "mover": mover.returncode, "transactions": transactions(), "waits": waits, "refused": refused, "unequal": unequal,
        "left": CaseRecord.objects.filter(kind__number=1).exclude(state="closed").count(), "busy": turned_away_as_busy(cases[-1].case_id),
        "moved": moved.count(), "twice": moved.count() - moved.values("case_id").distinct().count(),
    }  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1] in ("move", "hold"):
        {"move": move, "hold": hold}[sys.argv[1]](sys.argv[2])
    else:
        sys.stdout.write(json.dumps(main(int(sys.argv[1]))))
