"""Fill the home that YUNHE_HOME names with cases on their way; run by scripts/golden_home.py. Prints how they stand."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402

from tests.faults import positions, story, world  # noqa: E402
from tests.faults.golden_process import standing  # noqa: E402
from yunhe.core.cases import api  # noqa: E402
from yunhe.kernel.clock import frozen  # noqa: E402

UNTIL = "delegate"


def run() -> dict[str, Any]:
    """Play the story so far that cases stand in many places, and leave some more in the middle of things; return how they stand, and when."""
    home = Path(settings.HOME)
    call_command("migrate", verbosity=0)
    world.fill_slots(home)
    with frozen(world.A_MONDAY) as clock:
        made, steps = world.make_world(home), story.steps()
        for at, step in enumerate(steps[: [one.name for one in steps].index(UNTIL) + 1]):
            story.move(clock, steps, at)
            step.run(made)
        _leave_in_the_middle(made)
        holds = positions.leave_all(made)
        api.warn_due(actor=world.FOUNDER)
        return {**standing(), "at": clock.at.isoformat(), "holds": holds}


def _leave_in_the_middle(made: world.World) -> None:
    """One in parallel with one opinion given, one that waits for a reviewer, one whose clock stands, one suspended."""
    for key in ("parallel", "reviewed", "stopped", "still"):
        story.opened(made, key)
    for key in ("parallel", "reviewed"):
        story.act(made.cast.steward, key, "accept", departments=story.bodies(made))
    story.act(made.cast.leader, "parallel", "agree")
    told = {"seat": ("opinion", made.cast.owner.code), "to": ["officer"], **story.WHY}
    story.use("add_reviewer", made.cast.leader, "reviewed", **told)
    story.act(made.cast.steward, "stopped", "ask", missing="图纸")
    story.use("suspend", made.cast.leader, "still", basis="依据", **story.WHY)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run(), ensure_ascii=False, indent=1, sort_keys=True) + "\n")
