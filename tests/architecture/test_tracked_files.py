"""No machine paths, registry addresses or secrets in tracked files; no large ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.architecture.graph import ROOT
from tests.architecture.tracked import LARGEST_BYTES, breaches, tracked_files


@pytest.fixture(scope="module")
def files() -> list[Path]:
    found = tracked_files(ROOT)
    if not found:
        pytest.skip("not a git clone: nothing is tracked here")
    return found


def test_tracked_files_are_clean(files: list[Path]) -> None:
    found: list[str] = []
    for path in files:
        data = path.read_bytes()
        if b"\0" not in data[:8192]:
            found += breaches(path.relative_to(ROOT), data.decode("utf-8", "replace"))
    assert found == []


def test_no_large_file_is_tracked(files: list[Path]) -> None:
    assert [f"{path}: {path.stat().st_size} bytes" for path in files if path.stat().st_size > LARGEST_BYTES] == []


def test_nothing_local_is_tracked(files: list[Path]) -> None:
    names = [str(path.relative_to(ROOT)) for path in files]
    assert [n for n in names if n.startswith(("var/", ".venv/", "node_modules/")) or n.endswith((".sqlite3", ".key", ".env"))] == []


@pytest.mark.parametrize(
    "line",
    [
        "see /" + "work/main/src",
        'open("/' + 'root/.netrc")',
        "/" + "home/li/yunhe/var",
        '"resolved": "https://registry' + '.npmjs.org/htmx"',
        "https://files.pythonhosted" + ".org/packages/x.whl",
        "-----BEGIN EC PRIVATE" + " KEY-----",
        "token = gh" + "p_" + "a1" * 18,
        "postgresql://yunhe:" + "hunter22@db/yunhe",
    ],
)
def test_a_breach_is_seen(line: str) -> None:
    assert breaches(Path("x"), line)


@pytest.mark.parametrize(
    "line",
    ["postgresql://user:password@host:port/name", "https://example.org/work/x", "a/root/b", "/var/lib/yunhe", "~/yunhe"],
)
def test_an_innocent_line_passes(line: str) -> None:
    assert breaches(Path("x"), line) == []
