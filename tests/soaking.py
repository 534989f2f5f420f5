"""How much a test does: a small fixed amount in `make test`, the full one in `make soak`."""

from __future__ import annotations

import os
import zlib

from hypothesis import HealthCheck, settings

DEFAULT_SEED = 20240917
SOAK_EXAMPLES = 2000
settings.register_profile(
    "soak",
    max_examples=int(os.environ.get("SOAK_EXAMPLES", "") or SOAK_EXAMPLES),
    deadline=None,
    derandomize=False,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)


def is_soaking() -> bool:
    """Tell whether the full counts are wanted (`make soak` sets SOAK=1)."""
    return os.environ.get("SOAK", "") == "1"


def seed_of(name: str = "") -> int:
    """Return this run's seed, mixed with a test's own name; `make test` always has the same one."""
    base = int(os.environ.get("SOAK_SEED", "") or DEFAULT_SEED) if is_soaking() else DEFAULT_SEED
    return base ^ zlib.crc32(name.encode())


def amount(*, small: int, full: int) -> int:
    """Return how many rounds, points or rows to run: `small` in `make test`, `full` in `make soak`."""
    return full if is_soaking() else small
