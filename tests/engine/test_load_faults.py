"""A full disk and a killed process: a typed error or nothing at all, never half a load."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import yunhe
from yunhe.engine.tables import open_lake
from yunhe.engine.types import Column

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(yunhe.__file__).parents[1])}
COLUMNS = (Column("id"), Column("text"))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.csv"
    with path.open("w") as file:
        file.write("id,text\n")
        file.writelines(f"{number},{os.urandom(40).hex()}\n" for number in range(60_000))
    return path


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 6 MB; only root can mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if made.returncode:
        pytest.skip("mounting a small tmpfs needs root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


PROGRAM = """
    import resource, sys
    from pathlib import Path
    from yunhe.engine.errors import DiskFull
    from yunhe.engine.load import load_source
    from yunhe.engine.types import Column, Limits, SourceSpec
    most = int(sys.argv[3])
    if most:
        import signal
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    try:
        result = load_source(spec=SourceSpec("csv", sys.argv[1]), columns=(Column("id"), Column("text")), keys=("id",),
                             work=Path(sys.argv[2]), limits=Limits(memory_mb=256))
        print("kept", result.kept)
    except DiskFull as error:
        print(error.code, error.kind)
"""


def load_apart(source: Path, work: Path, most: int = 0) -> str:
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(source), str(work), str(most)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120, env=ENVIRONMENT)
    return done.stdout.strip()


def test_a_load_onto_a_full_disk_says_so_and_leaves_nothing(source: Path, tiny_disk: Path) -> None:
    assert load_apart(source, tiny_disk) == "disk_full unavailable"
    assert [path for path in tiny_disk.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("most", [200_000, 3_000_000])
def test_a_file_that_may_not_grow_is_a_full_disk(source: Path, tmp_path: Path, most: int) -> None:
    assert load_apart(source, tmp_path / "work", most) == "disk_full unavailable"
    assert not (tmp_path / "work" / "load").exists()


def test_a_disk_that_fills_while_the_kept_files_are_written(source: Path, tmp_path: Path) -> None:
    """The staged text (about 5.6 MB) fits, the typed file beside it does not."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=7m", "tmpfs", str(folder)], check=False).returncode:
        pytest.skip("mounting a small tmpfs needs root")
    try:
        assert load_apart(source, folder) == "disk_full unavailable"
        assert [path for path in folder.rglob("*") if path.is_file()] == []
    finally:
        subprocess.run(["umount", str(folder)], check=True)


KILLED = """
    import sys
    from pathlib import Path
    from yunhe.engine.load import load_source
    from yunhe.engine.tables import open_lake
    from yunhe.engine.types import Column, Limits, SourceSpec
    columns = (Column("id"), Column("text"))
    lake = open_lake(Path(sys.argv[2]))
    print("ready", flush=True)
    while True:
        result = load_source(spec=SourceSpec("csv", sys.argv[1]), columns=columns, keys=("id",),
                             work=Path(sys.argv[2]) / "work", limits=Limits(memory_mb=256))
        print(lake.commit("t", result.kept_files), flush=True)
"""


@pytest.mark.parametrize("after", [0.05, 0.3, 0.6, 0.9])
def test_kill_minus_nine_leaves_whole_snapshots_only(source: Path, tmp_path: Path, after: float) -> None:
    root = tmp_path / "lake"
    with open_lake(root) as lake:
        lake.ensure_table("t", COLUMNS)
    command = [sys.executable, "-c", textwrap.dedent(KILLED), str(source), str(root)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(after)
        process.send_signal(signal.SIGKILL)
        told = [int(line) for line in process.stdout.read().split()]
    import pyarrow.parquet as pq

    with open_lake(root) as lake:
        whole = [snapshot.id for snapshot in lake.snapshots("t") if snapshot.operation == "append"]
        assert set(told) <= set(whole)
        for snapshot in whole:
            assert sum(pq.read_metadata(file).num_rows for file in lake.files("t", snapshot)) == 60_000
        keep = set(whole[-1:])
        lake.sweep("t", keep)
        left = {str(path) for path in (root / "tables").rglob("*.parquet")}
        assert left == {file for snapshot in keep for file in lake.files("t", snapshot)}
