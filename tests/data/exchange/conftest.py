"""What every test of exchange stands on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cast, load_national
from tests.data import spine
from yunhe.core.jobs import api as jobs


@pytest.fixture
def national(db: None, tmp_path: Path, settings: Any) -> None:
    settings.YUNHE = {**settings.YUNHE, "SOURCE_ROOTS": f"*={tmp_path}"}
    load_national()


@pytest.fixture
def released(national: None, cast: Cast, tmp_path: Path) -> str:
    """The code of a resource of twenty rows, released and served."""
    made = spine.publish(spine.write_csv(tmp_path / "a.csv", spine.rows(20)), cast.owner.code)
    spine.load(made, cast.steward.actor)
    jobs.run_pending(limit=20)
    return made
