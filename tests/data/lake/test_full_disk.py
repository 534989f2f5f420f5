"""A disk that fills anywhere on the way of a load: the earlier release stays, the job says where, and going on works."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Cast, load_national
from tests.data import spine
from yunhe.core.jobs import api as jobs
from yunhe.core.jobs.models import Job
from yunhe.data.lake import api as lake
from yunhe.kernel.clock import now
from yunhe.kernel.pages import PageRequest

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.fault]
ROWS, SET_ASIDE = 20_000, 4_000
FOLDERS = {"work": "600k", "lake": "900k", "findings": "64k", "loads": "64k"}
"""Where a load writes, each with room for the small first load and not for the second."""


@pytest.fixture
def home(cast: Cast, tmp_path: Path, settings: Any) -> Path:
    settings.HOME = tmp_path / "home"
    settings.YUNHE = {**settings.YUNHE, "SOURCE_ROOTS": f"*={tmp_path}"}
    load_national()
    return tmp_path / "home"


@pytest.fixture
def mount() -> Iterator[Callable[[Path, str], None]]:
    """Mount a real file system of a size at a folder, or change its size; only root can."""
    mounted: list[Path] = []

    def make(folder: Path, size: str) -> None:
        again = folder in mounted
        folder.mkdir(parents=True, exist_ok=True)
        options = f"remount,size={size}" if again else f"size={size}"
        made = subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)], check=False, capture_output=True)
        if made.returncode and not again:
            pytest.skip("mounting a small tmpfs needs root")
        assert made.returncode == 0, made.stderr
        mounted.extend([] if again else [folder])

    yield make
    for folder in mounted:
        subprocess.run(["umount", str(folder)], check=True)


def files_under(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_full_disk_on_the_way_of_a_load(
    cast: Cast, home: Path, tmp_path: Path, mount: Callable[[Path, str], None], folder: str
) -> None:
    mount(home / folder, FOLDERS[folder])
    source = spine.write_csv(tmp_path / "a.csv", spine.rows(10))
    code = spine.publish(source, cast.owner.code)
    assert spine.load(code, cast.steward.actor).state == "successful"
    first, files = lake.current_release(code=code), {name: files_under(home / name) for name in FOLDERS}

    draw = random.Random(folder)
    lines = [[f"{draw.getrandbits(72):018X}", f"{draw.getrandbits(240):060x}", "2020-01-01", "329901", n] for n in range(ROWS)]
    spine.write_csv(source, lines + [["", f"{draw.getrandbits(240):060x}", "2020-01-01", "329901", 1] for _ in range(SET_ASIDE)])
    stopped = spine.load(code, cast.steward.actor)

    assert (stopped.state, stopped.error_code) == ("ready", "disk_full"), stopped.error
    assert str(home / folder) in stopped.error["zh"] and str(home / folder) in stopped.error["en"]
    assert "腾出空间" in stopped.error["zh"] and "Free some space" in stopped.error["en"]
    assert lake.current_release(code=code) == first
    assert lake.list_releases(code=code, actor=cast.steward.actor, request=PageRequest()).total == 1
    newest = lake.list_loads(request=PageRequest(size=1, filters={"resource": code}), actor=cast.steward.actor).items[0]
    assert (newest.state, newest.problem["code"]) == ("failed", "disk_full")
    assert files_under(home / "work") == set()
    assert all(Path(file).is_file() for file in lake.release_files(release=first))

    mount(home / folder, "64m")
    Job.objects.filter(pk=stopped.id).update(run_after=now())  # the pause before the next attempt is over
    jobs.run_pending(limit=1, job_id=stopped.id)
    done = jobs.get_job(job_id=stopped.id)
    assert done.state == "successful", done.error
    assert (done.result or {})["kept"] == ROWS == lake.current_release(code=code).rows
    assert (done.result or {})["quarantined"] == SET_ASIDE
    lake.sweep_resource(code=code)  # what the stopped attempt left behind, if anything, goes
    assert files["findings"] <= files_under(home / "findings")
