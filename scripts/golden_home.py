"""Make a golden home of this version: `python scripts/golden_home.py 0.1.0` writes two files into tests/faults/golden.

The archive holds a control database with cases on their way, the key of that node and the files people handed in; the
table beside it says how they stood. Later code must open it and finish every case (tests/faults/test_golden_homes.py). Made once per release.
"""

from __future__ import annotations

import io
import os
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "tests" / "faults" / "golden"
MOST_BYTES = 200_000
FILES = ("control.sqlite3", "keys/node.key")


def make(name: str) -> int:
    """Write the two files of a version; return the size of the archive."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir()
        clean = {key: value for key, value in os.environ.items() if not key.startswith("YUNHE_")}
        told = {"YUNHE_HOME": str(home), "DJANGO_SETTINGS_MODULE": "yunhe.settings.django"}
        paths = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
        maker = str(ROOT / "tests" / "faults" / "golden_maker.py")
        done = subprocess.run([sys.executable, maker], env={**clean, **told, "PYTHONPATH": paths}, stdout=subprocess.PIPE, check=True)
        with sqlite3.connect(home / FILES[0]) as database:
            database.execute("PRAGMA journal_mode = DELETE")
        database.execute("VACUUM")
        database.close()
        FOLDER.mkdir(exist_ok=True)
        (FOLDER / f"{name}.json").write_bytes(done.stdout)
        return _pack(home, FOLDER / f"{name}.tar.xz")


def _pack(home: Path, archive: Path) -> int:
    attached = sorted(str(path.relative_to(home)) for path in (home / "attachments").rglob("*") if path.is_file())
    with tarfile.open(archive, "w:xz", preset=9) as tar:
        for file in (*FILES, *attached):
            data = (home / file).read_bytes()
            entry = tarfile.TarInfo(file)
            entry.size, entry.mode = len(data), 0o600
            tar.addfile(entry, io.BytesIO(data))
    return archive.stat().st_size


if __name__ == "__main__":
    size = make(sys.argv[1])
    sys.stdout.write(f"{sys.argv[1]}: {size} bytes\n")
    sys.exit(size > MOST_BYTES)
