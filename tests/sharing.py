"""Which tests go to one process together: those that share what their module makes once; long ones go first.

Two processes that each make the same node or database for half of a module's tests make it twice.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).resolve().parents[1]
_SHARED = re.compile(r"""scope=["'](?:module|package)["']""")
_SIDE = re.compile(r"\[.*\b(sqlite|postgresql|embedded|server)\b")
LONG = (
    "tests/journeys/", "tests/faults/", "tests/core/cases/test_random_", "tests/core/jobs/test_worker.py",
    "tests/core/registers/test_crowd.py", "tests/web/test_form_bad_input.py", "tests/data/lake/test_lasting.py",
)  # fmt: skip


class TogetherScheduling(LoadScopeScheduling):
    """Hand out tests one by one, but as one piece of work those of a module that makes something once."""

    def _split_scope(self, nodeid: str) -> str:
        return piece_of(nodeid)


def piece_of(nodeid: str) -> str:
    """Return the name of the piece of work that a test belongs to: itself, or its module and the database it runs on."""
    path, _, test = nodeid.partition("::")
    if not _makes_something_once(path):
        return nodeid
    side = _SIDE.search(test)
    return f"{path}[{side.group(1) if side else ''}]"


def is_short(nodeid: str) -> bool:
    """Tell whether a test may come late, so that no process is left alone with a long one at the end."""
    return not nodeid.startswith(LONG)


@cache
def _makes_something_once(path: str) -> bool:
    module = ROOT / path
    makers = (module, module.parent / "conftest.py")
    return any(bool(_SHARED.search(file.read_text("utf-8"))) for file in makers if file.is_file())


def make_scheduler(config: Any, log: Any) -> TogetherScheduling:
    """Return the scheduler of a run with several processes."""
    config.option.loadscopereorder = False
    return TogetherScheduling(config, log)
